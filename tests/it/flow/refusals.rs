//! What a service refuses ends in one clear error, with nothing published and no secret told.

use acr_sandbox::{Action, Denial, Fault, KeyKind, Operation, Role};
use acr_sign::Exit;

use crate::world::{REPOSITORY, World};

#[test]
fn k06_each_refusal_of_the_vault_has_its_own_text() {
    for (operation, denial, reason, part) in [
        (
            Operation::Sign,
            Denial::Rbac,
            "vault-forbidden",
            "Key Vault Crypto User",
        ),
        (
            Operation::KeyGet,
            Denial::AccessPolicy,
            "vault-forbidden",
            "keys get permission",
        ),
        (
            Operation::KeyGet,
            Denial::Firewall,
            "vault-forbidden",
            "203.0.113.7",
        ),
        (
            Operation::KeyGet,
            Denial::Connection,
            "vault-forbidden",
            "private endpoint",
        ),
    ] {
        let (world, root) = World::initialised();
        let before = world.sandbox.trust().versions(REPOSITORY);
        world.sandbox.vault().deny(operation, denial);
        let outcome = world.sign(&["1.0"], &root);
        assert_eq!(
            (outcome.exit, outcome.reasons()),
            (Exit::Undecided, vec![reason]),
            "{denial:?}: {}",
            outcome.stderr
        );
        assert!(
            outcome.stderr.contains(part),
            "{denial:?}: {}",
            outcome.stderr
        );
        assert_eq!(world.sandbox.trust().versions(REPOSITORY), before);
    }
}

#[test]
fn keys_that_cannot_sign() {
    let (world, root) = World::initialised();
    for (name, kind) in [("p384", KeyKind::P384), ("p521", KeyKind::P521)] {
        world.sandbox.vault().create_key(name, kind);
        let outcome = world.run(&format!(
            "sign {REPOSITORY}:1.0 --format dct --key akv:contoso/keys/{name} --root {root}"
        ));
        assert_eq!(
            (outcome.exit, outcome.reasons()),
            (Exit::Usage, vec!["key-unsuitable"]),
            "{name}: {}",
            outcome.stderr
        );
    }
    let sign = |key: &str| {
        world.run(&format!(
            "sign {REPOSITORY}:1.0 --format dct --key {key} --root {root}"
        ))
    };
    let missing = sign("akv:contoso/keys/none");
    assert_eq!(
        (missing.exit, missing.reasons()),
        (Exit::Undecided, vec!["key-not-found"]),
        "{}",
        missing.stderr
    );
    world.sandbox.vault().set_enabled("release", false);
    let disabled = sign("akv:contoso/keys/release");
    assert_eq!(
        (disabled.exit, disabled.reasons()),
        (Exit::Undecided, vec!["key-disabled"]),
        "{}",
        disabled.stderr
    );
    world.sandbox.vault().set_enabled("release", true);
    world.sandbox.vault().set_period("release", None, Some(1));
    let expired = sign("akv:contoso/keys/release");
    assert_eq!(
        (expired.exit, expired.reasons()),
        (Exit::Undecided, vec!["key-expired"]),
        "{}",
        expired.stderr
    );
}

#[test]
fn acr_refusals_name_what_is_missing() {
    let (world, root) = World::initialised();
    let client = "00000000-0000-0000-0000-00000000c11e";
    let before = world.sandbox.trust().versions(REPOSITORY);
    world.sandbox.acr().grant(client, &[Role::AcrPush]);
    let outcome = world.sign(&["1.0"], &root);
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Undecided, vec!["signer-role-missing"]),
        "{}",
        outcome.stderr
    );
    assert!(
        outcome.stderr.contains("AcrImageSigner"),
        "{}",
        outcome.stderr
    );
    assert_eq!(world.sandbox.trust().versions(REPOSITORY), before);
    world.sandbox.acr().grant(client, &[]);
    let outcome = world.sign(&["1.0"], &root);
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Undecided, vec!["registry-unauthorized"]),
        "{}",
        outcome.stderr
    );
    world
        .sandbox
        .acr()
        .grant(client, &[Role::AcrPush, Role::AcrImageSigner]);
    world.sandbox.trust().set_enabled(false);
    let outcome = world.sign(&["1.0"], &root);
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Undecided, vec!["content-trust-disabled"]),
        "{}",
        outcome.stderr
    );
    assert!(outcome.stderr.contains("2028-03-31"), "{}", outcome.stderr);
}

#[test]
fn t32_what_a_lying_server_shows_is_not_signed() {
    let (world, root) = World::initialised();
    assert_eq!(world.sign(&["1.0"], &root).exit, Exit::Done);
    // The trust data of another repository with the same keys, shown under this name.
    let other = "contoso.azurecr.io/shop/other";
    world
        .sandbox
        .registry()
        .push_image("shop/other", "1.0", "other");
    let line = format!(
        "trust init {other} --root-key akv:contoso/keys/root --targets-key akv:contoso/keys/targets --signer release=akv:contoso/keys/release"
    );
    assert_eq!(world.run(&line).exit, Exit::Done);
    let files = ["root", "timestamp", "snapshot", "targets"].map(|role| {
        (
            role.to_owned(),
            world.sandbox.trust().current(other, role).unwrap(),
        )
    });
    world.sandbox.trust().load(REPOSITORY, files);
    world.sandbox.clear_log();
    let outcome = world.sign(&["1"], &root);
    assert_eq!(outcome.exit, Exit::Rejected, "{}", outcome.stderr);
    assert_eq!(world.vault_signatures(), 0);
}

