//! Proxies of the environment: honoured, and their credentials told to nobody else.

use std::{
    io::{self, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use acr_sandbox::{Action, Fault, Service};
use acr_sign::Exit;

use crate::world::{Outcome, REPOSITORY, World};

/// `user:canary-of-the-proxy` in base64.
const BASIC: &str = "dXNlcjpjYW5hcnktb2YtdGhlLXByb3h5";
const PASSWORD: &str = "canary-of-the-proxy";

/// A proxy for CONNECT that leads everything to one port of loopback. Its threads end with the program.
struct Proxy {
    port: u16,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    fn start(to: u16, answer: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let seen = heads.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let seen = seen.clone();
                thread::spawn(move || serve(stream, to, answer, &seen));
            }
        });
        Self { port, heads }
    }

    fn url(&self) -> String {
        format!("http://user:{PASSWORD}@127.0.0.1:{}", self.port)
    }

    fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

fn serve(mut client: TcpStream, to: u16, answer: &str, heads: &Mutex<Vec<String>>) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if client.read_exact(&mut byte).is_err() {
            return;
        }
        head.push(byte[0]);
    }
    heads
        .lock()
        .unwrap()
        .push(String::from_utf8_lossy(&head).into_owned());
    if client.write_all(answer.as_bytes()).is_err() || !answer.contains("200") {
        return;
    }
    let server = TcpStream::connect(("127.0.0.1", to)).unwrap();
    let (mut from_client, mut to_server) =
        (client.try_clone().unwrap(), server.try_clone().unwrap());
    thread::spawn(move || io::copy(&mut from_client, &mut to_server));
    let (mut from_server, mut to_client) = (server, client);
    let _ = io::copy(&mut from_server, &mut to_client);
}

const CONNECTED: &str = "HTTP/1.1 200 Connected\r\n\r\n";
const DENIED: &str = "HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n";

fn tells_nothing(outcome: &Outcome) {
    for secret in [PASSWORD, BASIC] {
        assert!(
            !outcome.stderr.contains(secret) && !outcome.stdout.contains(secret),
            "{}",
            outcome.stderr
        );
    }
}

#[test]
fn p06_a_proxy_is_honoured_and_its_credentials_are_told_to_it_alone() {
    let (mut world, root) = World::initialised();
    let proxy = Proxy::start(world.sandbox.tls_port(), CONNECTED);
    world.set("ACR_SIGN_CONNECT_TO", None);
    let line = format!(
        "sign {REPOSITORY}:1.0 --format dct --key akv:contoso/keys/release --root {root} -vv"
    );
    let outcome = world.run_binary(&line, &[("HTTPS_PROXY", &proxy.url())]);
    assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
    let heads = proxy.heads();
    for host in ["contoso.azurecr.io", "contoso.vault.azure.net"] {
        assert!(
            heads
                .iter()
                .any(|head| head.starts_with(&format!("CONNECT {host}:443 "))),
            "{heads:?}"
        );
    }
    assert!(
        heads
            .iter()
            .all(|head| head.contains(&format!("Basic {BASIC}"))),
        "{heads:?}"
    );
    // The managed identity is asked directly: the proxy knows nothing of this machine.
    assert!(world.sandbox.count(Service::ManagedIdentity) > 0);
    assert!(
        heads.iter().all(|head| !head.contains("127.0.0.1")),
        "{heads:?}"
    );
    let sent: Vec<_> = world
        .sandbox
        .log()
        .into_iter()
        .filter_map(|entry| entry.credential)
        .collect();
    assert!(!sent.is_empty() && sent.iter().all(|credential| !credential.contains(BASIC)));
    tells_nothing(&outcome);
}

#[test]
fn no_proxy_and_connect_to_go_past_the_proxy() {
    let (world, root) = World::initialised();
    let proxy = Proxy::start(world.sandbox.tls_port(), CONNECTED);
    let url = proxy.url();
    let by_name = world.run_binary(
        &format!("verify {REPOSITORY}:1.0 --format dct --root {root}"),
        &[("HTTPS_PROXY", &url)],
    );
    assert!(
        world.sandbox.count(Service::TrustServer) > 0,
        "{}",
        by_name.stderr
    );
    assert_eq!(proxy.heads(), Vec::<String>::new(), "named by --connect-to");
    // A name that no resolver knows: asked for through the proxy, which resolves, it is none of our concern.
    let line =
        format!("verify registry.invalid/shop/web:1.0 --format dct --root {root} --retries 0");
    let through = world.run_binary(&line, &[("HTTPS_PROXY", &url)]);
    assert!(
        through.stderr.contains("no trusted TLS connection"),
        "{}",
        through.stderr
    );
    let heads = proxy.heads();
    assert!(
        heads
            .iter()
            .any(|head| head.starts_with("CONNECT registry.invalid:443 ")),
        "{heads:?}"
    );
    let past = world.run_binary(
        &line,
        &[("HTTPS_PROXY", &url), ("NO_PROXY", "registry.invalid")],
    );
    assert!(
        past.stderr.contains("cannot resolve `registry.invalid`"),
        "{}",
        past.stderr
    );
    assert_eq!(proxy.heads(), heads, "not through the proxy");
}

#[test]
fn g04_a_proxy_is_not_told_to_reach_into_its_own_machine() {
    let (mut world, root) = World::initialised();
    world.set("ACR_SIGN_CONNECT_TO", None);
    let proxy = Proxy::start(world.sandbox.tls_port(), CONNECTED);
    let line =
        format!("verify {REPOSITORY}:1.0 --format dct --root {root} --registry-auth anonymous");
    // Names that nobody resolves here, since the proxy does.
    for host in [
        "localhost",
        "LocalHost.",
        "a.localhost",
        "169.254.169.254",
        "[::1]",
    ] {
        world.sandbox.clear_faults();
        let away = Action::Redirect {
            status: 307,
            location: format!("https://{host}/x"),
        };
        world.sandbox.fault(Fault::new(away).path("/v2/"));
        let outcome = world.run_binary(&line, &[("HTTPS_PROXY", &proxy.url())]);
        assert!(
            outcome.reasons().contains(&"redirect-refused"),
            "{host}: {}",
            outcome.stderr
        );
    }
    let heads = proxy.heads();
    assert!(
        !heads.is_empty()
            && heads
                .iter()
                .all(|head| head.starts_with("CONNECT contoso.azurecr.io:443 ")),
        "{heads:?}"
    );
}

#[test]
fn p06_a_proxy_that_fails_is_told_without_its_credentials() {
    let (mut world, root) = World::initialised();
    world.set("ACR_SIGN_CONNECT_TO", None);
    let line = format!("verify {REPOSITORY}:1.0 --format dct --root {root} --retries 1 -vv");
    let nobody = format!("http://user:{PASSWORD}@127.0.0.1:1");
    for url in [Proxy::start(0, DENIED).url(), nobody] {
        let outcome = world.run_binary(&line, &[("HTTPS_PROXY", &url)]);
        assert_eq!(
            (outcome.exit, outcome.reasons()),
            (Exit::Undecided, vec!["registry-unreachable"]),
            "{}",
            outcome.stderr
        );
        tells_nothing(&outcome);
    }
}
