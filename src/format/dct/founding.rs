//! The first files of a collection, once the certificate of its root key has its signature.

use std::collections::BTreeMap;

use super::{
    certificate_rules,
    draft_error::DraftError,
    key::Key,
    name::{Gun, KeyId, RoleName, Threshold, Version},
    root::{RoleKeys, Root},
    root_certificate::UnsignedCertificate,
    signer_name::SignerName,
    snapshot::Snapshot,
    targets::Targets,
    unsigned::{LIFE_DAYS, SigningRequest, SnapshotPlan, Unsigned, expiry},
};
use crate::{
    crypto::{PublicKey, Signature},
    format::json::Value,
    timestamp::Timestamp,
};

/// How long a root and the certificate of its key are valid, as notary makes them: ten years.
pub(super) const ROOT_LIFE_DAYS: u64 = 10 * 365;

/// What a new collection is made of.
#[derive(Clone, Debug)]
pub struct NewCollection {
    /// Its name.
    pub gun: Gun,
    /// The owner's key, which signs the root.
    pub root_key: PublicKey,
    /// The key that signs `targets`, so lists the signers.
    pub targets_key: PublicKey,
    /// The signers to begin with, each with its keys.
    pub signers: Vec<(SignerName, Vec<PublicKey>)>,
    /// Who makes snapshots.
    pub snapshot: SnapshotKey,
    /// The server's timestamp key.
    pub timestamp: Key,
    /// 128 random bits, for the certificate.
    pub serial: [u8; 16],
}

/// Who makes the snapshots of a collection.
#[derive(Clone, Debug)]
pub enum SnapshotKey {
    /// The server, with this key of its own.
    Server(Key),
    /// We, with this key.
    Held(PublicKey),
}

/// A collection whose root certificate is not signed yet.
#[derive(Debug)]
pub(super) struct Founding {
    pub(super) collection: NewCollection,
    pub(super) certificate: UnsignedCertificate,
    pub(super) targets: Targets,
    pub(super) now: Timestamp,
}

/// The first files of a collection.
#[derive(Debug)]
pub(super) struct Founded {
    pub(super) files: Vec<Unsigned>,
    pub(super) snapshot: Option<SnapshotPlan>,
    pub(super) root_key_id: KeyId,
}

impl Founding {
    /// The signature that makes the certificate.
    pub(super) fn request(&self) -> SigningRequest {
        let key = self.collection.root_key.clone();
        SigningRequest {
            role: RoleName::ROOT,
            key_id: Key::from_public_key(&key).key_id(),
            scheme: self.certificate.scheme(),
            message: self.certificate.message(),
            key,
        }
    }

    /// The files, once the certificate has its signature.
    pub(super) fn found(self, signature: &Signature) -> Result<Founded, DraftError> {
        let root_key = self.certificate.signed(signature)?;
        certificate_rules::check(&root_key, &self.collection.gun, Some(self.now))
            .map_err(DraftError::certificate)?;
        let root_key_id = root_key.key_id();
        let collection = self.collection;
        let root = root(&collection, root_key, self.now);
        let files = vec![
            file(
                &root,
                &RoleName::ROOT,
                root.version,
                &root.value(),
                &collection.root_key,
            )?,
            file(
                &root,
                &RoleName::TARGETS,
                self.targets.version,
                &self.targets.value(),
                &collection.targets_key,
            )?,
        ];
        let snapshot = match &collection.snapshot {
            SnapshotKey::Server(_) => None,
            SnapshotKey::Held(key) => {
                let body = Snapshot {
                    version: Version::FIRST,
                    expires: expiry(self.now, LIFE_DAYS),
                    meta: BTreeMap::new(),
                };
                let authority = root.authority(&RoleName::SNAPSHOT);
                Some(SnapshotPlan::new(
                    body,
                    authority,
                    std::slice::from_ref(key),
                )?)
            }
        };
        Ok(Founded {
            files,
            snapshot,
            root_key_id,
        })
    }
}

fn file(
    root: &Root,
    role: &RoleName,
    version: Version,
    body: &Value,
    key: &PublicKey,
) -> Result<Unsigned, DraftError> {
    Unsigned::new(
        role,
        version,
        body,
        root.authority(role),
        std::slice::from_ref(key),
    )
}

/// A role that this key signs alone.
fn signed_by(key: &Key) -> RoleKeys {
    RoleKeys {
        key_ids: Some(vec![key.key_id()]),
        threshold: Threshold::ONE,
    }
}

fn root(collection: &NewCollection, root_key: Key, now: Timestamp) -> Root {
    let snapshot = match &collection.snapshot {
        SnapshotKey::Server(key) => key.clone(),
        SnapshotKey::Held(key) => Key::from_public_key(key),
    };
    let keys = [
        (RoleName::ROOT, root_key),
        (
            RoleName::TARGETS,
            Key::from_public_key(&collection.targets_key),
        ),
        (RoleName::SNAPSHOT, snapshot),
        (RoleName::TIMESTAMP, collection.timestamp.clone()),
    ];
    Root {
        version: Version::FIRST,
        expires: expiry(now, ROOT_LIFE_DAYS),
        consistent_snapshot: false,
        roles: keys
            .iter()
            .map(|(name, key)| (name.clone(), signed_by(key)))
            .collect(),
        keys: keys
            .into_iter()
            .map(|(_, key)| (key.key_id(), key))
            .collect(),
    }
}
