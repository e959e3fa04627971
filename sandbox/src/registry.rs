//! An OCI registry: manifests, blobs, tags, catalog, and the Referrers API, which can be turned off.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256, Sha512};
use time::OffsetDateTime;

use crate::{
    exchange::{Request, Response},
    listing::{Referrers, page, with_link},
};

/// OCI image index.
pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// OCI image manifest.
pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// What a push put into the registry.
#[derive(Clone, Debug)]
pub struct Pushed {
    /// The digest of the manifest.
    pub digest: String,
    /// The bytes of the manifest.
    pub bytes: Vec<u8>,
    /// Its media type.
    pub media_type: String,
}

/// The contents of one registry.
#[derive(Debug)]
pub struct Registry {
    repositories: Mutex<BTreeMap<String, Repository>>,
    pub(crate) referrers: Referrers,
    pub(crate) blob_redirects: AtomicBool,
    pub(crate) uploads: AtomicU64,
}

#[derive(Debug, Default)]
pub(crate) struct Repository {
    pub(crate) manifests: BTreeMap<String, Manifest>,
    pub(crate) tags: BTreeMap<String, Tag>,
    pub(crate) blobs: BTreeMap<String, Bytes>,
    pub(crate) uploads: BTreeMap<String, Vec<u8>>,
}

#[derive(Clone, Debug)]
pub(crate) struct Manifest {
    pub(crate) media_type: String,
    pub(crate) bytes: Bytes,
    /// What the bytes say, read once: every list of referrers looks at every manifest.
    pub(crate) document: Value,
    pub(crate) pushed: OffsetDateTime,
}

impl Manifest {
    fn new(media_type: &str, bytes: Bytes) -> Self {
        let document = serde_json::from_slice(&bytes).unwrap_or_default();
        Self {
            media_type: media_type.to_owned(),
            bytes,
            document,
            pushed: OffsetDateTime::now_utc(),
        }
    }

