//! Demanded signers: who must have signed an image, by name and by key, and what must not be
//! fetched for it.

use acr_sign::{
    crypto::PublicKey,
    format::{
        Identity, Signed, Verified,
        dct::{
            DelegationState, ImageHashes, Rejection, RequiredSigner, Requirement, RoleName,
            TrustedSet, needed_roles,
            sign::{holds, prepare},
            verify,
        },
    },
    oci::{Digest, Tag},
    reason::{Explain as _, Reason},
};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde_json::json;
use sha2::{Digest as _, Sha512};

use super::{
    publisher::{NOW, TestKey, TrustServer, owner},
    repository::{Delegated, delegated, targets},
    server::at,
    signing::{entry, image, set_tags, tag},
};

const TARGETS: RoleName = RoleName::TARGETS;
const RELEASES: RoleName = RoleName::RELEASES;

fn named(names: &[&str]) -> Requirement {
    let signers = names
        .iter()
        .map(|name| RequiredSigner::Name(RoleName::signer(name).unwrap()))
        .collect();
    Requirement {
        signers,
        ..Requirement::default()
    }
}

fn with_keys(keys: &[&TestKey]) -> Requirement {
    let signers = keys
        .iter()
        .map(|key| RequiredSigner::Key(key.public()))
        .collect();
    Requirement {
        signers,
        ..Requirement::default()
    }
}

fn judged(
    set: &TrustedSet,
    name: &str,
    content: &str,
    requirement: &Requirement,
) -> Result<Verified, Rejection> {
    verify(Some(&tag(name)), &image(content), set, requirement)
}

fn by_digest(
    set: &TrustedSet,
    content: &str,
    requirement: &Requirement,
) -> Result<Verified, Rejection> {
    verify(None, &image(content), set, requirement)
}

fn roles(verified: &Verified) -> Vec<String> {
    let role = |signed: &Signed| match &signed.by {
        Identity::Role { role, .. } => role.to_string(),
        Identity::Certificate { .. } => panic!("no role"),
    };
    verified.signers().iter().map(role).collect()
}

struct Keys {
    alice: TestKey,
    bob: TestKey,
}

/// Alice and Bob share `targets/releases`; `1.0` is signed by both, `2.0` by Alice alone, `3.0` by
/// Bob in his own role.
fn shop() -> (Keys, TrustServer) {
    let keys = Keys {
        alice: TestKey::ec(3),
        bob: TestKey::ec(4),
    };
    let list = [
        delegated("targets/alice", &[&keys.alice]),
        delegated("targets/bob", &[&keys.bob]),
        delegated("targets/releases", &[&keys.alice, &keys.bob]),
    ];
    let mut server = TrustServer::with(&list, &[("base", "base")]);
    server.add(
        "targets/alice",
        &[("1.0", "one"), ("2.0", "two")],
        &[&keys.alice],
    );
    server.add(
        "targets/bob",
        &[("1.0", "one"), ("3.0", "three")],
        &[&keys.bob],
    );
    server.add(
        "targets/releases",
        &[("1.0", "one"), ("2.0", "two")],
        &[&keys.bob],
    );
    (keys, server)
}

#[test]
fn without_signers_what_a_pull_takes_counts() {
    let (keys, server) = shop();
    let set = server.load();
    let any = Requirement::default();
    let verified = judged(&set, "1.0", "one", &any).unwrap();
    assert_eq!(roles(&verified), ["targets/releases"]);
    assert_eq!(verified.signers()[0].key, keys.bob.public());
    assert_eq!(verified.subject(), &entry("one").digest);
    assert_eq!(
        roles(&judged(&set, "base", "base", &any).unwrap()),
        ["targets"]
    );
    assert!(matches!(
        judged(&set, "3.0", "three", &any),
        Err(Rejection::NotReleased { .. })
    ));
    assert!(matches!(
        judged(&set, "none", "one", &any),
        Err(Rejection::Unsigned { .. })
    ));
    assert!(matches!(
        judged(&set, "1.0", "two", &any),
        Err(Rejection::DigestMismatch { .. })
    ));
    let longer = ImageHashes {
        length: 8,
        ..image("one")
    };
    let rejected = verify(Some(&tag("1.0")), &longer, &set, &any).unwrap_err();
    assert!(
        matches!(
            rejected,
            Rejection::LengthMismatch {
                expected: 7,
                found: 8,
                ..
            }
        ),
        "{rejected}"
    );
}

