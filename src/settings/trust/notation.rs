//! Trust in Notary Project signatures: certificates that are pinned, or notation's own policy and stores.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use crate::{
    cli::Verify,
    crypto::Certificate,
    format::notation::{
        InvalidTrust, Level, Pins, StoreFault, Trust, TrustPolicy, TrustedIdentities,
        VerifyTimestamp,
    },
    keys::{KeyReference, KeyRing},
    policy::{
        FormatRequirement, FormatTrust, Leaf, Located, NotationLeaf, NotationPins, NotationTrust,
        Policy,
    },
    reason::Reason,
    report::Failure,
    settings::{
        ConfigFile, RunConfig, SettingError, annotations,
        certificate::{self, certificates},
        parse, trust_policy,
    },
};

/// `--certificate` with `--identity`, or `--trust-policy` with `--trust-store`.
pub(super) async fn from_flags(
    arguments: &Verify,
    config: &RunConfig<'_>,
    keys: &KeyRing,
) -> Result<FormatRequirement, Failure> {
    let own = &arguments.notation;
    let (words, trust) = match own.trust_policy.as_deref().zip(own.trust_store.as_deref()) {
        Some((policy, stores)) => (
            format!("notation, by the trust policy `{}`", policy.display()),
            own_policy(arguments, policy, stores)?,
        ),
        None => (
            "notation, as flags say".to_owned(),
            by_certificate(arguments, config, keys).await?,
        ),
    };
    Ok(FormatRequirement {
        words,
        trust: FormatTrust::Notation(Box::new(trust)),
    })
}

fn own_policy(
    arguments: &Verify,
    policy: &Path,
    stores: &Path,
) -> Result<NotationTrust, SettingError> {
    let metadata = annotations(&arguments.annotation)?;
    let (policy, stores) = trust_policy(policy, stores)?;
    Ok(NotationTrust::Policy {
        policy,
        stores,
        metadata,
    })
}

async fn by_certificate(
    arguments: &Verify,
    config: &RunConfig<'_>,
    keys: &KeyRing,
) -> Result<NotationTrust, Failure> {
    let own = &arguments.notation;
    let metadata = annotations(&arguments.annotation)?;
    let mut trusted = Vec::new();
    for given in &own.certificate {
        trusted.extend(config.certificates("--certificate", given, keys).await?);
    }
    if trusted.is_empty() {
        return Err(SettingError::usage("no certificate is trusted for `notation`")
            .hint(
                "give `--certificate PEM|KEY` (of a CA with `--identity`), or `--trust-policy FILE --trust-store DIR`",
            )
            .into());
    }
    let mut timestamp_roots = Vec::new();
    for path in &own.timestamp_root_cert {
        timestamp_roots.extend(certificates("--timestamp-root-cert", path)?);
    }
    let identities = match own.identity.as_slice() {
        [] => None,
        given => Some(TrustedIdentities::parse(given).map_err(|error| unusable(&error))?),
    };
    let pins = Pins {
        certificates: trusted,
        identities,
        level: Level::STRICT,
        timestamp_roots,
        verify_timestamp: VerifyTimestamp::Always,
        metadata,
    };
    let pinned = Trust::pinned(pins).map_err(|error| unusable(&error))?;
    Ok(NotationTrust::Pinned(Box::new(pinned)))
}

fn unusable(error: &dyn std::error::Error) -> SettingError {
    SettingError::usage(error.to_string())
}

/// `notation:` of a policy, whose certificates are read.
pub(super) fn from_policy(
    file: &ConfigFile,
    leaf: &NotationLeaf,
    anchors: &Anchors,
) -> Result<NotationTrust, SettingError> {
    match leaf {
        NotationLeaf::Pinned(pins) => {
            let trust = pinned(file, pins, anchors)?
                .ok_or_else(|| SettingError::usage("no certificate is trusted"))?;
            Ok(NotationTrust::Pinned(Box::new(trust)))
        }
        NotationLeaf::Policy {
            trust_policy: policy,
            trust_store,
            metadata,
        } => {
            let (policy, stores) = trust_policy(&file.path(policy), &file.path(trust_store))
                .map_err(|error| error.at(&file.what(policy, "notation")))?;
            Ok(NotationTrust::Policy {
                policy,
                stores,
                metadata: metadata.clone(),
            })
        }
    }
}

/// Where the certificates of a signer lie.
enum Source {
    /// With a key.
    Key(String),
    /// In a PEM file.
    File(PathBuf),
}

impl Source {
    /// Names of keys come first, then key references, then files.
    fn of(file: &ConfigFile, name: &str) -> Self {
        if file.config.keys.get(name).is_some() || KeyReference::is_meant(name) {
            Self::Key(file.key(name))
        } else {
            Self::File(file.folder.join(name))
        }
    }
}

