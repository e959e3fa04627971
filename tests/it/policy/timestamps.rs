//! What `policy init` writes of timestamps, those above all that an RFC 3161 server built on `openssl ts` gave to notation.

use acr_sign::{Exit, crypto::Certificate, format::notation::Envelope, oci::MediaType};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use super::hostile::{offered_signature, push_signature};
use crate::{
    notation::{
        fixtures::Set,
        maker::{Spec, TOKEN, Token, header, jws_of, p256},
    },
    world::World,
};

fn vector<'a>(set: &'a Set, id: &str) -> &'a Value {
    set.vectors()
        .iter()
        .find(|vector| vector["id"] == id)
        .unwrap()
}

#[test]
fn the_policy_that_is_written_of_a_stamped_signature_holds_after_its_certificate() {
    let set = Set::read("made-by-notation");
    let host = "--allow-host registry.example.test";
    for (id, root, clock) in [
        (
            "brief-leaf-timestamped-jws",
            "tsa-root-rsa.pem",
            "harbour time",
        ),
        (
            "brief-leaf-timestamped-cose",
            "tsa-root-ec.pem",
            "harbour clock",
        ),
        ("timestamp-jws", "tsa-root-rsa.pem", "harbour time"),
    ] {
        let (world, reference) = offered_signature(&set, vector(&set, id));
        let pem = set.file(&format!("certs/{root}"));
        let root = world.write(root, std::str::from_utf8(&pem).unwrap());
        let to = world.folder.path().join("made.yaml").display().to_string();
        // These tokens bring no root along, and nobody else says whose they are.
        let without = world.run(&format!("policy init {reference} --to {to} {host}"));
        let named = "give the root of that chain with `--timestamp-root-cert PEM`";
        assert!(without.stderr.contains(named), "{id}: {}", without.stderr);
        if id == "timestamp-jws" {
            assert_eq!(without.exit, Exit::Done, "{}", without.stderr);
            assert!(
                without
                    .stderr
                    .contains("no timestamp is required: its timestamp chains to `"),
                "{}",
                without.stderr
            );
            assert!(
                !std::fs::read_to_string(&to).unwrap().contains("timestamp"),
                "{id}"
            );
        } else {
            assert_eq!(
                (without.exit, without.reasons()),
                (Exit::Rejected, vec!["expired"]),
                "{id}"
            );
        }
        let made = world.run(&format!(
            "policy init {reference} --to {to} --overwrite --timestamp-root-cert {root} {host}"
        ));
        assert_eq!(made.exit, Exit::Done, "{id}: {}", made.stderr);
        assert!(!made.stderr.contains(named), "{id}: {}", made.stderr);
        let text = std::fs::read_to_string(&to).unwrap();
        let thumbprint = Certificate::from_der(pem::parse(&pem).unwrap().contents())
            .unwrap()
            .thumbprint_sha256();
        let lines: Vec<&str> = text.lines().map(str::trim_start).collect();
        let at = lines
            .iter()
            .position(|line| line.starts_with("# To confirm: the root of the timestamp authority"))
            .unwrap();
        assert!(
            lines[at + 1].contains(&format!("`CN={clock} root,")),
            "{text}"
        );
        assert!(
            lines[at + 1].contains(&format!("SHA-256 {thumbprint}, until 2046-")),
            "{text}"
        );
        assert!(
            lines[at + 2].starts_with("# stamped with ")
                && lines[at + 2].contains(&format!("`CN={clock} signer,"))
        );
        assert_eq!(
            lines[at + 3],
            format!(
                "timestamp-roots: [\"certificates/{}.pem\"]",
                &thumbprint[..32]
            )
        );
        // Once, although it is signed once without and once with the timestamp, as it were.
        assert_eq!(text.matches("- notation:").count(), 1, "{text}");
        let verified = world.run_binary(&format!("verify {reference} --policy {to} {host}"), &[]);
        assert_eq!(verified.exit, Exit::Done, "{id}: {}", verified.stderr);
        assert_eq!(
            world.run(&format!("policy check --policy {to}")).stderr,
            "",
            "{text}"
        );
    }
    let wrong = World::new();
    let leaf = wrong.write(
        "leaf.pem",
        std::str::from_utf8(&set.file("certs/self-p256.pem")).unwrap(),
    );
    let outcome = wrong.run(&format!(
        "policy init {}:1.0 --timestamp-root-cert {leaf}",
        crate::world::REPOSITORY
    ));
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Usage, vec!["usage"]),
        "{}",
        outcome.stderr
    );
    assert!(
        outcome
            .stderr
            .contains("is not a self-signed root of a timestamp authority"),
        "{}",
        outcome.stderr
    );
    assert_eq!(wrong.sandbox.log().len(), 0);
}

