//! What the environment offers as an identity, method by method; nothing is asked here.

use url::Url;

use super::{Application, IdentityError, IdentityOptions, IdentitySource, endpoint::Endpoint};
use crate::{crypto::Secret, net::Client};

/// What the environment offers, method by method.
pub(super) struct EnvironmentProbe<'a> {
    pub(super) options: &'a IdentityOptions,
    pub(super) client: &'a Client,
}

impl EnvironmentProbe<'_> {
    fn env(&self, name: &str) -> Option<&str> {
        self.options.environment.get(name)
    }

    fn client_id(&self) -> Option<String> {
        self.options
            .client_id
            .clone()
            .or_else(|| self.env("AZURE_CLIENT_ID").map(ToOwned::to_owned))
    }

    fn application(
        &self,
        tenant: Option<String>,
        id: Option<String>,
    ) -> Result<Option<Application>, IdentityError> {
        let tenant = self
            .options
            .tenant_id
            .clone()
            .or(tenant)
            .or_else(|| self.env("AZURE_TENANT_ID").map(ToOwned::to_owned));
        let (Some(tenant), Some(id)) = (
            tenant,
            self.options
                .client_id
                .clone()
                .or(id)
                .or_else(|| self.client_id()),
        ) else {
            return Ok(None);
        };
        let well_formed = |text: &str| {
            !text.is_empty()
                && text
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.'))
        };
        if !well_formed(&tenant) {
            return Err(missing("auto", "a tenant ID that is a GUID or a domain"));
        }
        Ok(Some(Application {
            tenant,
            id,
            authority: self.authority()?,
        }))
    }

    fn authority(&self) -> Result<Url, IdentityError> {
        let hosts = self.client.hosts();
        let default = hosts
            .cloud
            .authorities()
            .first()
            .copied()
            .unwrap_or_default();
        let text = self
            .env("AZURE_AUTHORITY_HOST")
            .map_or_else(|| format!("https://{default}/"), ToOwned::to_owned);
        self.address("AZURE_AUTHORITY_HOST", &text, |url| {
            hosts.check_authority(url)
        })
    }

    fn address(
        &self,
        variable: &'static str,
        text: &str,
        check: impl Fn(&Url) -> Result<(), crate::net::HostNotAllowed>,
    ) -> Result<Url, IdentityError> {
        let url: Url = text
            .parse()
            .map_err(|_| missing("auto", &format!("an address in {variable}")))?;
        check(&url).map_err(|cause| IdentityError::Host { variable, cause })?;
        Ok(url)
    }

    pub(super) fn github(&self) -> Result<Option<IdentitySource>, IdentityError> {
        let (Some(url), Some(bearer)) = (
            self.env("ACTIONS_ID_TOKEN_REQUEST_URL"),
            self.env("ACTIONS_ID_TOKEN_REQUEST_TOKEN"),
        ) else {
            return Ok(None);
        };
        let Some(client) = self.application(None, None)? else {
            return Ok(None);
        };
        let url = self.address("ACTIONS_ID_TOKEN_REQUEST_URL", url, |url| {
            self.client.hosts().check_github_oidc(url)
        })?;
        Ok(Some(IdentitySource::GitHub {
            client,
            url,
            bearer: Secret::new(bearer.to_owned()),
        }))
    }

    /// A connection that was asked for by name is used or is an error: without this the machine's own identity
    /// would stand in for it (K07).
    fn named(
        &self,
        found: Option<IdentitySource>,
    ) -> Result<Option<IdentitySource>, IdentityError> {
        let lacking = "SYSTEM_OIDCREQUESTURI, SYSTEM_ACCESSTOKEN (map `$(System.AccessToken)`), or client and tenant ID";
        found
            .map(Some)
            .ok_or_else(|| missing("service-connection", lacking))
    }

    pub(super) fn pipelines(&self) -> Result<Option<IdentitySource>, IdentityError> {
        let found = self.connection()?;
        if self.options.service_connection_id.is_some() {
            self.named(found)
        } else {
            Ok(found)
        }
    }

    fn connection(&self) -> Result<Option<IdentitySource>, IdentityError> {
        // The task's own input comes with endpoint variables; script steps have what AzureCLI@2 set.
        if let Some(id) = self
            .env("INPUT_AZURESUBSCRIPTION")
            .filter(|_| self.options.service_connection_id.is_none())
        {
            return self.endpoint(id);
        }
        let connection = self.options.service_connection_id.clone().or_else(|| {
            self.env("AZURESUBSCRIPTION_SERVICE_CONNECTION_ID")
                .map(ToOwned::to_owned)
        });
        let Some(connection) = connection else {
            return Ok(None);
        };
        let owned = |name: &str| self.env(name).map(ToOwned::to_owned);
        let Some(client) = self.application(
            owned("AZURESUBSCRIPTION_TENANT_ID"),
            owned("AZURESUBSCRIPTION_CLIENT_ID"),
        )?
        else {
            return Ok(None);
        };
        self.federated(client, connection)
    }

    fn federated(
        &self,
        client: Application,
        connection: String,
    ) -> Result<Option<IdentitySource>, IdentityError> {
        let of_job = || {
            Endpoint::new(&self.options.environment, "SYSTEMVSSCONNECTION").parameter("ACCESSTOKEN")
        };
        let bearer = self
            .env("SYSTEM_ACCESSTOKEN")
            .map(ToOwned::to_owned)
            .or_else(of_job);
        let (Some(url), Some(bearer)) = (self.env("SYSTEM_OIDCREQUESTURI"), bearer) else {
            return Ok(None);
        };
        let url = self.address("SYSTEM_OIDCREQUESTURI", url, |url| {
            self.client.hosts().check_pipelines_oidc(url)
        })?;
        Ok(Some(IdentitySource::Pipelines {
            client,
            connection,
            url,
            bearer: Secret::new(bearer),
        }))
    }

    /// A service connection as the task's endpoint variables describe it.
    fn endpoint(&self, id: &str) -> Result<Option<IdentitySource>, IdentityError> {
        let endpoint = Endpoint::new(&self.options.environment, id);
        self.check_cloud(&endpoint)?;
        let scheme = endpoint.scheme();
        match scheme.as_str() {
            "managedserviceidentity" => {
                let client_id = self
                    .options
                    .client_id
                    .clone()
                    .or_else(|| endpoint.data("MSICLIENTID"));
                return Ok(Some(IdentitySource::Imds {
                    client_id: client_id.or_else(|| self.client_id()),
                }));
            }
            // Without a scheme it is a service principal, as connections once were.
            "workloadidentityfederation" | "serviceprincipal" | "" => {}
            // A publish profile is a password for one web app.
            _ => {
                return Err(missing(
                    "service-connection",
                    "a scheme that is federated, a service principal or a managed identity",
                ));
            }
        }
        let client = self.application(
            endpoint.parameter("TENANTID"),
            endpoint.parameter("SERVICEPRINCIPALID"),
        )?;
        let client = client.ok_or_else(|| {
            missing(
                "service-connection",
                "tenant and client ID of the service connection",
            )
        })?;
        if scheme == "workloadidentityfederation" {
            return self.named(self.federated(client, id.to_owned())?);
        }
        if endpoint
            .parameter("AUTHENTICATIONTYPE")
            .is_some_and(|kind| kind.eq_ignore_ascii_case("spnCertificate"))
        {
            return Err(IdentityError::CertificateConnection);
        }
        let secret = endpoint
            .parameter("SERVICEPRINCIPALKEY")
            .ok_or_else(|| missing("service-connection", "the key of the service principal"))?;
        Ok(Some(IdentitySource::Secret {
            client,
            secret: Secret::new(secret),
            method: "service-connection",
        }))
    }

    /// A connection of another cloud would be asked for tokens that its tenant does not give.
    fn check_cloud(&self, endpoint: &Endpoint<'_>) -> Result<(), IdentityError> {
        let own = self.client.hosts().cloud.connection_name();
        match endpoint.data("ENVIRONMENT") {
            Some(named) if !named.eq_ignore_ascii_case(own) => Err(IdentityError::OtherCloud {
                named: named.chars().take(60).collect(),
                own,
            }),
            _ => Ok(()),
        }
    }

    pub(super) fn secret(&self) -> Result<Option<IdentitySource>, IdentityError> {
        let Some(secret) = self.env("AZURE_CLIENT_SECRET") else {
            return Ok(None);
        };
        let secret = Secret::new(secret.to_owned());
        Ok(self
            .application(None, None)?
            .map(|client| IdentitySource::Secret {
                client,
                secret,
                method: "environment",
            }))
    }

    pub(super) fn workload(&self) -> Result<Option<IdentitySource>, IdentityError> {
        let Some(path) = self.env("AZURE_FEDERATED_TOKEN_FILE") else {
            return Ok(None);
        };
        let path = path.into();
        Ok(self
            .application(None, None)?
            .map(|client| IdentitySource::File { client, path }))
    }

    pub(super) fn app_service(&self) -> Result<Option<IdentitySource>, IdentityError> {
        let (Some(endpoint), Some(header)) =
            (self.env("IDENTITY_ENDPOINT"), self.env("IDENTITY_HEADER"))
        else {
            return Ok(None);
        };
        let hosts = self.client.hosts();
        let local = |url: &Url| {
            if hosts.is_identity_endpoint(url) || (hosts.is_allowed(url) && url.scheme() == "https")
            {
                Ok(())
            } else {
                Err(crate::net::HostNotAllowed {
                    host: url.host_str().unwrap_or_default().to_owned(),
                    wanted: "on loopback or link-local, where identity endpoints are",
                })
            }
        };
        let endpoint = self.address("IDENTITY_ENDPOINT", endpoint, local)?;
        Ok(Some(IdentitySource::AppService {
            endpoint,
            header: Secret::new(header.to_owned()),
            client_id: self.client_id(),
        }))
    }

    /// On the hosts' own machines IMDS answers for a foreign identity, so there a client must be named.
    pub(super) fn may_ask_imds(&self) -> bool {
        let hosted = self.env("RUNNER_ENVIRONMENT") == Some("github-hosted")
            || self.env("AGENT_ISSELFHOSTED") == Some("0");
        !hosted || self.client_id().is_some()
    }

    pub(super) fn imds(&self) -> IdentitySource {
        IdentitySource::Imds {
            client_id: self.client_id(),
        }
    }

    pub(super) fn azure_cli(&self) -> IdentitySource {
        IdentitySource::AzureCli {
            tenant_id: self.options.tenant_id.clone(),
        }
    }
}

pub(super) fn missing(method: &'static str, what: &str) -> IdentityError {
    IdentityError::Missing {
        method,
        missing: what.to_owned(),
    }
}
