//! A trust server's API: files of a collection, the server's keys, and publication.

use bytes::Bytes;
use http::{Method, StatusCode, header};
use url::Url;

use super::{
    Error, Registry, ServerMessage,
    session::{Host, fresh},
};
use crate::{
    net::{Purpose, Request, Retry},
    oci::Repository,
};

/// Bytes of a `.key` answer.
const KEY_LIMIT: u64 = 64 << 10;

/// The trust servers of one run: each registry's own, or one that was named.
#[derive(Clone, Debug)]
pub struct TrustServer {
    registry: Registry,
    named: Option<Url>,
}

/// What a request needs to be allowed.
#[derive(Clone, Copy)]
enum Access {
    Read,
    Write,
}

impl TrustServer {
    /// The trust server at `named`, or else each registry itself.
    pub fn new(registry: Registry, named: Option<Url>) -> Self {
        Self { registry, named }
    }

    /// The host that is asked for a repository's trust data.
    pub fn name(&self, repository: &Repository) -> String {
        let url = self.host(repository).url;
        url.port().map_or_else(
            || url.host_str().unwrap_or_default().to_owned(),
            |port| format!("{}:{port}", url.host_str().unwrap_or_default()),
        )
    }

    /// A file of the collection, such as `root.json`; `None` where the server has none.
    pub async fn get(
        &self,
        repository: &Repository,
        file: &str,
        limit: u64,
    ) -> Result<Option<Vec<u8>>, Error> {
        let host = self.host(repository);
        let what = format!("`{file}` of `{repository}`");
        let request = fresh(Request::get(
            Purpose::TrustServer,
            what.clone(),
            url(&host, repository, file),
            limit,
        ));
        let response = self
            .registry
            .session
            .send(&host, &scope(repository, Access::Read), request)
            .await?;
        match response.status {
            StatusCode::OK => Ok(Some(response.body.to_vec())),
            StatusCode::NOT_FOUND => Ok(None),
            StatusCode::METHOD_NOT_ALLOWED | StatusCode::FORBIDDEN
                if !is_about_access(&ServerMessage::of(&response)) =>
            {
                Err(Error::ContentTrustDisabled {
                    what,
                    host: host.name,
                    status: response.status,
                })
            }
            _ => Err(self
                .registry
                .session
                .refusal(&host, what, &response, false)
                .await),
        }
    }

    /// The public key that the server signs a role with, as JSON.
    pub async fn key(&self, repository: &Repository, role: &str) -> Result<Bytes, Error> {
        let host = self.host(repository);
        let what = format!("the server's {role} key of `{repository}`");
        let request = fresh(Request::get(
            Purpose::TrustServer,
            what.clone(),
            url(&host, repository, &format!("{role}.key")),
            KEY_LIMIT,
        ));
        let response = self
            .registry
            .session
            .send(&host, &scope(repository, Access::Write), request)
            .await?;
        match response.status {
            StatusCode::OK => Ok(response.body),
            StatusCode::METHOD_NOT_ALLOWED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND
                if !is_about_access(&ServerMessage::of(&response)) =>
            {
                Err(Error::ContentTrustDisabled {
                    what,
                    host: host.name,
                    status: response.status,
                })
            }
            _ => Err(self
                .registry
                .session
                .refusal(&host, what, &response, true)
                .await),
        }
    }

    /// Stores files, all or none: role and bytes.
    pub async fn publish(
        &self,
        repository: &Repository,
        files: &[(String, Vec<u8>)],
    ) -> Result<(), Error> {
        let host = self.host(repository);
        let what = format!("the publication of `{repository}`");
        let (boundary, body) = multipart(files);
        let mut request = Request::get(
            Purpose::TrustServer,
            what.clone(),
            url(&host, repository, ""),
            KEY_LIMIT,
        )
        .with_header(
            header::CONTENT_TYPE,
            &format!("multipart/form-data; boundary={boundary}"),
        );
        request.method = Method::POST;
        request.body = body.into();
        request.retry = Retry::Refused;
        let response = self
            .registry
            .session
            .send(&host, &scope(repository, Access::Write), request)
            .await?;
        if response.status.is_success() {
            return Ok(());
        }
        let (name, message) = (host.name.clone(), ServerMessage::of(&response));
        match response.status {
            _ if message.says_locked() => Err(self
                .registry
                .session
                .refusal(&host, what, &response, true)
                .await),
            StatusCode::BAD_REQUEST if message.code() == "VERSION" => {
                Err(Error::VersionConflict { what, host: name })
            }
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                let peer = Box::new(self.registry.session.peer(&host).await);
                Err(Error::SignerRoleMissing {
                    what,
                    peer,
                    status: response.status,
                })
            }
            StatusCode::METHOD_NOT_ALLOWED => Err(Error::ContentTrustDisabled {
                what,
                host: name,
                status: response.status,
            }),
            _ => Err(self
                .registry
                .session
                .refusal(&host, what, &response, true)
                .await),
        }
    }

    fn host(&self, repository: &Repository) -> Host {
        let mut host = self.registry.host(repository.registry());
        if repository.registry().as_str() == "docker.io" {
            // Docker Hub keeps trust data elsewhere, read without its login.
            host.url = Url::parse("https://notary.docker.io/").expect("a constant address");
        }
        if let Some(named) = &self.named {
            host.url = named.clone();
        }
        host
    }
}

/// Whether a 403 or 405 is about a firewall or a lock; else it says that the registry has no content trust.
fn is_about_access(message: &ServerMessage) -> bool {
    message.has("not allowed access") || message.says_locked()
}

fn url(host: &Host, repository: &Repository, file: &str) -> Url {
    let mut url = host.url.clone();
    url.set_path(&format!("/v2/{repository}/_trust/tuf/{file}"));
    url
}

/// The name in the scope is the GUN, with the host.
fn scope(repository: &Repository, access: Access) -> String {
    let actions = match access {
        Access::Read => "pull",
        Access::Write => "push,pull",
    };
    format!("repository:{repository}:{actions}")
}

/// `multipart/form-data` with the role as file name; a boundary that no part holds.
fn multipart(files: &[(String, Vec<u8>)]) -> (String, Vec<u8>) {
    let mut random = [0; 16];
    // Role files are ASCII JSON without line breaks, so any boundary line is absent from them.
    let _ = getrandom::fill(&mut random);
    let boundary: String = "acr-sign-"
        .chars()
        .chain(
            random
                .iter()
                .flat_map(|byte| format!("{byte:02x}").chars().collect::<Vec<_>>()),
        )
        .collect();
    let mut body = Vec::with_capacity(files.iter().map(|(_, bytes)| bytes.len() + 256).sum());
    for (role, bytes) in files {
        let head = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"files\"; filename=\"{role}\"\r\nContent-Type: application/octet-stream\r\n\r\n"
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    (boundary, body)
}
