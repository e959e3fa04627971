//! Manifests and blobs by digest: fetched with their size and hash checked (N03), pushed in one upload each.

use bytes::Bytes;
use http::{Method, StatusCode, header};
use url::Url;

use super::{Error, Registry, ServerMessage, client::MANIFEST_LIMIT, link, session::Host};
use crate::{
    net::{Purpose, Redirects, Request, Response, Retry, jitter},
    oci::{Descriptor, Digest, MediaType, Repository, manifest::InvalidManifest},
};

/// How often a push is started where the registry fails or another client interferes.
const PUSHES: u32 = 4;
/// Bytes of the answer to a push, which nobody needs.
const ANSWER_LIMIT: u64 = 64 << 10;

/// What a request needs to be allowed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Access {
    Pull,
    Push,
}

impl Access {
    pub(super) fn scope(self, repository: &Repository) -> String {
        let actions = match self {
            Self::Pull => "pull",
            Self::Push => "pull,push",
        };
        format!("repository:{}:{actions}", repository.path())
    }
}

/// What a registry said about a manifest that it took.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Taken {
    /// Whether it keeps the list of referrers itself (`OCI-Subject`).
    pub lists_referrers: bool,
}

/// An upload that was opened and has no content yet: where its content goes.
#[derive(Debug)]
pub struct Upload(Url);

impl Registry {
    /// The bytes of a manifest of any type, by its descriptor; the answer must be of that type (G09).
    pub async fn manifest(
        &self,
        repository: &Repository,
        descriptor: &Descriptor,
    ) -> Result<Bytes, Error> {
        let what = format!("the manifest `{}` of `{repository}`", descriptor.digest);
        let path = format!("manifests/{}", descriptor.digest);
        let request = self
            .get(repository, &path, what.clone(), MANIFEST_LIMIT)
            .with_header(header::ACCEPT, descriptor.media_type.as_str());
        let response = self.fetch(repository, descriptor, request).await?;
        let header = MediaType::new(response.header("content-type").unwrap_or_default());
        if header != descriptor.media_type {
            let cause = InvalidManifest::TypesDiffer {
                body: descriptor.media_type.to_string(),
                header,
            };
            return Err(Error::Manifest {
                what,
                host: self.host(repository.registry()).name,
                cause,
            });
        }
        Ok(response.body)
    }

    /// The bytes of a blob, by its descriptor; at most `limit`. Registries may send a redirect to their storage.
    pub async fn blob(
        &self,
        repository: &Repository,
        descriptor: &Descriptor,
        limit: u64,
    ) -> Result<Bytes, Error> {
        let what = format!("the blob `{}` of `{repository}`", descriptor.digest);
        let mut request = self.get(
            repository,
            &format!("blobs/{}", descriptor.digest),
            what,
            limit,
        );
        request.redirects = Redirects::Blob;
        Ok(self.fetch(repository, descriptor, request).await?.body)
    }

    async fn fetch(
        &self,
        repository: &Repository,
        descriptor: &Descriptor,
        request: Request,
    ) -> Result<Response, Error> {
        let what = request.what.clone();
        let host = self.host(repository.registry());
        let response = self
            .session
            .send(&host, &Access::Pull.scope(repository), request)
            .await?;
        if !response.status.is_success() {
            return Err(self.session.refusal(&host, what, &response, false).await);
        }
        let size = u64::try_from(response.body.len()).unwrap_or(u64::MAX);
        if size != descriptor.size || !descriptor.digest.matches(&response.body) {
            return Err(Error::OtherBytes {
                what,
                host: host.name,
            });
        }
        Ok(response)
    }

    /// Whether the repository has a blob; any other answer means that it has to be pushed.
    pub async fn has_blob(&self, repository: &Repository, digest: &Digest) -> bool {
        let what = format!("the blob `{digest}` of `{repository}`");
        let mut request = self.get(repository, &format!("blobs/{digest}"), what, ANSWER_LIMIT);
        request.method = Method::HEAD;
        let answer = self
            .session
            .send(
                &self.host(repository.registry()),
                &Access::Push.scope(repository),
                request,
            )
            .await;
        answer.is_ok_and(|response| response.status == StatusCode::OK)
    }

    /// Pushes a blob; the descriptor says where it can be asked for.
    pub async fn push_blob(
        &self,
        repository: &Repository,
        media_type: &str,
        bytes: &Bytes,
    ) -> Result<Descriptor, Error> {
        self.push_blob_into(
            self.begin_upload(repository).await,
            repository,
            media_type,
            bytes,
        )
        .await
    }

    /// The same through an upload that was opened before the bytes were known; opened again if that one fails.
    pub async fn push_blob_into(
        &self,
        mut begun: Result<Upload, Error>,
        repository: &Repository,
        media_type: &str,
        bytes: &Bytes,
    ) -> Result<Descriptor, Error> {
        let descriptor = describe(media_type, bytes);
        for attempt in 1.. {
            let ended = match begun {
                Ok(upload) => {
                    self.end_upload(repository, upload, &descriptor.digest, bytes)
                        .await
                }
                Err(error) => Err(error),
            };
            match ended {
                Ok(()) => break,
                Err(error) if attempt < self.pushes() && error.is_transient() => {
                    pause(attempt).await
                }
                Err(error) => return Err(error),
            }
            begun = self.begin_upload(repository).await;
        }
        Ok(descriptor)
    }

