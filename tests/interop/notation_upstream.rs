//! Signatures of the Notary Project's own tests, read where they lie.

use std::{collections::BTreeMap, fs, path::PathBuf};

use acr_sign::{
    crypto::Certificate,
    format::notation::{
        Envelope, RevocationAnswer, SignatureManifest, StoreName, Trust, TrustPolicy, Verdict,
        VerificationStep, verify,
    },
    oci::{Descriptor, Digest, MediaType},
    reason::Explain as _,
    timestamp::Timestamp,
};
use serde_json::Value;

fn file(name: &str) -> Vec<u8> {
    let folder = std::env::var_os("ACR_SIGN_FIXTURES")
        .expect("ACR_SIGN_FIXTURES names the folder of the fixtures");
    fs::read(PathBuf::from(folder).join("notation/upstream").join(name)).unwrap()
}

fn certificate(name: &str) -> Certificate {
    let bytes = file(name);
    match std::str::from_utf8(&bytes) {
        Ok(text) => Certificate::chain_from_pem(text).unwrap().remove(0),
        Err(_) => Certificate::from_der(&bytes).unwrap(),
    }
}

fn media_type(name: &str) -> MediaType {
    MediaType::new(if name.ends_with(".cose") {
        "application/cose"
    } else {
        "application/jose+json"
    })
}

fn now() -> Timestamp {
    "2026-11-25T12:00:00Z".parse().unwrap()
}

/// Trust by a policy with these stores.
fn trust(level: &str, stores: &[(&str, Certificate)]) -> Trust {
    let names: Vec<String> = stores
        .iter()
        .map(|(name, _)| format!("\"{name}\""))
        .collect();
    let policy = format!(
        r#"{{"version":"1.0","trustPolicies":[{{"name":"a","registryScopes":["*"],
        "signatureVerification":{{"level":"{level}"}},"trustStores":[{}],"trustedIdentities":["*"]}}]}}"#,
        names.join(",")
    );
    let policy = TrustPolicy::parse(policy.as_bytes()).unwrap();
    let stores = stores
        .iter()
        .map(|(name, one)| (name.parse::<StoreName>().unwrap(), Ok(vec![one.clone()])));
    policy.statements()[0]
        .trust(&stores.collect::<BTreeMap<_, _>>())
        .unwrap()
}

/// The outcome in a word; revocation services are down.
fn judge(target: &Descriptor, name: &str, bytes: &[u8], trust: &Trust) -> String {
    let mut step = verify(target, &media_type(name), bytes, trust, now());
    loop {
        match step {
            VerificationStep::Revocation(verification) => {
                let answers = verification
                    .requests()
                    .iter()
                    .map(|_| RevocationAnswer::Failed("down".to_owned()));
                let answers = answers.collect();
                step = verification.step(answers);
            }
            VerificationStep::Done(Verdict::Verified(accepted)) => {
                return format!("verified {}", accepted.warnings.len());
            }
            VerificationStep::Done(Verdict::Exempt(_)) => return "exempt".to_owned(),
            VerificationStep::Done(Verdict::Rejected(rejection)) => {
                return format!("{:?} {}", rejection.step(), rejection.reason());
            }
        }
    }
}

fn target(name: &str) -> Descriptor {
    Envelope::read(&media_type(name), &file(name))
        .unwrap()
        .payload()
        .target
        .clone()
}

fn anchor(name: &str, last: bool) -> Certificate {
    let envelope = Envelope::read(&media_type(name), &file(name)).unwrap();
    let chain = envelope.chain();
    if last {
        chain.last().unwrap().clone()
    } else {
        chain[0].clone()
    }
}

