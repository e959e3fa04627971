//! Which identity: picked once, by what the environment offers, in one fixed order. There is no second try
//! after a real failure (K07).

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::{Mutex, OnceCell};
use url::Url;

use super::{IdentityError, acquire};
use crate::{
    crypto::Secret,
    net::{Client, Purpose, Request, Retry},
    process::Environment,
    report::AzureAuth,
};

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
pub struct Setting {
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

/// The identity that was picked, with what it needs.
#[derive(Clone, Debug)]
pub enum Chosen {
    /// GitHub's ID token for a client.
    GitHub {
        /// The client.
        client: Application,
        /// The request URL.
        url: Url,
        /// Its bearer.
        bearer: Secret,
    },
    /// Azure Pipelines' ID token for a client.
    Pipelines {
        /// The client.
        client: Application,
        /// The service connection.
        connection: String,
        /// The request URL.
        url: Url,
        /// Its bearer.
        bearer: Secret,
    },
    /// A client secret.
    Secret {
        /// The client.
        client: Application,
        /// The secret.
        secret: Secret,
        /// `environment` or `service-connection`.
        method: &'static str,
    },
    /// A token in a file for a client.
    File {
        /// The client.
        client: Application,
        /// The file.
        path: std::path::PathBuf,
    },
    /// App Service's endpoint.
    AppService {
        /// The endpoint.
        endpoint: Url,
        /// Its secret header.
        header: Secret,
        /// A user-assigned identity.
        client_id: Option<String>,
    },
    /// The virtual machine's endpoint.
    Imds {
        /// A user-assigned identity.
        client_id: Option<String>,
    },
    /// The az CLI.
    AzureCli {
        /// The tenant.
        tenant_id: Option<String>,
    },
}

/// An application of a tenant, and the authority that knows it.
#[derive(Clone, Debug)]
pub struct Application {
    /// The tenant.
    pub tenant: String,
    /// The client ID.
    pub id: String,
    /// The authority.
    pub authority: Url,
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
    setting: Setting,
    chosen: OnceCell<Option<Chosen>>,
    tokens: Mutex<BTreeMap<String, Arc<Mutex<Option<Held>>>>>,
}

#[derive(Debug)]
struct Held {
    token: Secret,
    end: Instant,
}

impl Identities {
    /// Picks nothing yet: what needs no identity asks for none.
    pub fn new(client: Client, setting: Setting) -> Self {
        Self(Arc::new(Inner { client, setting, chosen: OnceCell::new(), tokens: Mutex::default() }))
    }

    /// The client that its requests go through.
    pub fn client(&self) -> &Client {
        &self.0.client
    }

    /// The setting that it is picked by.
    pub fn setting(&self) -> &Setting {
        &self.0.setting
    }

    /// Where the identity stands among registry logins; `None` if there is none.
    pub async fn kind(&self) -> Result<Option<IdentityKind>, IdentityError> {
        Ok(self.chosen().await?.map(|chosen| match chosen {
            Chosen::AzureCli { .. } => IdentityKind::AzureCli,
            _ => IdentityKind::Identity,
        }))
    }

    /// The identity as the report names it, if it was picked.
    pub fn report(&self) -> Option<AzureAuth> {
        self.0.chosen.get()?.as_ref().map(Chosen::report)
    }

    /// A token for a scope; a new one if what came of the last was refused.
    pub async fn renewed_token(&self, scope: &str, refused: bool) -> Result<Secret, IdentityError> {
        Ok(self.token_with_end(scope, refused).await?.0)
    }

