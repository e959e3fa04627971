//! The one client: reads with bounds, follows few redirects by hand, retries under one deadline, and counts.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use futures::StreamExt as _;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use tokio::time::Instant;
use url::Url;

use super::{
    Authorization, ConnectTo, Error, Hosts, Purpose, Redirects, Request, Response, Retry, SafeUrl,
    connections::Connections,
    failure::{failed, host, refused, throttled},
    resolve::{System, is_private},
    retry,
};
use crate::crypto::{Mask, Secret};

/// Hops that a redirect may take.
const HOPS: usize = 5;

/// How the client is set up.
#[derive(Clone, Debug)]
pub struct Options {
    /// Who may receive what.
    pub hosts: Hosts,
    /// Further CA certificates, PEM.
    pub ca_pem: Vec<Vec<u8>>,
    /// Where to connect for a host.
    pub connect_to: Vec<ConnectTo>,
    /// How often a failed request is sent again.
    pub retries: u32,
    /// The end of the run.
    pub deadline: std::time::Instant,
    /// Told of every token.
    pub mask: Mask,
}

/// Requests made, per purpose.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Counts {
    /// Registries.
    pub registry: u64,
    /// Trust servers.
    pub trust_server: u64,
    /// Vaults.
    pub vault: u64,
    /// Entra and identity endpoints.
    pub entra: u64,
    /// Others.
    pub other: u64,
}

/// The client; clones share connections and counters.
#[derive(Clone, Debug)]
pub struct Client(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    hosts: Hosts,
    connections: Connections,
    retries: u32,
    deadline: Instant,
    mask: Mask,
    counts: [AtomicU64; 5],
    skew_seconds: AtomicI64,
}

impl Client {
    /// Sets the client up; reads no network.
    pub fn new(options: Options) -> Result<Self, Error> {
        Self::with_resolver(options, System::default())
    }

    /// The same with what stands for this machine's resolver.
    fn with_resolver(options: Options, system: System) -> Result<Self, Error> {
        Ok(Self(Arc::new(Inner {
            connections: Connections::new(&options.ca_pem, options.connect_to, &Arc::new(system))?,
            hosts: options.hosts,
            retries: options.retries,
            deadline: options.deadline.into(),
            mask: options.mask,
            counts: Default::default(),
            skew_seconds: AtomicI64::new(0),
        })))
    }

    /// Who may receive what.
    pub fn hosts(&self) -> &Hosts {
        &self.0.hosts
    }

    /// How often a failed request is sent again.
    pub fn retries(&self) -> u32 {
        self.0.retries
    }

    /// The end of the run.
    pub fn deadline(&self) -> Instant {
        self.0.deadline
    }

    /// Tells the pipeline host of a token before anything else is done with it.
    pub fn announce(&self, token: &str) {
        self.0.mask.announce(token);
    }

    /// Requests made so far.
    pub fn counts(&self) -> Counts {
        let [registry, trust_server, vault, entra, other] = &self.0.counts;
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Counts {
            registry: read(registry),
            trust_server: read(trust_server),
            vault: read(vault),
            entra: read(entra),
            other: read(other),
        }
    }

    /// How far the clocks of the services are ahead of this machine's, in seconds, by the last answer (K05).
    pub fn skew_seconds(&self) -> i64 {
        self.0.skew_seconds.load(Ordering::Relaxed)
    }

    /// Sends a request; an answer of any status is fine, after retries.
    pub async fn send(&self, request: &Request) -> Result<Response, Error> {
        for attempt in 0.. {
            let last = attempt >= self.0.retries;
            let Ok(outcome) = tokio::time::timeout_at(self.0.deadline, self.once(request)).await else {
                return Err(Error::Deadline { what: request.what.clone(), host: host(&request.url) });
            };
            let wait = match &outcome {
                Ok(response) if retry::again(request, response.status) && !last => {
                    retry::wait(attempt, retry::retry_after(response))
                }
                Err(Error::Unreachable { .. }) if request.retry == Retry::Safe && !last => retry::wait(attempt, None),
                _ => return outcome,
            };
            // A wait that the clock cannot hold is longer than any run (K04).
            if Instant::now().checked_add(wait).is_none_or(|next| next >= self.0.deadline) {
                return self.give_up(request, outcome, wait);
            }
            tracing::debug!(url = %SafeUrl::new(request.url.clone()), ?wait, attempt, "trying again");
            tokio::time::sleep(wait).await;
        }
        Err(Error::Deadline { what: request.what.clone(), host: host(&request.url) })
    }

