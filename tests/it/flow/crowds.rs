//! Repositories with many delegations: up to a hundred are served, and of more none is fetched.

use acr_sandbox::{Identity, Options, Sandbox, Service};
use acr_sign::Exit;

use crate::{
    dct::crowd,
    world::{REPOSITORY, World},
};

#[test]
fn more_than_32_delegations_are_shown_signed_and_revoked() {
    let world = World::new();
    let signers: String = (0..40)
        .map(|number| format!(" --signer signer{number}=akv:contoso/keys/release"))
        .collect();
    let outcome = world.run(&format!(
        "trust init {REPOSITORY} --root-key akv:contoso/keys/root --targets-key akv:contoso/keys/targets \
         --output json{signers}"
    ));
    assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
    let root = outcome.json()["root"]["keyIds"][0]
        .as_str()
        .unwrap()
        .to_owned();
    let signed = world.sign(&["1.0", "1"], &root);
    assert_eq!(signed.exit, Exit::Done, "{}", signed.stderr);
    let status = world.run(&format!(
        "trust status {REPOSITORY} --root {root} --output json"
    ));
    assert_eq!(status.exit, Exit::Done, "{}", status.stderr);
    assert_eq!(status.json()["roles"].as_array().unwrap().len(), 4 + 41);
    let revoke =
        format!("trust revoke {REPOSITORY}:1.0 --key akv:contoso/keys/release --root {root}");
    let revoked = world.run(&revoke);
    assert_eq!(revoked.exit, Exit::Done, "{}", revoked.stderr);
    let gate = world.verify("1.0", &root);
    assert_eq!(
        (gate.exit, gate.reasons()),
        (Exit::Rejected, vec!["unsigned"]),
        "{}",
        gate.stderr
    );
    assert_eq!(world.verify("1", &root).exit, Exit::Done);
}

#[test]
fn of_more_than_100_delegations_none_is_fetched_that_makes_too_many() {
    let world = World::of(
        Sandbox::start(Options::default()).unwrap(),
        Identity::ManagedIdentityAppService,
    );
    let (files, pin) = crowd();
    let repository = "contoso.azurecr.io/web/app";
    world.sandbox.trust().load(repository, files);
    let outcome = world.run(&format!(
        "trust status {repository} --root {pin} --at 2027-01-02T03:04:05Z"
    ));
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Undecided, vec!["limit-reached"]),
        "{}",
        outcome.stderr
    );
    assert!(
        outcome.stderr.contains("more than 100 delegations"),
        "{}",
        outcome.stderr
    );
    assert_eq!(world.answered(Service::TrustServer).len(), 4 + 60);
}