#[test]
fn every_named_signer_must_have_signed() {
    let (_, server) = shop();
    let set = server.load();
    assert_eq!(
        roles(&judged(&set, "1.0", "one", &named(&["alice", "bob"])).unwrap()),
        ["targets/alice", "targets/bob"]
    );
    for (names, reason) in [
        (&["alice", "bob"][..], Reason::Unsigned),
        (&["bob"], Reason::Unsigned),
        (&["alice", "nobody"], Reason::Unsigned),
        (&["targets"], Reason::Unsigned),
    ] {
        let rejected = judged(&set, "2.0", "two", &named(names)).unwrap_err();
        assert_eq!(rejected.reason(), reason, "{names:?}: {rejected}");
    }
    // What a signer signed need not be released, but must not contradict what is.
    assert!(judged(&set, "3.0", "three", &named(&["bob"])).is_ok());
    assert!(matches!(
        judged(&set, "3.0", "one", &named(&["bob"])),
        Err(Rejection::DigestMismatch { .. })
    ));
}

#[test]
fn a_signer_that_released_something_else_is_contradicted() {
    let (keys, mut server) = shop();
    server.add("targets/alice", &[("1.0", "older")], &[&keys.alice]);
    let set = server.load();
    for requirement in [named(&["alice"]), with_keys(&[&keys.alice])] {
        let rejected = judged(&set, "1.0", "older", &requirement).unwrap_err();
        let Rejection::DigestMismatch { role, .. } = &rejected else {
            panic!("{rejected}")
        };
        assert_eq!(*role, RELEASES);
    }
}

#[test]
fn one_of_the_keys_must_have_signed_a_role_that_holds_the_image() {
    let (keys, server) = shop();
    let set = server.load();
    assert_eq!(
        roles(&judged(&set, "2.0", "two", &with_keys(&[&keys.alice])).unwrap()),
        ["targets/alice"]
    );
    // Bob signed the file of releases, which holds it.
    assert_eq!(
        roles(&judged(&set, "2.0", "two", &with_keys(&[&keys.bob])).unwrap()),
        ["targets/releases"]
    );
    let stranger = TestKey::ec(9);
    assert!(judged(&set, "2.0", "two", &with_keys(&[&stranger, &keys.alice])).is_ok());
    let rejected = judged(&set, "2.0", "two", &with_keys(&[&stranger])).unwrap_err();
    assert!(
        matches!(rejected, Rejection::KeyNotDelegated { .. }),
        "{rejected}"
    );
    // Listed and not signing is not enough: the targets key signed no role that holds it.
    let rejected = judged(&set, "2.0", "two", &with_keys(&[&owner().targets])).unwrap_err();
    assert!(
        matches!(rejected, Rejection::NotSignedWith { .. }),
        "{rejected}"
    );
    assert_eq!(rejected.reason(), Reason::UntrustedKey);
    assert!(matches!(
        judged(&set, "none", "two", &with_keys(&[&keys.alice])),
        Err(Rejection::NotSignedWith { .. })
    ));
    // A name and a key: both must hold.
    let both = |key: &TestKey| Requirement {
        signers: [named(&["alice"]).signers, with_keys(&[key]).signers].concat(),
        ..Requirement::default()
    };
    assert!(judged(&set, "1.0", "one", &both(&keys.bob)).is_ok());
    assert!(judged(&set, "1.0", "one", &both(&stranger)).is_err());
    assert!(judged(&set, "3.0", "three", &both(&keys.bob)).is_err());
}

