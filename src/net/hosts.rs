//! Who may receive a credential: the hosts of the chosen cloud, and those named by flag or input. Decided
//! before a byte is sent, on a label boundary, never by what a server says (G01, K01, K08).

use std::net::{IpAddr, Ipv6Addr};

use url::Url;

use super::{Cloud, HostPort, resolve::is_private};
use crate::reason::{Explain, Reason};

/// A host that may not receive what would be sent.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("`{host}` is not {wanted}")]
pub struct HostNotAllowed {
    /// The host.
    pub host: String,
    /// What it would have to be.
    pub wanted: &'static str,
}

impl Explain for HostNotAllowed {
    fn reason(&self) -> Reason {
        Reason::HostNotAllowed
    }

    fn hint(&self) -> Option<String> {
        Some(format!(
            "check the name and `--cloud`; if `{}` is meant to receive credentials, name it with `--allow-host`",
            self.host
        ))
    }
}

/// The rules of one run.
#[derive(Clone, Debug, Default)]
pub struct Hosts {
    /// The chosen cloud.
    pub cloud: Cloud,
    /// `--allow-host`.
    pub allowed: Vec<HostPort>,
    /// `--allow-private`.
    pub private: Vec<HostPort>,
    /// `--plain-http`.
    pub plain_http: Vec<HostPort>,
}

impl Hosts {
    /// Whether a host was named by `--allow-host`.
    pub fn is_allowed(&self, url: &Url) -> bool {
        self.allowed.iter().any(|host| host.is_of(url))
    }

    /// Whether `url` is a registry of the chosen cloud, which gets the Entra exchange.
    pub fn is_cloud_registry(&self, url: &Url) -> bool {
        is_https(url) && below(url, self.cloud.registry_suffix())
    }

