//! The gate for Notary Project: what it asks, what it allows, and what it says of every signature.

use acr_sandbox::{Action, Denial, Fault, KeyKind, Operation, Service};
use acr_sign::Exit;
use rcgen::{CertificateParams, CustomExtension, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose};

use crate::world::{Outcome, REPOSITORY, World};

const SUBJECT: &str = "CN=signer,O=Contoso,ST=WA,C=US";
const IMAGE: &str = "contoso.azurecr.io/shop/web:1.0";
const TYPE: &str = "application/vnd.cncf.notary.signature";

fn world() -> World {
    let world = World::new();
    for name in ["signer", "other"] {
        world.sandbox.vault().create_certificate(name, KeyKind::P256, SUBJECT).unwrap();
    }
    world
}

fn signed() -> World {
    let world = world();
    sign(&world, "signer", "");
    world.sandbox.clear_log();
    world
}

fn sign(world: &World, key: &str, more: &str) {
    let line = format!("sign {IMAGE} --format notation --key akv:contoso/certificates/{key} --force {more}");
    let outcome = world.run(&line);
    assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
}

fn verify(world: &World, more: &str) -> Outcome {
    world.run(&format!("verify {IMAGE} --format notation {more}"))
}

fn pinned(world: &World, more: &str) -> Outcome {
    verify(world, &format!("--certificate akv:contoso/certificates/signer {more}"))
}

fn registry_requests(world: &World) -> usize {
    world.answered(Service::Registry).iter().filter(|entry| !entry.path.starts_with("/oauth2/")).count()
}

#[test]
fn four_requests_verify_one_signature_and_five_without_the_api() {
    for (api, expected) in [(true, 4), (false, 5)] {
        let world = world();
        world.sandbox.registry().referrers().set_api(api);
        sign(&world, "signer", "");
        world.sandbox.clear_log();
        let outcome = pinned(&world, "");
        assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
        assert!(outcome.stdout.starts_with(&format!("{IMAGE}@sha256:")), "{}", outcome.stdout);
        assert_eq!(registry_requests(&world), expected);
        // The certificate, and the list of its versions.
        assert_eq!(world.answered(Service::Vault).len(), 2);
    }
}

#[test]
fn what_an_older_version_of_a_certificate_signed_still_counts() {
    let world = signed();
    let older = world.sandbox.vault().create_certificate("signer", KeyKind::P256, SUBJECT).unwrap();
    let newest = world.sandbox.vault().create_certificate("signer", KeyKind::P256, SUBJECT).unwrap();
    let outcome = pinned(&world, "");
    assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
    let asked: Vec<String> =
        world.answered(Service::Vault).iter().map(|entry| entry.path.replace(&older, "OLDER")).collect();
    assert_eq!(asked.len(), 4, "the newest, the list, and two older ones: {asked:?}");
    assert_eq!(asked[..2], ["/certificates/signer/", "/certificates/signer/versions"]);
    assert!(asked.contains(&"/certificates/signer/OLDER".to_owned()), "{asked:?}");

    // A version that is named is the only one.
    for version in [&older, &newest] {
        let line = format!("--certificate akv:contoso/certificates/signer/{version}");
        let outcome = verify(&world, &line);
        assert_eq!((outcome.exit, outcome.reasons()), (Exit::Rejected, vec!["untrusted-key"]), "{}", outcome.stderr);
    }
    // Who may read it and not list its versions trusts the newest alone.
    world.sandbox.vault().deny(Operation::CertificateList, Denial::AccessPolicy);
    let outcome = pinned(&world, "");
    assert_eq!((outcome.exit, outcome.reasons()), (Exit::Rejected, vec!["untrusted-key"]), "{}", outcome.stderr);
    sign(&world, "signer", "");
    assert_eq!(pinned(&world, "").exit, Exit::Done);
}

#[test]
fn a_disabled_version_of_a_certificate_does_not_count() {
    let world = signed();
    world.sandbox.vault().set_enabled("signer", false);
    world.sandbox.vault().create_certificate("signer", KeyKind::P256, SUBJECT).unwrap();
    let outcome = pinned(&world, "");
    assert_eq!((outcome.exit, outcome.reasons()), (Exit::Rejected, vec!["untrusted-key"]), "{}", outcome.stderr);
}

