//! What is listed as a signature, and what a signature names: G15, G16, G18.

use std::sync::atomic::Ordering;

use acr_sandbox::{Action, Fault, Service};
use acr_sign::Exit;
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{IMAGE, INDEX, MANIFEST, Scene, asked, gate};
use crate::{
    policy::signer::{CrlServer, Signer},
    world::World,
};

const TYPE: &str = "application/vnd.cncf.notary.signature";

#[test]
fn g15_two_signers_at_once_are_both_seen_by_the_gate() {
    let scene = Scene::new();
    let world = &scene.world;
    world.sandbox.registry().referrers().set_api(false);
    let mut certificates = Vec::new();
    for name in ["first", "second"] {
        let subject = format!("CN={name},O=Contoso,ST=WA,C=US");
        world
            .sandbox
            .vault()
            .create_certificate(name, acr_sandbox::KeyKind::P256, &subject)
            .unwrap();
        let key = format!("akv:contoso/certificates/{name}");
        world.write(
            &format!("{name}.yaml"),
            &format!("version: 1\nsign: {{ formats: [notation], key: \"{key}\" }}\n"),
        );
        certificates.push(format!("{{ notation: {{ certificates: [\"{key}\"] }} }}"));
    }
    let both = format!("{{ at-least: 2, of: [ {} ] }}", certificates.join(", "));
    scene.denied(&both, IMAGE, Exit::Rejected, &["unsigned"]);
    // Each has read the index before the other one writes it.
    let tag = world.digest("1.0").replacen(':', "-", 1);
    world.sandbox.clear_log();
    world.sandbox.fault(
        Fault::new(Action::Delay(std::time::Duration::from_millis(300)))
            .method("PUT")
            .path(&tag),
    );
    std::thread::scope(|scope| {
        let sign =
            |name: &str| world.run_binary(&format!("sign {IMAGE} --config {name}.yaml"), &[]);
        let runs: Vec<_> = ["first", "second"]
            .map(|name| scope.spawn(move || sign(name)))
            .into_iter()
            .collect();
        for run in runs {
            let outcome = run.join().unwrap();
            assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
        }
    });
    world.sandbox.clear_faults();
    let outcome = scene.gate(&both, IMAGE);
    assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
    assert!(asked(world, &tag) > 0, "by the tag");
}

