//! Every file that an `acr-sign.yaml` names, read where it stands: what `policy check` does beyond parsing.

use std::collections::BTreeMap;

use super::{ConfigFile, SettingError};
use crate::{
    crypto::{Certificate, PublicKey, Secret},
    format::notation::TrustPolicy,
    keys::{self, KeyFileError, KeyReference},
    policy::{Demand, Leaf, Located, NotationLeaf, SignKey, Warning},
    process::Environment,
    reason::Reason,
    timestamp::Timestamp,
};

/// Bytes of a key file.
const KEY_LIMIT: u64 = 1 << 20;
/// Seconds before the end of a certificate from which it is told.
const SOON: i64 = 30 * 86_400;

/// What the files hold that a policy names.
#[derive(Debug, Default)]
pub(crate) struct FilesRead {
    /// What is odd about them.
    pub(crate) warnings: Vec<Warning>,
    /// notation's own policies, by what the file calls them.
    pub(crate) trust_policies: BTreeMap<String, TrustPolicy>,
}

impl ConfigFile {
    /// Reads what the file names: certificates and keys that lie in files. What lies in a vault is not asked for.
    /// The first that is not there or not usable is the error.
    pub(crate) fn read_files(
        &self,
        environment: &Environment,
        now: Timestamp,
    ) -> Result<FilesRead, SettingError> {
        let mut read = FilesRead::default();
        let sign_keys = match &self.config.sign.key {
            None => Vec::new(),
            Some(SignKey::One(key)) => vec![key],
            Some(SignKey::PerFormat(keys)) => keys.iter().map(|(_, key)| key).collect(),
        };
        let named = self.config.keys.iter().map(|(_, key)| key);
        let direct = sign_keys
            .into_iter()
            .filter(|key| self.config.keys.get(&key.text).is_none());
        let anchors = self.rules()?.leaves().into_iter().flat_map(anchors);
        for key in named.chain(direct).chain(anchors) {
            read.warnings.extend(self.read_key(key, environment)?);
        }
        for (number, rule) in (1..).zip(&self.rules()?.rules) {
            let Demand::Require(requirement) = &rule.demand else {
                continue;
            };
            for leaf in requirement.leaves() {
                let (certificates, own) = self.in_files(leaf)?;
                if let (Leaf::Notation(NotationLeaf::Policy { trust_policy, .. }), Some(own)) =
                    (leaf, own)
                {
                    read.trust_policies.insert(trust_policy.text.clone(), own);
                }
                let ending = certificates
                    .iter()
                    .filter_map(|certificate| ending(certificate, now));
                read.warnings.extend(ending.map(|words| {
                    let message = format!("rule {number}: {words}");
                    Warning {
                        place: rule.place,
                        message,
                    }
                }));
            }
        }
        Ok(read)
    }

    /// A key that is named must be one; a private key that only its passphrase opens is opened where that is set.
    fn read_key(
        &self,
        key: &Located,
        environment: &Environment,
    ) -> Result<Option<Warning>, SettingError> {
        let at = format!("{}:{}", self.config.file, key.place);
        let wrong = |message: &str| {
            SettingError::usage(format!("{at}: {message}")).reason(Reason::ConfigInvalid)
        };
        let unreadable = |error: keys::InvalidKeyReference| wrong("this names no key").cause(error);
        let reference: KeyReference = self.relative(&key.text).parse().map_err(unreadable)?;
        let KeyReference::File {
            path,
            passphrase_env,
        } = &reference
        else {
            return Ok(None);
        };
        let shown = path.display();
        let bytes = super::config::bounded(path, KEY_LIMIT)
            .map_err(|error| wrong(&format!("key file `{shown}` cannot be read")).cause(error))?;
        if std::str::from_utf8(&bytes).is_ok_and(|text| PublicKey::from_pem(text).is_ok()) {
            return Ok(None);
        }
        let passphrase = passphrase_env
            .as_deref()
            .and_then(|name| environment.get(name));
        match (
            keys::read(
                &bytes,
                passphrase.map(|text| Secret::new(text.to_owned())).as_ref(),
            ),
            passphrase_env,
        ) {
            (Ok(_), _) => Ok(None),
            (Err(KeyFileError::PassphraseMissing), Some(variable)) => {
                let message = format!("`{shown}` was not opened, as `{variable}` is not set here");
                Ok(Some(Warning {
                    place: Some(key.place),
                    message,
                }))
            }
            (Err(error), _) => Err(wrong(&format!("`{shown}` is not a usable key")).cause(error)),
        }
    }
}

/// The key references that a demand holds itself.
fn anchors(leaf: &Leaf) -> Vec<&Located> {
    match leaf {
        Leaf::Notation(NotationLeaf::Pinned(pins)) => pins
            .certificates
            .iter()
            .filter(|named| KeyReference::is_meant(&named.text))
            .collect(),
        Leaf::Notation(NotationLeaf::Policy { .. }) | Leaf::Dct(_) => Vec::new(),
    }
}

/// A certificate that has ended, or soon will.
fn ending(certificate: &Certificate, now: Timestamp) -> Option<String> {
    let end = certificate.not_after();
    let verb = match end.unix() - now.unix() {
        left if left < 0 => "ended",
        left if left < SOON => "ends",
        _ => return None,
    };
    Some(format!(
        "the certificate `{}` {verb} at {end}",
        certificate.subject()
    ))
}
