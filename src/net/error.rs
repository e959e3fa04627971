//! Why a request has no answer that could be used.

use std::time::Duration;

use super::SafeUrl;
use crate::reason::{Explain, Reason};

/// A request failed at the edge.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No connection, or it broke.
    #[error("{what}: `{host}` {}", if *connected { "did not answer to the end" } else { "cannot be reached" })]
    Unreachable {
        /// What was asked for.
        what: String,
        /// The host.
        host: String,
        /// Whether it broke, after a connection was there.
        connected: bool,
        /// The reason that fits the kind of service.
        reason: Reason,
        /// What went wrong.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The peer's certificate is not trusted, or TLS failed.
    #[error("{what}: no trusted TLS connection to `{host}`")]
    Tls {
        /// What was asked for.
        what: String,
        /// The host.
        host: String,
        /// The reason that fits the kind of service.
        reason: Reason,
        /// What went wrong.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The host's name has no address.
    #[error("{what}: the name `{host}` has no address")]
    Dns {
        /// What was asked for.
        what: String,
        /// The host.
        host: String,
        /// The reason that fits the kind of service.
        reason: Reason,
        /// What went wrong.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The run's deadline passed.
    #[error("{what}: the run's time was over before `{host}` answered")]
    Deadline {
        /// What was asked for.
        what: String,
        /// The host.
        host: String,
    },
    /// The host asks to wait longer than the run may last.
    #[error("{what}: `{host}` asks to slow down for {} s, longer than this run may last", wait.as_secs())]
    Throttled {
        /// What was asked for.
        what: String,
        /// The host.
        host: String,
        /// How long it asks to wait.
        wait: Duration,
        /// The reason that fits the kind of service.
        reason: Reason,
    },
    /// The answer is larger than allowed.
    #[error("{what}: the answer of `{host}` is larger than {limit} bytes")]
    TooLarge {
        /// What was asked for.
        what: String,
        /// The host.
        host: String,
        /// The limit.
        limit: u64,
    },
    /// The answer leads where none may.
    #[error("{what}: `{from}` redirects to `{to}`: {why}")]
    RedirectRefused {
        /// What was asked for.
        what: String,
        /// The host that redirects.
        from: String,
        /// Where to.
        to: String,
        /// Why it is not followed.
        why: &'static str,
    },
    /// An address that something names leads where none may.
    #[error("{what}: `{host}` is not asked: {why}")]
    AddressRefused {
        /// What was asked for.
        what: String,
        /// The host.
        host: String,
        /// Why it is not asked.
        why: &'static str,
    },
    /// Plain HTTP to a host it was not allowed for.
    #[error("{what}: `{url}` is not https")]
    NotHttps {
        /// What was asked for.
        what: String,
        /// The address.
        url: SafeUrl,
    },
    /// The client could not be set up.
    #[error("the network client cannot be set up")]
    Setup {
        /// What went wrong.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl Explain for Error {
    fn reason(&self) -> Reason {
        match self {
            Self::Unreachable { reason, .. }
            | Self::Tls { reason, .. }
            | Self::Dns { reason, .. }
            | Self::Throttled { reason, .. } => *reason,
            Self::Deadline { .. } => Reason::Timeout,
            Self::TooLarge { .. } => Reason::LimitReached,
            Self::RedirectRefused { .. } | Self::AddressRefused { .. } => Reason::RedirectRefused,
            Self::NotHttps { .. } => Reason::HostNotAllowed,
            Self::Setup { .. } => Reason::ConfigInvalid,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Unreachable { connected: true, .. } => {
                "run again; if it stays, the service is failing, or a proxy or firewall cuts connections".to_owned()
            }
            Self::Unreachable { .. } => "check the name, proxy and firewall".to_owned(),
            Self::Tls { .. } => {
                "a private CA is named with `--ca-file`; an unknown one may be a proxy that looks inside".to_owned()
            }
            Self::Dns { .. } => {
                "check the spelling; a private endpoint needs its DNS zone, or `--connect-to`".to_owned()
            }
            Self::Deadline { .. } => "raise `--timeout`".to_owned(),
            Self::Throttled { .. } => "lower `--concurrency` or raise `--timeout`".to_owned(),
            Self::TooLarge { .. } => return None,
            Self::RedirectRefused { .. } => {
                "a proxy in between or a hostile server; a private address needs `--allow-private`".to_owned()
            }
            Self::AddressRefused { .. } => {
                "if it is meant to be asked, name it with `--allow-private HOST:PORT`; it gets no credentials"
                    .to_owned()
            }
            Self::NotHttps { .. } => "name the host with `--plain-http` if that is meant".to_owned(),
            Self::Setup { .. } => "check `--ca-file` and proxy variables".to_owned(),
        })
    }
}
