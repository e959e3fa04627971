//! What must be denied, signed by the real program and spoilt with real tools.

use base64::Engine as _;

use super::peer::{Notation, ours, we_sign, we_verify};
use super::pki::Signer;
use super::registry::{KINDS, Kind, Registry};
use super::responder::Responder;
use crate::command::run;
use crate::stack::peer;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

const TYPE: &str = "application/vnd.cncf.notary.signature";

/// The envelope of the only signature of an image, in a file.
fn envelope(registry: &Registry, image: &str, folder: &Path) -> PathBuf {
    let mut oras = Command::new(peer("oras"));
    oras.args([
        "discover",
        "--plain-http",
        "--format",
        "json",
        "--artifact-type",
        TYPE,
        image,
    ]);
    let listed = run(oras).ok().json();
    let found = listed
        .pointer("/referrers/0/digest")
        .or(listed.pointer("/manifests/0/digest"));
    let digest = found
        .and_then(|digest| digest.as_str())
        .unwrap_or_else(|| panic!("no signature in {listed}"));
    let repository = image.split('@').next().expect("it has a name");
    let mut crane = Command::new(peer("crane"));
    crane.args(["manifest", "--insecure", &format!("{repository}@{digest}")]);
    let manifest = run(crane).ok().json();
    let blob = manifest["layers"][0]["digest"]
        .as_str()
        .expect("a signature has one layer")
        .to_owned();
    let mut oras = Command::new(peer("oras"));
    let file = folder.join("envelope.json");
    oras.args([
        "blob",
        "fetch",
        "--plain-http",
        &format!("{repository}@{blob}"),
        "--output",
    ])
    .arg(&file);
    run(oras).ok();
    assert!(registry.host.starts_with("127.0.0.1"));
    file
}

/// Attaches an envelope to an image, as anybody may who can push.
fn attach(image: &str, folder: &Path, name: &str) {
    let mut oras = Command::new(peer("oras"));
    oras.current_dir(folder)
        .args(["attach", "--plain-http", "--artifact-type", TYPE]);
    oras.args([
        "--annotation",
        "io.cncf.notary.x509chain.thumbprint#S256=[\"00\"]",
        image,
    ]);
    oras.arg(format!("{name}:application/jose+json"));
    run(oras).ok();
}

#[test]
fn n10_a_signature_of_another_image_or_with_another_payload_is_denied() {
    for kind in KINDS {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let registry = Registry::start(kind);
        let signer = Signer::alone(&folder.path().join("signer"), "p-256");
        let notation = Notation::new(&signer, None);
        let image = registry.push(folder.path(), "signed");
        notation.sign(&registry, &image, "jws", &[]).ok();
        we_verify(&registry, &image, &signer, &[]).ok();
        let file = envelope(&registry, &image, folder.path());

        let other = registry.push(folder.path(), "other");
        we_verify(&registry, &other, &signer, &[])
            .exits(1)
            .says("error[unsigned]");
        attach(&other, folder.path(), "envelope.json");
        we_verify(&registry, &other, &signer, &[])
            .exits(1)
            .says("error[subject-mismatch]");
        notation.verify(&other, &[]).exits(1);

        // The payload says what the image is, and the signature is over another one.
        let text = std::fs::read_to_string(&file).expect("JWS is text");
        let mut document: serde_json::Value = serde_json::from_str(&text).expect("JWS is JSON");
        let payload = document["payload"]
            .as_str()
            .expect("it has a payload")
            .to_owned();
        let base64 = base64::engine::general_purpose::URL_SAFE_NO_PAD;
        let plain =
            String::from_utf8(base64.decode(&payload).expect("it is base64")).expect("it is text");
        let digest = |image: &str| {
            image
                .rsplit('@')
                .next()
                .expect("it has a digest")
                .to_owned()
        };
        let forged = plain.replace(&digest(&image), &digest(&other));
        document["payload"] = base64.encode(forged).into();
        std::fs::write(folder.path().join("forged.json"), document.to_string())
            .expect("the folder is ours");
        let third = registry.push(folder.path(), "third");
        attach(&third, folder.path(), "forged.json");
        we_verify(&registry, &third, &signer, &[])
            .exits(1)
            .says("error[signature-invalid]");
        notation.verify(&third, &[]).exits(1);
    }
}

