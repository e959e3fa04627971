//! Where an answer leads: never a credential to another host.

use acr_sandbox::{Action, Fault, Service};
use acr_sign::Exit;

use crate::world::{REPOSITORY, World};

/// A registry that wants a token from there.
pub fn challenge(realm: &str) -> Action {
    let header = format!("Bearer realm=\"{realm}\",service=\"contoso.azurecr.io\"");
    Action::Answer {
        status: 401,
        headers: vec![("www-authenticate".into(), header)],
        body: "{}".into(),
    }
}

#[test]
fn g05_a_challenge_from_where_a_redirect_led_gets_no_credential() {
    for (realm, exit, reasons) in [
        (
            "https://evil.example/token",
            Exit::Usage,
            &["host-not-allowed"][..],
        ),
        // The registry's own realm opens the registry, which is asked again, without the redirect's host.
        ("https://contoso.azurecr.io/oauth2/token", Exit::Done, &[]),
    ] {
        let (world, root) = World::initialised();
        assert_eq!(world.sign(&["1.0"], &root).exit, Exit::Done);
        world.sandbox.clear_log();
        let away = Action::Redirect {
            status: 307,
            location: "https://evil.example/v2/shop/web/manifests/1.0".into(),
        };
        world.sandbox.fault(
            Fault::new(away)
                .host("contoso.azurecr.io")
                .path("/manifests/")
                .nth(1),
        );
        world
            .sandbox
            .fault(Fault::new(challenge(realm)).host("evil.example"));
        let outcome = world.verify("1.0", &root);
        assert_eq!(
            (outcome.exit, outcome.reasons()),
            (exit, reasons.to_vec()),
            "{realm}: {}",
            outcome.stderr
        );
        let there: Vec<_> = world
            .sandbox
            .log()
            .into_iter()
            .filter(|entry| entry.host == "evil.example")
            .collect();
        assert_eq!(there.len(), 1, "{realm}");
        assert!(
            there.iter().all(|entry| entry.credential.is_none()),
            "{realm}"
        );
    }
}

#[test]
fn g05_a_manifest_that_is_asked_for_with_a_token_is_not_redirected() {
    let (world, root) = World::initialised();
    let away = Action::Redirect {
        status: 307,
        location: "https://evil.example/v2/x".into(),
    };
    // The first is asked without, and challenged.
    world
        .sandbox
        .fault(Fault::new(away).path("/v2/shop/web/manifests/").nth(2));
    let outcome = world.verify("1.0", &root);
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Undecided, vec!["redirect-refused"]),
        "{}",
        outcome.stderr
    );
    assert!(
        world
            .sandbox
            .log()
            .iter()
            .all(|entry| entry.host != "evil.example")
    );
}

#[test]
fn g03_a_realm_that_is_named_later_is_checked_like_the_first() {
    let (world, root) = World::initialised();
    world.sandbox.fault(
        Fault::new(challenge("https://evil.example/token"))
            .path("/v2/shop/web/manifests/")
            .nth(2),
    );
    let outcome = world.verify("1.0", &root);
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Usage, vec!["host-not-allowed"]),
        "{}",
        outcome.stderr
    );
    assert!(
        world
            .sandbox
            .log()
            .iter()
            .all(|entry| entry.host != "evil.example")
    );
}

#[test]
fn g04_an_anonymous_manifest_is_redirected_at_most_five_times_and_nowhere_private() {
    let (world, root) = World::initialised();
    for (location, hops) in [
        ("https://evil.example/v2/x", 5),
        ("http://evil.example/v2/x", 0),
        ("https://user@evil.example/v2/x", 0),
        ("https://:pw@evil.example/v2/x", 0),
        ("https://169.254.169.254/metadata", 0),
        ("https://10.0.0.1/x", 0),
        ("https://[::ffff:127.0.0.1]/x", 0),
        ("https://localhost/x", 0),
    ] {
        world.sandbox.clear_log();
        world.sandbox.clear_faults();
        world.sandbox.fault(
            Fault::new(Action::Redirect {
                status: 302,
                location: location.into(),
            })
            .path("/v2/"),
        );
        let outcome = world.run(&format!(
            "verify {REPOSITORY}:1.0 --format dct --root {root} --registry-auth anonymous"
        ));
        assert_eq!(
            outcome.exit,
            Exit::Undecided,
            "{location}: {}",
            outcome.stderr
        );
        assert!(
            outcome.reasons().contains(&"redirect-refused"),
            "{location}: {}",
            outcome.stderr
        );
        let elsewhere = world
            .sandbox
            .log()
            .iter()
            .filter(|entry| entry.host != "contoso.azurecr.io")
            .count();
        assert_eq!(elsewhere, hops, "{location}");
        assert_eq!(world.sandbox.count(Service::ManagedIdentity), 0);
    }
}
