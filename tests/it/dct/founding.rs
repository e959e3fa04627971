//! New collections, added signers, revoked tags.

use acr_sign::{
    crypto::{Certificate, KeyKind, PublicKey, Scheme, Signature},
    format::dct::{
        DraftError, Key, RoleName, RootTrust, SignerName, Step, admin,
        init::{self, SnapshotKey},
        lookup, sign,
    },
    reason::{Explain as _, Reason},
    timestamp::Timestamp,
};
use serde_json::{Value, json};

use super::{
    publisher::{NOW, Owner, TestKey, TrustServer, complete, key_text, owner, publics},
    server::{at, load, role},
    signing::{entry, set_tags, sign as sign_tags, tag},
};

fn certificate(server: &TrustServer) -> (Key, Certificate) {
    let root = server.load().root().clone();
    let key = root.keys_of(&RoleName::ROOT)[0].clone();
    let [certificate] = &key.certificates().unwrap()[..] else {
        panic!("one certificate")
    };
    (key, certificate.clone())
}

#[test]
fn a_new_collection_is_what_the_verifier_takes() {
    for root in [TestKey::ec(1), TestKey::rsa()] {
        let owner = Owner {
            root,
            targets: TestKey::ec(2),
        };
        let mut server = TrustServer::new();
        let new = server.collection(&owner, &[("alice", &TestKey::ec(3))]);
        let publication = server.found(new, &[&owner.root, &owner.targets]);
        let names: Vec<_> = publication
            .files
            .iter()
            .map(|(role, _)| role.as_str())
            .collect();
        assert_eq!(names, ["root", "targets"]);
        let set = server.load();
        assert_eq!(
            (set.root().version.get(), set.root().expires),
            (1, at("2036-12-30T03:04:05Z"))
        );
        assert_eq!(
            set.targets(&RoleName::TARGETS).unwrap().expires,
            at("2030-01-01T03:04:05Z")
        );
        // The canonical ID of the root key is a pin as well.
        let canonical = RootTrust::Keys(vec![owner.root.listed().key_id()]);
        assert!(load(&server.server, &server.gun, canonical, None, at(NOW)).is_ok());
    }
}

#[test]
fn the_root_certificate_is_as_notary_makes_it() {
    for (root, key_type) in [(TestKey::ec(1), "ecdsa-x509"), (TestKey::rsa(), "rsa-x509")] {
        let owner = Owner {
            root,
            targets: TestKey::ec(2),
        };
        let server = TrustServer::founded(&owner, &[]);
        let (key, certificate) = certificate(&server);
        assert_eq!((key.key_type(), key.key_id()), (key_type, server.pin));
        assert_eq!(key.canonical_id(), owner.root.listed().key_id());
        assert_eq!(
            certificate.common_name().as_deref(),
            Some("contoso.azurecr.io/web/app")
        );
        assert_eq!(certificate.subject(), certificate.issuer());
        assert!(
            certificate.is_issued_by(&certificate)
                && !certificate.is_ca()
                && !certificate.signed_with_sha1()
        );
        assert_eq!(certificate.not_before(), at("2027-01-02T03:04:05Z"));
        assert_eq!(certificate.not_after(), at("2036-12-30T03:04:05Z"));
        let usage = certificate.key_usage().unwrap();
        assert!(usage.digital_signature() && usage.key_encipherment() && !usage.key_cert_sign());
        let purposes = certificate.extended_key_usages().unwrap();
        assert_eq!(purposes[0].to_string(), "1.3.6.1.5.5.7.3.3");
        assert!(!certificate.has_unknown_critical_extension());
    }
}

#[test]
fn a_name_longer_than_x520_allows_is_a_common_name() {
    let long = format!(
        "contoso.azurecr.io/{}",
        "long-name/".repeat(20).trim_end_matches('/')
    );
    let owner = owner();
    let mut server = TrustServer::named(&long);
    let new = server.collection(&owner, &[]);
    server.found(new, &[&owner.root, &owner.targets]);
    assert_eq!(certificate(&server).1.common_name(), Some(long));
}

#[test]
fn signers_are_laid_out_as_docker_does() {
    let (owner, alice, bob) = (owner(), TestKey::ec(3), TestKey::rsa());
    let server = TrustServer::founded(&owner, &[("alice", &alice), ("bob", &bob)]);
    let ids = [
        alice.listed().key_id().to_string(),
        bob.listed().key_id().to_string(),
    ];
    let role = |name: &str, ids: &[String]| json!({"keyids": ids, "name": name, "paths": [""], "threshold": 1});
    assert_eq!(
        server.signed("targets")["delegations"]["roles"],
        json!([
            role("targets/alice", &ids[..1]),
            role("targets/releases", &ids),
            role("targets/bob", &ids[1..])
        ])
    );
}

