//! What a tag is: the search that docker makes for a pull with content trust, without its silent
//! fallback.
//!
//! First the subtree of `targets/releases`, then `targets` and everything else, each breadth first
//! in list order (T09, T15). Only `targets/releases` and `targets` themselves may answer (T28).

use std::collections::VecDeque;

use super::{
    delegation_state::DelegationState, file_meta::FileMeta, name::RoleName, rejection::Rejection,
    trusted_set::TrustedSet,
};
use crate::oci::{Digest, Subject};

/// The hashes and the length by which trust data knows an image.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ImageHashes {
    /// The digest of the manifest.
    pub digest: Digest,
    /// The length of the manifest.
    pub length: u64,
    /// The SHA-512 digest of the manifest: of an entry where it is stated, of an image always.
    pub sha512: Option<Digest>,
}

/// The entry that a pull would take, and the role that answered.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PulledTag {
    /// The role.
    pub role: RoleName,
    /// What it says.
    pub entry: ImageHashes,
}

/// What a trusting pull takes for `tag`. Rejects a tag that no role holds, one that is found first
/// in another role, and any answer of `targets` while `targets/releases` is withheld.
pub fn pull(set: &TrustedSet, tag: &str) -> Result<PulledTag, Rejection> {
    let released = RoleName::RELEASES;
    if let Some(role) = first(set, &released, None, tag)? {
        if role == released {
            return found(set, role, tag);
        }
        return Err(Rejection::NotReleased {
            tag: tag.to_owned(),
            role,
        });
    }
    if let Some(withheld) = set.withheld() {
        return Err(Rejection::RoleWithheld {
            role: withheld.role,
            state: withheld.state,
        });
    }
    match first(set, &RoleName::TARGETS, Some(&released), tag)? {
        Some(role) if role == RoleName::TARGETS => found(set, role, tag),
        Some(role) => Err(Rejection::NotReleased {
            tag: tag.to_owned(),
            role,
        }),
        None => Err(Rejection::Unsigned {
            tag: tag.to_owned(),
        }),
    }
}

fn found(set: &TrustedSet, role: RoleName, tag: &str) -> Result<PulledTag, Rejection> {
    let entry = entry(set, &role, tag)?.ok_or_else(|| Rejection::Unsigned {
        tag: tag.to_owned(),
    })?;
    Ok(PulledTag { role, entry })
}

/// What `role` says `tag` is.
pub fn entry(
    set: &TrustedSet,
    role: &RoleName,
    tag: &str,
) -> Result<Option<ImageHashes>, Rejection> {
    let Some(meta) = set.entry(role, tag) else {
        return Ok(None);
    };
    match ImageHashes::of(meta) {
        Some(entry) => Ok(Some(entry)),
        None => Err(Rejection::EntryWithoutDigest {
            role: role.clone(),
            tag: tag.to_owned(),
        }),
    }
}

impl ImageHashes {
    /// Whether an entry with these hashes is about `image`: every hash that is stated holds (TUF
    /// 5.7.2).
    pub fn are_of(&self, image: &Self) -> bool {
        self.digest == image.digest && self.length == image.length && self.sha512_fits(image)
    }

    /// Whether no SHA-512 is stated, or that of `image`.
    pub fn sha512_fits(&self, image: &Self) -> bool {
        self.sha512.is_none() || self.sha512 == image.sha512
    }

    /// The hashes of a description; `None` when it has no SHA-256.
    pub fn of(meta: &FileMeta) -> Option<Self> {
        Some(Self {
            digest: meta.digest()?,
            length: meta.length,
            sha512: meta.hashes.sha512.as_deref().map(Digest::from_sha512),
        })
    }
}

impl From<&Subject> for ImageHashes {
    fn from(subject: &Subject) -> Self {
        Self {
            digest: subject.descriptor.digest.clone(),
            length: subject.descriptor.size,
            sha512: Some(subject.sha512.clone()),
        }
    }
}

/// The first role at or below `start` that holds `tag`, without `hidden` and what lies below it.
fn first(
    set: &TrustedSet,
    start: &RoleName,
    hidden: Option<&RoleName>,
    tag: &str,
) -> Result<Option<RoleName>, Rejection> {
    let mut queue = VecDeque::from([start.clone()]);
    while let Some(role) = queue.pop_front() {
        if hidden == Some(&role) {
            continue;
        }
        let Some(targets) = set.targets(&role) else {
            // Below `targets`, what is not loaded cannot change the answer: only `targets` itself
            // may give it.
            if *start == RoleName::RELEASES
                && set.delegation(&role) == Some(DelegationState::NotLoaded)
            {
                return Err(Rejection::OutOfOrder {
                    role: start.clone(),
                    needs: role,
                });
            }
            continue;
        };
        if set.entry(&role, tag).is_some() {
            return Ok(Some(role));
        }
        queue.extend(
            targets
                .delegations()
                .iter()
                .map(|delegation| delegation.name.clone()),
        );
    }
    Ok(None)
}
