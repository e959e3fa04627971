//! Several hosts in one run: what one of them may have goes to none of the others (G01, G08).

use acr_sandbox::{Action, Entry, Fault, Service};
use acr_sign::Exit;
use serde_json::json;

use crate::world::{REPOSITORY, World};

const STRANGER: &str = "evil.example";
/// A registry of the same cloud, which knows nothing of ours.
const OTHER: &str = "northwind.azurecr.io";

fn challenge(realm: &str) -> Action {
    let header = format!("Bearer realm=\"{realm}\",service=\"registry\"");
    Action::Answer {
        status: 401,
        headers: vec![("www-authenticate".into(), header)],
        body: "{}".into(),
    }
}

fn answer(body: &serde_json::Value) -> Action {
    Action::Answer {
        status: 200,
        headers: Vec::new(),
        body: body.to_string().into(),
    }
}

/// A host with a token service of its own, which no token satisfies.
fn asks_for_tokens(world: &World, host: &str) {
    let fault = |action| Fault::new(action).host(host);
    world
        .sandbox
        .fault(fault(answer(&json!({"refresh_token": "own refresh"}))).path("/oauth2/exchange"));
    world
        .sandbox
        .fault(fault(answer(&json!({"access_token": "own access"}))).path("/oauth2/token"));
    world
        .sandbox
        .fault(fault(challenge(&format!("https://{host}/oauth2/token"))));
}

fn asked(world: &World, host: &str) -> Vec<Entry> {
    world
        .sandbox
        .log()
        .into_iter()
        .filter(|entry| entry.host == host)
        .collect()
}

/// What was asked is what anybody may ask, but for what the host gave itself.
fn got_nothing(world: &World, host: &str) {
    let asked = asked(world, host);
    assert!(
        asked.iter().any(|entry| entry.path == "/oauth2/token"),
        "{asked:?}"
    );
    for entry in asked {
        let own = entry
            .credential
            .as_deref()
            .is_none_or(|credential| credential == "Bearer own access");
        assert!(
            own && entry.method == "GET" && entry.body_bytes == 0,
            "{entry:?}"
        );
    }
}

#[test]
fn g01_g08_each_registry_of_a_run_has_its_own_login_and_tokens() {
    let (mut world, root) = World::initialised();
    assert_eq!(world.sign(&["1.0"], &root).exit, Exit::Done);
    let own = world
        .sandbox
        .connect_to()
        .into_iter()
        .find(|entry| entry.starts_with("contoso.azurecr.io="))
        .unwrap();
    let (_, address) = own.split_once('=').unwrap();
    let connect_to = format!("{};{OTHER}={address}", world.sandbox.connect_to().join(";"));
    world
        .environment
        .push(("ACR_SIGN_CONNECT_TO".into(), connect_to));
    asks_for_tokens(&world, STRANGER);
    asks_for_tokens(&world, OTHER);
    world.sandbox.clear_log();
    // One after the other, ours first.
    let images = format!("{REPOSITORY}:1.0 {STRANGER}/shop/web:1.0 {OTHER}/shop/web:1.0");
    let outcome = world.run(&format!(
        "verify {images} --format dct --root {root} --concurrency 1 --output json"
    ));
    assert_eq!(outcome.exit, Exit::Undecided, "{}", outcome.stderr);
    let json = outcome.json();
    let statuses: Vec<&str> = json["images"]
        .as_array()
        .unwrap()
        .iter()
        .map(|image| image["status"].as_str().unwrap())
        .collect();
    assert_eq!(statuses, ["verified", "undecided", "undecided"], "{json:#}");
    got_nothing(&world, STRANGER);
    let logins = &json["auth"]["registries"];
    assert_eq!(
        (&logins[STRANGER], &logins[OTHER]),
        (&"anonymous".into(), &"entra".into()),
        "{logins}"
    );
    // Each registry of the cloud is asked for its own tokens, and gets no other.
    for (host, own) in [(OTHER, true), ("contoso.azurecr.io", false)] {
        let asked = asked(&world, host);
        assert!(
            asked.iter().any(|entry| entry.path == "/oauth2/exchange"),
            "{host}: {asked:?}"
        );
        for credential in asked.iter().filter_map(|entry| entry.credential.as_deref()) {
            assert_eq!(
                credential == "Bearer own access",
                own,
                "{host}: {credential}"
            );
        }
    }
}

