//! A new collection: the certificate of its root key, root and targets in their first versions, and
//! the snapshot where its key is ours. The timestamp key is always the server's.
//!
//! Refuses keys that cannot sign trust data from a vault, and server keys that cannot be read.

use super::{
    admin::delegate,
    document::At,
    draft::Draft,
    draft_error::DraftError,
    founding::{Founding, ROOT_LIFE_DAYS},
    key::Key,
    name::RoleName,
    root_certificate::UnsignedCertificate,
    sign::empty,
    unsigned::{expiry, require_suitable},
};
use crate::{format::json::parse_exact, timestamp::Timestamp};

pub use super::founding::{NewCollection, SnapshotKey};

/// Reads the server's answer to a request for its key of `role`.
pub fn server_key(role: &RoleName, answer: &[u8]) -> Result<Key, DraftError> {
    fn fault(role: &RoleName, cause: impl std::error::Error + Send + Sync + 'static) -> DraftError {
        DraftError::ServerKey {
            role: role.clone(),
            cause: Box::new(cause),
        }
    }
    let value = parse_exact(answer).map_err(|cause| fault(role, cause))?;
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
    let until = expiry(now, ROOT_LIFE_DAYS);
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
