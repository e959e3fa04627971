//! Attacks on timestamp, snapshot, targets and delegations: each row of the list with the check that answers it.

use acr_sign::{
    format::dct::{DelegationState, Key, Rejection, RoleName, TrustedSet, lookup},
    reason::{Explain as _, Reason},
};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde_json::{Value, json};

use super::{
    publisher::{NOW, Owner, TestKey, TrustServer, meta, owner, signed_by, signed_under, version, with_signatures},
    repository::{Delegated, delegated, listed, targets},
    server::{at, role},
    signing::entry,
};

const TARGETS: RoleName = RoleName::TARGETS;
const RELEASES: RoleName = RoleName::RELEASES;

/// `targets/alice` and `targets/releases` of one key, both with the tag `1.0`.
fn released() -> (Owner, TestKey, TrustServer) {
    let alice = TestKey::ec(3);
    let roles = [delegated("targets/alice", &[&alice]), delegated("targets/releases", &[&alice])];
    let mut server = TrustServer::with(&roles, &[]);
    server.add("targets/alice", &[("1.0", "one")], &[&alice]);
    server.add("targets/releases", &[("1.0", "one")], &[&alice]);
    (owner(), alice, server)
}

fn pulled(set: &TrustedSet, tag: &str) -> (RoleName, String) {
    let found = lookup::pull(set, tag).unwrap();
    (found.role, found.entry.digest.to_string())
}

#[test]
fn t01_every_file_is_good_until_its_end_and_not_at_it() {
    let end = "2027-06-01T00:00:00Z";
    let server_key = |server: &TrustServer, name: &str, body: &Value| match name {
        "snapshot" => signed_by(&body.to_string(), &[&server.snapshot_key]),
        _ => signed_by(&body.to_string(), &[&server.timestamp_key]),
    };
    for name in ["timestamp", "snapshot", "targets", "targets/alice", "targets/releases"] {
        let (owner, alice, mut server) = released();
        match name {
            "targets" => server.edit(name, &[&owner.targets], |body| body["expires"] = json!(end)),
            "snapshot" | "timestamp" => {
                let mut body = server.signed(name);
                body["expires"] = json!(end);
                let bytes = server_key(&server, name, &body);
                server.store(name, 9, bytes);
                if name == "snapshot" {
                    server.make_timestamp();
                }
            }
            _ => server.edit(name, &[&alice], |body| body["expires"] = json!(end)),
        }
        assert_eq!(pulled(&server.try_load(at("2027-05-31T23:59:59.999Z")).unwrap(), "1.0").0, RELEASES, "{name}");
        match server.try_load(at(end)) {
            Err(Rejection::Expired { role: found, expires }) => {
                assert_eq!((found.as_str(), expires), (name, at(end)));
            }
            Ok(set) => assert_eq!(set.delegation(&role(name)), Some(DelegationState::Expired), "{name}"),
            Err(other) => panic!("{name}: {other}"),
        }
    }
}

#[test]
fn t02_the_method_must_be_one_of_the_keys_type() {
    let (ec, rsa) = (TestKey::ec(3), TestKey::rsa());
    let cases: [(&TestKey, &[&str], &[&str]); 2] = [
        (
            &ec,
            &["ecdsa", "ECDSA"],
            &["", "eddsa", "rsapss", "rsapkcs1v15", "ecdsa-x509", "none", "pycrypto-pkcs#1 pss"],
        ),
        (&rsa, &["rsapss", "RSAPSS"], &["", "eddsa", "ecdsa", "rsapkcs1v15", "rsa", "rsa-x509"]),
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
            let expected =
                if good.contains(method) { DelegationState::Loaded } else { DelegationState::BelowThreshold };
            assert_eq!(state, expected, "{method}");
        }
    }
}

