//! Tokens from each kind of identity. Applications go through Microsoft's credentials; managed identities are
//! asked directly, because the SDK reads the process environment and retries a missing endpoint for minutes.
#![expect(
    clippy::indexing_slicing,
    reason = "into JSON only, where a missing member is null"
)]

use std::{sync::Arc, time::Duration};

use azure_core::{
    credentials::TokenCredential,
    http::{ClientMethodOptions, ClientOptions, RetryOptions, Transport as SdkTransport},
};
use azure_identity::{
    AzureCliCredential, AzureCliCredentialOptions, ClientAssertion, ClientAssertionCredential,
    ClientAssertionCredentialOptions, ClientSecretCredential, ClientSecretCredentialOptions,
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use http::Method;
use serde_json::Value;
use url::Url;

use super::{Application, Chosen, Identities, IdentityError, transport::Transport};
use crate::{
    crypto::Secret,
    net::{Authorization, Client, Purpose, Request, Response},
    process::Environment,
};

/// The virtual machine's endpoint.
pub(super) const IMDS: &str = "http://169.254.169.254/metadata/identity/oauth2/token";
/// The first wait for an endpoint that is starting; doubled each time.
const IMDS_WAIT: Duration = Duration::from_millis(500);
/// How often such an endpoint is asked again.
const IMDS_RETRIES: u32 = 3;
/// How long the az CLI may take.
const CLI_TIME: Duration = Duration::from_secs(30);

/// A token of the identity for a scope, and its life.
pub(super) async fn token(
    identities: &Identities,
    chosen: &Chosen,
    scope: &str,
) -> Result<(Secret, Duration), IdentityError> {
    let client = identities.client();
    let (token, life) = acquire(client, chosen, scope).await?;
    client.announce(token.expose());
    Ok((token, life))
}

async fn acquire(
    client: &Client,
    chosen: &Chosen,
    scope: &str,
) -> Result<(Secret, Duration), IdentityError> {
    match chosen {
        Chosen::GitHub {
            client: application,
            url,
            bearer,
        } => {
            let assertion = Assertion::GitHub {
                client: client.clone(),
                url: url.clone(),
                bearer: bearer.clone(),
            };
            with_assertion(client, application, assertion, scope).await
        }
        Chosen::Pipelines {
            client: application,
            connection,
            url,
            bearer,
        } => {
            let assertion = Assertion::Pipelines {
                client: client.clone(),
                url: url.clone(),
                connection: connection.clone(),
                bearer: bearer.clone(),
            };
            with_assertion(client, application, assertion, scope).await
        }
        Chosen::File {
            client: application,
            path,
        } => {
            with_assertion(
                client,
                application,
                Assertion::File {
                    client: client.clone(),
                    path: path.clone(),
                },
                scope,
            )
            .await
        }
        Chosen::Secret {
            client: application,
            secret,
            ..
        } => with_secret(client, application, secret, scope).await,
        Chosen::AppService {
            endpoint,
            header,
            client_id,
        } => {
            let header = Authorization::Header {
                name: "x-identity-header",
                value: header.clone(),
            };
            managed(
                client,
                endpoint.clone(),
                Some(header),
                client_id.as_deref(),
                scope,
            )
            .await
        }
        Chosen::Imds { client_id } => {
            let url = IMDS.parse().map_err(|_| IdentityError::NoToken {
                from: "IMDS".into(),
            })?;
            managed(client, url, None, client_id.as_deref(), scope).await
        }
        Chosen::AzureCli { tenant_id } => with_cli(tenant_id.clone(), scope).await,
    }
}

/// The SDK's client options over our network edge; its own retries are off, ours are below.
fn client_options(client: &Client, application: &Application) -> ClientOptions {
    let mut custom = azure_core::cloud::CustomConfiguration::default();
    application
        .authority
        .as_str()
        .trim_end_matches('/')
        .clone_into(&mut custom.authority_host);
    ClientOptions {
        retry: RetryOptions::none(),
        transport: Some(SdkTransport::new(Arc::new(Transport::for_entra(
            client.clone(),
        )))),
        cloud: Some(Arc::new(azure_core::cloud::CloudConfiguration::Custom(
            custom,
        ))),
        ..ClientOptions::default()
    }
}

async fn with_secret(
    client: &Client,
    application: &Application,
    secret: &Secret,
    scope: &str,
) -> Result<(Secret, Duration), IdentityError> {
    let options = ClientSecretCredentialOptions {
        client_options: client_options(client, application),
    };
    let secret = azure_core::credentials::Secret::new(secret.expose().to_owned());
    let credential = ClientSecretCredential::new(
        &application.tenant,
        application.id.clone(),
        secret,
        Some(options),
    );
    ask(
        &*credential.map_err(|error| sdk("Entra", error))?,
        "Entra",
        scope,
    )
    .await
}

async fn with_assertion(
    client: &Client,
    application: &Application,
    assertion: Assertion,
    scope: &str,
) -> Result<(Secret, Duration), IdentityError> {
    let options = ClientAssertionCredentialOptions {
        client_options: client_options(client, application),
    };
    let credential = ClientAssertionCredential::new(
        application.tenant.clone(),
        application.id.clone(),
        assertion,
        Some(options),
    );
    ask(
        &*credential.map_err(|error| sdk("Entra", error))?,
        "Entra",
        scope,
    )
    .await
}

async fn with_cli(
    tenant_id: Option<String>,
    scope: &str,
) -> Result<(Secret, Duration), IdentityError> {
    let options = AzureCliCredentialOptions {
        tenant_id,
        ..AzureCliCredentialOptions::default()
    };
    let credential = AzureCliCredential::new(Some(options)).map_err(|error| sdk("az", error))?;
    match tokio::time::timeout(CLI_TIME, ask(&*credential, "az", scope)).await {
        Ok(outcome) => outcome,
        Err(_) => Err(IdentityError::Local {
            what: "az".into(),
            cause: "it did not end within 30 s".into(),
        }),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the SDK states a token's end by the clock"
)]
async fn ask(
    credential: &dyn TokenCredential,
    from: &str,
    scope: &str,
) -> Result<(Secret, Duration), IdentityError> {
    let token = credential
        .get_token(&[scope], None)
        .await
        .map_err(|error| sdk(from, error))?;
    // The SDK takes an answer without a token for an empty one, and would send that.
    if token.token.secret().trim().is_empty() {
        return Err(IdentityError::NoToken {
            from: from.to_owned(),
        });
    }
    let life = token.expires_on - azure_core::time::OffsetDateTime::now_utc();
    Ok((
        Secret::new(token.token.secret().to_owned()),
        Duration::try_from(life).unwrap_or_default(),
    ))
}

/// Our own error where it came through the SDK; else what the SDK says, all of it.
fn sdk(from: &str, error: azure_core::Error) -> IdentityError {
    let mut error: Box<dyn std::error::Error + Send + Sync> = Box::new(error);
    loop {
        error = match error.downcast::<azure_core::Error>() {
            Ok(inner) => match inner.into_inner() {
                Ok(deeper) => deeper,
                Err(last) => {
                    return IdentityError::Local {
                        what: from.to_owned(),
                        cause: Box::new(last),
                    };
                }
            },
            Err(other) => match other.downcast::<IdentityError>() {
                Ok(own) => return *own,
                Err(foreign) => {
                    return IdentityError::Local {
                        what: from.to_owned(),
                        cause: foreign,
                    };
                }
            },
        };
    }
}

/// Where an application's assertion comes from; asked for at every token request, as they live for minutes.
#[derive(Debug)]
enum Assertion {
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

/// App Service and IMDS speak alike.
async fn managed(
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
        let starting = matches!(
            response.status,
            http::StatusCode::NOT_FOUND | http::StatusCode::GONE
        );
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

/// Whether az is on the path and has an account.
pub(super) async fn azure_cli_is_logged_in(environment: &Environment) -> bool {
    let Some(path) = environment.get("PATH") else {
        return false;
    };
    let mut command = tokio::process::Command::new(if cfg!(windows) { "az.cmd" } else { "az" });
    command
        .args(["account", "show", "--output", "none"])
        .env("PATH", path)
        .kill_on_drop(true);
    command
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null());
    let Ok(mut child) = command.spawn() else {
        return false;
    };
    matches!(tokio::time::timeout(CLI_TIME, child.wait()).await, Ok(Ok(status)) if status.success())
}

/// Who a token says it is about, for `-vv` and for hints; never the token itself.
pub(super) fn claims(token: &str) -> String {
    let part = token
        .split('.')
        .nth(1)
        .and_then(|part| BASE64_URL_SAFE_NO_PAD.decode(part).ok());
    let claims: Value = part
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or_default();
    let text = |name: &str| claims[name].as_str().unwrap_or("?").to_owned();
    format!(
        "issuer `{}`, subject `{}`, audience `{}`",
        text("iss"),
        text("sub"),
        text("aud")
    )
}
