//! What went wrong below, as one of our errors: by the types of its causes, under the reason of the kind of service.

use rustls::{CertificateError, OtherError};
use url::Url;

use super::{Error, Purpose, Request, SafeUrl, resolve::ResolveError, untrusted::Untrusted};
use crate::reason::Reason;

pub(super) fn failed(request: &Request, url: &Url, hop: usize, error: reqwest::Error) -> Error {
    let (what, host, reason) = (
        request.what.clone(),
        host(url),
        unreachable(request.purpose),
    );
    let connected = !error.is_connect();
    let error = error.without_url();
    let cause = innermost(&error).into();
    match find::<ResolveError>(&error) {
        Some(ResolveError::Private) if hop == 0 => {
            return Error::AddressRefused {
                what,
                host,
                why: "a private address",
            };
        }
        Some(ResolveError::Private) => {
            return Error::RedirectRefused {
                what,
                from: request.url.host_str().unwrap_or_default().to_owned(),
                to: host,
                why: "a private address",
            };
        }
        Some(ResolveError::NoRecords | ResolveError::Settings(_)) => {
            return Error::Dns {
                what,
                host,
                reason,
                cause,
            };
        }
        Some(ResolveError::Lookup(_)) | None => {}
    }
    // What TLS refuses it will refuse again: the peer's certificate, or that the peer speaks no TLS.
    match find::<rustls::Error>(&error) {
        Some(tls) => Error::Tls {
            what,
            host,
            reason,
            certificate: untrusted(tls).map(Box::new),
            cause,
        },
        None => Error::Unreachable {
            what,
            host,
            connected,
            reason,
            cause,
        },
    }
}

/// The first error of a type in a chain of causes.
fn find<'a, T: std::error::Error + 'static>(
    error: &'a (dyn std::error::Error + 'static),
) -> Option<&'a T> {
    // What an `io::Error` wraps is not its source, and may be another one.
    let inside = error
        .downcast_ref::<std::io::Error>()
        .and_then(std::io::Error::get_ref);
    error
        .downcast_ref::<T>()
        .or_else(|| inside.and_then(|inner| find(inner)))
        .or_else(|| error.source().and_then(find))
}

fn untrusted(error: &rustls::Error) -> Option<Untrusted> {
    match error {
        rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(inner))) => {
            inner.downcast_ref::<Untrusted>().cloned()
        }
        _ => None,
    }
}

/// The innermost cause, which says what happened; the layers around it say only that something did.
fn innermost(error: &reqwest::Error) -> String {
    if let Some(resolution) = find::<ResolveError>(error) {
        return resolution.to_string();
    }
    if let Some(untrusted) = find::<rustls::Error>(error).and_then(untrusted) {
        return untrusted.to_string();
    }
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = cause.to_string();
        source = cause.source();
    }
    text
}

pub(super) fn refused(request: &Request, from: &Url, to: &str, why: &'static str) -> Error {
    let to = from.join(to).map_or_else(
        |_| "an address that cannot be parsed".to_owned(),
        |url| SafeUrl::new(url).to_string(),
    );
    Error::RedirectRefused {
        what: request.what.clone(),
        from: host(from),
        to,
        why,
    }
}

pub(super) fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port()
        .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

fn unreachable(purpose: Purpose) -> Reason {
    match purpose {
        Purpose::Registry | Purpose::TrustServer | Purpose::Other => Reason::RegistryUnreachable,
        Purpose::Vault => Reason::VaultUnreachable,
        Purpose::Entra => Reason::IdentityFailed,
    }
}

pub(super) fn throttled(purpose: Purpose) -> Reason {
    match purpose {
        Purpose::Registry | Purpose::TrustServer | Purpose::Other => Reason::RegistryThrottled,
        Purpose::Vault => Reason::VaultThrottled,
        Purpose::Entra => Reason::IdentityFailed,
    }
}
