//! Who may sign a role, and whether they did (TUF 5.3.4, 5.4.2, 5.5.3, 5.6.3). The one place that
//! checks signatures of role files, for every role (T05).
//!
//! Thresholds count distinct public keys, never signatures or key IDs (T04, T05). A signature under
//! an ID that the role does not list costs no cryptography, and each listed key is tried once
//! (T06).

use std::collections::BTreeSet;

use super::{
    key::Key,
    name::{KeyId, RoleName, Threshold},
    rejection::Rejection,
    signed::SignedFile,
};
use crate::crypto::PublicKey;

/// A key that signed a role file validly.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SignedBy {
    /// The ID under which the role lists the key.
    pub key_id: KeyId,
    /// The key itself.
    pub key: PublicKey,
}

/// The keys of a role and how many of them must sign.
#[derive(Clone, Debug)]
pub(super) struct Authority {
    role: RoleName,
    threshold: Threshold,
    keys: Vec<Key>,
}

impl Authority {
    pub(super) fn new(
        role: &RoleName,
        threshold: Threshold,
        keys: impl IntoIterator<Item = Key>,
    ) -> Self {
        Self {
            role: role.clone(),
            threshold,
            keys: keys.into_iter().collect(),
        }
    }

    pub(super) fn threshold(&self) -> Threshold {
        self.threshold
    }

    /// The listed keys.
    pub(super) fn keys(&self) -> &[Key] {
        &self.keys
    }

    /// The keys that signed, when they meet the threshold. `checks` counts the signatures that were
    /// checked.
    pub(super) fn require<T>(
        &self,
        file: &SignedFile<T>,
        checks: &mut u64,
    ) -> Result<Vec<SignedBy>, Rejection> {
        if file.signatures.is_empty() {
            return Err(Rejection::NoSignatures {
                role: self.role.clone(),
            });
        }
        let signers = self.signers(file, checks)?;
        let valid = distinct(&signers);
        if !self.threshold.is_met_by(valid) {
            return Err(Rejection::BelowThreshold {
                role: self.role.clone(),
                required: self.threshold,
                valid,
            });
        }
        Ok(signers)
    }

    /// The keys that signed, however few. A signature that does not count is skipped; a key that
    /// signs and cannot be read is an error.
    pub(super) fn signers<T>(
        &self,
        file: &SignedFile<T>,
        checks: &mut u64,
    ) -> Result<Vec<SignedBy>, Rejection> {
        // The work is bounded by the keys that the role lists, not by the signatures that a file
        // carries.
        let mut tried = BTreeSet::new();
        let mut signers = Vec::new();
        for signature in &file.signatures {
            let Ok(key_id) = signature.key_id.parse::<KeyId>() else {
                continue;
            };
            if tried.contains(&key_id) {
                continue;
            }
            let Some(key) = self.keys.iter().find(|key| key.key_id() == key_id) else {
                continue;
            };
            let Some(scheme) = key.scheme(&signature.method) else {
                continue;
            };
            let public = key.public_key().map_err(|cause| Rejection::InvalidKey {
                role: self.role.clone(),
                key_id,
                cause,
            })?;
            tried.insert(key_id);
            *checks += 1;
            if public
                .verify(scheme, file.message(), &signature.signature)
                .is_ok()
            {
                signers.push(SignedBy {
                    key_id,
                    key: public,
                });
            }
        }
        Ok(signers)
    }
}

/// How many different public keys signed.
pub(super) fn distinct<'a>(signers: impl IntoIterator<Item = &'a SignedBy>) -> usize {
    signers
        .into_iter()
        .map(|signer| &signer.key)
        .collect::<BTreeSet<_>>()
        .len()
}
