//! N04, N11, N13 and what trust means: anchors, levels, validity, metadata.

use std::collections::BTreeMap;

use acr_sign::{
    crypto::Certificate,
    format::{
        Format, Identity,
        notation::{Action, InvalidTrust, Level, Trust, Verdict},
    },
    reason::{Explain as _, Reason},
};
use serde_json::json;

use super::{
    maker::{EXPIRY, SCHEME, Spec, header, p256},
    scene::{Scene, at, now, outcome_of, pins, rejection, subject, verdict},
};

#[test]
fn n11_only_the_named_anchors_are_trusted() {
    let scene = Scene::new();
    let bytes = scene.good_jws();
    let namesake = Spec::ca("root", "root").issue(&p256(9), &p256(9));
    let renewed = {
        let mut spec = Spec::ca("root", "root");
        spec.serial = 2;
        spec.issue(&scene.root_key, &scene.root_key)
    };
    for (anchor, expected) in [
        (&scene.root, "verified"),
        (&scene.leaf, "verified"),
        (&namesake, "Untrusted"),
        (&renewed, "Untrusted"),
    ] {
        let found = verdict(&bytes, &Trust::pinned(pins(vec![anchor.clone()])).unwrap());
        assert!(found.starts_with(expected), "{found}");
    }
    let rejection = rejection(outcome_of(
        &bytes,
        &Trust::pinned(pins(vec![namesake])).unwrap(),
        now(),
    ))
    .unwrap();
    assert_eq!(rejection.reason(), Reason::UntrustedKey);
}

#[test]
fn pins_that_trust_nobody_or_everybody_are_refused() {
    let scene = Scene::new();
    let mut none = scene.pins();
    none.certificates.clear();
    assert_eq!(Trust::pinned(none).unwrap_err(), InvalidTrust::NoAnchor);
    let mut wide = scene.pins();
    wide.identities = None;
    assert!(matches!(
        Trust::pinned(wide.clone()).unwrap_err(),
        InvalidTrust::NoIdentity { .. }
    ));
    wide.certificates = vec![scene.leaf.clone()];
    assert_eq!(
        verdict(&scene.good_jws(), &Trust::pinned(wide.clone()).unwrap()),
        "verified"
    );
    // Neither a leaf, nor a CA under another.
    let middle = Spec::ca("middle", "root").issue(&p256(8), &scene.root_key);
    for wrong in [scene.leaf.clone(), middle] {
        wide.timestamp_roots = vec![scene.root.clone(), wrong];
        assert!(matches!(
            Trust::pinned(wide.clone()).unwrap_err(),
            InvalidTrust::NotATimestampRoot { .. }
        ));
    }
}

/// Expired signature and certificate under each level (N04), and what never looks like verified.
#[test]
fn n04_levels_decide_what_is_only_recorded() {
    let scene = Scene::new();
    let mut expired = header();
    expired[EXPIRY] = json!("2026-06-15T00:00:00Z");
    expired["crit"] = json!([SCHEME, EXPIRY]);
    let expired = scene.jws(&expired).to_string();
    let stranger = Spec::ca("stranger", "stranger").issue(&p256(9), &p256(9));
    let judge = |level, anchor: &Certificate, bytes: &[u8], at| {
        let mut pins = pins(vec![anchor.clone()]);
        pins.level = level;
        match outcome_of(bytes, &Trust::pinned(pins).unwrap(), at) {
            Verdict::Verified(accepted) => {
                format!("verified, {} warnings", accepted.warnings.len())
            }
            Verdict::Exempt(exempted) => format!("exempt, {} failures", exempted.failures.len()),
            Verdict::Rejected(rejection) => rejection.reason().to_string(),
        }
    };
    let late = at("2028-01-01T00:00:00Z");
    for (level, wanted) in [
        (
            Level::STRICT,
            [
                "verified, 0 warnings",
                "expired",
                "expired",
                "untrusted-key",
                "untrusted-key",
            ],
        ),
        (
            Level::PERMISSIVE,
            [
                "verified, 0 warnings",
                "verified, 1 warnings",
                "verified, 2 warnings",
                "untrusted-key",
                "untrusted-key",
            ],
        ),
        (
            Level::AUDIT,
            [
                "verified, 0 warnings",
                "verified, 1 warnings",
                "verified, 2 warnings",
                "exempt, 1 failures",
                "exempt, 2 failures",
            ],
        ),
    ] {
        let found = [
            judge(level, &scene.root, &scene.good_jws(), now()),
            judge(level, &scene.root, expired.as_bytes(), now()),
            judge(level, &scene.root, expired.as_bytes(), late),
            judge(level, &stranger, &scene.good_jws(), now()),
            judge(level, &stranger, expired.as_bytes(), now()),
        ];
        assert_eq!(found, wanted, "{}", level.name());
    }
    assert_eq!(
        Level::STRICT
            .with_revocation(Action::Log)
            .weaker_revocation(),
        Some(Action::Log)
    );
    assert_eq!(
        Level::STRICT.with_revocation(Action::Enforce),
        Level::STRICT
    );
}

