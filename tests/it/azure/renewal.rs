//! Tokens that are refused in mid-run, of every kind of identity, and clocks that differ (K05).

use acr_sandbox::{Action, Fault, Identity, Service};
use acr_sign::Exit;

use crate::world::{REPOSITORY, World};

#[test]
fn k05_every_identity_renews_what_the_vault_and_the_registry_refuse() {
    for identity in [
        Identity::ManagedIdentityAppService,
        Identity::Imds,
        Identity::GitHubOidc,
        Identity::AzurePipelines,
        Identity::ClientSecret,
    ] {
        let world = World::with(identity);
        let root = world.initialise();
        for (service, path) in [
            (Service::Vault, "/sign"),
            (Service::TrustServer, "/_trust/tuf/"),
        ] {
            world.sandbox.clear_faults();
            world.sandbox.fault(
                Fault::new(Action::RefuseToken)
                    .service(service)
                    .path(path)
                    .nth(2),
            );
            let outcome = world.run(&format!(
                "sign {REPOSITORY}:1.0 --format dct --key akv:contoso/keys/release --root {root} --force"
            ));
            assert_eq!(
                outcome.exit,
                Exit::Done,
                "{identity:?} {path}: {}",
                outcome.stderr
            );
        }
    }
}

#[test]
fn k05_a_login_that_the_registry_no_longer_takes_is_made_anew_from_the_identity() {
    let (world, root) = World::initialised();
    assert_eq!(world.sign(&["1.0"], &root).exit, Exit::Done);
    let verify = || {
        world.sandbox.clear_log();
        assert_eq!(world.verify("1.0", &root).exit, Exit::Done);
        let exchanges = world
            .answered(Service::Registry)
            .iter()
            .filter(|entry| entry.path == "/oauth2/exchange")
            .count();
        (world.sandbox.count(Service::ManagedIdentity), exchanges)
    };
    assert_eq!(verify(), (1, 1));
    world
        .sandbox
        .fault(Fault::new(Action::Status(401)).path("/oauth2/token").nth(1));
    assert_eq!(verify(), (2, 2));
}

#[test]
fn k05_a_clock_that_is_wrong_is_told_with_the_failure() {
    let (world, root) = World::initialised();
    for (ahead, says) in [
        (3600, "clock is 60 minutes behind the servers"),
        (-3600, "clock is 60 minutes ahead of the servers"),
    ] {
        world.sandbox.clock().move_to(ahead);
        let outcome = world.run(&format!(
            "verify {REPOSITORY}:1.0 --format dct --root {root} --output json"
        ));
        let warnings = outcome.json()["warnings"].to_string();
        assert!(warnings.contains(says), "{warnings}");
    }
    world.sandbox.clock().move_to(200);
    let outcome = world.run(&format!(
        "verify {REPOSITORY}:1.0 --format dct --root {root} --output json"
    ));
    assert_eq!(outcome.exit, Exit::Rejected, "{}", outcome.stderr);
    assert!(
        !outcome.json()["warnings"].to_string().contains("clock"),
        "five minutes are usual"
    );
}
