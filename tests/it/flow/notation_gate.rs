//! The gate for Notary Project: what it asks, what it allows, and what it says of every signature.

use acr_sandbox::{Denial, KeyKind, Operation, Service};
use acr_sign::Exit;

use crate::world::{Outcome, REPOSITORY, World};

pub(super) const SUBJECT: &str = "CN=signer,O=Contoso,ST=WA,C=US";
pub(super) const IMAGE: &str = "contoso.azurecr.io/shop/web:1.0";
pub(super) const TYPE: &str = "application/vnd.cncf.notary.signature";

pub(super) fn world() -> World {
    let world = World::new();
    for name in ["signer", "other"] {
        world
            .sandbox
            .vault()
            .create_certificate(name, KeyKind::P256, SUBJECT)
            .unwrap();
    }
    world
}

pub(super) fn signed() -> World {
    let world = world();
    sign(&world, "signer", "");
    world.sandbox.clear_log();
    world
}

pub(super) fn sign(world: &World, key: &str, more: &str) {
    let line = format!(
        "sign {IMAGE} --format notation --key akv:contoso/certificates/{key} --force {more}"
    );
    let outcome = world.run(&line);
    assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
}

pub(super) fn verify(world: &World, more: &str) -> Outcome {
    world.run(&format!("verify {IMAGE} --format notation {more}"))
}

pub(super) fn pinned(world: &World, more: &str) -> Outcome {
    verify(
        world,
        &format!("--certificate akv:contoso/certificates/signer {more}"),
    )
}

pub(super) fn registry_requests(world: &World) -> usize {
    world
        .answered(Service::Registry)
        .iter()
        .filter(|entry| !entry.path.starts_with("/oauth2/"))
        .count()
}

#[test]
fn four_requests_verify_one_signature_and_five_without_the_api() {
    for (api, expected) in [(true, 4), (false, 5)] {
        let world = world();
        world.sandbox.registry().referrers().set_api(api);
        sign(&world, "signer", "");
        world.sandbox.clear_log();
        let outcome = pinned(&world, "");
        assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
        assert!(
            outcome.stdout.starts_with(&format!("{IMAGE}@sha256:")),
            "{}",
            outcome.stdout
        );
        assert_eq!(registry_requests(&world), expected);
        // The certificate, and the list of its versions.
        assert_eq!(world.answered(Service::Vault).len(), 2);
    }
}

#[test]
fn what_an_older_version_of_a_certificate_signed_still_counts() {
    let world = signed();
    let older = world
        .sandbox
        .vault()
        .create_certificate("signer", KeyKind::P256, SUBJECT)
        .unwrap();
    let newest = world
        .sandbox
        .vault()
        .create_certificate("signer", KeyKind::P256, SUBJECT)
        .unwrap();
    let outcome = pinned(&world, "");
    assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
    let asked: Vec<String> = world
        .answered(Service::Vault)
        .iter()
        .map(|entry| entry.path.replace(&older, "OLDER"))
        .collect();
    assert_eq!(
        asked.len(),
        4,
        "the newest, the list, and two older ones: {asked:?}"
    );
    assert_eq!(
        asked[..2],
        ["/certificates/signer/", "/certificates/signer/versions"]
    );
    assert!(
        asked.contains(&"/certificates/signer/OLDER".to_owned()),
        "{asked:?}"
    );

    // A version that is named is the only one.
    for version in [&older, &newest] {
        let line = format!("--certificate akv:contoso/certificates/signer/{version}");
        let outcome = verify(&world, &line);
        assert_eq!(
            (outcome.exit, outcome.reasons()),
            (Exit::Rejected, vec!["untrusted-key"]),
            "{}",
            outcome.stderr
        );
    }
    // Who may read it and not list its versions trusts the newest alone.
    world
        .sandbox
        .vault()
        .deny(Operation::CertificateList, Denial::AccessPolicy);
    let outcome = pinned(&world, "");
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Rejected, vec!["untrusted-key"]),
        "{}",
        outcome.stderr
    );
    sign(&world, "signer", "");
    assert_eq!(pinned(&world, "").exit, Exit::Done);
}

#[test]
fn a_disabled_version_of_a_certificate_does_not_count() {
    let world = signed();
    world.sandbox.vault().set_enabled("signer", false);
    world
        .sandbox
        .vault()
        .create_certificate("signer", KeyKind::P256, SUBJECT)
        .unwrap();
    let outcome = pinned(&world, "");
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Rejected, vec!["untrusted-key"]),
        "{}",
        outcome.stderr
    );
}

#[test]
fn every_signature_is_reported_with_its_reason() {
    let world = world();
    sign(&world, "other", "");
    sign(&world, "signer", "--envelope cose --expiry 24h");
    let outcome = pinned(&world, "--output json");
    assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
    let json = outcome.json();
    let found = json["images"][0]["signatures"].as_array().unwrap();
    let of = |status: &str| found.iter().find(|one| one["status"] == status).unwrap();
    assert_eq!(found.len(), 2, "{json:#}");
    assert_eq!(of("verified")["certificate"], SUBJECT);
    assert!(of("verified")["expiresAt"].is_string() && of("verified")["signedAt"].is_string());
    assert_eq!(of("rejected")["reason"], "untrusted-key");
    let only = verify(
        &world,
        "--certificate akv:contoso/certificates/other --annotation team=shop --output json",
    );
    assert_eq!(only.exit, Exit::Rejected);
    assert_eq!(only.json()["images"][0]["reason"], "metadata-mismatch");
}