    /// A token for a scope and its end; a new one if the last was refused (K05).
    pub(super) async fn token_with_end(&self, scope: &str, refused: bool) -> Result<(Secret, Instant), IdentityError> {
        let slot = self.0.tokens.lock().await.entry(scope.to_owned()).or_default().clone();
        let mut held = slot.lock().await;
        if let Some(held) = held.as_ref().filter(|held| !refused && Instant::now() + MARGIN < held.end) {
            return Ok((held.token.clone(), held.end));
        }
        let chosen = self
            .chosen()
            .await?
            .ok_or_else(|| IdentityError::Unavailable { looked_for: looked_for(&self.0.setting) })?;
        let (token, life) = acquire::token(self, chosen, scope).await?;
        let end = Instant::now() + life;
        *held = Some(Held { token: token.clone(), end });
        Ok((token, end))
    }

    async fn chosen(&self) -> Result<Option<&Chosen>, IdentityError> {
        let chosen = self.0.chosen.get_or_try_init(|| async {
            let chosen = self.choose().await?;
            if let Some(chosen) = &chosen {
                tracing::info!("Azure identity: {}, {}", chosen.report().method, self.why(chosen));
            } else {
                tracing::info!("Azure identity: none");
            }
            Ok::<_, IdentityError>(chosen)
        });
        Ok(chosen.await?.as_ref())
    }

    /// What made the choice, in words.
    fn why(&self, chosen: &Chosen) -> &'static str {
        if self.0.setting.auth != Auth::Auto {
            return "as `--auth` says";
        }
        match chosen {
            Chosen::GitHub { .. } => "because the job offers an ID token",
            Chosen::Pipelines { .. } | Chosen::Secret { method: "service-connection", .. } => {
                "because the pipeline offers a service connection"
            }
            Chosen::Secret { .. } => "because AZURE_CLIENT_SECRET is set",
            Chosen::File { .. } => "because AZURE_FEDERATED_TOKEN_FILE is set",
            Chosen::AppService { .. } => "because IDENTITY_ENDPOINT and IDENTITY_HEADER are set",
            Chosen::Imds { .. } => "because this machine offers one",
            Chosen::AzureCli { .. } => "because az is logged in and nothing else is there",
        }
    }

    async fn choose(&self) -> Result<Option<Chosen>, IdentityError> {
        let pick = Pick { setting: &self.0.setting, client: &self.0.client };
        match self.0.setting.auth {
            Auth::None => Ok(None),
            Auth::Oidc => pick.github()?.map(Some).ok_or_else(|| missing("oidc", "ACTIONS_ID_TOKEN_REQUEST_URL and …_TOKEN (`permissions: id-token: write`), and client and tenant ID")),
            Auth::ServiceConnection => {
                pick.pipelines()?.map(Some).ok_or_else(|| missing("service-connection", "a service connection with SYSTEM_ACCESSTOKEN"))
            }
            Auth::Environment => pick.secret()?.map(Some).ok_or_else(|| missing("environment", "AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_CLIENT_SECRET")),
            Auth::WorkloadIdentity => {
                pick.workload()?.map(Some).ok_or_else(|| missing("workload-identity", "AZURE_FEDERATED_TOKEN_FILE, and client and tenant ID"))
            }
            Auth::ManagedIdentity => match pick.app_service()? {
                Some(chosen) => Ok(Some(chosen)),
                None => Ok(Some(pick.imds())),
            },
            Auth::AzureCli => Ok(Some(pick.azure_cli())),
            Auth::Auto => self.choose_automatically(&pick).await,
        }
    }

    /// The first whose variables are there (azure reference §3).
    async fn choose_automatically(&self, pick: &Pick<'_>) -> Result<Option<Chosen>, IdentityError> {
        // One after the other: a variable of a method that is not reached must not end the run.
        for method in [Pick::github, Pick::pipelines, Pick::secret, Pick::workload, Pick::app_service] {
            if let Some(found) = method(pick)? {
                return Ok(Some(found));
            }
        }
        if pick.may_ask_imds() && self.imds_answers().await {
            return Ok(Some(pick.imds()));
        }
        let cli = pick.azure_cli();
        Ok(if acquire::azure_cli_is_logged_in(&self.0.setting.environment).await { Some(cli) } else { None })
    }

