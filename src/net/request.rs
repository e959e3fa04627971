//! One request and its answer, as the modules above the edge state them.

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use url::Url;

use crate::crypto::Secret;

/// The kind of service a request is for; counted in the report.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Purpose {
    /// A registry, its token service included.
    Registry,
    /// A trust server.
    TrustServer,
    /// A key vault.
    Vault,
    /// Entra, managed identity, and the pipeline hosts' token services.
    Entra,
    /// Anything else.
    Other,
}

/// A credential, for the host of its request only.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Authorization {
    /// `Authorization: Bearer …`.
    Bearer(Secret),
    /// `Authorization: Basic …`.
    Basic {
        /// The user.
        user: String,
        /// The password.
        password: Secret,
    },
    /// A header of another name.
    Header {
        /// The name.
        name: &'static str,
        /// The value.
        value: Secret,
    },
}

/// Which redirects are followed: none, or at most 5 hops without credentials.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Redirects {
    /// None: a redirect is an error.
    Refuse,
    /// To `https` addresses that are not private, where no credential was sent: manifests.
    Https,
    /// To `https` addresses that are not private; a credential stays on the first hop: blobs.
    Blob,
    /// To `https` and `http` addresses that are not private: CRLs.
    Http,
}

/// Whether a request may be sent again after a failure.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Retry {
    /// Repeating it changes nothing more.
    Safe,
    /// Only when the service said that it did nothing (429, 503), or no connection came about.
    Refused,
    /// Not at all.
    Never,
}

/// A request.
#[derive(Clone, Debug)]
pub struct Request {
    /// What it is for.
    pub purpose: Purpose,
    /// What is asked for, in a person's words: `the manifest of …`.
    pub what: String,
    /// The method.
    pub method: Method,
    /// The address.
    pub url: Url,
    /// Headers without credentials.
    pub headers: HeaderMap,
    /// The credential.
    pub authorization: Option<Authorization>,
    /// The body.
    pub body: Bytes,
    /// Bytes that the answer may have, decompressed.
    pub limit: u64,
    /// Which redirects are followed.
    pub redirects: Redirects,
    /// Whether it may be sent again.
    pub retry: Retry,
    /// The address comes from a certificate or from `--timestamp-url`: it may be plain http
    /// and must not be private, unless `--allow-private` names it (G18).
    pub outside: bool,
}

impl Request {
    /// A GET without credential and redirects, answered in at most `limit` bytes.
    pub fn get(purpose: Purpose, what: impl Into<String>, url: Url, limit: u64) -> Self {
        Self {
            purpose,
            what: what.into(),
            method: Method::GET,
            url,
            headers: HeaderMap::new(),
            authorization: None,
            body: Bytes::new(),
            limit,
            redirects: Redirects::Refuse,
            retry: Retry::Safe,
            outside: false,
        }
    }

    /// A POST of a form, answered in at most 64 KiB; safe to repeat, as token requests are.
    pub fn post_form(
        purpose: Purpose,
        what: impl Into<String>,
        url: Url,
        form: &[(&str, &str)],
    ) -> Self {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish();
        let mut request = Self::get(purpose, what, url, 64 << 10);
        request.method = Method::POST;
        request.body = body.into();
        request.with_header(
            http::header::CONTENT_TYPE,
            "application/x-www-form-urlencoded",
        )
    }

    /// To an address from a certificate or from `--timestamp-url`; never with a credential.
    #[must_use]
    pub fn outside(mut self) -> Self {
        self.outside = true;
        self
    }

    /// With a further header.
    #[must_use]
    pub fn with_header(mut self, name: http::HeaderName, value: &str) -> Self {
        if let Ok(value) = value.parse() {
            self.headers.insert(name, value);
        }
        self
    }

    /// With a credential.
    #[must_use]
    pub fn with_authorization(mut self, authorization: Option<Authorization>) -> Self {
        self.authorization = authorization;
        self
    }
}

/// An answer of any status, read completely.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// The address that answered, after redirects.
    pub url: Url,
}

impl Response {
    /// A header, if there and text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}
