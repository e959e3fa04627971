//! ID tokens that an application proves itself with: from GitHub, from Azure Pipelines, or out of a file.
#![expect(
    clippy::indexing_slicing,
    reason = "into JSON only, where a missing member is null"
)]

use azure_core::http::ClientMethodOptions;
use azure_identity::ClientAssertion;
use http::Method;
use serde_json::Value;
use url::Url;

use super::{IdentityError, claims::claims};
use crate::{
    crypto::Secret,
    net::{Authorization, Client, Purpose, Request, Response},
};

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
        connection: String,
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
        tracing::debug!("assertion: {}", claims(&assertion));
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
    id_token(
        from,
        &response,
        "value",
        "give the job `permissions: id-token: write`",
    )
}

async fn pipelines(
    client: &Client,
    mut url: Url,
    connection: &str,
    bearer: &Secret,
) -> Result<String, IdentityError> {
    let from = "Azure Pipelines' token service";
    url.query_pairs_mut()
        .append_pair("api-version", "7.1")
        .append_pair("serviceConnectionId", connection);
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
    id_token(
        from,
        &response,
        "oidcToken",
        "map SYSTEM_ACCESSTOKEN: $(System.AccessToken) into the step, and let the pipeline use the service connection",
    )
}

fn id_token(
    from: &str,
    response: &Response,
    member: &str,
    hint: &str,
) -> Result<String, IdentityError> {
    if !response.status.is_success() {
        let said = format!("{}", response.status);
        return Err(IdentityError::Refused {
            from: from.to_owned(),
            said,
            hint: hint.to_owned(),
        });
    }
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
