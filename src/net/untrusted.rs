//! A server's certificate that is not trusted: what it says, why not, and what is to be done.

use rustls::{
    CertificateError,
    pki_types::{CertificateDer, UnixTime},
};

use crate::{crypto::Certificate, timestamp::Timestamp};

/// Seconds of a day.
const DAY: u64 = 24 * 60 * 60;

/// A server's certificate that is not trusted.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{}", self.describe())]
pub struct Untrusted {
    seen: Option<Seen>,
    fault: CertificateError,
}

/// What the certificate says.
#[derive(Clone, Debug)]
struct Seen {
    issuer: String,
    from: Timestamp,
    until: Timestamp,
}

/// What is to be done about it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Remedy {
    /// This machine's clock is so many days behind, at least.
    ClockBehind { days: u64 },
    /// It expired so many days ago, by this machine's clock.
    Expired { days: u64 },
    /// Nobody who is trusted has issued it.
    UnknownIssuer { issuer: Option<String> },
    /// It is for other names.
    OtherName,
    /// Anything else.
    Other,
}

impl Untrusted {
    pub(super) fn new(der: &CertificateDer<'_>, fault: CertificateError) -> Self {
        let seen = Certificate::from_der(der).ok().map(|certificate| Seen {
            issuer: certificate.issuer(),
            from: certificate.not_before(),
            until: certificate.not_after(),
        });
        Self { seen, fault }
    }

    pub(super) fn remedy(&self) -> Remedy {
        let days =
            |from: &UnixTime, to: &UnixTime| to.as_secs().saturating_sub(from.as_secs()) / DAY;
        match &self.fault {
            CertificateError::NotValidYetContext { time, not_before } => Remedy::ClockBehind {
                days: days(time, not_before),
            },
            CertificateError::ExpiredContext { time, not_after } => Remedy::Expired {
                days: days(not_after, time),
            },
            CertificateError::UnknownIssuer => Remedy::UnknownIssuer {
                issuer: self.seen.as_ref().map(|seen| seen.issuer.clone()),
            },
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Remedy::OtherName
            }
            _ => Remedy::Other,
        }
    }

    fn describe(&self) -> String {
        let fault = match self.remedy() {
            Remedy::ClockBehind { days } => {
                format!(
                    "by this machine's clock its certificate will only be valid in {}",
                    in_days(days)
                )
            }
            Remedy::Expired { days } => format!("its certificate expired {} ago", in_days(days)),
            Remedy::UnknownIssuer { .. } => "its certificate has an unknown issuer".to_owned(),
            Remedy::OtherName => "its certificate is for other names".to_owned(),
            Remedy::Other => format!("its certificate is not acceptable: {}", self.fault),
        };
        match &self.seen {
            Some(seen) => format!(
                "{fault} (issued by `{}`, valid from {} to {})",
                seen.issuer, seen.from, seen.until
            ),
            None => fault,
        }
    }
}

/// A number of days as people say it.
pub(super) fn in_days(days: u64) -> String {
    match days {
        0 => "less than a day".to_owned(),
        1 => "1 day".to_owned(),
        days => format!("{days} days"),
    }
}
