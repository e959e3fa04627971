//! What refers to a manifest: the Referrers API where the registry has it, the tag schema where it does not.
//!
//! Lists with bounds, filters again what the registry says it has filtered (G16), and keeps two writers of one
//! tag from losing an entry (G15). Judges nothing: whatever is listed is a claim.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    str::FromStr,
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use http::{StatusCode, header};
use serde_json::Value;
use tokio::{sync::Mutex, time::Instant};
use url::Url;

use super::{
    Error, Registry, client::MANIFEST_LIMIT, content::Access, error::Said, link, session::Host,
};
use crate::{
    net::{Response, jitter},
    oci::{Digest, MediaType, Referrer, Repository, Tag, manifest::OCI_INDEX, referrers},
};

/// Candidates that are listed for one subject (design §8).
const LISTED: usize = 1_000;
/// Pages of one list.
const PAGES: usize = 100;
/// How often a lost entry is added again.
const ADDITIONS: u32 = 10;
/// How often a list is asked for again while it does not show what was pushed.
const READ_BACKS: u32 = 6;
/// How long after an index was written it is read again, at least: another writer who has read the tag before
/// will have written by then.
const SETTLED: Duration = Duration::from_millis(300);

/// Where lists of referrers are read and kept.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum ReferrersMode {
    /// The API where the registry has it, else the tag.
    #[default]
    Auto,
    /// The API only.
    Api,
    /// The tag only.
    Tag,
}

/// The text is no mode.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not one of auto, api and tag")]
pub struct InvalidReferrersMode;

impl FromStr for ReferrersMode {
    type Err = InvalidReferrersMode;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "auto" => Ok(Self::Auto),
            "api" => Ok(Self::Api),
            "tag" => Ok(Self::Tag),
            _ => Err(InvalidReferrersMode),
        }
    }
}

/// Where a list came from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ReferrersSource {
    /// The Referrers API.
    Api,
    /// The tag schema.
    Tag,
}

/// What refers to a subject.
#[derive(Clone, Debug)]
pub struct Referrers {
    /// Of the wanted type, in the registry's order, each once.
    pub entries: Vec<Referrer>,
    /// Whether more was there than is listed.
    pub left: bool,
    /// Where the list came from.
    pub source: ReferrersSource,
}

/// What a run has learnt about the lists of its registries.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// Per registry: whether it has the API.
    api: Mutex<BTreeMap<String, bool>>,
    /// One writer per tag within this process.
    tags: Mutex<HashMap<(Repository, Tag), Turn>>,
}

/// Held by the one who writes.
type Turn = Arc<Mutex<()>>;

/// What is asked for.
#[derive(Clone, Copy)]
struct Wanted<'a> {
    repository: &'a Repository,
    subject: &'a Digest,
    artifact_type: &'a str,
    /// Reading ends once this one is listed.
    until: Option<&'a Digest>,
}

impl Registry {
    /// What refers to `subject` with an artifact type. In mode `auto` the tag is read, too, where the API lists
    /// nothing of that type: an older client may have kept it there.
    pub async fn referrers(
        &self,
        repository: &Repository,
        subject: &Digest,
        artifact_type: &str,
        mode: ReferrersMode,
    ) -> Result<Referrers, Error> {
        let wanted = Wanted {
            repository,
            subject,
            artifact_type,
            until: None,
        };
        match self.list(wanted, mode).await? {
            listed
                if mode == ReferrersMode::Auto
                    && listed.source == ReferrersSource::Api
                    && listed.entries.is_empty() =>
            {
                let tagged = self.list_by_tag(wanted).await?;
                Ok(if tagged.entries.is_empty() {
                    Referrers {
                        left: listed.left,
                        ..listed
                    }
                } else {
                    tagged
                })
            }
            listed => Ok(listed),
        }
    }

    /// The same for one who is about to add to the list: where there is an API, only that counts.
    pub async fn referrers_to_extend(
        &self,
        repository: &Repository,
        subject: &Digest,
        artifact_type: &str,
        mode: ReferrersMode,
    ) -> Result<Referrers, Error> {
        self.list(
            Wanted {
                repository,
                subject,
                artifact_type,
                until: None,
            },
            mode,
        )
        .await
    }

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

    async fn list(&self, wanted: Wanted<'_>, mode: ReferrersMode) -> Result<Referrers, Error> {
        let host = self.host(wanted.repository.registry());
        let has_api = self.known.api.lock().await.get(&host.name).copied();
        if mode == ReferrersMode::Tag || (mode == ReferrersMode::Auto && has_api == Some(false)) {
            return self.list_by_tag(wanted).await;
        }
        let listed = self.list_by_api(&host, wanted).await?;
        self.known
            .api
            .lock()
            .await
            .insert(host.name.clone(), listed.is_some());
        match listed {
            Some(listed) => Ok(listed),
            None if mode == ReferrersMode::Auto => self.list_by_tag(wanted).await,
            None => Err(Error::NoReferrersApi { host: host.name }),
        }
    }

