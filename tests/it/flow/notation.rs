//! Signing with Notary Project: what is asked of the services, what ends in the registry, and what is left alone.

use acr_sandbox::{Action, Denial, Fault, KeyKind, Operation, Service};
use acr_sign::{
    Exit,
    format::notation::{Envelope, SignatureManifest},
    oci::{Descriptor, MediaType},
};
use serde_json::Value;

use crate::world::{Outcome, REPOSITORY, World};

const SUBJECT: &str = "CN=signer,O=Contoso,ST=WA,C=US";

/// A world whose vault has a certificate that may sign.
fn world() -> World {
    let world = World::new();
    world
        .sandbox
        .vault()
        .create_certificate("signer", KeyKind::P256, SUBJECT)
        .unwrap();
    world
}

fn sign(world: &World, tags: &[&str], more: &str) -> Outcome {
    let images: Vec<_> = tags
        .iter()
        .map(|tag| format!("{REPOSITORY}:{tag}"))
        .collect();
    world.run(&format!(
        "sign {} --format notation --key akv:contoso/certificates/signer {more}",
        images.join(" ")
    ))
}

/// The envelopes that refer to a tag's image, read as a verifier reads them.
fn signatures(world: &World, digest: &str) -> Vec<Envelope> {
    let registry = world.sandbox.registry();
    let subject = registry.manifest("shop/web", digest).unwrap();
    let document: Value = serde_json::from_slice(&subject).unwrap();
    let descriptor = Descriptor {
        media_type: MediaType::new(document["mediaType"].as_str().unwrap()),
        digest: digest.parse().unwrap(),
        size: u64::try_from(subject.len()).unwrap(),
    };
    let read = |(_, bytes): (String, Vec<u8>)| {
        let manifest = SignatureManifest::read(&bytes, &descriptor).unwrap();
        let envelope = registry
            .blob("shop/web", &manifest.envelope.digest.to_string())
            .unwrap();
        let envelope = Envelope::read(&manifest.kind.media_type(), &envelope).unwrap();
        assert_eq!(envelope.payload().target, descriptor);
        envelope
    };
    registry
        .referring("shop/web", digest)
        .into_iter()
        .map(read)
        .collect()
}

fn digest(world: &World, tag: &str) -> String {
    world.sandbox.registry().digest("shop/web", tag).unwrap()
}

/// Requests to the registry that were answered; tokens and the configuration, pushed once, aside.
fn registry_requests(world: &World) -> Vec<String> {
    let config = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
    let entries = world.answered(Service::Registry);
    let own = entries
        .iter()
        .filter(|entry| !entry.path.starts_with("/oauth2/") && !entry.path.contains(config));
    own.map(|entry| format!("{} {}", entry.method, entry.path))
        .collect()
}

#[test]
fn six_requests_and_one_vault_signature_sign_an_image() {
    let world = world();
    assert_eq!(sign(&world, &["1.0"], "").exit, Exit::Done);
    world
        .sandbox
        .registry()
        .push_image("shop/web", "2.0", "two");
    world.sandbox.clear_log();
    let outcome = sign(&world, &["2.0"], "");
    assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
    let asked = registry_requests(&world);
    // Manifest, list, two to upload, the signature manifest, and the list read back.
    assert_eq!(asked.len(), 6, "{asked:#?}");
    assert_eq!(world.vault_signatures(), 1);
    // Leaf and signature: one certificate read, nothing of keys or secrets.
    assert_eq!(world.answered(Service::Vault).len(), 2);
    assert_eq!(signatures(&world, &digest(&world, "2.0")).len(), 1);
}

#[test]
fn the_upload_is_opened_while_the_vault_signs() {
    let world = world();
    // Not the first of either: that one is the challenge, which needs no company.
    assert_eq!(sign(&world, &["1.0"], "").exit, Exit::Done);
    for (held, until) in [("/sign", "/blobs/uploads/"), ("/blobs/uploads/", "/sign")] {
        world.sandbox.clear_log();
        world.sandbox.clear_faults();
        world.sandbox.fault(
            Fault::new(Action::HoldUntil(until.into()))
                .path(held)
                .nth(1),
        );
        let outcome = sign(&world, &["1.0"], "--force");
        assert_eq!(
            outcome.exit,
            Exit::Done,
            "{held} until {until}: {}",
            outcome.stderr
        );
    }
}

