//! What decides which identity a run has.

use crate::process::Environment;

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