#[test]
fn g16_what_is_listed_is_filtered_here_and_must_be_about_the_image() {
    let scene = Scene::new();
    let world = &scene.world;
    let registry = world.sandbox.registry();
    let (own, own_bytes) = registry
        .referring("shop/web", &world.digest("1.0"))
        .remove(0);
    let key = "--format notation --key akv:contoso/certificates/signer";
    let of_another = world.run(&format!("sign {}:unsigned {key}", crate::world::REPOSITORY));
    assert_eq!(of_another.exit, Exit::Done, "{}", of_another.stderr);
    let (foreign, foreign_bytes) = registry
        .referring("shop/web", &world.digest("unsigned"))
        .remove(0);
    let entry = |digest: &str, size: usize, artifact_type: &str| json!({"mediaType": MANIFEST, "digest": digest, "size": size, "artifactType": artifact_type});
    let own = entry(&own, own_bytes.len(), TYPE);
    // A good signature of another image; the same without its `subject`, and with one of another type.
    let foreign = entry(&foreign, foreign_bytes.len(), TYPE);
    let mut without: Value = serde_json::from_slice(&own_bytes).unwrap();
    without.as_object_mut().unwrap().remove("subject");
    let without = registry.push_manifest_bytes("shop/web", without.to_string().as_bytes());
    let without = entry(&without.digest, without.bytes.len(), TYPE);
    let mut typed: Value = serde_json::from_slice(&own_bytes).unwrap();
    typed["artifactType"] = json!("application/vnd.example.sbom");
    let typed = registry.push_manifest_bytes("shop/web", typed.to_string().as_bytes());
    let typed = entry(&typed.digest, typed.bytes.len(), TYPE);
    let mut sbom = own.clone();
    sbom["artifactType"] = json!("application/vnd.example.sbom");
    let mut untyped = own.clone();
    untyped.as_object_mut().unwrap().remove("artifactType");
    let list = |entries: &[&Value], filtered: bool| {
        let mut headers = vec![("content-type".to_owned(), INDEX.to_owned())];
        if filtered {
            headers.push(("oci-filters-applied".to_owned(), "artifactType".to_owned()));
        }
        let body =
            json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}).to_string();
        Action::Answer {
            status: 200,
            headers,
            body: body.into(),
        }
    };
    for (what, entries, exit, reason, fetched) in [
        (
            "the good one among others",
            vec![&sbom, &untyped, &foreign, &own],
            Exit::Done,
            None,
            2,
        ),
        (
            "of another image",
            vec![&foreign],
            Exit::Rejected,
            Some("subject-mismatch"),
            1,
        ),
        (
            "of no image",
            vec![&without],
            Exit::Rejected,
            Some("malformed"),
            1,
        ),
        (
            "not of this type",
            vec![&sbom],
            Exit::Rejected,
            Some("unsigned"),
            0,
        ),
        // ACR lists what older clients pushed without a type: the manifest says which it is.
        ("of no type", vec![&untyped], Exit::Done, None, 1),
        (
            "of another type in itself",
            vec![&typed],
            Exit::Rejected,
            Some("malformed"),
            1,
        ),
        ("nothing", vec![], Exit::Rejected, Some("unsigned"), 0),
    ] {
        for filtered in [true, false] {
            world.sandbox.clear_faults();
            world
                .sandbox
                .fault(Fault::new(list(&entries, filtered)).path("/referrers/"));
            let outcome = scene.gate(&scene.notation(), IMAGE);
            let said = (outcome.exit, outcome.reasons());
            assert_eq!(
                said,
                (exit, reason.into_iter().collect()),
                "{what}: {}",
                outcome.stderr
            );
            assert_eq!(asked(world, "/manifests/sha256:"), fetched, "{what}");
        }
    }
}

/// A signature by a signer whose certificate names these lists, under a policy that trusts its CA.
fn listing(lists: &[&str]) -> (World, Signer, &'static str) {
    let world = World::new();
    let signer = Signer::under_a_ca(lists);
    world.write("root.pem", &signer.root_pem);
    let key = world.write("key.pem", &signer.key_pem);
    let signed = world.run(&format!("sign {IMAGE} --format notation --key file:{key}"));
    assert_eq!(signed.exit, Exit::Done, "{}", signed.stderr);
    (
        world,
        signer,
        "{ notation: { certificates: [root.pem], identities: [\"*\"] } }",
    )
}

