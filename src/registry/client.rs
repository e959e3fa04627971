//! Manifests of an OCI registry. A tag is resolved with one GET whose bytes are hashed here (G02, G03, N03).

use std::sync::Arc;

use bytes::Bytes;
use http::header;
use url::Url;

use super::{
    Error, Logins,
    referrers::ReferrersSupport,
    session::{Host, Session},
};
use crate::{
    net::{Client, Purpose, Redirects, Request, Response},
    oci::{Descriptor, Digest, MediaType, Reference, RegistryHost, manifest},
};

/// Bytes of a manifest (the OCI distribution specification asks registries to take at least 4 MiB).
pub(super) const MANIFEST_LIMIT: u64 = 4 << 20;

/// What a reference resolved to.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// Type, digest and size of the manifest.
    pub descriptor: Descriptor,
    /// Its bytes.
    pub bytes: Bytes,
}

/// Registries, with the logins and tokens of one run.
#[derive(Clone, Debug)]
pub struct Registry {
    pub(super) session: Arc<Session>,
    pub(super) known: Arc<ReferrersSupport>,
}

impl Registry {
    /// Asks nothing yet.
    pub fn new(client: Client, logins: Arc<Logins>) -> Self {
        Self {
            session: Arc::new(Session::new(client, logins)),
            known: Arc::default(),
        }
    }

    /// The manifest that a reference names: by its digest if it has one, else by its tag.
    pub async fn resolve(&self, image: &Reference) -> Result<Resolved, Error> {
        let host = self.host(image.repository.registry());
        let wanted = image
            .digest
            .as_ref()
            .map_or_else(|| image.tag_or_latest().to_string(), ToString::to_string);
        let path = format!("/v2/{}/manifests/{wanted}", api_path(image));
        let mut url = host.url.clone();
        url.set_path(&path);
        let mut request = Request::get(
            Purpose::Registry,
            format!("the manifest of `{image}`"),
            url,
            MANIFEST_LIMIT,
        );
        // One line: some registries and proxies read only the first of several.
        request = request.with_header(header::ACCEPT, &manifest::ACCEPTED.join(", "));
        request.redirects = Redirects::Https;
        let scope = format!("repository:{}:pull", image.repository.path());
        let what = request.what.clone();
        let response = self.session.send(&host, &scope, request).await?;
        if response.status.is_success() {
            resolved(image, &host, what, response)
        } else {
            let error = self.session.refusal(&host, what, &response, false).await;
            Err(self.missing(image, error).await)
        }
    }

    /// The host that answers for a registry's name.
    pub(super) fn host(&self, registry: &RegistryHost) -> Host {
        let hosts = self.session.client().hosts();
        let api = if registry.as_str() == "docker.io" {
            "registry-1.docker.io"
        } else {
            registry.as_str()
        };
        let scheme = hosts.scheme(registry.host(), registry.port());
        let url = Url::parse(&format!("{scheme}://{api}/"))
            .expect("a registry host is a host of an address");
        Host {
            registry: url.clone(),
            url,
            name: registry.to_string(),
        }
    }
}

fn api_path(image: &Reference) -> &str {
    image.repository.path()
}

fn resolved(
    image: &Reference,
    host: &Host,
    what: String,
    response: Response,
) -> Result<Resolved, Error> {
    let media_type = MediaType::new(response.header("content-type").unwrap_or_default());
    manifest::check(&response.body, &media_type).map_err(|cause| Error::Manifest {
        what: what.clone(),
        host: host.name.clone(),
        cause,
    })?;
    let digest = match &image.digest {
        Some(asked) if asked.matches(&response.body) => asked.clone(),
        Some(_) => {
            return Err(Error::OtherBytes {
                what,
                host: host.name.clone(),
            });
        }
        None => Digest::sha256(&response.body),
    };
    let size = u64::try_from(response.body.len()).unwrap_or(u64::MAX);
    Ok(Resolved {
        descriptor: Descriptor {
            media_type,
            digest,
            size,
        },
        bytes: response.body,
    })
}