#[test]
fn a_digest_that_was_not_built_is_refused() {
    let (world, root) = World::initialised();
    let wrong = format!("sha256:{}", "1".repeat(64));
    for line in [
        format!("{REPOSITORY}:1.0 --digest {wrong}"),
        format!("{REPOSITORY}:1.0 {REPOSITORY}:1 --digest {wrong}"),
    ] {
        let outcome = world.run(&format!(
            "sign {line} --format dct --key akv:contoso/keys/release --root {root}"
        ));
        assert_eq!(outcome.exit, Exit::Rejected, "{}", outcome.stderr);
        assert!(
            outcome
                .reasons()
                .iter()
                .all(|reason| *reason == "digest-mismatch"),
            "{}",
            outcome.stderr
        );
    }
    assert_eq!(world.vault_signatures(), 0);
    let good = world.sandbox.registry().digest("shop/web", "1.0").unwrap();
    let line = format!(
        "sign {REPOSITORY}:1.0 --digest {good} --format dct --key akv:contoso/keys/release --root {root}"
    );
    assert_eq!(world.run(&line).exit, Exit::Done);
}

#[test]
fn one_image_that_fails_does_not_stop_the_others() {
    let (world, root) = World::initialised();
    let outcome = world.sign(&["1.0", "none", "1"], &root);
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Undecided, vec!["not-found"]),
        "{}",
        outcome.stderr
    );
    let words: Vec<_> = outcome
        .stdout
        .lines()
        .map(|line| line.split(' ').next().unwrap())
        .collect();
    assert_eq!(words, ["signed", "failed", "signed"]);
    assert_eq!(world.verify("1", &root).exit, Exit::Done);
}

#[test]
fn init_refuses_what_exists() {
    let (world, _) = World::initialised();
    let line = format!(
        "trust init {REPOSITORY} --root-key akv:contoso/keys/root --targets-key akv:contoso/keys/targets"
    );
    let outcome = world.run(&line);
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Usage, vec!["usage"]),
        "{}",
        outcome.stderr
    );
    assert_eq!(world.vault_signatures(), 0);
}

#[test]
fn p06_no_output_holds_a_credential() {
    let (world, root) = World::initialised();
    world.sandbox.clear_log();
    let runs = [
        world.run_binary(&format!("sign {REPOSITORY}:1.0 {REPOSITORY}:none --format dct --key akv:contoso/keys/release --root {root} --output json -vv"), &[]),
        world.run_binary(&format!("verify {REPOSITORY}:1.0 --format dct --root {root} -vv"), &[]),
    ];
    let sent: Vec<String> = world
        .sandbox
        .log()
        .into_iter()
        .filter_map(|entry| entry.credential)
        .collect();
    assert!(!sent.is_empty());
    assert!(
        runs[1].stderr.contains("DEBUG acr_sign::"),
        "the log is part of it"
    );
    for secret in sent.iter().filter_map(|header| header.split(' ').nth(1)) {
        for outcome in &runs {
            assert!(!outcome.stdout.contains(secret) && !outcome.stderr.contains(secret));
        }
    }
}

#[test]
fn g04_what_is_asked_for_with_a_token_is_not_redirected() {
    let (world, root) = World::initialised();
    assert_eq!(world.sign(&["1.0"], &root).exit, Exit::Done);
    for (path, location) in [
        ("/manifests/", "https://evil.example/x"),
        ("/manifests/", "https://169.254.169.254/x"),
        ("/manifests/", "http://contoso.azurecr.io/x"),
        ("root.json", "https://evil.example/x"),
        ("/oauth2/token", "https://evil.example/x"),
        ("/oauth2/exchange", "https://evil.example/x"),
    ] {
        world.sandbox.clear_log();
        world.sandbox.clear_faults();
        world.sandbox.fault(
            Fault::new(Action::Redirect {
                status: 302,
                location: location.into(),
            })
            .path(path),
        );
        let outcome = world.verify("1.0", &root);
        assert_eq!(
            outcome.exit,
            Exit::Undecided,
            "{path} {location}: {}",
            outcome.stderr
        );
        let elsewhere: Vec<_> = world
            .sandbox
            .log()
            .into_iter()
            .filter(|entry| entry.host == "evil.example")
            .collect();
        assert!(
            elsewhere.iter().all(|entry| entry.credential.is_none()),
            "{path} {location}"
        );
    }
}

#[test]
fn a_firewall_is_not_taken_for_missing_content_trust() {
    let (world, root) = World::initialised();
    let denied = Action::Answer {
        status: 403,
        headers: Vec::new(),
        body: r#"{"errors":[{"code":"DENIED","message":"client with IP '203.0.113.7' is not allowed access."}]}"#
            .into(),
    };
    world.sandbox.fault(Fault::new(denied).path("/_trust/"));
    let outcome = world.verify("1.0", &root);
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Undecided, vec!["registry-forbidden"]),
        "{}",
        outcome.stderr
    );
    assert!(
        outcome.stderr.contains("203.0.113.7") && outcome.stderr.contains("firewall"),
        "{}",
        outcome.stderr
    );
}
