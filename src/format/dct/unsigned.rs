//! Files that lack signatures: which keys sign them, and what is asked of each.
//!
//! Every signature is checked with the public key, and every finished file is read and verified as
//! a reader would, before anything can be published.

use std::collections::VecDeque;

use bytes::Bytes;

use super::{
    authority::Authority,
    canonical::canonical,
    draft_error::DraftError,
    file_meta::FileMeta,
    key::Key,
    name::{KeyId, RoleName, Version},
    root::Root,
    signed::{RoleBody, RoleSignature, SignedFile, file_bytes},
    snapshot::Snapshot,
    targets::Targets,
};
use crate::{
    crypto::{KeyKind, PublicKey, Scheme, Signature},
    format::json::Value,
    timestamp::Timestamp,
};

/// How long files of targets, delegations and snapshot are valid, as notary makes them: three
/// years.
pub(super) const LIFE_DAYS: u64 = 3 * 365;

/// One signature that is wanted.
#[derive(Clone, Debug)]
pub struct SigningRequest {
    /// The role whose file is signed; for the certificate of a root key, `root`.
    pub role: RoleName,
    /// The ID under which the role lists the key.
    pub key_id: KeyId,
    /// The key.
    pub key: PublicKey,
    /// How to sign.
    pub scheme: Scheme,
    /// What to sign.
    pub message: Bytes,
}

/// A file that lacks signatures.
#[derive(Debug)]
pub(super) struct Unsigned {
    role: RoleName,
    version: Version,
    message: Bytes,
    authority: Authority,
    wanted: VecDeque<(Key, PublicKey)>,
    signatures: Vec<RoleSignature>,
}

impl Unsigned {
    /// A file that every held key of its role signs.
    pub(super) fn new(
        role: &RoleName,
        version: Version,
        body: &Value,
        authority: Authority,
        held: &[PublicKey],
    ) -> Result<Self, DraftError> {
        let wanted = signing_keys(role, &authority, held)?.into();
        let message = canonical(body).into();
        Ok(Self {
            role: role.clone(),
            version,
            message,
            authority,
            wanted,
            signatures: Vec::new(),
        })
    }

    /// The role whose file it is.
    pub(super) fn role(&self) -> &RoleName {
        &self.role
    }

    /// The role and version that it will be written with.
    pub(super) fn planned(&self) -> (RoleName, Version) {
        (self.role.clone(), self.version)
    }

    /// The next signature that is wanted; `None` once all are there.
    pub(super) fn request(&self) -> Result<Option<SigningRequest>, DraftError> {
        let Some((key, public)) = self.wanted.front() else {
            return Ok(None);
        };
        Ok(Some(SigningRequest {
            role: self.role.clone(),
            key_id: key.key_id(),
            key: public.clone(),
            scheme: scheme(key)?.0,
            message: self.message.clone(),
        }))
    }

    /// Takes the signature that was wanted; refuses one that the key did not make.
    pub(super) fn accept(&mut self, signature: &Signature) -> Result<(), DraftError> {
        let (key, public) = self.wanted.pop_front().ok_or(DraftError::Unasked)?;
        let (scheme, method) = scheme(&key)?;
        public
            .verify(scheme, &self.message, &signature.0)
            .map_err(|cause| DraftError::SignatureInvalid {
                role: self.role.clone(),
                key_id: key.key_id(),
                cause,
            })?;
        self.signatures.push(RoleSignature {
            key_id: key.key_id().to_string(),
            method: method.to_owned(),
            signature: signature.0.clone(),
        });
        Ok(())
    }

    /// The finished file, held against the rules that its readers apply.
    pub(super) fn finish(self) -> Result<(RoleName, Vec<u8>, Timestamp), DraftError> {
        let bytes = file_bytes(&self.message, &self.signatures);
        let verified = match &self.role {
            role if *role == RoleName::ROOT => self.verify::<Root>(&bytes),
            role if *role == RoleName::SNAPSHOT => self.verify::<Snapshot>(&bytes),
            _ => self.verify::<Targets>(&bytes),
        };
        match verified {
            Ok(end) => Ok((self.role, bytes, end)),
            Err(cause) => Err(DraftError::Unpublishable {
                role: self.role,
                cause: Box::new(cause),
            }),
        }
    }

