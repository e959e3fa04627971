//! What a run has learnt about the lists of referrers that its registries keep.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use tokio::sync::Mutex;

use crate::oci::{Repository, Tag};

/// What a run has learnt about the lists of its registries.
#[derive(Debug, Default)]
pub(in crate::registry) struct ReferrersSupport {
    /// Per registry: whether it has the API.
    pub(super) api: Mutex<BTreeMap<String, bool>>,
    /// One writer per tag within this process.
    pub(super) tags: Mutex<HashMap<(Repository, Tag), Turn>>,
}

/// Held by the one who writes.
type Turn = Arc<Mutex<()>>;
