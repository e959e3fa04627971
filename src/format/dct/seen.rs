//! What an earlier run saw: the memory against rollback that `--state` keeps.
//!
//! Compared, never a fallback: nothing of it is used instead of what the server serves (T20).

use std::collections::{BTreeMap, BTreeSet};

use super::{
    name::{RoleName, Version},
    rejection::Rejection,
    root::Root,
    signed::SignedFile,
};
use crate::oci::Digest;

/// The files of one collection as an earlier run verified them.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Seen {
    /// The bytes of the root file.
    pub root: Vec<u8>,
    /// Version and digest of each other file.
    pub roles: BTreeMap<RoleName, SeenFile>,
}

/// One file that was seen.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SeenFile {
    /// Its version.
    pub version: Version,
    /// The digest of its bytes.
    pub sha256: Digest,
}

impl Seen {
    /// Rejects a file that is older than the one seen, or of the same version with other bytes.
    pub(super) fn check(
        &self,
        role: &RoleName,
        version: Version,
        digest: &Digest,
    ) -> Result<(), Rejection> {
        match self.roles.get(role) {
            Some(seen) if version < seen.version => Err(Rejection::Rollback {
                role: role.clone(),
                seen: seen.version,
                found: version,
            }),
            Some(seen) if version == seen.version && *digest != seen.sha256 => {
                Err(Rejection::SameVersionOtherContent {
                    role: role.clone(),
                    version,
                })
            }
            Some(_) | None => Ok(()),
        }
    }

    /// What two runs saw, as one memory: the newer root, and of each other file the higher version.
    /// What the run of the older root saw counts only as far as the newer root keeps the keys, else
    /// a merge would bring back what the owner recovered from (T25).
    pub fn merged(&self, other: &Self) -> Result<Self, Rejection> {
        let (mut older, mut newer) = (self.clone(), other.clone());
        if older.root != newer.root {
            let (mut before, mut now) = (older.read_root()?, newer.read_root()?);
            if before.version == now.version {
                return Err(Rejection::SameVersionOtherContent {
                    role: RoleName::ROOT,
                    version: now.version,
                });
            }
            if before.version > now.version {
                std::mem::swap(&mut before, &mut now);
                std::mem::swap(&mut older, &mut newer);
            }
            older.forget_rekeyed(&before, &now);
        }
        for (role, file) in older.roles {
            match newer.roles.get(&role) {
                Some(kept) if kept.version == file.version && kept.sha256 != file.sha256 => {
                    return Err(Rejection::SameVersionOtherContent {
                        role,
                        version: file.version,
                    });
                }
                Some(kept) if kept.version >= file.version => {}
                Some(_) | None => {
                    newer.roles.insert(role, file);
                }
            }
        }
        Ok(newer)
    }

    /// The root that was seen. It was verified then, and is again where anything hangs on it.
    pub(super) fn read_root(&self) -> Result<Root, Rejection> {
        Ok(SignedFile::<Root>::parse(&RoleName::ROOT, &self.root)?.body)
    }

    /// Forgets timestamp and snapshot where their keys changed, so that a publisher can recover
    /// from versions that a thief of the old keys pushed ahead (T25).
    pub(super) fn forget_rekeyed(&mut self, before: &Root, now: &Root) {
        for role in [RoleName::TIMESTAMP, RoleName::SNAPSHOT] {
            let before: BTreeSet<_> = before.key_ids(&role).iter().collect();
            if before != now.key_ids(&role).iter().collect() {
                self.roles.remove(&role);
            }
        }
    }
}
