//! Which identity: picked once, by what the environment offers, in one fixed order. There is no second try
//! after a real failure (K07).

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::{Mutex, OnceCell};

use super::{
    IdentityError, IdentitySource, azure_cli,
    environment_probe::{EnvironmentProbe, missing},
    managed_identity, token,
};
use crate::{crypto::Secret, net::Client, process::Environment, report::AzureAuth};

/// Tokens are renewed this long before they end.
const MARGIN: Duration = Duration::from_secs(120);

/// `--auth`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Auth {
    /// By what the environment offers.
    #[default]
    Auto,
    /// GitHub Actions OIDC.
    Oidc,
    /// Azure Pipelines service connection.
    ServiceConnection,
    /// Kubernetes workload identity.
    WorkloadIdentity,
    /// Managed identity.
    ManagedIdentity,
    /// Client secret in the environment.
    Environment,
    /// The az CLI.
    AzureCli,
    /// None.
    None,
}

/// What decides the identity.
#[derive(Clone, Debug, Default)]
pub struct IdentityOptions {
    /// `--auth`.
    pub auth: Auth,
    /// `--client-id`.
    pub client_id: Option<String>,
    /// `--tenant-id`.
    pub tenant_id: Option<String>,
    /// `--service-connection-id`.
    pub service_connection_id: Option<String>,
    /// The environment of the process.
    pub environment: Environment,
}

/// Where an identity stands in the order of registry logins.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum IdentityKind {
    /// Before docker's logins.
    Identity,
    /// After them.
    AzureCli,
}

/// The identity of one run and its tokens, one per scope.
#[derive(Clone, Debug)]
pub struct Identities(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    client: Client,
    options: IdentityOptions,
    chosen: OnceCell<Option<IdentitySource>>,
    tokens: Mutex<BTreeMap<String, Arc<Mutex<Option<CachedToken>>>>>,
}

#[derive(Debug)]
struct CachedToken {
    token: Secret,
    end: Instant,
}

impl Identities {
    /// Picks nothing yet: what needs no identity asks for none.
    pub fn new(client: Client, options: IdentityOptions) -> Self {
        Self(Arc::new(Inner {
            client,
            options,
            chosen: OnceCell::new(),
            tokens: Mutex::default(),
        }))
    }

    /// The client that its requests go through.
    pub fn client(&self) -> &Client {
        &self.0.client
    }

    /// Where the identity stands among registry logins; `None` if there is none.
    pub async fn kind(&self) -> Result<Option<IdentityKind>, IdentityError> {
        Ok(self.chosen().await?.map(|chosen| match chosen {
            IdentitySource::AzureCli { .. } => IdentityKind::AzureCli,
            _ => IdentityKind::Identity,
        }))
    }

    /// The identity as the report names it, if it was picked.
    pub fn report(&self) -> Option<AzureAuth> {
        self.0.chosen.get()?.as_ref().map(IdentitySource::report)
    }

    /// A token for a scope; a new one if what came of the last was refused.
    pub async fn renewed_token(&self, scope: &str, refused: bool) -> Result<Secret, IdentityError> {
        Ok(self.token_with_end(scope, refused).await?.0)
    }

    /// A token for a scope and its end; a new one if the last was refused (K05).
    pub(super) async fn token_with_end(
        &self,
        scope: &str,
        refused: bool,
    ) -> Result<(Secret, Instant), IdentityError> {
        let slot = self
            .0
            .tokens
            .lock()
            .await
            .entry(scope.to_owned())
            .or_default()
            .clone();
        let mut held = slot.lock().await;
        if let Some(held) = held
            .as_ref()
            .filter(|held| !refused && Instant::now() + MARGIN < held.end)
        {
            return Ok((held.token.clone(), held.end));
        }
        let chosen = self
            .chosen()
            .await?
            .ok_or_else(|| IdentityError::Unavailable {
                looked_for: looked_for(&self.0.options),
            })?;
        let (token, life) = token::token(self, chosen, scope).await?;
        let end = Instant::now() + life;
        *held = Some(CachedToken {
            token: token.clone(),
            end,
        });
        Ok((token, end))
    }

    async fn chosen(&self) -> Result<Option<&IdentitySource>, IdentityError> {
        let chosen = self.0.chosen.get_or_try_init(|| async {
            let chosen = self.choose().await?;
            if let Some(chosen) = &chosen {
                tracing::info!(
                    "Azure identity: {}, {}",
                    chosen.report().method,
                    self.why(chosen)
                );
            } else {
                tracing::info!("Azure identity: none");
            }
            Ok::<_, IdentityError>(chosen)
        });
        Ok(chosen.await?.as_ref())
    }

