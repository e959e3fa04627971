//! The metadata API of Azure Container Registry, `/acr/v1`: catalog, repositories, tags and manifests with
//! their push times.

use std::sync::Arc;

use serde_json::{Value, json};
use time::{OffsetDateTime, UtcOffset, macros::format_description};

use crate::{
    exchange::{Request, Response},
    listing::{page, with_link},
    registry::{Registry, error},
};

/// The metadata of a registry.
#[derive(Debug)]
pub(crate) struct Metadata {
    host: String,
    registry: Arc<Registry>,
}

impl Metadata {
    pub(crate) fn new(host: &str, registry: Arc<Registry>) -> Self {
        Self {
            host: host.to_owned(),
            registry,
        }
    }

    /// The scope that a metadata request needs.
    pub(crate) fn scope(request: &Request) -> Option<(String, &'static str)> {
        let path = request.path.strip_prefix("/acr/v1/")?;
        if path == "_catalog" {
            return Some(("registry:catalog".into(), "*"));
        }
        let name = ["/_tags", "/_manifests"]
            .iter()
            .find_map(|word| path.find(word).and_then(|at| path.get(..at)))
            .unwrap_or(path);
        Some((format!("repository:{name}"), "metadata_read"))
    }

    pub(crate) fn handle(&self, request: &Request) -> Response {
        let Some(path) = request.path.strip_prefix("/acr/v1/") else {
            return Response::new(404);
        };
        if request.method != http::Method::GET {
            return error(405, "UNSUPPORTED", "the sandbox changes no attributes");
        }
        if path == "_catalog" {
            let names: Vec<String> = self.registry.lock().keys().cloned().collect();
            let (listed, link) = page(&names, request, "/acr/v1/_catalog", |name| name);
            return with_link(Response::json(200, &json!({"repositories": listed})), link);
        }
        if let Some((name, rest)) = path.split_once("/_tags") {
            return self.tags(name, rest.trim_start_matches('/'), request);
        }
        if let Some((name, rest)) = path.split_once("/_manifests") {
            return self.manifests(name, rest.trim_start_matches('/'), request);
        }
        self.repository(path)
    }

    fn repository(&self, name: &str) -> Response {
        let repositories = self.registry.lock();
        let Some(repository) = repositories.get(name) else {
            return error(404, "NAME_UNKNOWN", "repository name not known to registry");
        };
        let pushed = repository
            .manifests
            .values()
            .map(|manifest| manifest.pushed);
        let created = repository
            .tags
            .values()
            .map(|tag| tag.created)
            .chain(pushed.clone())
            .min();
        let updated = repository
            .tags
            .values()
            .map(|tag| tag.updated)
            .chain(pushed)
            .max();
        Response::json(
            200,
            &json!({
                "registry": self.host, "imageName": name, "createdTime": created.map(iso), "lastUpdateTime": updated.map(iso),
                "manifestCount": repository.manifests.len(), "tagCount": repository.tags.len(), "changeableAttributes": attributes(),
            }),
        )
    }

    fn tags(&self, name: &str, only: &str, request: &Request) -> Response {
        let repositories = self.registry.lock();
        let Some(repository) = repositories.get(name) else {
            return error(404, "NAME_UNKNOWN", "repository name not known to registry");
        };
        let mut tags: Vec<(String, OffsetDateTime, Value)> = repository
            .tags
            .iter()
            .filter(|(_, tag)| request.query("digest").is_none_or(|digest| digest == tag.digest))
            .map(|(tag, state)| {
                let entry = json!({
                    "name": tag, "digest": state.digest, "createdTime": iso(state.created), "lastUpdateTime": iso(state.updated),
                    "signed": false, "changeableAttributes": attributes(),
                });
                (tag.clone(), state.updated, entry)
            })
            .collect();
        match request.query("orderby") {
            Some("timedesc") => tags.sort_by_key(|(_, updated, _)| std::cmp::Reverse(*updated)),
            Some("timeasc") => tags.sort_by_key(|(_, updated, _)| *updated),
            _ => {}
        }
        if !only.is_empty() {
            return match tags.iter().find(|(tag, ..)| tag == only) {
                Some((.., entry)) => Response::json(
                    200,
                    &json!({"registry": self.host, "imageName": name, "tag": entry}),
                ),
                None => error(404, "TAG_UNKNOWN", "the specified tag does not exist"),
            };
        }
        let (listed, link) = page(
            &tags,
            request,
            &format!("/acr/v1/{name}/_tags"),
            |(tag, ..)| tag,
        );
        let listed: Vec<&Value> = listed.iter().map(|(.., entry)| entry).collect();
        with_link(
            Response::json(
                200,
                &json!({"registry": self.host, "imageName": name, "tags": listed}),
            ),
            link,
        )
    }

    fn manifests(&self, name: &str, only: &str, request: &Request) -> Response {
        let repositories = self.registry.lock();
        let Some(repository) = repositories.get(name) else {
            return error(404, "NAME_UNKNOWN", "repository name not known to registry");
        };
        let entries: Vec<Value> = repository
            .manifests
            .iter()
            .filter(|(digest, _)| only.is_empty() || only == digest.as_str())
            .map(|(digest, manifest)| {
                let tags: Vec<&String> = repository.tags.iter().filter(|(_, tag)| tag.digest == *digest).map(|(name, _)| name).collect();
                json!({
                    "digest": digest, "imageSize": manifest.bytes.len(), "createdTime": iso(manifest.pushed), "lastUpdateTime": iso(manifest.pushed),
                    "architecture": "amd64", "os": "linux", "mediaType": manifest.media_type, "tags": tags, "changeableAttributes": attributes(),
                })
            })
            .collect();
        if !only.is_empty() {
            return match entries.first() {
                Some(entry) => Response::json(
                    200,
                    &json!({"registry": self.host, "imageName": name, "manifest": entry}),
                ),
                None => error(
                    404,
                    "MANIFEST_UNKNOWN",
                    "the specified manifest does not exist",
                ),
            };
        }
        let (listed, link) = page(
            &entries,
            request,
            &format!("/acr/v1/{name}/_manifests"),
            |entry| entry["digest"].as_str().unwrap_or_default(),
        );
        with_link(
            Response::json(
                200,
                &json!({"registry": self.host, "imageName": name, "manifests": listed}),
            ),
            link,
        )
    }
}

fn attributes() -> Value {
    json!({"deleteEnabled": true, "writeEnabled": true, "listEnabled": true, "readEnabled": true})
}

/// With seven digits of a second's fraction, as the service writes times.
fn iso(at: OffsetDateTime) -> String {
    let form =
        format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:7]Z");
    at.to_offset(UtcOffset::UTC)
        .format(form)
        .unwrap_or_default()
}