#[test]
fn every_signature_is_reported_with_its_reason() {
    let world = world();
    sign(&world, "other", "");
    sign(&world, "signer", "--envelope cose --expiry 24h");
    let outcome = pinned(&world, "--output json");
    assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
    let json = outcome.json();
    let found = json["images"][0]["signatures"].as_array().unwrap();
    let of = |status: &str| found.iter().find(|one| one["status"] == status).unwrap();
    assert_eq!(found.len(), 2, "{json:#}");
    assert_eq!(of("verified")["certificate"], SUBJECT);
    assert!(of("verified")["expiresAt"].is_string() && of("verified")["signedAt"].is_string());
    assert_eq!(of("rejected")["reason"], "untrusted-key");
    let only = verify(&world, "--certificate akv:contoso/certificates/other --annotation team=shop --output json");
    assert_eq!(only.exit, Exit::Rejected);
    assert_eq!(only.json()["images"][0]["reason"], "metadata-mismatch");
}

#[test]
fn what_does_not_count_is_denied_with_its_reason() {
    let world = signed();
    let elsewhere = world.sandbox.registry().push_image("shop/web", "unsigned", "unsigned");
    for (line, exit, reason) in [
        ("--certificate akv:contoso/certificates/other".to_owned(), Exit::Rejected, "untrusted-key"),
        (
            "--certificate akv:contoso/certificates/signer --annotation a=b".to_owned(),
            Exit::Rejected,
            "metadata-mismatch",
        ),
        (String::new(), Exit::Usage, "usage"),
        ("--certificate akv:contoso/keys/release".to_owned(), Exit::Usage, "usage"),
        (
            "--certificate akv:contoso/certificates/signer --key akv:contoso/keys/release".to_owned(),
            Exit::Usage,
            "usage",
        ),
        ("--certificate akv:contoso/certificates/signer --identity nobody".to_owned(), Exit::Usage, "usage"),
    ] {
        let outcome = verify(&world, &line);
        assert_eq!((outcome.exit, outcome.reasons()), (exit, vec![reason]), "{line}: {}", outcome.stderr);
        assert!(outcome.stdout.is_empty(), "{line}");
    }
    let outcome = world.run(&format!(
        "verify {REPOSITORY}@{} --format notation --certificate akv:contoso/certificates/signer",
        elsewhere.digest
    ));
    assert_eq!((outcome.exit, outcome.reasons()), (Exit::Rejected, vec!["unsigned"]));
}

#[test]
fn n04_n13_an_expired_signature_is_denied_from_the_second_it_ends() {
    let world = world();
    sign(&world, "signer", "--expiry 1h");
    let at = |ahead| {
        let line = format!("verify {IMAGE} --format notation --certificate akv:contoso/certificates/signer");
        world.run_at(&line, Some(ahead))
    };
    assert_eq!(at(3_500).exit, Exit::Done);
    let outcome = at(3_600);
    assert_eq!((outcome.exit, outcome.reasons()), (Exit::Rejected, vec!["expired"]));
}

#[test]
fn n03_what_arrives_damaged_is_not_found_out() {
    let world = signed();
    for (path, action) in [
        ("/manifests/sha256:", Action::FlipBit),
        ("/blobs/", Action::FlipBit),
        ("/blobs/", Action::Status(404)),
        ("/referrers/", Action::Status(500)),
    ] {
        world.sandbox.clear_faults();
        world.sandbox.fault(Fault::new(action.clone()).method("GET").path(path));
        let outcome = pinned(&world, "--retries 0");
        assert_eq!(outcome.exit, Exit::Undecided, "{path} {action:?}: {}", outcome.stderr);
        assert!(outcome.stdout.is_empty());
    }
}

