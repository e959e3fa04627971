//! Reads lists of referrers, page after page or from the tag's index.

use std::collections::BTreeSet;

use bytes::Bytes;
use http::{StatusCode, header};
use url::Url;

use super::{LISTED, Referrers, ReferrersMode, ReferrersSource};
use crate::{
    net::{self, Response},
    oci::{Digest, MediaType, Referrer, Repository, Tag, manifest::OCI_INDEX, referrers},
    reason::Reason,
    registry::{
        Error, Registry, ServerMessage, client::MANIFEST_LIMIT, content::Access, link,
        session::Host,
    },
};

/// Bytes of all pages of one list: a thousand entries with a few annotations are less than one MiB.
const LIST_BYTES: usize = 16 << 20;
/// Pages of one list.
const PAGES: usize = 100;

/// What is asked for.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) repository: &'a Repository,
    pub(super) subject: &'a Digest,
    pub(super) artifact_type: &'a str,
    /// Reading ends once this one is listed.
    pub(super) until: Option<&'a Digest>,
}

impl Registry {
    /// What refers to `subject` with an artifact type. In mode `auto` the tag is also read where the API lists
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

    /// The same for a caller that is about to add to the list: where there is an API, only that is read.
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

    /// Page after page; `None` where the registry does not have this API.
    pub(super) async fn list_by_api(
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
        let mut bytes = 0;
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
            let asked = request.clone().with_header(header::ACCEPT, OCI_INDEX);
            let response = match self.session.send(host, &scope, asked).await {
                Err(Error::Net(cause @ net::Error::RedirectRefused { .. })) => {
                    return Err(Error::ReferrersRefused {
                        what,
                        host: host.name.clone(),
                        reason: Reason::RedirectRefused,
                        cause: Box::new(cause),
                    });
                }
                answer => answer?,
            };
            if visited.len() == 1 && lacks_api(&response) {
                return Ok(None);
            }
            if response.status != StatusCode::OK {
                return Err(self.no_list(host, what, &response).await);
            }
            let page = referrers::parse(&response.body).map_err(|cause| Error::Referrers {
                what: what.clone(),
                host: host.name.clone(),
                cause,
            })?;
            bytes += response.body.len();
            collected.take(page, wanted);
            let leads_away = |to| Error::LeadsAway {
                what: what.clone(),
                host: host.name.clone(),
                to,
            };
            let next = link::next(response.header("link"), &response.url).map_err(leads_away)?;
            match next {
                _ if collected.has(wanted.until) => break,
                Some(_) if collected.left || visited.len() >= PAGES || bytes >= LIST_BYTES => {
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

    /// The error for an answer of the Referrers API that is not a list. What any request may be answered with is an
    /// error as usual; another status means that the registry does not know the address.
    async fn no_list(&self, host: &Host, what: String, response: &Response) -> Error {
        match response.status {
            StatusCode::BAD_REQUEST
            | StatusCode::METHOD_NOT_ALLOWED
            | StatusCode::NOT_ACCEPTABLE
            | StatusCode::NOT_IMPLEMENTED
                if !ServerMessage::of(response).says_locked() =>
            {
                Error::ReferrersRefused {
                    what,
                    host: host.name.clone(),
                    reason: Reason::AnswerInvalid,
                    cause: Box::new(ServerMessage::of(response)),
                }
            }
            _ => self.session.refusal(host, what, response, false).await,
        }
    }

    async fn list_by_tag(&self, wanted: Wanted<'_>) -> Result<Referrers, Error> {
        let mut collected = Collected::default();
        if let Some(tag) = referrers::tag(wanted.subject)
            && let Some(index) = self.index(wanted.repository, &tag).await?
        {
            let entries = referrers::parse(&index)
                .map_err(|cause| self.no_index(wanted.repository, &tag, cause))?;
            collected.take(entries, wanted);
        }
        Ok(collected.from(ReferrersSource::Tag))
    }

    /// The index under a tag; `None` where there is none.
    pub(super) async fn index(
        &self,
        repository: &Repository,
        tag: &Tag,
    ) -> Result<Option<Bytes>, Error> {
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
            _ => Err(self.session.refusal(&host, what, &response, false).await),
        }
    }

    pub(super) fn no_index(
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

/// 404 means that the API is missing, unless it says that the repository is; so does an answer of
/// another type, which some proxies give to every address.
fn lacks_api(response: &Response) -> bool {
    match response.status {
        StatusCode::NOT_FOUND => !ServerMessage::of(response).has("NAME_UNKNOWN"),
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
    ///
    /// An entry that says no type may be of any: some registries leave it out even where they filter by it, and the
    /// manifest says it. The one that is waited for is known by its digest.
    fn take(&mut self, page: Vec<Referrer>, wanted: Wanted<'_>) {
        for entry in page {
            let says = entry.artifact_type.as_deref().unwrap_or_default();
            let fits = says.is_empty() || says == wanted.artifact_type;
            if !fits && wanted.until != Some(&entry.descriptor.digest) {
                continue;
            }
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
