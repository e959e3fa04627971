//! N10, N12, N04 and what trust means: pins, stores, identities, levels, metadata, validity.

use std::collections::BTreeMap;

use acr_sign::{
    crypto::{Certificate, Scheme},
    format::{
        Format, Identity,
        notation::{
            Action, InvalidTrust, Level, Outcome, SignatureManifest, Step, StoreFault, StoreName, Trust, TrustPolicy,
            TrustedIdentities, TrustedIdentity, trust_store, verify,
        },
    },
    oci::{Descriptor, Digest, MediaType, Reference},
    reason::{Explain as _, Reason},
};
use serde_json::json;

use super::{
    maker::{EXPIRY, SCHEME, Spec, header, jws_of, name, p256, usage},
    scene::{Scene, at, now, outcome_of, pins, rejection, subject, verdict},
};

#[test]
fn n10_payload_and_manifest_must_name_the_image_in_all_three_fields() {
    let scene = Scene::new();
    let bytes = scene.good_jws();
    let good = subject();
    let others = [
        Descriptor { digest: Digest::sha256(b"other"), ..good.clone() },
        Descriptor { media_type: MediaType::new("application/vnd.oci.image.index.v1+json"), ..good.clone() },
        Descriptor { size: 6, ..good.clone() },
    ];
    let layer = Descriptor { media_type: MediaType::new("application/jose+json"), ..good.clone() };
    let entry = |of: &Descriptor| json!({"mediaType": of.media_type.as_str(), "digest": of.digest.to_string(), "size": of.size});
    let manifest = |subject: &Descriptor| {
        json!({
            "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {"mediaType": "application/vnd.cncf.notary.signature"},
            "layers": [entry(&layer)], "subject": entry(subject),
        })
        .to_string()
    };
    assert!(SignatureManifest::read(manifest(&good).as_bytes(), &good).is_ok());
    for other in others {
        let step = verify(&other, &MediaType::new("application/jose+json"), &bytes, &scene.trust(), now());
        let Step::Done(Outcome::Rejected(rejection)) = step else { panic!("{other:?}") };
        assert!(format!("{rejection:?}").starts_with("OtherTarget"), "{rejection:?}");
        assert_eq!(rejection.reason(), Reason::SubjectMismatch);
        let rejection = SignatureManifest::read(manifest(&other).as_bytes(), &good).unwrap_err();
        assert!(format!("{rejection:?}").starts_with("OtherSubject"), "{rejection:?}");
        assert_eq!(rejection.reason(), Reason::SubjectMismatch);
    }
}

