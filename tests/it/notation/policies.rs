//! Trust policy documents and trust stores: the 106 that notation judged, which statement is
//! chosen, and what trust comes of it.

use std::{collections::BTreeMap, fs};

use acr_sign::{
    format::notation::{StoreFault, StoreName, TrustPolicy, trust_store},
    oci::Reference,
    reason::{Explain as _, Reason},
};
use serde_json::{Value, json};

use super::{
    fixtures::folder,
    maker::{AUTHENTIC, SCHEME, Spec, header, p256},
    scene::{Scene, at, outcome_of, rejection, verdict},
};

#[test]
fn every_document_gets_the_verdict_of_notation_or_a_stricter_one() {
    let bytes = fs::read(folder("made-by-notation").join("policy-verdicts.json")).unwrap();
    let verdicts: Value = serde_json::from_slice(&bytes).unwrap();
    let documents = verdicts["policies"].as_array().unwrap();
    let mut stricter = 0;
    for document in documents {
        let parsed = TrustPolicy::parse(document["document"].as_str().unwrap().as_bytes());
        let is_strict = document["strict"] == true;
        let expected = document["notation"] == "valid" && !is_strict;
        stricter += usize::from(is_strict);
        assert_eq!(parsed.is_ok(), expected, "{}: {parsed:?}", document["name"]);
    }
    assert_eq!((documents.len(), stricter), (106, 5));
}

fn policy(level: &str, rest: &str, stores: &str) -> TrustPolicy {
    let document = format!(
        r#"{{"version":"1.0","trustPolicies":[{{"name":"a","registryScopes":["*"],
        "signatureVerification":{{"level":"{level}"{rest}}},{stores}}}]}}"#
    );
    TrustPolicy::parse(document.as_bytes()).unwrap()
}

