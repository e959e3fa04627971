//! The gate: what is allowed, what is denied, and why.

use acr_sandbox::{Action, Denial, Fault, Operation, Service};
use acr_sign::Exit;

use crate::world::{REPOSITORY, World};

#[test]
fn an_allowed_image_is_printed_with_its_digest_and_nothing_else() {
    let (world, root) = World::initialised();
    assert_eq!(world.sign(&["1.0"], &root).exit, Exit::Done);
    let digest = world.sandbox.registry().digest("shop/web", "1.0").unwrap();
    let line = format!(
        "verify {REPOSITORY}:1.0 {REPOSITORY}:1.0 {REPOSITORY}@{digest} --format dct --root {root} --quiet"
    );
    let outcome = world.run(&line);
    assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
    assert_eq!(
        outcome.stdout,
        format!("{REPOSITORY}:1.0@{digest}\n{REPOSITORY}@{digest}\n")
    );
    assert_eq!(outcome.stderr, "");
}

#[test]
fn one_denied_image_denies_all_and_prints_none() {
    let (world, root) = World::initialised();
    assert_eq!(world.sign(&["1.0"], &root).exit, Exit::Done);
    world
        .sandbox
        .registry()
        .push_image("shop/web", "unsigned", "other");
    let outcome = world.run(&format!(
        "verify {REPOSITORY}:1.0 {REPOSITORY}:unsigned --format dct --root {root}"
    ));
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Rejected, vec!["unsigned"])
    );
    assert_eq!(outcome.stdout, "");
    let report = world
        .run(&format!(
            "verify {REPOSITORY}:1.0 {REPOSITORY}:unsigned --format dct --root {root} --output json"
        ))
        .json();
    assert_eq!(report["decision"], "deny");
    assert_eq!(report["images"][0]["status"], "verified");
    assert_eq!(report["images"][1]["status"], "rejected");
}

#[test]
fn every_way_to_be_denied() {
    let (world, root) = World::initialised();
    assert_eq!(world.sign(&["1.0", "1"], &root).exit, Exit::Done);
    let old = world.sandbox.registry().digest("shop/web", "1").unwrap();
    let moved = world
        .sandbox
        .registry()
        .push_image("shop/web", "1", "moved")
        .digest;
    world
        .sandbox
        .registry()
        .push_image("other", "1", "never signed");
    let wrong = "0".repeat(64);
    let cases = [
        (
            format!("{REPOSITORY}:1 --root {root}"),
            Exit::Rejected,
            "digest-mismatch",
        ),
        (
            format!("{REPOSITORY}:1@{moved} --root {root}"),
            Exit::Rejected,
            "digest-mismatch",
        ),
        (
            format!("{REPOSITORY}@{moved} --root {root}"),
            Exit::Rejected,
            "unsigned",
        ),
        (
            format!("{REPOSITORY}:1.0 --root {wrong}"),
            Exit::Rejected,
            "untrusted-root",
        ),
        (
            format!("{REPOSITORY}:1.0 --root {root} --signer nobody"),
            Exit::Rejected,
            "unsigned",
        ),
        (
            format!("{REPOSITORY}:1.0 --root {root} --signer targets"),
            Exit::Rejected,
            "unsigned",
        ),
        (
            format!("{REPOSITORY}:1.0 --root {root} --key akv:contoso/keys/targets"),
            Exit::Rejected,
            "untrusted-key",
        ),
        (
            format!("contoso.azurecr.io/other:1 --root {root}"),
            Exit::Rejected,
            "unsigned",
        ),
        (
            format!("{REPOSITORY}:none --root {root}"),
            Exit::Undecided,
            "not-found",
        ),
        (format!("{REPOSITORY}:1.0"), Exit::Usage, "root-not-pinned"),
        (format!("--root {root}"), Exit::Usage, "no-images"),
        (format!("{REPOSITORY}:1.0 --root xyz"), Exit::Usage, "usage"),
        (
            format!("{REPOSITORY}:1.0@sha256:12 --root {root}"),
            Exit::Usage,
            "usage",
        ),
        (
            format!("{REPOSITORY}:1.0 --root {root} --trust-on-first-use"),
            Exit::Usage,
            "usage",
        ),
    ];
    for (line, exit, reason) in cases {
        let outcome = world.run(&format!("verify {line} --format dct"));
        assert_eq!(outcome.exit, exit, "{line}: {}", outcome.stderr);
        assert_eq!(outcome.reasons(), [reason], "{line}: {}", outcome.stderr);
        assert_eq!(outcome.stdout, "", "{line}");
    }
    // Demanding what is there allows.
    for line in [
        format!("{REPOSITORY}:1.0 --root {root} --signer release"),
        format!("{REPOSITORY}:1.0 --root {root} --signer targets/releases"),
        format!("{REPOSITORY}:1.0 --root {root} --key akv:contoso/keys/release"),
        format!("{REPOSITORY}:1.0 --trust-on-first-use"),
        format!("{REPOSITORY}@{old} --root {root}"),
    ] {
        let outcome = world.run(&format!("verify {line} --format dct"));
        assert_eq!(outcome.exit, Exit::Done, "{line}: {}", outcome.stderr);
    }
}

