//! Defaults of `sign` from an `acr-sign.yaml` in the working directory.

use acr_sign::Exit;

use crate::world::{REPOSITORY, World};

#[test]
fn sign_takes_its_defaults_from_the_file_and_flags_win() {
    let (world, root) = World::initialised();
    let file = world.write(
        "acr-sign.yaml",
        &format!(
            "version: 1\nkeys: {{ release: akv:contoso/keys/release, targets: akv:contoso/keys/targets }}\n\
             sign: {{ formats: [dct], key: release, root: [\"{root}\"] }}\n"
        ),
    );
    let outcome = world.run(&format!("sign {REPOSITORY}:1.0 --output json"));
    assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
    assert_eq!(outcome.json()["config"], file.as_str());
    let other = world.run(&format!("sign {REPOSITORY}:1.0 --key targets"));
    assert_eq!((other.exit, other.reasons()), (Exit::Rejected, vec!["key-not-delegated"]), "{}", other.stderr);
    let pin = world.run(&format!("sign {REPOSITORY}:1.0 --root {}", "0".repeat(64)));
    assert_eq!((pin.exit, pin.reasons()), (Exit::Rejected, vec!["untrusted-root"]), "{}", pin.stderr);
}

#[test]
fn g17_hosts_of_the_file_are_never_allowed_by_it() {
    let (world, root) = World::initialised();
    let sign = |key: &str, more: &str| {
        format!("version: 1\n{more}sign: {{ formats: [dct], key: \"{key}\", root: [\"{root}\"] }}\n")
    };
    for (text, reason) in [
        (sign("https://evil.example/keys/release", ""), "host-not-allowed"),
        (sign("akv:contoso/keys/release", "allow-host: [evil.example]\n"), "policy-invalid"),
        (sign("akv:contoso/keys/release", "trust-server: https://evil.example\n"), "policy-invalid"),
    ] {
        world.write("acr-sign.yaml", &text);
        let outcome = world.run(&format!("sign {REPOSITORY}:1.0"));
        assert_eq!((outcome.exit, outcome.reasons()), (Exit::Usage, vec![reason]), "{text}\n{}", outcome.stderr);
        assert_eq!(world.sandbox.log().len(), 0, "{text}");
    }
}