/// An image that one signer signed, with timestamps or without, each with its authority's certificates.
fn stamped(signatures: &[Option<&[&Certificate]>]) -> World {
    let world = World::of(
        acr_sandbox::Sandbox::start(acr_sandbox::Options::default()).unwrap(),
        acr_sandbox::Identity::ManagedIdentityAppService,
    );
    let image = world
        .sandbox
        .registry()
        .push_image("web/app", "1.0", "image");
    let subject =
        json!({"mediaType": image.media_type, "digest": image.digest, "size": image.bytes.len()});
    let (root_key, leaf_key) = (p256(1), p256(2));
    let chain = [
        Spec::leaf("signer", "root").issue(&leaf_key, &root_key),
        Spec::ca("root", "root").issue(&root_key, &root_key),
    ];
    let payload = json!({"targetArtifact": subject}).to_string();
    for token in signatures {
        let scheme = acr_sign::crypto::Scheme::EcdsaSha256;
        let mut envelope = jws_of(
            &header().to_string(),
            payload.as_bytes(),
            &chain,
            &leaf_key,
            scheme,
        );
        if let Some(certificates) = token {
            let read = Envelope::read(
                &MediaType::new("application/jose+json"),
                envelope.to_string().as_bytes(),
            );
            let token = Token::over(read.unwrap().signature(), certificates).sign(&p256(32));
            envelope["header"][TOKEN] = json!(BASE64_STANDARD.encode(token));
        }
        let bytes = envelope.to_string().into_bytes();
        push_signature(&world, "web/app", &subject, "application/jose+json", &bytes);
    }
    world
}

#[test]
fn a_root_that_comes_with_the_timestamp_is_pinned_once() {
    let (root_key, key) = (p256(31), p256(32));
    let root = Spec::ca("clock root", "clock root").issue(&root_key, &root_key);
    let clock = Spec::tsa("clock", "clock root").issue(&key, &root_key);
    let (with, without): (&[&Certificate], &[&Certificate]) = (&[&clock, &root], &[&clock]);
    for (signatures, demands, told) in [
        ([Some(with)].as_slice(), true, false),
        (&[Some(with), None], true, false),
        (&[None, Some(without), Some(with)], true, false),
        (&[Some(without)], false, true),
        (&[None], false, false),
    ] {
        let world = stamped(signatures);
        let july = "2026-07-01T00:00:00Z"
            .parse::<acr_sign::timestamp::Timestamp>()
            .unwrap();
        let ahead = july.unix() - acr_sign::Process::real().now.unix();
        let to = world.folder.path().join("made.yaml").display().to_string();
        let image = "contoso.azurecr.io/web/app:1.0";
        let outcome = world.run_at(
            &format!("policy init {image} --to {to} --output json"),
            Some(ahead),
        );
        assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
        let text = std::fs::read_to_string(&to).unwrap();
        assert_eq!(text.matches("- notation:").count(), 1, "{text}");
        let thumbprint = root.thumbprint_sha256();
        let pinned = format!(
            "timestamp-roots: [\"certificates/{}.pem\"]",
            &thumbprint[..32]
        );
        assert_eq!(text.contains(&pinned), demands, "{text}");
        assert_eq!(
            outcome.json()["warnings"]
                .to_string()
                .contains("--timestamp-root-cert"),
            told,
            "{}",
            outcome.stdout
        );
        // Each signature is shown once.
        let shown = outcome.json()["images"][0]["signatures"]
            .as_array()
            .unwrap()
            .len();
        let stamped = signatures.iter().filter(|token| token.is_some()).count();
        assert_eq!(
            shown,
            if demands { stamped } else { signatures.len() },
            "{}",
            outcome.stdout
        );
        let verified = world.run_at(&format!("verify {image} --policy {to}"), Some(ahead));
        assert_eq!(verified.exit, Exit::Done, "{}", verified.stderr);
    }
}