#[test]
fn what_does_not_count_is_denied_with_its_reason() {
    let world = signed();
    let elsewhere = world
        .sandbox
        .registry()
        .push_image("shop/web", "unsigned", "unsigned");
    for (line, exit, reason) in [
        (
            "--certificate akv:contoso/certificates/other".to_owned(),
            Exit::Rejected,
            "untrusted-key",
        ),
        (
            "--certificate akv:contoso/certificates/signer --annotation a=b".to_owned(),
            Exit::Rejected,
            "metadata-mismatch",
        ),
        (String::new(), Exit::Usage, "usage"),
        (
            "--certificate akv:contoso/keys/release".to_owned(),
            Exit::Usage,
            "usage",
        ),
        (
            "--certificate akv:contoso/certificates/signer --key akv:contoso/keys/release"
                .to_owned(),
            Exit::Usage,
            "usage",
        ),
        (
            "--certificate akv:contoso/certificates/signer --identity nobody".to_owned(),
            Exit::Usage,
            "usage",
        ),
    ] {
        let outcome = verify(&world, &line);
        assert_eq!(
            (outcome.exit, outcome.reasons()),
            (exit, vec![reason]),
            "{line}: {}",
            outcome.stderr
        );
        assert!(outcome.stdout.is_empty(), "{line}");
    }
    let outcome = world.run(&format!(
        "verify {REPOSITORY}@{} --format notation --certificate akv:contoso/certificates/signer",
        elsewhere.digest
    ));
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Rejected, vec!["unsigned"])
    );
}

#[test]
fn n04_n13_an_expired_signature_is_denied_from_the_second_it_ends() {
    let world = world();
    sign(&world, "signer", "--expiry 1h");
    let at = |ahead| {
        let line = format!(
            "verify {IMAGE} --format notation --certificate akv:contoso/certificates/signer"
        );
        world.run_at(&line, Some(ahead))
    };
    assert_eq!(at(3_500).exit, Exit::Done);
    let outcome = at(3_600);
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Rejected, vec!["expired"])
    );
}

#[test]
fn both_formats_must_hold() {
    let (world, root) = World::initialised();
    world
        .sandbox
        .vault()
        .create_certificate("signer", KeyKind::P256, SUBJECT)
        .unwrap();
    let line = format!(
        "verify {IMAGE} --format dct,notation --root {root} --certificate akv:contoso/certificates/signer"
    );
    assert_eq!(world.sign(&["1.0"], &root).exit, Exit::Done);
    let outcome = world.run(&line);
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Rejected, vec!["unsigned"]),
        "{}",
        outcome.stderr
    );
    sign(&world, "signer", "");
    let outcome = world.run(&format!("{line} --output json"));
    assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
    assert_eq!(
        outcome.json()["images"][0]["requirements"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

#[test]
fn g14_an_index_of_which_the_children_alone_are_signed_is_not_signed() {
    let world = world();
    let registry = world.sandbox.registry();
    let index = registry.manifest("shop/web", &world.digest("1.0")).unwrap();
    let index: serde_json::Value = serde_json::from_slice(&index).unwrap();
    let children: Vec<String> = index["manifests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|child| format!("{REPOSITORY}@{}", child["digest"].as_str().unwrap()))
        .collect();
    let key = "--format notation --key akv:contoso/certificates/signer";
    assert_eq!(
        world
            .run(&format!("sign {} {key}", children.join(" ")))
            .exit,
        Exit::Done
    );
    let trust = "--format notation --certificate akv:contoso/certificates/signer";
    let outcome = world.run(&format!("verify {} {trust}", children.join(" ")));
    assert_eq!(
        (outcome.exit, outcome.stdout.lines().count()),
        (Exit::Done, 2),
        "{}",
        outcome.stderr
    );
    let outcome = pinned(&world, "");
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Rejected, vec!["unsigned"]),
        "{}",
        outcome.stderr
    );
    // Nor do the children count where the index is what was signed.
    sign(&world, "signer", "");
    assert_eq!(pinned(&world, "").exit, Exit::Done);
    registry.push_index("shop/web", "2.0", "two");
    let other = registry.manifest("shop/web", &world.digest("2.0")).unwrap();
    let other: serde_json::Value = serde_json::from_slice(&other).unwrap();
    assert_eq!(
        world.run(&format!("sign {REPOSITORY}:2.0 {key}")).exit,
        Exit::Done
    );
    let child = format!(
        "{REPOSITORY}@{}",
        other["manifests"][0]["digest"].as_str().unwrap()
    );
    let outcome = world.run(&format!("verify {child} {trust}"));
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Rejected, vec!["unsigned"]),
        "{}",
        outcome.stderr
    );
}
