//! The identity of a run and its tokens: one for each scope, renewed before they expire or when they are refused.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::{Mutex, OnceCell};

use super::{
    Auth, IdentityError, IdentityOptions, IdentitySource,
    choice::{Choice, choose},
    environment_probe::EnvironmentProbe,
    token,
};
use crate::{crypto::Secret, net::Client, report::AzureAuth};

/// Tokens are renewed this long before they end.
const MARGIN: Duration = Duration::from_secs(120);

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
    choice: OnceCell<Choice>,
    tokens: Mutex<BTreeMap<String, Arc<Mutex<Option<CachedToken>>>>>,
}

#[derive(Debug)]
struct CachedToken {
    token: Secret,
    end: Instant,
}

impl Identities {
    /// Picks nothing yet: what needs no identity asks for none. Secrets of identities in the environment exist from
    /// here on.
    pub fn new(client: Client, options: IdentityOptions) -> Self {
        EnvironmentProbe {
            options: &options,
            client: &client,
        }
        .announce_secrets();
        Self(Arc::new(Inner {
            client,
            options,
            choice: OnceCell::new(),
            tokens: Mutex::default(),
        }))
    }

    /// The client that its requests go through.
    pub fn client(&self) -> &Client {
        &self.0.client
    }

    /// Where the identity stands among registry logins; `None` if there is none.
    pub async fn kind(&self) -> Result<Option<IdentityKind>, IdentityError> {
        Ok(match self.choice().await? {
            Choice::Source(source) => match **source {
                IdentitySource::AzureCli { .. } => Some(IdentityKind::AzureCli),
                _ => Some(IdentityKind::Identity),
            },
            Choice::Nothing(_) => None,
        })
    }

    /// The identity as the report names it, if it was picked.
    pub fn report(&self) -> Option<AzureAuth> {
        match self.0.choice.get()? {
            Choice::Source(source) => Some(source.report()),
            Choice::Nothing(_) => None,
        }
    }

    /// That an identity was looked for and none was found, for whoever went on without and was refused.
    pub fn looked_in_vain(&self) -> Option<IdentityError> {
        match self.0.choice.get()? {
            Choice::Nothing(search) if self.0.options.auth != Auth::None => Some(search.error()),
            _ => None,
        }
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
        let source = match self.choice().await? {
            Choice::Source(source) => source,
            Choice::Nothing(search) => return Err(search.error()),
        };
        let (token, life) = token::token(&self.0.client, source, scope).await?;
        let end = Instant::now() + life;
        *held = Some(CachedToken {
            token: token.clone(),
            end,
        });
        Ok((token, end))
    }

    async fn choice(&self) -> Result<&Choice, IdentityError> {
        let choice = self.0.choice.get_or_try_init(|| async {
            let probe = EnvironmentProbe {
                options: &self.0.options,
                client: &self.0.client,
            };
            let choice = choose(&probe).await?;
            match &choice {
                Choice::Source(source) => tracing::info!(
                    "Azure identity: {}, {}",
                    source.report().method,
                    self.why(source)
                ),
                Choice::Nothing(_) => tracing::info!("Azure identity: none"),
            }
            Ok::<_, IdentityError>(choice)
        });
        choice.await
    }

    /// What made the choice, in words.
    fn why(&self, source: &IdentitySource) -> &'static str {
        if self.0.options.auth != Auth::Auto {
            return "as `--auth` says";
        }
        match source {
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
        let identities = Identities::new(client, options);
        identities.choice().await?;
        Ok(identities.report().map(|chosen| chosen.method))
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
            matches!(by_input, Err(IdentityError::Connection { .. })),
            "{by_input:?}"
        );
        let flag = IdentityOptions {
            service_connection_id: Some("aa-1".into()),
            ..IdentityOptions::default()
        };
        let by_flag = choose(flag).await;
        assert!(
            matches!(by_flag, Err(IdentityError::Connection { .. })),
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
            matches!(&refused, Err(IdentityError::Connection { fault, .. }) if fault.contains("certificate")),
            "{refused:?}"
        );
        for scheme in ["PublishProfile", "Certificate", "None"] {
            let variables = [
                ("INPUT_AZURESUBSCRIPTION", "aa-1"),
                ("ENDPOINT_AUTH_SCHEME_aa-1", scheme),
            ];
            let refused = choose(options(&variables)).await;
            let Err(IdentityError::Connection { fault, .. }) = refused else {
                panic!("{refused:?}")
            };
            assert!(fault.starts_with("is neither federated"), "{fault}");
        }
    }
}
