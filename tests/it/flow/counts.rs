//! What a run may ask of the services.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use acr_sandbox::{Action, Fault, Identity, Options, Sandbox, Service};
use acr_sign::Exit;

use crate::world::{REPOSITORY, World, round_trips};

fn tags(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("t{number}")).collect()
}

fn push(world: &World, tags: &[String]) {
    let digest = world
        .sandbox
        .registry()
        .push_image("shop/web", "first", "many")
        .digest;
    for tag in tags {
        world.sandbox.registry().retag("shop/web", &digest, tag);
    }
}

#[test]
fn signing_asks_no_more_than_it_must() {
    for (count, delegations_there) in [(1, false), (100, false), (1, true), (100, true)] {
        let (world, root) = World::initialised();
        let tags = tags(count);
        push(&world, &tags);
        if delegations_there {
            assert_eq!(world.sign(&["1.0"], &root).exit, Exit::Done);
        }
        world.sandbox.clear_log();
        world.sandbox.set_latency(Duration::from_millis(30));
        let names: Vec<&str> = tags.iter().map(String::as_str).collect();
        let outcome = world.sign(&names, &root);
        assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);

        // root, timestamp, snapshot, targets, POST; two delegation files if there; two to read back.
        let trust = world.answered(Service::TrustServer);
        let expected = 5 + 2 + if delegations_there { 2 } else { 0 };
        assert_eq!(
            trust.len(),
            expected,
            "{:?}",
            trust.iter().map(|entry| &entry.path).collect::<Vec<_>>()
        );
        let manifests = world
            .answered(Service::Registry)
            .iter()
            .filter(|entry| entry.path.contains("/manifests/"))
            .count();
        assert_eq!(manifests, count);
        assert_eq!(world.vault_signatures(), 2);
        let keys = world.answered(Service::Vault).len();
        assert_eq!(keys, 3, "one key read and two signatures");
        // One exchange, and one token for the image and one for its trust data.
        let tokens = world
            .answered(Service::Registry)
            .iter()
            .filter(|entry| entry.path.starts_with("/oauth2/"))
            .count();
        assert_eq!(
            tokens, 4,
            "one exchange; a token to pull, one to read and one to write trust data"
        );
    }
}

#[test]
fn verifying_cold_asks_no_more_than_it_must() {
    let (world, root) = World::initialised();
    assert_eq!(world.sign(&["1.0", "1", "latest"], &root).exit, Exit::Done);
    world.sandbox.clear_log();
    // On loopback an answer can be there before the next request has left.
    world.sandbox.set_latency(Duration::from_millis(30));
    assert_eq!(world.verify("1.0", &root).exit, Exit::Done);
    let trust = world.answered(Service::TrustServer);
    // root, timestamp, snapshot, targets and the one delegation that a pull looks at.
    assert_eq!(
        trust.len(),
        5,
        "{:?}",
        trust.iter().map(|entry| &entry.path).collect::<Vec<_>>()
    );
    assert!(
        round_trips(&trust) <= 4,
        "{} round trips",
        round_trips(&trust)
    );
    let manifests = world
        .answered(Service::Registry)
        .iter()
        .filter(|entry| entry.path.contains("/manifests/"))
        .count();
    assert_eq!(manifests, 1);
    assert_eq!(world.answered(Service::Vault).len(), 0);
}

#[test]
fn what_does_not_depend_on_each_other_is_in_flight_together() {
    let (world, root) = World::initialised();
    assert_eq!(world.sign(&["1.0"], &root).exit, Exit::Done);
    for (held, until) in [
        ("root.json", "timestamp.json"),
        ("timestamp.json", "root.json"),
        ("_trust/tuf/targets.", "_trust/tuf/targets/releases."),
        ("_trust/tuf/targets/releases.", "_trust/tuf/targets."),
        ("/manifests/", "_trust/tuf/"),
    ] {
        world.sandbox.clear_log();
        world.sandbox.clear_faults();
        // The first request of a scope is the challenge, which needs no company.
        world.sandbox.fault(
            Fault::new(Action::HoldUntil(until.into()))
                .path(held)
                .nth(1),
        );
        let outcome = world.verify("1.0", &root);
        assert_eq!(
            outcome.exit,
            Exit::Done,
            "{held} until {until}: {}",
            outcome.stderr
        );
    }
}

#[test]
fn read_back_asks_for_both_lists_together() {
    let (world, root) = World::initialised();
    world.sandbox.fault(
        Fault::new(Action::HoldUntil("/snapshot.json".into()))
            .path("/timestamp.json")
            .nth(2),
    );
    let outcome = world.sign(&["1.0"], &root);
    assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
}

