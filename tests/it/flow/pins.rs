//! Pins through whole commands: a certificate authority, and where a pin that does not fit comes from.

use std::fs;

use acr_sandbox::{Identity, Options, Sandbox};
use acr_sign::Exit;

use crate::world::{REPOSITORY, World};

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

#[test]
fn a_pin_that_does_not_fit_says_where_it_is_from() {
    let (world, root) = World::signed();
    let other = "0".repeat(64);
    let key = "--key akv:contoso/keys/release";
    let told = |line: &str, origin: &str| {
        let outcome = world.run(line);
        assert_eq!(
            (outcome.exit, outcome.reasons()),
            (Exit::Rejected, vec!["untrusted-root"]),
            "{line}: {}",
            outcome.stderr
        );
        let hint = format!("hint: the pin is from {origin}: ");
        assert!(
            outcome.stderr.contains(&hint),
            "{origin}: {}",
            outcome.stderr
        );
        // Both keys are named: the one that is pinned, and the one that is there.
        assert!(outcome.stderr.contains(&other), "{}", outcome.stderr);
        assert!(outcome.stderr.contains(&root), "{}", outcome.stderr);
    };
    let pinned = format!("--root {other}");
    for line in [
        format!("sign {REPOSITORY}:1 --format dct {key} {pinned}"),
        format!("verify {REPOSITORY}:1.0 --format dct {pinned}"),
        format!("trust revoke {REPOSITORY}:1.0 {key} {pinned}"),
        format!(
            "trust signer add bob {REPOSITORY} --signer-key akv:contoso/keys/root \
             --targets-key akv:contoso/keys/targets {pinned}"
        ),
    ] {
        told(&line, "`--root`");
    }
    let file = world.write(
        "acr-sign.yaml",
        &format!(
            "version: 1\nsign: {{ root: [\"{other}\"] }}\nverify:\n  - images: [\"{REPOSITORY}\"]\n    \
             require: [ {{ dct: {{ roots: [\"{other}\"] }} }} ]\n"
        ),
    );
    let of_file = format!("`sign.root` of `{file}`");
    told(&format!("sign {REPOSITORY}:1 --format dct {key}"), &of_file);
    told(&format!("trust revoke {REPOSITORY}:1.0 {key}"), &of_file);
    told(
        &format!("verify {REPOSITORY}:1.0 --policy {file}"),
        &format!("the policy `{file}`"),
    );
}
