//! Services that misbehave: each run ends signed, or failed with the old trust data intact and readable; and
//! none of its outputs, log included, holds a secret (P06).

use acr_sandbox::{Action, Fault, Service};
use acr_sign::Exit;

use crate::world::{REPOSITORY, World};

/// Every way to spoil one answer that a retry or a clear failure must cope with.
fn actions() -> Vec<(&'static str, Action)> {
    vec![
        ("500", Action::Status(500)),
        ("403", Action::Status(403)),
        (
            "429",
            Action::RetryAfter {
                status: 429,
                value: "0".into(),
            },
        ),
        ("close", Action::Close),
        ("cut", Action::Cut(10)),
        ("truncated", Action::Truncate(20)),
        ("other bytes", Action::Body("{}".into())),
        ("flipped", Action::FlipBit),
        (
            "redirect",
            Action::Redirect {
                status: 302,
                location: "https://evil.example/".into(),
            },
        ),
    ]
}

#[test]
fn p06_p07_a_fault_at_any_request_leaves_trust_data_whole_and_tells_no_secret() {
    let (world, root) = World::initialised();
    assert_eq!(
        world.sign_telling_no_secret(&["1.0"], &root).exit,
        Exit::Done
    );
    world.sandbox.clear_log();
    let put_back = world.sandbox.trust().keep();
    put_back(world.sandbox.trust());
    assert_eq!(world.sign_telling_no_secret(&["1"], &root).exit, Exit::Done);
    let requests = world.sandbox.log().len();
    let (mut signed, mut failed) = (0, 0);
    for (name, action) in actions() {
        for index in 1..=requests {
            let (world, root) = (&world, &root);
            world.sandbox.clear_faults();
            let fresh = format!("f{index}-{}", name.replace(' ', "-"));
            let digest = world.sandbox.registry().digest("shop/web", "1.0").unwrap();
            world.sandbox.registry().retag("shop/web", &digest, &fresh);
            world.sandbox.fault(Fault::new(action.clone()).nth(index));
            let line = format!(
                "sign {REPOSITORY}:{fresh} --format dct --key akv:contoso/keys/release --root {root} --retries 1"
            );
            let outcome = world.run_telling_no_secret(&line, &[]);
            world.sandbox.clear_faults();
            let verified = world.verify(&fresh, root);
            let old = world.verify("1.0", root);
            assert_eq!(old.exit, Exit::Done, "{name} at {index}: {}", old.stderr);
            if outcome.exit == Exit::Done {
                assert_eq!(
                    verified.exit,
                    Exit::Done,
                    "{name} at {index}: {}",
                    verified.stderr
                );
                signed += 1;
            } else {
                assert_eq!(
                    outcome.reasons().len(),
                    1,
                    "{name} at {index}: {}",
                    outcome.stderr
                );
                failed += 1;
            }
        }
    }
    assert!(signed > 0 && failed > 0, "{signed} signed, {failed} failed");
}

#[test]
fn k02_a_vault_that_answers_wrongly_publishes_nothing() {
    for (action, word) in [
        (Action::WrongKid, "vault-answer-invalid"),
        (
            Action::Body(r#"{"kid":"x","value":"AAAA"}"#.into()),
            "vault-answer-invalid",
        ),
    ] {
        let (world, root) = World::initialised();
        let before = world.sandbox.trust().versions(REPOSITORY);
        world
            .sandbox
            .fault(Fault::new(action).service(Service::Vault).path("/sign"));
        let outcome = world.sign_telling_no_secret(&["1.0"], &root);
        assert_eq!(
            (outcome.exit, outcome.reasons()),
            (Exit::Undecided, vec![word]),
            "{}",
            outcome.stderr
        );
        assert_eq!(world.sandbox.trust().versions(REPOSITORY), before);
    }
}

#[test]
fn k05_a_token_that_the_vault_no_longer_takes_is_renewed_once() {
    let (world, root) = World::initialised();
    world.sandbox.fault(
        Fault::new(Action::RefuseToken)
            .service(Service::Vault)
            .path("/sign")
            .nth(2),
    );
    let outcome = world.sign_telling_no_secret(&["1.0"], &root);
    assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
    assert_eq!(world.vault_signatures(), 2);
}

#[test]
fn k05_a_vault_that_takes_no_token_fails_once() {
    let (world, root) = World::initialised();
    let refuse = Action::Answer {
        status: 401,
        headers: vec![(
            "www-authenticate".into(),
            "Bearer authorization=\"https://login.microsoftonline.com/x\", resource=\"https://vault.azure.net\"".into(),
        )],
        body: r#"{"error":{"code":"Unauthorized","message":"no"}}"#.into(),
    };
    world
        .sandbox
        .fault(Fault::new(refuse).service(Service::Vault));
    let outcome = world.sign_telling_no_secret(&["1.0"], &root);
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Undecided, vec!["identity-failed"]),
        "{}",
        outcome.stderr
    );
    assert!(
        world.sandbox.count(Service::Vault) <= 4,
        "{}",
        world.sandbox.count(Service::Vault)
    );
}

#[test]
fn registry_tokens_are_renewed_when_they_are_refused() {
    let (world, root) = World::initialised();
    world.sandbox.fault(
        Fault::new(Action::RefuseToken)
            .service(Service::TrustServer)
            .path("/snapshot.")
            .nth(1),
    );
    let outcome = world.sign_telling_no_secret(&["1.0"], &root);
    assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
}

#[test]
fn k04_throttling_is_waited_out_and_told_when_it_is_too_long() {
    let (world, root) = World::initialised();
    world.sandbox.fault(
        Fault::new(Action::RetryAfter {
            status: 429,
            value: "1".into(),
        })
        .service(Service::Vault)
        .path("/sign")
        .nth(1),
    );
    assert_eq!(
        world.sign_telling_no_secret(&["1.0"], &root).exit,
        Exit::Done
    );
    world.sandbox.clear_faults();
    world.sandbox.fault(
        Fault::new(Action::RetryAfter {
            status: 429,
            value: "7200".into(),
        })
        .service(Service::Vault)
        .path("/sign"),
    );
    let outcome = world.sign_telling_no_secret(&["1"], &root);
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Undecided, vec!["vault-throttled"]),
        "{}",
        outcome.stderr
    );
}

#[test]
fn t27_two_signers_at_once_lose_nothing() {
    let (world, root) = World::initialised();
    let digest = world.sandbox.registry().digest("shop/web", "1.0").unwrap();
    for side in ["a", "b"] {
        for number in 0..20 {
            world
                .sandbox
                .registry()
                .retag("shop/web", &digest, &format!("{side}{number}"));
        }
    }
    std::thread::scope(|scope| {
        for side in ["a", "b"] {
            let (world, root) = (&world, &root);
            scope.spawn(move || {
                for start in (0..20).step_by(5) {
                    let tags: Vec<String> = (start..start + 5)
                        .map(|number| format!("{side}{number}"))
                        .collect();
                    let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
                    let outcome = world.sign(&tags, root);
                    assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
                }
            });
        }
    });
    let status = world
        .run(&format!(
            "trust status {REPOSITORY} --root {root} --output json"
        ))
        .json();
    let pullable = status["tags"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|tag| tag["pullable"] == true)
        .count();
    assert_eq!(pullable, 40);
}
