//! The `verify` part of an `acr-sign.yaml`, made ready: every file that it names is read, and every certificate of a vault.

use std::{collections::BTreeMap, path::PathBuf};

use super::{
    ConfigFile, SettingError,
    certificate::{self, certificates},
    parse, trust_policy,
};
use crate::{
    crypto::Certificate,
    format::{
        dct::{Requirement, RootTrust, SignerWanted},
        notation::{
            InvalidTrust, Pins, StoreFault, Trust as PinnedTrust, TrustPolicy, VerifyTimestamp,
        },
    },
    keys::{KeyReference, KeyRing},
    oci::Reference,
    policy::{
        DctLeaf, FormatRequirement, FormatTrust, Leaf, Located, NotationLeaf, NotationPins,
        NotationTrust, Policy, RootPin,
    },
    reason::Reason,
    report::Failure,
};

/// Where the certificates of a signer lie.
enum Source {
    /// With a key.
    Key(String),
    /// In a PEM file.
    File(PathBuf),
}

/// The certificates of signers, by what the file calls them.
type Anchors = BTreeMap<String, Vec<Certificate>>;

impl ConfigFile {
    /// What the file says must hold for these images; rules that decide about none of them are left out, so that
    /// nobody is asked for their keys.
    pub(crate) async fn policy(
        &self,
        images: &[Reference],
        keys: &KeyRing,
    ) -> Result<Policy<FormatRequirement>, Failure> {
        let policy = self
            .rules()?
            .clone()
            .deciding(images.iter().map(|image| &image.repository));
        let anchors = self.anchors(&policy, keys).await?;
        Ok(policy.try_map(|leaf| self.trust(leaf, &anchors))?)
    }

    /// Every certificate that is named, each read once.
    async fn anchors(&self, policy: &Policy<Leaf>, keys: &KeyRing) -> Result<Anchors, Failure> {
        let mut found = Anchors::new();
        for leaf in policy.leaves() {
            let Leaf::Notation(NotationLeaf::Pinned(pins)) = leaf else {
                continue;
            };
            for named in &pins.certificates {
                if !found.contains_key(&named.text) {
                    let what = self.what(named, "certificate");
                    let certificates = match self.certificate(&named.text) {
                        Source::Key(key) => {
                            let wrong = |error: SettingError| error.reason(Reason::PolicyInvalid);
                            let key = parse(&what, &key).map_err(wrong)?;
                            certificate::of_key(&what, &key, keys, Reason::PolicyInvalid).await?
                        }
                        Source::File(path) => certificate::of_file(&what, &path)?,
                    };
                    found.insert(named.text.clone(), certificates);
                }
            }
        }
        Ok(found)
    }

    /// Where a certificate comes from: names of keys come first, then key references, then files.
    fn certificate(&self, name: &str) -> Source {
        if self.config.keys.get(name).is_some() || KeyReference::is_meant(name) {
            Source::Key(self.key(name))
        } else {
            Source::File(self.folder.join(name))
        }
    }

    fn trust(&self, leaf: &Leaf, anchors: &Anchors) -> Result<FormatRequirement, SettingError> {
        let trust = match leaf {
            Leaf::Dct(leaf) => self.dct(leaf)?,
            Leaf::Notation(NotationLeaf::Pinned(pins)) => {
                let trust = self
                    .pinned(pins, anchors)?
                    .ok_or_else(|| SettingError::usage("no certificate is trusted"))?;
                FormatTrust::Notation(Box::new(NotationTrust::Pinned(Box::new(trust))))
            }
            Leaf::Notation(NotationLeaf::Policy {
                trust_policy: policy,
                trust_store,
                metadata,
            }) => {
                let of_policy = |error: SettingError| error.at(&self.what(policy, "notation"));
                let (policy, stores) =
                    trust_policy(&self.path(policy), &self.path(trust_store)).map_err(of_policy)?;
                let trust = NotationTrust::Policy {
                    policy,
                    stores,
                    metadata: metadata.clone(),
                };
                FormatTrust::Notation(Box::new(trust))
            }
        };
        Ok(FormatRequirement {
            words: leaf.to_string(),
            trust,
        })
    }

