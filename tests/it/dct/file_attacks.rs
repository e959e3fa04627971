//! Attacks with whole files: ended, older, mixed, not as described, or out of order. Each row of
//! the list with the check that answers it.

use acr_sign::{
    format::dct::{DelegationState, Rejection, RoleName, TrustedSet, lookup},
    reason::{Explain as _, Reason},
};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde_json::{Value, json};

use super::{
    publisher::{NOW, Owner, TestKey, TrustServer, meta, owner, signed_by},
    repository::{delegated, targets},
    server::{at, role},
    signing::entry,
};

pub(super) const TARGETS: RoleName = RoleName::TARGETS;
pub(super) const RELEASES: RoleName = RoleName::RELEASES;

/// `targets/alice` and `targets/releases` of one key, both with the tag `1.0`.
pub(super) fn released() -> (Owner, TestKey, TrustServer) {
    let alice = TestKey::ec(3);
    let roles = [
        delegated("targets/alice", &[&alice]),
        delegated("targets/releases", &[&alice]),
    ];
    let mut server = TrustServer::with(&roles, &[]);
    server.add("targets/alice", &[("1.0", "one")], &[&alice]);
    server.add("targets/releases", &[("1.0", "one")], &[&alice]);
    (owner(), alice, server)
}

pub(super) fn pulled(set: &TrustedSet, tag: &str) -> (RoleName, String) {
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
    for name in [
        "timestamp",
        "snapshot",
        "targets",
        "targets/alice",
        "targets/releases",
    ] {
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
        assert_eq!(
            pulled(
                &server.try_load(at("2027-05-31T23:59:59.999Z")).unwrap(),
                "1.0"
            )
            .0,
            RELEASES,
            "{name}"
        );
        match server.try_load(at(end)) {
            Err(Rejection::Expired {
                role: found,
                expires,
            }) => {
                assert_eq!((found.as_str(), expires), (name, at(end)));
            }
            Ok(set) => assert_eq!(
                set.delegation(&role(name)),
                Some(DelegationState::Expired),
                "{name}"
            ),
            Err(other) => panic!("{name}: {other}"),
        }
    }
}

#[test]
fn t07_t11_older_files_are_rollbacks_and_later_ones_still_load() {
    for name in [
        "timestamp",
        "snapshot",
        "targets",
        "targets/alice",
        "targets/releases",
    ] {
        let (owner, alice, mut server) = released();
        let old = server.server.files.clone();
        server.edit("targets", &[&owner.targets], |_| ());
        server.add(
            "targets/alice",
            &[("1.0", "one"), ("2.0", "two")],
            &[&alice],
        );
        server.add(
            "targets/releases",
            &[("1.0", "one"), ("2.0", "two")],
            &[&alice],
        );
        let seen = server.load().seen();
        let new = server.server.files.clone();
        // The lying server holds the keys of snapshot and timestamp, so it vouches freshly for the
        // old file.
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
        let Rejection::Rollback { role: found, .. } = &rejected else {
            panic!("{name}: {rejected}")
        };
        assert_eq!(
            (found.as_str(), rejected.reason()),
            (name, Reason::Rollback)
        );
        server.server.files = new;
        server.add("targets/releases", &[("3.0", "three")], &[&alice]);
        let set = server.load_after(&seen).unwrap();
        assert_eq!(pulled(&set, "3.0").0, RELEASES, "{name}");
    }
}

