//! Signing tags: which roles a key signs, and the new files of those roles.
//!
//! A file is always made from the verified one that is served: entries of others stay, with their
//! `custom` values; members unknown to the format are never written. Signing a file again vouches
//! for every entry in it (T32), so a file below its threshold is refused. A file that merely
//! expired was vouched for by the role's own keys and may be renewed; whoever does so makes all of
//! it current again.

use std::collections::BTreeMap;

use super::{
    delegation_state::DelegationState,
    draft::Draft,
    draft_error::DraftError,
    file_meta::{FileMeta, Hashes},
    lookup::ImageHashes,
    name::{KeyId, RoleName, Version},
    publication::{draft, listed_as, next, unsigned},
    targets::Targets,
    trusted_set::TrustedSet,
    unsigned::{LIFE_DAYS, Unsigned, expiry},
};
use crate::{
    crypto::PublicKey,
    oci::{DigestAlgorithm, Tag},
    timestamp::Timestamp,
};

/// What to change in a collection.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Change {
    /// Tags to sign, with their images.
    pub set: Vec<(Tag, ImageHashes)>,
    /// Tags to take out.
    pub remove: Vec<Tag>,
    /// Sign again also where nothing changes.
    pub renew: bool,
}

/// The roles that `key` signs `tags` in, with the ID under which each lists it: those asked for,
/// else as docker does: `targets` where there are no delegations, else every first-level delegation
/// that lists the key and whose paths hold one of the tags. Refuses a role that does not list the
/// key, and tags outside all paths.
pub fn roles_for(
    set: &TrustedSet,
    key: &PublicKey,
    asked: &[RoleName],
    tags: &[Tag],
) -> Result<Vec<(RoleName, KeyId)>, DraftError> {
    let roles = if asked.is_empty() {
        default_roles(set, key, tags)?
    } else {
        asked_roles(set, key, asked)?
    };
    let names: Vec<RoleName> = roles.iter().map(|(role, _)| role.clone()).collect();
    let outside = tags.iter().find(|tag| match asked {
        [] => !names.iter().any(|role| set.may_sign(role, tag.as_str())),
        _ => !names.iter().all(|role| set.may_sign(role, tag.as_str())),
    });
    match outside {
        None => Ok(roles),
        Some(tag) => Err(DraftError::OutsidePaths {
            tag: tag.clone(),
            roles: names,
        }),
    }
}

fn default_roles(
    set: &TrustedSet,
    key: &PublicKey,
    tags: &[Tag],
) -> Result<Vec<(RoleName, KeyId)>, DraftError> {
    let targets = set
        .targets(&RoleName::TARGETS)
        .ok_or(DraftError::NotLoaded {
            role: RoleName::TARGETS,
        })?;
    if targets.delegations().is_empty() {
        return asked_roles(set, key, &[RoleName::TARGETS]);
    }
    let first_level = targets
        .delegations()
        .iter()
        .map(|delegation| delegation.name.clone());
    let listing: Vec<_> = first_level
        .filter_map(|role| listed_as(set, &role, key).map(|id| (role, id)))
        .collect();
    if listing.is_empty() {
        return Err(DraftError::key_not_delegated(
            None,
            std::slice::from_ref(key),
        ));
    }
    let (within, outside): (Vec<_>, Vec<_>) = listing
        .into_iter()
        .partition(|(role, _)| tags.iter().any(|tag| set.may_sign(role, tag.as_str())));
    // With no role within, the caller names the roles that it might have been.
    Ok(if within.is_empty() { outside } else { within })
}

fn asked_roles(
    set: &TrustedSet,
    key: &PublicKey,
    asked: &[RoleName],
) -> Result<Vec<(RoleName, KeyId)>, DraftError> {
    let mut roles = BTreeMap::new();
    for role in asked {
        if *role != RoleName::TARGETS && set.delegated_by(role).is_none() {
            return Err(DraftError::NoSuchRole { role: role.clone() });
        }
        let listed = listed_as(set, role, key);
        let id = listed
            .ok_or_else(|| DraftError::key_not_delegated(Some(role), std::slice::from_ref(key)))?;
        roles.insert(role.clone(), id);
    }
    Ok(roles.into_iter().collect())
}

/// Whether every one of `roles` that may sign `tag` says already that it is `entry`.
pub fn holds(set: &TrustedSet, roles: &[RoleName], tag: &Tag, entry: &ImageHashes) -> bool {
    let mut may_sign = roles
        .iter()
        .filter(|role| set.may_sign(role, tag.as_str()))
        .peekable();
    may_sign.peek().is_some() && may_sign.all(|role| states(set.entry(role, tag.as_str()), entry))
}

/// Whether an entry says that its tag is `image`.
fn states(entry: Option<&FileMeta>, image: &ImageHashes) -> bool {
    entry
        .and_then(ImageHashes::of)
        .is_some_and(|stated| stated.are_of(image))
}

