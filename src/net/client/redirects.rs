//! One attempt of a request with its redirects, followed by hand: where each hop may lead.

use http::StatusCode;
use url::Url;

use super::Client;
use crate::net::{
    Error, Purpose, Redirects, Request, Response, SafeUrl,
    failure::{host, refused},
    resolve::is_private,
};

/// Hops that a redirect may take: registries send one to their storage, which may send one more.
const HOPS: usize = 5;

impl Client {
    /// One attempt, redirects included.
    pub(super) async fn once(&self, request: &Request) -> Result<Response, Error> {
        let mut url = request.url.clone();
        if request.outside {
            self.check_outside(&url)
                .map_err(|why| Error::AddressRefused {
                    what: request.what.clone(),
                    host: host(&url),
                    why,
                })?;
        }
        for hop in 0..=HOPS {
            self.check_scheme(request, &url)?;
            let response = self.exchange(request, &url, hop).await?;
            if !response.status.is_redirection() || response.status == StatusCode::NOT_MODIFIED {
                return Ok(response);
            }
            url = self.next_hop(request, &response)?;
        }
        Err(refused(request, &url, url.as_str(), "more than 5 hops"))
    }

    /// Plain HTTP only where it was named; managed-identity endpoints are checked where their address is read.
    fn check_scheme(&self, request: &Request, url: &Url) -> Result<(), Error> {
        let allowed = url.scheme() == "https"
            || (url.scheme() == "http"
                && (request.outside || request.redirects == Redirects::Http))
            || self.0.hosts.plain_http.iter().any(|host| host.is_of(url))
            || (request.purpose == Purpose::Entra && self.0.hosts.is_identity_endpoint(url));
        if allowed {
            Ok(())
        } else {
            Err(Error::NotHttps {
                what: request.what.clone(),
                url: SafeUrl::new(url.clone()),
            })
        }
    }

    fn next_hop(&self, request: &Request, response: &Response) -> Result<Url, Error> {
        let location = response.header("location").unwrap_or_default();
        let from = &response.url;
        if request.redirects == Redirects::Refuse {
            return Err(refused(
                request,
                from,
                location,
                "this request must not be redirected",
            ));
        }
        let to = from
            .join(location)
            .map_err(|_| refused(request, from, location, "not an address"))?;
        let plain = to.scheme() == "http" && request.redirects == Redirects::Http;
        if to.scheme() != "https" && !plain {
            return Err(refused(request, from, to.as_str(), "not https"));
        }
        self.check_outside(&to)
            .map_err(|why| refused(request, from, to.as_str(), why))?;
        Ok(to)
    }

    /// Where something from outside leads: nowhere private, unless `--allow-private` names it (G04, G18).
    fn check_outside(&self, to: &Url) -> Result<(), &'static str> {
        if !to.username().is_empty() || to.password().is_some() {
            return Err("a user name in the address");
        }
        let literal = match to.host() {
            Some(url::Host::Ipv4(address)) => Some(address.into()),
            Some(url::Host::Ipv6(address)) => Some(address.into()),
            Some(url::Host::Domain(name)) if is_local_name(name) => {
                Some(std::net::Ipv4Addr::LOCALHOST.into())
            }
            Some(url::Host::Domain(_)) => None,
            None => return Err("no host"),
        };
        let named = self.0.hosts.private.iter().any(|host| host.is_of(to));
        if literal.is_some_and(is_private) && !named {
            return Err("a private address");
        }
        if let Some(url::Host::Domain(name)) = to.host() {
            self.0.connections.only_public(name);
        }
        Ok(())
    }
}

