//! Managed identities of a machine: several of them, none of them, and an endpoint that is starting.

use acr_sandbox::{Action, Fault, Identity, Options, Service};
use acr_sign::Exit;

use crate::world::World;

const SHOW: &str = "key show akv:contoso/keys/release";

#[test]
fn of_several_identities_one_must_be_named() {
    let client = Options::default().client;
    for identity in [Identity::Imds, Identity::ManagedIdentityAppService] {
        let world = World::with(identity);
        world
            .sandbox
            .managed_identity()
            .assign(&["00000000-0000-0000-0000-00000000aaaa", &client]);
        let outcome = world.run(SHOW);
        assert_eq!(
            (outcome.exit, outcome.reasons()),
            (Exit::Undecided, vec!["identity-failed"]),
            "{}",
            outcome.stderr
        );
        assert!(
            outcome.stderr.contains("name one with `--client-id`"),
            "{}",
            outcome.stderr
        );
        let named = world.run(&format!("{SHOW} --client-id {client}"));
        assert_eq!(named.exit, Exit::Done, "{}", named.stderr);
        let other = world.run(&format!(
            "{SHOW} --client-id 00000000-0000-0000-0000-00000000bbbb"
        ));
        assert_eq!(
            (other.exit, other.reasons()),
            (Exit::Undecided, vec!["identity-failed"]),
            "{}",
            other.stderr
        );
    }
}

#[test]
fn a_machine_without_identities_is_noticed_at_once() {
    let mut world = World::with(Identity::Imds);
    world.without_imds();
    for auth in ["managed-identity", "auto"] {
        let outcome = world.run(&format!("{SHOW} --auth {auth}"));
        assert_eq!(
            (outcome.exit, outcome.reasons()),
            (Exit::Usage, vec!["identity-unavailable"]),
            "{}",
            outcome.stderr
        );
    }
    assert_eq!(world.sandbox.count(Service::ManagedIdentity), 0);
}

#[test]
fn on_hosted_machines_the_endpoint_is_never_asked() {
    let client = Options::default().client;
    for (variable, value) in [
        ("RUNNER_ENVIRONMENT", "github-hosted"),
        ("AGENT_ISSELFHOSTED", "0"),
    ] {
        for flags in [
            String::new(),
            format!(" --client-id {client}"),
            " --auth managed-identity".to_owned(),
            format!(" --auth managed-identity --client-id {client}"),
        ] {
            let mut world = World::with(Identity::Imds);
            world.set(variable, Some(value));
            let outcome = world.run(&format!("{SHOW}{flags}"));
            assert_eq!(
                (outcome.exit, outcome.reasons()),
                (Exit::Usage, vec!["identity-unavailable"]),
                "{flags}: {}",
                outcome.stderr
            );
            assert_eq!(
                world.sandbox.count(Service::ManagedIdentity),
                0,
                "{variable}{flags}"
            );
        }
    }
    for (variable, value) in [
        ("RUNNER_ENVIRONMENT", "self-hosted"),
        ("AGENT_ISSELFHOSTED", "1"),
    ] {
        let mut world = World::with(Identity::Imds);
        world.set(variable, Some(value));
        let outcome = world.run(SHOW);
        assert_eq!(outcome.exit, Exit::Done, "{variable}: {}", outcome.stderr);
    }
}

#[test]
fn an_endpoint_that_is_starting_is_asked_again() {
    let world = World::new();
    world.sandbox.fault(
        Fault::new(Action::Status(410))
            .service(Service::ManagedIdentity)
            .times(2),
    );
    let outcome = world.run(SHOW);
    assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
    assert_eq!(world.sandbox.count(Service::ManagedIdentity), 3);
}
