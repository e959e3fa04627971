//! Attacks with delegations: which role answers, which may leave, and what a role may say and pass
//! on.

use acr_sign::{
    format::dct::{DelegationState, Rejection, RoleName, lookup},
    reason::{Explain as _, Reason},
};
use serde_json::json;

use super::{
    file_attacks::{RELEASES, TARGETS, pulled, released},
    publisher::{NOW, TestKey, TrustServer, owner, signed_by, version},
    repository::{Delegated, delegated, targets},
    server::{at, role},
    signing::entry,
};

#[test]
fn t09_t15_t28_the_order_in_which_roles_answer() {
    let (alice, bob) = (TestKey::ec(3), TestKey::ec(4));
    let roles = [
        delegated("targets/bob", &[&bob]),
        delegated("targets/releases", &[&alice]),
    ];
    let in_targets = [
        ("both", "targets"),
        ("targets", "targets"),
        ("below", "targets"),
        ("bob", "targets"),
    ];
    let mut server = TrustServer::with(&roles, &in_targets);
    server.add(
        "targets/bob",
        &[("bob", "bob"), ("only-bob", "bob")],
        &[&bob],
    );
    let body = targets(
        1,
        &[("both", "releases"), ("releases", "releases")],
        &[
            delegated("targets/releases/beta", &[&bob]),
            delegated("targets/releases/alpha", &[&bob]),
        ],
    );
    server.replace("targets/releases", &body.to_string(), &[&alice]);
    server.add(
        "targets/releases/alpha",
        &[("below", "alpha"), ("both", "alpha")],
        &[&bob],
    );
    server.add("targets/releases/beta", &[("below", "beta")], &[&bob]);
    let set = server.load();
    let order: Vec<String> = set.delegated().iter().map(ToString::to_string).collect();
    assert_eq!(
        order,
        [
            "targets/bob",
            "targets/releases",
            "targets/releases/beta",
            "targets/releases/alpha"
        ]
    );
    for (tag, role, content) in [
        ("both", RELEASES, "releases"),
        ("releases", RELEASES, "releases"),
        ("targets", TARGETS, "targets"),
        ("bob", TARGETS, "targets"),
    ] {
        assert_eq!(
            pulled(&set, tag),
            (role, entry(content).digest.to_string()),
            "{tag}"
        );
    }
    // Found first below `releases`, or only in a signer's role: not released, whatever `targets`
    // says.
    for (tag, holder) in [
        ("below", "targets/releases/beta"),
        ("only-bob", "targets/bob"),
    ] {
        let Err(Rejection::NotReleased { role: found, .. }) = lookup::pull(&set, tag) else {
            panic!("{tag}")
        };
        assert_eq!(found.as_str(), holder, "{tag}");
    }
    assert!(matches!(
        lookup::pull(&set, "none"),
        Err(Rejection::Unsigned { .. })
    ));
}

#[test]
fn t10_a_delegation_that_was_seen_does_not_leave_the_snapshot() {
    let (_, _, mut server) = released();
    let seen = server.load().seen();
    server.server.files.remove("targets/releases.json");
    server.make_snapshot("2030-01-01T00:00:00Z");
    server.make_timestamp();
    let rejected = server.load_after(&seen).unwrap_err();
    assert!(
        matches!(&rejected, Rejection::DroppedFromSnapshot { role } if *role == RELEASES),
        "{rejected}"
    );
    assert_eq!(rejected.reason(), Reason::Rollback);
    assert_eq!(
        server.load().withheld().unwrap().state,
        DelegationState::Absent
    );
}

#[test]
fn t10_a_delegation_that_its_parent_dropped_may_leave() {
    let (owner, _, mut server) = released();
    let seen = server.load().seen();
    server.server.files.remove("targets/alice.json");
    server.edit("targets", &[&owner.targets], |body| {
        body["delegations"]["roles"]
            .as_array_mut()
            .unwrap()
            .remove(0);
    });
    let set = server.load_after(&seen).unwrap();
    assert_eq!(set.delegation(&role("targets/alice")), None);
}

#[test]
fn t10_a_delegation_below_a_delegation_does_not_leave_either() {
    let (_, alice, mut server) = released();
    let body = targets(
        9,
        &[("1.0", "one")],
        &[delegated("targets/releases/beta", &[&alice])],
    );
    server.replace("targets/releases", &body.to_string(), &[&alice]);
    server.add("targets/releases/beta", &[], &[&alice]);
    let seen = server.load().seen();
    server.server.files.remove("targets/releases/beta.json");
    server.make_snapshot("2030-01-01T00:00:00Z");
    server.make_timestamp();
    let rejected = server.load_after(&seen).unwrap_err();
    let dropped = matches!(&rejected, Rejection::DroppedFromSnapshot { role } if role.as_str() == "targets/releases/beta");
    assert!(dropped, "{rejected}");
}