fn is_local_name(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{
        super::{
            Options,
            loopback::{OK, client, names, request, server},
        },
        *,
    };
    use crate::{
        crypto::Mask,
        net::{Concurrency, Hosts, Retry},
    };

    #[tokio::test]
    async fn g04_g05_redirects_are_refused_where_none_may_be() {
        const AWAY: &str = "HTTP/1.1 302 Away\r\nlocation: https://169.254.169.254/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        let (port, asked) = server(&[AWAY]).await;
        let host = format!("127.0.0.1:{port}");
        let mut request = request(&format!("http://{host}/"));
        let client = client(&host, &[]);
        for redirects in [Redirects::Refuse, Redirects::Https] {
            request.redirects = redirects;
            let answer = client.send(&request).await;
            assert!(
                matches!(answer, Err(Error::RedirectRefused { .. })),
                "{answer:?}"
            );
        }
        assert_eq!(asked.lock().unwrap().len(), 2);
    }

    #[tokio::test]
    async fn g18_what_a_certificate_names_is_not_asked_where_it_is_private() {
        let (port, asked) = server(&[OK]).await;
        let own = format!("127.0.0.1:{port}");
        let unnamed = client("other.example", &[]);
        for private in [
            own.as_str(),
            "localhost",
            "[::1]:80",
            "10.0.0.1",
            "169.254.169.254",
            "a.localhost",
            "0.0.0.0",
        ] {
            for scheme in ["http", "https"] {
                let answer = unnamed
                    .send(&request(&format!("{scheme}://{private}/")).outside())
                    .await;
                assert!(
                    matches!(answer, Err(Error::AddressRefused { .. })),
                    "{private}: {answer:?}"
                );
            }
        }
        let answer = unnamed
            .send(&request("http://user@ocsp.example/").outside())
            .await;
        assert!(
            matches!(answer, Err(Error::AddressRefused { .. })),
            "{answer:?}"
        );
        assert!(asked.lock().unwrap().is_empty());
        // Plain http is fine for these, and private is what was named.
        let named = Client::new(Options {
            hosts: Hosts {
                private: vec![own.parse().unwrap()],
                ..Hosts::default()
            },
            ca_pem: Vec::new(),
            connect_to: Vec::new(),
            retries: 0,
            concurrency: Concurrency::default(),
            mask: Mask::default(),
            deadline: std::time::Instant::now() + Duration::from_secs(60),
        })
        .unwrap();
        assert_eq!(
            named
                .send(&request(&format!("http://{own}/")).outside())
                .await
                .unwrap()
                .status,
            StatusCode::OK
        );
        let other = named.send(&request("http://127.0.0.1:1/").outside()).await;
        assert!(
            matches!(other, Err(Error::AddressRefused { .. })),
            "{other:?}"
        );
    }

    #[tokio::test]
    async fn g04_a_crl_may_be_redirected_to_plain_http_and_nowhere_private() {
        const AWAY: &str = "HTTP/1.1 302 Away\r\nlocation: http://10.0.0.1/crl\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        const ON: &str = "HTTP/1.1 302 On\r\nlocation: /other.crl\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        let (port, asked) = server(&[AWAY, ON, OK]).await;
        let own = format!("127.0.0.1:{port}");
        let hosts = Hosts {
            private: vec![own.parse().unwrap()],
            ..Hosts::default()
        };
        let deadline = std::time::Instant::now() + Duration::from_secs(60);
        let options = Options {
            hosts,
            ca_pem: Vec::new(),
            connect_to: Vec::new(),
            retries: 0,
            concurrency: Concurrency::default(),
            deadline,
            mask: Mask::default(),
        };
        let client = Client::new(options).unwrap();
        let mut crl = request(&format!("http://{own}/crl")).outside();
        crl.redirects = Redirects::Http;
        let answer = client.send(&crl).await;
        assert!(
            matches!(answer, Err(Error::RedirectRefused { .. })),
            "{answer:?}"
        );
        assert_eq!(client.send(&crl).await.unwrap().body, "ok");
        assert_eq!(asked.lock().unwrap().len(), 3);
    }

    #[tokio::test]
    async fn g04_g18_a_name_that_leads_to_a_private_address_is_not_followed_unless_it_was_named() {
        let (inside, reached) = server(&[OK]).await;
        let away = format!(
            "HTTP/1.1 307 Away\r\nlocation: https://inside.example:{inside}/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        );
        let (port, _) = server(Box::leak(Box::new([&*Box::leak(away.into_boxed_str())]))).await;
        let mut request = request(&format!("http://127.0.0.1:{port}/"));
        (request.redirects, request.retry) = (Redirects::Https, Retry::Never);
        let follow = async |named: &str| {
            let hosts = Hosts {
                plain_http: vec![format!("127.0.0.1:{port}").parse().unwrap()],
                private: vec![named.parse().unwrap()],
                ..Hosts::default()
            };
            let deadline = std::time::Instant::now() + Duration::from_secs(60);
            let options = Options {
                hosts,
                ca_pem: Vec::new(),
                connect_to: Vec::new(),
                retries: 0,
                concurrency: Concurrency::default(),
                deadline,
                mask: Mask::default(),
            };
            Client::with_resolver(options, names([127, 0, 0, 1]).await)
                .unwrap()
                .send(&request)
                .await
        };
        for other in [
            "other.example".to_owned(),
            "inside.example".to_owned(),
            format!("inside.example:{port}"),
        ] {
            let answer = follow(&other).await;
            let Err(Error::RedirectRefused { to, why, .. }) = answer else {
                panic!("{answer:?}")
            };
            assert_eq!(
                (to, why),
                (format!("inside.example:{inside}"), "a private address")
            );
        }
        assert!(reached.lock().unwrap().is_empty(), "nothing came there");
        // Named, it is asked: it speaks no TLS, which ends this.
        let answer = follow(&format!("inside.example:{inside}")).await;
        assert!(
            !matches!(answer, Err(Error::RedirectRefused { .. })),
            "{answer:?}"
        );
        assert!(!reached.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn g18_a_name_in_a_certificate_that_leads_to_a_private_address_is_not_asked_unless_it_was_named()
     {
        let (inside, reached) = server(&[OK]).await;
        let ask = async |named: &str| {
            let options = Options {
                hosts: Hosts {
                    private: vec![named.parse().unwrap()],
                    ..Hosts::default()
                },
                ca_pem: Vec::new(),
                connect_to: Vec::new(),
                retries: 0,
                concurrency: Concurrency::default(),
                deadline: std::time::Instant::now() + Duration::from_secs(60),
                mask: Mask::default(),
            };
            let client = Client::with_resolver(options, names([127, 0, 0, 1]).await).unwrap();
            client
                .send(&request(&format!("http://inside.example:{inside}/")).outside())
                .await
        };
        let answer = ask("other.example").await;
        assert!(
            matches!(answer, Err(Error::AddressRefused { .. })),
            "{answer:?}"
        );
        assert!(reached.lock().unwrap().is_empty());
        assert_eq!(
            ask(&format!("inside.example:{inside}")).await.unwrap().body,
            "ok"
        );
    }

    #[tokio::test]
    async fn g11_no_plain_http_for_a_host_that_was_not_named() {
        let (port, asked) = server(&[OK]).await;
        let answer = client("other.example", &[])
            .send(&request(&format!("http://127.0.0.1:{port}/")))
            .await;
        assert!(matches!(answer, Err(Error::NotHttps { .. })), "{answer:?}");
        let mut secure = request(&format!("https://127.0.0.1:{port}/"));
        secure.retry = Retry::Never;
        assert!(client("other.example", &[]).send(&secure).await.is_err());
        assert!(
            asked
                .lock()
                .unwrap()
                .iter()
                .all(|head| !head.starts_with("GET")),
            "no request in the clear"
        );
    }
}
