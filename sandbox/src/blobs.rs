//! The blobs of a registry: uploads in one piece or several, downloads, and the storage that they may lead to.

use std::sync::atomic::Ordering;

use bytes::Bytes;

use crate::{
    exchange::{Request, Response},
    registry::{Registry, error, sha256, sha512_if},
};

/// The host of the storage behind the registry.
pub(crate) const STORAGE: &str = "contoso.blob.core.windows.net";
/// What opens it.
pub(crate) const STORAGE_SIGNATURE: &str = "sandbox-storage-signature";

impl Registry {
    /// Stores a blob.
    pub fn push_blob(&self, repository: &str, bytes: &[u8]) -> String {
        let digest = sha256(bytes);
        let mut repositories = self.lock();
        let entry = repositories.entry(repository.to_owned()).or_default();
        entry
            .blobs
            .insert(digest.clone(), Bytes::copy_from_slice(bytes));
        digest
    }

    /// The bytes of a blob.
    pub fn blob(&self, repository: &str, digest: &str) -> Option<Vec<u8>> {
        Some(self.lock().get(repository)?.blobs.get(digest)?.to_vec())
    }

    pub(crate) fn get_blob(&self, name: &str, digest: &str) -> Response {
        let repositories = self.lock();
        let blob = repositories
            .get(name)
            .and_then(|repository| repository.blobs.get(digest));
        if blob.is_some() && self.blob_redirects.load(Ordering::SeqCst) {
            let location = format!("https://{STORAGE}/{name}/{digest}?sig={STORAGE_SIGNATURE}");
            return Response::new(307).header("location", location);
        }
        match blob {
            Some(blob) => Response::new(200)
                .header("content-type", "application/octet-stream")
                .header("docker-content-digest", digest)
                .body(blob.clone()),
            None => error(404, "BLOB_UNKNOWN", "blob unknown to registry"),
        }
    }

    /// The storage behind the registry: the signature in the address opens it, and it takes no other credential.
    pub(crate) fn storage(&self, request: &Request) -> Response {
        if request.header("authorization").is_some()
            || request.query("sig") != Some(STORAGE_SIGNATURE)
        {
            return Response::new(403);
        }
        let repositories = self.lock();
        let path = request.path.trim_start_matches('/').rsplit_once('/');
        let blob = path.and_then(|(name, digest)| repositories.get(name)?.blobs.get(digest));
        match blob {
            Some(blob) => Response::new(200)
                .header("content-type", "application/octet-stream")
                .body(blob.clone()),
            None => Response::new(404),
        }
    }

    pub(crate) fn start_upload(&self, name: &str, request: &Request) -> Response {
        if let Some(digest) = request.query("digest") {
            return self.store_blob(name, digest, request.body.clone());
        }
        let id = format!("{:08x}", self.uploads.fetch_add(1, Ordering::SeqCst));
        self.lock()
            .entry(name.to_owned())
            .or_default()
            .uploads
            .insert(id.clone(), Vec::new());
        upload_state(202, name, &id, 0)
    }

    pub(crate) fn continue_upload(&self, name: &str, id: &str, request: &Request) -> Response {
        let mut repositories = self.lock();
        let Some(upload) = repositories
            .get_mut(name)
            .and_then(|repository| repository.uploads.get_mut(id))
        else {
            return error(404, "BLOB_UPLOAD_UNKNOWN", "upload unknown");
        };
        upload.extend_from_slice(&request.body);
        upload_state(202, name, id, upload.len())
    }

    pub(crate) fn end_upload(&self, name: &str, id: &str, request: &Request) -> Response {
        let upload = self
            .lock()
            .get_mut(name)
            .and_then(|repository| repository.uploads.remove(id));
        let (Some(mut bytes), Some(digest)) = (upload, request.query("digest")) else {
            return error(404, "BLOB_UPLOAD_UNKNOWN", "upload unknown, or no digest");
        };
        bytes.extend_from_slice(&request.body);
        self.store_blob(name, digest, bytes.into())
    }

    fn store_blob(&self, name: &str, digest: &str, bytes: Bytes) -> Response {
        let found = digest
            .strip_prefix("sha512:")
            .map_or_else(|| sha256(&bytes), |hex| sha512_if(hex, &bytes));
        if found != digest {
            return error(400, "DIGEST_INVALID", "the digest does not match the blob");
        }
        self.lock()
            .entry(name.to_owned())
            .or_default()
            .blobs
            .insert(found, bytes);
        Response::new(201)
            .header("location", format!("/v2/{name}/blobs/{digest}"))
            .header("docker-content-digest", digest)
    }
}

fn upload_state(status: u16, name: &str, id: &str, length: usize) -> Response {
    Response::new(status)
        .header(
            "location",
            format!("/v2/{name}/blobs/uploads/{id}?_state=sandbox"),
        )
        .header("range", format!("0-{}", length.saturating_sub(1)))
        .header("docker-upload-uuid", id)
}
