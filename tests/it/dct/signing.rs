//! Signing: drafts answered by local keys, published to a server that is as strict as notary's,
//! read back by the verifier.

use acr_sign::{
    crypto::{KeyKind, Signature},
    format::dct::{
        DraftError, Key, Publication, RoleName, Step, TrustedSet, Version,
        lookup::{self, ImageHashes},
        sign::{Change, prepare, roles_for},
    },
    oci::{Digest, Tag},
    reason::{Explain as _, Reason},
};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::{
    publisher::{NOW, Owner, TestKey, TrustServer, complete, key_text, owner, publics},
    repository::{Delegated, delegated},
    server::{at, role},
};

pub fn tag(text: &str) -> Tag {
    text.parse().unwrap()
}

pub fn entry(content: &str) -> ImageHashes {
    ImageHashes {
        digest: Digest::sha256(content.as_bytes()),
        length: 7,
        sha512: None,
    }
}

/// The image whose entry it is.
pub fn image(content: &str) -> ImageHashes {
    ImageHashes {
        sha512: Some(Digest::sha512(content.as_bytes())),
        ..entry(content)
    }
}

pub fn set_tags(tags: &[(&str, &str)]) -> Change {
    Change {
        set: tags
            .iter()
            .map(|(name, content)| (tag(name), entry(content)))
            .collect(),
        ..Change::default()
    }
}

pub(super) fn sha256(content: &str) -> String {
    BASE64.encode(Sha256::digest(content))
}

pub(super) fn names(publication: &Publication) -> Vec<&str> {
    publication
        .files
        .iter()
        .map(|(role, _)| role.as_str())
        .collect()
}

pub(super) fn roles(
    set: &TrustedSet,
    key: &TestKey,
    tags: &[&str],
) -> Result<Vec<RoleName>, DraftError> {
    let tags: Vec<Tag> = tags.iter().map(|name| tag(name)).collect();
    Ok(roles_for(set, &key.public(), &[], &tags)?
        .into_iter()
        .map(|(role, _)| role)
        .collect())
}

/// Signs as the command would: roles by docker's rule, one publication.
pub fn sign(
    server: &mut TrustServer,
    key: &TestKey,
    tags: &[(&str, &str)],
) -> (Publication, usize) {
    let set = server.load();
    let listed: Vec<&str> = tags.iter().map(|(name, _)| *name).collect();
    let roles = roles(&set, key, &listed).unwrap();
    let draft = prepare(&set, &set_tags(tags), &roles, &publics(&[key]), at(NOW)).unwrap();
    let (publication, count) = complete(draft, &[key]).unwrap();
    if !publication.files.is_empty() {
        server.publish(&publication);
    }
    (publication, count)
}

pub(super) fn alice_and_bob() -> (Owner, TestKey, TestKey, TrustServer) {
    let (owner, alice, bob) = (owner(), TestKey::ec(3), TestKey::rsa());
    let server = TrustServer::founded(&owner, &[("alice", &alice), ("bob", &bob)]);
    (owner, alice, bob, server)
}

#[test]
fn a_collection_without_signers_is_signed_with_the_targets_key() {
    let owner = owner();
    let mut server = TrustServer::founded(&owner, &[]);
    let (publication, signatures) = sign(
        &mut server,
        &owner.targets,
        &[("1.0", "one"), ("latest", "one")],
    );
    assert_eq!((names(&publication), signatures), (vec!["targets"], 1));
    let set = server.load();
    assert_eq!(lookup::pull(&set, "1.0").unwrap().entry, entry("one"));
    let targets = set.targets(&RoleName::TARGETS).unwrap();
    assert_eq!(targets.version.get(), 2);
    assert_eq!(targets.expires, at("2030-01-01T03:04:05Z"));
    let text = server.signed("targets");
    assert_eq!(
        text["targets"]["1.0"],
        json!({ "hashes": { "sha256": sha256("one") }, "length": 7 })
    );
}

