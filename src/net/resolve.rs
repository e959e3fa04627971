//! Names to addresses: `--connect-to` first, then the system's resolver settings. No NSS, and never a public
//! resolver that nobody chose.

use std::{
    collections::BTreeSet,
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
};

use hickory_resolver::{ResolverBuilder, TokioResolver};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::OnceCell;

use super::ConnectTo;

/// Resolves for one client; for redirect targets it refuses private addresses.
#[derive(Clone)]
pub(super) struct Resolver {
    pub(super) connect_to: Arc<[ConnectTo]>,
    pub(super) system: Arc<System>,
    /// Names that must not lead to private addresses; `None` where every name may.
    pub(super) public_only: Option<Targets>,
}

/// The names that redirects led to. The client that follows them also resolves the name of the proxy, which
/// is the user's own choice and mostly private.
#[derive(Clone, Debug, Default)]
pub(super) struct Targets(Arc<Mutex<BTreeSet<String>>>);

impl Targets {
    /// Remembers a name before it is asked.
    pub(super) fn add(&self, name: &str) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(name.to_ascii_lowercase());
    }

    fn has(&self, name: &str) -> bool {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(&name.to_ascii_lowercase())
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let this = self.clone();
        Box::pin(async move {
            let addresses = this.addresses(name.as_str()).await?;
            let addresses: Addrs = Box::new(addresses.into_iter());
            Ok(addresses)
        })
    }
}

impl Resolver {
    async fn addresses(&self, name: &str) -> Result<Vec<SocketAddr>, ResolveError> {
        // Entries for other ports than TLS's are applied where the whole address is known.
        let planted = self.connect_to.iter().find(|entry| {
            entry.from.host().eq_ignore_ascii_case(name)
                && entry.from.port().is_none_or(|port| port == 443)
        });
        if let Some(entry) = planted {
            return Ok(vec![entry.to]);
        }
        let system = self.system.resolver().await?;
        let found = system.lookup_ip(name).await.map_err(|error| {
            if error.is_no_records_found() {
                ResolveError::NoRecords
            } else {
                ResolveError::Lookup(Box::new(error))
            }
        })?;
        let found: Vec<IpAddr> = found.iter().collect();
        let allowed = |address: &IpAddr| match &self.public_only {
            None => true,
            Some(targets) => !targets.has(name) || !is_private(*address),
        };
        let addresses: Vec<SocketAddr> = found
            .into_iter()
            .filter(allowed)
            .map(|address| SocketAddr::new(address, 0))
            .collect();
        if addresses.is_empty() {
            Err(ResolveError::Private)
        } else {
            Ok(addresses)
        }
    }
}

/// A name leads nowhere, or nowhere that may be asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum ResolveError {
    /// To this machine or a private network.
    #[error("the name leads to a private address")]
    Private,
    /// There are no addresses for the name.
    #[error("no records found")]
    NoRecords,
    /// This machine does not say who resolves names.
    #[error("the system's resolver settings cannot be read: {0}")]
    Settings(io::Error),
    /// No answer that could be used.
    #[error("the name servers did not answer: {0}")]
    Lookup(Box<dyn std::error::Error + Send + Sync>),
}

/// The resolver by this machine's settings, which are read when the first name is asked for: a run whose
/// addresses are all named by `--connect-to` or a proxy needs none.
#[derive(Debug)]
pub(super) struct System {
    pub(super) known: OnceCell<TokioResolver>,
    pub(super) read: fn() -> io::Result<TokioResolver>,
}

impl Default for System {
    fn default() -> Self {
        let read = || {
            TokioResolver::builder_tokio()
                .and_then(ResolverBuilder::build)
                .map_err(io::Error::other)
        };
        Self {
            known: OnceCell::new(),
            read,
        }
    }
}

impl System {
    async fn resolver(&self) -> Result<&TokioResolver, ResolveError> {
        self.known
            .get_or_try_init(|| async { (self.read)().map_err(ResolveError::Settings) })
            .await
    }
}