/// The new files of `roles` after a change, to be signed by every key of `held` that they list;
/// also the snapshot, where the root names one of `held` for it. Files that do not change are left
/// out, unless their end is near or none of them was signed by a held key. Every role's current
/// file must be loaded.
pub fn prepare(
    set: &TrustedSet,
    change: &Change,
    roles: &[RoleName],
    held: &[PublicKey],
    now: Timestamp,
) -> Result<Draft, DraftError> {
    refuse_unclear(set, change, roles)?;
    let mut files = changed(set, change, roles, held, now)?;
    let mut signers = roles.iter().flat_map(|role| set.signers(role));
    if files.is_empty() && !signers.any(|signer| held.contains(&signer.key)) {
        let renewed = Change {
            renew: true,
            ..change.clone()
        };
        files = changed(set, &renewed, roles, held, now)?;
    }
    draft(set, files, held, now)
}

fn changed(
    set: &TrustedSet,
    change: &Change,
    roles: &[RoleName],
    held: &[PublicKey],
    now: Timestamp,
) -> Result<Vec<Unsigned>, DraftError> {
    let mut files = Vec::new();
    for role in roles {
        if let Some(body) = edited(set, role, change, now)? {
            files.push(unsigned(set, role, &body, held)?);
        }
    }
    Ok(files)
}

/// A change must say one thing of each tag, and some role must be able to say it.
fn refuse_unclear(set: &TrustedSet, change: &Change, roles: &[RoleName]) -> Result<(), DraftError> {
    let mut entries = BTreeMap::new();
    for (tag, entry) in &change.set {
        let twice = entries
            .insert(tag.as_str(), entry)
            .is_some_and(|other| other != entry);
        if twice || change.remove.contains(tag) {
            return Err(DraftError::TagTwice { tag: tag.clone() });
        }
        if entry.digest.algorithm() != DigestAlgorithm::Sha256 {
            return Err(DraftError::NotSha256 { tag: tag.clone() });
        }
        if !roles.iter().any(|role| set.may_sign(role, tag.as_str())) {
            return Err(DraftError::OutsidePaths {
                tag: tag.clone(),
                roles: roles.to_vec(),
            });
        }
    }
    Ok(())
}

/// The file of `role` after the change; `None` when it stays as it is.
fn edited(
    set: &TrustedSet,
    role: &RoleName,
    change: &Change,
    now: Timestamp,
) -> Result<Option<Targets>, DraftError> {
    let current = current(set, role)?;
    let within: Vec<_> = change
        .set
        .iter()
        .filter(|(tag, _)| set.may_sign(role, tag.as_str()))
        .collect();
    let target = |tag: &Tag| current.and_then(|file| file.target(tag.as_str()));
    let differs = within
        .iter()
        .any(|(tag, image)| !states(target(tag), image));
    let removes = change.remove.iter().any(|tag| target(tag).is_some());
    let ending = current.is_some_and(|file| expiry(now, LIFE_DAYS / 10) >= file.expires);
    let again = !within.is_empty() && (change.renew || ending);
    if !differs && !removes && !again {
        return Ok(None);
    }
    let mut body = match current {
        Some(file) => Targets {
            version: next(role, file.version)?,
            ..file.clone()
        },
        None => empty(now),
    };
    body.expires = expiry(now, LIFE_DAYS);
    let entries = body.targets.get_or_insert_default();
    for (tag, entry) in within {
        if !states(entries.get(tag.as_str()), entry) {
            entries.insert(tag.as_str().to_owned(), described(tag, entry)?);
        }
    }
    for tag in &change.remove {
        entries.remove(tag.as_str());
    }
    Ok(Some(body))
}

/// The file to start from; `None` for a delegation that has none yet.
fn current<'a>(set: &'a TrustedSet, role: &RoleName) -> Result<Option<&'a Targets>, DraftError> {
    if *role == RoleName::TARGETS {
        return set
            .targets(role)
            .map(Some)
            .ok_or_else(|| DraftError::not_loaded(role));
    }
    match set.delegation(role) {
        Some(DelegationState::Loaded) => Ok(set.targets(role)),
        Some(DelegationState::Expired) => Ok(set.expired(role)),
        Some(DelegationState::BelowThreshold) => {
            Err(DraftError::ServedBelowThreshold { role: role.clone() })
        }
        Some(DelegationState::NotLoaded) => Err(DraftError::not_loaded(role)),
        Some(DelegationState::Absent) => Ok(None),
        None => Err(DraftError::NoSuchRole { role: role.clone() }),
    }
}

/// A first file without tags and delegations.
pub(super) fn empty(now: Timestamp) -> Targets {
    Targets {
        version: Version::FIRST,
        expires: expiry(now, LIFE_DAYS),
        targets: Some(BTreeMap::new()),
        delegation_keys: Some(BTreeMap::new()),
        delegations: Some(Vec::new()),
    }
}

/// A new entry as docker writes it: SHA-256 and length, nothing else.
fn described(tag: &Tag, entry: &ImageHashes) -> Result<FileMeta, DraftError> {
    let sha256 = entry
        .digest
        .sha256_bytes()
        .ok_or_else(|| DraftError::NotSha256 { tag: tag.clone() })?;
    let hashes = Hashes {
        sha256: Some(sha256),
        sha512: None,
        other: Vec::new(),
    };
    Ok(FileMeta {
        length: entry.length,
        hashes,
        custom: None,
    })
}