#[test]
fn connections_are_kept() {
    let (world, root) = World::initialised();
    world.sandbox.clear_log();
    assert_eq!(world.sign(&["1.0", "1", "latest"], &root).exit, Exit::Done);
    let mut connections: Vec<u64> = world
        .sandbox
        .log()
        .iter()
        .map(|entry| entry.connection)
        .collect();
    connections.sort_unstable();
    connections.dedup();
    // Registry, vault and identity endpoint; a second one each where two requests met before HTTP/2 was agreed.
    assert!(connections.len() <= 6, "{connections:?}");
}

#[test]
fn one_connection_per_host_with_http2_and_few_kept_ones_without() {
    for http2 in [true, false] {
        let sandbox = Sandbox::start(Options {
            http2,
            ..Options::default()
        })
        .unwrap();
        let world = World::stocked(sandbox, Identity::ManagedIdentityAppService);
        let root = world.initialise();
        let tags = tags(100);
        push(&world, &tags);
        world.sandbox.clear_log();
        let images: Vec<String> = tags
            .iter()
            .map(|tag| format!("{REPOSITORY}:{tag}"))
            .collect();
        let signed = world.run(&format!(
            "sign {} --format dct --key akv:contoso/keys/release --root {root} --concurrency 8",
            images.join(" ")
        ));
        assert_eq!(signed.exit, Exit::Done, "{}", signed.stderr);
        let mut hosts: BTreeMap<String, (usize, BTreeSet<u64>)> = BTreeMap::new();
        for entry in world
            .sandbox
            .log()
            .into_iter()
            .filter(|entry| entry.service != Service::ManagedIdentity)
        {
            assert_eq!(entry.http2, http2, "{}", entry.path);
            let (requests, connections) = hosts.entry(entry.host).or_default();
            *requests += 1;
            connections.insert(entry.connection);
        }
        // Eight manifests are in flight, and beside them two files of trust data; the vault is asked one by one.
        for (host, in_flight, at_least) in [
            ("contoso.azurecr.io", 8 + 2, 110),
            ("contoso.vault.azure.net", 1, 4),
        ] {
            let (requests, connections) = &hosts[host];
            assert!(*requests >= at_least, "{host}: {requests}");
            // A request that begins while an answer's connection is on its way back to the kept ones opens another.
            let most = if http2 { 1 } else { 2 * in_flight };
            assert!(
                connections.len() <= most,
                "{host}, HTTP/2 {http2}: {connections:?}"
            );
        }
        assert_eq!(hosts.len(), 2);
    }
}

#[test]
fn signing_again_signs_nothing() {
    let (world, root) = World::initialised();
    assert_eq!(world.sign(&["1.0", "1"], &root).exit, Exit::Done);
    let before = world.sandbox.trust().versions(REPOSITORY);
    world.sandbox.clear_log();
    let outcome = world.sign(&["1.0", "1"], &root);
    assert_eq!(outcome.exit, Exit::Done);
    assert!(
        outcome
            .stdout
            .lines()
            .all(|line| line.starts_with("already-signed")),
        "{}",
        outcome.stdout
    );
    assert_eq!(world.vault_signatures(), 0);
    assert_eq!(world.sandbox.trust().versions(REPOSITORY), before);
    world.sandbox.clear_log();
    let images = format!("{REPOSITORY}:1.0");
    let forced = world.run(&format!(
        "sign {images} --format dct --key akv:contoso/keys/release --root {root} --force"
    ));
    assert!(forced.stdout.starts_with("signed"), "{}", forced.stdout);
    assert_eq!(world.vault_signatures(), 2);
}

#[test]
fn a_dry_run_signs_and_writes_nothing() {
    let (world, root) = World::initialised();
    let before = world.sandbox.trust().versions(REPOSITORY);
    let outcome = world.run(&format!(
        "sign {REPOSITORY}:1.0 --format dct --key akv:contoso/keys/release --root {root} --dry-run"
    ));
    assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
    assert!(outcome.stdout.starts_with("planned"), "{}", outcome.stdout);
    assert_eq!(world.vault_signatures(), 0);
    assert!(
        world
            .sandbox
            .log()
            .iter()
            .all(|entry| entry.service != Service::TrustServer || entry.method == "GET")
    );
    assert_eq!(world.sandbox.trust().versions(REPOSITORY), before);
}