#[test]
fn a_digest_without_a_tag_counts_where_a_role_that_counts_holds_it() {
    let (keys, server) = shop();
    let set = server.load();
    let any = Requirement::default();
    assert_eq!(
        roles(&by_digest(&set, "two", &any).unwrap()),
        ["targets/releases"]
    );
    assert_eq!(roles(&by_digest(&set, "base", &any).unwrap()), ["targets"]);
    assert!(matches!(
        by_digest(&set, "three", &any),
        Err(Rejection::UnsignedDigest { .. })
    ));
    assert!(by_digest(&set, "three", &named(&["bob"])).is_ok());
    assert!(by_digest(&set, "three", &with_keys(&[&keys.bob])).is_ok());
    assert!(by_digest(&set, "three", &named(&["alice"])).is_err());
    let longer = ImageHashes {
        length: 8,
        ..image("two")
    };
    assert!(matches!(
        verify(None, &longer, &set, &any),
        Err(Rejection::LengthMismatch { .. })
    ));
}

/// Every known hash of an entry holds for the image, not only the one that it is found by.
#[test]
fn t12_the_second_hash_of_an_entry_must_be_that_of_the_image() {
    let wide = |content: &str| BASE64.encode(Sha512::digest(content));
    let stating = |role: &str, hash: &str| {
        let (keys, mut server) = shop();
        server.edit(role, &[&keys.bob], |body| {
            body["targets"]["1.0"]["hashes"]["sha512"] = json!(hash);
        });
        (keys, server)
    };
    let any = Requirement::default();
    for place in ["targets/releases", "targets/bob"] {
        let (keys, server) = stating(place, &wide("one"));
        let set = server.load();
        for requirement in [any.clone(), named(&["bob"]), with_keys(&[&keys.bob])] {
            assert!(judged(&set, "1.0", "one", &requirement).is_ok(), "{place}");
            assert!(by_digest(&set, "one", &requirement).is_ok(), "{place}");
        }
    }
    let (_, server) = stating("targets/releases", &wide("two"));
    let set = server.load();
    let expected = Digest::sha512(b"two");
    for found in [
        judged(&set, "1.0", "one", &any),
        by_digest(&set, "one", &any),
    ] {
        let Err(Rejection::DigestMismatch {
            expected: stated,
            found,
            ..
        }) = found
        else {
            panic!("{found:?}")
        };
        assert_eq!((stated, found), (expected.clone(), Digest::sha512(b"one")));
    }
    // Of an image whose other hash nobody computed, nothing is proven.
    let unknown = ImageHashes {
        sha512: None,
        ..entry("one")
    };
    assert!(verify(Some(&tag("1.0")), &unknown, &set, &any).is_err());
    // In the role of a signer who is required.
    let (_, server) = stating("targets/bob", &wide("two"));
    let set = server.load();
    assert!(judged(&set, "1.0", "one", &any).is_ok());
    let by_bob = judged(&set, "1.0", "one", &named(&["bob"]));
    assert!(matches!(by_bob, Err(Rejection::DigestMismatch { .. })));
    // Signing anew replaces an entry that is not about the image.
    let (keys, server) = stating("targets/releases", &wide("two"));
    let set = server.load();
    let releases = [RoleName::RELEASES];
    assert!(!holds(&set, &releases, &tag("1.0"), &image("one")));
    let held = [keys.bob.public()];
    let change = set_tags(&[("1.0", "one")]);
    let draft = prepare(&set, &change, &releases, &held, at(NOW)).unwrap();
    assert_eq!(draft.planned().len(), 1);
    // A hash of another length is none.
    for wrong in [
        BASE64.encode([7; 32]),
        BASE64.encode([7; 65]),
        String::new(),
    ] {
        let (_, server) = stating("targets/releases", &wrong);
        let rejected = server.try_load(at(NOW)).unwrap_err();
        assert!(
            matches!(rejected, Rejection::Malformed { .. }),
            "{rejected}"
        );
    }
}