    fn dct(&self, leaf: &DctLeaf) -> Result<FormatTrust, SettingError> {
        let root = match &leaf.root {
            RootPin::Keys(ids) => RootTrust::Keys(ids.clone()),
            RootPin::FirstUse => RootTrust::FirstUse,
            RootPin::Ca(file) => {
                RootTrust::Ca(certificates(&self.what(file, "root-ca"), &self.path(file))?)
            }
        };
        let signers = leaf
            .signers
            .iter()
            .cloned()
            .map(SignerWanted::Name)
            .collect();
        let requirement = Requirement {
            signers,
            minimum_versions: leaf.minimum_versions.clone(),
        };
        Ok(FormatTrust::Dct { root, requirement })
    }

    /// Trust in those certificates that were read; `None` where none was.
    fn pinned(
        &self,
        leaf: &NotationPins,
        anchors: &Anchors,
    ) -> Result<Option<PinnedTrust>, SettingError> {
        let of = |named: &Located| anchors.get(&named.text).cloned().unwrap_or_default();
        let mut timestamp_roots = Vec::new();
        for file in &leaf.timestamp_roots {
            timestamp_roots.push((
                file,
                certificates(&self.what(file, "timestamp-roots"), &self.path(file))?,
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
        let (blamed, what, error) = match PinnedTrust::pinned(pins) {
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
                    files.find(|(_, roots)| wrong(roots)).map(|(file, _)| *file),
                    "timestamp-roots",
                    error,
                )
            }
        };
        let place = blamed
            .map(|named| self.what(named, what))
            .unwrap_or_default();
        Err(SettingError::usage(format!("{place}: {error}")).reason(Reason::PolicyInvalid))
    }

    /// The certificates of files that a demand names, if they are such as it takes, and notation's own policy where it
    /// refers to one; nobody is asked for what lies in vaults.
    pub(super) fn in_files(
        &self,
        leaf: &Leaf,
    ) -> Result<(Vec<Certificate>, Option<TrustPolicy>), SettingError> {
        match leaf {
            Leaf::Dct(DctLeaf {
                root: RootPin::Ca(file),
                ..
            }) => Ok((
                certificates(&self.what(file, "root-ca"), &self.path(file))?,
                None,
            )),
            Leaf::Dct(DctLeaf {
                root: RootPin::Keys(_) | RootPin::FirstUse,
                ..
            }) => Ok((Vec::new(), None)),
            Leaf::Notation(NotationLeaf::Pinned(pins)) => {
                let mut found = Anchors::new();
                for named in &pins.certificates {
                    if let Source::File(path) = self.certificate(&named.text) {
                        let what = self.what(named, "certificate");
                        found.insert(named.text.clone(), certificate::of_file(&what, &path)?);
                    }
                }
                self.pinned(pins, &found)?;
                Ok((found.into_values().flatten().collect(), None))
            }
            Leaf::Notation(NotationLeaf::Policy {
                trust_policy: policy,
                trust_store,
                ..
            }) => {
                let of_policy = |error: SettingError| error.at(&self.what(policy, "notation"));
                let (policy, stores) =
                    trust_policy(&self.path(policy), &self.path(trust_store)).map_err(of_policy)?;
                let unusable = |fault: StoreFault| {
                    let message = format!("{}: {fault}", self.what(trust_store, "trust-store"));
                    SettingError::usage(message).reason(Reason::ConfigInvalid)
                };
                let read: Vec<Vec<Certificate>> = stores
                    .into_values()
                    .collect::<Result<_, _>>()
                    .map_err(unusable)?;
                Ok((read.concat(), Some(policy)))
            }
        }
    }

    fn path(&self, file: &Located) -> PathBuf {
        self.folder.join(&file.text)
    }

    /// Where something stands in the file, and as what.
    fn what(&self, named: &Located, what: &str) -> String {
        format!("{}:{}: {what}", self.config.file, named.place)
    }
}