#[test]
fn t12_delegations_are_held_to_hash_length_and_end_as_targets_is() {
    for name in ["targets", "targets/alice", "targets/releases"] {
        let (_, alice, mut server) = released();
        // The bytes of another version, signed as they must be, under the hash that the snapshot
        // lists.
        let listed =
            |server: &TrustServer| server.load().file_request(&role(name)).unwrap().file_name();
        let file = listed(&server);
        let good = server.server.files[&file].clone();
        let other = signed_by(
            &targets(9, &[("1.0", "evil")], &[]).to_string(),
            &[&alice, &owner().targets],
        );
        server.server.files.insert(file.clone(), other);
        let rejected = server.try_load(at(NOW)).unwrap_err();
        let wrong = matches!(&rejected, Rejection::HashMismatch { role, .. } | Rejection::TooLong { role, .. } if role.as_str() == name);
        assert!(wrong, "{name}: {rejected}");
        // A byte more than was signed for.
        server
            .server
            .files
            .insert(file, [good.as_slice(), b" "].concat());
        let rejected = server.try_load(at(NOW)).unwrap_err();
        assert!(
            matches!(&rejected, Rejection::TooLong { role, .. } if role.as_str() == name),
            "{name}: {rejected}"
        );
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
    assert!(
        matches!(&rejected, Rejection::HashMismatch { role, .. } if *role == RoleName::ROOT),
        "{rejected}"
    );
}

#[test]
fn t24_files_of_two_publications_do_not_mix() {
    let (owner, alice, mut server) = released();
    let first = server.server.files.clone();
    server.edit("targets", &[&owner.targets], |_| ());
    server.add("targets/alice", &[("1.0", "two")], &[&alice]);
    server.add("targets/releases", &[("1.0", "two")], &[&alice]);
    let second = server.server.files.clone();
    let roles = [
        "timestamp",
        "snapshot",
        "targets",
        "targets/alice",
        "targets/releases",
    ];
    server.server.ignore_hashes = true;
    for choice in 0..1_u32 << roles.len() {
        for (place, name) in roles.iter().enumerate() {
            let from = if choice >> place & 1 == 0 {
                &first
            } else {
                &second
            };
            let file = format!("{name}.json");
            server
                .server
                .files
                .insert(file.clone(), from[&file].clone());
        }
        let loaded = server.try_load(at(NOW));
        if choice == 0 || choice == (1 << roles.len()) - 1 {
            let content = if choice == 0 { "one" } else { "two" };
            assert_eq!(
                pulled(&loaded.unwrap(), "1.0").1,
                entry(content).digest.to_string()
            );
        } else {
            let rejected = loaded.unwrap_err();
            assert!(
                matches!(
                    rejected,
                    Rejection::HashMismatch { .. } | Rejection::TooLong { .. }
                ),
                "{choice:05b}: {rejected}"
            );
        }
    }
}

#[test]
fn every_signed_description_needs_its_sha256() {
    let (_, _, mut server) = released();
    for name in ["root", "targets", "targets/releases"] {
        let mut body = server.signed("snapshot");
        body["meta"][name]["hashes"]
            .as_object_mut()
            .unwrap()
            .remove("sha256");
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
    assert!(
        matches!(server.try_load(at(NOW)), Err(Rejection::HashMissing { .. })),
        "the snapshot must list the root"
    );
    // An entry without one is no image.
    let (_, alice, mut server) = released();
    server.edit("targets/releases", &[&alice], |body| {
        body["targets"]["1.0"]["hashes"] = meta(b"one")["hashes"].clone();
        body["targets"]["1.0"]["hashes"]
            .as_object_mut()
            .unwrap()
            .remove("sha256");
    });
    assert!(matches!(
        lookup::pull(&server.load(), "1.0"),
        Err(Rejection::EntryWithoutDigest { .. })
    ));
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
    assert!(matches!(
        set.update_targets(&get("targets")),
        Err(Rejection::OutOfOrder { .. })
    ));
    set.update_snapshot(&get("snapshot")).unwrap();
    set.update_targets(&get("targets")).unwrap();
    assert!(matches!(
        set.update_delegation(&role("targets/nobody"), &get("targets/releases")),
        Err(Rejection::NotListed { .. })
    ));
    set.update_delegation(&RELEASES, &get("targets/releases"))
        .unwrap();
    set.update_timestamp(&get("timestamp")).unwrap();
    assert!(
        set.snapshot().is_none()
            && set.targets(&TARGETS).is_none()
            && set.targets(&RELEASES).is_none()
    );
}
