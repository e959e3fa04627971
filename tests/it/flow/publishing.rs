//! What is published, when others publish too, and what the report says of it.

use acr_sandbox::{Action, Fault, Service};
use acr_sign::Exit;
use serde_json::Value;

use crate::world::{Outcome, REPOSITORY, World};

const KEYS: &str = "--key akv:contoso/keys/release";

fn words(outcome: &Outcome) -> Vec<&str> {
    outcome
        .stdout
        .lines()
        .map(|line| line.split(' ').next().unwrap())
        .collect()
}

#[test]
fn a_role_that_is_named_is_fetched_once() {
    let (world, root) = World::initialised();
    let sign = |role: &str, key: &str| {
        world.sandbox.clear_log();
        let line = format!(
            "sign {REPOSITORY}:1.0 --format dct --key akv:contoso/keys/{key} --root {root} --role {role}"
        );
        let outcome = world.run(&line);
        assert_eq!(outcome.exit, Exit::Done, "{role}: {}", outcome.stderr);
        world.answered(Service::TrustServer).len()
    };
    // root, timestamp, snapshot, targets, POST and two to read back; a delegation has no file before the first time.
    assert_eq!(sign("targets", "targets"), 7);
    assert_eq!(sign("targets/releases", "release"), 7);
    world
        .sandbox
        .registry()
        .push_image("shop/web", "1.0", "moved");
    assert_eq!(sign("targets/releases", "release"), 8);
}

#[test]
fn g13_a_tag_that_is_not_the_digest_it_is_named_with_is_refused() {
    let (world, root) = World::initialised();
    let built = world.sandbox.registry().digest("shop/web", "1.0").unwrap();
    world
        .sandbox
        .registry()
        .push_image("shop/web", "1.0", "pushed in between");
    let outcome = world.run(&format!(
        "sign {REPOSITORY}:1.0@{built} --format dct {KEYS} --root {root}"
    ));
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Rejected, vec!["digest-mismatch"]),
        "{}",
        outcome.stderr
    );
    assert_eq!(world.vault_signatures(), 0);
    let now = world.sandbox.registry().digest("shop/web", "1.0").unwrap();
    let outcome = world.run(&format!(
        "sign {REPOSITORY}:1.0@{now} --format dct {KEYS} --root {root}"
    ));
    assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
}

#[test]
fn the_report_says_until_when_each_role_holds() {
    let (world, root) = World::initialised();
    let ends = |line: &str| {
        let report = world
            .run(&format!(
                "{line} --format dct {KEYS} --root {root} --output json"
            ))
            .json();
        let signatures = report["images"][0]["signatures"]
            .as_array()
            .unwrap()
            .clone();
        // When it was signed is known of what was signed now only; the format does not say it.
        let signed_now = report["images"][0]["status"] == "signed";
        assert!(
            signatures
                .iter()
                .all(|signature| signature["signedAt"].is_string() == signed_now),
            "{report}"
        );
        let end = |signature: &Value| signature["expiresAt"].as_str().map(ToOwned::to_owned);
        (
            report["images"][0]["status"].clone(),
            signatures.iter().map(end).collect::<Vec<_>>(),
        )
    };
    let line = format!("sign {REPOSITORY}:1.0");
    let (status, planned) = ends(&format!("{line} --dry-run"));
    assert_eq!((status, planned), ("planned".into(), vec![None, None]));
    let (status, signed) = ends(&line);
    assert_eq!((status, signed.len()), ("signed".into(), 2));
    for role in ["targets/release", "targets/releases"] {
        let file: Value =
            serde_json::from_slice(&world.sandbox.trust().current(REPOSITORY, role).unwrap())
                .unwrap();
        assert!(
            signed.contains(&Some(
                file["signed"]["expires"].as_str().unwrap().to_owned()
            )),
            "{signed:?}"
        );
    }
    assert_eq!(ends(&line), ("already-signed".into(), signed));
}

