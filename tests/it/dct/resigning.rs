//! Signing what holds something already: what is left alone, renewed, kept byte for byte, or
//! refused.

use acr_sign::{
    format::dct::{
        DelegationState, DraftError, Publication, RoleName, Version, admin, lookup,
        sign::{Change, holds, prepare},
    },
    reason::{Explain as _, Reason},
};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha512};

use super::{
    publisher::{NOW, TestKey, TrustServer, complete, key_text, owner, publics, signed_by},
    server::{at, role},
    signing::{alice_and_bob, entry, names, roles, set_tags, sha256, sign, tag},
};

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
    let change = Change {
        renew: true,
        ..set_tags(&[("1.0", "one")])
    };
    let roles = roles(&set, &alice, &["1.0"]).unwrap();
    let draft = prepare(&set, &change, &roles, &publics(&[&alice]), at(NOW)).unwrap();
    let two = Version::new(2).unwrap();
    assert_eq!(
        draft.planned(),
        [(role("targets/alice"), two), (RoleName::RELEASES, two)]
    );
    server.publish(&complete(draft, &[&alice]).unwrap().0);
    assert_eq!(
        server.load().targets(&RoleName::RELEASES).unwrap().version,
        two
    );
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
        let draft = prepare(
            &set,
            &set_tags(&[("1.0", "one")]),
            &[RoleName::TARGETS],
            &held,
            now,
        )
        .unwrap();
        assert_eq!(draft.planned().len(), files, "{before}");
    }
}

#[test]
fn a_file_that_another_key_signed_is_signed_by_ours_too() {
    let (owner, other) = (owner(), TestKey::ec(9));
    let (alice, bob) = (TestKey::ec(3), TestKey::ec(4));
    let mut server = TrustServer::founded(&owner, &[("team", &alice)]);
    let set = server.load();
    let more = admin::add_signer(
        &set,
        &"team".parse().unwrap(),
        &publics(&[&bob]),
        &publics(&[&owner.targets]),
        at(NOW),
    );
    server.publish(&complete(more.unwrap(), &[&owner.targets]).unwrap().0);
    sign(&mut server, &alice, &[("1.0", "one")]);
    assert_eq!(
        names(&sign(&mut server, &bob, &[("1.0", "one")]).0),
        ["targets/team", "targets/releases"]
    );
    assert_eq!(
        server.load().signers(&RoleName::RELEASES)[0].key,
        bob.public()
    );
    assert!(matches!(
        roles(&server.load(), &other, &["1.0"]),
        Err(DraftError::KeyNotDelegated { .. })
    ));
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
    server.replace(
        "targets",
        &body("2029-01-02T03:04:05.12+05:30", 7, ""),
        &[&owner.targets],
    );
    let set = server.load();
    let draft = prepare(
        &set,
        &set_tags(&[("1.0", "hello")]),
        &[RoleName::TARGETS],
        &publics(&[&owner.targets]),
        at(NOW),
    );
    let (publication, _) = complete(draft.unwrap(), &[&owner.targets]).unwrap();
    // The new name sorts before `<`, by its bytes.
    let added = format!(r#""1.0":{{"hashes":{{"sha256":"{sum}"}},"length":7}},"#);
    let expected = signed_by(&body("2030-01-01T03:04:05Z", 8, &added), &[&owner.targets]);
    let (_, bytes) = &publication.files[0];
    let cut = |bytes: &[u8]| {
        String::from_utf8(bytes.to_vec())
            .unwrap()
            .split("\"sig\"")
            .next()
            .unwrap()
            .to_owned()
    };
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
    let change = Change {
        remove: vec![tag("1.0")],
        ..Change::default()
    };
    let draft = prepare(
        &server.load(),
        &change,
        &[RoleName::TARGETS],
        &held,
        at(NOW),
    )
    .unwrap();
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
    assert_eq!(
        set.delegation(&RoleName::RELEASES),
        Some(DelegationState::Expired)
    );
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
    let refused = prepare(
        &set,
        &set_tags(&[("2.0", "two")]),
        &roles,
        &publics(&[&alice]),
        at(NOW),
    )
    .unwrap_err();
    assert!(
        matches!(&refused, DraftError::ServedBelowThreshold { role } if *role == RoleName::RELEASES),
        "{refused}"
    );
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
    let refused = prepare(
        &set,
        &set_tags(&[("2.0", "two")]),
        &[RoleName::RELEASES],
        &publics(&[&alice]),
        at(NOW),
    )
    .unwrap_err();
    assert!(matches!(refused, DraftError::NotLoaded { .. }), "{refused}");
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
    let wire = String::from_utf8(signed)
        .unwrap()
        .replace('\u{1}', "\\u0001");
    server.store("targets", 5, wire.into_bytes());
    server.make_snapshot("2030-01-01T00:00:00Z");
    server.make_timestamp();
    let set = server.load();
    let held = publics(&[&owner.targets]);
    let draft = prepare(
        &set,
        &set_tags(&[("1.0", "one")]),
        &[RoleName::TARGETS],
        &held,
        at(NOW),
    )
    .unwrap();
    let refused = complete(draft, &[&owner.targets]).unwrap_err();
    assert!(
        matches!(refused, DraftError::Unpublishable { .. }),
        "{refused}"
    );
}