/// The certificates of signers, by what the file calls them.
#[derive(Default)]
pub(super) struct Anchors(BTreeMap<String, Vec<Certificate>>);

impl Anchors {
    /// Every certificate that is named, each read once.
    pub(super) async fn read(
        file: &ConfigFile,
        policy: &Policy<Leaf>,
        keys: &KeyRing,
    ) -> Result<Self, Failure> {
        let mut found = Self::default();
        for leaf in policy.leaves() {
            let pins = match leaf {
                Leaf::Notation(NotationLeaf::Pinned(pins)) => pins,
                Leaf::Notation(NotationLeaf::Policy { .. }) | Leaf::Dct(_) => continue,
            };
            for named in &pins.certificates {
                if !found.0.contains_key(&named.text) {
                    let certificates = anchor(file, named, keys).await?;
                    found.0.insert(named.text.clone(), certificates);
                }
            }
        }
        Ok(found)
    }
}

async fn anchor(
    file: &ConfigFile,
    named: &Located,
    keys: &KeyRing,
) -> Result<Vec<Certificate>, Failure> {
    let what = file.what(named, "certificate");
    match Source::of(file, &named.text) {
        Source::Key(key) => {
            let key = parse(&what, &key).map_err(|error| error.reason(Reason::PolicyInvalid))?;
            certificate::of_key(&what, &key, keys, Reason::PolicyInvalid).await
        }
        Source::File(path) => Ok(certificate::of_file(&what, &path)?),
    }
}

/// Trust in those certificates that were read; `None` where none was.
fn pinned(
    file: &ConfigFile,
    leaf: &NotationPins,
    anchors: &Anchors,
) -> Result<Option<Trust>, SettingError> {
    let of = |named: &Located| anchors.0.get(&named.text).cloned().unwrap_or_default();
    let mut timestamp_roots = Vec::new();
    for pem in &leaf.timestamp_roots {
        timestamp_roots.push((
            pem,
            certificates(&file.what(pem, "timestamp-roots"), &file.path(pem))?,
        ));
    }
    let pins = Pins {
        certificates: leaf.certificates.iter().flat_map(of).collect(),
        identities: leaf.identities.clone(),
        level: leaf.level,
        timestamp_roots: timestamp_roots
            .iter()
            .flat_map(|(_, roots)| roots.clone())
            .collect(),
        verify_timestamp: VerifyTimestamp::Always,
        metadata: leaf.metadata.clone(),
    };
    let (blamed, what, error) = match Trust::pinned(pins) {
        Ok(trust) => return Ok(Some(trust)),
        Err(InvalidTrust::NoAnchor) => return Ok(None),
        Err(error @ InvalidTrust::NoIdentity { .. }) => {
            let mut named = leaf.certificates.iter();
            (
                named.find(|named| of(named).iter().any(Certificate::is_ca)),
                "certificates",
                error,
            )
        }
        Err(error @ InvalidTrust::NotATimestampRoot { .. }) => {
            let mut files = timestamp_roots.iter();
            let wrong = |roots: &[Certificate]| {
                roots
                    .iter()
                    .any(|root| !(root.is_ca() && root.is_self_signed()))
            };
            (
                files.find(|(_, roots)| wrong(roots)).map(|(pem, _)| *pem),
                "timestamp-roots",
                error,
            )
        }
    };
    let place = blamed
        .map(|named| file.what(named, what))
        .unwrap_or_default();
    Err(SettingError::usage(format!("{place}: {error}")).reason(Reason::PolicyInvalid))
}

/// The certificates that lie in files, if trust can be placed in them.
pub(super) fn in_files(
    file: &ConfigFile,
    pins: &NotationPins,
) -> Result<Vec<Certificate>, SettingError> {
    let mut found = Anchors::default();
    for named in &pins.certificates {
        if let Source::File(path) = Source::of(file, &named.text) {
            let read = certificate::of_file(&file.what(named, "certificate"), &path)?;
            found.0.insert(named.text.clone(), read);
        }
    }
    pinned(file, pins, &found)?;
    Ok(found.0.into_values().flatten().collect())
}

/// notation's own policy, and the certificates of all stores that it names.
pub(super) fn in_stores(
    file: &ConfigFile,
    policy: &Located,
    trust_store: &Located,
) -> Result<(Vec<Certificate>, TrustPolicy), SettingError> {
    let (policy, stores) = trust_policy(&file.path(policy), &file.path(trust_store))
        .map_err(|error| error.at(&file.what(policy, "notation")))?;
    let read: Vec<Vec<Certificate>> = stores
        .into_values()
        .collect::<Result<_, StoreFault>>()
        .map_err(|fault| {
            SettingError::usage(format!(
                "{}: {fault}",
                file.what(trust_store, "trust-store")
            ))
            .reason(Reason::ConfigInvalid)
        })?;
    Ok((read.concat(), policy))
}
