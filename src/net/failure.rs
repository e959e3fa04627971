//! What went wrong below, as one of our errors: the innermost cause, under the reason of the kind of service.

use url::Url;

use super::{Error, Purpose, Request, SafeUrl, resolve::PrivateAddress};
use crate::reason::Reason;

pub(super) fn failed(request: &Request, url: &Url, hop: usize, error: reqwest::Error) -> Error {
    let (what, host, reason) = (
        request.what.clone(),
        host(url),
        unreachable(request.purpose),
    );
    let (of_tls, connected) = (is_tls(&error), !error.is_connect());
    let cause = deepest(&error.without_url());
    let text = cause.to_string();
    let private = cause.is::<PrivateAddress>() || text.contains("leads to a private address");
    if private && hop == 0 {
        return Error::AddressRefused {
            what,
            host,
            why: "a private address",
        };
    }
    if private {
        return Error::RedirectRefused {
            what,
            from: request.url.host_str().unwrap_or_default().to_owned(),
            to: host,
            why: "a private address",
        };
    }
    if of_tls {
        return Error::Tls {
            what,
            host,
            reason,
            cause,
        };
    }
    if text.contains("no records found")
        || text.contains("NXDomain")
        || text.contains("no record found")
        || text.contains("resolver settings")
    {
        return Error::Dns {
            what,
            host,
            reason,
            cause: without_query(&text).into(),
        };
    }
    Error::Unreachable {
        what,
        host,
        connected,
        reason,
        cause,
    }
}

/// The resolver's words without the question, which it shows as a value of its own language and which names only
/// what was asked for.
fn without_query(text: &str) -> &str {
    text.split_once(" for Query {")
        .map_or(text, |(words, _)| words)
}

/// Whether TLS itself failed, which it will again: the peer's certificate, or that it speaks none.
fn is_tls(error: &(dyn std::error::Error + 'static)) -> bool {
    // What an `io::Error` wraps is not its source, and may be another one.
    let inside = error
        .downcast_ref::<std::io::Error>()
        .and_then(std::io::Error::get_ref);
    error.is::<rustls::Error>()
        || inside.is_some_and(|inner| is_tls(inner))
        || error.source().is_some_and(is_tls)
}

/// The innermost cause, which says what happened; the layers around it say only that something did.
fn deepest(error: &reqwest::Error) -> Box<dyn std::error::Error + Send + Sync> {
    let mut texts = vec![error.to_string()];
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        texts.push(cause.to_string());
        source = cause.source();
    }
    texts.pop().unwrap_or_default().into()
}

pub(super) fn refused(request: &Request, from: &Url, to: &str, why: &'static str) -> Error {
    let to = Url::parse(to).map_or_else(
        |_| to.chars().take(200).collect(),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resolver_is_told_in_words() {
        let text = "no records found for Query { name: Name(\"registry.example.\"), query_type: AAAA, query_class: IN }";
        assert_eq!(without_query(text), "no records found");
        assert_eq!(
            without_query("the resolver settings cannot be read"),
            "the resolver settings cannot be read"
        );
    }
}