#[test]
fn t23_without_a_pin_nothing_is_asked() {
    let (world, _) = World::initialised();
    for command in ["sign", "verify"] {
        let key = if command == "sign" {
            "--key akv:contoso/keys/release"
        } else {
            ""
        };
        let outcome = world.run(&format!("{command} {REPOSITORY}:1.0 --format dct {key}"));
        assert_eq!(
            (outcome.exit, outcome.reasons()),
            (Exit::Usage, vec!["root-not-pinned"])
        );
        assert!(
            outcome
                .stderr
                .contains(&format!("acr-sign trust status {REPOSITORY}")),
            "{}",
            outcome.stderr
        );
    }
    assert_eq!(world.sandbox.log().len(), 0);
}

#[test]
fn t23_first_use_is_said_in_every_report() {
    let (world, root) = World::initialised();
    assert_eq!(world.sign(&["1.0"], &root).exit, Exit::Done);
    let outcome = world.run(&format!(
        "verify {REPOSITORY}:1.0 --format dct --trust-on-first-use --output json"
    ));
    assert_eq!(outcome.exit, Exit::Done);
    assert!(
        outcome.json()["warnings"][0]
            .as_str()
            .unwrap()
            .contains("trust on first use")
    );
}

#[test]
fn p09_what_weakens_a_check_is_named() {
    let (world, root) = World::initialised();
    assert_eq!(world.sign(&["1.0"], &root).exit, Exit::Done);
    let line = format!(
        "verify {REPOSITORY}:1.0 --format dct --trust-on-first-use --plain-http localhost:5000"
    );
    let outcome = world.run(&format!("{line} --output json"));
    assert_eq!(
        outcome.json()["weakened"],
        serde_json::json!(["--trust-on-first-use", "--plain-http localhost:5000"])
    );
    let told = world.run(&line).stderr;
    assert!(
        told.contains("warning: weakened by --trust-on-first-use, --plain-http localhost:5000\n"),
        "{told}"
    );
    let strict = world.run(&format!(
        "verify {REPOSITORY}:1.0 --format dct --root {root} --output json"
    ));
    assert_eq!(strict.json()["weakened"], serde_json::json!([]));
}