    /// Page after page; `None` where the registry has no such API.
    async fn list_by_api(
        &self,
        host: &Host,
        wanted: Wanted<'_>,
    ) -> Result<Option<Referrers>, Error> {
        let what = format!(
            "the referrers of `{}@{}`",
            wanted.repository, wanted.subject
        );
        let mut collected = Collected::default();
        let mut visited: BTreeSet<Url> = BTreeSet::new();
        let mut request = self.get(
            wanted.repository,
            &format!("referrers/{}", wanted.subject),
            what.clone(),
            MANIFEST_LIMIT,
        );
        request
            .url
            .query_pairs_mut()
            .append_pair("artifactType", wanted.artifact_type);
        loop {
            visited.insert(request.url.clone());
            let scope = Access::Pull.scope(wanted.repository);
            let response = self
                .session
                .send(
                    host,
                    &scope,
                    request.clone().with_header(header::ACCEPT, OCI_INDEX),
                )
                .await?;
            if visited.len() == 1 && lacks_api(&response) {
                return Ok(None);
            }
            if response.status != StatusCode::OK {
                return Err(self.refusal(host, what, &response).await);
            }
            let page = referrers::parse(&response.body).map_err(|cause| Error::Referrers {
                what: what.clone(),
                host: host.name.clone(),
                cause,
            })?;
            collected.take(page, wanted.artifact_type);
            let leads_away = |to| Error::LeadsAway {
                what: what.clone(),
                host: host.name.clone(),
                to,
            };
            let next = link::next(response.header("link"), &response.url).map_err(leads_away)?;
            match next {
                _ if collected.has(wanted.until) => break,
                Some(_) if collected.left || visited.len() >= PAGES => {
                    collected.left = true;
                    break;
                }
                // A page that was seen leads in a circle: it is not asked for again (G06).
                Some(next) if !visited.contains(&next) => request.url = next,
                Some(_) | None => break,
            }
        }
        Ok(Some(collected.from(ReferrersSource::Api)))
    }

    async fn list_by_tag(&self, wanted: Wanted<'_>) -> Result<Referrers, Error> {
        let mut collected = Collected::default();
        if let Some(tag) = referrers::tag(wanted.subject)
            && let Some(index) = self.index(wanted.repository, &tag).await?
        {
            let entries = referrers::parse(&index)
                .map_err(|cause| self.no_index(wanted.repository, &tag, cause))?;
            collected.take(entries, wanted.artifact_type);
        }
        Ok(collected.from(ReferrersSource::Tag))
    }

    /// The index under a tag; `None` where there is none.
    async fn index(&self, repository: &Repository, tag: &Tag) -> Result<Option<Bytes>, Error> {
        let host = self.host(repository.registry());
        let what = format!("the index `{tag}` of `{repository}`");
        let request = self
            .get(
                repository,
                &format!("manifests/{tag}"),
                what.clone(),
                MANIFEST_LIMIT,
            )
            .with_header(header::ACCEPT, OCI_INDEX);
        let response = self
            .session
            .send(&host, &Access::Pull.scope(repository), request)
            .await?;
        match response.status {
            StatusCode::OK => Ok(Some(response.body)),
            StatusCode::NOT_FOUND => Ok(None),
            _ => Err(self.refusal(&host, what, &response).await),
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

    fn no_index(
        &self,
        repository: &Repository,
        tag: &Tag,
        cause: referrers::InvalidReferrers,
    ) -> Error {
        let what = format!("the index `{tag}` of `{repository}`");
        Error::Referrers {
            what,
            host: self.host(repository.registry()).name,
            cause,
        }
    }
}

/// Adds the entries of an index that are not known yet.
fn remember(further: &mut Vec<Value>, index: Option<&[u8]>) {
    let raw = index
        .and_then(|index| referrers::raw(index).ok())
        .unwrap_or_default();
    for entry in raw
        .into_iter()
        .filter(|entry| entry.get("digest").is_some_and(Value::is_string))
        .take(LISTED)
    {
        if further
            .iter()
            .all(|known| known.get("digest") != entry.get("digest"))
        {
            further.push(entry);
        }
    }
}

/// 404 means that there is no such API, unless it says that the repository is missing; so does an answer of
/// another type, which some proxies give to every address.
fn lacks_api(response: &Response) -> bool {
    match response.status {
        StatusCode::NOT_FOUND => !Said::by(response).has("NAME_UNKNOWN"),
        StatusCode::OK => {
            MediaType::new(response.header("content-type").unwrap_or_default()).as_str()
                != OCI_INDEX
        }
        _ => false,
    }
}

/// Entries as they are listed.
#[derive(Default)]
struct Collected {
    entries: Vec<Referrer>,
    left: bool,
}

impl Collected {
    /// Takes those of the type, each once, up to the limit: a filter is applied here whatever the registry says.
    fn take(&mut self, page: Vec<Referrer>, artifact_type: &str) {
        for entry in page
            .into_iter()
            .filter(|entry| entry.artifact_type.as_deref() == Some(artifact_type))
        {
            if self
                .entries
                .iter()
                .any(|known| known.descriptor.digest == entry.descriptor.digest)
            {
                continue;
            }
            if self.entries.len() >= LISTED {
                self.left = true;
                return;
            }
            self.entries.push(entry);
        }
    }

    fn has(&self, digest: Option<&Digest>) -> bool {
        digest.is_some_and(|digest| {
            self.entries
                .iter()
                .any(|entry| entry.descriptor.digest == *digest)
        })
    }

    fn from(self, source: ReferrersSource) -> Referrers {
        Referrers {
            entries: self.entries,
            left: self.left,
            source,
        }
    }
}
