//! Administering a collection: adding a signer, and taking tags out.
//!
//! Laid out as docker does, so that docker can go on: each signer has `targets/NAME`, all of them
//! share `targets/releases`; any name, one signature. Doing it twice changes nothing.

use std::collections::BTreeMap;

use super::{
    delegation_state::DelegationState,
    draft::Draft,
    draft_error::DraftError,
    key::Key,
    name::{RoleName, Threshold},
    publication::{draft, listed_as, next, unsigned},
    sign::{Change, prepare},
    signer_name::SignerName,
    targets::{Delegation, Targets},
    trusted_set::TrustedSet,
    unsigned::{LIFE_DAYS, expiry, held_as, require_suitable},
};
use crate::{crypto::PublicKey, oci::Tag, timestamp::Timestamp};

/// Lets `keys` sign as `name`, and release. `held` must hold the key of `targets`; nothing to
/// publish when both roles list the keys already.
pub fn add_signer(
    set: &TrustedSet,
    name: &SignerName,
    keys: &[PublicKey],
    held: &[PublicKey],
    now: Timestamp,
) -> Result<Draft, DraftError> {
    let role = RoleName::TARGETS;
    let current = set
        .targets(&role)
        .ok_or_else(|| DraftError::not_loaded(&role))?;
    let mut body = current.clone();
    delegate(&mut body, name, keys)?;
    if body == *current {
        return draft(set, Vec::new(), held, now);
    }
    body.version = next(&role, current.version)?;
    body.expires = expiry(now, LIFE_DAYS);
    draft(set, vec![unsigned(set, &role, &body, held)?], held, now)
}

/// Lists `keys` in the roles of a signer, which are made where they are missing.
pub(super) fn delegate(
    targets: &mut Targets,
    name: &SignerName,
    keys: &[PublicKey],
) -> Result<(), DraftError> {
    if keys.is_empty() {
        return Err(DraftError::SignerWithoutKey {
            role: name.role().clone(),
        });
    }
    for key in keys {
        require_suitable(key)?;
    }
    let listed = targets.delegation_keys.get_or_insert_default();
    let roles = targets.delegations.get_or_insert_default();
    list_keys(roles, listed, name.role(), keys);
    list_keys(roles, listed, &RoleName::RELEASES, keys);
    Ok(())
}

fn list_keys(
    roles: &mut Vec<Delegation>,
    all: &mut BTreeMap<super::KeyId, Key>,
    role: &RoleName,
    keys: &[PublicKey],
) {
    let at = roles
        .iter()
        .position(|delegation| delegation.name == *role)
        .unwrap_or_else(|| {
            let everything = vec![String::new()];
            roles.push(Delegation {
                name: role.clone(),
                key_ids: Some(Vec::new()),
                paths: everything,
                threshold: Threshold::ONE,
            });
            roles.len() - 1
        });
    let Some(delegation) = roles.get_mut(at) else {
        return;
    };
    let ids = delegation.key_ids.get_or_insert_default();
    for key in keys {
        // A key that is listed as a certificate is listed.
        let held = std::slice::from_ref(key);
        if ids
            .iter()
            .filter_map(|id| all.get(id))
            .any(|listed| held_as(listed, held).is_some())
        {
            continue;
        }
        let bare = Key::from_public_key(key);
        ids.push(bare.key_id());
        all.insert(bare.key_id(), bare);
    }
}

/// Takes `tags` out of every role that `held` may write and that has them. The roles that keep a
/// tag are those [`holders`] names beside the [`writable`] ones.
pub fn revoke(
    set: &TrustedSet,
    tags: &[Tag],
    held: &[PublicKey],
    now: Timestamp,
) -> Result<Draft, DraftError> {
    if listing(set, held).next().is_none() {
        return Err(DraftError::key_not_delegated(None, held));
    }
    let roles = writable(set, held);
    prepare(
        set,
        &Change {
            remove: tags.to_vec(),
            ..Change::default()
        },
        &roles,
        held,
        now,
    )
}

/// The roles with a file that one of `held` may sign.
pub fn writable(set: &TrustedSet, held: &[PublicKey]) -> Vec<RoleName> {
    listing(set, held)
        .filter(|role| *role == RoleName::TARGETS || has_file(set.delegation(role)))
        .collect()
}

fn has_file(state: Option<DelegationState>) -> bool {
    matches!(
        state,
        Some(DelegationState::Loaded | DelegationState::Expired)
    )
}

/// The roles that list one of `held`, with or without a file.
fn listing(set: &TrustedSet, held: &[PublicKey]) -> impl Iterator<Item = RoleName> {
    std::iter::once(RoleName::TARGETS)
        .chain(set.delegated())
        .filter(|role| held.iter().any(|key| listed_as(set, role, key).is_some()))
}

/// The roles that hold `tag`: those that count, and expired ones, which count again once they are
/// renewed.
pub fn holders(set: &TrustedSet, tag: &Tag) -> Vec<RoleName> {
    std::iter::once(RoleName::TARGETS)
        .chain(set.delegated())
        .filter(|role| {
            let expired = set.expired(role).and_then(|file| file.target(tag.as_str()));
            expired.is_some() || set.entry(role, tag.as_str()).is_some()
        })
        .collect()
}
