//! Why there is no Azure token.

use crate::{
    net::{self, HostNotAllowed},
    reason::{Explain, Reason},
};

/// No identity, or no token from it.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// Nothing in the environment offers an identity.
    #[error("no Azure identity found; looked for, in this order: {looked_for}")]
    Unavailable {
        /// What was looked for, and why each was not used.
        looked_for: String,
        /// What to do here.
        hint: String,
    },
    /// Some of what an identity needs is there, and some is not. Never replaced by another identity: whoever can use
    /// the key is the signer (K07).
    #[error("{found} needs {missing}")]
    Incomplete {
        /// What is there.
        found: String,
        /// What is not.
        missing: String,
        /// What to do here.
        hint: String,
    },
    /// An identity that other programs know and this one does not. Never replaced by another one either.
    #[error("{found} is set, and {identity} is not supported")]
    Unsupported {
        /// What is there.
        found: String,
        /// What it stands for.
        identity: &'static str,
    },
    /// The identity asked for is not one that this machine has.
    #[error("`--auth {method}` needs {missing}")]
    Missing {
        /// The method.
        method: &'static str,
        /// What is missing.
        missing: String,
        /// What to do here.
        hint: String,
    },
    /// A variable that leads to the identity is not of the form that it must have.
    #[error("{what} is not {expected}")]
    Malformed {
        /// What.
        what: String,
        /// What it must be.
        expected: &'static str,
    },
    /// A service connection that cannot be used.
    #[error("{connection} {fault}")]
    Connection {
        /// The connection, with who named it.
        connection: String,
        /// What is wrong with it.
        fault: String,
        /// What to do.
        hint: String,
    },
    /// The service connection is one of another cloud.
    #[error("{connection} is for `{named}`, and the cloud of this run is `{own}`")]
    OtherCloud {
        /// The connection, with who named it.
        connection: String,
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
            Self::Unavailable { .. }
            | Self::Incomplete { .. }
            | Self::Unsupported { .. }
            | Self::Missing { .. }
            | Self::Malformed { .. }
            | Self::Connection { .. } => Reason::IdentityUnavailable,
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
            Self::Unavailable { hint, .. }
            | Self::Incomplete { hint, .. }
            | Self::Missing { hint, .. }
            | Self::Connection { hint, .. }
            | Self::Refused { hint, .. } => hint.clone(),
            Self::Unsupported { .. } => "use federation (`permissions: id-token: write` on GitHub, a service connection \
                 with workload identity federation on Azure Pipelines), a client secret or a managed identity; if another \
                 identity of this machine is meant, name it with `--auth`"
                .to_owned(),
            Self::Malformed { .. } => return None,
            Self::OtherCloud { .. } => {
                "name the connection's cloud with `--cloud`, or use a connection of this one".to_owned()
            }
            Self::Host { cause, .. } => return cause.hint(),
            Self::Net { cause, .. } => return cause.hint(),
            Self::NoToken { .. } | Self::Local { .. } => return None,
            Self::OtherResource { .. } => "this is not the vault it says it is".to_owned(),
        })
    }
}