    /// One request without the metadata header, which a real endpoint answers with 400; one second at most.
    async fn imds_answers(&self) -> bool {
        let Ok(url) = acquire::IMDS.parse() else { return false };
        let mut request = Request::get(Purpose::Entra, "the managed-identity probe", url, 4096);
        request.retry = Retry::Never;
        let probe = self.0.client.send(&request);
        matches!(tokio::time::timeout(Duration::from_secs(1), probe).await, Ok(Ok(_)))
    }
}

fn missing(method: &'static str, what: &str) -> IdentityError {
    IdentityError::Missing { method, missing: what.to_owned() }
}

fn looked_for(setting: &Setting) -> String {
    match setting.auth {
        Auth::None => "nothing, as `--auth none` says".to_owned(),
        _ => "GitHub OIDC, an Azure Pipelines service connection, a client secret, workload identity, a managed identity, and az".to_owned(),
    }
}

/// What the environment offers, method by method.
struct Pick<'a> {
    setting: &'a Setting,
    client: &'a Client,
}

impl Pick<'_> {
    fn env(&self, name: &str) -> Option<&str> {
        self.setting.environment.get(name)
    }

    /// A variable of an endpoint: the agent writes the names of connections in either case.
    fn endpoint_env(&self, name: &str) -> Option<&str> {
        self.env(name).or_else(|| {
            let mut variables = self.setting.environment.iter();
            variables
                .find(|(found, value)| found.eq_ignore_ascii_case(name) && !value.is_empty())
                .map(|(_, value)| value)
        })
    }

    fn client_id(&self) -> Option<String> {
        self.setting.client_id.clone().or_else(|| self.env("AZURE_CLIENT_ID").map(ToOwned::to_owned))
    }

    fn application(&self, tenant: Option<String>, id: Option<String>) -> Result<Option<Application>, IdentityError> {
        let tenant =
            self.setting.tenant_id.clone().or(tenant).or_else(|| self.env("AZURE_TENANT_ID").map(ToOwned::to_owned));
        let (Some(tenant), Some(id)) = (tenant, self.setting.client_id.clone().or(id).or_else(|| self.client_id()))
        else {
            return Ok(None);
        };
        let well_formed = |text: &str| {
            !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.'))
        };
        if !well_formed(&tenant) {
            return Err(missing("auto", "a tenant ID that is a GUID or a domain"));
        }
        Ok(Some(Application { tenant, id, authority: self.authority()? }))
    }

    fn authority(&self) -> Result<Url, IdentityError> {
        let hosts = self.client.hosts();
        let default = hosts.cloud.authorities().first().copied().unwrap_or_default();
        let text = self.env("AZURE_AUTHORITY_HOST").map_or_else(|| format!("https://{default}/"), ToOwned::to_owned);
        self.address("AZURE_AUTHORITY_HOST", &text, |url| hosts.check_authority(url))
    }

    fn address(
        &self,
        variable: &'static str,
        text: &str,
        check: impl Fn(&Url) -> Result<(), crate::net::HostNotAllowed>,
    ) -> Result<Url, IdentityError> {
        let url: Url = text.parse().map_err(|_| missing("auto", &format!("an address in {variable}")))?;
        check(&url).map_err(|cause| IdentityError::Host { variable, cause })?;
        Ok(url)
    }

    fn github(&self) -> Result<Option<Chosen>, IdentityError> {
        let (Some(url), Some(bearer)) =
            (self.env("ACTIONS_ID_TOKEN_REQUEST_URL"), self.env("ACTIONS_ID_TOKEN_REQUEST_TOKEN"))
        else {
            return Ok(None);
        };
        let Some(client) = self.application(None, None)? else { return Ok(None) };
        let url =
            self.address("ACTIONS_ID_TOKEN_REQUEST_URL", url, |url| self.client.hosts().check_github_oidc(url))?;
        Ok(Some(Chosen::GitHub { client, url, bearer: Secret::new(bearer.to_owned()) }))
    }

    /// A connection that was asked for by name is used or is an error: without this the machine's own identity
    /// would stand in for it (K07).
    fn named(&self, found: Option<Chosen>) -> Result<Option<Chosen>, IdentityError> {
        let lacking =
            "SYSTEM_OIDCREQUESTURI, SYSTEM_ACCESSTOKEN (map `$(System.AccessToken)`), or client and tenant ID";
        found.map(Some).ok_or_else(|| missing("service-connection", lacking))
    }

    fn pipelines(&self) -> Result<Option<Chosen>, IdentityError> {
        let found = self.connection()?;
        if self.setting.service_connection_id.is_some() { self.named(found) } else { Ok(found) }
    }

    fn connection(&self) -> Result<Option<Chosen>, IdentityError> {
        // The task's own input comes with endpoint variables; script steps have what AzureCLI@2 set.
        if let Some(id) = self.env("INPUT_AZURESUBSCRIPTION").filter(|_| self.setting.service_connection_id.is_none()) {
            return self.endpoint(id);
        }
        let connection = self
            .setting
            .service_connection_id
            .clone()
            .or_else(|| self.env("AZURESUBSCRIPTION_SERVICE_CONNECTION_ID").map(ToOwned::to_owned));
        let Some(connection) = connection else { return Ok(None) };
        let owned = |name: &str| self.env(name).map(ToOwned::to_owned);
        let Some(client) =
            self.application(owned("AZURESUBSCRIPTION_TENANT_ID"), owned("AZURESUBSCRIPTION_CLIENT_ID"))?
        else {
            return Ok(None);
        };
        self.federated(client, connection)
    }

    fn federated(&self, client: Application, connection: String) -> Result<Option<Chosen>, IdentityError> {
        let bearer = self
            .env("SYSTEM_ACCESSTOKEN")
            .or_else(|| self.endpoint_env("ENDPOINT_AUTH_PARAMETER_SYSTEMVSSCONNECTION_ACCESSTOKEN"));
        let (Some(url), Some(bearer)) = (self.env("SYSTEM_OIDCREQUESTURI"), bearer) else { return Ok(None) };
        let url = self.address("SYSTEM_OIDCREQUESTURI", url, |url| self.client.hosts().check_pipelines_oidc(url))?;
        Ok(Some(Chosen::Pipelines { client, connection, url, bearer: Secret::new(bearer.to_owned()) }))
    }

    /// A service connection as the task's endpoint variables describe it.
    fn endpoint(&self, id: &str) -> Result<Option<Chosen>, IdentityError> {
        let parameter =
            |name: &str| self.endpoint_env(&format!("ENDPOINT_AUTH_PARAMETER_{id}_{name}")).map(ToOwned::to_owned);
        let scheme = self.endpoint_env(&format!("ENDPOINT_AUTH_SCHEME_{id}")).unwrap_or_default().to_ascii_lowercase();
        if scheme == "managedserviceidentity" {
            return Ok(Some(self.imds()));
        }
        let client = self.application(parameter("TENANTID"), parameter("SERVICEPRINCIPALID"))?;
        let client =
            client.ok_or_else(|| missing("service-connection", "tenant and client ID of the service connection"))?;
        match scheme.as_str() {
            "workloadidentityfederation" => self.named(self.federated(client, id.to_owned())?),
            "serviceprincipal"
                if parameter("AUTHENTICATIONTYPE").is_some_and(|kind| kind.eq_ignore_ascii_case("spnCertificate")) =>
            {
                Err(IdentityError::CertificateConnection)
            }
            "serviceprincipal" => {
                let secret = parameter("SERVICEPRINCIPALKEY")
                    .ok_or_else(|| missing("service-connection", "the key of the service principal"))?;
                Ok(Some(Chosen::Secret { client, secret: Secret::new(secret), method: "service-connection" }))
            }
            _ => Err(missing(
                "service-connection",
                "a scheme that is federated, a service principal or a managed identity",
            )),
        }
    }

    fn secret(&self) -> Result<Option<Chosen>, IdentityError> {
        let Some(secret) = self.env("AZURE_CLIENT_SECRET") else { return Ok(None) };
        let secret = Secret::new(secret.to_owned());
        Ok(self.application(None, None)?.map(|client| Chosen::Secret { client, secret, method: "environment" }))
    }

    fn workload(&self) -> Result<Option<Chosen>, IdentityError> {
        let Some(path) = self.env("AZURE_FEDERATED_TOKEN_FILE") else { return Ok(None) };
        let path = path.into();
        Ok(self.application(None, None)?.map(|client| Chosen::File { client, path }))
    }

    fn app_service(&self) -> Result<Option<Chosen>, IdentityError> {
        let (Some(endpoint), Some(header)) = (self.env("IDENTITY_ENDPOINT"), self.env("IDENTITY_HEADER")) else {
            return Ok(None);
        };
        let hosts = self.client.hosts();
        let local = |url: &Url| {
            if hosts.is_identity_endpoint(url) || (hosts.is_allowed(url) && url.scheme() == "https") {
                Ok(())
            } else {
                Err(crate::net::HostNotAllowed {
                    host: url.host_str().unwrap_or_default().to_owned(),
                    wanted: "on loopback or link-local, where identity endpoints are",
                })
            }
        };
        let endpoint = self.address("IDENTITY_ENDPOINT", endpoint, local)?;
        Ok(Some(Chosen::AppService { endpoint, header: Secret::new(header.to_owned()), client_id: self.client_id() }))
    }

    /// On the hosts' own machines IMDS answers for a foreign identity, so there a client must be named.
    fn may_ask_imds(&self) -> bool {
        let hosted =
            self.env("RUNNER_ENVIRONMENT") == Some("github-hosted") || self.env("AGENT_ISSELFHOSTED") == Some("0");
        !hosted || self.client_id().is_some()
    }

    fn imds(&self) -> Chosen {
        Chosen::Imds { client_id: self.client_id() }
    }

    fn azure_cli(&self) -> Chosen {
        Chosen::AzureCli { tenant_id: self.setting.tenant_id.clone() }
    }
}