#[test]
fn n13_certificates_count_from_their_first_to_their_last_second() {
    let scene = Scene::new();
    let bytes = scene.good_jws();
    for (time, expected) in [
        ("2025-12-31T23:59:59Z", Some(Reason::NotYetValid)),
        ("2026-01-01T00:00:00Z", None),
        ("2027-01-01T00:00:00Z", None),
        ("2027-01-01T00:00:01Z", Some(Reason::Expired)),
    ] {
        let found = rejection(outcome_of(&bytes, &scene.trust(), at(time)))
            .map(|rejection| rejection.reason());
        assert_eq!(found, expected, "{time}");
    }
}

#[test]
fn a_proof_says_who_signed_and_until_when_it_holds() {
    let scene = Scene::new();
    let Verdict::Verified(accepted) = outcome_of(&scene.good_jws(), &scene.trust(), now()) else {
        panic!("verified")
    };
    let verified = &accepted.verified;
    assert_eq!(
        (verified.format(), verified.subject()),
        (Format::Notation, &subject().digest)
    );
    let [signed] = verified.signers() else {
        panic!("one")
    };
    let Identity::Certificate {
        subject,
        thumbprint,
    } = &signed.by
    else {
        panic!("certificate")
    };
    assert!(subject.contains("CN=signer"), "{subject}");
    assert_eq!(*thumbprint, scene.leaf.thumbprint_sha256());
    assert_eq!(signed.key, scene.leaf_key.public());
    assert_eq!(signed.signed_at, Some(at("2026-06-01T00:00:00Z")));
    assert_eq!(verified.expires(), Some(at("2027-01-01T00:00:00Z")));
    assert_eq!(
        scene.trust().thumbprints(),
        [scene.root.thumbprint_sha256()].into()
    );
}

#[test]
fn demanded_metadata_must_be_signed_with_that_value() {
    let scene = Scene::new();
    let with = |name: &str, value: &str| BTreeMap::from([(name.to_owned(), value.to_owned())]);
    let judge = |trust: Trust| {
        rejection(outcome_of(&scene.good_jws(), &trust, now())).map(|one| one.reason())
    };
    assert_eq!(
        judge(scene.trust().require_metadata(with("build", "42"))),
        None
    );
    assert_eq!(
        judge(scene.trust().require_metadata(with("build", "4"))),
        Some(Reason::MetadataMismatch)
    );
    assert_eq!(
        judge(scene.trust().require_metadata(with("Build", "42"))),
        Some(Reason::MetadataMismatch)
    );
    // A second demand does not take the place of the first.
    let mut pins = scene.pins();
    pins.metadata = with("build", "41");
    let trust = Trust::pinned(pins)
        .unwrap()
        .require_metadata(with("build", "42"));
    assert_eq!(judge(trust), Some(Reason::MetadataMismatch));
}
