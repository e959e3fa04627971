//! What registries list: tags, and on Azure Container Registry its repositories, and tags with the time of their last
//! push. What is listed is a claim: a digest is checked where the tag is resolved.

use http::StatusCode;
use serde::{Deserialize, de::DeserializeOwned};

use super::{Error, Registry, content::Access, link, session::Host};
use crate::{
    net::{Purpose, Request},
    oci::{Digest, RegistryHost, Repository, Tag},
    timestamp::Timestamp,
};

/// Bytes of a page.
const PAGE_LIMIT: u64 = 4 << 20;
/// Pages of one listing: a hundred thousand names.
const PAGES: usize = 100;
/// Entries of a page; ACR gives no more.
const PAGE_SIZE: &str = "1000";

/// A tag, what it held at its last push, and when that was.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PushedTag {
    /// The tag.
    pub tag: Tag,
    /// The digest that it holds.
    pub digest: Digest,
    /// When it was pushed last.
    pub pushed: Timestamp,
}

#[derive(Deserialize)]
struct Catalog {
    repositories: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Names {
    tags: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Tags {
    tags: Option<Vec<Entry>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    name: String,
    digest: String,
    last_update_time: String,
}

impl Registry {
    /// All repositories of a registry.
    pub async fn catalog(&self, registry: &RegistryHost) -> Result<Vec<Repository>, Error> {
        let what = format!("the repositories of `{registry}`");
        let host = self.host(registry);
        let mut pages = Pages::new(
            self,
            host,
            "registry:catalog:*",
            what,
            "_catalog",
            &[("n", PAGE_SIZE)],
        );
        let mut repositories = Vec::new();
        while let Some(page) = pages.next::<Catalog>().await? {
            for name in page.repositories.unwrap_or_default() {
                let repository = Repository::named(&format!("{registry}/{name}"));
                repositories.push(repository.map_err(|error| pages.invalid(&error))?);
            }
        }
        Ok(repositories)
    }

    /// The names of a repository's tags, as every registry lists them; the first page only.
    pub(super) async fn tags(&self, repository: &Repository) -> Result<Vec<String>, Error> {
        let what = format!("the tags of `{repository}`");
        let host = self.host(repository.registry());
        let mut request = self.get(repository, "tags/list", what.clone(), PAGE_LIMIT);
        request.url.query_pairs_mut().append_pair("n", PAGE_SIZE);
        let scope = Access::Pull.scope(repository);
        let response = self.session.send(&host, &scope, request).await?;
        if response.status != StatusCode::OK {
            return Err(self.session.refusal(&host, what, &response, false).await);
        }
        let page: Names =
            serde_json::from_slice(&response.body).map_err(|error| Error::Listing {
                what,
                host: host.name,
                why: error.to_string(),
            })?;
        Ok(page.tags.unwrap_or_default())
    }

    /// The tags of a repository that were pushed at `since` or later, the newest first.
    pub async fn tags_since(
        &self,
        repository: &Repository,
        since: Timestamp,
    ) -> Result<Vec<PushedTag>, Error> {
        let what = format!("the tags of `{repository}` by push time");
        let host = self.host(repository.registry());
        let scope = format!("repository:{}:metadata_read", repository.path());
        let path = format!("{}/_tags", repository.path());
        let query = [("orderby", "timedesc"), ("n", PAGE_SIZE)];
        let mut pages = Pages::new(self, host, &scope, what, &path, &query);
        let mut fresh = Vec::new();
        while let Some(page) = pages.next::<Tags>().await? {
            let mut older = false;
            for entry in page.tags.unwrap_or_default() {
                let pushed: Timestamp = entry
                    .last_update_time
                    .parse()
                    .map_err(|error| pages.invalid(&error))?;
                if pushed < since {
                    older = true;
                    continue;
                }
                let tag = entry.name.parse().map_err(|error| pages.invalid(&error))?;
                let digest = entry
                    .digest
                    .parse()
                    .map_err(|error| pages.invalid(&error))?;
                fresh.push(PushedTag {
                    tag,
                    digest,
                    pushed,
                });
            }
            // The newest come first, so what follows is older still.
            if older {
                break;
            }
        }
        Ok(fresh)
    }
}

/// A listing, page by page.
struct Pages<'a> {
    registry: &'a Registry,
    host: Host,
    scope: String,
    /// The next page; `None` where the listing has ended.
    request: Option<Request>,
    what: String,
    read: usize,
}

impl<'a> Pages<'a> {
    fn new(
        registry: &'a Registry,
        host: Host,
        scope: &str,
        what: String,
        path: &str,
        query: &[(&str, &str)],
    ) -> Self {
        let mut url = host.url.clone();
        url.set_path(&format!("/acr/v1/{path}"));
        url.query_pairs_mut().extend_pairs(query);
        let request = Request::get(Purpose::Registry, what.clone(), url, PAGE_LIMIT);
        Self {
            registry,
            host,
            scope: scope.to_owned(),
            request: Some(request),
            what,
            read: 0,
        }
    }

    /// The next page, if there is one. A `Link` stays with its host, and no listing is longer than a hundred pages.
    async fn next<P: DeserializeOwned>(&mut self) -> Result<Option<P>, Error> {
        let Some(request) = self.request.take() else {
            return Ok(None);
        };
        let (what, host) = (self.what.clone(), self.host.name.clone());
        self.read += 1;
        if self.read > PAGES {
            return Err(Error::LongListing {
                what,
                host,
                pages: PAGES,
            });
        }
        let response = self
            .registry
            .session
            .send(&self.host, &self.scope, request.clone())
            .await?;
        if response.status != StatusCode::OK {
            return Err(self
                .registry
                .session
                .refusal(&self.host, what, &response, false)
                .await);
        }
        let page = serde_json::from_slice(&response.body).map_err(|error| self.invalid(&error))?;
        let leads_away = |to| Error::LeadsAway {
            what: what.clone(),
            host: host.clone(),
            to,
        };
        if let Some(url) = link::next(response.header("link"), &response.url).map_err(leads_away)? {
            self.request = Some(Request { url, ..request });
        }
        Ok(Some(page))
    }

    fn invalid(&self, error: &dyn std::fmt::Display) -> Error {
        Error::Listing {
            what: self.what.clone(),
            host: self.host.name.clone(),
            why: error.to_string(),
        }
    }
}