#[test]
fn n01_n02_junk_does_not_hide_a_good_signature_and_is_looked_at_with_a_bound() {
    let world = signed();
    let digest = world.sandbox.registry().digest("shop/web", "1.0").unwrap();
    let bytes = world.sandbox.registry().manifest("shop/web", &digest).unwrap();
    let image = acr_sandbox::Pushed { digest, bytes, media_type: "application/vnd.oci.image.index.v1+json".into() };
    for number in 0..500 {
        world.sandbox.registry().push_referrer("shop/web", &image, TYPE, &number.to_string());
    }
    world.sandbox.clear_log();
    let outcome = pinned(&world, "--quiet");
    assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
    // The image, five pages, and one manifest for each of fifty, with one envelope.
    assert!(registry_requests(&world) <= 1 + 6 + 50 + 1, "{}", registry_requests(&world));
    let outcome = verify(&world, "--certificate akv:contoso/certificates/other");
    assert_eq!((outcome.exit, outcome.reasons()), (Exit::Undecided, vec!["limit-reached"]));
}

#[test]
fn n01_a_list_without_end_is_not_found_out_although_it_shows_no_signature() {
    let world = signed();
    let empty = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;
    for page in 0..100 {
        let headers = vec![
            ("content-type".to_owned(), "application/vnd.oci.image.index.v1+json".to_owned()),
            ("link".to_owned(), format!("</v2/shop/web/referrers/sha256:0?page={page}>; rel=\"next\"")),
        ];
        let action = Action::Answer { status: 200, headers, body: empty.into() };
        world.sandbox.fault(Fault::new(action).path("/referrers/").nth(page + 1));
    }
    let outcome = pinned(&world, "");
    assert_eq!((outcome.exit, outcome.reasons()), (Exit::Undecided, vec!["limit-reached"]), "{}", outcome.stderr);
}

#[test]
fn of_signatures_that_fail_alike_the_newest_is_told() {
    let world = world();
    for ahead in [0, 60, 120] {
        let line = format!("sign {IMAGE} --format notation --key akv:contoso/certificates/signer --force --expiry 1h");
        assert_eq!(world.run_at(&line, Some(ahead)).exit, Exit::Done);
    }
    let line = format!("verify {IMAGE} --format notation --certificate akv:contoso/certificates/signer --output json");
    let image = world.run_at(&line, Some(7_200)).json()["images"][0].clone();
    let ends: Vec<&str> =
        image["signatures"].as_array().unwrap().iter().map(|one| one["expiresAt"].as_str().unwrap()).collect();
    assert!(ends.is_sorted_by(|newer, older| newer > older), "{ends:?}");
    let message = image["message"].as_str().unwrap();
    assert!(message.contains(ends[0]) && message.contains("2 more signatures do not count"), "{message}");
}

#[test]
fn both_formats_must_hold() {
    let (world, root) = World::initialised();
    world.sandbox.vault().create_certificate("signer", KeyKind::P256, SUBJECT).unwrap();
    let line =
        format!("verify {IMAGE} --format dct,notation --root {root} --certificate akv:contoso/certificates/signer");
    assert_eq!(world.sign(&["1.0"], &root).exit, Exit::Done);
    let outcome = world.run(&line);
    assert_eq!((outcome.exit, outcome.reasons()), (Exit::Rejected, vec!["unsigned"]), "{}", outcome.stderr);
    sign(&world, "signer", "");
    let outcome = world.run(&format!("{line} --output json"));
    assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
    assert_eq!(outcome.json()["images"][0]["requirements"].as_array().unwrap().len(), 2);
}

#[test]
fn images_with_many_signatures_share_what_is_asked_at_once() {
    let world = world();
    let images: Vec<String> = (0..4).map(|number| format!("{REPOSITORY}:t{number}")).collect();
    for number in 0..4 {
        world.sandbox.registry().push_image("shop/web", &format!("t{number}"), &format!("image {number}"));
    }
    let images = images.join(" ");
    for _ in 0..6 {
        let line = format!("sign {images} --format notation --key akv:contoso/certificates/other --force");
        assert_eq!(world.run(&line).exit, Exit::Done);
    }
    world.sandbox.clear_log();
    world.sandbox.set_latency(std::time::Duration::from_millis(20));
    let trust = "--format notation --certificate akv:contoso/certificates/signer --concurrency 4";
    let outcome = world.run(&format!("verify {images} {trust}"));
    assert_eq!((outcome.exit, outcome.reasons().len()), (Exit::Rejected, 4), "{}", outcome.stderr);
    let asked = world.sandbox.log();
    let asked: Vec<_> = asked.iter().filter(|entry| entry.path.starts_with("/v2/shop/")).collect();
    let in_flight = |at: u64| asked.iter().filter(|entry| entry.started <= at && at < entry.ended).count();
    let most = asked.iter().map(|entry| in_flight(entry.started)).max().unwrap();
    assert!((2..=4).contains(&most), "{most} of {} at once", asked.len());
}

