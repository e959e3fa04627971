//! Hosts with ports as flags name them, and where to connect instead.

use std::{
    fmt,
    net::{Ipv6Addr, SocketAddr},
    str::FromStr,
};

use url::Url;

/// A host, and a port if one was named. Lower case.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct HostPort {
    host: String,
    port: Option<u16>,
}

/// The text names no host.
#[derive(Debug, thiserror::Error)]
pub enum InvalidAddress {
    /// Not `HOST[:PORT]`.
    #[error("`{0}` is not HOST[:PORT]")]
    Host(String),
    /// Not `HOST[:PORT]=ADDR:PORT`.
    #[error("`{0}` is not HOST[:PORT]=ADDR:PORT, with an IP address")]
    ConnectTo(String),
}

impl HostPort {
    /// The host, without port.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, if one was named.
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// Whether this names the host and port of `url`; without a port, the scheme's own is meant.
    pub fn is_of(&self, url: &Url) -> bool {
        let port = self.port.or_else(|| {
            if url.scheme() == "http" {
                Some(80)
            } else {
                Some(443)
            }
        });
        url.host_str()
            .is_some_and(|host| host.eq_ignore_ascii_case(&self.host))
            && url.port_or_known_default() == port
    }
}

impl FromStr for HostPort {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || InvalidAddress::Host(text.to_owned());
        let lower = text.to_ascii_lowercase();
        let (host, port) = match lower.rsplit_once(':') {
            Some((host, port)) if !lower.ends_with(']') => (host, Some(port)),
            _ => (lower.as_str(), None),
        };
        let port = port
            .map(str::parse)
            .transpose()
            .map_err(|_| wrong())?
            .filter(|port| *port != 0);
        let bracketed = host
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'.';
        let valid = match bracketed {
            Some(address) => address.parse::<Ipv6Addr>().is_ok(),
            None => {
                !host.is_empty()
                    && host.bytes().all(plain)
                    && !host.starts_with('.')
                    && !host.ends_with('.')
            }
        };
        if valid {
            Ok(Self {
                host: host.to_owned(),
                port,
            })
        } else {
            Err(wrong())
        }
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.host)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

/// Connect to an address for a host; URL, TLS name and token rules stay those of the host.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConnectTo {
    /// The host that is asked for; without a port, any.
    pub from: HostPort,
    /// Where the connection goes.
    pub to: SocketAddr,
}

impl ConnectTo {
    /// Whether requests for `url` connect there.
    pub fn is_for(&self, url: &Url) -> bool {
        let host = url
            .host_str()
            .is_some_and(|host| host.eq_ignore_ascii_case(self.from.host()));
        host && self
            .from
            .port()
            .is_none_or(|port| url.port_or_known_default() == Some(port))
    }

    /// The same for every port of the host.
    pub(super) fn on_any_port(&self) -> Self {
        Self {
            from: HostPort {
                host: self.from.host.clone(),
                port: None,
            },
            to: self.to,
        }
    }
}

impl FromStr for ConnectTo {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || InvalidAddress::ConnectTo(text.to_owned());
        let (from, to) = text.split_once('=').ok_or_else(wrong)?;
        let to = to
            .replacen("localhost:", "127.0.0.1:", 1)
            .parse()
            .map_err(|_| wrong())?;
        Ok(Self {
            from: from.parse().map_err(|_| wrong())?,
            to,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_ports() {
        let host: HostPort = "Registry.Example:8443".parse().unwrap();
        assert!(host.is_of(&"https://registry.example:8443/x".parse().unwrap()));
        assert!(!host.is_of(&"https://registry.example/x".parse().unwrap()));
        let host: HostPort = "registry.example".parse().unwrap();
        assert!(host.is_of(&"https://registry.example/x".parse().unwrap()));
        assert!(!host.is_of(&"https://registry.example:8443/x".parse().unwrap()));
        assert!(host.is_of(&"http://registry.example/x".parse().unwrap()));
        for other in [
            "https://registry.example.evil/x",
            "https://evilregistry.example/x",
            "http://registry.example:443/x",
        ] {
            assert!(!host.is_of(&other.parse().unwrap()), "{other}");
        }
        for wrong in [
            "",
            ":1",
            "a/b",
            "user@host",
            "host:",
            "host:x",
            ".host",
            "host.",
            "https://host",
            "*.host",
        ] {
            assert!(wrong.parse::<HostPort>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn connect_to_elsewhere() {
        let to: ConnectTo = "169.254.169.254:80=127.0.0.1:8080".parse().unwrap();
        assert!(to.is_for(&"http://169.254.169.254/metadata".parse().unwrap()));
        assert!(!to.is_for(&"https://169.254.169.254/metadata".parse().unwrap()));
        for wrong in ["a", "a=b", "a=b:1", "a=1.2.3.4", "=1.2.3.4:1"] {
            assert!(wrong.parse::<ConnectTo>().is_err(), "{wrong}");
        }
    }
}
