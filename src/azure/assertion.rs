//! ID tokens that an application proves itself with: from GitHub, from Azure Pipelines, or out of a file.
#![expect(
    clippy::indexing_slicing,
    reason = "into JSON only, where a missing member is null"
)]

use azure_core::http::ClientMethodOptions;
use azure_identity::ClientAssertion;
use http::{Method, StatusCode};
use serde_json::Value;
use url::Url;

use super::{IdentityError, claims::Claims, service_connection::ServiceConnection};
use crate::{
    crypto::Secret,
    net::{Authorization, Client, Purpose, Request, Response},
};

/// Characters of a refusal that are shown: it may be a whole page.
const SHOWN: usize = 300;

/// Where an application's assertion comes from; asked for at every token request, as they live for minutes.
#[derive(Debug)]
pub(super) enum Assertion {
    GitHub {
        client: Client,
        url: Url,
        bearer: Secret,
    },
    Pipelines {
        client: Client,
        url: Url,
        connection: ServiceConnection,
        bearer: Secret,
    },
    File {
        client: Client,
        path: std::path::PathBuf,
    },
}

#[async_trait::async_trait]
impl ClientAssertion for Assertion {
    async fn secret(&self, _: Option<ClientMethodOptions<'_>>) -> azure_core::Result<String> {
        let (client, assertion) = match self {
            Self::GitHub {
                client,
                url,
                bearer,
            } => (client, github(client, url.clone(), bearer).await),
            Self::Pipelines {
                client,
                url,
                connection,
                bearer,
            } => (
                client,
                pipelines(client, url.clone(), connection, bearer).await,
            ),
            Self::File { client, path } => (client, read(path).await),
        };
        let assertion = assertion
            .map_err(|error| azure_core::Error::new(azure_core::error::ErrorKind::Other, error))?;
        client.announce(&assertion);
        tracing::debug!("ID token: {}", Claims::of(&assertion));
        Ok(assertion)
    }
}

async fn github(client: &Client, mut url: Url, bearer: &Secret) -> Result<String, IdentityError> {
    let from = "GitHub's token service";
    url.query_pairs_mut()
        .append_pair("audience", client.hosts().cloud.federation_audience());
    let request = Request::get(Purpose::Entra, "the job's ID token", url, 64 << 10)
        .with_authorization(Some(Authorization::Bearer(bearer.clone())));
    let response = client
        .send(&request)
        .await
        .map_err(|cause| IdentityError::Net {
            from: from.into(),
            cause,
        })?;
    if !response.status.is_success() {
        return Err(refusal(
            from,
            &response,
            "run the job again; if it goes on, check that it still has `permissions: id-token: write`".to_owned(),
        ));
    }
    id_token(from, &response, "value")
}

async fn pipelines(
    client: &Client,
    mut url: Url,
    connection: &ServiceConnection,
    bearer: &Secret,
) -> Result<String, IdentityError> {
    let from = "Azure Pipelines' token service";
    url.query_pairs_mut()
        .append_pair("api-version", "7.1")
        .append_pair("serviceConnectionId", &connection.id);
    let mut request = Request::get(
        Purpose::Entra,
        "the service connection's ID token",
        url,
        64 << 10,
    )
    .with_authorization(Some(Authorization::Bearer(bearer.clone())))
    .with_header(http::header::CONTENT_TYPE, "application/json")
    .with_header(
        http::HeaderName::from_static("x-tfs-fedauthredirect"),
        "Suppress",
    );
    request.method = Method::POST;
    let response = client
        .send(&request)
        .await
        .map_err(|cause| IdentityError::Net {
            from: from.into(),
            cause,
        })?;
    if !response.status.is_success() {
        let hint = if response.status == StatusCode::UNAUTHORIZED {
            format!(
                "the job's token was not accepted: {}; {}",
                connection.access_token(),
                connection.permit()
            )
        } else {
            connection.permit()
        };
        return Err(refusal(
            &format!("{from} for {connection}"),
            &response,
            hint,
        ));
    }
    id_token(from, &response, "oidcToken")
}

/// What a token service said: its `message`, or the beginning of whatever it sent.
fn refusal(from: &str, response: &Response, hint: String) -> IdentityError {
    let document: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let message = document["message"].as_str().map_or_else(
        || String::from_utf8_lossy(&response.body).into_owned(),
        ToOwned::to_owned,
    );
    let message: Vec<&str> = message.split_whitespace().collect();
    let message: String = message.join(" ").chars().take(SHOWN).collect();
    let status = response.status;
    IdentityError::Refused {
        from: from.to_owned(),
        said: if message.is_empty() {
            status.to_string()
        } else {
            format!("{} {message}", status.as_u16())
        },
        hint,
    }
}

fn id_token(from: &str, response: &Response, member: &str) -> Result<String, IdentityError> {
    let document: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let token = document[member]
        .as_str()
        .filter(|token| !token.trim().is_empty());
    token
        .map(ToOwned::to_owned)
        .ok_or_else(|| IdentityError::NoToken {
            from: from.to_owned(),
        })
}

async fn read(path: &std::path::Path) -> Result<String, IdentityError> {
    let failed = |cause| IdentityError::Local {
        what: format!("the token file `{}`", path.display()),
        cause,
    };
    let text = tokio::fs::read_to_string(path)
        .await
        .map_err(|error| failed(error.into()))?;
    match text.trim() {
        "" => Err(failed("it is empty".into())),
        token => Ok(token.to_owned()),
    }
}
