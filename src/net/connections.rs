//! The connections of one client: which set of them a request takes, where they lead, and which certificates
//! they trust.

use std::{sync::Arc, time::Duration};

use http::{HeaderMap, HeaderValue, header};
use reqwest::Certificate;
use url::Url;

use super::{
    ConnectTo, Error, Hosts,
    resolve::{Resolver, System, Targets},
};

/// The longest time to wait for a connection.
const CONNECT: Duration = Duration::from_secs(20);
/// The longest silence in an answer.
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
        // Twice is fine: the provider stays the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let connect_to: Arc<[ConnectTo]> = connect_to.into();
        let targets = Targets::default();
        let resolver = |connect_to: &Arc<[ConnectTo]>, public_only: Option<Targets>| Resolver {
            connect_to: connect_to.clone(),
            system: system.clone(),
            public_only,
        };
        let roots = Roots::new(ca_pem, &resolver(&connect_to, None))?;
        let mut elsewhere = Vec::new();
        for entry in connect_to
            .iter()
            .filter(|entry| entry.from.port().is_some_and(|port| port != 443))
        {
            let only: Arc<[ConnectTo]> = Arc::new([entry.on_any_port()]);
            elsewhere.push((entry.clone(), roots.client(&resolver(&only, None), false)?));
        }
        Ok(Self {
            direct: roots.client(&resolver(&connect_to, None), true)?,
            outside: roots.client(&resolver(&connect_to, Some(targets.clone())), true)?,
            local: roots.client(&resolver(&connect_to, None), false)?,
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
            // A proxy would be told the name, and connect where it thinks that leads.
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

/// The CA certificates that are trusted: this machine's and our own; the bundled ones where it has none.
#[derive(Debug)]
struct Roots {
    own: Vec<Certificate>,
    /// `None` where the machine has some.
    bundled: Option<Vec<Certificate>>,
}

impl Roots {
    fn new(ca_pem: &[Vec<u8>], resolver: &Resolver) -> Result<Self, Error> {
        let mut own = Vec::new();
        for pem in ca_pem {
            own.extend(Certificate::from_pem_bundle(pem).map_err(setup)?);
        }
        // Asked without our own: with any at all, a machine that has none is not noticed.
        if base(resolver.clone()).build().is_ok() {
            return Ok(Self { own, bundled: None });
        }
        // An empty container; which is worth a word.
        tracing::warn!("no CA certificates on this machine: the bundled ones are used");
        let bundled = webpki_root_certs::TLS_SERVER_ROOT_CERTS
            .iter()
            .map(|der| Certificate::from_der(der));
        Ok(Self {
            own,
            bundled: Some(bundled.collect::<Result<_, _>>().map_err(setup)?),
        })
    }

    fn client(&self, resolver: &Resolver, proxied: bool) -> Result<reqwest::Client, Error> {
        let builder = base(resolver.clone());
        let builder = if proxied { builder } else { builder.no_proxy() };
        let builder = match &self.bundled {
            None => builder.tls_certs_merge(self.own.clone()),
            Some(bundled) => builder.tls_certs_only(bundled.iter().chain(&self.own).cloned()),
        };
        builder.build().map_err(setup)
    }
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
