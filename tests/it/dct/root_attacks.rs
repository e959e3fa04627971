//! Attacks on the root and on the way from it to the pin.

use acr_sign::{
    format::dct::{CertificateFault, Rejection, RoleName, RootTrust, WALK_LIMIT},
    reason::{Explain as _, Reason},
};
use serde_json::json;

use super::{
    publisher::{NOW, Owner, TestKey, TrustServer, owner, signed_by},
    repository::{listed, root_key, targets},
    server::{at, gun, load, walk},
};

const ROOT: RoleName = RoleName::ROOT;
const NAME: &str = "contoso.azurecr.io/web/app";

fn founded() -> TrustServer {
    TrustServer::founded(&owner(), &[])
}

fn pin(server: &TrustServer) -> RootTrust {
    RootTrust::Keys(vec![server.pin])
}

#[test]
fn t01_an_expired_root_may_lead_to_a_new_one_and_not_be_the_last() {
    let mut server = founded();
    let new = root_key(NAME, 5, 1);
    let (old_id, old) = (server.pin, TestKey::ec(1));
    let mut body = server.next_root(std::slice::from_ref(&new), 1);
    server.put_root(&body, &[(old_id, &old), (new.key_id(), &TestKey::ec(5))]);
    // Version 1 is expired ten years after it was made; version 2 lives on.
    body["version"] = json!(3);
    body["expires"] = json!("2040-01-01T00:00:00Z");
    server.put_root(&body, &[(new.key_id(), &TestKey::ec(5))]);
    assert_eq!(
        server
            .load_under(pin(&server))
            .unwrap()
            .root()
            .version
            .get(),
        3
    );
    body["version"] = json!(4);
    body["expires"] = json!("2027-01-01T00:00:00Z");
    server.put_root(&body, &[(new.key_id(), &TestKey::ec(5))]);
    let rejected = server.load_under(pin(&server)).unwrap_err();
    assert!(
        matches!(&rejected, Rejection::Expired { role, .. } if *role == ROOT),
        "{rejected}"
    );
}

#[test]
fn t03_a_new_root_needs_the_old_keys_and_its_own() {
    let new = root_key(NAME, 5, 1);
    let (old, own) = (TestKey::ec(1), TestKey::ec(5));
    for (by_old, by_new) in [(true, false), (false, true), (true, true)] {
        let mut server = founded();
        let body = server.next_root(std::slice::from_ref(&new), 1);
        let signers = [(by_old, (server.pin, &old)), (by_new, (new.key_id(), &own))];
        let signers: Vec<_> = signers
            .into_iter()
            .filter_map(|(signs, signer)| signs.then_some(signer))
            .collect();
        server.put_root(&body, &signers);
        match (by_old, by_new, server.load_under(pin(&server))) {
            (true, true, Ok(set)) => assert_eq!(set.root().version.get(), 2),
            (true, false, Err(Rejection::BelowThreshold { role, valid: 0, .. })) => {
                assert_eq!(role, ROOT)
            }
            (false, true, Err(Rejection::RootNotVouched { valid: 0, .. })) => {}
            (_, _, result) => panic!(
                "{by_old} {by_new}: {:?}",
                result.map(|set| set.root().version)
            ),
        }
    }
}