#[test]
fn a_statement_that_skips_gives_no_trust_to_be_satisfied() {
    let policy = policy("skip", "", r#""trustStores":[]"#);
    let [statement] = policy.statements() else {
        panic!("one")
    };
    assert!(statement.trust(&BTreeMap::new()).is_none());
    assert!(statement.level().is_none());
}

#[test]
fn an_unusable_store_fails_authenticity_however_good_the_others_are() {
    let scene = Scene::new();
    let policy = policy(
        "strict",
        "",
        r#""trustStores":["ca:good","ca:bad"],"trustedIdentities":["*"]"#,
    );
    let [statement] = policy.statements() else {
        panic!("one")
    };
    let store = |name: &str| name.parse::<StoreName>().unwrap();
    let good = || (store("ca:good"), Ok(vec![scene.root.clone()]));
    let judge = |stores| {
        verdict(
            &scene.good_jws(),
            &statement.trust(&BTreeMap::from_iter(stores)).unwrap(),
        )
    };
    assert_eq!(
        judge(vec![
            good(),
            (store("ca:bad"), Ok(vec![scene.root.clone()]))
        ]),
        "verified"
    );
    assert!(judge(vec![good()]).starts_with("Store(Unusable"));
    let absent = StoreFault::Unusable {
        store: store("ca:bad"),
        why: "it is not there".to_owned(),
    };
    assert!(judge(vec![good(), (store("ca:bad"), Err(absent))]).starts_with("Store(Unusable"));
    let only_tsa = self::policy(
        "strict",
        "",
        r#""trustStores":["tsa:good"],"trustedIdentities":["*"]"#,
    );
    let trust = only_tsa.statements()[0].trust(&BTreeMap::from([(
        store("tsa:good"),
        Ok(vec![scene.root.clone()]),
    )]));
    assert_eq!(
        verdict(&scene.good_jws(), &trust.unwrap()),
        "Store(NoneOfKind(Ca))"
    );
}

#[test]
fn stores_hold_anchors_and_nothing_else() {
    let scene = Scene::new();
    let store = |name: &str| name.parse::<StoreName>().unwrap();
    let read = |name: &str, files: &[&[u8]]| {
        let files: Vec<_> = files
            .iter()
            .map(|bytes| ("f".to_owned(), bytes.to_vec().into()))
            .collect();
        match trust_store(&store(name), &files) {
            Ok(certificates) => certificates.len().to_string(),
            Err(fault) => format!("{fault:?}")
                .split([' ', '('])
                .next()
                .unwrap()
                .to_owned(),
        }
    };
    let (root, leaf) = (scene.root.pem(), scene.leaf.pem());
    let alone = Spec::leaf("alone", "alone").issue(&p256(5), &p256(5));
    let around = format!("text before\n{root}text between\n{root}text after\n");
    let two = [scene.root.der(), scene.root.der()].concat();
    for (name, files, expected) in [
        ("ca:x", vec![root.as_bytes()], "1"),
        ("ca:x", vec![root.as_bytes(), scene.root.der()], "2"),
        ("ca:x", vec![around.as_bytes()], "2"),
        ("ca:x", vec![two.as_slice()], "2"),
        ("ca:x", vec![alone.der()], "1"),
        ("ca:x", vec![], "Count"),
        ("ca:x", vec![root.as_bytes(), b""], "NotACertificate"),
        ("ca:x", vec![leaf.as_bytes()], "NotAnAnchor"),
        ("ca:x", vec![b"\0\0Bud1"], "NotACertificate"),
        (
            "ca:x",
            vec![b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"],
            "NotACertificate",
        ),
        ("tsa:x", vec![root.as_bytes()], "1"),
        ("tsa:x", vec![alone.der()], "NotARoot"),
    ] {
        assert_eq!(read(name, &files), expected, "{name}");
    }
    let trailing = [scene.root.der(), b"x"].concat();
    assert_eq!(read("ca:x", &[&trailing]), "NotACertificate");
    let many: Vec<&[u8]> = vec![scene.root.der(); 501];
    assert_eq!(read("ca:x", &many), "Count");
    assert_eq!(
        store("signingAuthority:a").folder(),
        "x509/signingAuthority/a"
    );
}

#[test]
fn the_exact_scope_is_chosen_before_the_one_for_everything() {
    let statement = |name: &str, scope: &str| {
        format!(
            r#"{{"name":"{name}","registryScopes":["{scope}"],"signatureVerification":{{"level":"skip"}}}}"#
        )
    };
    let document = |statements: &[String]| {
        format!(
            r#"{{"version":"1.0","trustPolicies":[{}]}}"#,
            statements.join(",")
        )
    };
    let chosen = |document: &str, image: &str| {
        let policy = TrustPolicy::parse(document.as_bytes()).unwrap();
        let repository = Reference::named(image).unwrap().repository;
        policy
            .statement(&repository)
            .map(|statement| statement.name().to_owned())
    };
    let both = document(&[
        statement("all", "*"),
        statement("shop", "contoso.azurecr.io/shop"),
    ]);
    assert_eq!(
        chosen(&both, "contoso.azurecr.io/shop:1").as_deref(),
        Some("shop")
    );
    assert_eq!(
        chosen(&both, "contoso.azurecr.io/shop/web:1").as_deref(),
        Some("all")
    );
    let one = document(&[statement("shop", "contoso.azurecr.io/shop")]);
    assert_eq!(chosen(&one, "contoso.azurecr.io/other:1"), None);
    let twice = document(&[statement("a", "x.test/y"), statement("b", "x.test/y")]);
    assert!(
        TrustPolicy::parse(twice.as_bytes())
            .unwrap_err()
            .to_string()
            .contains("appears twice")
    );
    let beside = document(&[statement("a", r#"x.test/y","*"#)]);
    let refused = TrustPolicy::parse(beside.as_bytes()).unwrap_err();
    assert!(
        std::error::Error::source(&refused)
            .unwrap()
            .to_string()
            .contains("`*` is not a registry scope")
    );
    let names = document(&[statement("a", "x.test/y"), statement("a", "x.test/z")]);
    assert!(
        TrustPolicy::parse(names.as_bytes())
            .unwrap_err()
            .to_string()
            .contains("several statements")
    );
    let blob = r#"{"version":"1.0","trustPolicies":[{"name":"b","globalPolicy":true,
        "signatureVerification":{"level":"strict"},"trustStores":["ca:x"],"trustedIdentities":["*"]}]}"#;
    let refused = TrustPolicy::parse(blob.as_bytes()).unwrap_err();
    assert!(refused.to_string().contains("blobs"), "{refused}");
    assert_eq!(refused.reason(), Reason::PolicyInvalid);
}

#[test]
fn a_signing_authority_is_trusted_by_its_own_stores_and_its_own_time() {
    let scene = Scene::new();
    let header = |time: &str| {
        json!({
            "alg": "ES256", "cty": header()["cty"], "crit": [SCHEME, AUTHENTIC],
            SCHEME: "notary.x509.signingAuthority", AUTHENTIC: time,
        })
    };
    let policy = policy(
        "strict",
        "",
        r#""trustStores":["signingAuthority:a"],"trustedIdentities":["*"]"#,
    );
    let stores = BTreeMap::from([(
        "signingAuthority:a".parse().unwrap(),
        Ok(vec![scene.root.clone()]),
    )]);
    let trust = policy.statements()[0].trust(&stores).unwrap();
    let judge = |time: &str, at| {
        rejection(outcome_of(
            scene.jws(&header(time)).to_string().as_bytes(),
            &trust,
            at,
        ))
    };
    let late = at("2030-01-01T00:00:00Z");
    assert!(
        judge("2026-06-01T00:00:00Z", late).is_none(),
        "the authority vouches for the time"
    );
    assert!(judge("2027-01-01T00:00:00Z", late).is_none());
    assert_eq!(
        judge("2027-01-01T00:00:01Z", late).unwrap().reason(),
        Reason::Expired
    );
    assert_eq!(
        judge("2025-12-31T23:59:59Z", late).unwrap().reason(),
        Reason::NotYetValid
    );
    let pinned = verdict(
        scene
            .jws(&header("2026-06-01T00:00:00Z"))
            .to_string()
            .as_bytes(),
        &scene.trust(),
    );
    assert_eq!(pinned, "Store(NoneOfKind(SigningAuthority))");
    assert!(verdict(&scene.good_jws(), &trust).starts_with("Store(NoneOfKind(Ca))"));
}
