//! What a publication consists of beside the change that is asked for: `targets` signed again where
//! it has expired, and the snapshot where its key is held.

use super::{
    authority::Authority,
    draft::Draft,
    draft_error::DraftError,
    key::Key,
    name::{KeyId, RoleName, Version},
    snapshot::Snapshot,
    targets::Targets,
    trusted_set::TrustedSet,
    unsigned::{LIFE_DAYS, SnapshotPlan, Unsigned, expiry, held_as},
};
use crate::{
    crypto::{KeyKind, PublicKey},
    timestamp::Timestamp,
};

/// A draft of changed files, with `targets` where it has expired, and with the snapshot where a
/// held key signs it. Else the server makes the snapshot.
pub(super) fn draft(
    set: &TrustedSet,
    files: Vec<Unsigned>,
    held: &[PublicKey],
    now: Timestamp,
) -> Result<Draft, DraftError> {
    let files = with_renewed_targets(set, files, held, now)?;
    if files.is_empty() {
        return Ok(Draft::of(files, None));
    }
    let role = RoleName::SNAPSHOT;
    let authority = set.root().authority(&role);
    let ours = authority
        .keys()
        .iter()
        .any(|key| held_as(key, held).is_some());
    if !ours {
        require_snapshot_key(set, &authority)?;
        return Ok(Draft::of(files, None));
    }
    let current = set
        .snapshot()
        .ok_or_else(|| DraftError::not_loaded(&role))?;
    let version = next(&role, current.version)?;
    let body = Snapshot {
        version,
        expires: expiry(now, LIFE_DAYS),
        meta: current.meta.clone(),
    };
    Ok(Draft::of(
        files,
        Some(SnapshotPlan::new(body, authority, held)?),
    ))
}

/// The files of a publication, with `targets` among them where it has expired: nobody can read what
/// is published below an expired `targets`. Refused where no key at hand may sign it.
fn with_renewed_targets(
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
        expires: expiry(now, LIFE_DAYS),
        ..current.clone()
    };
    files.insert(0, unsigned(set, &role, &body, held)?);
    Ok(files)
}

/// Refuses to publish without the key of the snapshot where the root shows that the server cannot
/// hold it: the server would refuse the publication after every signature was made.
fn require_snapshot_key(set: &TrustedSet, snapshot: &Authority) -> Result<(), DraftError> {
    if snapshot.keys().iter().any(|key| may_be_of_server(set, key)) {
        return Ok(());
    }
    let key_ids: Vec<KeyId> = snapshot.keys().iter().map(Key::key_id).collect();
    Err(DraftError::SnapshotKeyMissing {
        repository: set.gun().to_string(),
        key_ids,
    })
}

/// A trust server makes P-256 keys without a certificate, and each for one role of one repository.
/// A key that looks so may be its owner's all the same: then only the server can say so.
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

/// One file to sign, of the role that `set` says may be signed by whom.
pub(super) fn unsigned(
    set: &TrustedSet,
    role: &RoleName,
    body: &Targets,
    held: &[PublicKey],
) -> Result<Unsigned, DraftError> {
    let authority = set
        .authority(role)
        .ok_or_else(|| DraftError::NoSuchRole { role: role.clone() })?;
    Unsigned::new(role, body.version, &body.value(), authority, held)
}

/// The ID under which `role` lists a key, whatever form it has there.
pub(super) fn listed_as(set: &TrustedSet, role: &RoleName, key: &PublicKey) -> Option<KeyId> {
    let authority = set.authority(role)?;
    let held = std::slice::from_ref(key);
    authority
        .keys()
        .iter()
        .find(|listed| held_as(listed, held).is_some())
        .map(Key::key_id)
}

/// The version after `version`.
pub(super) fn next(role: &RoleName, version: Version) -> Result<Version, DraftError> {
    version
        .next()
        .ok_or_else(|| DraftError::VersionExhausted { role: role.clone() })
}