#[test]
fn n11_n12_an_untrusted_certificate_or_identity_is_denied() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let registry = Registry::start(Kind::ReferrersApi);
    let signers =
        ["one", "two"].map(|name| Signer::chained(&folder.path().join(name), "p-256", &[]));
    let [one, two] = &signers;
    let image = registry.push(folder.path(), "signed");
    Notation::new(one, None)
        .sign(&registry, &image, "cose", &[])
        .ok();
    we_verify(&registry, &image, one, &[]).ok();
    we_verify(&registry, &image, two, &[])
        .exits(1)
        .says("error[untrusted-key]");
    Notation::new(two, None).verify(&image, &[]).exits(1);
    let anchor = one.anchor.display().to_string();
    let other = "x509.subject: C=US, ST=WA, O=Fabrikam";
    let by = ours(
        &registry,
        &[
            "verify",
            &image,
            "--format",
            "notation",
            "--certificate",
            &anchor,
            "--identity",
            other,
        ],
    );
    run(by).exits(1).says("error[untrusted-identity]");
    // A CA without a word on whom it is trusted for is no trust.
    run(ours(
        &registry,
        &[
            "verify",
            &image,
            "--format",
            "notation",
            "--certificate",
            &anchor,
        ],
    ))
    .exits(2);
}

#[test]
fn n13_an_expired_signature_is_denied() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let registry = Registry::start(Kind::ReferrersApi);
    let signer = Signer::alone(&folder.path().join("signer"), "p-256");
    let notation = Notation::new(&signer, None);
    let image = registry.push(folder.path(), "signed");
    we_sign(
        &registry,
        &image,
        &signer,
        "jws",
        &["--expiry".to_owned(), "1s".to_owned()],
    )
    .ok();
    std::thread::sleep(std::time::Duration::from_secs(2));
    we_verify(&registry, &image, &signer, &[])
        .exits(1)
        .says("error[expired]");
    notation.verify(&image, &[]).exits(1);
}

#[test]
fn g18_revocation_decides_where_it_may_be_asked() {
    for by in ["crl", "ocsp"] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let registry = Registry::start(Kind::ReferrersApi);
        let (listener, host) = Responder::bind();
        let names = match by {
            "crl" => format!("crlDistributionPoints=URI:http://{host}/ca.crl"),
            _ => format!("authorityInfoAccess=OCSP;URI:http://{host}/ocsp"),
        };
        let signer = Arc::new(Signer::chained(
            &folder.path().join("signer"),
            "p-256",
            &[names],
        ));
        let own = signer.clone();
        let responder = Responder::start(
            listener,
            Box::new(move |path, body| {
                if path == "/ca.crl" {
                    return ("application/pkix-crl", own.crl());
                }
                let request = if body.is_empty() {
                    asked_in(path)
                } else {
                    body.to_vec()
                };
                ("application/ocsp-response", own.ocsp(&request))
            }),
        );
        let notation = Notation::new(&signer, None);
        let image = registry.push(folder.path(), "signed");
        notation.sign(&registry, &image, "jws", &[]).ok();
        let allowed = ["--allow-private".to_owned(), host.clone()];
        we_verify(&registry, &image, &signer, &allowed).ok();
        assert_eq!(responder.asked(), 1, "{by}");
        // A private address that nobody named is not asked, and then nothing is known.
        we_verify(&registry, &image, &signer, &[])
            .exits(3)
            .says("error[revocation-unknown]");
        assert_eq!(responder.asked(), 1, "{by}");
        notation.verify(&image, &[]).ok();
        signer.revoke();
        we_verify(&registry, &image, &signer, &allowed)
            .exits(1)
            .says("error[revoked]");
        // Untrusted signers have nobody asked.
        let before = responder.asked();
        let stranger = Signer::alone(&folder.path().join("stranger"), "p-256");
        we_verify(&registry, &image, &stranger, &allowed)
            .exits(1)
            .says("error[untrusted-key]");
        assert_eq!(responder.asked(), before, "{by}");
    }
}

/// The request that stands base64 in the path of a GET.
fn asked_in(path: &str) -> Vec<u8> {
    let text = path
        .trim_start_matches("/ocsp/")
        .replace("%2B", "+")
        .replace("%2F", "/")
        .replace("%3D", "=");
    base64::engine::general_purpose::STANDARD
        .decode(text)
        .expect("a GET holds base64")
}