    fn verify<T: RoleBody>(&self, bytes: &[u8]) -> Result<Timestamp, super::Rejection> {
        let file = SignedFile::<T>::parse(&self.role, bytes)?;
        self.authority.require(&file, &mut 0)?;
        Ok(file.body.header().expires)
    }
}

/// A snapshot to write over the files, once their bytes are known.
#[derive(Debug)]
pub(super) struct SnapshotPlan {
    body: Snapshot,
    authority: Authority,
    held: Vec<PublicKey>,
}

impl SnapshotPlan {
    /// The role and version that it will be written with.
    pub(super) fn planned(&self) -> (RoleName, Version) {
        (RoleName::SNAPSHOT, self.body.version)
    }

    /// A snapshot with this body, where the keys at hand can sign it.
    pub(super) fn new(
        body: Snapshot,
        authority: Authority,
        held: &[PublicKey],
    ) -> Result<Self, DraftError> {
        signing_keys(&RoleName::SNAPSHOT, &authority, held)?;
        Ok(Self {
            body,
            authority,
            held: held.to_vec(),
        })
    }

    /// The snapshot over the files that were signed; what it says of others stays.
    pub(super) fn over(mut self, files: &[(RoleName, Vec<u8>)]) -> Result<Unsigned, DraftError> {
        for (role, bytes) in files {
            self.body
                .meta
                .insert(role.to_string(), FileMeta::describing(bytes));
        }
        Unsigned::new(
            &RoleName::SNAPSHOT,
            self.body.version,
            &self.body.value(),
            self.authority,
            &self.held,
        )
    }
}

/// The listed keys that we hold, each public key once. Refuses a threshold that they do not reach:
/// signatures of others are over other content, so none can be kept.
pub(super) fn signing_keys(
    role: &RoleName,
    authority: &Authority,
    held: &[PublicKey],
) -> Result<Vec<(Key, PublicKey)>, DraftError> {
    let mut keys = Vec::<(Key, PublicKey)>::new();
    for key in authority.keys() {
        if let Some(public) = held_as(key, held)
            && !keys.iter().any(|(_, other)| *other == public)
        {
            keys.push((key.clone(), public));
        }
    }
    if keys.is_empty() {
        return Err(DraftError::key_not_delegated(Some(role), held));
    }
    if authority.threshold().is_met_by(keys.len()) {
        return Ok(keys);
    }
    Err(DraftError::ThresholdNotHeld {
        role: role.clone(),
        required: authority.threshold(),
        held: keys.len(),
    })
}

/// How a listed key signs: the scheme, and the method that the file states.
fn scheme(key: &Key) -> Result<(Scheme, &'static str), DraftError> {
    key.method()
        .and_then(|method| Some((key.scheme(method)?, method)))
        .ok_or_else(|| DraftError::UnknownKeyType {
            key_type: key.key_type().to_owned(),
        })
}

/// The public key of a listed key that we hold, whatever form it is listed in.
pub(super) fn held_as(key: &Key, held: &[PublicKey]) -> Option<PublicKey> {
    // A listed key that cannot be read is not ours.
    key.public_key().ok().filter(|public| held.contains(public))
}

/// Refuses what a vault cannot sign trust data with: notary hashes with SHA-256 on every curve, a
/// vault does not; and docker takes no Ed25519 signer.
pub(super) fn require_suitable(key: &PublicKey) -> Result<(), DraftError> {
    match key.kind() {
        KeyKind::EcP256 | KeyKind::Rsa { .. } => Ok(()),
        kind @ (KeyKind::EcP384 | KeyKind::EcP521 | KeyKind::Ed25519) => {
            Err(DraftError::KeyUnsuitable { kind })
        }
    }
}

/// The expiry of a file that is signed `now` and valid for `days`.
pub(super) fn expiry(now: Timestamp, days: u64) -> Timestamp {
    now.plus(std::time::Duration::from_secs(days * 24 * 60 * 60))
        .whole_seconds()
}