#[test]
fn a_snapshot_key_of_our_own_signs_the_snapshot() {
    let (owner, snapshot, alice) = (owner(), TestKey::ec(7), TestKey::ec(3));
    let mut server = TrustServer::new();
    let mut new = server.collection(&owner, &[("alice", &alice)]);
    new.snapshot = SnapshotKey::Held(snapshot.public());
    let publication = server.found(new, &[&owner.root, &owner.targets, &snapshot]);
    let names: Vec<_> = publication
        .files
        .iter()
        .map(|(role, _)| role.as_str())
        .collect();
    assert_eq!(names, ["root", "targets", "snapshot"]);
    let set = server.load();
    let change = set_tags(&[("1.0", "one")]);
    let roles = [role("targets/alice"), RoleName::RELEASES];
    let held = publics(&[&alice, &snapshot]);
    let draft = sign::prepare(&set, &change, &roles, &held, at(NOW)).unwrap();
    assert_eq!(
        draft
            .planned()
            .last()
            .map(|(role, version)| (role.as_str().to_owned(), version.get())),
        Some(("snapshot".into(), 2))
    );
    let (publication, signatures) = complete(draft, &[&alice, &snapshot]).unwrap();
    assert_eq!((publication.files.len(), signatures), (3, 3));
    server.publish(&publication);
    assert_eq!(
        lookup::pull(&server.load(), "1.0").unwrap().entry,
        entry("one")
    );
    let listed: Vec<_> = server.signed("snapshot")["meta"]
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect();
    assert_eq!(
        listed,
        ["root", "targets", "targets/alice", "targets/releases"]
    );
    // Without the snapshot key only the files are drafted, and where nothing changes not even they.
    let files = |tags| {
        let set = server.load();
        sign::prepare(&set, &set_tags(tags), &roles, &publics(&[&alice]), at(NOW))
            .unwrap()
            .planned()
            .len()
    };
    assert_eq!(files(&[("2.0", "two")]), 2);
    assert_eq!(files(&[("1.0", "one")]), 0);
}

#[test]
fn the_first_request_is_for_the_certificate() {
    let owner = owner();
    let server = TrustServer::new();
    let start = || {
        let draft = init::prepare(server.collection(&owner, &[]), at(NOW)).unwrap();
        let (draft, Step::Sign(request)) = draft.step(None).unwrap() else {
            panic!("nothing to sign")
        };
        (draft, request)
    };
    let (draft, request) = start();
    assert_eq!(
        (request.role, request.scheme),
        (RoleName::ROOT, Scheme::EcdsaSha256)
    );
    assert_eq!(draft.root_key_id(), None);
    assert_eq!(&request.message[..2], [0x30, 0x82]);
    let wrong = draft.step(Some(Signature(vec![1; 64]))).unwrap_err();
    assert!(
        matches!(wrong, DraftError::SignatureInvalid { .. }),
        "{wrong}"
    );
    let (draft, request) = start();
    let (draft, Step::Sign(next)) = draft
        .step(Some(owner.root.sign(request.scheme, &request.message)))
        .unwrap()
    else {
        panic!("nothing more to sign")
    };
    assert_eq!(
        (next.role, Some(next.key_id)),
        (RoleName::ROOT, draft.root_key_id())
    );
}

#[test]
fn keys_of_other_kinds_found_nothing() {
    let wide = p384::ecdsa::SigningKey::from_slice(&[5; 48]).unwrap();
    let point = wide.verifying_key().to_sec1_point(false);
    let p384 =
        PublicKey::from_ec_coordinates(KeyKind::EcP384, point.x().unwrap(), point.y().unwrap())
            .unwrap();
    let owner = owner();
    let server = TrustServer::new();
    let refused = |change: &dyn Fn(&mut init::NewCollection)| {
        let mut new = server.collection(&owner, &[]);
        change(&mut new);
        init::prepare(new, at(NOW)).unwrap_err()
    };
    for refused in [
        refused(&|new| new.root_key = p384.clone()),
        refused(&|new| new.targets_key = p384.clone()),
        refused(&|new| new.snapshot = SnapshotKey::Held(p384.clone())),
        refused(&|new| new.signers = vec![("alice".parse().unwrap(), vec![p384.clone()])]),
    ] {
        assert_eq!(
            refused.to_string(),
            "a P-384 key cannot sign Docker Content Trust data"
        );
        assert_eq!(refused.reason(), Reason::KeyUnsuitable);
    }
    let none = refused(&|new| new.signers = vec![("alice".parse().unwrap(), vec![])]);
    assert!(matches!(none, DraftError::SignerWithoutKey { .. }));
}