    fn give_up(&self, request: &Request, outcome: Result<Response, Error>, wait: Duration) -> Result<Response, Error> {
        let (what, host) = (request.what.clone(), host(&request.url));
        match outcome {
            Ok(response) if response.status == StatusCode::TOO_MANY_REQUESTS => {
                Err(Error::Throttled { what, host, wait, reason: throttled(request.purpose) })
            }
            Ok(response) => Ok(response),
            Err(error) => Err(error),
        }
    }

    /// One attempt, redirects included.
    async fn once(&self, request: &Request) -> Result<Response, Error> {
        let mut url = request.url.clone();
        if request.outside {
            self.check_outside(&url).map_err(|why| Error::AddressRefused {
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
            || (url.scheme() == "http" && (request.outside || request.redirects == Redirects::Http))
            || self.0.hosts.plain_http.iter().any(|host| host.is_of(url))
            || (request.purpose == Purpose::Entra && self.0.hosts.is_identity_endpoint(url));
        if allowed {
            Ok(())
        } else {
            Err(Error::NotHttps { what: request.what.clone(), url: SafeUrl::new(url.clone()) })
        }
    }

    fn next_hop(&self, request: &Request, response: &Response) -> Result<Url, Error> {
        let location = response.header("location").unwrap_or_default();
        let from = &response.url;
        if request.redirects == Redirects::Refuse {
            return Err(refused(request, from, location, "this request must not be redirected"));
        }
        let to = from.join(location).map_err(|_| refused(request, from, location, "not an address"))?;
        let plain = to.scheme() == "http" && request.redirects == Redirects::Http;
        if to.scheme() != "https" && !plain {
            return Err(refused(request, from, to.as_str(), "not https"));
        }
        self.check_outside(&to).map_err(|why| refused(request, from, to.as_str(), why))?;
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
            Some(url::Host::Domain(name)) if is_local_name(name) => Some(std::net::Ipv4Addr::LOCALHOST.into()),
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

    /// One request and its answer, read to the end. Credentials go out on the first hop only (G05).
    async fn exchange(&self, request: &Request, url: &Url, hop: usize) -> Result<Response, Error> {
        self.count(request.purpose, hop);
        let client = self.0.connections.client(&self.0.hosts, url, hop > 0 || request.outside);
        let mut headers = request.headers.clone();
        if hop == 0 {
            authorize(&mut headers, request.authorization.as_ref());
        } else {
            // The SDK's requests carry theirs among the headers.
            headers.remove(header::AUTHORIZATION);
        }
        let connected = self.0.connections.address(url, &mut headers);
        let method = if hop == 0 { request.method.clone() } else { Method::GET };
        let body = if hop == 0 { request.body.clone() } else { bytes::Bytes::new() };
        let sent = client.request(method, connected).headers(headers).body(body).send().await;
        let answer = sent.map_err(|error| failed(request, url, hop, error))?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let limit = if status.is_success() { request.limit } else { 64 << 10 };
        let body = read(request, url, answer, limit, hop).await?;
        tracing::debug!(method = %request.method, url = %SafeUrl::new(url.clone()), status = status.as_u16(), bytes = body.len(), "answered");
        let response = Response { status, headers, body: body.into(), url: url.clone() };
        self.note_date(&response);
        Ok(response)
    }

    fn count(&self, purpose: Purpose, hop: usize) {
        let [registry, trust_server, vault, entra, other] = &self.0.counts;
        let counter = match purpose {
            _ if hop > 0 => other,
            Purpose::Registry => registry,
            Purpose::TrustServer => trust_server,
            Purpose::Vault => vault,
            Purpose::Entra => entra,
            Purpose::Other => other,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    #[allow(clippy::disallowed_methods, reason = "compares this machine's clock with the service's, for a hint only")]
    fn note_date(&self, response: &Response) {
        if let Some(theirs) = retry::date(response) {
            let ours = time::OffsetDateTime::now_utc().unix_timestamp();
            self.0.skew_seconds.store(theirs.unix() - ours, Ordering::Relaxed);
        }
    }
}

fn authorize(headers: &mut HeaderMap, authorization: Option<&Authorization>) {
    use base64::{Engine as _, prelude::BASE64_STANDARD};
    let (name, value) = match authorization {
        None => return,
        Some(Authorization::Bearer(token)) => {
            (header::AUTHORIZATION, Secret::new(format!("Bearer {}", token.expose())))
        }
        Some(Authorization::Basic { user, password }) => {
            let pair = Secret::new(format!("{user}:{}", password.expose()));
            (header::AUTHORIZATION, Secret::new(format!("Basic {}", BASE64_STANDARD.encode(pair.expose()))))
        }
        Some(Authorization::Header { name, value }) => (http::HeaderName::from_static(name), value.clone()),
    };
    // A token with a line break is no token: the service says so.
    if let Ok(mut value) = HeaderValue::from_str(value.expose()) {
        value.set_sensitive(true);
        headers.insert(name, value);
    }
}

/// The body, at most `limit` bytes after decompression.
async fn read(
    request: &Request,
    url: &Url,
    answer: reqwest::Response,
    limit: u64,
    hop: usize,
) -> Result<Vec<u8>, Error> {
    let too_large = || Error::TooLarge { what: request.what.clone(), host: host(url), limit };
    let limit_bytes = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut body = Vec::new();
    let mut chunks = answer.bytes_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|error| failed(request, url, hop, error))?;
        if body.len().saturating_add(chunk.len()) > limit_bytes {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn is_local_name(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
        sync::OnceCell,
    };

    use super::*;

    /// Gives the answers in order, the last again and again, and keeps what was asked.
    async fn server(answers: &'static [&'static str]) -> (u16, Arc<Mutex<Vec<String>>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = asked.clone();
        tokio::spawn(async move {
            let mut number = 0;
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    match stream.read_u8().await {
                        // A TLS hello is no HTTP: hung up on at once.
                        Ok(22) if head.is_empty() => break,
                        Ok(byte) => head.push(byte),
                        Err(_) => break,
                    }
                }
                seen.lock().unwrap().push(String::from_utf8_lossy(&head).into_owned());
                if head.is_empty() {
                    continue;
                }
                let answer = answers[number.min(answers.len() - 1)];
                number += 1;
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        (port, asked)
    }

    fn client(plain_http: &str, connect_to: &[String]) -> Client {
        Client::new(Options {
            hosts: Hosts { plain_http: vec![plain_http.parse().unwrap()], ..Hosts::default() },
            ca_pem: Vec::new(),
            connect_to: connect_to.iter().map(|entry| entry.parse().unwrap()).collect(),
            retries: 2,
            deadline: std::time::Instant::now() + Duration::from_secs(60),
            mask: Mask::default(),
        })
        .unwrap()
    }

    fn request(url: &str) -> Request {
        Request::get(Purpose::Registry, "the page", url.parse().unwrap(), 1000)
    }

    /// A name server that knows one address for every name, and a resolver that asks it.
    async fn names(address: [u8; 4]) -> System {
        use hickory_resolver::{
            TokioResolver,
            config::{ConnectionConfig, NameServerConfig, ResolverConfig},
            net::runtime::TokioRuntimeProvider,
        };
        let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let mut connection = ConnectionConfig::udp();
        connection.port = socket.local_addr().unwrap().port();
        tokio::spawn(async move {
            let mut query = [0; 512];
            while let Ok((length, peer)) = socket.recv_from(&mut query).await {
                // The header, then labels up to an empty one, type and class.
                let name = query[12..length].iter().position(|byte| *byte == 0).unwrap();
                let question = &query[12..12 + name + 5];
                let asks_a = question[name + 2] == 1;
                let mut answer = query[..2].to_vec();
                answer.extend([0x81, 0x80, 0, 1, 0, u8::from(asks_a), 0, 0, 0, 0]);
                answer.extend(question);
                if asks_a {
                    answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]);
                    answer.extend(address);
                }
                let _ = socket.send_to(&answer, peer).await;
            }
        });
        let server = NameServerConfig::new("127.0.0.1".parse().unwrap(), true, vec![connection]);
        let config = ResolverConfig::from_parts(None, Vec::new(), vec![server]);
        let builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
        System { known: OnceCell::new_with(Some(builder.build().unwrap())), ..System::default() }
    }

    const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";

    #[tokio::test]
    async fn k04_a_wait_that_no_clock_holds_ends_the_request() {
        const WAIT: &str =
            "HTTP/1.1 429 Slow\r\nretry-after: 18446744073709551615\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        let (port, asked) = server(&[WAIT]).await;
        let host = format!("127.0.0.1:{port}");
        let answer = client(&host, &[]).send(&request(&format!("http://{host}/"))).await;
        assert!(matches!(answer, Err(Error::Throttled { .. })), "{answer:?}");
        assert_eq!(asked.lock().unwrap().len(), 1);
    }

    #[tokio::test]
    async fn k04_what_is_not_safe_is_not_repeated() {
        const BROKEN: &str = "HTTP/1.1 500 No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        let (port, asked) = server(&[BROKEN, OK]).await;
        let host = format!("127.0.0.1:{port}");
        let mut once = request(&format!("http://{host}/"));
        once.retry = Retry::Never;
        let client = client(&host, &[]);
        assert_eq!(client.send(&once).await.unwrap().status, StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(asked.lock().unwrap().len(), 1);
        assert_eq!(client.send(&request(&format!("http://{host}/"))).await.unwrap().status, StatusCode::OK);
    }

    #[tokio::test]
    async fn g04_g05_redirects_are_refused_where_none_may_be() {
        const AWAY: &str =
            "HTTP/1.1 302 Away\r\nlocation: https://169.254.169.254/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        let (port, asked) = server(&[AWAY]).await;
        let host = format!("127.0.0.1:{port}");
        let mut request = request(&format!("http://{host}/"));
        let client = client(&host, &[]);
        for redirects in [Redirects::Refuse, Redirects::Https] {
            request.redirects = redirects;
            let answer = client.send(&request).await;
            assert!(matches!(answer, Err(Error::RedirectRefused { .. })), "{answer:?}");
        }
        assert_eq!(asked.lock().unwrap().len(), 2);
    }

    #[tokio::test]
    async fn g18_what_a_certificate_names_is_not_asked_where_it_is_private() {
        let (port, asked) = server(&[OK]).await;
        let own = format!("127.0.0.1:{port}");
        let unnamed = client("other.example", &[]);
        for private in [own.as_str(), "localhost", "[::1]:80", "10.0.0.1", "169.254.169.254", "a.localhost", "0.0.0.0"]
        {
            for scheme in ["http", "https"] {
                let answer = unnamed.send(&request(&format!("{scheme}://{private}/")).outside()).await;
                assert!(matches!(answer, Err(Error::AddressRefused { .. })), "{private}: {answer:?}");
            }
        }
        let answer = unnamed.send(&request("http://user@ocsp.example/").outside()).await;
        assert!(matches!(answer, Err(Error::AddressRefused { .. })), "{answer:?}");
        assert!(asked.lock().unwrap().is_empty());
        // Plain http is fine for these, and private is what was named.
        let named = Client::new(Options {
            hosts: Hosts { private: vec![own.parse().unwrap()], ..Hosts::default() },
            ca_pem: Vec::new(),
            connect_to: Vec::new(),
            retries: 0,
            mask: Mask::default(),
            deadline: std::time::Instant::now() + Duration::from_secs(60),
        })
        .unwrap();
        assert_eq!(named.send(&request(&format!("http://{own}/")).outside()).await.unwrap().status, StatusCode::OK);
        let other = named.send(&request("http://127.0.0.1:1/").outside()).await;
        assert!(matches!(other, Err(Error::AddressRefused { .. })), "{other:?}");
    }

    #[tokio::test]
    async fn g04_a_crl_may_be_redirected_to_plain_http_and_nowhere_private() {
        const AWAY: &str =
            "HTTP/1.1 302 Away\r\nlocation: http://10.0.0.1/crl\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        const ON: &str = "HTTP/1.1 302 On\r\nlocation: /other.crl\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        let (port, asked) = server(&[AWAY, ON, OK]).await;
        let own = format!("127.0.0.1:{port}");
        let hosts = Hosts { private: vec![own.parse().unwrap()], ..Hosts::default() };
        let deadline = std::time::Instant::now() + Duration::from_secs(60);
        let options =
            Options { hosts, ca_pem: Vec::new(), connect_to: Vec::new(), retries: 0, deadline, mask: Mask::default() };
        let client = Client::new(options).unwrap();
        let mut crl = request(&format!("http://{own}/crl")).outside();
        crl.redirects = Redirects::Http;
        let answer = client.send(&crl).await;
        assert!(matches!(answer, Err(Error::RedirectRefused { .. })), "{answer:?}");
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
                deadline,
                mask: Mask::default(),
            };
            Client::with_resolver(options, names([127, 0, 0, 1]).await).unwrap().send(&request).await
        };
        for other in ["other.example".to_owned(), "inside.example".to_owned(), format!("inside.example:{port}")] {
            let answer = follow(&other).await;
            let Err(Error::RedirectRefused { to, why, .. }) = answer else { panic!("{answer:?}") };
            assert_eq!((to, why), (format!("inside.example:{inside}"), "a private address"));
        }
        assert!(reached.lock().unwrap().is_empty(), "nothing came there");
        // Named, it is asked: it speaks no TLS, which ends this.
        let answer = follow(&format!("inside.example:{inside}")).await;
        assert!(!matches!(answer, Err(Error::RedirectRefused { .. })), "{answer:?}");
        assert!(!reached.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn p06_what_the_headers_carry_does_not_go_where_a_redirect_leads() {
        let (there, asked) = server(&[OK]).await;
        let headers: HeaderMap =
            [(header::AUTHORIZATION, HeaderValue::from_static("Bearer canary"))].into_iter().collect();
        let host = format!("127.0.0.1:{there}");
        let mut request = request(&format!("http://{host}/"));
        (request.headers, request.authorization) = (headers, Some(Authorization::Bearer(Secret::new("canary".into()))));
        let client = client(&host, &[]);
        for hop in [0, 1] {
            client.exchange(&request, &request.url, hop).await.unwrap();
        }
        let asked = asked.lock().unwrap();
        assert!(asked[0].contains("canary") && !asked[1].contains("canary"), "{asked:?}");
    }

    #[tokio::test]
    async fn g07_a_body_beyond_its_bound_is_not_read_on() {
        const LONG: &str = concat!(
            "HTTP/1.1 200 OK\r\ncontent-length: 40\r\nconnection: close\r\n\r\n",
            "0123456789012345678901234567890123456789"
        );
        let (port, _) = server(&[LONG]).await;
        let host = format!("127.0.0.1:{port}");
        let mut request = request(&format!("http://{host}/"));
        request.limit = 39;
        let answer = client(&host, &[]).send(&request).await;
        assert!(matches!(answer, Err(Error::TooLarge { limit: 39, .. })), "{answer:?}");
    }

    #[tokio::test]
    async fn g11_no_plain_http_for_a_host_that_was_not_named() {
        let (port, asked) = server(&[OK]).await;
        let answer = client("other.example", &[]).send(&request(&format!("http://127.0.0.1:{port}/"))).await;
        assert!(matches!(answer, Err(Error::NotHttps { .. })), "{answer:?}");
        let mut secure = request(&format!("https://127.0.0.1:{port}/"));
        secure.retry = Retry::Never;
        assert!(client("other.example", &[]).send(&secure).await.is_err());
        assert!(asked.lock().unwrap().iter().all(|head| !head.starts_with("GET")), "no request in the clear");
    }

    #[tokio::test]
    async fn without_resolver_settings_a_name_has_no_address_and_the_cause_is_told() {
        static READ: AtomicU64 = AtomicU64::new(0);
        let read = || {
            READ.fetch_add(1, Ordering::SeqCst);
            Err(std::io::Error::new(std::io::ErrorKind::NotFound, "no such file"))
        };
        let options = Options {
            hosts: Hosts::default(),
            ca_pem: Vec::new(),
            connect_to: Vec::new(),
            retries: 2,
            deadline: std::time::Instant::now() + Duration::from_secs(60),
            mask: Mask::default(),
        };
        let system = System { read, ..System::default() };
        let answer = Client::with_resolver(options, system).unwrap().send(&request("https://registry.example/")).await;
        let Err(Error::Dns { host, cause, .. }) = answer else { panic!("{answer:?}") };
        assert_eq!(host, "registry.example");
        assert_eq!(cause.to_string(), "the system's resolver settings cannot be read: no such file");
        // Nobody else is asked instead, and nothing is gained by asking again.
        assert_eq!(READ.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn connect_to_with_a_port_needs_no_dns() {
        let (port, asked) = server(&[OK]).await;
        let client = client("unused.example", &[format!("registry.invalid:8443=127.0.0.1:{port}")]);
        let mut request = request("https://registry.invalid:8443/");
        request.retry = Retry::Never;
        let answer = client.send(&request).await;
        assert!(!matches!(answer, Err(Error::Dns { .. })), "{answer:?}");
        // That a connection came is what counts.
        while asked.lock().unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
    }
}
