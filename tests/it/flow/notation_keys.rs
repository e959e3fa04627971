//! Certificates made for signing, and wrongly: whom they have asked (G18), and what is shown of them.

use acr_sign::Exit;
use rcgen::{
    CertificateParams, CustomExtension, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};

use serde_json::{Value, json};

use super::notation_gate::{IMAGE, SUBJECT, sign, verify, world};
use crate::world::REPOSITORY;

pub(super) fn signing_parameters() -> CertificateParams {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = rcgen::DistinguishedName::new();
    for (kind, value) in [
        (DnType::CountryName, "US"),
        (DnType::StateOrProvinceName, "WA"),
        (DnType::OrganizationName, "Contoso"),
        (DnType::CommonName, "stranger"),
    ] {
        parameters.distinguished_name.push(kind, value);
    }
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    parameters
}

/// `authorityInfoAccess` with one OCSP responder, DER.
fn ocsp_at(url: &str) -> CustomExtension {
    let length = |bytes: &[u8]| u8::try_from(bytes.len()).unwrap();
    let mut name = vec![0x86, length(url.as_bytes())];
    name.extend(url.as_bytes());
    let mut access = vec![0x06, 8, 0x2b, 6, 1, 5, 5, 7, 0x30, 1];
    access.extend(name);
    let mut description = vec![0x30, length(&access)];
    description.extend(access);
    let mut content = vec![0x30, length(&description)];
    content.extend(description);
    CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], content)
}

#[test]
fn g18_nothing_private_is_asked_and_nothing_before_the_signer_is_trusted() {
    let world = world();
    let folder = tempfile::tempdir().unwrap();
    let responder = format!("127.0.0.1:{}", world.sandbox.plain_port());
    let root_key = KeyPair::generate().unwrap();
    let mut root = signing_parameters();
    root.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let root_pem = root.self_signed(&root_key).unwrap().pem();
    let issuer = rcgen::Issuer::new(root, root_key);
    let key = KeyPair::generate().unwrap();
    let mut leaf = signing_parameters();
    leaf.distinguished_name.push(DnType::CommonName, "leaf");
    leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning];
    leaf.custom_extensions = vec![ocsp_at(&format!("http://{responder}/ocsp"))];
    let leaf = leaf.signed_by(&key, &issuer).unwrap().pem();
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(
        path("key.pem"),
        format!("{}{leaf}{root_pem}", key.serialize_pem()),
    )
    .unwrap();
    std::fs::write(path("root.pem"), root_pem).unwrap();
    let signed = world.run(&format!(
        "sign {IMAGE} --format notation --key file:{}",
        path("key.pem")
    ));
    assert_eq!(signed.exit, Exit::Done, "{}", signed.stderr);
    let asked = || {
        world
            .sandbox
            .log()
            .iter()
            .filter(|entry| entry.path.starts_with("/ocsp"))
            .count()
    };
    let trusted = format!(
        "--certificate {} --identity x509.subject:C=US,ST=WA,O=Contoso",
        path("root.pem")
    );
    let outcome = verify(&world, &trusted);
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Undecided, vec!["revocation-unknown"]),
        "{}",
        outcome.stderr
    );
    assert_eq!(asked(), 0);
    // Named, it is asked; that it knows nothing is no yes.
    let outcome = verify(
        &world,
        &format!("{trusted} --allow-private {responder} --retries 0"),
    );
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Undecided, vec!["revocation-unknown"]),
        "{}",
        outcome.stderr
    );
    assert_eq!(asked(), 1);
    assert!(
        world
            .sandbox
            .log()
            .iter()
            .filter(|entry| entry.path.starts_with("/ocsp"))
            .all(|entry| entry.credential.is_none())
    );
    // Signers who are not trusted, or not as that identity, have nobody asked.
    for (line, reason) in [
        (
            "--certificate akv:contoso/certificates/other".to_owned(),
            "untrusted-key",
        ),
        (
            format!(
                "--certificate {} --identity x509.subject:C=US,ST=WA,O=Fabrikam",
                path("root.pem")
            ),
            "untrusted-identity",
        ),
    ] {
        let outcome = verify(&world, &format!("{line} --allow-private {responder}"));
        assert_eq!(
            (outcome.exit, outcome.reasons()),
            (Exit::Rejected, vec![reason]),
            "{}",
            outcome.stderr
        );
        assert_eq!(asked(), 1, "{reason}");
    }
}