    /// The name in Azure of a registry of the chosen cloud.
    pub fn cloud_registry_name<'a>(&self, url: &'a Url) -> Option<&'a str> {
        let host = url.host_str().filter(|_| self.is_cloud_registry(url))?;
        host.strip_suffix(self.cloud.registry_suffix())
    }

    /// The scope of tokens for a vault, by the suffix of its host, never by its challenge.
    pub fn vault_scope(&self, url: &Url) -> Result<&'static str, HostNotAllowed> {
        let vault = match self.cloud {
            Cloud::Public => "https://vault.azure.net/.default",
            Cloud::UsGov => "https://vault.usgovcloudapi.net/.default",
            Cloud::China => "https://vault.azure.cn/.default",
        };
        let hsm = match self.cloud {
            Cloud::Public => "https://managedhsm.azure.net/.default",
            Cloud::UsGov => "https://managedhsm.usgovcloudapi.net/.default",
            Cloud::China => "https://managedhsm.azure.cn/.default",
        };
        if is_https(url) && below(url, self.cloud.hsm_suffix()) {
            return Ok(hsm);
        }
        let known = is_https(url) && below(url, self.cloud.vault_suffix());
        let named = self.is_allowed(url) && url.scheme() == "https";
        if known || named {
            Ok(vault)
        } else {
            Err(refuse(url, "a key vault of the chosen cloud"))
        }
    }

    /// Checks an Entra authority, such as `AZURE_AUTHORITY_HOST` names.
    pub fn check_authority(&self, url: &Url) -> Result<(), HostNotAllowed> {
        let known = is_https(url)
            && self
                .cloud
                .authorities()
                .iter()
                .any(|host| url.host_str() == Some(host));
        if known || self.named_https(url) {
            Ok(())
        } else {
            Err(refuse(url, "an Entra authority of the chosen cloud"))
        }
    }

    /// Checks the address of GitHub's token service.
    pub fn check_github_oidc(&self, url: &Url) -> Result<(), HostNotAllowed> {
        let known = is_https(url)
            && (below(url, ".actions.githubusercontent.com") || below(url, ".ghe.com"));
        if known || self.named_https(url) {
            Ok(())
        } else {
            Err(refuse(url, "a token service of GitHub Actions"))
        }
    }

    /// Checks the address of Azure Pipelines' token service.
    pub fn check_pipelines_oidc(&self, url: &Url) -> Result<(), HostNotAllowed> {
        let known = is_https(url)
            && (url.host_str() == Some("dev.azure.com") || below(url, ".visualstudio.com"));
        if known || self.named_https(url) {
            Ok(())
        } else {
            Err(refuse(url, "a token service of Azure Pipelines"))
        }
    }

    /// Checks the address of GitHub's API, which gets the job's token.
    pub fn check_github_api(&self, url: &Url) -> Result<(), HostNotAllowed> {
        let known =
            is_https(url) && (url.host_str() == Some("api.github.com") || below(url, ".ghe.com"));
        if known || self.named_https(url) {
            Ok(())
        } else {
            Err(refuse(url, "an API of GitHub"))
        }
    }

    /// Whether `url` may be a managed-identity endpoint: loopback or link-local, by literal or as `localhost`.
    pub fn is_identity_endpoint(&self, url: &Url) -> bool {
        let local = match url.host() {
            Some(url::Host::Ipv4(address)) => address.is_loopback() || address.is_link_local(),
            Some(url::Host::Ipv6(address)) => {
                address == Ipv6Addr::LOCALHOST || address.is_unicast_link_local()
            }
            Some(url::Host::Domain(name)) => name == "localhost",
            None => false,
        };
        local
            && url.username().is_empty()
            && url.password().is_none()
            && matches!(url.scheme(), "http" | "https")
    }

    /// Checks the realm of a challenge: the registry's own host and port, an allowed host, or the public
    /// registry's known token service (G03).
    pub fn check_realm(&self, registry: &Url, realm: &Url) -> Result<(), HostNotAllowed> {
        let plain = realm.username().is_empty() && realm.password().is_none();
        let own = realm.scheme() == registry.scheme()
            && realm.host_str() == registry.host_str()
            && realm.port_or_known_default() == registry.port_or_known_default();
        let of_hub = matches!(
            registry.host_str(),
            Some("registry-1.docker.io" | "notary.docker.io")
        );
        let hub = is_https(realm) && realm.host_str() == Some("auth.docker.io") && of_hub;
        let named = self.is_allowed(realm)
            && (realm.scheme() == "https" || self.plain_http.iter().any(|host| host.is_of(realm)));
        if plain && (own || hub || named) {
            Ok(())
        } else {
            Err(refuse(
                realm,
                "the registry's own host, which its challenge must name",
            ))
        }
    }

    /// Whether tokens of the registry may go to this trust server.
    pub fn trust_server_may_get_tokens(&self, registry: &Url, server: &Url) -> bool {
        let own = server.scheme() == registry.scheme()
            && server.host_str() == registry.host_str()
            && server.port_or_known_default() == registry.port_or_known_default();
        own || self.is_allowed(server)
    }

    /// The scheme for a host: `http` only where it was named.
    pub fn scheme(&self, host: &str, port: Option<u16>) -> &'static str {
        let is = |one: &&HostPort| one.host() == host && one.port() == port;
        if self.plain_http.iter().any(|one| is(&one)) {
            "http"
        } else {
            "https"
        }
    }

    fn named_https(&self, url: &Url) -> bool {
        self.is_allowed(url)
            && url.scheme() == "https"
            && url.username().is_empty()
            && url.password().is_none()
    }

    /// Whether an address is on this machine or in a private network.
    pub fn is_private_address(address: IpAddr) -> bool {
        is_private(address)
    }
}

/// `https`, the default port, and no user-info.
fn is_https(url: &Url) -> bool {
    url.scheme() == "https"
        && url.port().is_none()
        && url.username().is_empty()
        && url.password().is_none()
}

/// Whether the host lies below a suffix that starts with a dot: on a label boundary, with a name before it.
fn below(url: &Url, suffix: &str) -> bool {
    let Some(url::Host::Domain(host)) = url.host() else {
        return false;
    };
    host.strip_suffix(suffix)
        .is_some_and(|name| !name.is_empty() && !name.starts_with('.') && !name.ends_with('.'))
}