#[test]
fn a_server_key_that_is_none_is_refused() {
    let good = key_text(&TestKey::ec(5).listed());
    assert!(init::server_key(&RoleName::TIMESTAMP, good.as_bytes()).is_ok());
    for bad in [
        "",
        "{}",
        "<html>",
        r#"{"keytype":"ecdsa","keyval":{"public":"AAAA"}}"#,
        r#"{"keytype":"dsa","keyval":{"public":"AAAA"}}"#,
    ] {
        let refused = init::server_key(&RoleName::TIMESTAMP, bad.as_bytes()).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "the trust server's `timestamp` key cannot be used",
            "{bad}"
        );
        assert_eq!(refused.reason(), Reason::AnswerInvalid);
    }
}

fn add(server: &mut TrustServer, owner: &Owner, name: &str, keys: &[PublicKey]) -> usize {
    let name: SignerName = name.parse().unwrap();
    let draft = admin::add_signer(
        &server.load(),
        &name,
        keys,
        &publics(&[&owner.targets]),
        at(NOW),
    )
    .unwrap();
    let (publication, signatures) = complete(draft, &[&owner.targets]).unwrap();
    if !publication.files.is_empty() {
        server.publish(&publication);
    }
    signatures
}

#[test]
fn a_signer_is_added_once() {
    let (owner, alice, bob) = (owner(), TestKey::ec(3), TestKey::rsa());
    let mut server = TrustServer::founded(&owner, &[]);
    sign_tags(&mut server, &owner.targets, &[("1.0", "one")]);
    assert_eq!(add(&mut server, &owner, "alice", &publics(&[&alice])), 1);
    assert_eq!(add(&mut server, &owner, "alice", &publics(&[&alice])), 0);
    assert_eq!(
        add(&mut server, &owner, "alice", &publics(&[&alice, &bob])),
        1
    );
    let set = server.load();
    let targets = set.targets(&RoleName::TARGETS).unwrap();
    assert_eq!(targets.version.get(), 4);
    assert_eq!(
        targets
            .delegation(&role("targets/alice"))
            .unwrap()
            .key_ids
            .as_ref()
            .unwrap()
            .len(),
        2
    );
    assert_eq!(
        targets
            .delegation(&RoleName::RELEASES)
            .unwrap()
            .key_ids
            .as_ref()
            .unwrap()
            .len(),
        2
    );
    assert_eq!(targets.target("1.0").unwrap().length, 7);
    sign_tags(&mut server, &bob, &[("2.0", "two")]);
    assert_eq!(
        lookup::pull(&server.load(), "2.0").unwrap().role,
        RoleName::RELEASES
    );
}

#[test]
fn a_key_that_is_listed_as_a_certificate_is_not_added_again() {
    let (owner, bob) = (owner(), TestKey::rsa());
    let mut server = TrustServer::founded(&owner, &[]);
    let pem = std::fs::read(super::server::fixture("b-delegations/keys/bob.crt")).unwrap();
    let listed = Key::new("rsa-x509", &pem);
    let id = listed.key_id().to_string();
    let mut body = server.signed("targets");
    body["version"] = json!(5);
    body["delegations"] = json!({
        "keys": { &id: serde_json::from_str::<Value>(&key_text(&listed)).unwrap() },
        "roles": [
            { "keyids": [id], "name": "targets/bob", "paths": [""], "threshold": 1 },
            { "keyids": null, "name": "targets/releases", "paths": [""], "threshold": 1 },
        ],
    });
    server.replace("targets", &body.to_string(), &[&owner.targets]);
    assert_eq!(add(&mut server, &owner, "bob", &publics(&[&bob])), 1);
    let roles = &server.signed("targets")["delegations"]["roles"];
    assert_eq!(roles[0]["keyids"], json!([id]));
    assert_eq!(
        roles[1]["keyids"],
        json!([bob.listed().key_id().to_string()])
    );
}