/// Whether an address is not on the public internet (G04, G18). Public is what is known to be (RFC 6890 and IANA's
/// registries of special-purpose addresses); anything else is not.
pub(super) fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_private_v4(v4),
        IpAddr::V6(v6) => match v6.to_ipv4_mapped().or_else(|| embedded(v6.segments())) {
            Some(v4) => is_private_v4(v4),
            None => !is_global(v6.segments()),
        },
    }
}

fn is_private_v4(v4: Ipv4Addr) -> bool {
    match v4.octets() {
        // "This network", private, shared, loopback, link-local.
        [0 | 10 | 127, ..] | [100, 64..128, ..] | [169, 254, ..] | [172, 16..32, ..] => true,
        // Protocol assignments, documentation, private, benchmarks.
        [192, 0, 0 | 2, _] | [192, 168, ..] | [198, 18 | 19, ..] | [198, 51, 100, _] => true,
        [203, 0, 113, _] => true,
        // Azure's platform service, on every virtual machine and nowhere else.
        [168, 63, 129, 16] => true,
        // Multicast, reserved, broadcast.
        [224..=255, ..] => true,
        _ => false,
    }
}

/// The IPv4 address that is asked through a NAT64 (`64:ff9b::/96`) or 6to4 (`2002::/16`) address.
fn embedded(segments: [u16; 8]) -> Option<Ipv4Addr> {
    let ([0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..]) = segments else {
        return None;
    };
    let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
    Some(Ipv4Addr::new(a, b, c, d))
}

/// Global unicast (`2000::/3`) without protocol assignments such as Teredo (`2001::/23`), documentation
/// (`2001:db8::/32`, `3fff::/20`). Outside of it nothing is public, the local NAT64 prefix `64:ff9b:1::/48` and the
/// old site-local `fec0::/10` included.
fn is_global(segments: [u16; 8]) -> bool {
    match segments {
        [0x2001, second, ..] => second >= 0x200 && second != 0xdb8,
        [0x3fff, second, ..] => second >= 0x1000,
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g04_g18_private_addresses() {
        for private in [
            "127.0.0.1",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.254",
            "192.168.1.1",
            "169.254.169.254",
            "0.0.0.0",
            "0.1.2.3",
            "100.64.0.1",
            "100.127.255.254",
            "224.0.0.1",
            "239.255.255.250",
            "240.0.0.1",
            "255.255.255.255",
            "198.18.0.1",
            "198.19.255.254",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "fd00::1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "64:ff9b::a00:1",
            "ff02::1",
            "168.63.129.16",
            "::ffff:168.63.129.16",
            "64:ff9b::a83f:8110",
            "192.0.0.1",
            "192.0.0.192",
            "192.0.2.1",
            "198.51.100.7",
            "203.0.113.9",
            "fec0::1",
            "feff::1",
            // 6to4 of 10.0.0.1, 127.0.0.1, 168.63.129.16.
            "2002:a00:1::",
            "2002:7f00:1::1",
            "2002:a83f:8110::5",
            "64:ff9b:1::1",
            "64:ff9b:1:a00:0:100::",
            "64:ff9b:1::808:808",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "3fff::1",
            "4000::1",
        ] {
            assert!(is_private(private.parse().unwrap()), "{private}");
        }
        for public in [
            "203.0.114.1",
            "8.8.8.8",
            "1.0.0.1",
            "172.32.0.1",
            "100.63.0.1",
            "100.128.0.1",
            "198.20.0.1",
            "223.255.255.254",
            "168.63.129.15",
            "168.63.129.17",
            "192.0.1.1",
            "203.0.112.1",
            "::ffff:8.8.8.8",
            "2002:808:808::1",
            "2001:4860:4860::8888",
            "2a00:1450::1",
            "3ffe::1",
            "2606:4700::1",
            "64:ff9b::808:808",
        ] {
            assert!(!is_private(public.parse().unwrap()), "{public}");
        }
    }
}
