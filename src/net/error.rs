//! Why a request has no answer that could be used.

use std::time::Duration;

use super::{
    SafeUrl,
    untrusted::{Remedy, Untrusted, in_days},
};
use crate::reason::{Explain, Reason};

/// A request failed at the edge.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No connection, or it broke.
    #[error("{what}: `{host}` {}", if *connected { "closed the connection before its answer was complete" } else { "cannot be reached" })]
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
        /// The peer's certificate, where that was the reason.
        certificate: Option<Box<Untrusted>>,
        /// What went wrong.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The host's name cannot be resolved.
    #[error("{what}: cannot resolve `{host}`")]
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
    #[error("{what}: the run's deadline passed before `{host}` answered")]
    Deadline {
        /// What was asked for.
        what: String,
        /// The host.
        host: String,
    },
    /// The host asks to wait longer than the run may last.
    #[error("{what}: `{host}` asks to wait {} s, longer than this run may last", wait.as_secs())]
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
    #[error("{what}: the answer from `{host}` is larger than {limit} bytes")]
    TooLarge {
        /// What was asked for.
        what: String,
        /// The host.
        host: String,
        /// The limit.
        limit: u64,
    },
    /// A redirect that must not be followed.
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
    /// An address out of a certificate, flag or answer that must not be asked.
    #[error("{what}: `{host}` must not be contacted: {why}")]
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
                "run again; if it persists, the service is failing, or a proxy or firewall closes connections".to_owned()
            }
            Self::Unreachable { .. } => "check the name, the proxy and the firewall".to_owned(),
            Self::Tls { host, certificate, .. } => {
                trust(host, certificate.as_deref().map(Untrusted::remedy))
            }
            Self::Dns { .. } => {
                "check the spelling; a private endpoint needs its DNS zone, or `--connect-to HOST=ADDR:PORT`".to_owned()
            }
            Self::Deadline { .. } => "raise `--timeout`".to_owned(),
            Self::Throttled { .. } => "lower `--concurrency` or raise `--timeout`".to_owned(),
            Self::TooLarge { .. } => return None,
            Self::RedirectRefused { .. } => {
                "check for a proxy in between; if a private address is intended, pass `--allow-private HOST:PORT`".to_owned()
            }
            Self::AddressRefused { .. } => {
                "if it is intended, pass `--allow-private HOST:PORT`; the host gets no credentials"
                    .to_owned()
            }
            Self::NotHttps { .. } => "if plain HTTP is intended, pass `--plain-http HOST[:PORT]`".to_owned(),
            Self::Setup { .. } => "check `--ca-file` and the proxy variables".to_owned(),
        })
    }
}

/// What to do about a peer that TLS does not trust.
fn trust(host: &str, remedy: Option<Remedy>) -> String {
    match remedy {
        Some(Remedy::ClockBehind { days }) => format!(
            "this machine's clock is wrong: it is behind by {} or more. Set it: `timedatectl set-ntp true`",
            in_days(days)
        ),
        Some(Remedy::Expired { days }) => format!(
            "renew the certificate of `{host}`, or, if this machine's clock is ahead by {} or more, set it: \
             `timedatectl set-ntp true`",
            in_days(days)
        ),
        Some(Remedy::UnknownIssuer { issuer }) => {
            let issuer = issuer.map_or_else(|| "the issuer".to_owned(), |name| format!("`{name}`"));
            format!(
                "if {issuer} is a CA of yours, pass its certificate with `--ca-file PEM`; if not, a proxy may be \
                 intercepting TLS"
            )
        }
        Some(Remedy::OtherName) => {
            "check the name and `--connect-to`: another server answers there".to_owned()
        }
        Some(Remedy::Other) | None => {
            "check that the server speaks TLS 1.2 or 1.3 there, and for a proxy that intercepts TLS"
                .to_owned()
        }
    }
}
