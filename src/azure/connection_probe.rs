//! Which service connection is named and by what, and what the agent says about it. Once a connection is named it is
//! used or the run ends; the machine's own identity never takes its place (K07).

use super::{
    Application, IdentityError, IdentitySource,
    endpoint::Endpoint,
    environment_probe::EnvironmentProbe,
    service_connection::{NamedBy, ServiceConnection},
};
use crate::crypto::Secret;

impl EnvironmentProbe<'_> {
    /// The connection of the step, if one is named.
    pub(super) fn pipelines(&self) -> Result<Option<IdentitySource>, IdentityError> {
        let Some(connection) = self.connection() else {
            return self.half_of_a_wrapper().map_or(Ok(None), Err);
        };
        let id = connection.id.clone();
        let endpoint = Endpoint::new(&self.options.environment, &id);
        // The agent describes the connections that a task names; a script has what AzureCLI@2 says, or nothing.
        if connection.named_by == NamedBy::Input || endpoint.is_described() {
            self.described(connection, &endpoint).map(Some)
        } else {
            let client = self.application_of_script(&connection)?;
            self.federated(client, connection).map(Some)
        }
    }

    fn connection(&self) -> Option<ServiceConnection> {
        let flag = self.options.service_connection_id.clone();
        let flag = flag.map(|id| (id, NamedBy::Flag));
        let by = |name, named_by| self.env(name).map(|id| (id.to_owned(), named_by));
        let (id, named_by) = flag
            .or_else(|| by("INPUT_AZURESUBSCRIPTION", NamedBy::Input))
            .or_else(|| by(WRAPPER_ID, NamedBy::Variable))?;
        let project = self
            .env("SYSTEM_COLLECTIONURI")
            .zip(self.env("SYSTEM_TEAMPROJECT"));
        let settings = project.map(|(collection, project)| {
            let collection = collection.trim_end_matches('/');
            let project = project.replace(' ', "%20");
            format!("{collection}/{project}/_settings/adminservices?resourceId={id}")
        });
        Some(ServiceConnection {
            id,
            named_by,
            settings,
        })
    }

    /// AzureCLI@2 says all three of a connection, so the others without its ID are what is left of one.
    fn half_of_a_wrapper(&self) -> Option<IdentityError> {
        let found = [WRAPPER_CLIENT, WRAPPER_TENANT]
            .into_iter()
            .find(|name| self.env(name).is_some())?;
        Some(IdentityError::Incomplete {
            found: format!("`{found}`"),
            missing: format!("`{WRAPPER_ID}`, which is not set"),
            hint: "pass all three AZURESUBSCRIPTION variables of AzureCLI@2 on to the process, or name the connection with \
                   `--service-connection-id`; if another identity is meant, name it with `--auth`"
                .to_owned(),
        })
    }

    /// What AzureCLI@2 says about this very connection, else what flags and variables name.
    fn application_of_script(
        &self,
        connection: &ServiceConnection,
    ) -> Result<Application, IdentityError> {
        let of_wrapper = self.env(WRAPPER_ID) == Some(connection.id.as_str());
        let said = |flag: &Option<String>, wrapper: &str, variable: &str| {
            let wrapper = self.env(wrapper).filter(|_| of_wrapper);
            let other = wrapper.or_else(|| self.env(variable));
            flag.clone().or_else(|| other.map(ToOwned::to_owned))
        };
        let id = said(&self.options.client_id, WRAPPER_CLIENT, "AZURE_CLIENT_ID");
        let tenant = said(&self.options.tenant_id, WRAPPER_TENANT, "AZURE_TENANT_ID");
        match (tenant, id) {
            (Some(tenant), Some(id)) => self.application_of(tenant, id),
            (tenant, id) => {
                let mut missing = Vec::new();
                if id.is_none() {
                    missing.push("client ID (`--client-id`)");
                }
                if tenant.is_none() {
                    missing.push("tenant ID (`--tenant-id`)");
                }
                Err(connection.fault(
                    format!("needs its {}", missing.join(" and ")),
                    "both are on the connection's page under Manage service principal; a script inside AzureCLI@2, and \
                     the task with `azureSubscription`, get them from the agent",
                ))
            }
        }
    }

    fn federated(
        &self,
        client: Application,
        connection: ServiceConnection,
    ) -> Result<IdentitySource, IdentityError> {
        const URI: &str = "SYSTEM_OIDCREQUESTURI";
        let Some(url) = self.env(URI) else {
            return Err(connection.fault(
                format!("needs `{URI}`, which is not set"),
                "run this as a step of Azure Pipelines; elsewhere choose another identity with `--auth`",
            ));
        };
        let of_job = || {
            Endpoint::new(&self.options.environment, "SYSTEMVSSCONNECTION").parameter("ACCESSTOKEN")
        };
        let bearer = self.env("SYSTEM_ACCESSTOKEN").map(ToOwned::to_owned);
        let Some(bearer) = bearer.or_else(of_job) else {
            return Err(connection.fault(
                "needs `SYSTEM_ACCESSTOKEN`, which is not set",
                connection.access_token(),
            ));
        };
        let url = self.address(URI, url, |url| {
            self.client.hosts().check_pipelines_oidc(url)
        })?;
        Ok(IdentitySource::Pipelines {
            client,
            connection,
            url,
            bearer: Secret::new(bearer),
        })
    }

    /// A connection as the task's endpoint variables describe it.
    fn described(
        &self,
        connection: ServiceConnection,
        endpoint: &Endpoint<'_>,
    ) -> Result<IdentitySource, IdentityError> {
        self.check_cloud(&connection, endpoint)?;
        let scheme = endpoint.scheme();
        match scheme.as_str() {
            "managedserviceidentity" if self.host().is_hosted() => {
                return Err(connection.fault(
                    "uses a managed identity, which a hosted agent does not have",
                    CONVERT,
                ));
            }
            "managedserviceidentity" => {
                let flag = self.options.client_id.clone();
                let client_id = flag.or_else(|| endpoint.data("MSICLIENTID"));
                return Ok(IdentitySource::Imds {
                    client_id: client_id.or_else(|| self.client_id()),
                });
            }
            // Without a scheme it is a service principal, as connections once were.
            "workloadidentityfederation" | "serviceprincipal" | "" => {}
            // A publish profile is a password for one web app.
            _ => {
                return Err(connection.fault(
                    "is neither federated nor a service principal nor a managed identity",
                    CONVERT,
                ));
            }
        }
        let client = self.application_of_endpoint(&connection, endpoint)?;
        if scheme == "workloadidentityfederation" {
            return self.federated(client, connection);
        }
        let kind = endpoint.parameter("AUTHENTICATIONTYPE");
        if kind.is_some_and(|kind| kind.eq_ignore_ascii_case("spnCertificate")) {
            return Err(connection.fault("uses a certificate, which is not supported", CONVERT));
        }
        let secret = endpoint
            .parameter("SERVICEPRINCIPALKEY")
            .ok_or_else(|| connection.fault("has no key of its service principal", CONVERT))?;
        Ok(IdentitySource::Secret {
            client,
            secret: Secret::new(secret),
            method: "service-connection",
        })
    }

    fn application_of_endpoint(
        &self,
        connection: &ServiceConnection,
        endpoint: &Endpoint<'_>,
    ) -> Result<Application, IdentityError> {
        let tenant = self.options.tenant_id.clone();
        let id = self.options.client_id.clone();
        match (
            tenant.or_else(|| endpoint.parameter("TENANTID")),
            id.or_else(|| endpoint.parameter("SERVICEPRINCIPALID")),
        ) {
            (Some(tenant), Some(id)) => self.application_of(tenant, id),
            _ => Err(connection.fault(
                "is not described to this task: its tenant and client ID are missing",
                connection.permit(),
            )),
        }
    }

    /// A connection of another cloud would be asked for tokens that its tenant does not give.
    fn check_cloud(
        &self,
        connection: &ServiceConnection,
        endpoint: &Endpoint<'_>,
    ) -> Result<(), IdentityError> {
        let own = self.client.hosts().cloud.connection_name();
        match endpoint.data("ENVIRONMENT") {
            Some(named) if !named.eq_ignore_ascii_case(own) => Err(IdentityError::OtherCloud {
                connection: connection.to_string(),
                named: named.chars().take(60).collect(),
                own,
            }),
            _ => Ok(()),
        }
    }
}

const WRAPPER_ID: &str = "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID";
const WRAPPER_CLIENT: &str = "AZURESUBSCRIPTION_CLIENT_ID";
const WRAPPER_TENANT: &str = "AZURESUBSCRIPTION_TENANT_ID";
/// What Azure DevOps offers on the page of a connection that is not federated.
const CONVERT: &str = "convert the connection to workload identity federation (its page offers that), or name another one";
