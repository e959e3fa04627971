//! The connections of one client: which set of them a request takes, and where they lead.

use std::{sync::Arc, time::Duration};

use http::{HeaderMap, HeaderValue, header};
use rustls::ClientConfig;
use url::Url;

use super::{
    ConnectTo, Error, Hosts,
    resolve::{Resolver, System, Targets},
    tls,
};

/// The longest time to wait for a connection: a SYN is repeated after 1, 3, 7 and 15 seconds, and what then has no
/// answer will not get one.
const CONNECT: Duration = Duration::from_secs(20);
/// The longest silence in an answer: a registry may hash a large blob before it says anything.
const SILENCE: Duration = Duration::from_secs(60);

/// Connections of one client, kept between requests.
#[derive(Debug)]
pub(super) struct Connections {
    connect_to: Arc<[ConnectTo]>,
    direct: reqwest::Client,
    /// For redirects and what comes from outside: refuses names that lead to private addresses.
    outside: reqwest::Client,
    /// For addresses of this machine and its host, and for `--connect-to`: never through a proxy.
    local: reqwest::Client,
    /// For `--connect-to` entries that name a port other than TLS's: the resolver sees no ports.
    elsewhere: Vec<(ConnectTo, reqwest::Client)>,
    /// Names that these led to; a proxy's own name is not among them.
    targets: Targets,
}

impl Connections {
    /// Sets them up; connects nowhere.
    pub(super) fn new(
        ca_pem: &[Vec<u8>],
        connect_to: Vec<ConnectTo>,
        system: &Arc<System>,
    ) -> Result<Self, Error> {
        let connect_to: Arc<[ConnectTo]> = connect_to.into();
        let targets = Targets::default();
        let resolver = |connect_to: &Arc<[ConnectTo]>, public_only: Option<Targets>| Resolver {
            connect_to: connect_to.clone(),
            system: system.clone(),
            public_only,
        };
        let tls = tls::config(ca_pem)?;
        let mut elsewhere = Vec::new();
        for entry in connect_to
            .iter()
            .filter(|entry| entry.from.port().is_some_and(|port| port != 443))
        {
            let only: Arc<[ConnectTo]> = Arc::new([entry.on_any_port()]);
            elsewhere.push((entry.clone(), client(&tls, resolver(&only, None), false)?));
        }
        Ok(Self {
            direct: client(&tls, resolver(&connect_to, None), true)?,
            outside: client(&tls, resolver(&connect_to, Some(targets.clone())), true)?,
            local: client(&tls, resolver(&connect_to, None), false)?,
            elsewhere,
            targets,
            connect_to,
        })
    }

    /// A redirect led to this name: from now on it must not lead to a private address.
    pub(super) fn only_public(&self, name: &str) {
        self.targets.add(name);
    }

    /// The client to use: what comes from outside may lead to a private address only where `--allow-private` names it.
    pub(super) fn client(&self, hosts: &Hosts, url: &Url, outside: bool) -> &reqwest::Client {
        let entry = self.connect_to.iter().find(|entry| entry.is_for(url));
        let own = self
            .elsewhere
            .iter()
            .find(|(known, _)| Some(known) == entry);
        match own {
            Some((_, client)) => client,
            // A proxy would get the name, and connect wherever it resolves that to.
            None if entry.is_some() => &self.local,
            None if !outside && hosts.is_identity_endpoint(url) => &self.local,
            None if !outside || hosts.private.iter().any(|host| host.is_of(url)) => &self.direct,
            None => &self.outside,
        }
    }

    /// For addresses that name a port or are literal, the resolver has no say: the URL's authority is changed,
    /// and the `Host` header keeps the one that was asked for.
    pub(super) fn address(&self, url: &Url, headers: &mut HeaderMap) -> Url {
        let Some(entry) = self.connect_to.iter().find(|entry| entry.is_for(url)) else {
            return url.clone();
        };
        let by_resolver = url.scheme() == "https"
            && url.port().is_none()
            && matches!(url.host(), Some(url::Host::Domain(_)));
        if by_resolver {
            return url.clone();
        }
        let mut connected = url.clone();
        let authority = url.host_str().map(|host| {
            url.port()
                .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
        });
        if let Some(value) = authority.and_then(|authority| HeaderValue::from_str(&authority).ok())
        {
            headers.insert(header::HOST, value);
        }
        if url.scheme() == "http" {
            let _ = connected.set_ip_host(entry.to.ip());
        }
        let _ = connected.set_port(Some(entry.to.port()));
        connected
    }
}

/// A set of connections: names by `resolver`, and through the proxy of the environment if `proxied`.
fn client(tls: &ClientConfig, resolver: Resolver, proxied: bool) -> Result<reqwest::Client, Error> {
    let builder = base(resolver).tls_backend_preconfigured(tls.clone());
    let builder = if proxied { builder } else { builder.no_proxy() };
    builder.build().map_err(setup)
}

fn setup(cause: reqwest::Error) -> Error {
    Error::Setup {
        cause: Box::new(cause),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place where a client is built"
)]
fn base(resolver: Resolver) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .user_agent(concat!("acr-sign/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .connect_timeout(CONNECT)
        .read_timeout(SILENCE)
        .tcp_nodelay(true)
        .http2_adaptive_window(true)
        .dns_resolver(resolver)
}