    /// What made the choice, in words.
    fn why(&self, chosen: &IdentitySource) -> &'static str {
        if self.0.options.auth != Auth::Auto {
            return "as `--auth` says";
        }
        match chosen {
            IdentitySource::GitHub { .. } => "because the job offers an ID token",
            IdentitySource::Pipelines { .. }
            | IdentitySource::Secret {
                method: "service-connection",
                ..
            } => "because the pipeline offers a service connection",
            IdentitySource::Secret { .. } => "because AZURE_CLIENT_SECRET is set",
            IdentitySource::File { .. } => "because AZURE_FEDERATED_TOKEN_FILE is set",
            IdentitySource::AppService { .. } => {
                "because IDENTITY_ENDPOINT and IDENTITY_HEADER are set"
            }
            IdentitySource::Imds { .. } => "because this machine offers one",
            IdentitySource::AzureCli { .. } => "because az is logged in and nothing else is there",
        }
    }

    async fn choose(&self) -> Result<Option<IdentitySource>, IdentityError> {
        let probe = EnvironmentProbe {
            options: &self.0.options,
            client: &self.0.client,
        };
        match self.0.options.auth {
            Auth::None => Ok(None),
            Auth::Oidc => probe.github()?.map(Some).ok_or_else(|| missing("oidc", "ACTIONS_ID_TOKEN_REQUEST_URL and …_TOKEN (`permissions: id-token: write`), and client and tenant ID")),
            Auth::ServiceConnection => {
                probe.pipelines()?.map(Some).ok_or_else(|| missing("service-connection", "a service connection with SYSTEM_ACCESSTOKEN"))
            }
            Auth::Environment => probe.secret()?.map(Some).ok_or_else(|| missing("environment", "AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_CLIENT_SECRET")),
            Auth::WorkloadIdentity => {
                probe.workload()?.map(Some).ok_or_else(|| missing("workload-identity", "AZURE_FEDERATED_TOKEN_FILE, and client and tenant ID"))
            }
            Auth::ManagedIdentity => match probe.app_service()? {
                Some(chosen) => Ok(Some(chosen)),
                // Asked for a token, an address that nothing answers at would be tried for minutes.
                None if managed_identity::imds_answers(&self.0.client).await => Ok(Some(probe.imds())),
                None => Err(missing("managed-identity", "IDENTITY_ENDPOINT and IDENTITY_HEADER, or an answer of 169.254.169.254")),
            },
            Auth::AzureCli if azure_cli::is_logged_in(&self.0.options.environment).await => Ok(Some(probe.azure_cli())),
            Auth::AzureCli => Err(missing("azure-cli", "an `az` on the PATH that is logged in (`az login`)")),
            Auth::Auto => self.choose_automatically(&probe).await,
        }
    }

    /// The first whose variables are there (azure reference §3).
    async fn choose_automatically(
        &self,
        probe: &EnvironmentProbe<'_>,
    ) -> Result<Option<IdentitySource>, IdentityError> {
        // One after the other: a variable of a method that is not reached must not end the run.
        for method in [
            EnvironmentProbe::github,
            EnvironmentProbe::pipelines,
            EnvironmentProbe::secret,
            EnvironmentProbe::workload,
            EnvironmentProbe::app_service,
        ] {
            if let Some(found) = method(probe)? {
                return Ok(Some(found));
            }
        }
        if probe.may_ask_imds() && managed_identity::imds_answers(&self.0.client).await {
            return Ok(Some(probe.imds()));
        }
        let cli = probe.azure_cli();
        Ok(
            if azure_cli::is_logged_in(&self.0.options.environment).await {
                Some(cli)
            } else {
                None
            },
        )
    }
}