#[test]
fn a_signer_writes_its_own_role_and_releases() {
    let (_, alice, bob, mut server) = alice_and_bob();
    let (publication, signatures) = sign(&mut server, &alice, &[("1.0", "one"), ("2.0", "two")]);
    assert_eq!(
        (names(&publication), signatures),
        (vec!["targets/alice", "targets/releases"], 2)
    );
    let (publication, _) = sign(&mut server, &bob, &[("2.0", "two"), ("3.0", "three")]);
    assert_eq!(names(&publication), ["targets/releases", "targets/bob"]);
    let set = server.load();
    assert_eq!(set.targets(&RoleName::RELEASES).unwrap().version.get(), 2);
    assert_eq!(
        set.targets(&role("targets/bob")).unwrap().version,
        Version::FIRST
    );
    for (name, content) in [("1.0", "one"), ("2.0", "two"), ("3.0", "three")] {
        let found = lookup::pull(&set, name).unwrap();
        assert_eq!(
            (found.role, found.entry),
            (RoleName::RELEASES, entry(content))
        );
    }
    assert_eq!(set.signers(&role("targets/bob"))[0].key, bob.public());
    let alone: Vec<_> = set
        .entries(&role("targets/alice"))
        .map(|(name, _)| name.to_owned())
        .collect();
    assert_eq!(alone, ["1.0", "2.0"]);
}

#[test]
fn keys_that_no_role_lists_are_refused_with_the_way_out() {
    let (owner, alice, _, server) = alice_and_bob();
    let stranger = TestKey::ec(9);
    let set = server.load();
    let refused = roles(&set, &stranger, &["1.0"]).unwrap_err();
    let id = stranger.listed().key_id();
    assert_eq!(refused.to_string(), format!("no role lists the key `{id}`"));
    assert_eq!(refused.reason(), Reason::KeyNotDelegated);
    assert!(refused.hint().unwrap().contains("trust signer add"));
    // With delegations, the targets key signs nothing unless it is asked to.
    assert!(matches!(
        roles(&set, &owner.targets, &["1.0"]),
        Err(DraftError::KeyNotDelegated { .. })
    ));
    let asked = |key: &TestKey, names: &[&str]| {
        let names: Vec<RoleName> = names.iter().map(|name| role(name)).collect();
        roles_for(&set, &key.public(), &names, &[tag("1.0")])
    };
    let found = asked(&owner.targets, &["targets"]).unwrap();
    assert_eq!(
        found,
        [(RoleName::TARGETS, owner.targets.listed().key_id())]
    );
    assert_eq!(asked(&alice, &["targets/alice"]).unwrap().len(), 1);
    assert!(matches!(
        asked(&alice, &["targets/bob"]),
        Err(DraftError::KeyNotInRole { .. })
    ));
    assert!(matches!(
        asked(&alice, &["targets/carol"]),
        Err(DraftError::NoSuchRole { .. })
    ));
    assert!(matches!(
        asked(&alice, &["root"]),
        Err(DraftError::NoSuchRole { .. })
    ));
    assert!(matches!(
        asked(&alice, &["snapshot"]),
        Err(DraftError::NoSuchRole { .. })
    ));
}