#[test]
fn t04_two_signatures_of_one_key_are_one() {
    let (alice, bob) = (TestKey::ec(3), TestKey::ec(4));
    let team = Delegated { threshold: json!(2), ..delegated("targets/releases", &[&alice, &bob]) };
    let mut server = TrustServer::with(&[team], &[]);
    for (signers, state) in [
        (&[&alice, &alice][..], DelegationState::BelowThreshold),
        (&[&alice], DelegationState::BelowThreshold),
        (&[&alice, &TestKey::ec(9)], DelegationState::BelowThreshold),
        (&[&alice, &bob], DelegationState::Loaded),
        (&[&bob, &TestKey::ec(9), &alice], DelegationState::Loaded),
    ] {
        server.add("targets/releases", &[("1.0", "one")], signers);
        assert_eq!(server.load().delegation(&RELEASES), Some(state), "{} signatures", signers.len());
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
    let bytes = signed_under(&body, &[(bob.listed().key_id(), &bob), (certified.key_id(), &bob)]);
    server.store("targets/releases", 1, bytes);
    server.make_snapshot("2030-01-01T00:00:00Z");
    server.make_timestamp();
    let set = server.load();
    assert_eq!(set.delegation(&RELEASES), Some(DelegationState::BelowThreshold));
    assert!(matches!(lookup::pull(&set, "1.0"), Err(Rejection::RoleWithheld { .. })));
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
    let set = put(&mut server, (0..100_000).map(unlisted).chain([good.clone()]).collect());
    assert_eq!((set.delegation(&RELEASES), set.signature_checks()), (Some(DelegationState::Loaded), before));
    let set = put(&mut server, std::iter::repeat_n(wrong, 10_000).chain([good]).collect());
    assert_eq!((set.delegation(&RELEASES), set.signature_checks()), (Some(DelegationState::BelowThreshold), before));
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
    assert_eq!(targets.keys_of(targets.delegation(&RELEASES).unwrap()).len(), 1);
    assert_eq!(set.delegation(&RELEASES), Some(DelegationState::BelowThreshold));
}

#[test]
fn t07_t11_older_files_are_rollbacks_and_later_ones_still_load() {
    for name in ["timestamp", "snapshot", "targets", "targets/alice", "targets/releases"] {
        let (owner, alice, mut server) = released();
        let old = server.server.files.clone();
        server.edit("targets", &[&owner.targets], |_| ());
        server.add("targets/alice", &[("1.0", "one"), ("2.0", "two")], &[&alice]);
        server.add("targets/releases", &[("1.0", "one"), ("2.0", "two")], &[&alice]);
        let seen = server.load().seen();
        let new = server.server.files.clone();
        // The lying server holds the keys of snapshot and timestamp, so it vouches freshly for the old file.
        let file = format!("{name}.json");
        server.server.files.insert(file.clone(), old[&file].clone());
        server.store(name, 0, old[&file].clone());
        match name {
            "timestamp" => {}
            "snapshot" => server.make_timestamp(),
            _ => {
                server.make_snapshot("2030-01-01T00:00:00Z");
                server.make_timestamp();
            }
        }
        let rejected = server.load_after(&seen).unwrap_err();
        let Rejection::Rollback { role: found, .. } = &rejected else { panic!("{name}: {rejected}") };
        assert_eq!((found.as_str(), rejected.reason()), (name, Reason::Rollback));
        server.server.files = new;
        server.add("targets/releases", &[("3.0", "three")], &[&alice]);
        let set = server.load_after(&seen).unwrap();
        assert_eq!(pulled(&set, "3.0").0, RELEASES, "{name}");
    }
}

#[test]
fn t09_t15_t28_the_order_in_which_roles_answer() {
    let (alice, bob) = (TestKey::ec(3), TestKey::ec(4));
    let roles = [delegated("targets/bob", &[&bob]), delegated("targets/releases", &[&alice])];
    let in_targets = [("both", "targets"), ("targets", "targets"), ("below", "targets"), ("bob", "targets")];
    let mut server = TrustServer::with(&roles, &in_targets);
    server.add("targets/bob", &[("bob", "bob"), ("only-bob", "bob")], &[&bob]);
    let body = targets(
        1,
        &[("both", "releases"), ("releases", "releases")],
        &[delegated("targets/releases/beta", &[&bob]), delegated("targets/releases/alpha", &[&bob])],
    );
    server.replace("targets/releases", &body.to_string(), &[&alice]);
    server.add("targets/releases/alpha", &[("below", "alpha"), ("both", "alpha")], &[&bob]);
    server.add("targets/releases/beta", &[("below", "beta")], &[&bob]);
    let set = server.load();
    let order: Vec<String> = set.delegated().iter().map(ToString::to_string).collect();
    assert_eq!(order, ["targets/bob", "targets/releases", "targets/releases/beta", "targets/releases/alpha"]);
    for (tag, role, content) in [
        ("both", RELEASES, "releases"),
        ("releases", RELEASES, "releases"),
        ("targets", TARGETS, "targets"),
        ("bob", TARGETS, "targets"),
    ] {
        assert_eq!(pulled(&set, tag), (role, entry(content).digest.to_string()), "{tag}");
    }
    // Found first below `releases`, or only in a signer's role: not released, whatever `targets` says.
    for (tag, holder) in [("below", "targets/releases/beta"), ("only-bob", "targets/bob")] {
        let Err(Rejection::NotReleased { role: found, .. }) = lookup::pull(&set, tag) else { panic!("{tag}") };
        assert_eq!(found.as_str(), holder, "{tag}");
    }
    assert!(matches!(lookup::pull(&set, "none"), Err(Rejection::Unsigned { .. })));
}

#[test]
fn t10_a_delegation_that_was_seen_does_not_leave_the_snapshot() {
    let (_, _, mut server) = released();
    let seen = server.load().seen();
    server.server.files.remove("targets/releases.json");
    server.make_snapshot("2030-01-01T00:00:00Z");
    server.make_timestamp();
    let rejected = server.load_after(&seen).unwrap_err();
    assert!(matches!(&rejected, Rejection::DroppedFromSnapshot { role } if *role == RELEASES), "{rejected}");
    assert_eq!(rejected.reason(), Reason::Rollback);
    assert_eq!(server.load().withheld().unwrap().state, DelegationState::Absent);
}

#[test]
fn t10_a_delegation_that_its_parent_dropped_may_leave() {
    let (owner, _, mut server) = released();
    let seen = server.load().seen();
    server.server.files.remove("targets/alice.json");
    server.edit("targets", &[&owner.targets], |body| {
        body["delegations"]["roles"].as_array_mut().unwrap().remove(0);
    });
    let set = server.load_after(&seen).unwrap();
    assert_eq!(set.delegation(&role("targets/alice")), None);
}

#[test]
fn t12_delegations_are_held_to_hash_length_and_end_as_targets_is() {
    for name in ["targets", "targets/alice", "targets/releases"] {
        let (_, alice, mut server) = released();
        // The bytes of another version, signed as they must be, under the hash that the snapshot lists.
        let listed = |server: &TrustServer| server.load().wanted(&role(name)).unwrap().file_name();
        let file = listed(&server);
        let good = server.server.files[&file].clone();
        let other = signed_by(&targets(9, &[("1.0", "evil")], &[]).to_string(), &[&alice, &owner().targets]);
        server.server.files.insert(file.clone(), other);
        let rejected = server.try_load(at(NOW)).unwrap_err();
        let wrong = matches!(&rejected, Rejection::HashMismatch { role, .. } | Rejection::TooLong { role, .. } if role.as_str() == name);
        assert!(wrong, "{name}: {rejected}");
        // A byte more than was signed for.
        server.server.files.insert(file, [good.as_slice(), b" "].concat());
        let rejected = server.try_load(at(NOW)).unwrap_err();
        assert!(matches!(&rejected, Rejection::TooLong { role, .. } if role.as_str() == name), "{name}: {rejected}");
    }
}

#[test]
fn t12_each_hash_that_is_stated_must_match() {
    for algorithm in ["sha256", "sha512"] {
        let (_, _, mut server) = released();
        let mut body = server.signed("snapshot");
        let wrong = BASE64.encode(vec![7; if algorithm == "sha256" { 32 } else { 64 }]);
        body["meta"]["targets/releases"]["hashes"][algorithm] = json!(wrong);
        let bytes = signed_by(&body.to_string(), &[&server.snapshot_key]);
        server.store("snapshot", 9, bytes);
        server.make_timestamp();
        server.server.ignore_hashes = true;
        let rejected = server.try_load(at(NOW)).unwrap_err();
        assert!(
            matches!(&rejected, Rejection::HashMismatch { role, .. } if *role == RELEASES),
            "{algorithm}: {rejected}"
        );
    }
}

#[test]
fn t24_the_snapshot_vouches_for_the_very_root_in_use() {
    let (_, _, mut server) = released();
    let mut body = server.signed("snapshot");
    body["meta"]["root"] = meta(b"another root");
    body["meta"]["root"]["length"] = json!(1_000_000);
    let bytes = signed_by(&body.to_string(), &[&server.snapshot_key]);
    server.store("snapshot", 9, bytes);
    server.make_timestamp();
    let rejected = server.try_load(at(NOW)).unwrap_err();
    assert!(matches!(&rejected, Rejection::HashMismatch { role, .. } if *role == RoleName::ROOT), "{rejected}");
}

#[test]
fn t10_a_delegation_below_a_delegation_does_not_leave_either() {
    let (_, alice, mut server) = released();
    let body = targets(9, &[("1.0", "one")], &[delegated("targets/releases/beta", &[&alice])]);
    server.replace("targets/releases", &body.to_string(), &[&alice]);
    server.add("targets/releases/beta", &[], &[&alice]);
    let seen = server.load().seen();
    server.server.files.remove("targets/releases/beta.json");
    server.make_snapshot("2030-01-01T00:00:00Z");
    server.make_timestamp();
    let rejected = server.load_after(&seen).unwrap_err();
    let dropped =
        matches!(&rejected, Rejection::DroppedFromSnapshot { role } if role.as_str() == "targets/releases/beta");
    assert!(dropped, "{rejected}");
}

#[test]
fn t13_a_threshold_is_an_integer_of_at_least_1() {
    let alice = TestKey::ec(3);
    let bad = ["0", "-1", "1.5", "1.0", "1e0", "\"1\"", "null", "true", "[]", "4294967296", "9223372036854775808"];
    for text in bad {
        let mut server = TrustServer::with(&[], &[]);
        let team = Delegated { threshold: json!("MARK"), ..delegated("targets/releases", &[&alice]) };
        let body = targets(3, &[], &[team]).to_string().replace("\"MARK\"", text);
        server.replace("targets", &body, &[&owner().targets]);
        let rejected = server.try_load(at(NOW)).unwrap_err();
        assert!(
            matches!(rejected, Rejection::InvalidThreshold { .. } | Rejection::InvalidJson { .. }),
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
        Key::new("ecdsa-x509", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
        Key::new("rsa-x509", &[0xff, 0xfe]),
    ];
    for key in keys {
        let method = key.method().unwrap();
        let list = Delegated { keys: vec![key.clone()], ..delegated("targets/releases", &[]) };
        let mut server = TrustServer::with(&[list], &[]);
        let signature = json!({ "keyid": key.key_id().to_string(), "method": method, "sig": BASE64.encode([1; 64]) });
        let bytes = with_signatures(&targets(1, &[("1.0", "one")], &[]).to_string(), vec![signature]);
        server.store("targets/releases", 1, bytes);
        server.make_snapshot("2030-01-01T00:00:00Z");
        server.make_timestamp();
        let rejected = server.try_load(at(NOW)).unwrap_err();
        assert!(matches!(rejected, Rejection::InvalidKey { .. }), "{}: {rejected}", key.key_type());
    }
}

#[test]
fn t18_a_role_has_one_parent_by_its_name() {
    let alice = TestKey::ec(3);
    for name in ["targets/bob/x", "root", "targets", "snapshot", "targets/", "targets/A", "targets//x", "../x"] {
        let mut server = TrustServer::with(&[delegated("targets/alice", &[&alice])], &[]);
        let body = targets(1, &[], &[delegated(name, &[&alice])]);
        server.replace("targets/alice", &body.to_string(), &[&alice]);
        let rejected = server.try_load(at(NOW)).unwrap_err();
        assert!(matches!(&rejected, Rejection::NotAChild { delegate, .. } if delegate == name), "{name}: {rejected}");
    }
    let mut server = TrustServer::with(&[delegated("targets/alice", &[&alice])], &[]);
    let twice = [delegated("targets/alice/x", &[&alice]), delegated("targets/alice/x", &[&TestKey::ec(4)])];
    server.replace("targets/alice", &targets(1, &[], &twice).to_string(), &[&alice]);
    assert!(matches!(server.try_load(at(NOW)), Err(Rejection::DelegatedTwice { .. })));
}

#[test]
fn t24_files_of_two_publications_do_not_mix() {
    let (owner, alice, mut server) = released();
    let first = server.server.files.clone();
    server.edit("targets", &[&owner.targets], |_| ());
    server.add("targets/alice", &[("1.0", "two")], &[&alice]);
    server.add("targets/releases", &[("1.0", "two")], &[&alice]);
    let second = server.server.files.clone();
    let roles = ["timestamp", "snapshot", "targets", "targets/alice", "targets/releases"];
    server.server.ignore_hashes = true;
    for choice in 0..1_u32 << roles.len() {
        for (place, name) in roles.iter().enumerate() {
            let from = if choice >> place & 1 == 0 { &first } else { &second };
            let file = format!("{name}.json");
            server.server.files.insert(file.clone(), from[&file].clone());
        }
        let loaded = server.try_load(at(NOW));
        if choice == 0 || choice == (1 << roles.len()) - 1 {
            let content = if choice == 0 { "one" } else { "two" };
            assert_eq!(pulled(&loaded.unwrap(), "1.0").1, entry(content).digest.to_string());
        } else {
            let rejected = loaded.unwrap_err();
            assert!(
                matches!(rejected, Rejection::HashMismatch { .. } | Rejection::TooLong { .. }),
                "{choice:05b}: {rejected}"
            );
        }
    }
}

#[test]
fn t29_t30_what_targets_says_does_not_count_while_releases_is_withheld() {
    type Damage = fn(&mut TrustServer, &TestKey);
    let damages: [(Damage, DelegationState); 3] = [
        (
            |server, alice| {
                server.edit("targets/releases", &[alice], |body| body["expires"] = json!("2026-12-01T00:00:00Z"));
            },
            DelegationState::Expired,
        ),
        (|server, _| server.edit("targets/releases", &[&TestKey::ec(66)], |_| ()), DelegationState::BelowThreshold),
        (
            |server, _| {
                server.server.files.remove("targets/releases.json");
                server.make_snapshot("2030-01-01T00:00:00Z");
                server.make_timestamp();
            },
            DelegationState::Absent,
        ),
    ];
    for (damage, state) in damages {
        let (owner, alice, mut server) = released();
        server.edit("targets", &[&owner.targets], |body| {
            body["targets"] = targets(1, &[("1.0", "old"), ("2.0", "old")], &[])["targets"].clone();
        });
        damage(&mut server, &alice);
        let set = server.load();
        for tag in ["1.0", "2.0", "none"] {
            let rejected = lookup::pull(&set, tag).unwrap_err();
            assert!(matches!(&rejected, Rejection::RoleWithheld { state: found, .. } if *found == state), "{rejected}");
            assert_eq!(rejected.reason(), Reason::RoleWithheld);
        }
        assert!(set.warnings().iter().any(|warning| warning.to_string().contains("targets/releases")));
    }
}

#[test]
fn t32_a_file_that_shows_our_key_and_was_signed_by_another_is_not_taken() {
    let (_, alice, mut server) = released();
    let thief = TestKey::ec(66);
    // Hostile targets that list our public key, signed by the server's own and by a stranger's.
    for keys in [&[&thief][..], &[&server_key(), &thief]] {
        let body = targets(9, &[("evil", "evil")], &[delegated("targets/releases", &[&alice])]);
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
fn every_signed_description_needs_its_sha256() {
    let (_, _, mut server) = released();
    for name in ["root", "targets", "targets/releases"] {
        let mut body = server.signed("snapshot");
        body["meta"][name]["hashes"].as_object_mut().unwrap().remove("sha256");
        let bytes = signed_by(&body.to_string(), &[&server.snapshot_key]);
        let good = server.server.files.clone();
        server.store("snapshot", 9, bytes);
        server.make_timestamp();
        let rejected = server.try_load(at(NOW)).unwrap_err();
        assert!(
            matches!(&rejected, Rejection::HashMissing { described, .. } if described == name),
            "{name}: {rejected}"
        );
        server.server.files = good;
    }
    let mut body = server.signed("snapshot");
    body["meta"].as_object_mut().unwrap().remove("root");
    let bytes = signed_by(&body.to_string(), &[&server.snapshot_key]);
    server.store("snapshot", 9, bytes);
    server.make_timestamp();
    assert!(matches!(server.try_load(at(NOW)), Err(Rejection::HashMissing { .. })), "the snapshot must list the root");
    // An entry without one is no image.
    let (_, alice, mut server) = released();
    server.edit("targets/releases", &[&alice], |body| {
        body["targets"]["1.0"]["hashes"] = meta(b"one")["hashes"].clone();
        body["targets"]["1.0"]["hashes"].as_object_mut().unwrap().remove("sha256");
    });
    assert!(matches!(lookup::pull(&server.load(), "1.0"), Err(Rejection::EntryWithoutDigest { .. })));
}

#[test]
fn paths_limit_what_a_role_may_say_and_what_it_may_pass_on() {
    let (alice, bob) = (TestKey::ec(3), TestKey::ec(4));
    let narrow = Delegated { paths: &["v1.", "v2."], ..delegated("targets/releases", &[&alice]) };
    let mut server = TrustServer::with(&[narrow], &[("other", "targets")]);
    let below = [
        Delegated { paths: &["v1.0", ""], ..delegated("targets/releases/a", &[&bob]) },
        Delegated { paths: &[], ..delegated("targets/releases/b", &[&bob]) },
    ];
    let body = targets(1, &[("v1.0", "one"), ("other", "evil")], &below);
    server.replace("targets/releases", &body.to_string(), &[&alice]);
    for name in ["targets/releases/a", "targets/releases/b"] {
        server.add(name, &[("v1.0.1", name), ("v2.5", name), ("other", "evil")], &[&bob]);
    }
    let set = server.load();
    assert_eq!(pulled(&set, "v1.0").0, RELEASES);
    assert_eq!(pulled(&set, "other"), (TARGETS, entry("targets").digest.to_string()));
    let holders = |tag: &str| {
        let holds = |role: &RoleName| set.entry(role, tag).is_some();
        set.loaded().into_iter().filter(holds).map(|role| role.to_string()).collect::<Vec<_>>()
    };
    // The empty prefix is wider than what its parent may pass on, so it counts for nothing.
    assert_eq!(holders("v1.0.1"), ["targets/releases/a"]);
    assert_eq!(holders("v2.5"), [""; 0]);
    assert_eq!(holders("other"), ["targets"]);
    for (name, tag, may) in [
        ("targets/releases/a", "v1.0.1", true),
        ("targets/releases/a", "v2.0", false),
        ("targets/releases/b", "v1.0", false),
        ("targets/releases", "v2.x", true),
        ("targets/releases", "x", false),
        ("targets", "anything", true),
        ("targets/none", "anything", false),
        ("root", "anything", false),
    ] {
        assert_eq!(set.may_sign(&role(name), tag), may, "{name} {tag}");
    }
}

/// A collection in which 60 roles are delegated to, and 60 more by the first of them.
fn crowded() -> TrustServer {
    let alice = TestKey::ec(3);
    let names: Vec<String> = (0..60).map(|number| format!("targets/r{number}")).collect();
    let below: Vec<String> = (0..60).map(|number| format!("targets/r0/r{number}")).collect();
    let list: Vec<_> = names.iter().map(|name| delegated(name, &[&alice])).collect();
    let list_below: Vec<_> = below.iter().map(|name| delegated(name, &[&alice])).collect();
    let mut server = TrustServer::with(&list, &[]);
    for name in names.iter().chain(&below) {
        let delegations = if *name == names[0] { list_below.as_slice() } else { &[] };
        let bytes = signed_by(&targets(1, &[], delegations).to_string(), &[&alice]);
        server.store(name, version(&bytes), bytes);
    }
    server.make_snapshot("2030-01-01T00:00:00Z");
    server.make_timestamp();
    server
}

/// Its files for tests of whole commands, and its pin.
pub fn crowd() -> (Vec<(String, Vec<u8>)>, String) {
    let server = crowded();
    let current = |(name, bytes): (&String, &Vec<u8>)| {
        let role = name.strip_suffix(".json").filter(|role| !role.contains('.'))?;
        Some((role.to_owned(), bytes.clone()))
    };
    (server.server.files.iter().filter_map(current).collect(), server.pin.to_string())
}

#[test]
fn delegations_are_bounded_in_number() {
    use acr_sign::format::dct::DELEGATION_LIMIT;
    let alice = TestKey::ec(3);
    let names: Vec<String> = (0..=DELEGATION_LIMIT).map(|number| format!("targets/r{number}")).collect();
    let many = |count: usize| names.iter().take(count).map(|name| delegated(name, &[&alice])).collect::<Vec<_>>();
    let mut server = TrustServer::with(&many(DELEGATION_LIMIT), &[]);
    for name in names.iter().take(DELEGATION_LIMIT) {
        let bytes = signed_by(&targets(1, &[], &[]).to_string(), &[&alice]);
        server.store(name, version(&bytes), bytes);
    }
    server.make_snapshot("2030-01-01T00:00:00Z");
    server.make_timestamp();
    assert_eq!(server.load().loaded().len(), 1 + DELEGATION_LIMIT);
    let body = targets(9, &[], &many(DELEGATION_LIMIT + 1));
    server.replace("targets", &body.to_string(), &[&owner().targets]);
    assert!(matches!(server.try_load(at(NOW)), Err(Rejection::TooManyDelegations { .. })));
    // A hundred are loaded of those that two files list.
    let server = crowded();
    let rejected = server.try_load(at(NOW)).unwrap_err();
    assert!(matches!(rejected, Rejection::TooManyDelegations { limit: DELEGATION_LIMIT, .. }), "{rejected}");
    assert_eq!(rejected.reason(), Reason::LimitReached);
    let fetched = server.server.asked.borrow().iter().filter(|name| name.starts_with("targets/")).count();
    assert_eq!(fetched, DELEGATION_LIMIT + 1);
}

#[test]
fn files_out_of_order_are_refused_and_a_new_timestamp_forgets_what_hung_on_the_old_one() {
    let (_, _, server) = released();
    let full = server.load();
    let get = |name: &str| server.server.files[&format!("{name}.json")].clone();
    let mut set = full.reread();
    for result in [
        set.update_snapshot(&get("snapshot")),
        set.update_targets(&get("targets")),
        set.update_delegation(&RELEASES, &get("targets/releases")),
    ] {
        assert!(matches!(result, Err(Rejection::OutOfOrder { .. })));
    }
    set.update_timestamp(&get("timestamp")).unwrap();
    assert!(matches!(set.update_targets(&get("targets")), Err(Rejection::OutOfOrder { .. })));
    set.update_snapshot(&get("snapshot")).unwrap();
    set.update_targets(&get("targets")).unwrap();
    assert!(matches!(
        set.update_delegation(&role("targets/nobody"), &get("targets/releases")),
        Err(Rejection::NotListed { .. })
    ));
    set.update_delegation(&RELEASES, &get("targets/releases")).unwrap();
    set.update_timestamp(&get("timestamp")).unwrap();
    assert!(set.snapshot().is_none() && set.targets(&TARGETS).is_none() && set.targets(&RELEASES).is_none());
}

#[test]
fn a_key_object_with_more_in_it_has_the_id_of_its_public_part() {
    // The private member is never written into metadata; a file that has one is read by what the ID covers.
    let alice = TestKey::ec(3);
    let (owner, _, mut server) = released();
    server.edit("targets", &[&owner.targets], |body| {
        let mut key = listed(&alice.listed());
        key["keyval"]["private"] = json!("c2VjcmV0");
        body["delegations"]["keys"][alice.listed().key_id().to_string()] = key;
    });
    assert_eq!(pulled(&server.load(), "1.0").0, RELEASES);
}
