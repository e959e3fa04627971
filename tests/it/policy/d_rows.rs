//! The rows on dependencies of the attack list, as far as a gate can meet them: what other libraries got wrong, shown to
//! the built program under a policy file.

use acr_sandbox::{Identity, Options, Sandbox};
use acr_sign::{Exit, crypto::Certificate};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::hostile::push_signature;
use crate::{
    dct::{NOW, TestKey, TrustServer, delegated, signed_by, targets},
    notation::maker::{Key, Spec, ext, header, jws_of, p256, seq},
    world::{Outcome, World},
};

const APP: &str = "contoso.azurecr.io/web/app";

fn world() -> World {
    World::of(
        Sandbox::start(Options::default()).unwrap(),
        Identity::ManagedIdentityAppService,
    )
}

/// The gate at a time of its own, under a policy that requires this.
fn gate(world: &World, member: &str, at: &str) -> Outcome {
    let rule = format!("{{ images: [{APP}], require: [ {member} ] }}");
    let policy = world.write("policy.yaml", &format!("version: 1\nverify: [ {rule} ]\n"));
    world.run_binary(
        &format!("verify {APP}:1.0 --policy {policy} --at {at}"),
        &[],
    )
}

/// How a chain of such certificates, leaf first, is judged under a policy that trusts its root.
fn by_certificate(leaf: &Spec, root: &Spec) -> Outcome {
    let world = world();
    let image = world
        .sandbox
        .registry()
        .push_image("web/app", "1.0", "image");
    let subject =
        json!({"mediaType": image.media_type, "digest": image.digest, "size": image.bytes.len()});
    let (root_key, leaf_key): (Key, Key) = (p256(1), p256(2));
    let chain: Vec<Certificate> = vec![
        leaf.issue(&leaf_key, &root_key),
        root.issue(&root_key, &root_key),
    ];
    world.write("root.pem", &chain[1].pem());
    let payload = json!({"targetArtifact": subject}).to_string();
    let scheme = acr_sign::crypto::Scheme::EcdsaSha256;
    let envelope = jws_of(
        &header().to_string(),
        payload.as_bytes(),
        &chain,
        &leaf_key,
        scheme,
    )
    .to_string();
    push_signature(
        &world,
        "web/app",
        &subject,
        "application/jose+json",
        envelope.as_bytes(),
    );
    let member = "{ notation: { certificates: [root.pem], identities: [\"*\"] } }";
    gate(&world, member, "2026-07-01T00:00:00Z")
}

#[test]
fn d02_constraints_that_are_not_checked_deny() {
    let (leaf, root) = (|| Spec::leaf("signer", "root"), || Spec::ca("root", "root"));
    let good = by_certificate(&leaf(), &root());
    assert_eq!(good.exit, Exit::Done, "{}", good.stderr);
    let harmless = by_certificate(&leaf().with(ext("1.2.3.4", false, b"x")), &root());
    assert_eq!(harmless.exit, Exit::Done, "{}", harmless.stderr);
    let names = |critical| ext("2.5.29.30", critical, &seq(&[]));
    for (what, leaf, root) in [
        (
            "a critical extension of the leaf",
            leaf().with(ext("1.2.3.4", true, b"x")),
            root(),
        ),
        (
            "a critical extension of the root",
            leaf(),
            root().with(ext("1.2.3.4", true, b"x")),
        ),
        ("name constraints", leaf(), root().with(names(true))),
        (
            "name constraints that are not critical",
            leaf(),
            root().with(names(false)),
        ),
        (
            "policy constraints",
            leaf(),
            root().with(ext("2.5.29.36", true, &seq(&[]))),
        ),
    ] {
        let outcome = by_certificate(&leaf, &root);
        let said = (outcome.exit, outcome.reasons());
        assert_eq!(
            said,
            (Exit::Rejected, vec!["certificate-unsuitable"]),
            "{what}: {}",
            outcome.stderr
        );
        assert_eq!(outcome.stdout, "", "{what}");
    }
}

