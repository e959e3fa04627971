//! One hop: one request on the wire with its credential, and its answer, read with a bound.

use std::sync::atomic::Ordering;

use futures::StreamExt as _;
use http::{HeaderMap, HeaderValue, Method, header};
use url::Url;

use super::Client;
use crate::{
    crypto::Secret,
    net::{
        Authorization, Error, Request, Response, SafeUrl,
        failure::{failed, host},
        retry,
    },
};

/// Bytes of an answer that refuses something: it is only read for its message.
const REFUSAL_LIMIT: u64 = 64 << 10;

impl Client {
    /// One request and its answer, read to the end. Credentials go out on the first hop only (G05).
    pub(super) async fn exchange(
        &self,
        request: &Request,
        url: &Url,
        hop: usize,
    ) -> Result<Response, Error> {
        self.0.counts.add(request.purpose, hop);
        let client = self
            .0
            .connections
            .client(&self.0.hosts, url, hop > 0 || request.outside);
        let mut headers = request.headers.clone();
        if hop == 0 {
            authorize(&mut headers, request.authorization.as_ref());
            for secret in sent_as(request.authorization.as_ref()) {
                self.0.mask.remember(&secret);
            }
        } else {
            // The SDK's requests carry theirs among the headers.
            headers.remove(header::AUTHORIZATION);
        }
        let connected = self.0.connections.address(url, &mut headers);
        let method = if hop == 0 {
            request.method.clone()
        } else {
            Method::GET
        };
        let body = if hop == 0 {
            request.body.clone()
        } else {
            bytes::Bytes::new()
        };
        let sent = client
            .request(method, connected)
            .headers(headers)
            .body(body)
            .send()
            .await;
        let answer = sent.map_err(|error| failed(request, url, hop, error))?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let limit = if status.is_success() {
            request.limit
        } else {
            REFUSAL_LIMIT
        };
        let mut body = read(request, url, answer, limit, hop).await?;
        if !status.is_success() {
            // The message of a failure must not contain what the service was sent.
            body = self.0.mask.hide(body);
        }
        tracing::debug!(method = %request.method, url = %SafeUrl::new(url.clone()), status = status.as_u16(), bytes = body.len(), "answered");
        let response = Response {
            status,
            headers,
            body: body.into(),
            url: url.clone(),
        };
        self.note_date(&response);
        Ok(response)
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "compares this machine's clock with the service's, for a hint only"
    )]
    fn note_date(&self, response: &Response) {
        if let Some(theirs) = retry::date(response) {
            let ours = time::OffsetDateTime::now_utc().unix_timestamp();
            self.0
                .skew_seconds
                .store(theirs.unix() - ours, Ordering::Relaxed);
        }
    }
}

fn authorize(headers: &mut HeaderMap, authorization: Option<&Authorization>) {
    let (name, value) = match authorization {
        None => return,
        Some(Authorization::Bearer(token)) => (
            header::AUTHORIZATION,
            Secret::new(format!("Bearer {}", token.expose())),
        ),
        Some(Authorization::Basic { user, password }) => (
            header::AUTHORIZATION,
            Secret::new(format!("Basic {}", pair(user, password).expose())),
        ),
        Some(Authorization::Header { name, value }) => {
            (http::HeaderName::from_static(name), value.clone())
        }
    };
    // A token with a line break is not a token: the service will refuse the request.
    if let Ok(mut value) = HeaderValue::from_str(value.expose()) {
        value.set_sensitive(true);
        headers.insert(name, value);
    }
}

/// The secrets of an authorization, in the forms in which they are sent.
fn sent_as(authorization: Option<&Authorization>) -> Vec<Secret> {
    match authorization {
        None => Vec::new(),
        Some(Authorization::Bearer(token)) => vec![token.clone()],
        Some(Authorization::Basic { user, password }) => {
            vec![pair(user, password), password.clone()]
        }
        Some(Authorization::Header { value, .. }) => vec![value.clone()],
    }
}

/// User and password as `Basic` sends them.
fn pair(user: &str, password: &Secret) -> Secret {
    use base64::{Engine as _, prelude::BASE64_STANDARD};
    let pair = Secret::new(format!("{user}:{}", password.expose()));
    Secret::new(BASE64_STANDARD.encode(pair.expose()))
}

/// The body, at most `limit` bytes after decompression.
async fn read(
    request: &Request,
    url: &Url,
    answer: reqwest::Response,
    limit: u64,
    hop: usize,
) -> Result<Vec<u8>, Error> {
    let too_large = || Error::TooLarge {
        what: request.what.clone(),
        host: host(url),
        limit,
    };
    let limit_bytes = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut body = Vec::new();
    let mut chunks = answer.bytes_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|error| failed(request, url, hop, error))?;
        if body.len().saturating_add(chunk.len()) > limit_bytes {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::{
        super::loopback::{OK, client, request, server},
        *,
    };

    #[tokio::test]
    async fn p06_what_the_headers_carry_does_not_go_where_a_redirect_leads() {
        let (there, asked) = server(&[OK]).await;
        let headers: HeaderMap = [(
            header::AUTHORIZATION,
            HeaderValue::from_static("Bearer canary"),
        )]
        .into_iter()
        .collect();
        let host = format!("127.0.0.1:{there}");
        let mut request = request(&format!("http://{host}/"));
        (request.headers, request.authorization) = (
            headers,
            Some(Authorization::Bearer(Secret::new("canary".into()))),
        );
        let client = client(&host, &[]);
        for hop in [0, 1] {
            client.exchange(&request, &request.url, hop).await.unwrap();
        }
        let asked = asked.lock().unwrap();
        assert!(
            asked[0].contains("canary") && !asked[1].contains("canary"),
            "{asked:?}"
        );
    }

    #[tokio::test]
    async fn g07_a_body_beyond_its_bound_is_not_read_on() {
        const LONG: &str = concat!(
            "HTTP/1.1 200 OK\r\ncontent-length: 40\r\nconnection: close\r\n\r\n",
            "0123456789012345678901234567890123456789"
        );
        let (port, _) = server(&[LONG]).await;
        let host = format!("127.0.0.1:{port}");
        let mut request = request(&format!("http://{host}/"));
        request.limit = 39;
        let answer = client(&host, &[]).send(&request).await;
        assert!(
            matches!(answer, Err(Error::TooLarge { limit: 39, .. })),
            "{answer:?}"
        );
    }
}