#[test]
fn g14_an_index_of_which_the_children_alone_are_signed_is_not_signed() {
    let world = world();
    let registry = world.sandbox.registry();
    let index = registry.manifest("shop/web", &world.digest("1.0")).unwrap();
    let index: serde_json::Value = serde_json::from_slice(&index).unwrap();
    let children: Vec<String> = index["manifests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|child| format!("{REPOSITORY}@{}", child["digest"].as_str().unwrap()))
        .collect();
    let key = "--format notation --key akv:contoso/certificates/signer";
    assert_eq!(world.run(&format!("sign {} {key}", children.join(" "))).exit, Exit::Done);
    let trust = "--format notation --certificate akv:contoso/certificates/signer";
    let outcome = world.run(&format!("verify {} {trust}", children.join(" ")));
    assert_eq!((outcome.exit, outcome.stdout.lines().count()), (Exit::Done, 2), "{}", outcome.stderr);
    let outcome = pinned(&world, "");
    assert_eq!((outcome.exit, outcome.reasons()), (Exit::Rejected, vec!["unsigned"]), "{}", outcome.stderr);
    // Nor do the children count where the index is what was signed.
    sign(&world, "signer", "");
    assert_eq!(pinned(&world, "").exit, Exit::Done);
    registry.push_index("shop/web", "2.0", "two");
    let other = registry.manifest("shop/web", &world.digest("2.0")).unwrap();
    let other: serde_json::Value = serde_json::from_slice(&other).unwrap();
    assert_eq!(world.run(&format!("sign {REPOSITORY}:2.0 {key}")).exit, Exit::Done);
    let child = format!("{REPOSITORY}@{}", other["manifests"][0]["digest"].as_str().unwrap());
    let outcome = world.run(&format!("verify {child} {trust}"));
    assert_eq!((outcome.exit, outcome.reasons()), (Exit::Rejected, vec!["unsigned"]), "{}", outcome.stderr);
}

/// notation's own files in a folder, for one repository.
pub fn notation_files(world: &World, level: &str, trusted: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("truststore/x509/ca/own");
    std::fs::create_dir_all(&store).unwrap();
    let shown = world.run(&format!("inspect {IMAGE} --output json"));
    assert_eq!(shown.exit, Exit::Done, "{}", shown.stderr);
    let certificate = KeyPair::generate().unwrap();
    let mut stranger = signing_parameters();
    stranger.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    std::fs::write(store.join("stranger.pem"), stranger.self_signed(&certificate).unwrap().pem()).unwrap();
    if !trusted.is_empty() {
        let der = world.sandbox.vault().certificate(trusted).unwrap();
        std::fs::write(store.join("own.der"), der).unwrap();
    }
    let verification = serde_json::json!({"level": level});
    let (stores, identities) = if level == "skip" {
        (serde_json::json!([]), serde_json::json!([]))
    } else {
        (serde_json::json!(["ca:own"]), serde_json::json!(["x509.subject: C=US, ST=WA, O=Contoso"]))
    };
    let policy = serde_json::json!({"version": "1.0", "trustPolicies": [{
        "name": "shop", "registryScopes": [REPOSITORY], "signatureVerification": verification,
        "trustStores": stores, "trustedIdentities": identities,
    }]});
    std::fs::write(folder.path().join("trustpolicy.json"), policy.to_string()).unwrap();
    let flags = format!("--trust-policy {0}/trustpolicy.json --trust-store {0}/truststore", folder.path().display());
    (folder, flags)
}

#[test]
fn notations_own_policy_and_store_work_unchanged() {
    let world = signed();
    for (level, trusted, exit, reason) in [
        ("strict", "signer", Exit::Done, None),
        ("strict", "", Exit::Rejected, Some("untrusted-key")),
        ("permissive", "signer", Exit::Done, None),
        ("permissive", "", Exit::Rejected, Some("untrusted-key")),
        ("audit", "", Exit::Done, None),
        ("skip", "", Exit::Done, None),
    ] {
        let (_folder, flags) = notation_files(&world, level, trusted);
        world.sandbox.clear_log();
        let outcome = verify(&world, &format!("{flags} --output json"));
        assert_eq!(outcome.exit, exit, "{level} {trusted}: {}", outcome.stderr);
        let image = outcome.json()["images"][0].clone();
        let expected = match (reason, level, trusted) {
            (Some(_), ..) => "rejected",
            // What passes without authenticity is never taken for verified.
            (None, "audit" | "skip", _) => "exempt",
            (None, ..) => "verified",
        };
        assert_eq!((image["status"].as_str(), image["reason"].as_str()), (Some(expected), reason), "{level} {trusted}");
        if expected == "exempt" {
            assert!(outcome.stderr.contains("statement `shop`"), "{}", outcome.stderr);
        }
        if level == "skip" {
            assert_eq!(registry_requests(&world), 1, "nothing is listed under `skip`");
            // What is demanded besides is not let pass unseen.
            let demanding = verify(&world, &format!("{flags} --annotation team=shop"));
            assert_eq!((demanding.exit, demanding.reasons()), (Exit::Rejected, vec!["metadata-mismatch"]));
        }
    }
    let (folder, flags) = notation_files(&world, "strict", "signer");
    let outcome = world.run(&format!("verify contoso.azurecr.io/shop/web:1.0 --format notation {flags}"));
    assert_eq!(outcome.exit, Exit::Done);
    let other = world.sandbox.registry().push_image("shop/other", "1.0", "other").digest;
    let outcome = world.run(&format!("verify contoso.azurecr.io/shop/other@{other} --format notation {flags}"));
    assert_eq!((outcome.exit, outcome.reasons()), (Exit::Rejected, vec!["no-rule"]));
    std::fs::write(folder.path().join("truststore/x509/ca/own/notes.txt"), "no certificate").unwrap();
    let outcome = verify(&world, &flags);
    // One file that is no certificate spoils the store.
    assert_eq!((outcome.exit, outcome.reasons()), (Exit::Usage, vec!["config-invalid"]), "{}", outcome.stderr);
    std::fs::write(folder.path().join("trustpolicy.json"), "{}").unwrap();
    let outcome = verify(&world, &flags);
    assert_eq!((outcome.exit, outcome.reasons()), (Exit::Usage, vec!["policy-invalid"]));
}

#[test]
fn a_scope_in_another_spelling_is_not_passed_over_for_a_laxer_statement() {
    let world = World::new();
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("truststore")).unwrap();
    let flags = format!("--trust-policy {0}/trustpolicy.json --trust-store {0}/truststore", folder.path().display());
    // notation compares bytes, so it holds whoever names the image as the policy does to the strict statement.
    for (scope, image, normal) in [
        ("Contoso.AzureCR.io/shop/web", "Contoso.AzureCR.io/shop/web:1.0", "contoso.azurecr.io/shop/web"),
        ("index.docker.io/library/alpine", "index.docker.io/library/alpine:1", "docker.io/library/alpine"),
        ("docker.io/alpine", "docker.io/alpine:1", "docker.io/library/alpine"),
    ] {
        let policy = serde_json::json!({"version": "1.0", "trustPolicies": [
            {"name": "prod", "registryScopes": [scope], "signatureVerification": {"level": "strict"},
             "trustStores": ["ca:own"], "trustedIdentities": ["*"]},
            {"name": "rest", "registryScopes": ["*"], "signatureVerification": {"level": "skip"}},
        ]});
        std::fs::write(folder.path().join("trustpolicy.json"), policy.to_string()).unwrap();
        let outcome = world.run(&format!("verify {image} --format notation {flags}"));
        assert_eq!((outcome.exit, outcome.reasons()), (Exit::Usage, vec!["policy-invalid"]), "{}", outcome.stderr);
        assert!(outcome.stderr.contains(&format!("`{scope}`")) && outcome.stderr.contains(&format!("`{normal}`")));
        assert_eq!((outcome.stdout.as_str(), world.sandbox.log().len()), ("", 0));
    }
}