#[test]
fn t04_t05_a_root_counts_public_keys_not_signatures_or_ids() {
    let mut server = founded();
    // One key in two certificates: two IDs.
    let (one, two, other) = (
        root_key(NAME, 5, 1),
        root_key(NAME, 5, 2),
        root_key(NAME, 6, 1),
    );
    assert_ne!(one.key_id(), two.key_id());
    let (old, five, six) = (TestKey::ec(1), TestKey::ec(5), TestKey::ec(6));
    let body = server.next_root(&[one.clone(), two.clone(), other.clone()], 2);
    for (signers, good) in [
        (vec![(one.key_id(), &five), (one.key_id(), &five)], false),
        (vec![(one.key_id(), &five), (two.key_id(), &five)], false),
        (vec![(one.key_id(), &five), (other.key_id(), &six)], true),
    ] {
        let signers: Vec<_> = signers.into_iter().chain([(server.pin, &old)]).collect();
        server.put_root(&body, &signers);
        let loaded = server.load_under(pin(&server));
        if good {
            assert_eq!(loaded.unwrap().signers(&ROOT).len(), 2);
        } else {
            let rejected = loaded.unwrap_err();
            assert!(
                matches!(&rejected, Rejection::BelowThreshold { role, valid: 1, .. } if *role == ROOT),
                "{rejected}"
            );
        }
    }
    // Pinned in both its certificates, the one key is still one.
    let both = RootTrust::Keys(vec![one.key_id(), two.key_id()]);
    let signers = [
        (one.key_id(), &five),
        (other.key_id(), &six),
        (server.pin, &old),
    ];
    server.put_root(&body, &signers);
    assert!(matches!(
        server.load_under(both),
        Err(Rejection::PinNotMet { .. })
    ));
    let enough = RootTrust::Keys(vec![one.key_id(), other.key_id()]);
    assert!(server.load_under(enough).is_ok());
}

#[test]
fn t03_an_older_root_that_its_own_keys_did_not_sign_ends_the_walk() {
    let mut server = founded();
    let (two, three) = (root_key(NAME, 5, 1), root_key(NAME, 6, 1));
    let (old, five, six) = (TestKey::ec(1), TestKey::ec(5), TestKey::ec(6));
    let body = server.next_root(std::slice::from_ref(&two), 1);
    server.put_root(&body, &[(server.pin, &old)]);
    let body = server.next_root(std::slice::from_ref(&three), 1);
    server.put_root(&body, &[(two.key_id(), &five), (three.key_id(), &six)]);
    let rejected = server.load_under(pin(&server)).unwrap_err();
    assert!(
        matches!(&rejected, Rejection::BelowThreshold { role, valid: 0, .. } if *role == ROOT),
        "{rejected}"
    );
}

#[test]
fn t03_as_many_older_keys_must_vouch_as_their_own_root_demands() {
    let mut server = founded();
    let (two, three, four) = (
        root_key(NAME, 5, 1),
        root_key(NAME, 6, 1),
        root_key(NAME, 7, 1),
    );
    let (old, five, six, seven) = (
        TestKey::ec(1),
        TestKey::ec(5),
        TestKey::ec(6),
        TestKey::ec(7),
    );
    let body = server.next_root(&[two.clone(), three.clone()], 2);
    server.put_root(
        &body,
        &[
            (server.pin, &old),
            (two.key_id(), &five),
            (three.key_id(), &six),
        ],
    );
    let body = server.next_root(std::slice::from_ref(&four), 1);
    for (vouching, good) in [
        (vec![(two.key_id(), &five)], false),
        (vec![(two.key_id(), &five), (three.key_id(), &six)], true),
    ] {
        let signers: Vec<_> = vouching
            .into_iter()
            .chain([(four.key_id(), &seven)])
            .collect();
        server.put_root(&body, &signers);
        match server.load_under(pin(&server)) {
            Ok(set) if good => assert_eq!(set.root().version.get(), 3),
            Err(Rejection::RootNotVouched { valid: 1, .. }) if !good => {}
            result => panic!("{good}: {:?}", result.map(|set| set.root().version)),
        }
    }
}

#[test]
fn t31_the_bound_of_a_walk_counts_from_the_root_that_was_seen() {
    let mut server = founded();
    let old = TestKey::ec(1);
    let mut body = server.signed("root");
    body["version"] = json!(WALK_LIMIT + 50);
    server.put_root(&body, &[(server.pin, &old)]);
    let seen = server.load_under(pin(&server)).unwrap().seen();
    body["version"] = json!(WALK_LIMIT + 51);
    server.put_root(&body, &[(server.pin, &old)]);
    assert_eq!(
        server.load_after(&seen).unwrap().root().version.get(),
        WALK_LIMIT + 51
    );
}