#[test]
fn payloads_of_another_form_are_refused() {
    let scene = Scene::new();
    let digest = subject().digest;
    let target = |rest: &str| format!(r#"{{"targetArtifact":{{{rest}}}}}"#);
    let media = r#""mediaType":"application/vnd.oci.image.manifest.v1+json""#;
    for (payload, expected) in [
        ("[]".to_owned(), "Payload(Json("),
        ("{}".to_owned(), r#"Payload(Member("targetArtifact"))"#),
        (target(&format!(r#""digest":"{digest}","size":5"#)), r#"Payload(Member("mediaType"))"#),
        (target(&format!(r#"{media},"size":5"#)), r#"Payload(Member("digest"))"#),
        (target(&format!(r#"{media},"digest":"sha256:00","size":5"#)), r#"Payload(Member("digest"))"#),
        (target(&format!(r#"{media},"digest":"{digest}""#)), r#"Payload(Member("size"))"#),
        (target(&format!(r#"{media},"digest":"{digest}","size":"5""#)), r#"Payload(Member("size"))"#),
        (target(&format!(r#"{media},"digest":"{digest}","size":-5"#)), r#"Payload(Member("size"))"#),
        (target(&format!(r#"{media},"digest":"{digest}","size":5,"size":5"#)), "Payload(Json("),
        (
            target(&format!(r#"{media},"digest":"{digest}","size":5,"annotations":{{"a":1}}"#)),
            r#"Payload(Member("annotations"))"#,
        ),
        (
            target(&format!(
                r#""mediaType":"application/vnd.oci.image.manifest.v1+json;x=1","digest":"{digest}","size":5"#
            )),
            r#"Payload(Member("mediaType"))"#,
        ),
        (target(&format!(r#"{media},"digest":"{digest}","size":5,"artifactType":"x","annotations":null"#)), "verified"),
    ] {
        let jws =
            jws_of(&header().to_string(), payload.as_bytes(), &scene.chain(), &scene.leaf_key, Scheme::EcdsaSha256);
        let found = verdict(jws.to_string().as_bytes(), &scene.trust());
        assert!(found.starts_with(expected), "{payload}: {found}");
    }
}

#[test]
fn manifests_of_neither_form_are_refused() {
    let good = subject();
    let entry = json!({"mediaType": "application/jose+json", "digest": good.digest.to_string(), "size": 5});
    let base = json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "artifactType": "application/vnd.cncf.notary.signature",
        "config": {"mediaType": "application/vnd.oci.empty.v1+json"}, "layers": [entry],
        "subject": {"mediaType": good.media_type.as_str(), "digest": good.digest.to_string(), "size": good.size},
    });
    let read = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut manifest = base.clone();
        change(&mut manifest);
        match SignatureManifest::read(manifest.to_string().as_bytes(), &good) {
            Ok(_) => "read".to_owned(),
            Err(rejection) => format!("{rejection:?}"),
        }
    };
    let remove = |name: &'static str| {
        move |manifest: &mut serde_json::Value| drop(manifest.as_object_mut().unwrap().remove(name))
    };
    let old = |manifest: &mut serde_json::Value| {
        manifest.as_object_mut().unwrap().remove("artifactType");
        manifest["config"]["mediaType"] = json!("application/vnd.cncf.notary.signature");
    };
    let set = |name: &'static str, value: serde_json::Value| {
        move |manifest: &mut serde_json::Value| manifest[name] = value.clone()
    };
    assert_eq!(read(&|_| ()), "read");
    assert_eq!(read(&old), "read");
    assert_eq!(read(&remove("mediaType")), "read");
    let both = |manifest: &mut serde_json::Value| {
        manifest["config"]["mediaType"] = json!("application/vnd.cncf.notary.signature")
    };
    assert_eq!(read(&both), "Manifest(Form)");
    assert_eq!(read(&remove("artifactType")), "Manifest(Form)");
    assert_eq!(read(&set("artifactType", json!("text/plain"))), "Manifest(Form)");
    assert_eq!(read(&set("layers", json!([]))), "Manifest(Layers(0))");
    assert_eq!(read(&set("layers", json!([entry, entry]))), "Manifest(Layers(2))");
    assert_eq!(read(&remove("layers")), r#"Manifest(Member("layers"))"#);
    assert_eq!(read(&remove("config")), r#"Manifest(Member("config"))"#);
    assert_eq!(read(&remove("subject")), r#"Manifest(Member("subject"))"#);
    assert_eq!(read(&set("schemaVersion", json!(1))), r#"Manifest(Member("schemaVersion"))"#);
    assert_eq!(read(&set("mediaType", json!("text/plain"))), r#"Manifest(Member("mediaType"))"#);
    // G09: a document that is an index too.
    assert_eq!(read(&set("manifests", json!([]))), r#"Manifest(Member("manifests"))"#);
    let text = |manifest: &mut serde_json::Value| manifest["layers"][0]["mediaType"] = json!("text/plain");
    assert!(read(&text).starts_with("UnknownEnvelope"));
    let huge = |manifest: &mut serde_json::Value| manifest["layers"][0]["size"] = json!(1024 * 1024 + 1);
    assert_eq!(read(&huge), "Manifest(TooLong(1048577))");
    assert!(
        read(&set("annotations", json!({"io.cncf.notary.x509chain.thumbprint#S256": "no list"}))).starts_with("read")
    );
}

#[test]
fn n11_only_the_named_anchors_are_trusted() {
    let scene = Scene::new();
    let bytes = scene.good_jws();
    let namesake = Spec::ca("root", "root").issue(&p256(9), &p256(9));
    let renewed = {
        let mut spec = Spec::ca("root", "root");
        spec.serial = 2;
        spec.issue(&scene.root_key, &scene.root_key)
    };
    for (anchor, expected) in
        [(&scene.root, "verified"), (&scene.leaf, "verified"), (&namesake, "Untrusted"), (&renewed, "Untrusted")]
    {
        let found = verdict(&bytes, &Trust::pinned(pins(vec![anchor.clone()])).unwrap());
        assert!(found.starts_with(expected), "{found}");
    }
    let rejection = rejection(outcome_of(&bytes, &Trust::pinned(pins(vec![namesake])).unwrap(), now())).unwrap();
    assert_eq!(rejection.reason(), Reason::UntrustedKey);
}

#[test]
fn pins_that_trust_nobody_or_everybody_are_refused() {
    let scene = Scene::new();
    let mut none = scene.pins();
    none.certificates.clear();
    assert_eq!(Trust::pinned(none).unwrap_err(), InvalidTrust::NoAnchor);
    let mut wide = scene.pins();
    wide.identities = None;
    assert!(matches!(Trust::pinned(wide.clone()).unwrap_err(), InvalidTrust::NoIdentity { .. }));
    wide.certificates = vec![scene.leaf.clone()];
    assert_eq!(verdict(&scene.good_jws(), &Trust::pinned(wide.clone()).unwrap()), "verified");
    wide.timestamp_roots = vec![scene.leaf];
    assert!(matches!(Trust::pinned(wide).unwrap_err(), InvalidTrust::NotATimestampRoot { .. }));
}

/// N12: a policy's name against a subject, and whether it matches.
#[test]
fn n12_names_are_matched_by_meaning_and_never_as_text() {
    const C: &str = "2.5.4.6";
    const ST: &str = "2.5.4.8";
    const O: &str = "2.5.4.10";
    const OU: &str = "2.5.4.11";
    const CN: &str = "2.5.4.3";
    const EMAIL: &str = "1.2.840.113549.1.9.1";
    let plain = [(C, "NL"), (ST, "ZH"), (O, "Harbour"), (CN, "signer")];
    let comma = [(C, "NL"), (ST, "ZH"), (O, "Harbour, Inc"), (CN, "signer")];
    let rows: Vec<(&[(&str, &str)], &str, &str)> = vec![
        (&plain, "C=NL, ST=ZH, O=Harbour", "verified"),
        (&plain, "O=Harbour, C=NL, ST=ZH", "verified"),
        (&plain, "C=NL,S=ZH,O=Harbour,CN=signer", "verified"),
        (&plain, " C = NL ; ST=ZH ; O=Harbour ", "verified"),
        (&plain, "C=NL, ST=ZH, O=harbour", "Identity(NoMatch"),
        (&plain, "C=NL, ST=ZH, O=Harbour, CN=signe", "Identity(NoMatch"),
        (&plain, "C=NL, ST=ZH, O=Harbour, OU=x", "Identity(NoMatch"),
        (&plain, "C=NL, ST=ZH, O=Harbour, CN=signer, 2.5.4.3=signer", "Identity(NoMatch"),
        (&plain, r"C=NL, ST=ZH, O=Harb\6Fur", "verified"),
        (&comma, r"C=NL, ST=ZH, O=Harbour\, Inc", "verified"),
        (&comma, r"C=NL, ST=ZH, O=Harbour\2C Inc", "verified"),
        (&comma, "C=NL, ST=ZH, O=Harbour", "Identity(NoMatch"),
        (&[(C, "NL"), (ST, "ZH"), (O, "Harbour,ST=ZH")], "C=NL, ST=ZH, O=Harbour", "Identity(NoMatch"),
        (&[(C, "NL"), (O, "Harbour")], "C=NL, ST=ZH, O=Harbour", "Identity(Unmatchable"),
        (
            &[(C, "NL"), (ST, "ZH"), (O, "Harbour"), (OU, "a"), (OU, "b")],
            "C=NL, ST=ZH, O=Harbour",
            "Identity(Unmatchable",
        ),
        (&[(C, "NL"), (ST, "ZH"), (O, "Harbour"), (EMAIL, "a@b")], "C=NL, ST=ZH, O=Harbour", "Identity(Unmatchable"),
        (&[(C, "NL"), (ST, "ZH"), (O, "Harbour\0")], "C=NL, ST=ZH, O=Harbour", "Identity(NoMatch"),
        (&[(C, "NL"), (ST, "ZH"), (O, "Hàrbour")], "C=NL, ST=ZH, O=Hàrbour", "verified"),
    ];
    for (subject, identity, expected) in rows {
        let mut spec = Spec::new("signer", "root", vec![usage(true, &[0])]);
        spec.subject = name(subject);
        let scene = Scene::with_leaf(&spec);
        let mut pins = scene.pins();
        pins.identities = Some(TrustedIdentities::parse(&[format!("x509.subject:{identity}")]).unwrap());
        let found = verdict(&scene.good_jws(), &Trust::pinned(pins).unwrap());
        assert!(found.starts_with(expected), "{subject:?} by {identity}: {found}");
    }
    for refused in
        [r#"C=NL, ST=ZH, O="Harbour""#, r"C=NL, ST=ZH, O=Harbour\", r"C=NL, ST=ZH, O=Harbour\x", "C=NL, ST=ZH"]
    {
        assert!(TrustedIdentities::parse(&[format!("x509.subject:{refused}")]).is_err(), "{refused}");
    }
    let scene = Scene::new();
    let listed = |texts: &[&str]| {
        let texts: Vec<_> = texts.iter().map(|text| (*text).to_owned()).collect();
        let mut pins = scene.pins();
        pins.identities = Some(TrustedIdentities::parse(&texts).unwrap());
        verdict(&scene.good_jws(), &Trust::pinned(pins).unwrap())
    };
    assert_eq!(listed(&["spiffe:x", "x509.subject: C=NL, ST=ZH, O=Harbour"]), "verified");
    assert_eq!(listed(&["spiffe:x", "X509.Subject: C=NL, ST=ZH, O=Harbour"]), "Identity(NothingNative)");
    assert_eq!(listed(&["*"]), "verified");
    let multi = {
        let mut spec = Spec::leaf("signer", "root");
        let pair =
            |id, value: &str| super::maker::seq(&[super::maker::oid(id), super::maker::tlv(0x0c, value.as_bytes())]);
        let one = |id, value| super::maker::set(&[pair(id, value)]);
        spec.subject = super::maker::seq(&[
            one(C, "NL"),
            one(ST, "ZH"),
            super::maker::set(&[pair(CN, "signer"), pair(O, "Harbour")]),
        ]);
        Scene::with_leaf(&spec)
    };
    let mut pins = multi.pins();
    pins.identities = Some(TrustedIdentities::parse(&["x509.subject: C=NL, ST=ZH, O=Harbour".to_owned()]).unwrap());
    assert!(verdict(&multi.good_jws(), &Trust::pinned(pins).unwrap()).starts_with("Identity(Unmatchable"));
}

/// What is written for a subject is read as that subject, whatever its values hold.
#[test]
fn n12_the_identity_written_for_a_subject_names_it_and_no_other() {
    let scene = |attributes: &[(&str, &str)]| {
        let mut spec = Spec::leaf("signer", "root");
        spec.subject = name(attributes);
        Scene::with_leaf(&spec)
    };
    let of = |value: &str| scene(&[("2.5.4.6", "NL"), ("2.5.4.8", "ZH"), ("2.5.4.10", value), ("2.5.4.3", "signer")]);
    for value in [
        "Harbour",
        "Harbour, CN=other",
        "Harbour; ST=X",
        "a+b",
        "\"quoted\"",
        "\\",
        "back\\slash\\",
        "#04024869",
        " leading",
        "trailing ",
        "  ",
        " ",
        "<a>=b",
        "line\nbreak\r\n",
        "\0",
        "\u{85}\u{2028}\u{202e}",
        "Hàrbour 港",
        "::error::x ##vso[task.complete]",
        "*",
    ] {
        let scene = of(value);
        let identity = TrustedIdentity::naming(&scene.leaf).unwrap_or_else(|| panic!("{value:?}"));
        assert!(!identity.contains(['\n', '\r', '\0']), "{identity:?}");
        let trust = || {
            let mut pins = scene.pins();
            pins.identities = Some(TrustedIdentities::parse(std::slice::from_ref(&identity)).unwrap());
            Trust::pinned(pins).unwrap()
        };
        assert_eq!(verdict(&scene.good_jws(), &trust()), "verified", "{identity}");
        for other in ["Harbour Inc".to_owned(), value.trim().to_owned(), format!("{value}x")] {
            let verdict = verdict(&of(&other).good_jws(), &trust());
            assert!(other == value || verdict.starts_with("Identity("), "{identity} {other:?}: {verdict}");
        }
    }
    for unnameable in [
        &[("2.5.4.6", "NL"), ("2.5.4.10", "Harbour")][..],
        &[("2.5.4.6", "NL"), ("2.5.4.8", "ZH"), ("2.5.4.10", "")],
        &[("2.5.4.6", "NL"), ("2.5.4.8", "ZH"), ("2.5.4.10", "a"), ("2.5.4.10", "b")],
        &[("2.5.4.6", "NL"), ("2.5.4.8", "ZH"), ("2.5.4.10", "a"), ("1.2.840.113549.1.9.1", "a@b")],
    ] {
        assert_eq!(TrustedIdentity::naming(&scene(unnameable).leaf), None, "{unnameable:?}");
    }
}

/// Expired signature and certificate under each level (N04), and what never looks like verified.
#[test]
fn n04_levels_decide_what_is_only_recorded() {
    let scene = Scene::new();
    let mut expired = header();
    expired[EXPIRY] = json!("2026-06-15T00:00:00Z");
    expired["crit"] = json!([SCHEME, EXPIRY]);
    let expired = scene.jws(&expired).to_string();
    let stranger = Spec::ca("stranger", "stranger").issue(&p256(9), &p256(9));
    let judge = |level, anchor: &Certificate, bytes: &[u8], at| {
        let mut pins = pins(vec![anchor.clone()]);
        pins.level = level;
        match outcome_of(bytes, &Trust::pinned(pins).unwrap(), at) {
            Outcome::Verified(accepted) => format!("verified, {} warnings", accepted.warnings.len()),
            Outcome::Exempt(exempted) => format!("exempt, {} failures", exempted.failures.len()),
            Outcome::Rejected(rejection) => rejection.reason().to_string(),
        }
    };
    let late = at("2028-01-01T00:00:00Z");
    for (level, wanted) in [
        (Level::STRICT, ["verified, 0 warnings", "expired", "expired", "untrusted-key", "untrusted-key"]),
        (
            Level::PERMISSIVE,
            ["verified, 0 warnings", "verified, 1 warnings", "verified, 2 warnings", "untrusted-key", "untrusted-key"],
        ),
        (
            Level::AUDIT,
            [
                "verified, 0 warnings",
                "verified, 1 warnings",
                "verified, 2 warnings",
                "exempt, 1 failures",
                "exempt, 2 failures",
            ],
        ),
    ] {
        let found = [
            judge(level, &scene.root, &scene.good_jws(), now()),
            judge(level, &scene.root, expired.as_bytes(), now()),
            judge(level, &scene.root, expired.as_bytes(), late),
            judge(level, &stranger, &scene.good_jws(), now()),
            judge(level, &stranger, expired.as_bytes(), now()),
        ];
        assert_eq!(found, wanted, "{}", level.name());
    }
    assert_eq!(Level::STRICT.with_revocation(Action::Log).weaker_revocation(), Some(Action::Log));
    assert_eq!(Level::STRICT.with_revocation(Action::Enforce), Level::STRICT);
}

#[test]
fn n13_certificates_count_from_their_first_to_their_last_second() {
    let scene = Scene::new();
    let bytes = scene.good_jws();
    for (time, expected) in [
        ("2025-12-31T23:59:59Z", Some(Reason::NotYetValid)),
        ("2026-01-01T00:00:00Z", None),
        ("2027-01-01T00:00:00Z", None),
        ("2027-01-01T00:00:01Z", Some(Reason::Expired)),
    ] {
        let found = rejection(outcome_of(&bytes, &scene.trust(), at(time))).map(|rejection| rejection.reason());
        assert_eq!(found, expected, "{time}");
    }
}

#[test]
fn a_proof_says_who_signed_and_until_when_it_holds() {
    let scene = Scene::new();
    let Outcome::Verified(accepted) = outcome_of(&scene.good_jws(), &scene.trust(), now()) else { panic!("verified") };
    let verified = &accepted.verified;
    assert_eq!((verified.format(), verified.subject()), (Format::Notation, &subject().digest));
    let [signed] = verified.signers() else { panic!("one") };
    let Identity::Certificate { subject, thumbprint } = &signed.by else { panic!("certificate") };
    assert!(subject.contains("CN=signer"), "{subject}");
    assert_eq!(*thumbprint, scene.leaf.thumbprint_sha256());
    assert_eq!(signed.key, scene.leaf_key.public());
    assert_eq!(signed.signed_at, Some(at("2026-06-01T00:00:00Z")));
    assert_eq!(verified.expires(), Some(at("2027-01-01T00:00:00Z")));
    assert!(scene.trust().names_thumbprint(&[scene.root.thumbprint_sha256().to_uppercase()]));
    assert!(!scene.trust().names_thumbprint(&[scene.leaf.thumbprint_sha256()]));
}

#[test]
fn demanded_metadata_must_be_signed_with_that_value() {
    let scene = Scene::new();
    let with = |name: &str, value: &str| BTreeMap::from([(name.to_owned(), value.to_owned())]);
    let judge = |trust: Trust| rejection(outcome_of(&scene.good_jws(), &trust, now())).map(|one| one.reason());
    assert_eq!(judge(scene.trust().require_metadata(with("build", "42"))), None);
    assert_eq!(judge(scene.trust().require_metadata(with("build", "4"))), Some(Reason::MetadataMismatch));
    assert_eq!(judge(scene.trust().require_metadata(with("Build", "42"))), Some(Reason::MetadataMismatch));
    // A second demand does not take the place of the first.
    let mut pins = scene.pins();
    pins.metadata = with("build", "41");
    let trust = Trust::pinned(pins).unwrap().require_metadata(with("build", "42"));
    assert_eq!(judge(trust), Some(Reason::MetadataMismatch));
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
    let [statement] = policy.statements() else { panic!("one") };
    assert!(statement.trust(&BTreeMap::new()).is_none());
    assert!(statement.level().is_none());
}

#[test]
fn an_unusable_store_fails_authenticity_however_good_the_others_are() {
    let scene = Scene::new();
    let policy = policy("strict", "", r#""trustStores":["ca:good","ca:bad"],"trustedIdentities":["*"]"#);
    let [statement] = policy.statements() else { panic!("one") };
    let store = |name: &str| name.parse::<StoreName>().unwrap();
    let good = || (store("ca:good"), Ok(vec![scene.root.clone()]));
    let judge = |stores| verdict(&scene.good_jws(), &statement.trust(&BTreeMap::from_iter(stores)).unwrap());
    assert_eq!(judge(vec![good(), (store("ca:bad"), Ok(vec![scene.root.clone()]))]), "verified");
    assert!(judge(vec![good()]).starts_with("Store(Unusable"));
    let absent = StoreFault::Unusable { store: store("ca:bad"), why: "it is not there".to_owned() };
    assert!(judge(vec![good(), (store("ca:bad"), Err(absent))]).starts_with("Store(Unusable"));
    let only_tsa = self::policy("strict", "", r#""trustStores":["tsa:good"],"trustedIdentities":["*"]"#);
    let trust = only_tsa.statements()[0].trust(&BTreeMap::from([(store("tsa:good"), Ok(vec![scene.root.clone()]))]));
    assert_eq!(verdict(&scene.good_jws(), &trust.unwrap()), "Store(NoneOfKind(Ca))");
}

#[test]
fn stores_hold_anchors_and_nothing_else() {
    let scene = Scene::new();
    let store = |name: &str| name.parse::<StoreName>().unwrap();
    let read = |name: &str, files: &[&[u8]]| {
        let files: Vec<_> = files.iter().map(|bytes| ("f".to_owned(), bytes.to_vec().into())).collect();
        match trust_store(&store(name), &files) {
            Ok(certificates) => certificates.len().to_string(),
            Err(fault) => format!("{fault:?}").split([' ', '(']).next().unwrap().to_owned(),
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
        ("ca:x", vec![b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"], "NotACertificate"),
        ("tsa:x", vec![root.as_bytes()], "1"),
        ("tsa:x", vec![alone.der()], "NotARoot"),
    ] {
        assert_eq!(read(name, &files), expected, "{name}");
    }
    let trailing = [scene.root.der(), b"x"].concat();
    assert_eq!(read("ca:x", &[&trailing]), "NotACertificate");
    let many: Vec<&[u8]> = vec![scene.root.der(); 501];
    assert_eq!(read("ca:x", &many), "Count");
    assert_eq!(store("signingAuthority:a").folder(), "x509/signingAuthority/a");
}

#[test]
fn the_exact_scope_is_chosen_before_the_one_for_everything() {
    let statement = |name: &str, scope: &str| {
        format!(r#"{{"name":"{name}","registryScopes":["{scope}"],"signatureVerification":{{"level":"skip"}}}}"#)
    };
    let document = |statements: &[String]| format!(r#"{{"version":"1.0","trustPolicies":[{}]}}"#, statements.join(","));
    let chosen = |document: &str, image: &str| {
        let policy = TrustPolicy::parse(document.as_bytes()).unwrap();
        let repository = Reference::named(image).unwrap().repository;
        policy.statement(&repository).map(|statement| statement.name().to_owned())
    };
    let both = document(&[statement("all", "*"), statement("shop", "contoso.azurecr.io/shop")]);
    assert_eq!(chosen(&both, "contoso.azurecr.io/shop:1").as_deref(), Some("shop"));
    assert_eq!(chosen(&both, "contoso.azurecr.io/shop/web:1").as_deref(), Some("all"));
    let one = document(&[statement("shop", "contoso.azurecr.io/shop")]);
    assert_eq!(chosen(&one, "contoso.azurecr.io/other:1"), None);
    let twice = document(&[statement("a", "x.test/y"), statement("b", "x.test/y")]);
    assert!(TrustPolicy::parse(twice.as_bytes()).unwrap_err().to_string().contains("there twice"));
    let names = document(&[statement("a", "x.test/y"), statement("a", "x.test/z")]);
    assert!(TrustPolicy::parse(names.as_bytes()).unwrap_err().to_string().contains("several statements"));
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
            "alg": "ES256", "cty": header()["cty"], "crit": [SCHEME, super::maker::AUTHENTIC],
            SCHEME: "notary.x509.signingAuthority", super::maker::AUTHENTIC: time,
        })
    };
    let policy = policy("strict", "", r#""trustStores":["signingAuthority:a"],"trustedIdentities":["*"]"#);
    let stores = BTreeMap::from([("signingAuthority:a".parse().unwrap(), Ok(vec![scene.root.clone()]))]);
    let trust = policy.statements()[0].trust(&stores).unwrap();
    let judge = |time: &str, at| rejection(outcome_of(scene.jws(&header(time)).to_string().as_bytes(), &trust, at));
    let late = at("2030-01-01T00:00:00Z");
    assert!(judge("2026-06-01T00:00:00Z", late).is_none(), "the authority vouches for the time");
    assert!(judge("2027-01-01T00:00:00Z", late).is_none());
    assert_eq!(judge("2027-01-01T00:00:01Z", late).unwrap().reason(), Reason::Expired);
    assert_eq!(judge("2025-12-31T23:59:59Z", late).unwrap().reason(), Reason::NotYetValid);
    let pinned = verdict(scene.jws(&header("2026-06-01T00:00:00Z")).to_string().as_bytes(), &scene.trust());
    assert_eq!(pinned, "Store(NoneOfKind(SigningAuthority))");
    assert!(verdict(&scene.good_jws(), &trust).starts_with("Store(NoneOfKind(Ca))"));
}