fn signing_parameters() -> CertificateParams {
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
    std::fs::write(path("key.pem"), format!("{}{leaf}{root_pem}", key.serialize_pem())).unwrap();
    std::fs::write(path("root.pem"), root_pem).unwrap();
    let signed = world.run(&format!("sign {IMAGE} --format notation --key file:{}", path("key.pem")));
    assert_eq!(signed.exit, Exit::Done, "{}", signed.stderr);
    let asked = || world.sandbox.log().iter().filter(|entry| entry.path.starts_with("/ocsp")).count();
    let trusted = format!("--certificate {} --identity x509.subject:C=US,ST=WA,O=Contoso", path("root.pem"));
    let outcome = verify(&world, &trusted);
    assert_eq!((outcome.exit, outcome.reasons()), (Exit::Undecided, vec!["revocation-unknown"]), "{}", outcome.stderr);
    assert_eq!(asked(), 0);
    // Named, it is asked; that it knows nothing is no yes.
    let outcome = verify(&world, &format!("{trusted} --allow-private {responder} --retries 0"));
    assert_eq!((outcome.exit, outcome.reasons()), (Exit::Undecided, vec!["revocation-unknown"]), "{}", outcome.stderr);
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
        ("--certificate akv:contoso/certificates/other".to_owned(), "untrusted-key"),
        (
            format!("--certificate {} --identity x509.subject:C=US,ST=WA,O=Fabrikam", path("root.pem")),
            "untrusted-identity",
        ),
    ] {
        let outcome = verify(&world, &format!("{line} --allow-private {responder}"));
        assert_eq!((outcome.exit, outcome.reasons()), (Exit::Rejected, vec![reason]), "{}", outcome.stderr);
        assert_eq!(asked(), 1, "{reason}");
    }
}

