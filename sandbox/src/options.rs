//! What a sandbox is made of: its names, and the identities that are known to it.

/// The secret of the default client.
pub const CLIENT_SECRET: &str = "sandbox-client-secret";
/// The service connection of the Azure Pipelines identity.
pub const CONNECTION: &str = "00000000-0000-0000-0000-00000000c04e";
/// The issuer of the cluster's workload identities.
pub(crate) const CLUSTER_ISSUER: &str = "https://oidc.prod-aks.azure.com/sandbox/";
/// The subject of the workload identity.
pub(crate) const CLUSTER_SUBJECT: &str = "system:serviceaccount:shop:signer";

/// What a sandbox is made of.
#[derive(Clone, Debug)]
pub struct Options {
    /// The registry's host.
    pub registry: String,
    /// The vault's host.
    pub vault: String,
    /// The tenant.
    pub tenant: String,
    /// The client that every identity of the sandbox is.
    pub client: String,
    /// Whether the registry has the Referrers API.
    pub referrers_api: bool,
    /// Whether HTTP/2 is offered.
    pub http2: bool,
    /// From how many days from now to how many the TLS certificate is valid.
    pub certificate_days: (i64, i64),
}

impl Default for Options {
    fn default() -> Self {
        Self {
            registry: "contoso.azurecr.io".into(),
            vault: "contoso.vault.azure.net".into(),
            tenant: "00000000-0000-0000-0000-0000000071d0".into(),
            client: "00000000-0000-0000-0000-00000000c11e".into(),
            referrers_api: true,
            http2: true,
            certificate_days: (-30, 365),
        }
    }
}