#[test]
fn t29_a_withheld_releases_hides_targets_from_all_but_who_names_it() {
    let (keys, mut server) = shop();
    server.edit("targets/releases", &[&keys.bob], |body| {
        body["expires"] = json!("2026-12-01T00:00:00Z")
    });
    let set = server.load();
    let targets_key = owner().targets;
    let any = Requirement::default();
    for rejected in [
        judged(&set, "base", "base", &any).unwrap_err(),
        by_digest(&set, "base", &any).unwrap_err(),
        judged(&set, "base", "base", &with_keys(&[&targets_key])).unwrap_err(),
    ] {
        assert_eq!(rejected.reason(), Reason::RoleWithheld, "{rejected}");
    }
    assert_eq!(
        roles(&judged(&set, "base", "base", &named(&["targets"])).unwrap()),
        ["targets"]
    );
    assert_eq!(
        roles(&by_digest(&set, "base", &named(&["targets"])).unwrap()),
        ["targets"]
    );
    // A signer's own role is not hidden by it.
    assert!(judged(&set, "1.0", "one", &named(&["alice"])).is_ok());
    let rejected = judged(&set, "1.0", "one", &named(&["releases"])).unwrap_err();
    assert!(
        matches!(
            &rejected,
            Rejection::SignerUnusable {
                state: DelegationState::Expired,
                ..
            }
        ),
        "{rejected}"
    );
}

/// Loaded as far as `targets`: what a gate has when it decides which delegations it needs.
fn without_delegations(server: &TrustServer) -> TrustedSet {
    let mut set = server.load().reread();
    let get = |name: &str| server.server.files[&format!("{name}.json")].clone();
    set.update_timestamp(&get("timestamp")).unwrap();
    set.update_snapshot(&get("snapshot")).unwrap();
    set.update_targets(&get("targets")).unwrap();
    set
}

#[test]
fn a_role_that_was_not_read_is_never_taken_for_one_that_is_not_there() {
    let (keys, server) = shop();
    let set = without_delegations(&server);
    let targets_key = owner().targets;
    for requirement in [
        Requirement::default(),
        with_keys(&[&targets_key]),
        named(&["alice"]),
    ] {
        for result in [
            judged(&set, "base", "base", &requirement),
            by_digest(&set, "base", &requirement),
        ] {
            assert!(
                matches!(result, Err(Rejection::OutOfOrder { .. })),
                "{requirement:?}: {result:?}"
            );
        }
    }
    assert!(judged(&set, "base", "base", &with_keys(&[&keys.alice])).is_err());
}

#[test]
fn only_the_files_that_decide_are_needed() {
    let (keys, server) = shop();
    let set = without_delegations(&server);
    let needed = |requirement: &Requirement, named: Option<&Tag>| {
        needed_roles(named, requirement, &set)
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
    };
    let one = tag("1.0");
    assert_eq!(
        needed(&Requirement::default(), Some(&one)),
        ["targets/releases"]
    );
    assert_eq!(needed(&Requirement::default(), None), ["targets/releases"]);
    assert_eq!(
        needed(&named(&["alice"]), Some(&one)),
        ["targets/alice", "targets/releases"]
    );
    assert_eq!(
        needed(&named(&["targets"]), Some(&one)),
        ["targets/releases"]
    );
    assert_eq!(
        needed(&with_keys(&[&keys.bob]), Some(&one)),
        ["targets/bob", "targets/releases"]
    );
    // A key that nobody lists so far may be listed further down.
    let stranger = TestKey::ec(9);
    assert_eq!(
        needed(&with_keys(&[&stranger]), Some(&one)),
        ["targets/alice", "targets/bob", "targets/releases"]
    );
}