#[test]
fn a_role_or_a_key_that_is_missing_is_refused_by_its_name() {
    let old = TestKey::ec(1);
    for role in RoleName::BASE {
        let mut server = founded();
        let mut body = server.signed("root");
        body["version"] = json!(2);
        body["roles"].as_object_mut().unwrap().remove(role.as_str());
        server.put_root(&body, &[(server.pin, &old)]);
        let rejected = server.load_under(pin(&server)).unwrap_err();
        assert!(
            matches!(&rejected, Rejection::BaseRoleMissing { missing } if *missing == role),
            "{rejected}"
        );
        let mut server = founded();
        let mut body = server.signed("root");
        body["version"] = json!(2);
        body["roles"][role.as_str()]["keyids"]
            .as_array_mut()
            .unwrap()
            .push(json!("0".repeat(64)));
        server.put_root(&body, &[(server.pin, &old)]);
        let rejected = server.load_under(pin(&server)).unwrap_err();
        assert!(
            matches!(&rejected, Rejection::KeyMissing { delegate, .. } if *delegate == role),
            "{rejected}"
        );
    }
    let (owner, alice) = (owner(), TestKey::ec(3));
    let mut server = TrustServer::with(
        &[super::repository::delegated("targets/releases", &[&alice])],
        &[],
    );
    server.edit("targets", &[&owner.targets], |body| {
        body["delegations"]["roles"][0]["keyids"]
            .as_array_mut()
            .unwrap()
            .push(json!("0".repeat(64)));
    });
    let rejected = server.load_under(pin(&server)).unwrap_err();
    assert!(
        matches!(&rejected, Rejection::KeyMissing { delegate, .. } if *delegate == RoleName::RELEASES),
        "{rejected}"
    );
}

#[test]
fn t08_each_older_root_is_exactly_one_version_older() {
    let new = root_key(NAME, 5, 1);
    for lie in [1, 3, 4] {
        let mut server = founded();
        let (old, own) = (TestKey::ec(1), TestKey::ec(5));
        let body = server.next_root(std::slice::from_ref(&new), 1);
        server.put_root(&body, &[(server.pin, &old), (new.key_id(), &own)]);
        let mut body = server.next_root(std::slice::from_ref(&new), 1);
        server.put_root(&body, &[(new.key_id(), &own)]);
        // What is served as 2.root.json says that it is another version, rightly signed.
        body["version"] = json!(lie);
        let bytes = super::publisher::signed_under(
            &body.to_string(),
            &[(new.key_id(), &own), (server.pin, &old)],
        );
        server.server.files.insert("2.root.json".into(), bytes);
        let rejected = server.load_under(pin(&server)).unwrap_err();
        let Rejection::RootVersion { expected, found } = rejected else {
            panic!("{lie}: {rejected}")
        };
        assert_eq!((expected.get(), found.get()), (2, lie));
    }
}

#[test]
fn t22_the_trust_data_of_another_repository_fails_on_its_name() {
    let a = founded();
    let other = gun("contoso.azurecr.io/web/other");
    let rejected = load(&a.server, &other, pin(&a), None, at(NOW)).unwrap_err();
    let Rejection::RootCertificate {
        fault: CertificateFault::OtherName { found, .. },
        ..
    } = &rejected
    else {
        panic!("{rejected}")
    };
    assert_eq!(
        (found.as_str(), rejected.reason()),
        (NAME, Reason::UntrustedRoot)
    );
    // The canonical ID of the root key serves all its repositories; the name is checked all the
    // same.
    let canonical = RootTrust::Keys(vec![TestKey::ec(1).listed().key_id()]);
    assert!(load(&a.server, &other, canonical, None, at(NOW)).is_err());
}