#[test]
fn g18_addresses_in_certificates_lead_nowhere_private() {
    let server = CrlServer::bind();
    let port = server.address().rsplit_once(':').unwrap().1.to_owned();
    let by_literal = format!("http://127.0.0.1:{port}/ca.crl");
    let (world, signer, trusted) = listing(&[&by_literal]);
    let asked = server.serve(signer.crl_that_revokes_it());
    // Each range as a literal, and loopback by its name; none of them is asked, and not asked is not good.
    for address in [
        by_literal.clone(),
        format!("http://localhost:{port}/ca.crl"),
        format!("http://[::1]:{port}/ca.crl"),
        format!("http://[::ffff:127.0.0.1]:{port}/ca.crl"),
        format!("http://0.0.0.0:{port}/ca.crl"),
        format!("http://2130706433:{port}/ca.crl"),
        "http://169.254.169.254/metadata/identity/oauth2/token".to_owned(),
        "http://10.0.0.1/ca.crl".to_owned(),
        "http://172.16.0.1/ca.crl".to_owned(),
        "http://192.168.0.1/ca.crl".to_owned(),
        "http://100.64.0.1/ca.crl".to_owned(),
        "http://[fe80::1]/ca.crl".to_owned(),
        "http://[fd00::1]/ca.crl".to_owned(),
    ] {
        let (world, _, trusted) = listing(&[&address]);
        let outcome = gate(&world, trusted, &format!("{IMAGE} --timeout 20s"));
        let said = (outcome.exit, outcome.reasons());
        assert_eq!(
            said,
            (Exit::Undecided, vec!["revocation-unknown"]),
            "{address}: {}",
            outcome.stderr
        );
        let imds = world
            .sandbox
            .log()
            .iter()
            .filter(|entry| entry.host == "169.254.169.254")
            .count();
        assert_eq!((asked.load(Ordering::SeqCst), imds), (0, 0), "{address}");
    }
    // Named by a flag it is asked, and then the answer counts.
    let outcome = gate(
        &world,
        trusted,
        &format!("{IMAGE} --allow-private 127.0.0.1:{port}"),
    );
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Rejected, vec!["revoked"]),
        "{}",
        outcome.stderr
    );
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[test]
fn g18_nobody_is_asked_for_a_signature_that_is_not_good() {
    let server = CrlServer::bind();
    let address = server.address();
    let (world, signer, trusted) = listing(&[&format!("http://{address}/ca.crl")]);
    let asked = server.serve(signer.crl_that_revokes_it());
    let allowed = format!("{IMAGE} --allow-private {address}");
    let stranger = Signer::under_a_ca(&[]);
    world.write("stranger.pem", &stranger.root_pem);
    for (members, reason) in [
        (
            "{ notation: { certificates: [stranger.pem], identities: [\"*\"] } }",
            "untrusted-key",
        ),
        (
            "{ notation: { certificates: [root.pem], identities: [\"x509.subject: C=US, ST=WA, O=Fabrikam\"] } }",
            "untrusted-identity",
        ),
        (
            "{ notation: { certificates: [root.pem], identities: [\"*\"], metadata: { a: b } } }",
            "metadata-mismatch",
        ),
    ] {
        let outcome = gate(&world, members, &allowed);
        assert_eq!(
            (outcome.exit, outcome.reasons()),
            (Exit::Rejected, vec![reason]),
            "{}",
            outcome.stderr
        );
        assert_eq!(asked.load(Ordering::SeqCst), 0, "{reason}");
    }
    // The same signature with one bit changed, in a manifest that fits it.
    let registry = world.sandbox.registry();
    let (digest, bytes) = registry
        .referring("shop/web", &world.digest("1.0"))
        .remove(0);
    let mut manifest: Value = serde_json::from_slice(&bytes).unwrap();
    let envelope = registry
        .blob(
            "shop/web",
            manifest["layers"][0]["digest"].as_str().unwrap(),
        )
        .unwrap();
    let mut envelope: Value = serde_json::from_slice(&envelope).unwrap();
    let mut signature = BASE64_URL_SAFE_NO_PAD
        .decode(envelope["signature"].as_str().unwrap())
        .unwrap();
    signature[40] ^= 1;
    envelope["signature"] = BASE64_URL_SAFE_NO_PAD.encode(signature).into();
    let tampered = envelope.to_string().into_bytes();
    manifest["layers"][0]["digest"] = registry.push_blob("shop/web", &tampered).into();
    manifest["layers"][0]["size"] = tampered.len().into();
    let pushed = registry.push_manifest_bytes("shop/web", manifest.to_string().as_bytes());
    let entry = json!({"mediaType": MANIFEST, "digest": pushed.digest, "size": pushed.bytes.len(), "artifactType": TYPE});
    let body = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]}).to_string();
    let headers = vec![("content-type".to_owned(), INDEX.to_owned())];
    world.sandbox.fault(
        Fault::new(Action::Answer {
            status: 200,
            headers,
            body: body.into(),
        })
        .path("/referrers/"),
    );
    let outcome = gate(&world, trusted, &allowed);
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Rejected, vec!["signature-invalid"]),
        "{}",
        outcome.stderr
    );
    assert_eq!(asked.load(Ordering::SeqCst), 0);
    // The untampered one, for comparison, is looked up and is revoked.
    world.sandbox.clear_faults();
    assert!(!digest.is_empty());
    let outcome = gate(&world, trusted, &allowed);
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Rejected, vec!["revoked"]),
        "{}",
        outcome.stderr
    );
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    assert_eq!(world.sandbox.count(Service::Other), 0);
}