fn refuse(url: &Url, wanted: &'static str) -> HostNotAllowed {
    let host = url.host_str().unwrap_or_default();
    let host = url
        .port()
        .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    HostNotAllowed { host, wanted }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    #[test]
    fn g01_entra_tokens_go_to_registries_of_the_cloud_only() {
        let hosts = Hosts::default();
        assert!(hosts.is_cloud_registry(&url("https://contoso.azurecr.io")));
        assert!(hosts.is_cloud_registry(&url("https://CONTOSO.AzureCR.io")));
        for other in [
            "https://evil.example",
            "https://x.azurecr.io.evil.example",
            "https://azurecr.io",
            "https://xazurecr.io",
            "https://contoso.azurecr.io.",
            "https://contoso.azurecr.io:8443",
            "https://user@contoso.azurecr.io",
            "https://:pw@contoso.azurecr.io",
            "http://contoso.azurecr.io",
            "https://contoso.azurecr.us",
            "https://.azurecr.io",
            "https://.contoso.azurecr.io",
            "https://contoso..azurecr.io",
        ] {
            assert!(!hosts.is_cloud_registry(&url(other)), "{other}");
        }
    }

    #[test]
    fn k01_vault_look_alikes() {
        let hosts = Hosts::default();
        assert_eq!(
            hosts.vault_scope(&url("https://kv.vault.azure.net")),
            Ok("https://vault.azure.net/.default")
        );
        assert_eq!(
            hosts.vault_scope(&url("https://h.managedhsm.azure.net")),
            Ok("https://managedhsm.azure.net/.default")
        );
        for other in [
            "https://vault.azure.net",
            "https://kv.vault.azure.net.evil.example",
            "https://kv-vault.azure.net",
            "https://evil.example",
            "http://kv.vault.azure.net",
            "https://user:pw@kv.vault.azure.net",
            "https://kv.vault.azure.net:8443",
            "https://kv.vault.azure.cn",
            "https://managedhsm.azure.net",
            "https://h.managedhsm.azure.net.evil.example",
            "http://h.managedhsm.azure.net",
            "https://user:pw@h.managedhsm.azure.net",
            "https://h.managedhsm.azure.net:8443",
            "https://127.0.0.1",
        ] {
            assert!(hosts.vault_scope(&url(other)).is_err(), "{other}");
        }
        let named = Hosts {
            allowed: vec!["kv.private.example".parse().unwrap()],
            ..Hosts::default()
        };
        assert_eq!(
            named.vault_scope(&url("https://kv.private.example")),
            Ok("https://vault.azure.net/.default")
        );
        for other in [
            "https://kv.private.example:8443",
            "http://kv.private.example",
            "https://x.kv.private.example",
        ] {
            assert!(named.vault_scope(&url(other)).is_err(), "{other}");
        }
    }

    #[test]
    fn k08_identity_addresses_from_the_environment() {
        let hosts = Hosts::default();
        for good in [
            "http://127.0.0.1:4141/msi/token",
            "http://localhost:42356/msi/token",
            "http://169.254.131.2:8081/msi/token",
            "http://[::1]:1/x",
            "http://[fe80::1]/x",
            "https://127.0.0.1/x",
        ] {
            assert!(hosts.is_identity_endpoint(&url(good)), "{good}");
        }
        for bad in [
            "http://10.0.0.1/token",
            "http://evil.example/token",
            "http://localhost.evil.example/",
            "http://user@127.0.0.1/",
            "http://:pw@127.0.0.1/",
            "ftp://127.0.0.1/",
            "http://[fd00::1]/",
            "http://[2606:4700::1]/",
        ] {
            assert!(!hosts.is_identity_endpoint(&url(bad)), "{bad}");
        }
    }

    #[test]
    fn k08_services_that_tokens_are_asked_of() {
        type Check = fn(&Hosts, &Url) -> Result<(), HostNotAllowed>;
        let services: [(Check, &[&str], &[&str]); 4] = [
            (
                Hosts::check_authority,
                &["login.microsoftonline.com"],
                &["login.microsoftonline.us", "x.login.microsoftonline.com"],
            ),
            (
                Hosts::check_github_oidc,
                &[
                    "pipelines.actions.githubusercontent.com",
                    "token.org.ghe.com",
                ],
                &[
                    "actions.githubusercontent.com",
                    "evilactions.githubusercontent.com",
                    "ghe.com",
                ],
            ),
            (
                Hosts::check_pipelines_oidc,
                &["dev.azure.com", "org.visualstudio.com"],
                &["visualstudio.com", "x.dev.azure.com"],
            ),
            (
                Hosts::check_github_api,
                &["api.github.com", "api.org.ghe.com"],
                &["github.example", "x.api.github.com", "ghe.com"],
            ),
        ];
        let hosts = Hosts::default();
        let named = Hosts {
            allowed: vec!["tokens.example".parse().unwrap()],
            ..Hosts::default()
        };
        for (check, own, others) in services {
            for host in own {
                assert_eq!(
                    check(&hosts, &url(&format!("https://{host}/x?y=z"))),
                    Ok(()),
                    "{host}"
                );
                assert!(
                    check(&hosts, &url(&format!("https://{host}.evil.example/"))).is_err(),
                    "{host}"
                );
                assert!(
                    check(&hosts, &url(&format!("https://evil.example/{host}"))).is_err(),
                    "{host}"
                );
            }
            for other in others {
                assert!(
                    check(&hosts, &url(&format!("https://{other}/"))).is_err(),
                    "{other}"
                );
            }
            // One that was named, and one that is known, each on its own port and scheme and with no user.
            assert_eq!(check(&named, &url("https://tokens.example/x")), Ok(()));
            for host in [own[0], "tokens.example"] {
                for bad in [
                    format!("http://{host}/"),
                    format!("https://{host}:8443/"),
                    format!("https://user@{host}/"),
                    format!("https://:pw@{host}/"),
                ] {
                    assert!(check(&named, &url(&bad)).is_err(), "{bad}");
                }
            }
            for other in ["x.tokens.example", "evil.example"] {
                assert!(
                    check(&named, &url(&format!("https://{other}/"))).is_err(),
                    "{other}"
                );
            }
        }
    }

    #[test]
    fn g03_tokens_go_to_the_registrys_own_trust_server_or_one_that_is_allowed() {
        let hosts = Hosts::default();
        let registry = url("https://contoso.azurecr.io");
        for own in [
            "https://contoso.azurecr.io",
            "https://contoso.azurecr.io:443/trust",
        ] {
            assert!(
                hosts.trust_server_may_get_tokens(&registry, &url(own)),
                "{own}"
            );
        }
        for other in [
            // The same host and port, in the clear.
            "http://contoso.azurecr.io:443",
            "http://contoso.azurecr.io",
            "https://contoso.azurecr.io:4443",
            "https://notary.example",
            "https://contoso.azurecr.io.evil.example",
        ] {
            assert!(
                !hosts.trust_server_may_get_tokens(&registry, &url(other)),
                "{other}"
            );
        }
        let named = Hosts {
            allowed: vec!["notary.example".parse().unwrap()],
            ..Hosts::default()
        };
        assert!(named.trust_server_may_get_tokens(&registry, &url("https://notary.example")));
        assert!(!named.trust_server_may_get_tokens(&registry, &url("https://notary.example:4443")));
    }

    #[test]
    fn g03_realms() {
        let hosts = Hosts::default();
        let registry = url("https://contoso.azurecr.io");
        assert!(
            hosts
                .check_realm(&registry, &url("https://contoso.azurecr.io/oauth2/token"))
                .is_ok()
        );
        assert!(
            hosts
                .check_realm(
                    &registry,
                    &url("https://contoso.azurecr.io:443/oauth2/token")
                )
                .is_ok()
        );
        for bad in [
            "http://169.254.169.254/token",
            "https://[::1]/token",
            "https://10.0.0.1/",
            "https://0.0.0.0/",
            "http://contoso.azurecr.io/token",
            "http://contoso.azurecr.io:443/token",
            "https://user@contoso.azurecr.io/token",
            "https://:pw@contoso.azurecr.io/token",
            "https://contoso.azurecr.io:8443/token",
            "https://evil.example/token",
            "https://auth.docker.io/token",
        ] {
            assert!(hosts.check_realm(&registry, &url(bad)).is_err(), "{bad}");
        }
        for hub in [
            url("https://registry-1.docker.io"),
            url("https://notary.docker.io"),
        ] {
            assert!(
                hosts
                    .check_realm(&hub, &url("https://auth.docker.io/token"))
                    .is_ok()
            );
            for bad in [
                "http://auth.docker.io/token",
                "https://auth.docker.io:8443/token",
                "https://evil.example/token",
            ] {
                assert!(hosts.check_realm(&hub, &url(bad)).is_err(), "{bad}");
            }
        }
        let named = Hosts {
            allowed: vec!["tokens.example".parse().unwrap()],
            ..Hosts::default()
        };
        assert!(
            named
                .check_realm(&registry, &url("https://tokens.example/token"))
                .is_ok()
        );
        for bad in [
            "http://tokens.example/token",
            "https://tokens.example:8443/token",
            "https://user@tokens.example/",
        ] {
            assert!(named.check_realm(&registry, &url(bad)).is_err(), "{bad}");
        }
        let plain = Hosts {
            plain_http: vec!["tokens.example".parse().unwrap()],
            ..named
        };
        assert!(
            plain
                .check_realm(&registry, &url("http://tokens.example/token"))
                .is_ok()
        );
        assert!(
            plain
                .check_realm(&registry, &url("http://other.example/token"))
                .is_err()
        );
    }

    #[test]
    fn g11_plain_http_is_for_the_host_and_port_that_were_named() {
        let hosts = Hosts {
            plain_http: vec!["localhost:5000".parse().unwrap()],
            ..Hosts::default()
        };
        for (host, port, scheme) in [
            ("localhost", Some(5000), "http"),
            ("localhost", None, "https"),
            ("other.example", Some(5000), "https"),
        ] {
            assert_eq!(hosts.scheme(host, port), scheme, "{host} {port:?}");
        }
    }
}