/// A targets file with one delegation each for `names`, of `key`.
fn delegating(key: &TestKey, roles: &[(&str, &str, u32)]) -> String {
    let id = key.listed().key_id();
    let role = |(name, paths, threshold): &(&str, &str, u32)| {
        format!(r#"{{"keyids":["{id}"],"name":"{name}","paths":{paths},"threshold":{threshold}}}"#)
    };
    let roles: Vec<String> = roles.iter().map(role).collect();
    format!(
        r#"{{"_type":"Targets","delegations":{{"keys":{{"{id}":{}}},"roles":[{}]}},"expires":"2029-01-02T03:04:05Z","targets":{{}},"version":5}}"#,
        key_text(&key.listed()),
        roles.join(",")
    )
}

#[test]
fn tags_go_to_the_roles_whose_paths_hold_them() {
    let (owner, alice) = (owner(), TestKey::ec(3));
    let mut server = TrustServer::founded(&owner, &[]);
    let body = delegating(
        &alice,
        &[
            ("targets/one", r#"["1."]"#, 1),
            ("targets/two", r#"["2.","3."]"#, 1),
        ],
    );
    server.replace("targets", &body, &[&owner.targets]);
    let set = server.load();
    assert_eq!(
        roles(&set, &alice, &["1.0"]).unwrap(),
        [role("targets/one")]
    );
    assert_eq!(
        roles(&set, &alice, &["1.0", "3.0"]).unwrap(),
        [role("targets/one"), role("targets/two")]
    );
    for tags in [&["4.0"][..], &["1.0", "4.0"]] {
        let Err(DraftError::OutsidePaths { tag: found, .. }) = roles(&set, &alice, tags) else {
            panic!("accepted")
        };
        assert_eq!(found, tag("4.0"));
    }
    let asked = roles_for(
        &set,
        &alice.public(),
        &[role("targets/one")],
        &[tag("1.0"), tag("2.0")],
    );
    assert!(matches!(asked, Err(DraftError::OutsidePaths { .. })));
    sign(&mut server, &alice, &[("1.0", "one"), ("2.0", "two")]);
    let set = server.load();
    let held = |name: &str| {
        set.targets(&role(name))
            .unwrap()
            .all()
            .map(|(tag, _)| tag.to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        (held("targets/one"), held("targets/two")),
        (vec!["1.0".to_owned()], vec!["2.0".to_owned()])
    );
}

#[test]
fn a_threshold_that_our_keys_do_not_reach_is_refused_before_any_signature() {
    let (owner, alice) = (owner(), TestKey::ec(3));
    let mut server = TrustServer::founded(&owner, &[]);
    server.replace(
        "targets",
        &delegating(&alice, &[("targets/team", r#"[""]"#, 2)]),
        &[&owner.targets],
    );
    let set = server.load();
    let held = publics(&[&alice]);
    let refused = prepare(
        &set,
        &set_tags(&[("1.0", "one")]),
        &[role("targets/team")],
        &held,
        at(NOW),
    )
    .unwrap_err();
    assert_eq!(
        refused.to_string(),
        "`targets/team` needs signatures by 2 of its keys, and 1 of them can sign here"
    );
    assert_eq!(refused.reason(), Reason::ThresholdNotMet);
}

#[test]
fn t05_one_key_under_two_ids_is_one_signer() {
    let bob = TestKey::rsa();
    let certificate = std::fs::read(super::server::fixture("b-delegations/keys/bob.crt")).unwrap();
    let twice = Delegated {
        threshold: json!(2),
        keys: vec![bob.listed(), Key::new("rsa-x509", &certificate)],
        ..delegated("targets/team", &[])
    };
    let set = TrustServer::with(&[twice], &[]).load();
    let held = publics(&[&bob]);
    let refused = prepare(
        &set,
        &set_tags(&[("1.0", "one")]),
        &[role("targets/team")],
        &held,
        at(NOW),
    )
    .unwrap_err();
    assert!(
        matches!(refused, DraftError::ThresholdNotHeld { held: 1, .. }),
        "{refused}"
    );
}

#[test]
fn a_change_that_no_role_may_make_or_of_another_hash_is_refused() {
    let (owner, alice) = (owner(), TestKey::ec(3));
    let mut server = TrustServer::founded(&owner, &[]);
    server.replace(
        "targets",
        &delegating(&alice, &[("targets/one", r#"["1."]"#, 1)]),
        &[&owner.targets],
    );
    let (set, held, roles) = (server.load(), publics(&[&alice]), [role("targets/one")]);
    let outside = prepare(
        &set,
        &set_tags(&[("1.0", "one"), ("4.0", "four")]),
        &roles,
        &held,
        at(NOW),
    );
    assert!(
        matches!(outside, Err(DraftError::OutsidePaths { tag: found, .. }) if found == tag("4.0"))
    );
    let digest: Digest = format!("sha512:{}", "0".repeat(128)).parse().unwrap();
    let change = Change {
        set: vec![(
            tag("1.0"),
            ImageHashes {
                digest,
                length: 7,
                sha512: None,
            },
        )],
        ..Change::default()
    };
    assert!(matches!(
        prepare(&set, &change, &roles, &held, at(NOW)),
        Err(DraftError::NotSha256 { .. })
    ));
}

#[test]
fn every_held_key_of_a_role_signs() {
    let (owner, alice, bob) = (owner(), TestKey::ec(3), TestKey::rsa());
    let mut server = TrustServer::founded(&owner, &[]);
    let ids = [alice.listed(), bob.listed()];
    let body = format!(
        r#"{{"_type":"Targets","delegations":{{"keys":{{{}}},"roles":[{{"keyids":["{}","{}"],"name":"targets/team","paths":[""],"threshold":2}}]}},"expires":"2029-01-02T03:04:05Z","targets":{{}},"version":5}}"#,
        {
            let mut keys = ids.each_ref().map(|key: &acr_sign::format::dct::Key| {
                format!("\"{}\":{}", key.key_id(), key_text(key))
            });
            keys.sort();
            keys.join(",")
        },
        ids[0].key_id(),
        ids[1].key_id(),
    );
    server.replace("targets", &body, &[&owner.targets]);
    let set = server.load();
    let held = publics(&[&bob, &alice, &owner.root]);
    let draft = prepare(
        &set,
        &set_tags(&[("1.0", "one")]),
        &[role("targets/team")],
        &held,
        at(NOW),
    )
    .unwrap();
    let (publication, signatures) = complete(draft, &[&alice, &bob]).unwrap();
    assert_eq!(signatures, 2);
    server.publish(&publication);
    assert_eq!(server.load().signers(&role("targets/team")).len(), 2);
}

#[test]
fn a_key_listed_as_a_certificate_signs_under_that_id() {
    let (owner, bob) = (owner(), TestKey::rsa());
    let mut server = TrustServer::founded(&owner, &[]);
    let pem = std::fs::read(super::server::fixture("b-delegations/keys/bob.crt")).unwrap();
    let certificate = acr_sign::format::dct::Key::new("rsa-x509", &pem);
    let id = certificate.key_id();
    assert_ne!(id, bob.listed().key_id());
    let body = format!(
        r#"{{"_type":"Targets","delegations":{{"keys":{{"{id}":{}}},"roles":[{{"keyids":["{id}"],"name":"targets/bob","paths":[""],"threshold":1}}]}},"expires":"2029-01-02T03:04:05Z","targets":{{}},"version":5}}"#,
        key_text(&certificate)
    );
    server.replace("targets", &body, &[&owner.targets]);
    let set = server.load();
    assert_eq!(
        roles_for(&set, &bob.public(), &[], &[tag("1.0")]).unwrap(),
        [(role("targets/bob"), id)]
    );
    sign(&mut server, &bob, &[("1.0", "one")]);
    assert_eq!(server.load().signers(&role("targets/bob"))[0].key_id, id);
}

#[test]
fn one_tag_is_one_image() {
    let (_, alice, _, server) = alice_and_bob();
    let set = server.load();
    let roles = roles(&set, &alice, &["1.0"]).unwrap();
    let draft = |change: Change| prepare(&set, &change, &roles, &publics(&[&alice]), at(NOW));
    assert!(draft(set_tags(&[("1.0", "one"), ("1.0", "one")])).is_ok());
    assert!(matches!(
        draft(set_tags(&[("1.0", "one"), ("1.0", "two")])),
        Err(DraftError::TagTwice { .. })
    ));
    let both = Change {
        remove: vec![tag("1.0")],
        ..set_tags(&[("1.0", "one")])
    };
    assert!(matches!(draft(both), Err(DraftError::TagTwice { .. })));
    let digest = format!("sha512:{}", "0".repeat(128)).parse().unwrap();
    let wide = Change {
        set: vec![(
            tag("1.0"),
            ImageHashes {
                digest,
                length: 1,
                sha512: None,
            },
        )],
        ..Change::default()
    };
    assert!(matches!(draft(wide), Err(DraftError::NotSha256 { .. })));
}

#[test]
fn k02_an_answer_of_another_key_is_not_published() {
    let (_, alice, _, server) = alice_and_bob();
    let set = server.load();
    let start = || {
        let draft = prepare(
            &set,
            &set_tags(&[("1.0", "one")]),
            &[role("targets/alice")],
            &publics(&[&alice]),
            at(NOW),
        )
        .unwrap();
        let (draft, Step::Sign(request)) = draft.step(None).unwrap() else {
            panic!("nothing to sign")
        };
        (draft, request)
    };
    let (draft, request) = start();
    assert_eq!(
        (request.role, request.key.kind()),
        (role("targets/alice"), KeyKind::EcP256)
    );
    let wrong = TestKey::ec(66).sign(request.scheme, &request.message);
    let refused = draft.step(Some(wrong)).unwrap_err();
    assert!(
        matches!(refused, DraftError::SignatureInvalid { .. }),
        "{refused}"
    );
    assert_eq!(refused.reason(), Reason::VaultAnswerInvalid);
    let (draft, _) = start();
    assert!(draft.step(Some(Signature(vec![0; 64]))).is_err());
    let (draft, _) = start();
    // Asking again without an answer is the same request.
    let (draft, Step::Sign(request)) = draft.step(None).unwrap() else {
        panic!("nothing to sign")
    };
    let (draft, Step::Done(_)) = draft
        .step(Some(alice.sign(request.scheme, &request.message)))
        .unwrap()
    else {
        panic!("more to sign")
    };
    assert!(matches!(
        draft.step(Some(Signature(vec![0; 64]))),
        Err(DraftError::Unasked)
    ));
}