#[test]
fn g03_a_trust_server_elsewhere_gets_no_token_unless_it_is_allowed() {
    let (world, root) = World::initialised();
    assert_eq!(world.sign(&["1.0"], &root).exit, Exit::Done);
    let line = format!(
        "verify {REPOSITORY}:1.0 --format dct --root {root} --trust-server https://{STRANGER}"
    );
    asks_for_tokens(&world, STRANGER);
    world.sandbox.clear_log();
    let outcome = world.run(&line);
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Undecided, vec!["registry-unauthorized"]),
        "{}",
        outcome.stderr
    );
    got_nothing(&world, STRANGER);
    // Nor is it led to the registry's own tokens.
    world.sandbox.clear_faults();
    world
        .sandbox
        .fault(Fault::new(challenge("https://contoso.azurecr.io/oauth2/token")).host(STRANGER));
    world.sandbox.clear_log();
    let outcome = world.run(&line);
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Usage, vec!["host-not-allowed"]),
        "{}",
        outcome.stderr
    );
    assert!(
        asked(&world, STRANGER)
            .iter()
            .all(|entry| entry.credential.is_none())
    );
    // Allowed, it gets what the registry would.
    world.sandbox.clear_faults();
    asks_for_tokens(&world, STRANGER);
    world.sandbox.clear_log();
    world.run(&format!("{line} --allow-host {STRANGER}"));
    let exchanges = asked(&world, STRANGER)
        .iter()
        .filter(|entry| entry.path == "/oauth2/exchange")
        .count();
    assert!(exchanges >= 1);
    assert_eq!(world.sandbox.count(Service::TrustServer), 0);
}

#[test]
fn g01_what_login_a_run_was_told_to_take_is_not_widened() {
    let (world, root) = World::initialised();
    let run = |image: &str, auth: &str| {
        world.sandbox.clear_log();
        world.run(&format!(
            "verify {image}:1.0 --format dct --root {root} --registry-auth {auth}"
        ))
    };
    let entra =
        || world.sandbox.count(Service::ManagedIdentity) + world.sandbox.count(Service::Entra);
    asks_for_tokens(&world, STRANGER);
    let outcome = run(&format!("{STRANGER}/shop/web"), "entra");
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Undecided, vec!["registry-unauthorized"]),
        "{}",
        outcome.stderr
    );
    assert!(
        asked(&world, STRANGER)
            .iter()
            .all(|entry| entry.credential.is_none() && entry.method == "GET")
    );
    assert_eq!(entra(), 0);
    let outcome = run(REPOSITORY, "anonymous");
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Undecided, vec!["registry-unauthorized"]),
        "{}",
        outcome.stderr
    );
    // The token that anybody gets is asked for with nothing.
    let tokens: Vec<_> = world
        .sandbox
        .log()
        .into_iter()
        .filter(|entry| entry.path.starts_with("/oauth2/"))
        .collect();
    assert!(
        !tokens.is_empty()
            && tokens
                .iter()
                .all(|entry| entry.credential.is_none() && entry.method == "GET")
    );
    assert_eq!(entra(), 0);
}

#[test]
fn g03_the_login_of_docker_hub_goes_to_docker_hub() {
    let mut world = World::new();
    let auths = json!({"auths": {"https://index.docker.io/v1/": {"auth": "aHViOmNhbmFyeQ=="}}});
    std::fs::create_dir(world.folder.path().join("docker")).unwrap();
    world.write("docker/config.json", &auths.to_string());
    world.environment.push((
        "DOCKER_CONFIG".into(),
        world.folder.path().join("docker").display().to_string(),
    ));
    let headers = vec![(
        "www-authenticate".to_owned(),
        "Basic realm=\"registry\"".to_owned(),
    )];
    let basic = Action::Answer {
        status: 401,
        headers,
        body: "{}".into(),
    };
    for host in [STRANGER, "registry-1.docker.io"] {
        world.sandbox.fault(Fault::new(basic.clone()).host(host));
    }
    let plain = format!("127.0.0.1:{}", world.sandbox.plain_port());
    let hub = format!(
        "--plain-http docker.io --plain-http registry-1.docker.io --connect-to registry-1.docker.io:80={plain}"
    );
    let root = "0".repeat(64);
    world.run(&format!(
        "verify alpine:1 {STRANGER}/library/alpine:1 --format dct --root {root} --retries 0 {hub}"
    ));
    let sent = |host: &str| {
        asked(&world, host)
            .into_iter()
            .filter_map(|entry| entry.credential)
            .collect::<Vec<_>>()
    };
    // It is tried once more before the refusal stands.
    assert_eq!(sent("registry-1.docker.io"), ["Basic aHViOmNhbmFyeQ=="; 2]);
    assert_eq!(
        (asked(&world, STRANGER).is_empty(), sent(STRANGER)),
        (false, Vec::new())
    );
}
