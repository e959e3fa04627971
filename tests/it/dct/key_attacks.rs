//! Attacks with keys and signatures: which count, how many, and what is no key.

use acr_sign::{
    format::dct::{DelegationState, Key, Rejection, lookup},
    reason::{Explain as _, Reason},
};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde_json::{Value, json};

use super::{
    file_attacks::{RELEASES, TARGETS, pulled, released},
    publisher::{NOW, TestKey, TrustServer, owner, signed_by, signed_under, with_signatures},
    repository::{Delegated, delegated, listed, targets},
    server::at,
};

#[test]
fn t02_the_method_must_be_one_of_the_keys_type() {
    let (ec, rsa) = (TestKey::ec(3), TestKey::rsa());
    let cases: [(&TestKey, &[&str], &[&str]); 2] = [
        (
            &ec,
            &["ecdsa", "ECDSA"],
            &[
                "",
                "eddsa",
                "rsapss",
                "rsapkcs1v15",
                "ecdsa-x509",
                "none",
                "pycrypto-pkcs#1 pss",
            ],
        ),
        (
            &rsa,
            &["rsapss", "RSAPSS"],
            &["", "eddsa", "ecdsa", "rsapkcs1v15", "rsa", "rsa-x509"],
        ),
    ];
    for (key, good, bad) in cases {
        let mut server = TrustServer::with(&[delegated("targets/releases", &[key])], &[]);
        let body = targets(1, &[("1.0", "one")], &[]).to_string();
        for method in good.iter().chain(bad) {
            let mut file: Value = serde_json::from_slice(&signed_by(&body, &[key])).unwrap();
            file["signatures"][0]["method"] = json!(method);
            server.store("targets/releases", 1, file.to_string().into_bytes());
            server.make_snapshot("2030-01-01T00:00:00Z");
            server.make_timestamp();
            let state = server.load().delegation(&RELEASES).unwrap();
            let expected = if good.contains(method) {
                DelegationState::Loaded
            } else {
                DelegationState::BelowThreshold
            };
            assert_eq!(state, expected, "{method}");
        }
    }
}

#[test]
fn t04_two_signatures_of_one_key_are_one() {
    let (alice, bob) = (TestKey::ec(3), TestKey::ec(4));
    let team = Delegated {
        threshold: json!(2),
        ..delegated("targets/releases", &[&alice, &bob])
    };
    let mut server = TrustServer::with(&[team], &[]);
    for (signers, state) in [
        (&[&alice, &alice][..], DelegationState::BelowThreshold),
        (&[&alice], DelegationState::BelowThreshold),
        (&[&alice, &TestKey::ec(9)], DelegationState::BelowThreshold),
        (&[&alice, &bob], DelegationState::Loaded),
        (&[&bob, &TestKey::ec(9), &alice], DelegationState::Loaded),
    ] {
        server.add("targets/releases", &[("1.0", "one")], signers);
        assert_eq!(
            server.load().delegation(&RELEASES),
            Some(state),
            "{} signatures",
            signers.len()
        );
    }
}

#[test]
fn t05_one_key_under_two_ids_is_one() {
    // The same public key bare and as a certificate, so under two IDs.
    let bob = TestKey::rsa();
    let pem = std::fs::read(super::server::fixture("b-delegations/keys/bob.crt")).unwrap();
    let certified = Key::new("rsa-x509", &pem);
    assert_ne!(certified.key_id(), bob.listed().key_id());
    let both = Delegated {
        threshold: json!(2),
        keys: vec![bob.listed(), certified.clone()],
        ..delegated("targets/releases", &[])
    };
    let mut server = TrustServer::with(&[both], &[]);
    let body = targets(1, &[("1.0", "one")], &[]).to_string();
    let bytes = signed_under(
        &body,
        &[(bob.listed().key_id(), &bob), (certified.key_id(), &bob)],
    );
    server.store("targets/releases", 1, bytes);
    server.make_snapshot("2030-01-01T00:00:00Z");
    server.make_timestamp();
    let set = server.load();
    assert_eq!(
        set.delegation(&RELEASES),
        Some(DelegationState::BelowThreshold)
    );
    assert!(matches!(
        lookup::pull(&set, "1.0"),
        Err(Rejection::RoleWithheld { .. })
    ));
}

#[test]
fn t06_junk_signatures_cost_nothing_and_each_listed_key_is_tried_once() {
    let (_, alice, mut server) = released();
    let before = server.load().signature_checks();
    let body = targets(2, &[("1.0", "one")], &[]).to_string();
    let good: Value = serde_json::from_slice(&signed_by(&body, &[&alice])).unwrap();
    let good = good["signatures"][0].clone();
    let unlisted = |number: u64| json!({ "keyid": format!("{number:064x}"), "method": "ecdsa", "sig": "AAAA" });
    let wrong = json!({ "keyid": good["keyid"], "method": "ecdsa", "sig": BASE64.encode([1; 64]) });
    let put = |server: &mut TrustServer, signatures: Vec<Value>| {
        server.store("targets/releases", 2, with_signatures(&body, signatures));
        server.make_snapshot("2030-01-01T00:00:00Z");
        server.make_timestamp();
        server.load()
    };
    let set = put(
        &mut server,
        (0..100_000).map(unlisted).chain([good.clone()]).collect(),
    );
    assert_eq!(
        (set.delegation(&RELEASES), set.signature_checks()),
        (Some(DelegationState::Loaded), before)
    );
    let set = put(
        &mut server,
        std::iter::repeat_n(wrong, 10_000).chain([good]).collect(),
    );
    assert_eq!(
        (set.delegation(&RELEASES), set.signature_checks()),
        (Some(DelegationState::BelowThreshold), before)
    );
}