#[test]
fn envelopes_of_the_notary_project_end_as_it_says() {
    for name in ["notation-cli.jws", "notation-cli.cose"] {
        assert_eq!(target(name).size, 481);
        assert!(target(name).digest.hex().starts_with("19dbd2e4"));
        assert_eq!(
            judge(
                &target(name),
                name,
                &file(name),
                &trust("strict", &[("ca:a", anchor(name, true))])
            ),
            "verified 0"
        );
    }
    let root = certificate("NotationTestRoot.pem");
    let rows = [
        ("same-name-chain.jws", "strict", "ca:a", root, "verified 0"),
        (
            "signing-authority.jws",
            "strict",
            "signingAuthority:a",
            anchor("signing-authority.jws", true),
            "verified 0",
        ),
        (
            "signing-authority.jws",
            "strict",
            "ca:a",
            anchor("signing-authority.jws", true),
            "Authenticity untrusted-key",
        ),
        (
            "needs-plugin.jws",
            "strict",
            "ca:a",
            anchor("needs-plugin.jws", true),
            "Plugin critical-unknown",
        ),
        (
            "with-metadata-expired-cert.jws",
            "strict",
            "ca:a",
            anchor("with-metadata-expired-cert.jws", true),
            "AuthenticTimestamp expired",
        ),
        (
            "with-metadata-expired-cert.jws",
            "permissive",
            "ca:a",
            anchor("with-metadata-expired-cert.jws", true),
            "verified 1",
        ),
    ];
    for (name, level, store, anchor, expected) in rows {
        assert_eq!(
            judge(
                &target(name),
                name,
                &file(name),
                &trust(level, &[(store, anchor)])
            ),
            expected,
            "{name} {store}"
        );
    }
    let metadata = Envelope::read(
        &media_type("x.jws"),
        &file("with-metadata-expired-cert.jws"),
    )
    .unwrap();
    assert_eq!(
        metadata.payload().metadata["io.wabbit-networks.buildId"],
        "123"
    );
}

/// A real token of a public authority: everything but revocation holds without the network.
#[test]
fn a_public_authority_s_stamp_carries_an_ended_certificate() {
    let name = "expired-cert-timestamped.jws";
    let with = |level: &str, tsa: bool| {
        let mut stores = vec![("ca:a", anchor(name, true))];
        if tsa {
            stores.push(("tsa:a", certificate("globalsign-tsa-root.cer")));
        }
        judge(&target(name), name, &file(name), &trust(level, &stores))
    };
    assert_eq!(with("strict", false), "AuthenticTimestamp expired");
    assert_eq!(
        with("strict", true),
        "AuthenticTimestamp revocation-unknown"
    );
    assert_eq!(with("permissive", true), "verified 1");
}

#[test]
fn layouts_of_the_notary_project_are_read() {
    for (folder, level, expected) in [
        ("oci-layout-valid", "strict", "verified 0"),
        ("oci-layout-expired", "strict", "Expiry expired"),
        ("oci-layout-expired", "permissive", "verified 1"),
        ("oci-layout-expired", "audit", "verified 1"),
    ] {
        let blob = |digest: &str| {
            let bytes = file(&format!(
                "{folder}/blobs/sha256/{}",
                digest.strip_prefix("sha256:").unwrap()
            ));
            assert!(digest.parse::<Digest>().unwrap().matches(&bytes));
            bytes
        };
        let index: Value = serde_json::from_slice(&file(&format!("{folder}/index.json"))).unwrap();
        let named = |wanted: &dyn Fn(&str) -> bool| {
            let name = |entry: &Value| {
                entry["annotations"]["org.opencontainers.image.ref.name"]
                    .as_str()
                    .map(str::to_owned)
            };
            let entries = index["manifests"].as_array().unwrap();
            entries
                .iter()
                .find(|entry| name(entry).is_some_and(|name| wanted(&name)))
                .unwrap()
                .clone()
        };
        let image = named(&|name| name == "v1");
        let subject = Descriptor {
            media_type: MediaType::new(image["mediaType"].as_str().unwrap()),
            digest: image["digest"].as_str().unwrap().parse().unwrap(),
            size: image["size"].as_u64().unwrap(),
        };
        let referrers = named(&|name| name.starts_with("sha256-"));
        let referrers: Value =
            serde_json::from_slice(&blob(referrers["digest"].as_str().unwrap())).unwrap();
        let manifest = blob(referrers["manifests"][0]["digest"].as_str().unwrap());
        let manifest = SignatureManifest::read(&manifest, &subject).unwrap();
        let envelope = blob(&manifest.envelope.digest.to_string());
        let trust = trust(level, &[("ca:a", certificate("e2e.crt"))]);
        assert_eq!(
            judge(&subject, "x.jws", &envelope, &trust),
            expected,
            "{folder} {level}"
        );
    }
}