#[test]
fn t27_what_was_published_and_overtaken_is_signed_and_not_already_signed() {
    let (world, root) = World::initialised();
    world
        .sandbox
        .registry()
        .push_image("shop/web", "other", "other");
    // The answer to our publication is held until another writer has published on top of it.
    std::thread::scope(|scope| {
        world.sandbox.fault(
            Fault::new(Action::HoldUntil("/manifests/other".into()))
                .path("/timestamp.json")
                .nth(2),
        );
        let ours = scope.spawn(|| world.sign(&["1.0"], &root));
        while !ours.is_finished()
            && !world
                .sandbox
                .trust()
                .versions(REPOSITORY)
                .contains_key("targets/releases")
        {
            std::thread::yield_now();
        }
        let theirs = world.sign(&["other"], &root);
        assert_eq!(theirs.exit, Exit::Done, "{}", theirs.stderr);
        let ours = ours.join().unwrap();
        assert_eq!(
            (ours.exit, words(&ours)),
            (Exit::Done, vec!["signed"]),
            "{}",
            ours.stderr
        );
    });
    assert_eq!(world.verify("1.0", &root).exit, Exit::Done);
    assert_eq!(world.verify("other", &root).exit, Exit::Done);
}

#[test]
fn a_root_that_was_replaced_between_two_answers_is_read_again() {
    let (world, root) = World::initialised();
    assert_eq!(world.sign(&["1.0"], &root).exit, Exit::Done);
    // The timestamp of before and of after its key was replaced: signed by a key that the root does not list.
    let other = "contoso.azurecr.io/shop/other";
    let line = format!(
        "trust init {other} --root-key akv:contoso/keys/root --targets-key akv:contoso/keys/targets"
    );
    assert_eq!(world.run(&line).exit, Exit::Done);
    let foreign = world.sandbox.trust().current(other, "timestamp").unwrap();
    world.sandbox.fault(
        Fault::new(Action::Body(foreign.clone().into()))
            .path("/timestamp.json")
            .nth(1),
    );
    world.sandbox.clear_log();
    let outcome = world.verify("1.0", &root);
    assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
    assert_eq!(
        world.answered(Service::TrustServer).len(),
        2 + 5,
        "what was asked for first, and all of it again"
    );
    // Not more than once.
    world.sandbox.clear_faults();
    world.sandbox.clear_log();
    world
        .sandbox
        .fault(Fault::new(Action::Body(foreign.into())).path("/timestamp.json"));
    let outcome = world.verify("1.0", &root);
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Rejected, vec!["threshold-not-met"]),
        "{}",
        outcome.stderr
    );
    assert_eq!(world.answered(Service::TrustServer).len(), 4);
}

#[test]
fn a_dry_run_revokes_nothing_and_says_so() {
    let (world, root) = World::initialised();
    assert_eq!(world.sign(&["1.0"], &root).exit, Exit::Done);
    let before = world.sandbox.trust().versions(REPOSITORY);
    world.sandbox.clear_log();
    let outcome = world.run(&format!(
        "trust revoke {REPOSITORY}:1.0 {KEYS} --root {root} --dry-run"
    ));
    assert_eq!(
        (outcome.exit, words(&outcome)),
        (Exit::Done, vec!["planned"]),
        "{}",
        outcome.stderr
    );
    assert_eq!(
        (
            world.vault_signatures(),
            world.sandbox.trust().versions(REPOSITORY)
        ),
        (0, before)
    );
}

