//! A certificate authority as the pin, through whole commands.

use std::fs;

use acr_sandbox::{Identity, Options, Sandbox};
use acr_sign::Exit;

use crate::world::World;

#[test]
fn a_ca_is_a_pin_through_the_whole_command() {
    let sandbox = Sandbox::start(Options::default()).unwrap();
    let world = World::of(sandbox, Identity::ManagedIdentityAppService);
    let (files, anchor, other) = crate::dct::certified();
    let repository = "contoso.azurecr.io/web/app";
    world.sandbox.trust().load(repository, files);
    let folder = tempfile::tempdir().unwrap();
    let status = |pem: &str| {
        let path = folder.path().join("ca.pem");
        fs::write(&path, pem).unwrap();
        let ca = format!("--root-ca {} --at 2027-01-02T03:04:05Z", path.display());
        world.run(&format!("trust status {repository} {ca} --output json"))
    };
    let good = status(&anchor);
    assert_eq!(good.exit, Exit::Done, "{}", good.stderr);
    assert_eq!(good.json()["pinned"], true);
    let wrong = status(&other);
    assert_eq!(
        (wrong.exit, wrong.reasons()),
        (Exit::Rejected, vec!["untrusted-root"]),
        "{}",
        wrong.stderr
    );
    let none = status("no certificate");
    assert_eq!(
        (none.exit, none.reasons()),
        (Exit::Usage, vec!["config-invalid"]),
        "{}",
        none.stderr
    );
    // A gate under it: the root is trusted, and the tag is not signed.
    fs::write(folder.path().join("ca.pem"), &anchor).unwrap();
    world.sandbox.registry().push_image("web/app", "1.0", "one");
    let ca = format!(
        "--root-ca {} --at 2027-01-02T03:04:05Z",
        folder.path().join("ca.pem").display()
    );
    let gate = world.run(&format!("verify {repository}:1.0 --format dct {ca}"));
    assert_eq!(
        (gate.exit, gate.reasons()),
        (Exit::Rejected, vec!["unsigned"]),
        "{}",
        gate.stderr
    );
}
