//! A new collection: the certificate of its root key, root and targets in their first versions, and the
//! snapshot where its key is ours. The timestamp key is always the server's.
//!
//! Refuses keys that cannot sign trust data from a vault, and server keys that cannot be read.

use std::collections::BTreeMap;

use super::{
    admin::delegate,
    certificate_rules,
    document::At,
    draft::{Draft, SigningRequest, SnapshotPlan, Unsigned, end, require_suitable},
    draft_error::DraftError,
    json_reader::parse,
    key::Key,
    name::{Gun, KeyId, RoleName, Threshold, Version},
    publication::LIFE_DAYS,
    root::{RoleKeys, Root},
    root_certificate::UnsignedCertificate,
    sign::empty,
    signer_name::SignerName,
    snapshot::Snapshot,
    targets::Targets,
};
use crate::{
    crypto::{PublicKey, Signature},
    timestamp::Timestamp,
};

/// How long a root and the certificate of its key live (docker-content-trust.md §3, §7).
const ROOT_LIFE_DAYS: u64 = 10 * 365;

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

/// Reads the server's answer to a request for its key of `role`.
pub fn server_key(role: &RoleName, answer: &[u8]) -> Result<Key, DraftError> {
    fn fault(role: &RoleName, cause: impl std::error::Error + Send + Sync + 'static) -> DraftError {
        DraftError::ServerKey {
            role: role.clone(),
            cause: Box::new(cause),
        }
    }
    let value = parse(answer).map_err(|cause| fault(role, cause))?;
    let key = Key::read(value, At::File(role)).map_err(|cause| fault(role, cause))?;
    key.public_key().map_err(|cause| fault(role, cause))?;
    Ok(key)
}

/// The draft of a new collection. Its first request is for the certificate of the root key.
pub fn prepare(collection: NewCollection, now: Timestamp) -> Result<Draft, DraftError> {
    let held_snapshot = match &collection.snapshot {
        SnapshotKey::Server(_) => None,
        SnapshotKey::Held(key) => Some(key),
    };
    for key in [&collection.root_key, &collection.targets_key]
        .into_iter()
        .chain(held_snapshot)
    {
        require_suitable(key)?;
    }
    let mut targets = empty(now);
    for (name, keys) in &collection.signers {
        delegate(&mut targets, name, keys)?;
    }
    let until = end(now, ROOT_LIFE_DAYS);
    let certificate = UnsignedCertificate::new(
        &collection.gun,
        &collection.root_key,
        &collection.serial,
        now.whole_seconds(),
        until,
    )?;
    Ok(Draft::founding(Founding {
        collection,
        certificate,
        targets,
        now,
    }))
}

/// A collection whose root certificate is not signed yet.
#[derive(Debug)]
pub(super) struct Founding {
    collection: NewCollection,
    certificate: UnsignedCertificate,
    targets: Targets,
    now: Timestamp,
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
        let unusable = |cause| DraftError::Certificate {
            cause: Box::new(cause),
        };
        certificate_rules::check(&root_key, &self.collection.gun, Some(self.now))
            .map_err(unusable)?;
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
                    expires: end(self.now, LIFE_DAYS),
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
    body: &super::json::Value,
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
    let role = |key: &Key| RoleKeys {
        key_ids: Some(vec![key.key_id()]),
        threshold: Threshold::ONE,
    };
    Root {
        version: Version::FIRST,
        expires: end(now, ROOT_LIFE_DAYS),
        consistent_snapshot: false,
        roles: keys
            .iter()
            .map(|(name, key)| (name.clone(), role(key)))
            .collect(),
        keys: keys
            .into_iter()
            .map(|(_, key)| (key.key_id(), key))
            .collect(),
    }
}
