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
    async fn addresses(
        &self,
        name: &str,
    ) -> Result<Vec<SocketAddr>, Box<dyn std::error::Error + Send + Sync>> {
        // Entries for other ports than TLS's are applied where the whole address is known.
        let planted = self.connect_to.iter().find(|entry| {
            entry.from.host().eq_ignore_ascii_case(name)
                && entry.from.port().is_none_or(|port| port == 443)
        });
        if let Some(entry) = planted {
            return Ok(vec![entry.to]);
        }
        let system = self.system.resolver().await?;
        let found: Vec<IpAddr> = system.lookup_ip(name).await?.iter().collect();
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
            Err(Box::new(PrivateAddress))
        } else {
            Ok(addresses)
        }
    }
}

/// The name leads to this machine or a private network.
#[derive(Debug, thiserror::Error)]
#[error("the name leads to a private address")]
pub(super) struct PrivateAddress;

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
    async fn resolver(&self) -> io::Result<&TokioResolver> {
        let unread = |error| {
            io::Error::other(format!(
                "the system's resolver settings cannot be read: {error}"
            ))
        };
        self.known
            .get_or_try_init(|| async { (self.read)().map_err(unread) })
            .await
    }
}

/// Loopback, link-local, private, shared, unspecified, multicast or otherwise not on the public internet (G04, G18).
pub(super) fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_private_v4(v4),
        IpAddr::V6(v6) => {
            let embedded = v6.to_ipv4_mapped().or_else(|| nat64(v6.segments()));
            embedded.is_some_and(is_private_v4)
                || v6.is_loopback()
                || v6.is_unspecified()
                || v6.is_multicast()
                || v6.is_unique_local()
                || v6.is_unicast_link_local()
                || v6.to_ipv4().is_some_and(is_private_v4)
        }
    }
}

fn is_private_v4(v4: Ipv4Addr) -> bool {
    let [a, b, ..] = v4.octets();
    v4.is_loopback()
        || v4.is_private()
        || v4.is_link_local()
        || v4.is_unspecified()
        || v4.is_broadcast()
        || v4.is_multicast()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 198 && (b == 18 || b == 19))
}

/// The IPv4 address inside a NAT64 address (`64:ff9b::/96`).
fn nat64(segments: [u16; 8]) -> Option<Ipv4Addr> {
    match segments {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
            Some(Ipv4Addr::new(a, b, c, d))
        }
        _ => None,
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
            "2606:4700::1",
            "64:ff9b::808:808",
        ] {
            assert!(!is_private(public.parse().unwrap()), "{public}");
        }
    }
}