#[test]
fn a_vault_that_does_not_sign_leaves_nothing_in_the_registry() {
    let world = world();
    world
        .sandbox
        .fault(Fault::new(Action::Status(403)).path("/sign").nth(1));
    world.sandbox.clear_log();
    assert_eq!(sign(&world, &["1.0"], "").exit, Exit::Undecided);
    let puts = world
        .answered(Service::Registry)
        .iter()
        .filter(|entry| entry.method == "PUT")
        .count();
    assert_eq!(puts, 0);
}

#[test]
fn nine_requests_sign_where_there_is_no_referrers_api() {
    let world = world();
    world.sandbox.registry().referrers().set_api(false);
    world.sandbox.clear_log();
    let outcome = sign(&world, &["1.0"], "");
    assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
    let asked: Vec<String> = registry_requests(&world);
    // The upload of the configuration, once per repository, is two of them.
    assert_eq!(asked.len(), 9 + 2, "{asked:#?}");
    let tag = digest(&world, "1.0").replacen(':', "-", 1);
    assert!(world.sandbox.registry().digest("shop/web", &tag).is_some());
}

#[test]
fn the_tag_is_never_written_where_the_api_is() {
    let world = world();
    assert_eq!(sign(&world, &["1.0"], "").exit, Exit::Done);
    let tag = digest(&world, "1.0").replacen(':', "-", 1);
    assert!(world.sandbox.registry().digest("shop/web", &tag).is_none());
    // Unless that is what was asked for.
    assert_eq!(
        sign(&world, &["1.0"], "--referrers tag --force").exit,
        Exit::Done
    );
    assert!(world.sandbox.registry().digest("shop/web", &tag).is_some());
}

#[test]
fn certificate_key_and_tokens_are_fetched_once_for_many_images() {
    let world = world();
    let tags: Vec<String> = (0..12).map(|number| format!("t{number}")).collect();
    for tag in &tags {
        world.sandbox.registry().push_image("shop/web", tag, tag);
    }
    world.sandbox.clear_log();
    let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
    let outcome = sign(&world, &tags, "");
    assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
    assert_eq!(
        outcome
            .stdout
            .lines()
            .filter(|line| line.starts_with("signed"))
            .count(),
        12
    );
    // One HEAD and one upload of the configuration besides six each; one upload begins with a POST as all do.
    let asked = registry_requests(&world);
    assert_eq!(asked.len(), 12 * 6 + 2, "{asked:#?}");
    assert_eq!(world.vault_signatures(), 12);
    assert_eq!(world.answered(Service::Vault).len(), 13);
    let tokens = world
        .answered(Service::Registry)
        .iter()
        .filter(|entry| entry.path.starts_with("/oauth2/"))
        .count();
    assert_eq!(tokens, 3, "one exchange, one token to pull and one to push");
}

#[test]
fn tags_of_one_manifest_share_one_signature() {
    let world = world();
    let outcome = sign(&world, &["1.0", "1", "latest"], "");
    assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
    assert_eq!(outcome.stdout.lines().count(), 3);
    assert_eq!(world.vault_signatures(), 1);
    assert_eq!(signatures(&world, &digest(&world, "1.0")).len(), 1);
}