#[test]
fn inspect_shows_every_signature_with_its_chain() {
    let world = world();
    sign(&world, "other", "");
    sign(&world, "signer", "--expiry 24h");
    let outcome = world.run(&format!("inspect {IMAGE} --output json"));
    assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
    let image = outcome.json()["images"][0].clone();
    assert_eq!((image["status"].as_str(), image["signatures"].as_array().unwrap().len()), (Some("shown"), 2));
    assert!(image["signatures"].as_array().unwrap().iter().all(|one| one["format"] == "notation"));
    assert!(image["signatures"].as_array().unwrap().iter().all(|one| one["chain"][0]["name"] == SUBJECT));
    let lines = world.run(&format!("inspect {IMAGE}")).stdout;
    assert_eq!(lines.matches(SUBJECT).count(), 2, "{lines}");
}

#[test]
fn key_show_says_what_is_wrong_with_a_certificate_for_signing() {
    let world = world();
    let good = world.run("key show akv:contoso/certificates/signer");
    assert!(good.stdout.contains("notation      can sign"), "{}", good.stdout);
    let bare = world.run("key show akv:contoso/keys/release --output json").json();
    let policy = &bare["notation"]["certificatePolicy"];
    assert!(bare["notation"]["unsuitable"].as_str().unwrap().contains("certificate"));
    assert_eq!(policy["x509CertificateProperties"]["keyUsage"], serde_json::json!(["digitalSignature"]));
    assert_eq!(policy["keyProperties"]["curve"], "P-256");
    let folder = tempfile::tempdir().unwrap();
    let key = KeyPair::generate().unwrap();
    let mut wrong = signing_parameters();
    wrong.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
    wrong.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let file = folder.path().join("tls.pem");
    std::fs::write(&file, format!("{}{}", key.serialize_pem(), wrong.self_signed(&key).unwrap().pem())).unwrap();
    let shown = world.run(&format!("key show file:{}", file.display()));
    assert!(shown.stdout.contains("notation      not usable: the certificate"), "{}", shown.stdout);
    assert!(shown.stdout.contains("az keyvault certificate create"), "{}", shown.stdout);
}
