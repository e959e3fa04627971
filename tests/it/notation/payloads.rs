//! N10: what a payload and a signature manifest must name, and in which form.

use acr_sign::{
    crypto::Scheme,
    format::notation::{SignatureManifest, Verdict, VerificationStep, verify},
    oci::{Descriptor, Digest, MediaType},
    reason::{Explain as _, Reason},
};
use serde_json::json;

use super::{
    maker::{header, jws_of},
    scene::{Scene, now, subject, verdict},
};

#[test]
fn n10_payload_and_manifest_must_name_the_image_in_all_three_fields() {
    let scene = Scene::new();
    let bytes = scene.good_jws();
    let good = subject();
    let others = [
        Descriptor {
            digest: Digest::sha256(b"other"),
            ..good.clone()
        },
        Descriptor {
            media_type: MediaType::new("application/vnd.oci.image.index.v1+json"),
            ..good.clone()
        },
        Descriptor {
            size: 6,
            ..good.clone()
        },
    ];
    let layer = Descriptor {
        media_type: MediaType::new("application/jose+json"),
        ..good.clone()
    };
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
        let step = verify(
            &other,
            &MediaType::new("application/jose+json"),
            &bytes,
            &scene.trust(),
            now(),
        );
        let VerificationStep::Done(Verdict::Rejected(rejection)) = step else {
            panic!("{other:?}")
        };
        assert!(
            format!("{rejection:?}").starts_with("OtherTarget"),
            "{rejection:?}"
        );
        assert_eq!(rejection.reason(), Reason::SubjectMismatch);
        let rejection = SignatureManifest::read(manifest(&other).as_bytes(), &good).unwrap_err();
        assert!(
            format!("{rejection:?}").starts_with("OtherSubject"),
            "{rejection:?}"
        );
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
        (
            target(&format!(r#""digest":"{digest}","size":5"#)),
            r#"Payload(Member("mediaType"))"#,
        ),
        (
            target(&format!(r#"{media},"size":5"#)),
            r#"Payload(Member("digest"))"#,
        ),
        (
            target(&format!(r#"{media},"digest":"sha256:00","size":5"#)),
            r#"Payload(Member("digest"))"#,
        ),
        (
            target(&format!(r#"{media},"digest":"{digest}""#)),
            r#"Payload(Member("size"))"#,
        ),
        (
            target(&format!(r#"{media},"digest":"{digest}","size":"5""#)),
            r#"Payload(Member("size"))"#,
        ),
        (
            target(&format!(r#"{media},"digest":"{digest}","size":-5"#)),
            r#"Payload(Member("size"))"#,
        ),
        (
            target(&format!(r#"{media},"digest":"{digest}","size":5,"size":5"#)),
            "Payload(Json(",
        ),
        (
            target(&format!(
                r#"{media},"digest":"{digest}","size":5,"annotations":{{"a":1}}"#
            )),
            r#"Payload(Member("annotations"))"#,
        ),
        (
            target(&format!(
                r#""mediaType":"application/vnd.oci.image.manifest.v1+json;x=1","digest":"{digest}","size":5"#
            )),
            r#"Payload(Member("mediaType"))"#,
        ),
        (
            target(&format!(
                r#"{media},"digest":"{digest}","size":5,"artifactType":"x","annotations":null"#
            )),
            "verified",
        ),
    ] {
        let jws = jws_of(
            &header().to_string(),
            payload.as_bytes(),
            &scene.chain(),
            &scene.leaf_key,
            Scheme::EcdsaSha256,
        );
        let found = verdict(jws.to_string().as_bytes(), &scene.trust());
        assert!(found.starts_with(expected), "{payload}: {found}");
    }
}

#[test]
fn manifests_of_neither_form_are_refused() {
    let good = subject();
    let entry =
        json!({"mediaType": "application/jose+json", "digest": good.digest.to_string(), "size": 5});
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
    assert_eq!(
        read(&set("artifactType", json!("text/plain"))),
        "Manifest(Form)"
    );
    assert_eq!(read(&set("layers", json!([]))), "Manifest(Layers(0))");
    assert_eq!(
        read(&set("layers", json!([entry, entry]))),
        "Manifest(Layers(2))"
    );
    assert_eq!(read(&remove("layers")), r#"Manifest(Member("layers"))"#);
    assert_eq!(read(&remove("config")), r#"Manifest(Member("config"))"#);
    assert_eq!(read(&remove("subject")), r#"Manifest(Member("subject"))"#);
    assert_eq!(
        read(&set("schemaVersion", json!(1))),
        r#"Manifest(Member("schemaVersion"))"#
    );
    assert_eq!(
        read(&set("mediaType", json!("text/plain"))),
        r#"Manifest(Member("mediaType"))"#
    );
    // G09: a document that is an index too.
    assert_eq!(
        read(&set("manifests", json!([]))),
        r#"Manifest(Member("manifests"))"#
    );
    let text =
        |manifest: &mut serde_json::Value| manifest["layers"][0]["mediaType"] = json!("text/plain");
    assert!(read(&text).starts_with("UnknownEnvelope"));
    let huge =
        |manifest: &mut serde_json::Value| manifest["layers"][0]["size"] = json!(1024 * 1024 + 1);
    assert_eq!(read(&huge), "Manifest(TooLong(1048577))");
    assert!(
        read(&set(
            "annotations",
            json!({"io.cncf.notary.x509chain.thumbprint#S256": "no list"})
        ))
        .starts_with("read")
    );
}
