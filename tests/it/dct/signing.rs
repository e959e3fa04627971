//! Signing: drafts answered by local keys, published to a server that is as strict as notary's, read back
//! by the verifier.

use acr_sign::{
    crypto::{KeyKind, Signature},
    format::dct::{
        DelegationState, DraftError, Key, Publication, RoleName, Step, TrustedSet, Version, admin, lookup,
        lookup::Entry,
        sign::{Change, holds, prepare, roles_for},
    },
    oci::{Digest, Tag},
    reason::{Explain as _, Reason},
};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use proptest::prelude::*;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256, Sha512};

use super::{
    publisher::{NOW, Owner, TestKey, TrustServer, complete, key_text, owner, publics, signed_by},
    repository::{Delegated, delegated},
    server::{at, role},
};

pub fn tag(text: &str) -> Tag {
    text.parse().unwrap()
}

pub fn entry(content: &str) -> Entry {
    Entry { digest: Digest::sha256(content.as_bytes()), length: 7 }
}

pub fn set_tags(tags: &[(&str, &str)]) -> Change {
    Change { set: tags.iter().map(|(name, content)| (tag(name), entry(content))).collect(), ..Change::default() }
}

fn sha256(content: &str) -> String {
    BASE64.encode(Sha256::digest(content))
}

fn names(publication: &Publication) -> Vec<&str> {
    publication.files.iter().map(|(role, _)| role.as_str()).collect()
}

fn roles(set: &TrustedSet, key: &TestKey, tags: &[&str]) -> Result<Vec<RoleName>, DraftError> {
    let tags: Vec<Tag> = tags.iter().map(|name| tag(name)).collect();
    Ok(roles_for(set, &key.public(), &[], &tags)?.into_iter().map(|(role, _)| role).collect())
}