impl Chosen {
    /// As the report names it.
    pub fn report(&self) -> AzureAuth {
        let of = |method: &str, client: &Application| AzureAuth {
            method: method.to_owned(),
            client_id: Some(client.id.clone()),
            tenant_id: Some(client.tenant.clone()),
        };
        let managed = |client_id: &Option<String>| AzureAuth {
            method: "managed-identity".to_owned(),
            client_id: client_id.clone(),
            tenant_id: None,
        };
        match self {
            Self::GitHub { client, .. } => of("oidc", client),
            Self::Pipelines { client, .. } => of("service-connection", client),
            Self::Secret { client, method, .. } => of(method, client),
            Self::File { client, .. } => of("workload-identity", client),
            Self::AppService { client_id, .. } | Self::Imds { client_id } => managed(client_id),
            Self::AzureCli { tenant_id } => {
                AzureAuth { method: "azure-cli".to_owned(), client_id: None, tenant_id: tenant_id.clone() }
            }
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
        ("ACTIONS_ID_TOKEN_REQUEST_URL", "https://pipelines.actions.githubusercontent.com/x?y=z"),
        ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "canary"),
        ("AZURE_CLIENT_ID", "c"),
        ("AZURE_TENANT_ID", "t"),
    ];
    const CONNECTION: [(&str, &str); 4] = [
        ("INPUT_AZURESUBSCRIPTION", "aa-1"),
        ("ENDPOINT_AUTH_PARAMETER_aa-1_TENANTID", "t"),
        ("ENDPOINT_AUTH_PARAMETER_AA-1_SERVICEPRINCIPALID", "c"),
        ("SYSTEM_OIDCREQUESTURI", "https://dev.azure.com/o/p/oidctoken"),
    ];

