//! Tokens from each kind of identity. Applications go through Microsoft's credentials, over our own transport.

use std::{sync::Arc, time::Duration};

use azure_core::http::{ClientOptions, RetryOptions, Transport as SdkTransport};
use azure_identity::{
    ClientAssertionCredential, ClientAssertionCredentialOptions, ClientSecretCredential,
    ClientSecretCredentialOptions,
};

use super::{
    Application, IdentityError, IdentitySource,
    assertion::Assertion,
    azure_cli,
    managed_identity::{self, IMDS},
    sdk::{ask, own_error},
    transport::Transport,
};
use crate::{
    crypto::Secret,
    net::{Authorization, Client},
};

/// A token of the identity for a scope, and its life.
pub(super) async fn token(
    client: &Client,
    chosen: &IdentitySource,
    scope: &str,
) -> Result<(Secret, Duration), IdentityError> {
    let (token, life) = acquire(client, chosen, scope).await?;
    client.announce(token.expose());
    Ok((token, life))
}

async fn acquire(
    client: &Client,
    chosen: &IdentitySource,
    scope: &str,
) -> Result<(Secret, Duration), IdentityError> {
    match chosen {
        IdentitySource::GitHub {
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
        IdentitySource::Pipelines {
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
        IdentitySource::File {
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
        IdentitySource::Secret {
            client: application,
            secret,
            ..
        } => with_secret(client, application, secret, scope).await,
        IdentitySource::AppService {
            endpoint,
            header,
            client_id,
        } => {
            let header = Authorization::Header {
                name: "x-identity-header",
                value: header.clone(),
            };
            managed_identity::token(
                client,
                endpoint.clone(),
                Some(header),
                client_id.as_deref(),
                scope,
            )
            .await
        }
        IdentitySource::Imds { client_id } => {
            let url = IMDS.parse().map_err(|_| IdentityError::NoToken {
                from: "IMDS".into(),
            })?;
            managed_identity::token(client, url, None, client_id.as_deref(), scope).await
        }
        IdentitySource::AzureCli { tenant_id, host } => {
            azure_cli::token(tenant_id.clone(), scope, *host).await
        }
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
        &*credential.map_err(|error| own_error("Entra", error))?,
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
        &*credential.map_err(|error| own_error("Entra", error))?,
        "Entra",
        scope,
    )
    .await
}