/// Signs as the command would: roles by docker's rule, one publication.
pub fn sign(server: &mut TrustServer, key: &TestKey, tags: &[(&str, &str)]) -> (Publication, usize) {
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

fn alice_and_bob() -> (Owner, TestKey, TestKey, TrustServer) {
    let (owner, alice, bob) = (owner(), TestKey::ec(3), TestKey::rsa());
    let server = TrustServer::founded(&owner, &[("alice", &alice), ("bob", &bob)]);
    (owner, alice, bob, server)
}

#[test]
fn a_collection_without_signers_is_signed_with_the_targets_key() {
    let owner = owner();
    let mut server = TrustServer::founded(&owner, &[]);
    let (publication, signatures) = sign(&mut server, &owner.targets, &[("1.0", "one"), ("latest", "one")]);
    assert_eq!((names(&publication), signatures), (vec!["targets"], 1));
    let set = server.load();
    assert_eq!(lookup::pull(&set, "1.0").unwrap().entry, entry("one"));
    let targets = set.targets(&RoleName::TARGETS).unwrap();
    assert_eq!(targets.version.get(), 2);
    assert_eq!(targets.expires, at("2030-01-01T03:04:05Z"));
    let text = server.signed("targets");
    assert_eq!(text["targets"]["1.0"], json!({ "hashes": { "sha256": sha256("one") }, "length": 7 }));
}

#[test]
fn a_signer_writes_its_own_role_and_releases() {
    let (_, alice, bob, mut server) = alice_and_bob();
    let (publication, signatures) = sign(&mut server, &alice, &[("1.0", "one"), ("2.0", "two")]);
    assert_eq!((names(&publication), signatures), (vec!["targets/alice", "targets/releases"], 2));
    let (publication, _) = sign(&mut server, &bob, &[("2.0", "two"), ("3.0", "three")]);
    assert_eq!(names(&publication), ["targets/releases", "targets/bob"]);
    let set = server.load();
    assert_eq!(set.targets(&RoleName::RELEASES).unwrap().version.get(), 2);
    assert_eq!(set.targets(&role("targets/bob")).unwrap().version, Version::FIRST);
    for (name, content) in [("1.0", "one"), ("2.0", "two"), ("3.0", "three")] {
        let found = lookup::pull(&set, name).unwrap();
        assert_eq!((found.role, found.entry), (RoleName::RELEASES, entry(content)));
    }
    assert_eq!(set.signers(&role("targets/bob"))[0].key, bob.public());
    let alone: Vec<_> = set.entries(&role("targets/alice")).map(|(name, _)| name.to_owned()).collect();
    assert_eq!(alone, ["1.0", "2.0"]);
}

#[test]
fn what_is_signed_already_needs_no_signature() {
    let (_, alice, bob, mut server) = alice_and_bob();
    sign(&mut server, &alice, &[("1.0", "one")]);
    let (publication, signatures) = sign(&mut server, &alice, &[("1.0", "one")]);
    assert_eq!((publication, signatures), (Publication::default(), 0));
    // In releases nothing changes, so the second signer writes its own file only.
    let (publication, signatures) = sign(&mut server, &bob, &[("1.0", "one")]);
    assert_eq!((names(&publication), signatures), (vec!["targets/bob"], 1));
    let set = server.load();
    let roles = roles(&set, &bob, &["1.0"]).unwrap();
    assert!(holds(&set, &roles, &tag("1.0"), &entry("one")));
    assert!(!holds(&set, &roles, &tag("1.0"), &entry("other")));
    assert!(!holds(&set, &[], &tag("1.0"), &entry("one")));
}

#[test]
fn force_signs_again() {
    let (_, alice, _, mut server) = alice_and_bob();
    sign(&mut server, &alice, &[("1.0", "one")]);
    let set = server.load();
    let change = Change { renew: true, ..set_tags(&[("1.0", "one")]) };
    let roles = roles(&set, &alice, &["1.0"]).unwrap();
    let draft = prepare(&set, &change, &roles, &publics(&[&alice]), at(NOW)).unwrap();
    let two = Version::new(2).unwrap();
    assert_eq!(draft.planned(), [(role("targets/alice"), two), (RoleName::RELEASES, two)]);
    server.publish(&complete(draft, &[&alice]).unwrap().0);
    assert_eq!(server.load().targets(&RoleName::RELEASES).unwrap().version, two);
}

#[test]
fn a_file_in_the_last_tenth_of_its_life_is_signed_again() {
    let owner = owner();
    let mut server = TrustServer::founded(&owner, &[]);
    sign(&mut server, &owner.targets, &[("1.0", "one")]);
    let set = server.load();
    let end = set.targets(&RoleName::TARGETS).unwrap().expires;
    let tenth = 109 * 24 * 60 * 60;
    for (before, files) in [(tenth + 1, 0), (tenth, 1)] {
        let now = acr_sign::timestamp::Timestamp::from_unix(end.unix() - before).unwrap();
        let held = publics(&[&owner.targets]);
        let draft = prepare(&set, &set_tags(&[("1.0", "one")]), &[RoleName::TARGETS], &held, now).unwrap();
        assert_eq!(draft.planned().len(), files, "{before}");
    }
}

#[test]
fn a_file_that_another_key_signed_is_signed_by_ours_too() {
    let (owner, other) = (owner(), TestKey::ec(9));
    let (alice, bob) = (TestKey::ec(3), TestKey::ec(4));
    let mut server = TrustServer::founded(&owner, &[("team", &alice)]);
    let set = server.load();
    let more =
        admin::add_signer(&set, &"team".parse().unwrap(), &publics(&[&bob]), &publics(&[&owner.targets]), at(NOW));
    server.publish(&complete(more.unwrap(), &[&owner.targets]).unwrap().0);
    sign(&mut server, &alice, &[("1.0", "one")]);
    assert_eq!(names(&sign(&mut server, &bob, &[("1.0", "one")]).0), ["targets/team", "targets/releases"]);
    assert_eq!(server.load().signers(&RoleName::RELEASES)[0].key, bob.public());
    assert!(matches!(roles(&server.load(), &other, &["1.0"]), Err(DraftError::KeyNotDelegated { .. })));
}

#[test]
fn a_moved_tag_replaces_its_entry_only() {
    let (_, alice, _, mut server) = alice_and_bob();
    sign(&mut server, &alice, &[("1.0", "one"), ("2.0", "two")]);
    sign(&mut server, &alice, &[("1.0", "moved")]);
    let set = server.load();
    assert_eq!(lookup::pull(&set, "1.0").unwrap().entry, entry("moved"));
    assert_eq!(lookup::pull(&set, "2.0").unwrap().entry, entry("two"));
}

#[test]
fn t32_files_of_other_writers_are_kept_byte_for_byte_in_the_exact_form() {
    let owner = owner();
    let mut server = TrustServer::founded(&owner, &[]);
    let key = owner.targets.listed();
    let public = key_text(&key);
    let (id, sum) = (key.key_id(), sha256("hello"));
    let wide = BASE64.encode(Sha512::digest("hello"));
    // Each variant that exact-form.json calls good for a targets file, in one.
    let body = |expires: &str, version: u64, added: &str| {
        format!(
            concat!(
                r#"{{"_type":"Targets","delegations":{{"keys":{{"{id}":{public}}},"roles":["#,
                r#"{{"keyids":null,"name":"targets/none","threshold":1}},"#,
                r#"{{"keyids":["{id}"],"name":"targets/some","paths":["v<1","é"],"threshold":2}}]}},"#,
                r#""expires":"{expires}","targets":{{{added}"#,
                r#""<b>&\"\\":{{"custom":{{"a":[1,{{"<":">"}}],"z":"é"}},"hashes":{{"sha256":"{sum}"}},"length":1}},"#,
                r#""other":{{"hashes":{{"md5":"AAEC","sha256":"{sum}"}},"length":0}},"#,
                r#""wide":{{"hashes":{{"sha512":"{wide}"}},"length":9007199254740992}},"#,
                r#""é":{{"hashes":{{"sha256":"{sum}","sha512":"{wide}"}},"length":3}}}},"version":{version}}}"#
            ),
            id = id,
            public = public,
            expires = expires,
            added = added,
            sum = sum,
            wide = wide,
            version = version,
        )
    };
    server.replace("targets", &body("2029-01-02T03:04:05.12+05:30", 7, ""), &[&owner.targets]);
    let set = server.load();
    let draft =
        prepare(&set, &set_tags(&[("1.0", "hello")]), &[RoleName::TARGETS], &publics(&[&owner.targets]), at(NOW));
    let (publication, _) = complete(draft.unwrap(), &[&owner.targets]).unwrap();
    // The new name sorts before `<`, by its bytes.
    let added = format!(r#""1.0":{{"hashes":{{"sha256":"{sum}"}},"length":7}},"#);
    let expected = signed_by(&body("2030-01-01T03:04:05Z", 8, &added), &[&owner.targets]);
    let (_, bytes) = &publication.files[0];
    let cut = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap().split("\"sig\"").next().unwrap().to_owned();
    assert_eq!(cut(bytes), cut(&expected));
}

#[test]
fn null_lists_stay_null() {
    let owner = owner();
    let mut server = TrustServer::founded(&owner, &[]);
    let body = r#"{"_type":"Targets","delegations":{"keys":null,"roles":null},"expires":"2029-01-02T03:04:05Z","targets":null,"version":5}"#;
    server.replace("targets", body, &[&owner.targets]);
    let set = server.load();
    let name = "alice".parse().unwrap();
    let alice = TestKey::ec(3);
    let held = publics(&[&owner.targets]);
    let draft = admin::add_signer(&set, &name, &publics(&[&alice]), &held, at(NOW)).unwrap();
    server.publish(&complete(draft, &[&owner.targets]).unwrap().0);
    assert_eq!(server.signed("targets")["targets"], Value::Null);
    // Taking out what is not there changes nothing.
    let change = Change { remove: vec![tag("1.0")], ..Change::default() };
    let draft = prepare(&server.load(), &change, &[RoleName::TARGETS], &held, at(NOW)).unwrap();
    assert_eq!(draft.planned(), []);
}

#[test]
fn members_that_are_not_of_the_format_are_never_written() {
    let owner = owner();
    let mut server = TrustServer::founded(&owner, &[]);
    let body = r#"{"_type":"Targets","delegations":{"keys":{},"roles":[]},"expires":"2029-01-02T03:04:05Z","extra":[1],"targets":{"a":{"extra":true,"hashes":{"sha256":"LPJNul+wow4m6DsqxbninhsWHlwfp1JecwQzYpOLmCQ="},"length":1}},"version":5}"#;
    server.replace("targets", body, &[&owner.targets]);
    let (publication, _) = sign(&mut server, &owner.targets, &[("1.0", "one")]);
    let text = String::from_utf8(publication.files[0].1.clone()).unwrap();
    assert!(!text.contains("extra"), "{text}");
    assert_eq!(lookup::pull(&server.load(), "a").unwrap().entry.length, 1);
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
    assert!(matches!(roles(&set, &owner.targets, &["1.0"]), Err(DraftError::KeyNotDelegated { .. })));
    let asked = |key: &TestKey, names: &[&str]| {
        let names: Vec<RoleName> = names.iter().map(|name| role(name)).collect();
        roles_for(&set, &key.public(), &names, &[tag("1.0")])
    };
    let found = asked(&owner.targets, &["targets"]).unwrap();
    assert_eq!(found, [(RoleName::TARGETS, owner.targets.listed().key_id())]);
    assert_eq!(asked(&alice, &["targets/alice"]).unwrap().len(), 1);
    assert!(matches!(asked(&alice, &["targets/bob"]), Err(DraftError::KeyNotInRole { .. })));
    assert!(matches!(asked(&alice, &["targets/carol"]), Err(DraftError::NoSuchRole { .. })));
    assert!(matches!(asked(&alice, &["root"]), Err(DraftError::NoSuchRole { .. })));
    assert!(matches!(asked(&alice, &["snapshot"]), Err(DraftError::NoSuchRole { .. })));
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
    let body = delegating(&alice, &[("targets/one", r#"["1."]"#, 1), ("targets/two", r#"["2.","3."]"#, 1)]);
    server.replace("targets", &body, &[&owner.targets]);
    let set = server.load();
    assert_eq!(roles(&set, &alice, &["1.0"]).unwrap(), [role("targets/one")]);
    assert_eq!(roles(&set, &alice, &["1.0", "3.0"]).unwrap(), [role("targets/one"), role("targets/two")]);
    for tags in [&["4.0"][..], &["1.0", "4.0"]] {
        let Err(DraftError::OutsidePaths { tag: found, .. }) = roles(&set, &alice, tags) else { panic!("accepted") };
        assert_eq!(found, tag("4.0"));
    }
    let asked = roles_for(&set, &alice.public(), &[role("targets/one")], &[tag("1.0"), tag("2.0")]);
    assert!(matches!(asked, Err(DraftError::OutsidePaths { .. })));
    sign(&mut server, &alice, &[("1.0", "one"), ("2.0", "two")]);
    let set = server.load();
    let held = |name: &str| set.targets(&role(name)).unwrap().all().map(|(tag, _)| tag.to_owned()).collect::<Vec<_>>();
    assert_eq!((held("targets/one"), held("targets/two")), (vec!["1.0".to_owned()], vec!["2.0".to_owned()]));
}

#[test]
fn a_threshold_that_our_keys_do_not_reach_is_refused_before_any_signature() {
    let (owner, alice) = (owner(), TestKey::ec(3));
    let mut server = TrustServer::founded(&owner, &[]);
    server.replace("targets", &delegating(&alice, &[("targets/team", r#"[""]"#, 2)]), &[&owner.targets]);
    let set = server.load();
    let held = publics(&[&alice]);
    let refused = prepare(&set, &set_tags(&[("1.0", "one")]), &[role("targets/team")], &held, at(NOW)).unwrap_err();
    assert_eq!(refused.to_string(), "`targets/team` wants the signatures of 2 keys, and 1 of them can sign here");
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
    let refused = prepare(&set, &set_tags(&[("1.0", "one")]), &[role("targets/team")], &held, at(NOW)).unwrap_err();
    assert!(matches!(refused, DraftError::ThresholdNotHeld { held: 1, .. }), "{refused}");
}

#[test]
fn a_change_that_no_role_may_make_or_of_another_hash_is_refused() {
    let (owner, alice) = (owner(), TestKey::ec(3));
    let mut server = TrustServer::founded(&owner, &[]);
    server.replace("targets", &delegating(&alice, &[("targets/one", r#"["1."]"#, 1)]), &[&owner.targets]);
    let (set, held, roles) = (server.load(), publics(&[&alice]), [role("targets/one")]);
    let outside = prepare(&set, &set_tags(&[("1.0", "one"), ("4.0", "four")]), &roles, &held, at(NOW));
    assert!(matches!(outside, Err(DraftError::OutsidePaths { tag: found, .. }) if found == tag("4.0")));
    let digest: Digest = format!("sha512:{}", "0".repeat(128)).parse().unwrap();
    let change = Change { set: vec![(tag("1.0"), Entry { digest, length: 7 })], ..Change::default() };
    assert!(matches!(prepare(&set, &change, &roles, &held, at(NOW)), Err(DraftError::NotSha256 { .. })));
}

#[test]
fn every_held_key_of_a_role_signs() {
    let (owner, alice, bob) = (owner(), TestKey::ec(3), TestKey::rsa());
    let mut server = TrustServer::founded(&owner, &[]);
    let ids = [alice.listed(), bob.listed()];
    let body = format!(
        r#"{{"_type":"Targets","delegations":{{"keys":{{{}}},"roles":[{{"keyids":["{}","{}"],"name":"targets/team","paths":[""],"threshold":2}}]}},"expires":"2029-01-02T03:04:05Z","targets":{{}},"version":5}}"#,
        {
            let mut keys = ids
                .each_ref()
                .map(|key: &acr_sign::format::dct::Key| format!("\"{}\":{}", key.key_id(), key_text(key)));
            keys.sort();
            keys.join(",")
        },
        ids[0].key_id(),
        ids[1].key_id(),
    );
    server.replace("targets", &body, &[&owner.targets]);
    let set = server.load();
    let held = publics(&[&bob, &alice, &owner.root]);
    let draft = prepare(&set, &set_tags(&[("1.0", "one")]), &[role("targets/team")], &held, at(NOW)).unwrap();
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
    assert_eq!(roles_for(&set, &bob.public(), &[], &[tag("1.0")]).unwrap(), [(role("targets/bob"), id)]);
    sign(&mut server, &bob, &[("1.0", "one")]);
    assert_eq!(server.load().signers(&role("targets/bob"))[0].key_id, id);
}

#[test]
fn t32_an_expired_delegation_is_renewed_with_what_it_held() {
    let (_, alice, _, mut server) = alice_and_bob();
    sign(&mut server, &alice, &[("1.0", "one")]);
    for name in ["targets/alice", "targets/releases"] {
        let mut body = server.signed(name);
        body["expires"] = json!("2026-12-01T00:00:00Z");
        body["version"] = json!(5);
        server.replace(name, &body.to_string(), &[&alice]);
    }
    let set = server.load();
    assert_eq!(set.delegation(&RoleName::RELEASES), Some(DelegationState::Expired));
    let (publication, _) = sign(&mut server, &alice, &[("2.0", "two")]);
    assert_eq!(names(&publication), ["targets/alice", "targets/releases"]);
    let set = server.load();
    assert_eq!(set.targets(&RoleName::RELEASES).unwrap().version.get(), 6);
    assert_eq!(lookup::pull(&set, "1.0").unwrap().entry, entry("one"));
}

#[test]
fn t32_a_delegation_below_its_threshold_is_not_signed_again() {
    let (_, alice, _, mut server) = alice_and_bob();
    sign(&mut server, &alice, &[("1.0", "one")]);
    let mut body = server.signed("targets/releases");
    body["version"] = json!(5);
    body["targets"]["evil"] = body["targets"]["1.0"].clone();
    server.replace("targets/releases", &body.to_string(), &[&TestKey::ec(66)]);
    let set = server.load();
    let roles = roles(&set, &alice, &["2.0"]).unwrap();
    let refused = prepare(&set, &set_tags(&[("2.0", "two")]), &roles, &publics(&[&alice]), at(NOW)).unwrap_err();
    assert!(matches!(&refused, DraftError::ServedBelowThreshold { role } if *role == RoleName::RELEASES), "{refused}");
    assert_eq!(refused.reason(), Reason::ThresholdNotMet);
}

#[test]
fn a_delegation_that_was_not_loaded_is_refused() {
    let (_, alice, _, mut server) = alice_and_bob();
    sign(&mut server, &alice, &[("1.0", "one")]);
    let mut set = server.load().reread();
    let get = |name: &str| server.server.get(name).unwrap();
    set.update_timestamp(&get("timestamp.json")).unwrap();
    set.update_snapshot(&get("snapshot.json")).unwrap();
    set.update_targets(&get("targets.json")).unwrap();
    let refused =
        prepare(&set, &set_tags(&[("2.0", "two")]), &[RoleName::RELEASES], &publics(&[&alice]), at(NOW)).unwrap_err();
    assert!(matches!(refused, DraftError::NotLoaded { .. }), "{refused}");
}

#[test]
fn one_tag_is_one_image() {
    let (_, alice, _, server) = alice_and_bob();
    let set = server.load();
    let roles = roles(&set, &alice, &["1.0"]).unwrap();
    let draft = |change: Change| prepare(&set, &change, &roles, &publics(&[&alice]), at(NOW));
    assert!(draft(set_tags(&[("1.0", "one"), ("1.0", "one")])).is_ok());
    assert!(matches!(draft(set_tags(&[("1.0", "one"), ("1.0", "two")])), Err(DraftError::TagTwice { .. })));
    let both = Change { remove: vec![tag("1.0")], ..set_tags(&[("1.0", "one")]) };
    assert!(matches!(draft(both), Err(DraftError::TagTwice { .. })));
    let digest = format!("sha512:{}", "0".repeat(128)).parse().unwrap();
    let wide = Change { set: vec![(tag("1.0"), Entry { digest, length: 1 })], ..Change::default() };
    assert!(matches!(draft(wide), Err(DraftError::NotSha256 { .. })));
}

#[test]
fn k02_an_answer_of_another_key_is_not_published() {
    let (_, alice, _, server) = alice_and_bob();
    let set = server.load();
    let start = || {
        let draft = prepare(&set, &set_tags(&[("1.0", "one")]), &[role("targets/alice")], &publics(&[&alice]), at(NOW))
            .unwrap();
        let (draft, Step::Sign(request)) = draft.step(None).unwrap() else { panic!("nothing to sign") };
        (draft, request)
    };
    let (draft, request) = start();
    assert_eq!((request.role, request.key.kind()), (role("targets/alice"), KeyKind::EcP256));
    let wrong = TestKey::ec(66).sign(request.scheme, &request.message);
    let refused = draft.step(Some(wrong)).unwrap_err();
    assert!(matches!(refused, DraftError::SignatureInvalid { .. }), "{refused}");
    assert_eq!(refused.reason(), Reason::VaultAnswerInvalid);
    let (draft, _) = start();
    assert!(draft.step(Some(Signature(vec![0; 64]))).is_err());
    let (draft, _) = start();
    // Asking again without an answer is the same request.
    let (draft, Step::Sign(request)) = draft.step(None).unwrap() else { panic!("nothing to sign") };
    let (draft, Step::Done(_)) = draft.step(Some(alice.sign(request.scheme, &request.message))).unwrap() else {
        panic!("more to sign")
    };
    assert!(matches!(draft.step(Some(Signature(vec![0; 64]))), Err(DraftError::Unasked)));
}

#[test]
fn a_control_character_in_a_foreign_entry_stops_the_publication() {
    let owner = owner();
    let mut server = TrustServer::founded(&owner, &[]);
    let sum = sha256("hello");
    let body = format!(
        "{{\"_type\":\"Targets\",\"delegations\":{{\"keys\":{{}},\"roles\":[]}},\"expires\":\"2029-01-02T03:04:05Z\",\"targets\":{{\"a\u{1}\":{{\"hashes\":{{\"sha256\":\"{sum}\"}},\"length\":1}}}},\"version\":5}}"
    );
    let signed = signed_by(&body, &[&owner.targets]);
    let wire = String::from_utf8(signed).unwrap().replace('\u{1}', "\\u0001");
    server.store("targets", 5, wire.into_bytes());
    server.make_snapshot("2030-01-01T00:00:00Z");
    server.make_timestamp();
    let set = server.load();
    let held = publics(&[&owner.targets]);
    let draft = prepare(&set, &set_tags(&[("1.0", "one")]), &[RoleName::TARGETS], &held, at(NOW)).unwrap();
    let refused = complete(draft, &[&owner.targets]).unwrap_err();
    assert!(matches!(refused, DraftError::Unpublishable { .. }), "{refused}");
}

#[derive(Clone, Debug)]
enum Act {
    Set(usize, u8, u8),
    Remove(usize, u8),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        3 => (0..2_usize, 0..5_u8, 0..4_u8).prop_map(|(who, name, content)| Act::Set(who, name, content)),
        1 => (0..2_usize, 0..5_u8).prop_map(|(who, name)| Act::Remove(who, name)),
    ];
    prop::collection::vec(act, 1..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever two signers do, a pull takes what was last released, and nobody's own entries are lost.
    #[test]
    fn t27_what_was_published_last_is_what_a_pull_takes(acts in acts()) {
        let (_, alice, bob, mut server) = alice_and_bob();
        let mut released = std::collections::BTreeMap::new();
        let mut own = [released.clone(), released.clone()];
        for act in acts {
            match act {
                Act::Set(who, name, content) => {
                    let (name, content) = (format!("v{name}"), format!("image {content}"));
                    sign(&mut server, [&alice, &bob][who], &[(&name, &content)]);
                    own[who].insert(name.clone(), content.clone());
                    released.insert(name, content);
                }
                Act::Remove(who, name) => {
                    let (key, name) = ([&alice, &bob][who], format!("v{name}"));
                    let held = publics(&[key]);
                    let draft = admin::revoke(&server.load(), &[tag(&name)], &held, at(NOW)).unwrap();
                    let (publication, _) = complete(draft, &[key]).unwrap();
                    server.publish(&publication);
                    own[who].remove(&name);
                    released.remove(&name);
                }
            }
        }
        let set = server.load();
        let held = |name: &str| {
            let role = role(name);
            let entries = set.entries(&role).map(|(tag, meta)| (tag.to_owned(), Entry::of(meta).unwrap()));
            entries.collect::<Vec<_>>()
        };
        let expected = |model: &std::collections::BTreeMap<String, String>| {
            model.iter().map(|(name, content)| (name.clone(), entry(content))).collect::<Vec<_>>()
        };
        prop_assert_eq!(held("targets/releases"), expected(&released));
        prop_assert_eq!(held("targets/alice"), expected(&own[0]));
        prop_assert_eq!(held("targets/bob"), expected(&own[1]));
    }
}
