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
const STARTING_WAIT: Duration = Duration::from_millis(500);
/// How often such an endpoint is asked again.
const STARTING_RETRIES: u32 = 3;
/// How long a token is kept whose life is not stated.
const UNSTATED_LIFE: Duration = Duration::from_secs(300);
/// How long the probe may take. The endpoint is on the machine's own host and answers in milliseconds; where there is
/// none, the address often leads nowhere, and nobody should wait for that.
const PROBE_TIME: Duration = Duration::from_secs(1);

/// A token; App Service and IMDS speak alike.
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
    if !response.status.is_success() {
        return Err(refusal(from, response.status, &document, client_id));
    }
    let token = document["access_token"].as_str().unwrap_or_default();
    if token.trim().is_empty() {
        return Err(IdentityError::NoToken { from: from.into() });
    }
    let life = &document["expires_in"];
    let life = life.as_u64().or_else(|| life.as_str()?.parse().ok());
    Ok((
        Secret::new(token.to_owned()),
        life.map_or(UNSTATED_LIFE, Duration::from_secs),
    ))
}

fn refusal(
    from: &str,
    status: StatusCode,
    document: &Value,
    client_id: Option<&str>,
) -> IdentityError {
    let text = |name: &str| document[name].as_str().unwrap_or_default();
    let (error, description) = (text("error"), text("error_description"));
    let said = [status.as_str(), error, description].join(" ");
    let hint = match client_id {
        None if description.to_ascii_lowercase().contains("multiple") => {
            "several user-assigned identities are on this machine: name one with `--client-id`; \
             `az identity list --query \"[].{name:name,clientId:clientId}\" --output table` lists them"
                .to_owned()
        }
        None => "this machine has no identity: `az vm identity assign --name VM --resource-group GROUP` gives it one \
                 (for a web app: `az webapp identity assign`)"
            .to_owned(),
        Some(client_id) => format!(
            "the identity `{client_id}` is not one of this machine: `az vm identity assign --name VM --resource-group \
             GROUP --identities IDENTITY` assigns it; `az identity list --query \"[?clientId=='{client_id}'].id\" \
             --output tsv` prints IDENTITY"
        ),
    };
    IdentityError::Refused {
        from: from.to_owned(),
        said: said.trim().to_owned(),
        hint,
    }
}

/// The endpoint answers 404 or 410 while it starts or is replaced, for seconds; the network edge takes both for
/// final, as they are everywhere else.
async fn send_while_starting(
    client: &Client,
    request: &Request,
) -> Result<Response, crate::net::Error> {
    let mut attempt = 0;
    loop {
        let response = client.send(request).await?;
        let starting = matches!(response.status, StatusCode::NOT_FOUND | StatusCode::GONE);
        let wait = STARTING_WAIT.saturating_mul(1 << attempt);
        if !starting
            || attempt == STARTING_RETRIES
            || tokio::time::Instant::now() + wait >= client.deadline()
        {
            return Ok(response);
        }
        tokio::time::sleep(wait).await;
        attempt += 1;
    }
}

/// Whether Azure's metadata service is at its address: one request without the header that the service demands,
/// which it refuses in a form of its own. Other clouds, captive portals and proxies answer there as well.
pub(super) async fn imds_answers(client: &Client) -> bool {
    let Ok(url) = IMDS.parse() else {
        return false;
    };
    let mut request = Request::get(Purpose::Entra, "the managed-identity probe", url, 4096);
    request.retry = Retry::Never;
    let probe = tokio::time::timeout(PROBE_TIME, client.send(&request));
    matches!(probe.await, Ok(Ok(response)) if is_of_imds(&response))
}

/// `400` with `error` and `error_description` in JSON: what IMDS says to a request without `Metadata: true`. While it
/// is replaced it answers 410 or 5xx, and is recognised by the name that it gives itself.
fn is_of_imds(response: &Response) -> bool {
    let names_itself = response
        .header("server")
        .is_some_and(|server| server.starts_with("IMDS/"));
    let document: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let refuses = response.status == StatusCode::BAD_REQUEST
        && document["error"].is_string()
        && document["error_description"].is_string();
    names_itself || refuses
}
