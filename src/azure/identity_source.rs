//! The identity that was picked, with what it needs to get tokens.

use url::Url;

use super::{pipeline_host::PipelineHost, service_connection::ServiceConnection};
use crate::{crypto::Secret, report::AzureAuth};

/// The identity that was picked, with what it needs.
#[derive(Clone, Debug)]
pub enum IdentitySource {
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
        connection: ServiceConnection,
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
        /// Where the run is, for advice.
        host: PipelineHost,
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

impl IdentitySource {
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
            Self::AzureCli { tenant_id, .. } => AzureAuth {
                method: "azure-cli".to_owned(),
                client_id: None,
                tenant_id: tenant_id.clone(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p06_debug_hides_bearers() {
        let url = "https://h/".parse::<Url>().unwrap();
        let shown = format!(
            "{:?}",
            IdentitySource::AppService {
                endpoint: url,
                header: Secret::new("canary".into()),
                client_id: None
            }
        );
        assert!(!shown.contains("canary"), "{shown}");
    }
}
