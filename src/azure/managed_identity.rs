//! Managed identities: App Service's endpoint, and IMDS of a virtual machine. Both are asked directly, because the
//! SDK reads the process environment and retries a missing endpoint for minutes.
#![expect(
    clippy::indexing_slicing,
    reason = "into JSON only, where a missing member is null"
)]

use std::time::Duration;

use http::StatusCode;
use serde_json::Value;
use url::Url;

use super::IdentityError;
use crate::{
    crypto::Secret,
    net::{Authorization, Client, Purpose, Request, Response, Retry},
};

/// The virtual machine's endpoint.
pub(super) const IMDS: &str = "http://169.254.169.254/metadata/identity/oauth2/token";
/// The first wait for an endpoint that is starting; doubled each time.
const IMDS_WAIT: Duration = Duration::from_millis(500);
/// How often such an endpoint is asked again.
const IMDS_RETRIES: u32 = 3;

/// App Service and IMDS speak alike.
pub(super) async fn token(
    client: &Client,
    mut url: Url,
    header: Option<Authorization>,
    client_id: Option<&str>,
    scope: &str,
) -> Result<(Secret, Duration), IdentityError> {
    let from = "the managed-identity endpoint";
    let resource = scope.strip_suffix("/.default").unwrap_or(scope);
    url.query_pairs_mut()
        .append_pair("api-version", "2019-08-01")
        .append_pair("resource", resource);
    if let Some(client_id) = client_id {
        url.query_pairs_mut().append_pair("client_id", client_id);
    }
    let request = Request::get(Purpose::Entra, "a managed-identity token", url, 64 << 10)
        .with_header(http::HeaderName::from_static("metadata"), "true")
        .with_authorization(header);
    let response = send_while_starting(client, &request).await;
    let response = response.map_err(|cause| IdentityError::Net {
        from: from.into(),
        cause,
    })?;
    let document: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let text = |name: &str| document[name].as_str().unwrap_or_default().to_owned();
    if !response.status.is_success() {
        let said = format!(
            "{} {}: {}",
            response.status.as_u16(),
            text("error"),
            text("error_description")
        );
        let hint = if text("error_description")
            .to_ascii_lowercase()
            .contains("multiple")
        {
            "several user-assigned identities are on this machine: name one with `--client-id`"
        } else {
            "assign the identity to this machine; a user-assigned one is named with `--client-id`"
        };
        return Err(IdentityError::Refused {
            from: from.to_owned(),
            said,
            hint: hint.to_owned(),
        });
    }
    let seconds = |name: &str| {
        document[name]
            .as_u64()
            .or_else(|| document[name].as_str()?.parse().ok())
    };
    let life = seconds("expires_in").map_or(Duration::from_secs(300), Duration::from_secs);
    match text("access_token") {
        token if token.trim().is_empty() => Err(IdentityError::NoToken {
            from: from.to_owned(),
        }),
        token => Ok((Secret::new(token), life)),
    }
}

/// The endpoint answers 404 or 410 while it starts or is replaced, for seconds (azure reference §2.1); the
/// network edge takes both for final, as they are everywhere else.
async fn send_while_starting(
    client: &Client,
    request: &Request,
) -> Result<Response, crate::net::Error> {
    let mut attempt = 0;
    loop {
        let response = client.send(request).await?;
        let starting = matches!(response.status, StatusCode::NOT_FOUND | StatusCode::GONE);
        let wait = IMDS_WAIT.saturating_mul(1 << attempt);
        if !starting
            || attempt == IMDS_RETRIES
            || tokio::time::Instant::now() + wait >= client.deadline()
        {
            return Ok(response);
        }
        tokio::time::sleep(wait).await;
        attempt += 1;
    }
}

/// One request without the metadata header, which a real endpoint answers with 400; one second at most.
pub(super) async fn imds_answers(client: &Client) -> bool {
    let Ok(url) = IMDS.parse() else {
        return false;
    };
    let mut request = Request::get(Purpose::Entra, "the managed-identity probe", url, 4096);
    request.retry = Retry::Never;
    let probe = client.send(&request);
    matches!(
        tokio::time::timeout(Duration::from_secs(1), probe).await,
        Ok(Ok(_))
    )
}