fn looked_for(options: &IdentityOptions) -> String {
    match options.auth {
        Auth::None => "nothing, as `--auth none` says".to_owned(),
        _ => "GitHub OIDC, an Azure Pipelines service connection, a client secret, workload identity, a managed identity, and az".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        crypto::Mask,
        net::{Hosts, Options},
    };

    const GITHUB: [(&str, &str); 4] = [
        (
            "ACTIONS_ID_TOKEN_REQUEST_URL",
            "https://pipelines.actions.githubusercontent.com/x?y=z",
        ),
        ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "canary"),
        ("AZURE_CLIENT_ID", "c"),
        ("AZURE_TENANT_ID", "t"),
    ];
    const CONNECTION: [(&str, &str); 4] = [
        ("INPUT_AZURESUBSCRIPTION", "aa-1"),
        ("ENDPOINT_AUTH_PARAMETER_aa-1_TENANTID", "t"),
        ("ENDPOINT_AUTH_PARAMETER_AA-1_SERVICEPRINCIPALID", "c"),
        (
            "SYSTEM_OIDCREQUESTURI",
            "https://dev.azure.com/o/p/oidctoken",
        ),
    ];

    fn options(variables: &[(&str, &str)]) -> IdentityOptions {
        IdentityOptions {
            environment: variables.iter().copied().collect(),
            ..IdentityOptions::default()
        }
    }

    async fn choose(options: IdentityOptions) -> Result<Option<String>, IdentityError> {
        let deadline = Instant::now() + Duration::from_secs(60);
        let network = Options {
            hosts: Hosts::default(),
            ca_pem: vec![],
            connect_to: vec![],
            retries: 0,
            concurrency: crate::net::Concurrency::default(),
            deadline,
            mask: Mask::default(),
        };
        let client = Client::new(network).unwrap();
        let chosen = Identities::new(client, options).choose().await?;
        Ok(chosen.map(|chosen| chosen.report().method))
    }

    #[tokio::test]
    async fn k07_variables_of_a_method_that_is_not_reached_do_not_matter() {
        let mut variables = GITHUB.to_vec();
        variables.extend([
            ("IDENTITY_ENDPOINT", "http://evil.example/"),
            ("IDENTITY_HEADER", "canary"),
        ]);
        assert_eq!(
            choose(options(&variables)).await.unwrap().as_deref(),
            Some("oidc")
        );
        let alone = choose(options(&variables[4..])).await;
        assert!(
            matches!(
                alone,
                Err(IdentityError::Host {
                    variable: "IDENTITY_ENDPOINT",
                    ..
                })
            ),
            "{alone:?}"
        );
    }

    #[tokio::test]
    async fn k07_a_connection_asked_for_by_name_is_never_replaced_by_the_machine() {
        let mut variables = CONNECTION.to_vec();
        variables.push(("ENDPOINT_AUTH_SCHEME_aa-1", "WorkloadIdentityFederation"));
        let by_input = choose(options(&variables)).await;
        assert!(
            matches!(
                by_input,
                Err(IdentityError::Missing {
                    method: "service-connection",
                    ..
                })
            ),
            "{by_input:?}"
        );
        let flag = IdentityOptions {
            service_connection_id: Some("aa-1".into()),
            ..IdentityOptions::default()
        };
        let by_flag = choose(flag).await;
        assert!(
            matches!(
                by_flag,
                Err(IdentityError::Missing {
                    method: "service-connection",
                    ..
                })
            ),
            "{by_flag:?}"
        );
    }

    #[tokio::test]
    async fn every_scheme_of_a_task_connection() {
        let token = (
            "ENDPOINT_AUTH_PARAMETER_SystemVssConnection_ACCESSTOKEN",
            "canary",
        );
        let key = ("ENDPOINT_AUTH_PARAMETER_aa-1_SERVICEPRINCIPALKEY", "canary");
        for (scheme, further, method) in [
            ("WorkloadIdentityFederation", token, "service-connection"),
            ("ServicePrincipal", key, "service-connection"),
            ("managedserviceidentity", token, "managed-identity"),
        ] {
            let mut variables = CONNECTION.to_vec();
            variables.extend([("ENDPOINT_AUTH_SCHEME_AA-1", scheme), further]);
            assert_eq!(
                choose(options(&variables)).await.unwrap().as_deref(),
                Some(method),
                "{scheme}"
            );
        }
        let mut variables = CONNECTION.to_vec();
        variables.push(("ENDPOINT_AUTH_SCHEME_aa-1", "ServicePrincipal"));
        variables.push((
            "ENDPOINT_AUTH_PARAMETER_aa-1_AUTHENTICATIONTYPE",
            "spnCertificate",
        ));
        let refused = choose(options(&variables)).await;
        assert!(
            matches!(refused, Err(IdentityError::CertificateConnection)),
            "{refused:?}"
        );
        for scheme in ["PublishProfile", "Certificate", "None"] {
            let variables = [
                ("INPUT_AZURESUBSCRIPTION", "aa-1"),
                ("ENDPOINT_AUTH_SCHEME_aa-1", scheme),
            ];
            let refused = choose(options(&variables)).await;
            let Err(IdentityError::Missing { missing, .. }) = refused else {
                panic!("{refused:?}")
            };
            assert!(missing.starts_with("a scheme"), "{missing}");
        }
    }
}