#[test]
fn what_is_signed_already_is_left_alone() {
    let world = world();
    assert_eq!(
        sign(&world, &["1.0"], "--annotation team=shop").exit,
        Exit::Done
    );
    for more in ["", "--annotation team=shop", "--envelope cose", "--dry-run"] {
        world.sandbox.clear_log();
        let outcome = sign(&world, &["1.0"], more);
        assert!(
            outcome.stdout.starts_with("already-signed"),
            "{more}: {} {}",
            outcome.stdout,
            outcome.stderr
        );
        assert_eq!(world.vault_signatures(), 0, "{more}");
        // Manifest, list, and two for the signature that was looked at.
        assert_eq!(registry_requests(&world).len(), 4, "{more}");
    }
    for (more, count) in [("--force", 2), ("--annotation team=other", 3)] {
        let outcome = sign(&world, &["1.0"], more);
        assert!(
            outcome.stdout.starts_with("signed"),
            "{more}: {} {}",
            outcome.stdout,
            outcome.stderr
        );
        assert_eq!(
            signatures(&world, &digest(&world, "1.0")).len(),
            count,
            "{more}"
        );
    }
}

#[test]
fn a_signature_about_to_end_is_made_again() {
    let world = world();
    assert_eq!(sign(&world, &["1.0"], "--expiry 100h").exit, Exit::Done);
    let again = |ahead: i64| {
        let line = format!(
            "sign {REPOSITORY}:1.0 --format notation --key akv:contoso/certificates/signer --expiry 100h"
        );
        world.run_at(&line, Some(ahead)).stdout
    };
    assert!(again(89 * 3600).starts_with("already-signed"));
    assert!(again(91 * 3600).starts_with("signed"));
}

#[test]
fn what_claims_to_be_ours_and_is_not_does_not_keep_us_from_signing() {
    let world = world();
    assert_eq!(sign(&world, &["1.0"], "").exit, Exit::Done);
    let (_, ours) = world
        .sandbox
        .registry()
        .referring("shop/web", &digest(&world, "1.0"))
        .remove(0);
    let ours: Value = serde_json::from_slice(&ours).unwrap();
    // Another image with our signature's envelope, thumbprints and all.
    let other = world
        .sandbox
        .registry()
        .push_image("shop/web", "other", "other");
    let mut forged = ours.clone();
    forged["subject"] = serde_json::json!({"mediaType": other.media_type, "digest": other.digest, "size": other.bytes.len()});
    world
        .sandbox
        .registry()
        .push_manifest_bytes("shop/web", forged.to_string().as_bytes());
    let outcome = sign(&world, &["other"], "");
    assert!(
        outcome.stdout.starts_with("signed"),
        "{} {}",
        outcome.stdout,
        outcome.stderr
    );
    // An envelope that cannot be fetched is no signature of ours either.
    world.sandbox.fault(
        Fault::new(Action::Status(404))
            .method("GET")
            .path("/blobs/"),
    );
    let outcome = sign(&world, &["1.0"], "");
    assert!(
        outcome.stdout.starts_with("signed"),
        "{} {}",
        outcome.stdout,
        outcome.stderr
    );
}

/// Whoever may push can put our signature there again, with something in the place of its timestamp.
#[test]
fn a_stamp_that_proves_nothing_does_not_keep_us_from_signing() {
    let world = world();
    assert_eq!(sign(&world, &["1.0"], "").exit, Exit::Done);
    let registry = world.sandbox.registry();
    let (_, manifest) = registry
        .referring("shop/web", &digest(&world, "1.0"))
        .remove(0);
    let mut manifest: Value = serde_json::from_slice(&manifest).unwrap();
    let mut envelope: Value = serde_json::from_slice(
        &registry
            .blob(
                "shop/web",
                manifest["layers"][0]["digest"].as_str().unwrap(),
            )
            .unwrap(),
    )
    .unwrap();
    envelope["header"]["io.cncf.notary.timestampSignature"] = "AAAA".into();
    let envelope = envelope.to_string().into_bytes();
    manifest["layers"][0]["digest"] = registry.push_blob("shop/web", &envelope).into();
    manifest["layers"][0]["size"] = envelope.len().into();
    registry.push_manifest_bytes("shop/web", manifest.to_string().as_bytes());
    assert!(
        sign(&world, &["1.0"], "")
            .stdout
            .starts_with("already-signed"),
        "where none is asked for"
    );
    let mut root = rcgen::CertificateParams::default();
    root.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let root = root
        .self_signed(&rcgen::KeyPair::generate().unwrap())
        .unwrap();
    let root = world.write("tsa.pem", &root.pem());
    // The authority is at a private address: signing is begun, and ends there.
    let stamped = format!("--timestamp-url http://127.0.0.1:9/ --timestamp-root-cert {root}");
    let outcome = sign(&world, &["1.0"], &stamped);
    assert!(
        outcome.stdout.starts_with("failed"),
        "{} {}",
        outcome.stdout,
        outcome.stderr
    );
}