#[test]
fn t06_a_key_listed_often_is_one_key() {
    let (owner, alice, mut server) = released();
    let id = alice.listed().key_id().to_string();
    server.edit("targets", &[&owner.targets], |body| {
        body["delegations"]["roles"][1]["keyids"] = json!(vec![id; 5_000]);
        body["delegations"]["roles"][1]["threshold"] = json!(2);
    });
    let set = server.load();
    let targets = set.targets(&TARGETS).unwrap();
    assert_eq!(
        targets
            .keys_of(targets.delegation(&RELEASES).unwrap())
            .len(),
        1
    );
    assert_eq!(
        set.delegation(&RELEASES),
        Some(DelegationState::BelowThreshold)
    );
}

#[test]
fn t13_a_threshold_is_an_integer_of_at_least_1() {
    let alice = TestKey::ec(3);
    let bad = [
        "0",
        "-1",
        "1.5",
        "1.0",
        "1e0",
        "\"1\"",
        "null",
        "true",
        "[]",
        "4294967296",
        "9223372036854775808",
    ];
    for text in bad {
        let mut server = TrustServer::with(&[], &[]);
        let team = Delegated {
            threshold: json!("MARK"),
            ..delegated("targets/releases", &[&alice])
        };
        let body = targets(3, &[], &[team])
            .to_string()
            .replace("\"MARK\"", text);
        server.replace("targets", &body, &[&owner().targets]);
        let rejected = server.try_load(at(NOW)).unwrap_err();
        assert!(
            matches!(
                rejected,
                Rejection::InvalidThreshold { .. } | Rejection::InvalidJson { .. }
            ),
            "{text}: {rejected}"
        );
        assert_eq!(rejected.reason(), Reason::Malformed, "{text}");
    }
}

#[test]
fn t14_a_key_that_is_none_rejects_the_file_it_would_sign() {
    let short_rsa = "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC3Fj0zJt0Y0p1oVxG2y3zqS4sZ0m0N5n0Zt7wqk3gE8mEoZQd7m5k0tY3o5dHk9f0a1b2c3d4e5f60718293a4b5c6d7e8f9QIDAQAB";
    let off_curve = {
        let mut spki = TestKey::ec(3).public().spki_der().to_vec();
        *spki.last_mut().unwrap() ^= 1;
        spki
    };
    let keys = [
        Key::new("ed25519", b""),
        Key::new("ed25519", &[1; 31]),
        Key::new("ed25519", &[1; 33]),
        Key::new("ed25519", &[0; 32]),
        Key::new("ecdsa", &off_curve),
        Key::new("ecdsa", b""),
        Key::new("ecdsa", TestKey::rsa().public().spki_der()),
        Key::new("rsa", TestKey::ec(3).public().spki_der()),
        Key::new("rsa", &BASE64.decode(short_rsa).unwrap_or_default()),
        Key::new(
            "ecdsa-x509",
            b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        ),
        Key::new("rsa-x509", &[0xff, 0xfe]),
    ];
    for key in keys {
        let method = key.method().unwrap();
        let list = Delegated {
            keys: vec![key.clone()],
            ..delegated("targets/releases", &[])
        };
        let mut server = TrustServer::with(&[list], &[]);
        let signature = json!({ "keyid": key.key_id().to_string(), "method": method, "sig": BASE64.encode([1; 64]) });
        let bytes = with_signatures(
            &targets(1, &[("1.0", "one")], &[]).to_string(),
            vec![signature],
        );
        server.store("targets/releases", 1, bytes);
        server.make_snapshot("2030-01-01T00:00:00Z");
        server.make_timestamp();
        let rejected = server.try_load(at(NOW)).unwrap_err();
        assert!(
            matches!(rejected, Rejection::InvalidKey { .. }),
            "{}: {rejected}",
            key.key_type()
        );
    }
}

#[test]
fn t32_a_file_that_shows_our_key_and_was_signed_by_another_is_not_taken() {
    let (_, alice, mut server) = released();
    let thief = TestKey::ec(66);
    // Hostile targets that list our public key, signed by the server's own and by a stranger's.
    for keys in [&[&thief][..], &[&server_key(), &thief]] {
        let body = targets(
            9,
            &[("evil", "evil")],
            &[delegated("targets/releases", &[&alice])],
        );
        server.replace("targets", &body.to_string(), keys);
        let rejected = server.try_load(at(NOW)).unwrap_err();
        assert!(
            matches!(&rejected, Rejection::BelowThreshold { role, valid: 0, .. } if *role == TARGETS),
            "{rejected}"
        );
    }
}

fn server_key() -> TestKey {
    TestKey::ec(101)
}

#[test]
fn a_key_object_with_more_in_it_has_the_id_of_its_public_part() {
    // The private member is never written into metadata; a file that has one is read by what the ID
    // covers.
    let alice = TestKey::ec(3);
    let (owner, _, mut server) = released();
    server.edit("targets", &[&owner.targets], |body| {
        let mut key = listed(&alice.listed());
        key["keyval"]["private"] = json!("c2VjcmV0");
        body["delegations"]["keys"][alice.listed().key_id().to_string()] = key;
    });
    assert_eq!(pulled(&server.load(), "1.0").0, RELEASES);
}
