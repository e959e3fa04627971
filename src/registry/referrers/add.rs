//! Sees to it that what was pushed is listed.

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::{LISTED, ReferrersSource, list::Wanted};
use crate::{
    net::jitter,
    oci::{Digest, Referrer, Repository, manifest::OCI_INDEX, referrers},
    registry::{Error, Registry},
};

/// How often a lost entry is added again.
const ADDITIONS: u32 = 10;
/// How often a list is asked for again while it does not show what was pushed.
const READ_BACKS: u32 = 6;
/// How long after an index was written it is read again, at least: another writer who has read the tag before
/// will have written by then.
const SETTLED: Duration = Duration::from_millis(300);

impl Registry {
    /// Sees to it that a manifest, which was pushed with a `subject`, is listed: waits for the API to list it, or
    /// adds it to the tag's index and reads that back.
    pub async fn list_referrer(
        &self,
        repository: &Repository,
        subject: &Digest,
        referrer: &Referrer,
        source: ReferrersSource,
    ) -> Result<(), Error> {
        match source {
            ReferrersSource::Api => self.read_back(repository, subject, referrer).await,
            ReferrersSource::Tag => self.add_to_tag(repository, subject, referrer).await,
        }
    }

    async fn read_back(
        &self,
        repository: &Repository,
        subject: &Digest,
        referrer: &Referrer,
    ) -> Result<(), Error> {
        let host = self.host(repository.registry());
        let artifact_type = referrer.artifact_type.as_deref().unwrap_or_default();
        let digest = &referrer.descriptor.digest;
        let wanted = Wanted {
            repository,
            subject,
            artifact_type,
            until: Some(digest),
        };
        let mut wait = Duration::from_millis(100);
        for attempt in 1..=READ_BACKS {
            let listed = self.list_by_api(&host, wanted).await?;
            if listed.as_ref().is_some_and(|listed| {
                listed
                    .entries
                    .iter()
                    .any(|one| one.descriptor.digest == *digest)
            }) {
                return Ok(());
            }
            if listed.is_some_and(|listed| listed.left) {
                // More is listed than we read; that the manifest is there is as much as can be seen.
                return self
                    .manifest(repository, &referrer.descriptor)
                    .await
                    .map(drop);
            }
            if attempt < READ_BACKS {
                tokio::time::sleep(wait).await;
                wait *= 2;
            }
        }
        Err(Error::NotListed {
            digest: digest.to_string(),
            subject: format!("{repository}@{subject}"),
            host: host.name,
        })
    }

    /// Reads the index, writes it with the entry, and looks a while later whether a writer who had read it before
    /// has overwritten it; then everything is done again.
    async fn add_to_tag(
        &self,
        repository: &Repository,
        subject: &Digest,
        referrer: &Referrer,
    ) -> Result<(), Error> {
        let host = self.host(repository.registry());
        let tag = referrers::tag(subject).ok_or_else(|| Error::NoReferrersTag {
            subject: subject.to_string(),
        })?;
        let own = (repository.clone(), tag.clone());
        let turn = self.known.tags.lock().await.entry(own).or_default().clone();
        let _turn = turn.lock().await;
        // Whatever was listed while this runs stays listed: not only our own entry may be overwritten.
        let mut further = vec![referrer.json()];
        for _ in 0..ADDITIONS {
            let started = Instant::now();
            let before = self.index(repository, &tag).await?;
            remember(&mut further, before.as_deref());
            let merged = referrers::with(before.as_deref(), &further)
                .map_err(|cause| self.no_index(repository, &tag, cause))?;
            if let Some(merged) = merged {
                self.push_manifest(repository, tag.as_str(), OCI_INDEX, &merged.into())
                    .await?;
            }
            // Another writer needs about as long as we did from its reading to its writing.
            let window = started.elapsed().saturating_mul(4).max(SETTLED);
            tokio::time::sleep(window + jitter(window / 2)).await;
            let after = self.index(repository, &tag).await?;
            remember(&mut further, after.as_deref());
            if matches!(referrers::with(after.as_deref(), &further), Ok(None)) {
                return Ok(());
            }
            tokio::time::sleep(jitter(SETTLED)).await;
        }
        Err(Error::ReferrersRace {
            subject: format!("{repository}@{subject}"),
            host: host.name,
            attempts: ADDITIONS,
        })
    }
}

/// Adds the entries of an index that are not known yet.
fn remember(further: &mut Vec<Value>, index: Option<&[u8]>) {
    let raw = index
        .and_then(|index| referrers::raw(index, LISTED).ok())
        .unwrap_or_default();
    for entry in raw
        .into_iter()
        .filter(|entry| entry.get("digest").is_some_and(Value::is_string))
    {
        if further
            .iter()
            .all(|known| known.get("digest") != entry.get("digest"))
        {
            further.push(entry);
        }
    }
}
