//! Defaults of `sign` from an `acr-sign.yaml` in the working directory.

use acr_sandbox::KeyKind;
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
    assert_eq!(
        (other.exit, other.reasons()),
        (Exit::Rejected, vec!["key-not-delegated"]),
        "{}",
        other.stderr
    );
    let pin = world.run(&format!("sign {REPOSITORY}:1.0 --root {}", "0".repeat(64)));
    assert_eq!(
        (pin.exit, pin.reasons()),
        (Exit::Rejected, vec!["untrusted-root"]),
        "{}",
        pin.stderr
    );
}

#[test]
fn annotations_and_expiry_are_defaults_of_the_format_that_takes_them() {
    let (world, root) = World::initialised();
    let subject = "CN=signer,O=Contoso,ST=WA,C=US";
    world
        .sandbox
        .vault()
        .create_certificate("signer", KeyKind::P256, subject)
        .unwrap();
    world.write(
        "acr-sign.yaml",
        &format!(
            "version: 1\nkeys: {{ release: akv:contoso/keys/release, signer: akv:contoso/certificates/signer }}\nsign:\n  \
             formats: [dct, notation]\n  key: {{ dct: release, notation: signer }}\n  root: [\"{root}\"]\n  \
             annotations: {{ team: shop, stage: test }}\n  expiry: 24h\n"
        ),
    );
    let sign = |more: &str| {
        let outcome = world.run(&format!("sign {REPOSITORY}:1.0 {more}"));
        assert_eq!(outcome.exit, Exit::Done, "{more}: {}", outcome.stderr);
        outcome.stdout
    };
    let carries = |annotations: &[&str], ahead: i64| {
        let demanded: String = annotations
            .iter()
            .map(|pair| format!(" --annotation {pair}"))
            .collect();
        let certificate = "--certificate akv:contoso/certificates/signer";
        let line = format!("verify {REPOSITORY}:1.0 --format notation {certificate}{demanded}");
        world.run_at(&line, Some(ahead * 3_600)).exit == Exit::Done
    };
    sign("");
    assert!(carries(&["team=shop", "stage=test"], 23));
    assert!(!carries(&[], 25), "it ends after 24 hours");
    assert!(sign("").contains("already-signed"));
    // Of one name the given one counts; the others stay.
    sign("--annotation stage=prod --annotation build=7 --expiry 48h --format notation");
    assert!(carries(&["team=shop", "stage=prod", "build=7"], 47));
    assert!(!carries(&["stage=test"], 25) && !carries(&[], 49));
    // A format that takes neither is signed without.
    sign("--format dct --force");
    let given = world.run(&format!("sign {REPOSITORY}:1.0 --format dct --expiry 1h"));
    assert_eq!((given.exit, given.reasons()), (Exit::Usage, vec!["usage"]));
}

#[test]
fn g17_hosts_of_the_file_are_never_allowed_by_it() {
    let (world, root) = World::initialised();
    let sign = |key: &str, more: &str| {
        format!(
            "version: 1\n{more}sign: {{ formats: [dct], key: \"{key}\", root: [\"{root}\"] }}\n"
        )
    };
    for (text, reason) in [
        (
            sign("https://evil.example/keys/release", ""),
            "host-not-allowed",
        ),
        (
            sign("akv:contoso/keys/release", "allow-host: [evil.example]\n"),
            "policy-invalid",
        ),
        (
            sign(
                "akv:contoso/keys/release",
                "trust-server: https://evil.example\n",
            ),
            "policy-invalid",
        ),
    ] {
        world.write("acr-sign.yaml", &text);
        let outcome = world.run(&format!("sign {REPOSITORY}:1.0"));
        assert_eq!(
            (outcome.exit, outcome.reasons()),
            (Exit::Usage, vec![reason]),
            "{text}\n{}",
            outcome.stderr
        );
        assert_eq!(world.sandbox.log().len(), 0, "{text}");
    }
}
