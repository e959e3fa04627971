//! Our network edge as the transport of Microsoft's crates. Its errors are of a kind that the SDK does not
//! retry, Entra's refusals are read here (the SDK's own reading of them fails), and a refused token is noted.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use azure_core::{
    error::ErrorKind,
    http::{
        AsyncRawResponse, Body, HttpClient, StatusCode as SdkStatus,
        headers::{HeaderName, HeaderValue, Headers},
        request::Request as SdkRequest,
    },
};
use http::Method;

use super::{IdentityError, entra::Refusal};
use crate::net::{Client, Purpose, Request, Response};

/// Bytes of a vault's or Entra's answer; a secret may hold a certificate chain.
const LIMIT: u64 = 256 << 10;

/// The transport of one SDK client.
#[derive(Debug)]
pub(super) struct Transport {
    client: Client,
    purpose: Purpose,
    /// Set when a request that carried a token was answered with 401 (K05).
    pub(super) token_refused: Arc<AtomicBool>,
}

impl Transport {
    /// For token requests.
    pub(super) fn for_entra(client: Client) -> Self {
        Self {
            client,
            purpose: Purpose::Entra,
            token_refused: Arc::default(),
        }
    }

    /// For a vault.
    pub(super) fn for_vault(client: Client, token_refused: Arc<AtomicBool>) -> Self {
        Self {
            client,
            purpose: Purpose::Vault,
            token_refused,
        }
    }
}

#[async_trait::async_trait]
impl HttpClient for Transport {
    async fn execute_request(&self, request: &SdkRequest) -> azure_core::Result<AsyncRawResponse> {
        let translated = self.translate(request)?;
        let carried_token = translated.headers.contains_key(http::header::AUTHORIZATION);
        let response = self
            .client
            .send(&translated)
            .await
            .map_err(|cause| match self.purpose {
                Purpose::Entra => other(IdentityError::Net {
                    from: "Entra".into(),
                    cause,
                }),
                _ => other(NetFailure(cause)),
            })?;
        if response.status == http::StatusCode::UNAUTHORIZED && carried_token {
            self.token_refused.store(true, Ordering::SeqCst);
        }
        if self.purpose == Purpose::Entra && !response.status.is_success() {
            return Err(other(
                Refusal::of_response(&response, &translated).into_error(),
            ));
        }
        Ok(raw(&response))
    }
}

impl Transport {
    fn translate(&self, request: &SdkRequest) -> azure_core::Result<Request> {
        let what = match self.purpose {
            Purpose::Entra => "a token".to_owned(),
            _ => format!("`{}`", request.url().path().trim_matches('/')),
        };
        let mut translated = Request::get(self.purpose, what, request.url().clone(), LIMIT);
        translated.method =
            Method::from_bytes(request.method().as_str().as_bytes()).map_err(other)?;
        for (name, value) in request.headers().iter() {
            let name = http::HeaderName::from_bytes(name.as_str().as_bytes()).map_err(other)?;
            let mut value = http::HeaderValue::from_str(value.as_str()).map_err(other)?;
            value.set_sensitive(name == http::header::AUTHORIZATION);
            translated.headers.insert(name, value);
        }
        if let Body::Bytes(bytes) = request.body() {
            translated.body = bytes.clone();
        }
        Ok(translated)
    }
}

/// A network error on its way through the SDK.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(super) struct NetFailure(pub(super) crate::net::Error);

fn other(error: impl std::error::Error + Send + Sync + 'static) -> azure_core::Error {
    azure_core::Error::new(ErrorKind::Other, error)
}

fn raw(response: &Response) -> AsyncRawResponse {
    let mut headers = Headers::new();
    for (name, value) in &response.headers {
        if let Ok(value) = value.to_str() {
            headers.insert(
                HeaderName::from(name.as_str().to_owned()),
                HeaderValue::from(value.to_owned()),
            );
        }
    }
    AsyncRawResponse::from_bytes(
        SdkStatus::from(response.status.as_u16()),
        headers,
        response.body.clone(),
    )
}