#[test]
fn t22_files_of_another_repository_fail_where_the_keys_differ_and_pass_where_they_are_shared() {
    for (shared, passes) in [(false, false), (true, true)] {
        let mut b = TrustServer::named("contoso.azurecr.io/web/other");
        let own = Owner {
            root: TestKey::ec(1),
            targets: if shared {
                TestKey::ec(2)
            } else {
                TestKey::ec(9)
            },
        };
        let new = b.collection(&own, &[]);
        b.found(new, &[&own.root, &own.targets]);
        // A server that vouches for the targets of A in the snapshot of B.
        b.store(
            "targets",
            7,
            signed_by(
                &targets(7, &[("1.0", "of a")], &[]).to_string(),
                &[&owner().targets],
            ),
        );
        b.make_snapshot("2030-01-01T00:00:00Z");
        b.make_timestamp();
        let loaded = b.try_load(at(NOW));
        // The format has no name in its targets: docs/trust-model.md says to use one targets key
        // per repository.
        assert_eq!(loaded.is_ok(), passes, "shared: {shared}");
    }
}

#[test]
fn t25_new_keys_forget_the_versions_of_the_old_ones() {
    for rekeyed in [true, false] {
        let mut server = founded();
        let jump = |server: &mut TrustServer| {
            let mut body = server.signed("snapshot");
            body["version"] = json!(1_u64 << 31);
            let bytes = signed_by(&body.to_string(), &[&server.snapshot_key]);
            server.store("snapshot", 1 << 31, bytes);
            server.make_timestamp();
            let mut body = server.signed("timestamp");
            body["version"] = json!(1_u64 << 31);
            let bytes = signed_by(&body.to_string(), &[&server.timestamp_key]);
            server.store("timestamp", 1 << 31, bytes);
        };
        jump(&mut server);
        let seen = server.load().seen();
        // The owner goes on with a new root, under new keys for both or under the old ones.
        let mut body = server.next_root(&[first_key(&server)], 1);
        if rekeyed {
            (server.snapshot_key, server.timestamp_key) = (TestKey::ec(111), TestKey::ec(112));
            for (role, key) in [
                ("snapshot", &server.snapshot_key),
                ("timestamp", &server.timestamp_key),
            ] {
                let id = key.listed().key_id().to_string();
                body["keys"][id.as_str()] = listed(&key.listed());
                body["roles"][role] = json!({ "keyids": [id], "threshold": 1 });
            }
        }
        server.server.files.remove("snapshot.json");
        server.server.files.remove("timestamp.json");
        server.put_root(&body, &[(server.pin, &TestKey::ec(1))]);
        let loaded = server.load_after(&seen);
        if rekeyed {
            let set = loaded.unwrap();
            assert_eq!(set.snapshot().unwrap().version.get(), 1);
            // From then on the new versions are what is remembered.
            assert_eq!(set.seen().roles[&RoleName::SNAPSHOT].version.get(), 1);
        } else {
            let rejected = loaded.unwrap_err();
            assert!(
                matches!(&rejected, Rejection::Rollback { role, .. } if *role == RoleName::TIMESTAMP),
                "{rejected}"
            );
        }
    }
}

#[test]
fn t31_a_forged_version_number_is_refused_before_the_first_fetch() {
    let thief = root_key(NAME, 66, 1);
    for (version, fetches) in [(1_u64 << 31, 1), (WALK_LIMIT + 2, 1), (WALK_LIMIT + 1, 2)] {
        let mut server = founded();
        let mut body = server.next_root(std::slice::from_ref(&thief), 1);
        body["version"] = json!(version);
        server.put_root(&body, &[(thief.key_id(), &TestKey::ec(66))]);
        let rejected = walk(&server.server, &server.gun, pin(&server), None, at(NOW)).unwrap_err();
        if fetches == 1 {
            assert!(
                matches!(rejected, Rejection::RootWalkTooLong { .. }),
                "{rejected}"
            );
        } else {
            assert!(
                matches!(rejected, Rejection::NotServed { .. }),
                "{rejected}"
            );
        }
        assert_eq!(server.server.asked.borrow().len(), fetches, "{version}");
    }
}