#[test]
fn g14_an_index_is_signed_alone_and_with_recursive_with_its_children() {
    let world = world();
    let index: Value = serde_json::from_slice(
        &world
            .sandbox
            .registry()
            .manifest("shop/web", &digest(&world, "1.0"))
            .unwrap(),
    )
    .unwrap();
    let children: Vec<&str> = index["manifests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|child| child["digest"].as_str().unwrap())
        .collect();
    let outcome = world
        .run(&format!("sign {REPOSITORY}:1.0 --format notation --key akv:contoso/certificates/signer --output json"));
    assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
    assert_eq!(
        outcome.json()["images"][0]["mediaType"],
        "application/vnd.oci.image.index.v1+json"
    );
    assert!(
        children
            .iter()
            .all(|child| signatures(&world, child).is_empty())
    );
    let outcome = world.run(&format!(
        "sign {REPOSITORY}:1.0 --format notation --key akv:contoso/certificates/signer --recursive --output json"
    ));
    assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
    assert_eq!(
        outcome.json()["images"][0]["signatures"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
    assert!(
        children
            .iter()
            .all(|child| signatures(&world, child).len() == 1)
    );
    assert_eq!(signatures(&world, &digest(&world, "1.0")).len(), 1);
}

#[test]
fn a_dry_run_signs_and_writes_nothing() {
    let world = world();
    world.sandbox.clear_log();
    let outcome = sign(&world, &["1.0"], "--dry-run");
    assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
    assert!(outcome.stdout.starts_with("planned"), "{}", outcome.stdout);
    assert_eq!(world.vault_signatures(), 0);
    assert!(
        registry_requests(&world)
            .iter()
            .all(|request| request.starts_with("GET"))
    );
}

#[test]
fn both_formats_sign_with_one_resolution_and_one_key() {
    let (world, root) = World::initialised();
    world
        .sandbox
        .vault()
        .create_certificate("signer", KeyKind::P256, SUBJECT)
        .unwrap();
    // The certificate's key signs trust data, too.
    let added = world.run(&format!(
        "trust signer add signer {REPOSITORY} --signer-key akv:contoso/certificates/signer \
         --targets-key akv:contoso/keys/targets --root {root}"
    ));
    assert_eq!(added.exit, Exit::Done, "{}", added.stderr);
    world.sandbox.clear_log();
    let outcome = world.run(&format!(
        "sign {REPOSITORY}:1.0 --format dct,notation --key akv:contoso/certificates/signer --root {root} --output json"
    ));
    assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
    let image = &outcome.json()["images"][0];
    assert_eq!(image["status"], "signed");
    let formats: Vec<&str> = image["signatures"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["format"].as_str().unwrap())
        .collect();
    assert!(
        formats.contains(&"dct") && formats.contains(&"notation"),
        "{formats:?}"
    );
    let resolved = registry_requests(&world)
        .iter()
        .filter(|request| request.ends_with("/manifests/1.0"))
        .count();
    assert_eq!(resolved, 1);
    let certificates = world
        .answered(Service::Vault)
        .iter()
        .filter(|entry| entry.method == "GET")
        .count();
    assert_eq!(certificates, 1);
    // A format that cannot sign fails the image; the other one has signed it.
    world.sandbox.fault(
        Fault::new(Action::Status(403))
            .method("PUT")
            .path("/manifests/"),
    );
    world
        .sandbox
        .registry()
        .push_image("shop/web", "2.0", "two");
    let outcome = world.run(&format!(
        "sign {REPOSITORY}:2.0 --format dct,notation --key akv:contoso/certificates/signer --root {root} --output json"
    ));
    assert_eq!(outcome.exit, Exit::Undecided);
    let image = &outcome.json()["images"][0];
    assert_eq!(
        (image["status"].as_str(), image["reason"].as_str()),
        (Some("failed"), Some("registry-forbidden"))
    );
    assert_eq!(world.verify("2.0", &root).exit, Exit::Done);
}

#[test]
fn reading_the_certificate_and_signing_are_permission_enough() {
    let world = world();
    world.sandbox.vault().deny(Operation::KeyGet, Denial::Rbac);
    world
        .sandbox
        .vault()
        .deny(Operation::SecretGet, Denial::Rbac);
    let outcome = sign(&world, &["1.0"], "");
    assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
    world.sandbox.vault().deny(Operation::Sign, Denial::Rbac);
    assert_eq!(
        sign(&world, &["1.0"], "--force").reasons(),
        ["vault-forbidden"]
    );
}

#[test]
fn k02_a_signature_of_another_version_is_not_published() {
    let world = world();
    world.sandbox.fault(
        Fault::new(Action::WrongKid)
            .service(Service::Vault)
            .path("/sign"),
    );
    let outcome = sign(&world, &["1.0"], "");
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Undecided, vec!["vault-answer-invalid"])
    );
    assert!(signatures(&world, &digest(&world, "1.0")).is_empty());
}

#[test]
fn n03_a_tag_that_is_not_what_was_built_is_not_signed() {
    let world = world();
    let built = world
        .sandbox
        .registry()
        .push_image("shop/web", "built", "built")
        .digest;
    for more in [
        format!("sign {REPOSITORY}:1.0 --digest {built}"),
        format!("sign {REPOSITORY}:1.0@{built}"),
    ] {
        let outcome = world.run(&format!(
            "{more} --format notation --key akv:contoso/certificates/signer"
        ));
        assert_eq!(
            (outcome.exit, outcome.reasons()),
            (Exit::Rejected, vec!["digest-mismatch"]),
            "{more}"
        );
    }
    let by_digest = format!(
        "sign {REPOSITORY}@{built} --format notation --key akv:contoso/certificates/signer"
    );
    assert_eq!(world.run(&by_digest).exit, Exit::Done);
    assert_eq!(signatures(&world, &built).len(), 1);
    assert_eq!(world.vault_signatures(), 1);
}

#[test]
fn what_no_format_takes_and_what_cannot_be_signed_is_said_before_anything_is_asked() {
    let world = world();
    world.sandbox.vault().create_key("bare", KeyKind::P256);
    for (line, reason) in [
        (
            "--key akv:contoso/certificates/signer --role targets",
            "usage",
        ),
        (
            "--key akv:contoso/certificates/signer --trust-on-first-use",
            "usage",
        ),
        (
            "--key akv:contoso/certificates/signer --envelope pkcs7",
            "usage",
        ),
        (
            "--key akv:contoso/certificates/signer --referrers somewhere",
            "usage",
        ),
        (
            "--key akv:contoso/certificates/signer --expiry soon",
            "usage",
        ),
        (
            "--key akv:contoso/certificates/signer --annotation team",
            "usage",
        ),
        ("--key akv:contoso/keys/bare", "key-unsuitable"),
    ] {
        world.sandbox.clear_log();
        let outcome = world.run(&format!("sign {REPOSITORY}:1.0 --format notation {line}"));
        assert_eq!(
            (outcome.exit, outcome.reasons()),
            (Exit::Usage, vec![reason]),
            "{line}: {}",
            outcome.stderr
        );
        assert!(world.answered(Service::Registry).is_empty(), "{line}");
    }
    let bare = world
        .run(&format!(
            "sign {REPOSITORY}:1.0 --format notation --key akv:contoso/keys/bare"
        ))
        .stderr;
    assert!(
        bare.contains("no certificate for the signing key")
            && bare.contains("akv:VAULT/certificates/"),
        "{bare}"
    );
    let outcome = world.run(&format!(
        "sign {REPOSITORY}:1.0 --format dct --key akv:contoso/keys/release --envelope jws"
    ));
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Usage, vec!["usage"])
    );
}
