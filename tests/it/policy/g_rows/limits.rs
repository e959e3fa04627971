//! Answers without end, and answers that say two things: G07, G09, G12.

use acr_sandbox::{Action, Fault, Service};
use acr_sign::Exit;
use serde_json::{Value, json};

use super::{IMAGE, INDEX, MANIFEST, Scene, asked, elsewhere};
use crate::{edge::bomb, world::REPOSITORY};

#[test]
fn g07_every_answer_has_an_end() {
    let scene = Scene::new();
    for (service, path) in [
        (Service::Registry, "/manifests/1.0"),
        (Service::Registry, "/oauth2/exchange"),
        (Service::Registry, "/oauth2/token"),
        (Service::Registry, "/referrers/"),
        (Service::Registry, "/manifests/sha256:"),
        (Service::Registry, "/blobs/"),
        (Service::TrustServer, "/root.json"),
        (Service::TrustServer, "/timestamp.json"),
        (Service::TrustServer, "/snapshot."),
        (Service::TrustServer, "/targets."),
        (Service::TrustServer, "/targets/releases."),
    ] {
        scene.world.sandbox.clear_faults();
        scene
            .world
            .sandbox
            .fault(Fault::new(Action::Endless).service(service).path(path));
        let outcome = scene.denied(&scene.both(), IMAGE, Exit::Undecided, &["limit-reached"]);
        assert!(
            outcome.stderr.contains(" bytes"),
            "{path}: {}",
            outcome.stderr
        );
    }
    // What counts is the size unpacked.
    scene.world.sandbox.clear_faults();
    scene.world.sandbox.fault(
        Fault::new(bomb())
            .service(Service::Registry)
            .path("/manifests/1.0")
            .nth(2),
    );
    let outcome = scene.denied(&scene.both(), IMAGE, Exit::Undecided, &["limit-reached"]);
    assert!(
        outcome.stderr.contains("4194304 bytes"),
        "{}",
        outcome.stderr
    );
}

/// The answer of a registry, with this Content-Type.
fn answer(content_type: &str, body: &str) -> Action {
    let headers = vec![("content-type".to_owned(), content_type.to_owned())];
    Action::Answer {
        status: 200,
        headers,
        body: body.to_owned().into(),
    }
}

#[test]
fn g09_what_two_programs_could_read_differently_is_no_image() {
    let scene = Scene::new();
    let child =
        json!({"mediaType": MANIFEST, "digest": format!("sha256:{}", "0".repeat(64)), "size": 2});
    let image =
        json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": child, "layers": [child]});
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [child]});
    let with = |document: &Value, name: &str, value: Value| {
        let mut document = document.clone();
        document[name] = value;
        document.to_string()
    };
    let without_type = |document: &Value| {
        let mut document = document.clone();
        document.as_object_mut().unwrap().remove("mediaType");
        document.to_string()
    };
    for (what, content_type, body) in [
        (
            "layers in an index",
            INDEX,
            with(&index, "layers", json!([child])),
        ),
        (
            "manifests in an image",
            MANIFEST,
            with(&image, "manifests", json!([child])),
        ),
        ("an image that is called an index", INDEX, image.to_string()),
        (
            "an index that is called an image",
            MANIFEST,
            index.to_string(),
        ),
        (
            "an untyped image that is called an index",
            INDEX,
            without_type(&image),
        ),
        (
            "an untyped index that is called an image",
            MANIFEST,
            without_type(&index),
        ),
        (
            "a configuration in an index",
            INDEX,
            with(&index, "config", child.clone()),
        ),
        (
            "manifests twice",
            INDEX,
            index.to_string().replacen('{', r#"{"manifests":[],"#, 1),
        ),
        (
            "another type than an image has",
            "application/json",
            image.to_string(),
        ),
        ("no type", "", image.to_string()),
        (
            "docker's type outside",
            "application/vnd.docker.distribution.manifest.v2+json",
            image.to_string(),
        ),
    ] {
        for members in [scene.dct(), scene.notation()] {
            scene.world.sandbox.clear_faults();
            // Behind the challenge.
            scene.world.sandbox.fault(
                Fault::new(answer(content_type, &body))
                    .path("/manifests/1.0")
                    .nth(2),
            );
            let outcome = scene.gate(&members, IMAGE);
            let said = (outcome.exit, outcome.reasons());
            assert_eq!(
                said,
                (Exit::Undecided, vec!["answer-invalid"]),
                "{what}: {}",
                outcome.stderr
            );
            assert_eq!(
                (outcome.stdout.as_str(), asked(&scene.world, "/referrers/")),
                ("", 0),
                "{what}"
            );
        }
    }
}