    /// Opens an upload. Nothing is stored by that, and a registry forgets one that is not ended.
    pub async fn begin_upload(&self, repository: &Repository) -> Result<Upload, Error> {
        let (host, scope) = (
            self.host(repository.registry()),
            Access::Push.scope(repository),
        );
        let what = format!("the upload to `{repository}`");
        let mut start = self.get(repository, "blobs/uploads/", what.clone(), ANSWER_LIMIT);
        start.method = Method::POST;
        let started = self.session.send(&host, &scope, start).await?;
        if started.status != StatusCode::ACCEPTED {
            return Err(self.session.refusal(&host, what, &started, true).await);
        }
        Ok(Upload(upload_address(&host, &what, &started)?))
    }

    async fn end_upload(
        &self,
        repository: &Repository,
        Upload(mut url): Upload,
        digest: &Digest,
        bytes: &Bytes,
    ) -> Result<(), Error> {
        let (host, scope) = (
            self.host(repository.registry()),
            Access::Push.scope(repository),
        );
        let what = format!("the upload of `{digest}` to `{repository}`");
        url.query_pairs_mut()
            .append_pair("digest", &digest.to_string());
        let mut put = Request::get(Purpose::Registry, what.clone(), url, ANSWER_LIMIT)
            .with_header(header::CONTENT_TYPE, "application/octet-stream");
        put.method = Method::PUT;
        put.body = bytes.clone();
        put.retry = Retry::Refused;
        let stored = self.session.send(&host, &scope, put).await?;
        if stored.status == StatusCode::CREATED {
            Ok(())
        } else {
            Err(self.session.refusal(&host, what, &stored, true).await)
        }
    }

    /// Pushes a manifest under a digest or a tag.
    pub async fn push_manifest(
        &self,
        repository: &Repository,
        reference: &str,
        media_type: &str,
        bytes: &Bytes,
    ) -> Result<Taken, Error> {
        let (host, scope) = (
            self.host(repository.registry()),
            Access::Push.scope(repository),
        );
        let what = format!("the push of `{reference}` to `{repository}`");
        let mut attempt = 1;
        loop {
            let mut put = self
                .get(
                    repository,
                    &format!("manifests/{reference}"),
                    what.clone(),
                    ANSWER_LIMIT,
                )
                .with_header(header::CONTENT_TYPE, media_type);
            put.method = Method::PUT;
            put.body = bytes.clone();
            let response = self.session.send(&host, &scope, put).await?;
            if response.status == StatusCode::CREATED {
                return Ok(Taken {
                    lists_referrers: response.header("oci-subject").is_some(),
                });
            }
            if !is_transient(&response) || attempt >= self.pushes() {
                return Err(self.session.refusal(&host, what, &response, true).await);
            }
            pause(attempt).await;
            attempt += 1;
        }
    }

    /// A GET below the repository's part of the API.
    pub(super) fn get(
        &self,
        repository: &Repository,
        path: &str,
        what: String,
        limit: u64,
    ) -> Request {
        let mut url = self.host(repository.registry()).url;
        url.set_path(&format!("/v2/{}/{path}", repository.path()));
        Request::get(Purpose::Registry, what, url, limit)
    }

    /// How often a push is begun: once where the run retries nothing.
    fn pushes(&self) -> u32 {
        self.session
            .client()
            .retries()
            .saturating_add(1)
            .min(PUSHES)
    }
}

/// Whether the same push may succeed a moment later. docker's registry answers 400 or 500 while another client writes
/// the same repository, and a replica may not have the blobs yet that a manifest names.
fn is_transient(response: &Response) -> bool {
    match response.status {
        StatusCode::BAD_REQUEST => true,
        StatusCode::NOT_FOUND => {
            let message = ServerMessage::of(response);
            matches!(message.code(), "MANIFEST_BLOB_UNKNOWN" | "BLOB_UNKNOWN")
        }
        status => status.is_server_error(),
    }
}

/// Media type, digest and size of bytes.
pub fn describe(media_type: &str, bytes: &[u8]) -> Descriptor {
    Descriptor {
        media_type: MediaType::new(media_type),
        digest: Digest::sha256(bytes),
        size: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
    }
}

/// Where an upload goes on: the same scheme, host and port, else it is an error.
fn upload_address(host: &Host, what: &str, response: &Response) -> Result<Url, Error> {
    let location = response.header("location").unwrap_or_default();
    let wrong = |to| Error::LeadsAway {
        what: what.to_owned(),
        host: host.name.clone(),
        to,
    };
    if location.is_empty() {
        return Err(wrong("nowhere".to_owned()));
    }
    link::same_origin(location, &response.url).map_err(wrong)
}

async fn pause(attempt: u32) {
    let most = std::time::Duration::from_millis(100 << attempt.min(5));
    tokio::time::sleep(most / 2 + jitter(most / 2)).await;
}
