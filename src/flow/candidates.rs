//! The signatures that may be signatures of one image: bounded, in a fair order, each fetched once, however often it is
//! judged.
//!
//! Junk cannot hide a good signature: what cannot be one is left out unfetched, and what claims to be made by whom a
//! requirement trusts is checked first (N01, N02).

use std::{
    borrow::Borrow,
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use tokio::sync::Mutex;

use crate::{
    oci::{Digest, Referrer, Subject, manifest::OCI_MANIFEST},
    registry::Referrers,
};

/// Candidates that are checked for one image and format. Far more than any release process attaches, and few enough
/// that a registry full of junk costs seconds, not minutes: two requests each.
pub(super) const CHECKED: usize = 50;
/// Bytes of a signature manifest: what registries accept for a manifest.
const MANIFEST_LIMIT: u64 = 4 << 20;

/// The candidates of one image; `T` is what a format fetches of one.
#[derive(Debug)]
pub(super) struct Candidates<T> {
    /// The image.
    pub(super) subject: Subject,
    /// In the order in which they are checked.
    pub(super) entries: Vec<Referrer>,
    /// Whether more are listed.
    pub(super) left: bool,
    fetched: Mutex<BTreeMap<Digest, Arc<T>>>,
}

impl<T> Candidates<T> {
    /// Of what is listed, the candidates that are checked. For each requirement there is a set of names (thumbprints) of
    /// whom it trusts; `claimed` gives the names that an entry claims.
    pub(super) fn new(
        subject: &Subject,
        listed: Referrers,
        trusted: &[BTreeSet<String>],
        claimed: impl Fn(&Referrer) -> Vec<String>,
    ) -> Self {
        let mut entries = listed.entries;
        entries.retain(is_possible);
        newest_first(&mut entries);
        let left = listed.left || entries.len() > CHECKED;
        let mut entries = fair_order(entries, trusted, claimed);
        entries.truncate(CHECKED);
        Self {
            subject: subject.clone(),
            entries,
            left,
            fetched: Mutex::default(),
        }
    }

    /// What a candidate holds: fetched the first time, and kept.
    pub(super) async fn fetched(&self, entry: &Referrer, fetch: impl Future<Output = T>) -> Arc<T> {
        let digest = &entry.descriptor.digest;
        if let Some(known) = self.fetched.lock().await.get(digest) {
            return known.clone();
        }
        let fetched = Arc::new(fetch.await);
        self.fetched
            .lock()
            .await
            .insert(digest.clone(), fetched.clone());
        fetched
    }

    /// That more is listed than is checked, for people.
    pub(super) fn left(&self) -> Option<String> {
        let image = &self.subject;
        self.left.then(|| {
            format!("more signatures of `{image}` are listed than the {CHECKED} that are checked")
        })
    }
}

fn is_possible(entry: &Referrer) -> bool {
    entry.descriptor.media_type.as_str() == OCI_MANIFEST && entry.descriptor.size <= MANIFEST_LIMIT
}

/// Whether the list does not say what an entry is. Some registries leave the type out; then the manifest says it.
pub(super) fn is_untyped(entry: &Referrer) -> bool {
    entry.artifact_type.as_deref().is_none_or(str::is_empty)
}

/// As good as any order, since nobody vouches for the date; and the newest is the likeliest to be meant.
pub(super) fn newest_first(entries: &mut [impl Borrow<Referrer>]) {
    entries.sort_by_key(|entry| {
        let annotations = &entry.borrow().annotations;
        Reverse(annotations.get("org.opencontainers.image.created").cloned())
    });
}

/// Whether a candidate claims one of these names: for the order alone, never for accepting it.
pub(super) fn claims(claimed: &[String], trusted: &BTreeSet<String>) -> bool {
    claimed
        .iter()
        .any(|name| trusted.contains(&name.to_ascii_lowercase()))
}

/// Those first that claim what a requirement trusts, for each requirement one in its turn, so that junk which claims
/// what one of them trusts leaves room for the signatures of the others (N02).
fn fair_order(
    entries: Vec<Referrer>,
    trusted: &[BTreeSet<String>],
    claimed: impl Fn(&Referrer) -> Vec<String>,
) -> Vec<Referrer> {
    let mut turns = vec![0; trusted.len()];
    let mut ranked: Vec<(usize, Referrer)> = Vec::new();
    for entry in entries {
        let claimed = claimed(&entry);
        let mut rank = usize::MAX;
        for (turn, trusted) in turns.iter_mut().zip(trusted) {
            if claims(&claimed, trusted) {
                rank = rank.min(*turn);
                *turn += 1;
            }
        }
        ranked.push((rank, entry));
    }
    ranked.sort_by_key(|(rank, entry)| (*rank, is_untyped(entry)));
    ranked.into_iter().map(|(_, entry)| entry).collect()
}