#[test]
fn the_report_says_what_trust_hangs_on() {
    let (world, root) = World::initialised();
    assert_eq!(world.sign(&["1.0"], &root).exit, Exit::Done);
    let report = world
        .run(&format!(
            "verify {REPOSITORY}:1.0 --format dct --root {root} --output json"
        ))
        .json();
    let chain = report["images"][0]["signatures"][0]["chain"]
        .as_array()
        .unwrap();
    let names: Vec<_> = chain
        .iter()
        .map(|link| link["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["root", "targets", "targets/releases"]);
    assert_eq!(chain[0]["keyId"], root);
    assert_eq!(chain[0]["version"], 1);
    assert!(chain[2]["expiresAt"].is_string());
}

#[test]
fn g02_a_tag_is_resolved_once() {
    let (world, root) = World::initialised();
    assert_eq!(world.sign(&["1.0"], &root).exit, Exit::Done);
    world.sandbox.clear_log();
    world.verify("1.0", &root);
    let asked = world
        .answered(Service::Registry)
        .iter()
        .filter(|entry| entry.path.contains("/manifests/"))
        .count();
    assert_eq!(asked, 1);
}

#[test]
fn g03_other_bytes_for_a_digest_are_refused() {
    let (world, root) = World::initialised();
    assert_eq!(world.sign(&["1.0"], &root).exit, Exit::Done);
    let digest = world.sandbox.registry().digest("shop/web", "1.0").unwrap();
    let other = r#"{"schemaVersion":2,"manifests":[]}"#;
    world
        .sandbox
        .fault(Fault::new(Action::Body(other.into())).path("/manifests/"));
    let outcome = world.run(&format!(
        "verify {REPOSITORY}@{digest} --format dct --root {root}"
    ));
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Undecided, vec!["answer-invalid"]),
        "{}",
        outcome.stderr
    );
}

#[test]
fn g07_endless_answers_end() {
    for path in ["/manifests/", "root.json", "timestamp.json"] {
        let (world, root) = World::initialised();
        world.sandbox.fault(Fault::new(Action::Endless).path(path));
        let outcome = world.verify("1.0", &root);
        assert_eq!(outcome.exit, Exit::Undecided, "{path}: {}", outcome.stderr);
        assert_eq!(
            outcome.reasons(),
            ["limit-reached"],
            "{path}: {}",
            outcome.stderr
        );
    }
}

#[test]
fn t01_t21_the_end_of_the_timestamp() {
    let (world, root) = World::initialised();
    assert_eq!(world.sign(&["1.0"], &root).exit, Exit::Done);
    let line = format!("verify {REPOSITORY}:1.0 --format dct --root {root}");
    let day = 24 * 3600;
    assert_eq!(world.run_at(&line, Some(13 * day)).exit, Exit::Done);
    let late = world.run_at(&line, Some(15 * day));
    assert_eq!(
        (late.exit, late.reasons()),
        (Exit::Rejected, vec!["expired"]),
        "{}",
        late.stderr
    );
    assert!(late.stderr.contains("timestamp"), "{}", late.stderr);
}

#[test]
fn revoking_takes_a_tag_out_of_every_role_of_the_key() {
    let (world, root) = World::initialised();
    assert_eq!(world.sign(&["1.0", "1"], &root).exit, Exit::Done);
    let outcome = world.run(&format!(
        "trust revoke {REPOSITORY}:1.0 --key akv:contoso/keys/release --root {root}"
    ));
    assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
    let denied = world.verify("1.0", &root);
    assert_eq!(
        (denied.exit, denied.reasons()),
        (Exit::Rejected, vec!["unsigned"])
    );
    assert_eq!(world.verify("1", &root).exit, Exit::Done);
    let other = world.run(&format!(
        "trust revoke {REPOSITORY}:1 --key akv:contoso/keys/targets --root {root}"
    ));
    assert_eq!(other.exit, Exit::Rejected, "{}", other.stderr);
    assert!(
        other.stderr.contains("targets/releases"),
        "{}",
        other.stderr
    );
}