#[test]
fn d03_a_key_under_which_anything_verifies_signs_nothing() {
    // Points of small order: with the neutral point as R, and 0 as s, lax verifiers accept every message.
    let (mut neutral, mut order_four) = ([0_u8; 32], [0_u8; 32]);
    neutral[0] = 1;
    order_four[31] = 0x80;
    let mut forged = [0_u8; 64];
    forged[0] = 1;
    for point in [neutral, order_four, [0; 32]] {
        let world = world();
        let image = world
            .sandbox
            .registry()
            .push_image("web/app", "1.0", "image");
        let alice = TestKey::ec(3);
        let list = [delegated("targets/alice", &[&alice])];
        let mut server = TrustServer::with(&list, &[]);
        let mut body = targets(1, &[], &[]);
        let sha256 = BASE64_STANDARD.encode(Sha256::digest(&image.bytes));
        body["targets"]["1.0"] = json!({"hashes": {"sha256": sha256}, "length": image.bytes.len()});
        server.replace("targets/alice", &body.to_string(), &[&alice]);
        let member = format!(
            "{{ dct: {{ roots: [\"{}\"], signers: [alice] }} }}",
            server.pin
        );
        let judge = |server: &TrustServer| {
            let current = server.server.files.iter().filter_map(|(name, bytes)| {
                let role = name
                    .strip_suffix(".json")
                    .filter(|role| !role.contains('.') || role.ends_with(".root"))?;
                Some((role.to_owned(), bytes.clone()))
            });
            world.sandbox.trust().load(APP, current);
            gate(&world, &member, NOW)
        };
        let good = judge(&server);
        assert_eq!(good.exit, Exit::Done, "{}", good.stderr);
        // The owner of the targets key lists that point for Alice, whose file nobody could have signed.
        let owner = crate::dct::owner();
        let weak = json!({"keytype": "ed25519", "keyval": {"private": null, "public": BASE64_STANDARD.encode(point)}});
        let mut id = String::new();
        server.edit("targets", &[&owner.targets], |body| {
            id = Sha256::digest(weak.to_string())
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            body["delegations"]["keys"] = json!({ &id: weak });
            body["delegations"]["roles"][0]["keyids"] = json!([id]);
        });
        let mut file: serde_json::Value =
            serde_json::from_slice(&signed_by(&body.to_string(), &[])).unwrap();
        file["signatures"] =
            json!([{"keyid": id, "method": "eddsa", "sig": BASE64_STANDARD.encode(forged)}]);
        let bytes = file.to_string().into_bytes();
        server.store("targets/alice", 1, bytes);
        server.make_snapshot("2030-01-01T00:00:00Z");
        server.make_timestamp();
        let outcome = judge(&server);
        assert_eq!(outcome.stdout, "", "{point:?}");
        let said = (outcome.exit, outcome.reasons());
        assert_eq!(
            said,
            (Exit::Rejected, vec!["malformed"]),
            "{point:?}: {}",
            outcome.stderr
        );
    }
}

/// The versions of a package in the lock file.
fn locked(name: &str) -> Vec<Vec<u32>> {
    let lock = std::fs::read_to_string(
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock"),
    )
    .unwrap();
    let packages = lock
        .split("[[package]]\n")
        .filter(|package| package.starts_with(&format!("name = \"{name}\"\n")));
    let version = |package: &str| {
        let line = package
            .lines()
            .find_map(|line| line.strip_prefix("version = \""))
            .unwrap();
        line.trim_end_matches('"')
            .split(['.', '-', '+'])
            .map_while(|part| part.parse().ok())
            .collect()
    };
    packages.map(version).collect()
}

#[test]
fn d01_d02_d03_d04_what_is_locked_has_none_of_the_known_holes() {
    let webpki = locked("rustls-webpki");
    assert!(
        !webpki.is_empty() && webpki.iter().all(|version| *version >= vec![0, 103, 12]),
        "{webpki:?}"
    );
    let dalek = locked("ed25519-dalek");
    assert!(
        !dalek.is_empty() && dalek.iter().all(|version| *version >= vec![2]),
        "{dalek:?}"
    );
    assert_eq!(locked("ml-dsa"), Vec::<Vec<u32>>::new());
    // Private RSA keys are ring's: the other library is there for the tests alone.
    let manifest = std::fs::read_to_string(
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"),
    )
    .unwrap();
    let (before, after) = manifest.split_once("[dev-dependencies]").unwrap();
    assert!(
        !before.lines().any(|line| line.starts_with("rsa ")),
        "{before}"
    );
    assert!(after.lines().any(|line| line.starts_with("rsa ")));
}
