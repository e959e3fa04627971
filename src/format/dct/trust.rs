//! What a root must show to be trusted: pinned keys, a pinned CA, or nothing but that it is the
//! first one seen.

use super::{key::Key, name::KeyId};
use crate::crypto::Certificate;

/// How trust in a root begins.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum RootTrust {
    /// These keys alone must meet the threshold of some root version: key IDs as a root lists them,
    /// or canonical ones.
    Keys(Vec<KeyId>),
    /// The certificates of the served root's keys must chain to one of these.
    Ca(Vec<Certificate>),
    /// Any root that is valid by itself, when none was seen before. Asked for by name only.
    FirstUse,
}

impl RootTrust {
    /// Whether `key` is one of the keys that this trust names.
    pub(super) fn names(pins: &[KeyId], key: &Key) -> bool {
        pins.contains(&key.key_id()) || pins.contains(&key.canonical_id())
    }
}