#[test]
fn g09_a_signature_that_is_listed_as_something_else_is_none() {
    let scene = Scene::new();
    let registry = scene.world.sandbox.registry();
    let (digest, bytes) = registry
        .referring("shop/web", &scene.world.digest("1.0"))
        .remove(0);
    let entry = |media_type: &str, size: usize| json!({"mediaType": media_type, "digest": digest, "size": size, "artifactType": "application/vnd.cncf.notary.signature"});
    let listing = |entries: Value| {
        json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}).to_string()
    };
    for (what, body, exit, reason, fetched) in [
        (
            "as it is",
            listing(json!([entry(MANIFEST, bytes.len())])),
            Exit::Done,
            None,
            1,
        ),
        (
            "as an index",
            listing(json!([entry(INDEX, bytes.len())])),
            Exit::Rejected,
            Some("unsigned"),
            0,
        ),
        (
            "shorter",
            listing(json!([entry(MANIFEST, bytes.len() - 1)])),
            Exit::Undecided,
            Some("answer-invalid"),
            1,
        ),
        (
            "longer",
            listing(json!([entry(MANIFEST, bytes.len() + 1)])),
            Exit::Undecided,
            Some("answer-invalid"),
            1,
        ),
        (
            "beyond every bound",
            listing(json!([entry(MANIFEST, 9_000_000)])),
            Exit::Rejected,
            Some("unsigned"),
            0,
        ),
    ] {
        scene.world.sandbox.clear_faults();
        scene
            .world
            .sandbox
            .fault(Fault::new(answer(INDEX, &body)).path("/referrers/"));
        let outcome = scene.gate(&scene.notation(), IMAGE);
        let said = (outcome.exit, outcome.reasons());
        assert_eq!(
            said,
            (exit, reason.into_iter().collect()),
            "{what}: {}",
            outcome.stderr
        );
        assert_eq!(asked(&scene.world, "/manifests/sha256:"), fetched, "{what}");
    }
    // Its bytes under another Content-Type.
    for content_type in [
        INDEX,
        "application/vnd.docker.distribution.manifest.v2+json",
        "",
    ] {
        scene.world.sandbox.clear_faults();
        let body = String::from_utf8(bytes.clone()).unwrap();
        scene
            .world
            .sandbox
            .fault(Fault::new(answer(content_type, &body)).path(&digest));
        scene.denied(
            &scene.notation(),
            IMAGE,
            Exit::Undecided,
            &["answer-invalid"],
        );
    }
}

#[test]
fn g12_a_digest_has_one_form() {
    let scene = Scene::new();
    let hex = "0a".repeat(32);
    let wrong = [
        format!("sha256:{}", hex.to_ascii_uppercase()),
        format!("SHA256:{hex}"),
        format!("sha256:{hex}0"),
        format!("sha256:{}", &hex[1..]),
        format!("sha256:{}", "g".repeat(64)),
        format!("sha256:{hex}/../x"),
        "sha256:../../../etc/passwd".to_owned(),
        "sha256:".to_owned(),
        "sha256".to_owned(),
        format!("sha512:{hex}"),
        format!("md5:{}", "0".repeat(32)),
        format!("sha256-{hex}"),
        format!("sha256:{hex}@sha256:{hex}"),
        String::new(),
    ];
    for digest in &wrong {
        for name in [
            format!("{IMAGE}@{digest}"),
            format!("{REPOSITORY}@{digest}"),
        ] {
            scene.denied(&scene.both(), &name, Exit::Usage, &["usage"]);
            assert_eq!(scene.world.sandbox.log().len(), 0, "{name}");
        }
        let pod = format!(
            "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n    - image: \"{REPOSITORY}@{digest}\"\n"
        );
        let file = scene.world.write("pod.yaml", &pod);
        let line = format!("--manifests {file}");
        let outcome = scene.denied(&scene.both(), &line, Exit::Usage, &["manifest-invalid"]);
        assert!(
            outcome.stderr.contains("pod.yaml` line 5, column 14"),
            "{digest}: {}",
            outcome.stderr
        );
        assert_eq!(scene.world.sandbox.log().len(), 0, "{digest}");
    }
    // Nor is one that a registry lists ever part of an address.
    for digest in &wrong {
        scene.world.sandbox.clear_faults();
        let entry = json!({"mediaType": MANIFEST, "digest": digest, "size": 2, "artifactType": "application/vnd.cncf.notary.signature"});
        let body =
            json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]}).to_string();
        scene
            .world
            .sandbox
            .fault(Fault::new(answer(INDEX, &body)).path("/referrers/"));
        let outcome = scene.gate(&scene.notation(), IMAGE);
        assert_ne!(outcome.exit, Exit::Done, "{digest}");
        let asked: Vec<String> = scene
            .world
            .answered(Service::Registry)
            .into_iter()
            .map(|entry| entry.path)
            .collect();
        let tag = scene.world.digest("1.0").replacen(':', "-", 1);
        let known = |path: &String| {
            path.starts_with("/oauth2/")
                || ["/manifests/1.0", "/referrers/", &tag]
                    .iter()
                    .any(|known| path.contains(known))
        };
        assert!(asked.iter().all(known), "{digest}: {asked:?}");
        assert_eq!(elsewhere(&scene.world).len(), 0, "{digest}");
    }
}