#[test]
fn a_signer_below_a_signer_is_reached_through_its_parent() {
    let (alice, deep) = (TestKey::ec(3), TestKey::ec(5));
    let mut server = TrustServer::with(&[delegated("targets/team", &[&alice])], &[]);
    let narrow = Delegated {
        paths: &["v1"],
        ..delegated("targets/team/deep", &[&deep])
    };
    server.replace(
        "targets/team",
        &targets(1, &[], &[narrow]).to_string(),
        &[&alice],
    );
    server.add(
        "targets/team/deep",
        &[("v1", "one"), ("v2", "two")],
        &[&deep],
    );
    let set = server.load();
    assert!(judged(&set, "v1", "one", &named(&["targets/team/deep"])).is_ok());
    assert!(judged(&set, "v1", "one", &with_keys(&[&deep])).is_ok());
    // Outside the paths of the role there is nothing.
    assert!(judged(&set, "v2", "two", &named(&["targets/team/deep"])).is_err());
    assert!(by_digest(&set, "two", &named(&["targets/team/deep"])).is_err());
    // Under an expired parent the child does not exist.
    server.edit("targets/team", &[&alice], |body| {
        body["expires"] = json!("2026-12-01T00:00:00Z")
    });
    let set = server.load();
    let rejected = judged(&set, "v1", "one", &named(&["targets/team/deep"])).unwrap_err();
    assert!(
        matches!(
            &rejected,
            Rejection::SignerUnusable {
                state: DelegationState::Expired,
                ..
            }
        ),
        "{rejected}"
    );
    assert_eq!(rejected.reason(), Reason::Expired);
}

#[test]
fn the_proof_says_until_when_it_holds() {
    let (keys, mut server) = shop();
    let ends = |set: &TrustedSet, requirement: &Requirement| {
        judged(set, "1.0", "one", requirement)
            .unwrap()
            .expires()
            .unwrap()
    };
    server.edit("targets/alice", &[&keys.alice], |body| {
        body["expires"] = json!("2028-05-05T00:00:00Z")
    });
    let set = server.load();
    assert_eq!(
        ends(&set, &named(&["alice", "bob"])),
        at("2028-05-05T00:00:00Z")
    );
    assert_eq!(ends(&set, &named(&["bob"])), at("2029-01-02T03:04:05Z"));
    assert!(server.try_load(at(NOW)).is_ok());
}

#[test]
fn keys_are_compared_as_keys_and_not_as_text() {
    let bob = TestKey::rsa();
    let pem = std::fs::read(super::server::fixture("b-delegations/keys/bob.crt")).unwrap();
    let certified = acr_sign::format::dct::Key::new("rsa-x509", &pem);
    let list = Delegated {
        keys: vec![certified.clone()],
        ..delegated("targets/releases", &[])
    };
    let mut server = TrustServer::with(&[list], &[]);
    let body = targets(1, &[("1.0", "one")], &[]).to_string();
    server.store(
        "targets/releases",
        1,
        super::publisher::signed_under(&body, &[(certified.key_id(), &bob)]),
    );
    server.make_snapshot("2030-01-01T00:00:00Z");
    server.make_timestamp();
    let bare: PublicKey = bob.public();
    let requirement = Requirement {
        signers: vec![RequiredSigner::Key(bare)],
        ..Requirement::default()
    };
    assert_eq!(
        roles(&judged(&server.load(), "1.0", "one", &requirement).unwrap()),
        [TARGETS.as_str().to_owned() + "/releases"]
    );
}

/// Proofs that Alice, and that Bob, signed the image of `1.0`; and that Alice signed the one of
/// `2.0`.
pub fn proofs() -> [Verified; 3] {
    let (_, server) = shop();
    let set = server.load();
    let proof = |tag: &str, content: &str, signer: &str| {
        judged(&set, tag, content, &named(&[signer])).unwrap()
    };
    [
        proof("1.0", "one", "alice"),
        proof("1.0", "one", "bob"),
        proof("2.0", "two", "alice"),
    ]
}
