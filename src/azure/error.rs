//! Why there is no Azure token.

use crate::{
    net::{self, HostNotAllowed},
    reason::{Explain, Reason},
};

/// No identity, or no token from it.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// Nothing in the environment offers an identity.
    #[error("no Azure identity is there: looked for {looked_for}")]
    Unavailable {
        /// What was looked for.
        looked_for: String,
    },
    /// The identity asked for lacks something.
    #[error("`--auth {method}` lacks {missing}")]
    Missing {
        /// The method.
        method: &'static str,
        /// What is missing.
        missing: String,
    },
    /// The identity of a certificate-based service connection.
    #[error("the service connection uses a certificate, which this program does not")]
    CertificateConnection,
    /// The service connection is one of another cloud.
    #[error("the service connection is of `{named}`, and the cloud of this run is `{own}`")]
    OtherCloud {
        /// The cloud that the connection names.
        named: String,
        /// That of the run, as connections name it.
        own: &'static str,
    },
    /// An address from the environment leads elsewhere.
    #[error("`{variable}` is not used")]
    Host {
        /// Where the address stood.
        variable: &'static str,
        /// Why.
        #[source]
        cause: HostNotAllowed,
    },
    /// No usable answer.
    #[error("no token from {from}")]
    Net {
        /// Whose token.
        from: String,
        /// Why.
        #[source]
        cause: net::Error,
    },
    /// The token service refused.
    #[error("{from} refused a token: {said}")]
    Refused {
        /// Who refused.
        from: String,
        /// What it said, one line.
        said: String,
        /// What to do.
        hint: String,
    },
    /// The answer holds no token.
    #[error("the answer of {from} holds no token")]
    NoToken {
        /// Who answered.
        from: String,
    },
    /// A file or program of the identity cannot be used.
    #[error("{what} cannot be used")]
    Local {
        /// What.
        what: String,
        /// Why.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A vault asks for a token of another service.
    #[error(
        "the vault's challenge asks for a token of `{asked}`, and vaults there get one of `{own}` only"
    )]
    OtherResource {
        /// What the challenge names.
        asked: String,
        /// What the vault's name means.
        own: String,
    },
}

impl Explain for IdentityError {
    fn reason(&self) -> Reason {
        match self {
            Self::Unavailable { .. } | Self::Missing { .. } | Self::CertificateConnection => {
                Reason::IdentityUnavailable
            }
            Self::OtherCloud { .. } => Reason::ConfigInvalid,
            Self::Host { cause, .. } => cause.reason(),
            Self::Net { cause, .. } => match cause.reason() {
                Reason::Timeout => Reason::Timeout,
                _ => Reason::IdentityFailed,
            },
            Self::Refused { .. } | Self::NoToken { .. } | Self::Local { .. } => {
                Reason::IdentityFailed
            }
            Self::OtherResource { .. } => Reason::VaultAnswerInvalid,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Unavailable { .. } => "on GitHub give the job `permissions: id-token: write` (pull requests from forks never have it) \
                 with AZURE_CLIENT_ID and AZURE_TENANT_ID; on Azure Pipelines use a service connection; elsewhere a managed identity, or `az login`"
                .to_owned(),
            Self::Missing { .. } => "set what is missing, or choose another `--auth`".to_owned(),
            Self::CertificateConnection => "convert the service connection to workload identity federation".to_owned(),
            Self::OtherCloud { .. } => {
                "name the connection's cloud with `--cloud`, or use a connection of this one".to_owned()
            }
            Self::Host { cause, .. } => return cause.hint(),
            Self::Net { cause, .. } => return cause.hint(),
            Self::Refused { hint, .. } => hint.clone(),
            Self::NoToken { .. } | Self::Local { .. } => return None,
            Self::OtherResource { .. } => "this is not the vault it says it is".to_owned(),
        })
    }
}