    fn setting(variables: &[(&str, &str)]) -> Setting {
        Setting { environment: variables.iter().copied().collect(), ..Setting::default() }
    }

    async fn choose(setting: Setting) -> Result<Option<String>, IdentityError> {
        let deadline = Instant::now() + Duration::from_secs(60);
        let options = Options {
            hosts: Hosts::default(),
            ca_pem: vec![],
            connect_to: vec![],
            retries: 0,
            deadline,
            mask: Mask::default(),
        };
        let client = Client::new(options).unwrap();
        let chosen = Identities::new(client, setting).choose().await?;
        Ok(chosen.map(|chosen| chosen.report().method))
    }

    #[tokio::test]
    async fn k07_variables_of_a_method_that_is_not_reached_do_not_matter() {
        let mut variables = GITHUB.to_vec();
        variables.extend([("IDENTITY_ENDPOINT", "http://evil.example/"), ("IDENTITY_HEADER", "canary")]);
        assert_eq!(choose(setting(&variables)).await.unwrap().as_deref(), Some("oidc"));
        let alone = choose(setting(&variables[4..])).await;
        assert!(matches!(alone, Err(IdentityError::Host { variable: "IDENTITY_ENDPOINT", .. })), "{alone:?}");
    }

    #[tokio::test]
    async fn k07_a_connection_asked_for_by_name_is_never_replaced_by_the_machine() {
        let mut variables = CONNECTION.to_vec();
        variables.push(("ENDPOINT_AUTH_SCHEME_aa-1", "WorkloadIdentityFederation"));
        let by_input = choose(setting(&variables)).await;
        assert!(matches!(by_input, Err(IdentityError::Missing { method: "service-connection", .. })), "{by_input:?}");
        let flag = Setting { service_connection_id: Some("aa-1".into()), ..Setting::default() };
        let by_flag = choose(flag).await;
        assert!(matches!(by_flag, Err(IdentityError::Missing { method: "service-connection", .. })), "{by_flag:?}");
    }