#[test]
fn a_signer_that_is_added_can_sign() {
    let (world, root) = World::initialised();
    world
        .sandbox
        .vault()
        .create_key("bob", acr_sandbox::KeyKind::Rsa(2048));
    let refused = world.run(&format!(
        "sign {REPOSITORY}:1.0 --format dct --key akv:contoso/keys/bob --root {root}"
    ));
    assert_eq!(
        (refused.exit, refused.reasons()),
        (Exit::Rejected, vec!["key-not-delegated"]),
        "{}",
        refused.stderr
    );
    assert!(
        refused.stderr.contains("trust signer add"),
        "{}",
        refused.stderr
    );
    let line = format!(
        "trust signer add bob {REPOSITORY} --signer-key akv:contoso/keys/bob --targets-key akv:contoso/keys/targets --root {root}"
    );
    let added = world.run(&line);
    assert_eq!(added.exit, Exit::Done, "{}", added.stderr);
    assert!(world.run(&line).stdout.starts_with("unchanged"));
    let signed = world.run(&format!(
        "sign {REPOSITORY}:1.0 --format dct --key akv:contoso/keys/bob --root {root}"
    ));
    assert_eq!(signed.exit, Exit::Done, "{}", signed.stderr);
    let verified = world.run(&format!(
        "verify {REPOSITORY}:1.0 --format dct --root {root} --signer bob"
    ));
    assert_eq!(verified.exit, Exit::Done, "{}", verified.stderr);
}

#[test]

fn t29_a_role_that_was_looked_at_and_does_not_count_is_told() {
    let (world, root) = World::initialised();
    let told = format!(
        "warning: {REPOSITORY}: `targets/releases` is absent from the snapshot (never published, or hidden), \
         so the entries of `targets` are not used\n"
    );
    // Signed under the signer's name alone, it is nothing that a pull takes.
    let key = "--format dct --key akv:contoso/keys/release";
    let sign = world.run(&format!(
        "sign {REPOSITORY}:1.0 {key} --role targets/release --root {root}"
    ));
    assert_eq!(sign.exit, Exit::Done, "{}", sign.stderr);
    // Until then nothing was signed, so there was nothing that a role could hide.
    assert!(!sign.stderr.contains(&told), "{}", sign.stderr);
    let gate = |rest: &str| {
        world.run(&format!(
            "verify {REPOSITORY}:1.0 --format dct --root {root} {rest}"
        ))
    };
    let named = gate("--signer release");
    assert_eq!(named.exit, Exit::Done, "{}", named.stderr);
    assert_eq!(named.stderr.matches(&told).count(), 1, "{}", named.stderr);
    let any = gate("");
    assert_eq!(
        (any.exit, any.reasons()),
        (Exit::Rejected, vec!["role-withheld"]),
        "{}",
        any.stderr
    );
    // A role that the key signs now is mended by that.
    let sign = world.sign(&["1.0"], &root);
    assert_eq!(sign.exit, Exit::Done, "{}", sign.stderr);
    assert!(!sign.stderr.contains("does not count"), "{}", sign.stderr);
    assert!(!gate("--signer release").stderr.contains("does not count"));
}

#[test]
fn what_an_older_version_of_a_key_signed_still_counts() {
    let (world, root) = World::initialised();
    assert_eq!(world.sign(&["1.0"], &root).exit, Exit::Done);
    let newest = world
        .sandbox
        .vault()
        .create_key("release", acr_sandbox::KeyKind::P256);
    let verify = |key: &str| {
        world.run(&format!(
            "verify {REPOSITORY}:1.0 --format dct --root {root} --key {key}"
        ))
    };
    world.sandbox.clear_log();
    let outcome = verify("akv:contoso/keys/release");
    assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
    assert_eq!(
        world.answered(Service::Vault).len(),
        3,
        "the newest, the list, and the older one"
    );
    let outcome = verify(&format!("akv:contoso/keys/release/{newest}"));
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Rejected, vec!["key-not-delegated"]),
        "{}",
        outcome.stderr
    );
    // Who may read it and not list its versions trusts the newest alone.
    world
        .sandbox
        .vault()
        .deny(Operation::KeyList, Denial::AccessPolicy);
    let outcome = verify("akv:contoso/keys/release");
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Rejected, vec!["key-not-delegated"]),
        "{}",
        outcome.stderr
    );
}