#[test]
fn t31_a_missing_version_ends_the_walk() {
    let mut server = founded();
    let key = root_key(NAME, 5, 1);
    for _ in 0..3 {
        let body = server.next_root(std::slice::from_ref(&key), 1);
        server.put_root(
            &body,
            &[
                (server.pin, &TestKey::ec(1)),
                (key.key_id(), &TestKey::ec(5)),
            ],
        );
    }
    assert!(server.load_under(pin(&server)).is_ok());
    server.server.files.remove("2.root.json");
    let rejected = server.load_under(pin(&server)).unwrap_err();
    assert!(
        matches!(&rejected, Rejection::NotServed { file } if file == "2.root.json"),
        "{rejected}"
    );
}

#[test]
fn t33_a_pinned_key_that_only_stands_in_a_root_opens_nothing() {
    let thief = root_key(NAME, 66, 1);
    for in_role in [false, true] {
        for version in [1, 2] {
            let mut server = founded();
            // Shown in `keys` alone, or in the role and not signing.
            let keys = if in_role {
                vec![thief.clone(), first_key(&server)]
            } else {
                vec![thief.clone()]
            };
            let mut body = server.next_root(&keys, 1);
            body["version"] = json!(version);
            body["keys"][server.pin.to_string()] =
                server.signed("root")["keys"][server.pin.to_string()].clone();
            let honest = server.server.files["1.root.json"].clone();
            server.put_root(&body, &[(thief.key_id(), &TestKey::ec(66))]);
            if version == 2 {
                server.server.files.insert("1.root.json".into(), honest);
            }
            for trust in [
                pin(&server),
                RootTrust::Keys(vec![TestKey::ec(1).listed().key_id()]),
            ] {
                let rejected = server.load_under(trust).unwrap_err();
                let expected = if version == 1 {
                    matches!(rejected, Rejection::PinNotMet { .. })
                } else {
                    matches!(rejected, Rejection::RootNotVouched { valid: 0, .. })
                };
                assert!(expected, "{in_role} {version}: {rejected}");
                assert_eq!(rejected.reason(), Reason::UntrustedRoot);
            }
        }
    }
}

/// The key that the first root lists.
fn first_key(server: &TrustServer) -> acr_sign::format::dct::Key {
    server.load().root().keys_of(&ROOT)[0].clone()
}

#[test]
fn t33_a_threshold_of_two_is_not_met_by_one_pinned_key() {
    let mut server = founded();
    let thief = root_key(NAME, 66, 1);
    let body = server.next_root(&[first_key(&server), thief.clone()], 2);
    server.put_root(
        &body,
        &[
            (server.pin, &TestKey::ec(1)),
            (thief.key_id(), &TestKey::ec(66)),
        ],
    );
    // The pin of the first root, which asked for one, still leads here; the pin of the thief's key
    // does not.
    assert!(server.load_under(pin(&server)).is_ok());
    let rejected = server
        .load_under(RootTrust::Keys(vec![thief.key_id()]))
        .unwrap_err();
    assert!(
        matches!(rejected, Rejection::PinNotMet { .. }),
        "{rejected}"
    );
}

#[test]
fn a_root_of_a_memory_must_vouch_for_what_is_served() {
    let mut server = founded();
    let seen = server.load().seen();
    let thief = root_key(NAME, 66, 1);
    let mut body = server.next_root(std::slice::from_ref(&thief), 1);
    server.put_root(&body, &[(thief.key_id(), &TestKey::ec(66))]);
    // First use trusts what it sees, but not against what was seen before.
    let rejected = load(
        &server.server,
        &server.gun,
        RootTrust::FirstUse,
        Some(seen.clone()),
        at(NOW),
    )
    .unwrap_err();
    assert!(
        matches!(rejected, Rejection::RootNotVouched { valid: 0, .. }),
        "{rejected}"
    );
    body["version"] = json!(1);
    server.put_root(&body, &[(thief.key_id(), &TestKey::ec(66))]);
    let rejected = load(
        &server.server,
        &server.gun,
        RootTrust::FirstUse,
        Some(seen),
        at(NOW),
    )
    .unwrap_err();
    assert!(
        matches!(rejected, Rejection::SameVersionOtherContent { .. }),
        "{rejected}"
    );
}