    #[tokio::test]
    async fn every_scheme_of_a_task_connection() {
        let token = ("ENDPOINT_AUTH_PARAMETER_SystemVssConnection_ACCESSTOKEN", "canary");
        let key = ("ENDPOINT_AUTH_PARAMETER_aa-1_SERVICEPRINCIPALKEY", "canary");
        for (scheme, further, method) in [
            ("WorkloadIdentityFederation", token, "service-connection"),
            ("ServicePrincipal", key, "service-connection"),
            ("managedserviceidentity", token, "managed-identity"),
        ] {
            let mut variables = CONNECTION.to_vec();
            variables.extend([("ENDPOINT_AUTH_SCHEME_AA-1", scheme), further]);
            assert_eq!(choose(setting(&variables)).await.unwrap().as_deref(), Some(method), "{scheme}");
        }
        let mut variables = CONNECTION.to_vec();
        variables.push(("ENDPOINT_AUTH_SCHEME_aa-1", "ServicePrincipal"));
        variables.push(("ENDPOINT_AUTH_PARAMETER_aa-1_AUTHENTICATIONTYPE", "spnCertificate"));
        let refused = choose(setting(&variables)).await;
        assert!(matches!(refused, Err(IdentityError::CertificateConnection)), "{refused:?}");
    }

    #[test]
    fn p06_debug_hides_bearers() {
        let url = "https://h/".parse::<Url>().unwrap();
        let shown = format!(
            "{:?}",
            Chosen::AppService { endpoint: url, header: Secret::new("canary".into()), client_id: None }
        );
        assert!(!shown.contains("canary"), "{shown}");
    }
}