#[test]
fn inspect_shows_every_signature_with_its_chain() {
    let world = world();
    sign(&world, "other", "");
    sign(
        &world,
        "signer",
        "--expiry 24h --annotation team=shop --envelope cose",
    );
    let outcome = world.run(&format!("inspect {IMAGE} --output json"));
    assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
    let image = outcome.json()["images"][0].clone();
    assert_eq!(
        (
            image["status"].as_str(),
            image["signatures"].as_array().unwrap().len()
        ),
        (Some("shown"), 2)
    );
    assert!(
        image["signatures"]
            .as_array()
            .unwrap()
            .iter()
            .all(|one| one["format"] == "notation")
    );
    assert!(
        image["signatures"]
            .as_array()
            .unwrap()
            .iter()
            .all(|one| one["chain"][0]["name"] == SUBJECT)
    );
    let mut envelopes: Vec<&Value> = image["signatures"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["envelope"])
        .collect();
    envelopes.sort_by_key(|envelope| envelope["mediaType"].as_str());
    let (cose, jws) = (envelopes[0], envelopes[1]);
    assert_eq!(
        (&cose["mediaType"], &cose["metadata"]["team"]),
        (&json!("application/cose"), &json!("shop"))
    );
    assert_eq!(
        (&jws["mediaType"], &jws["metadata"]),
        (&json!("application/jose+json"), &json!({}))
    );
    for envelope in envelopes {
        assert_eq!(
            (&envelope["algorithm"], &envelope["timestamp"]),
            (&json!("ES256"), &Value::Null)
        );
        assert!(
            envelope["agent"].as_str().unwrap().starts_with("acr-sign/"),
            "{envelope}"
        );
    }
    let lines = world.run(&format!("inspect {IMAGE}")).stdout;
    assert_eq!(
        lines.matches(&format!("notation {SUBJECT}")).count(),
        2,
        "{lines}"
    );
    assert_eq!(
        lines.matches(&format!("    chain     {SUBJECT}\n")).count(),
        2,
        "{lines}"
    );
    assert_eq!(
        lines.matches("    metadata  team=shop\n").count(),
        1,
        "{lines}"
    );
    assert_eq!(
        lines
            .matches("    envelope  application/cose, ES256, by acr-sign/")
            .count(),
        1,
        "{lines}"
    );
}

#[test]
fn inspect_shows_what_a_timestamp_says() {
    let world = world();
    let registry = world.sandbox.registry();
    let fixture = |name: &str| {
        let fixtures = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/fixtures/notation/made-by-notation"
        );
        std::fs::read(format!("{fixtures}/{name}")).unwrap()
    };
    let subject = registry.push_manifest_bytes("shop/web", &fixture("subjects/image.json"));
    registry.push_blob("shop/web", &fixture("envelopes/timestamp-jws.jws"));
    registry.push_manifest_bytes("shop/web", &fixture("manifests/timestamp-jws.json"));
    let line = format!("inspect {REPOSITORY}@{}", subject.digest);
    let outcome = world.run(&format!("{line} --output json"));
    let signature = &outcome.json()["images"][0]["signatures"][0];
    let envelope = &signature["envelope"];
    assert_eq!(signature["chain"].as_array().unwrap().len(), 3);
    assert_eq!(
        (&envelope["signingTime"], &envelope["agent"]),
        (&json!("2026-11-23T20:30:32Z"), &json!("notation-go/1.3.2"))
    );
    assert!(
        envelope["timestamp"]["authority"]
            .as_str()
            .unwrap()
            .starts_with("CN="),
        "{envelope}"
    );
    let lines = world.run(&line).stdout;
    let authority = envelope["timestamp"]["authority"].as_str().unwrap();
    assert!(lines.contains(&format!(" by {authority}\n")), "{lines}");
    assert!(
        lines.contains("    timestamp 2026-11-23T20:30:3"),
        "{lines}"
    );
}

#[test]
fn key_show_says_what_is_wrong_with_a_certificate_for_signing() {
    let world = world();
    let good = world.run("key show akv:contoso/certificates/signer");
    assert!(
        good.stdout.contains("notation      can sign"),
        "{}",
        good.stdout
    );
    let bare = world
        .run("key show akv:contoso/keys/release --output json")
        .json();
    let policy = &bare["notation"]["certificatePolicy"];
    assert!(
        bare["notation"]["unsuitable"]
            .as_str()
            .unwrap()
            .contains("certificate")
    );
    assert_eq!(
        policy["x509CertificateProperties"]["keyUsage"],
        json!(["digitalSignature"])
    );
    assert_eq!(policy["keyProperties"]["curve"], "P-256");
    let folder = tempfile::tempdir().unwrap();
    let key = KeyPair::generate().unwrap();
    let mut wrong = signing_parameters();
    wrong.key_usages = vec![
        KeyUsagePurpose::DigitalSignature,
        KeyUsagePurpose::KeyEncipherment,
    ];
    wrong.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let file = folder.path().join("tls.pem");
    std::fs::write(
        &file,
        format!(
            "{}{}",
            key.serialize_pem(),
            wrong.self_signed(&key).unwrap().pem()
        ),
    )
    .unwrap();
    let shown = world.run(&format!("key show file:{}", file.display()));
    assert!(
        shown
            .stdout
            .contains("notation      not usable: the certificate"),
        "{}",
        shown.stdout
    );
    assert!(
        shown.stdout.contains("az keyvault certificate create"),
        "{}",
        shown.stdout
    );
}