#[test]
fn t18_a_role_has_one_parent_by_its_name() {
    let alice = TestKey::ec(3);
    for name in [
        "targets/bob/x",
        "root",
        "targets",
        "snapshot",
        "targets/",
        "targets/A",
        "targets//x",
        "../x",
    ] {
        let mut server = TrustServer::with(&[delegated("targets/alice", &[&alice])], &[]);
        let body = targets(1, &[], &[delegated(name, &[&alice])]);
        server.replace("targets/alice", &body.to_string(), &[&alice]);
        let rejected = server.try_load(at(NOW)).unwrap_err();
        assert!(
            matches!(&rejected, Rejection::NotAChild { delegate, .. } if delegate == name),
            "{name}: {rejected}"
        );
    }
    let mut server = TrustServer::with(&[delegated("targets/alice", &[&alice])], &[]);
    let twice = [
        delegated("targets/alice/x", &[&alice]),
        delegated("targets/alice/x", &[&TestKey::ec(4)]),
    ];
    server.replace(
        "targets/alice",
        &targets(1, &[], &twice).to_string(),
        &[&alice],
    );
    assert!(matches!(
        server.try_load(at(NOW)),
        Err(Rejection::DelegatedTwice { .. })
    ));
}

#[test]
fn t29_t30_what_targets_says_does_not_count_while_releases_is_withheld() {
    type Damage = fn(&mut TrustServer, &TestKey);
    let damages: [(Damage, DelegationState); 3] = [
        (
            |server, alice| {
                server.edit("targets/releases", &[alice], |body| {
                    body["expires"] = json!("2026-12-01T00:00:00Z")
                });
            },
            DelegationState::Expired,
        ),
        (
            |server, _| server.edit("targets/releases", &[&TestKey::ec(66)], |_| ()),
            DelegationState::BelowThreshold,
        ),
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
            assert!(
                matches!(&rejected, Rejection::RoleWithheld { state: found, .. } if *found == state),
                "{rejected}"
            );
            assert_eq!(rejected.reason(), Reason::RoleWithheld);
        }
        assert!(
            set.warnings()
                .iter()
                .any(|warning| warning.to_string().contains("targets/releases"))
        );
    }
}

#[test]
fn paths_limit_what_a_role_may_say_and_what_it_may_pass_on() {
    let (alice, bob) = (TestKey::ec(3), TestKey::ec(4));
    let narrow = Delegated {
        paths: &["v1.", "v2."],
        ..delegated("targets/releases", &[&alice])
    };
    let mut server = TrustServer::with(&[narrow], &[("other", "targets")]);
    let below = [
        Delegated {
            paths: &["v1.0", ""],
            ..delegated("targets/releases/a", &[&bob])
        },
        Delegated {
            paths: &[],
            ..delegated("targets/releases/b", &[&bob])
        },
    ];
    let body = targets(1, &[("v1.0", "one"), ("other", "evil")], &below);
    server.replace("targets/releases", &body.to_string(), &[&alice]);
    for name in ["targets/releases/a", "targets/releases/b"] {
        server.add(
            name,
            &[("v1.0.1", name), ("v2.5", name), ("other", "evil")],
            &[&bob],
        );
    }
    let set = server.load();
    assert_eq!(pulled(&set, "v1.0").0, RELEASES);
    assert_eq!(
        pulled(&set, "other"),
        (TARGETS, entry("targets").digest.to_string())
    );
    let holders = |tag: &str| {
        let holds = |role: &RoleName| set.entry(role, tag).is_some();
        set.loaded()
            .into_iter()
            .filter(holds)
            .map(|role| role.to_string())
            .collect::<Vec<_>>()
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
    let below: Vec<String> = (0..60)
        .map(|number| format!("targets/r0/r{number}"))
        .collect();
    let list: Vec<_> = names
        .iter()
        .map(|name| delegated(name, &[&alice]))
        .collect();
    let list_below: Vec<_> = below
        .iter()
        .map(|name| delegated(name, &[&alice]))
        .collect();
    let mut server = TrustServer::with(&list, &[]);
    for name in names.iter().chain(&below) {
        let delegations = if *name == names[0] {
            list_below.as_slice()
        } else {
            &[]
        };
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
        let role = name
            .strip_suffix(".json")
            .filter(|role| !role.contains('.'))?;
        Some((role.to_owned(), bytes.clone()))
    };
    (
        server.server.files.iter().filter_map(current).collect(),
        server.pin.to_string(),
    )
}

#[test]
fn delegations_are_bounded_in_number() {
    use acr_sign::format::dct::DELEGATION_LIMIT;
    let alice = TestKey::ec(3);
    let names: Vec<String> = (0..=DELEGATION_LIMIT)
        .map(|number| format!("targets/r{number}"))
        .collect();
    let many = |count: usize| {
        names
            .iter()
            .take(count)
            .map(|name| delegated(name, &[&alice]))
            .collect::<Vec<_>>()
    };
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
    assert!(matches!(
        server.try_load(at(NOW)),
        Err(Rejection::TooManyDelegations { .. })
    ));
    // A hundred are loaded of those that two files list.
    let server = crowded();
    let rejected = server.try_load(at(NOW)).unwrap_err();
    assert!(
        matches!(
            rejected,
            Rejection::TooManyDelegations {
                limit: DELEGATION_LIMIT,
                ..
            }
        ),
        "{rejected}"
    );
    assert_eq!(rejected.reason(), Reason::LimitReached);
    let fetched = server
        .server
        .asked
        .borrow()
        .iter()
        .filter(|name| name.starts_with("targets/"))
        .count();
    assert_eq!(fetched, DELEGATION_LIMIT + 1);
}