#[test]
fn revoking_says_where_a_tag_stands_that_is_out_of_reach() {
    let (world, root) = World::initialised();
    for name in ["bob", "carol"] {
        world
            .sandbox
            .vault()
            .create_key(name, acr_sandbox::KeyKind::P256);
        let line = format!(
            "trust signer add {name} {REPOSITORY} --signer-key akv:contoso/keys/{name} --targets-key akv:contoso/keys/targets --root {root}"
        );
        assert_eq!(world.run(&line).exit, Exit::Done);
    }
    let sign = format!(
        "sign {REPOSITORY}:1.0 --format dct --key akv:contoso/keys/bob --root {root} --role targets/bob"
    );
    assert_eq!(world.run(&sign).exit, Exit::Done);
    let revoke = |tag: &str, key: &str| {
        world.run(&format!(
            "trust revoke {REPOSITORY}:{tag} --key akv:contoso/keys/{key} --root {root}"
        ))
    };
    let held = revoke("1.0", "carol");
    assert_eq!(
        (held.exit, held.reasons()),
        (Exit::Rejected, vec!["key-not-delegated"]),
        "{}",
        held.stderr
    );
    assert!(held.stderr.contains("`targets/bob`"), "{}", held.stderr);
    let nowhere = revoke("1", "carol");
    assert_eq!(
        (nowhere.exit, nowhere.reasons()),
        (Exit::Rejected, vec!["unsigned"]),
        "{}",
        nowhere.stderr
    );
    let gone = revoke("1.0", "bob");
    assert_eq!(
        (gone.exit, words(&gone)),
        (Exit::Done, vec!["revoked"]),
        "{}",
        gone.stderr
    );
}

#[test]
fn each_repository_needs_a_pin_of_its_own() {
    let (world, first) = World::initialised();
    let other = "contoso.azurecr.io/shop/other";
    world
        .sandbox
        .registry()
        .push_image("shop/other", "1.0", "other");
    let init = format!(
        "trust init {other} --root-key akv:contoso/keys/root --targets-key akv:contoso/keys/targets --signer release=akv:contoso/keys/release --output json"
    );
    let second = world.run(&init).json()["root"]["keyIds"][0]
        .as_str()
        .unwrap()
        .to_owned();
    assert_ne!(first, second);
    let images = format!("{REPOSITORY}:1.0 {other}:1.0");
    let one = world.run(&format!("sign {images} --format dct {KEYS} --root {first}"));
    assert_eq!(
        (one.exit, one.reasons(), words(&one)),
        (
            Exit::Rejected,
            vec!["untrusted-root"],
            vec!["signed", "refused"]
        )
    );
    let both = world.run(&format!(
        "sign {images} --format dct {KEYS} --root {first} --root {second}"
    ));
    assert_eq!(
        (both.exit, words(&both)),
        (Exit::Done, vec!["already-signed", "signed"]),
        "{}",
        both.stderr
    );
    let pins = format!("--root {first} --root {second}");
    assert_eq!(
        world
            .run(&format!("verify {images} --format dct {pins}"))
            .exit,
        Exit::Done
    );

    world
        .sandbox
        .vault()
        .create_key("bob", acr_sandbox::KeyKind::P256);
    let add = format!(
        "trust signer add bob {REPOSITORY} {other} --signer-key akv:contoso/keys/bob --targets-key akv:contoso/keys/targets"
    );
    let one = world.run(&format!("{add} --root {second}"));
    assert_eq!(
        (one.exit, words(&one)),
        (Exit::Rejected, vec!["refused", "changed"]),
        "{}",
        one.stderr
    );
    let both = world.run(&format!("{add} {pins}"));
    assert_eq!(
        (both.exit, words(&both)),
        (Exit::Done, vec!["changed", "unchanged"]),
        "{}",
        both.stderr
    );

    let one = world.run(&format!("trust revoke {images} {KEYS} --root {first}"));
    assert_eq!(
        (one.exit, words(&one)),
        (Exit::Rejected, vec!["revoked", "refused"]),
        "{}",
        one.stderr
    );
    let both = world.run(&format!("trust revoke {images} {KEYS} {pins}"));
    assert_eq!(
        (both.exit, both.reasons(), words(&both)),
        (Exit::Rejected, vec!["unsigned"], vec!["refused", "revoked"])
    );
}