#[test]
fn only_the_targets_key_adds_signers() {
    let (owner, alice) = (owner(), TestKey::ec(3));
    let server = TrustServer::founded(&owner, &[("alice", &alice)]);
    let name = "bob".parse().unwrap();
    let refused = admin::add_signer(
        &server.load(),
        &name,
        &publics(&[&TestKey::ec(9)]),
        &publics(&[&alice]),
        at(NOW),
    )
    .unwrap_err();
    assert!(
        matches!(&refused, DraftError::KeyNotInRole { role, .. } if *role == RoleName::TARGETS),
        "{refused}"
    );
}

#[test]
fn more_signers_than_readers_take_are_refused() {
    let (owner, alice) = (owner(), TestKey::ec(3));
    let names: Vec<String> = (0..100).map(|number| format!("signer-{number}")).collect();
    let signers: Vec<(&str, &TestKey)> = names.iter().map(|name| (name.as_str(), &alice)).collect();
    let server = TrustServer::new();
    let draft = init::prepare(server.collection(&owner, &signers), at(NOW)).unwrap();
    let refused = complete(draft, &[&owner.root, &owner.targets]).unwrap_err();
    assert_eq!(refused.reason(), Reason::LimitReached);
}

#[test]
fn a_tag_is_revoked_where_the_key_may_write() {
    let (owner, alice, bob) = (owner(), TestKey::ec(3), TestKey::rsa());
    let mut server = TrustServer::founded(&owner, &[("alice", &alice), ("bob", &bob)]);
    sign_tags(&mut server, &alice, &[("1.0", "one"), ("2.0", "two")]);
    sign_tags(&mut server, &bob, &[("1.0", "one")]);
    let revoke = |server: &TrustServer, key: &TestKey, tags: &[&str]| {
        let tags: Vec<_> = tags.iter().map(|name| tag(name)).collect();
        admin::revoke(&server.load(), &tags, &publics(&[key]), at(NOW))
    };
    let draft = revoke(&server, &alice, &["1.0"]).unwrap();
    let (publication, signatures) = complete(draft, &[&alice]).unwrap();
    assert_eq!((publication.files.len(), signatures), (2, 2));
    server.publish(&publication);
    let set = server.load();
    assert_eq!(admin::holders(&set, &tag("1.0")), [role("targets/bob")]);
    assert_eq!(
        admin::writable(&set, &publics(&[&alice])),
        [role("targets/alice"), RoleName::RELEASES]
    );
    assert!(lookup::pull(&set, "1.0").is_err());
    assert_eq!(lookup::pull(&set, "2.0").unwrap().entry, entry("two"));
    // Once more there is nothing to take out; and a stranger takes out nothing.
    assert_eq!(revoke(&server, &alice, &["1.0"]).unwrap().planned(), []);
    assert!(matches!(
        revoke(&server, &TestKey::ec(9), &["2.0"]),
        Err(DraftError::KeyNotDelegated { .. })
    ));
    // Taking out the last tag leaves an empty object, as Go writes it.
    server.publish(
        &complete(revoke(&server, &alice, &["2.0"]).unwrap(), &[&alice])
            .unwrap()
            .0,
    );
    assert_eq!(server.signed("targets/releases")["targets"], json!({}));
}

#[test]
fn an_expired_file_is_not_made_current_by_a_revocation_that_does_not_touch_it() {
    let (owner, alice) = (owner(), TestKey::ec(3));
    let mut server = TrustServer::founded(&owner, &[("alice", &alice)]);
    sign_tags(&mut server, &alice, &[("1.0", "one")]);
    let mut body = server.signed("targets/releases");
    body["expires"] = json!("2026-12-01T00:00:00Z");
    server.replace("targets/releases", &body.to_string(), &[&alice]);
    let held = publics(&[&alice]);
    let planned = |name: &str| {
        let draft = admin::revoke(&server.load(), &[tag(name)], &held, at(NOW)).unwrap();
        draft
            .planned()
            .into_iter()
            .map(|(role, _)| role.to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(planned("2.0"), [""; 0]);
    assert_eq!(planned("1.0"), ["targets/alice", "targets/releases"]);
}

#[test]
fn a_certificate_that_would_not_be_valid_in_the_calendar_of_certificates_is_made_all_the_same() {
    let owner = owner();
    let server = TrustServer::new();
    let late: Timestamp = "2045-06-01T00:00:00Z".parse().unwrap();
    let draft = init::prepare(server.collection(&owner, &[]), late).unwrap();
    let (publication, _) = complete(draft, &[&owner.root, &owner.targets]).unwrap();
    assert_eq!(publication.files.len(), 2);
}
