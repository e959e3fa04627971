//! What a publication needs beside its change: `targets` signed again where it has expired, and the snapshot's key where
//! the server does not hold it.

use super::{
    authority::Authority,
    draft::{Unsigned, end},
    draft_error::DraftError,
    key::Key,
    name::{KeyId, RoleName},
    sign::{LIFE_DAYS, listed_as, next, unsigned},
    targets::Targets,
    trusted_set::TrustedSet,
};
use crate::{
    crypto::{KeyKind, PublicKey},
    timestamp::Timestamp,
};

/// The files of a publication, with `targets` among them where it has expired: nobody can read what is published below an
/// expired `targets`. Refused where no key at hand may sign it.
pub(super) fn with_renewed_targets(
    set: &TrustedSet,
    mut files: Vec<Unsigned>,
    held: &[PublicKey],
    now: Timestamp,
) -> Result<Vec<Unsigned>, DraftError> {
    let role = RoleName::TARGETS;
    let (Some(expires), Some(current)) = (set.targets_expired(), set.targets(&role)) else {
        return Ok(files);
    };
    if files.iter().any(|file| *file.role() == role) {
        return Ok(files);
    }
    if !held.iter().any(|key| listed_as(set, &role, key).is_some()) {
        return Err(DraftError::TargetsExpired {
            repository: set.gun().to_string(),
            expires,
            key_ids: set.root().key_ids(&role).to_vec(),
        });
    }
    let body = Targets {
        version: next(&role, current.version)?,
        expires: end(now, LIFE_DAYS),
        ..current.clone()
    };
    files.insert(0, unsigned(set, &role, &body, held)?);
    Ok(files)
}

/// Refuses to publish without the key of the snapshot where the root shows that the server cannot hold it: the server
/// would refuse the publication after every signature was made.
pub(super) fn require_snapshot_key(
    set: &TrustedSet,
    snapshot: &Authority,
) -> Result<(), DraftError> {
    if snapshot.keys().iter().any(|key| may_be_of_server(set, key)) {
        return Ok(());
    }
    let key_ids: Vec<KeyId> = snapshot.keys().iter().map(Key::key_id).collect();
    Err(DraftError::SnapshotKeyMissing {
        repository: set.gun().to_string(),
        key_ids,
    })
}

/// A trust server makes P-256 keys without a certificate, and each for one role of one repository. A key that looks so may
/// be its owner's all the same: then only the server can say so.
fn may_be_of_server(set: &TrustedSet, key: &Key) -> bool {
    let Ok(public) = key.public_key() else {
        return false;
    };
    let signs_more = [RoleName::ROOT, RoleName::TARGETS]
        .into_iter()
        .chain(set.delegated())
        .any(|role| listed_as(set, &role, &public).is_some());
    !key.is_certificate() && public.kind() == KeyKind::EcP256 && !signs_more
}