    pub(crate) fn refers_to(&self, digest: &str) -> bool {
        self.document["subject"]["digest"] == digest
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Tag {
    pub(crate) digest: String,
    pub(crate) created: OffsetDateTime,
    pub(crate) updated: OffsetDateTime,
}

impl Registry {
    pub(crate) fn new(referrers: bool) -> Self {
        Self {
            repositories: Mutex::default(),
            referrers: Referrers::new(referrers),
            blob_redirects: AtomicBool::new(false),
            uploads: AtomicU64::new(1),
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Repository>> {
        self.repositories
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers for blobs with a redirect to the storage behind the registry, as ACR does, or with the blobs.
    pub fn set_blob_redirects(&self, on: bool) {
        self.blob_redirects.store(on, Ordering::SeqCst);
    }

    /// How lists of referrers are kept.
    pub fn referrers(&self) -> &Referrers {
        &self.referrers
    }

    /// Pushes an image of one platform whose content follows from `seed`.
    pub fn push_image(&self, repository: &str, tag: &str, seed: &str) -> Pushed {
        let image = self.image(repository, seed);
        self.retag(repository, &image.digest, tag);
        image
    }

    /// Pushes an index of two platforms whose content follows from `seed`.
    pub fn push_index(&self, repository: &str, tag: &str, seed: &str) -> Pushed {
        let children: Vec<Value> = ["amd64", "arm64"]
            .iter()
            .map(|architecture| {
                let image = self.image(repository, &format!("{seed} {architecture}"));
                json!({"mediaType": MANIFEST, "digest": image.digest, "size": image.bytes.len(), "platform": {"os": "linux", "architecture": architecture}})
            })
            .collect();
        let index =
            json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": children}).to_string();
        let pushed = self.put(repository, INDEX, index.into_bytes());
        self.retag(repository, &pushed.digest, tag);
        pushed
    }

    fn image(&self, repository: &str, seed: &str) -> Pushed {
        let config = json!({"architecture": "amd64", "os": "linux", "config": {"Labels": {"seed": seed}}, "rootfs": {"type": "layers", "diff_ids": []}});
        let config = Bytes::from(config.to_string());
        let layer = Bytes::from(format!("layer of {seed}"));
        let mut repositories = self.lock();
        let entry = repositories.entry(repository.to_owned()).or_default();
        let describe = |media_type: &str, blob: &Bytes| json!({"mediaType": media_type, "digest": sha256(blob), "size": blob.len()});
        let manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": describe("application/vnd.oci.image.config.v1+json", &config),
            "layers": [describe("application/vnd.oci.image.layer.v1.tar+gzip", &layer)],
        });
        for blob in [config, layer] {
            entry.blobs.insert(sha256(&blob), blob);
        }
        drop(repositories);
        self.put(repository, MANIFEST, manifest.to_string().into_bytes())
    }

    /// Stores a manifest of any type as it is, under its digest alone.
    pub fn put(&self, repository: &str, media_type: &str, bytes: Vec<u8>) -> Pushed {
        let digest = sha256(&bytes);
        let manifest = Manifest::new(media_type, bytes.clone().into());
        self.lock()
            .entry(repository.to_owned())
            .or_default()
            .manifests
            .insert(digest.clone(), manifest);
        Pushed {
            digest,
            bytes,
            media_type: media_type.to_owned(),
        }
    }

    /// Stores an index as it is, under its digest alone.
    pub fn push_index_bytes(&self, repository: &str, bytes: &[u8]) -> Pushed {
        self.put(repository, INDEX, bytes.to_vec())
    }

    /// The bytes of a manifest.
    pub fn manifest(&self, repository: &str, digest: &str) -> Option<Vec<u8>> {
        Some(
            self.lock()
                .get(repository)?
                .manifests
                .get(digest)?
                .bytes
                .to_vec(),
        )
    }

    /// Stores an image manifest as it is, under its digest alone.
    pub fn push_manifest_bytes(&self, repository: &str, bytes: &[u8]) -> Pushed {
        self.put(repository, MANIFEST, bytes.to_vec())
    }

    /// Every manifest of a repository that refers to this digest, with its own digest.
    pub fn referring(&self, repository: &str, digest: &str) -> Vec<(String, Vec<u8>)> {
        let repositories = self.lock();
        let manifests = repositories
            .get(repository)
            .into_iter()
            .flat_map(|repository| &repository.manifests);
        manifests
            .filter(|(_, manifest)| manifest.refers_to(digest))
            .map(|(own, manifest)| (own.clone(), manifest.bytes.to_vec()))
            .collect()
    }

    /// Points a tag at a manifest.
    pub fn retag(&self, repository: &str, digest: &str, tag: &str) {
        self.retag_at(repository, digest, tag, OffsetDateTime::now_utc());
    }

    /// Points a tag at a manifest, as pushed at a given time: the tag's `lastUpdateTime`, and its `createdTime`
    /// where it is new or said to be younger.
    pub fn retag_at(&self, repository: &str, digest: &str, tag: &str, at: OffsetDateTime) {
        let mut repositories = self.lock();
        let tags = &mut repositories.entry(repository.to_owned()).or_default().tags;
        let created = tags.get(tag).map_or(at, |old| old.created.min(at));
        tags.insert(
            tag.to_owned(),
            Tag {
                digest: digest.to_owned(),
                created,
                updated: at,
            },
        );
    }

    /// The digest that a tag points to.
    pub fn digest(&self, repository: &str, tag: &str) -> Option<String> {
        Some(self.lock().get(repository)?.tags.get(tag)?.digest.clone())
    }

    /// The repository and the scope actions that a request needs; `None` for what needs none.
    pub(crate) fn scope(request: &Request) -> Option<(String, &'static str)> {
        let path = request.path.strip_prefix("/v2/")?;
        if path == "_catalog" {
            return Some(("registry:catalog".into(), "*"));
        }
        let (name, _) = split(path)?;
        let write = !matches!(request.method.as_str(), "GET" | "HEAD");
        Some((
            format!("repository:{name}"),
            if write { "pull,push" } else { "pull" },
        ))
    }

    pub(crate) fn handle(&self, request: &Request) -> Response {
        let Some(path) = request.path.strip_prefix("/v2/") else {
            return Response::new(404);
        };
        match path {
            "" => {
                return Response::json(200, &json!({}))
                    .header("docker-distribution-api-version", "registry/2.0");
            }
            "_catalog" => return self.catalog(request),
            _ => {}
        }
        let Some((name, rest)) = split(path) else {
            return error(404, "NAME_INVALID", "no such route");
        };
        let parts: Vec<&str> = rest.split('/').collect();
        match (request.method.as_str(), parts.as_slice()) {
            ("GET" | "HEAD", ["manifests", reference]) => self.get_manifest(name, reference),
            ("PUT", ["manifests", reference]) => self.put_manifest(name, reference, request),
            ("GET" | "HEAD", ["blobs", digest]) => self.get_blob(name, digest),
            ("POST", ["blobs", "uploads", ..]) => self.start_upload(name, request),
            ("PATCH", ["blobs", "uploads", id]) => self.continue_upload(name, id, request),
            ("PUT", ["blobs", "uploads", id]) => self.end_upload(name, id, request),
            ("GET", ["tags", "list"]) => self.list_tags(name, request),
            ("GET", ["referrers", digest]) if self.referrers.api() => {
                self.list_referrers(name, digest, request)
            }
            _ => error(404, "UNSUPPORTED", "no such route"),
        }
    }

    fn catalog(&self, request: &Request) -> Response {
        let names: Vec<String> = self.lock().keys().cloned().collect();
        let (page, link) = page(&names, request, "/v2/_catalog", |name| name);
        with_link(Response::json(200, &json!({"repositories": page})), link)
    }

    fn get_manifest(&self, name: &str, reference: &str) -> Response {
        let repositories = self.lock();
        let Some(repository) = repositories.get(name) else {
            return unknown_manifest(reference);
        };
        let digest = repository
            .tags
            .get(reference)
            .map_or(reference, |tag| tag.digest.as_str());
        match repository.manifests.get(digest) {
            Some(manifest) => Response::new(200)
                .header("content-type", &manifest.media_type)
                .header("docker-content-digest", digest)
                .header("etag", format!("\"{digest}\""))
                .body(manifest.bytes.clone()),
            None => unknown_manifest(reference),
        }
    }

    fn put_manifest(&self, name: &str, reference: &str, request: &Request) -> Response {
        let media_type = request.header("content-type").unwrap_or(MANIFEST);
        let manifest = Manifest::new(media_type, request.body.clone());
        if manifest.document.is_null() {
            return error(400, "MANIFEST_INVALID", "not JSON");
        }
        if request.body.len() > 4 << 20 {
            return error(413, "MANIFEST_INVALID", "larger than 4 MiB");
        }
        let digest = if let Some(hex) = reference.strip_prefix("sha512:") {
            sha512_if(hex, &request.body)
        } else {
            sha256(&request.body)
        };
        if reference.contains(':') && reference != digest {
            return error(
                400,
                "DIGEST_INVALID",
                "the digest does not match the manifest",
            );
        }
        let subject = manifest.document["subject"]["digest"]
            .as_str()
            .map(ToOwned::to_owned);
        self.lock()
            .entry(name.to_owned())
            .or_default()
            .manifests
            .insert(digest.clone(), manifest);
        if !reference.contains(':') {
            self.retag(name, &digest, reference);
        }
        let response = Response::new(201)
            .header("location", format!("/v2/{name}/manifests/{digest}"))
            .header("docker-content-digest", &digest);
        match subject {
            Some(subject) if self.referrers.says_subject() => {
                response.header("oci-subject", subject)
            }
            _ => response,
        }
    }

    fn list_tags(&self, name: &str, request: &Request) -> Response {
        let repositories = self.lock();
        let Some(repository) = repositories.get(name) else {
            return error(404, "NAME_UNKNOWN", "repository name not known to registry");
        };
        let names: Vec<String> = repository.tags.keys().cloned().collect();
        let (page, link) = page(&names, request, &format!("/v2/{name}/tags/list"), |name| {
            name
        });
        with_link(
            Response::json(200, &json!({"name": name, "tags": page})),
            link,
        )
    }
}

/// Repository name and the rest of the path.
fn split(path: &str) -> Option<(&str, &str)> {
    ["/manifests/", "/blobs/", "/tags/", "/referrers/"]
        .iter()
        .filter_map(|word| path.rfind(word).map(|at| (at, path)))
        .max_by_key(|(at, _)| *at)
        .and_then(|(at, path)| Some((path.get(..at)?, path.get(at + 1..)?)))
}

fn unknown_manifest(reference: &str) -> Response {
    error(
        404,
        "MANIFEST_UNKNOWN",
        &format!("manifest tagged by \"{reference}\" is not found"),
    )
}

pub(crate) fn error(status: u16, code: &str, message: &str) -> Response {
    Response::json(
        status,
        &json!({"errors": [{"code": code, "message": message, "detail": null}]}),
    )
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    format!("sha256:{}", hex(&Sha256::digest(bytes)))
}

pub(crate) fn sha512_if(_hex: &str, bytes: &[u8]) -> String {
    format!("sha512:{}", hex(&Sha512::digest(bytes)))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
