//! The gate by notation's own policy and store.

use acr_sign::{
    Exit,
    format::notation::{STORE_FILES, TRUST_POLICY_LIMIT},
};
use rcgen::{IsCa, KeyPair};

use super::{
    notation_gate::{IMAGE, registry_requests, sign, signed, verify},
    notation_keys::signing_parameters,
};
use crate::world::{REPOSITORY, World};

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
    std::fs::write(
        store.join("stranger.pem"),
        stranger.self_signed(&certificate).unwrap().pem(),
    )
    .unwrap();
    if !trusted.is_empty() {
        let der = world.sandbox.vault().certificate(trusted).unwrap();
        std::fs::write(store.join("own.der"), der).unwrap();
    }
    let verification = serde_json::json!({"level": level});
    let (stores, identities) = if level == "skip" {
        (serde_json::json!([]), serde_json::json!([]))
    } else {
        (
            serde_json::json!(["ca:own"]),
            serde_json::json!(["x509.subject: C=US, ST=WA, O=Contoso"]),
        )
    };
    let policy = serde_json::json!({"version": "1.0", "trustPolicies": [{
        "name": "shop", "registryScopes": [REPOSITORY], "signatureVerification": verification,
        "trustStores": stores, "trustedIdentities": identities,
    }]});
    std::fs::write(folder.path().join("trustpolicy.json"), policy.to_string()).unwrap();
    let flags = format!(
        "--trust-policy {0}/trustpolicy.json --trust-store {0}/truststore",
        folder.path().display()
    );
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
        assert_eq!(
            (image["status"].as_str(), image["reason"].as_str()),
            (Some(expected), reason),
            "{level} {trusted}"
        );
        if expected == "exempt" {
            assert!(
                outcome.stderr.contains("statement `shop`"),
                "{}",
                outcome.stderr
            );
        }
        if level == "skip" {
            assert_eq!(
                registry_requests(&world),
                1,
                "nothing is listed under `skip`"
            );
            // What is demanded besides is not let pass unseen.
            let demanding = verify(&world, &format!("{flags} --annotation team=shop"));
            assert_eq!(
                (demanding.exit, demanding.reasons()),
                (Exit::Rejected, vec!["metadata-mismatch"])
            );
        }
    }
    let (folder, flags) = notation_files(&world, "strict", "signer");
    let outcome = world.run(&format!(
        "verify contoso.azurecr.io/shop/web:1.0 --format notation {flags}"
    ));
    assert_eq!(outcome.exit, Exit::Done);
    let other = world
        .sandbox
        .registry()
        .push_image("shop/other", "1.0", "other")
        .digest;
    let outcome = world.run(&format!(
        "verify contoso.azurecr.io/shop/other@{other} --format notation {flags}"
    ));
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Rejected, vec!["no-rule"])
    );
    std::fs::write(
        folder.path().join("truststore/x509/ca/own/notes.txt"),
        "no certificate",
    )
    .unwrap();
    let outcome = verify(&world, &flags);
    // One file that is no certificate spoils the store.
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Usage, vec!["config-invalid"]),
        "{}",
        outcome.stderr
    );
    std::fs::write(folder.path().join("trustpolicy.json"), "{}").unwrap();
    let outcome = verify(&world, &flags);
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Usage, vec!["policy-invalid"])
    );
}

#[test]
fn a_scope_in_another_spelling_is_not_passed_over_for_a_laxer_statement() {
    let world = World::new();
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("truststore")).unwrap();
    let flags = format!(
        "--trust-policy {0}/trustpolicy.json --trust-store {0}/truststore",
        folder.path().display()
    );
    // notation compares bytes, so it holds whoever names the image as the policy does to the strict statement.
    for (scope, image, normal) in [
        (
            "Contoso.AzureCR.io/shop/web",
            "Contoso.AzureCR.io/shop/web:1.0",
            "contoso.azurecr.io/shop/web",
        ),
        (
            "index.docker.io/library/alpine",
            "index.docker.io/library/alpine:1",
            "docker.io/library/alpine",
        ),
        (
            "docker.io/alpine",
            "docker.io/alpine:1",
            "docker.io/library/alpine",
        ),
        // To notation `shop` is a registry, and here it is a part of Docker Hub.
        ("shop/web", "shop/web:1", "docker.io/shop/web"),
    ] {
        let policy = serde_json::json!({"version": "1.0", "trustPolicies": [
            {"name": "prod", "registryScopes": [scope], "signatureVerification": {"level": "strict"},
             "trustStores": ["ca:own"], "trustedIdentities": ["*"]},
            {"name": "rest", "registryScopes": ["*"], "signatureVerification": {"level": "skip"}},
        ]});
        std::fs::write(folder.path().join("trustpolicy.json"), policy.to_string()).unwrap();
        let outcome = world.run(&format!("verify {image} --format notation {flags}"));
        assert_eq!(
            (outcome.exit, outcome.reasons()),
            (Exit::Usage, vec!["policy-invalid"]),
            "{}",
            outcome.stderr
        );
        assert!(
            outcome.stderr.contains(&format!("`{scope}`"))
                && outcome.stderr.contains(&format!("`{normal}`"))
        );
        assert_eq!(
            (outcome.stdout.as_str(), world.sandbox.log().len()),
            ("", 0)
        );
    }
}

#[test]
fn a_policy_and_a_store_are_files_of_their_own_and_read_to_the_end() {
    use std::{fs, os::unix::fs::symlink};
    let world = signed();
    let (folder, flags) = notation_files(&world, "strict", "signer");
    let path = |name: &str| folder.path().join(name);
    let (store, policy) = (path("truststore/x509/ca/own"), path("trustpolicy.json"));
    let refused = |said: &str| {
        let outcome = verify(&world, &flags);
        assert_eq!(outcome.exit, Exit::Usage, "{said}: {}", outcome.stderr);
        assert!(outcome.stderr.contains(said), "{said}: {}", outcome.stderr);
    };
    let good = || assert_eq!(verify(&world, &flags).exit, Exit::Done);
    good();

    // A link in the place of the store, of a file in it, and of the policy.
    fs::rename(&store, path("elsewhere")).unwrap();
    symlink(path("elsewhere"), &store).unwrap();
    refused("it is a link");
    fs::remove_file(&store).unwrap();
    fs::rename(path("elsewhere"), &store).unwrap();
    fs::copy(store.join("own.der"), path("own.der")).unwrap();
    symlink(path("own.der"), store.join("linked.der")).unwrap();
    refused("`linked.der` in it is a link or a folder");
    fs::remove_file(store.join("linked.der")).unwrap();
    fs::rename(&policy, path("elsewhere.json")).unwrap();
    symlink(path("elsewhere.json"), &policy).unwrap();
    refused("it is a link");
    fs::remove_file(&policy).unwrap();
    fs::rename(path("elsewhere.json"), &policy).unwrap();
    good();

    // A folder in the store, too many files, and a file that is longer than is read.
    fs::create_dir(store.join("more")).unwrap();
    refused("`more` in it is a link or a folder");
    fs::remove_dir(store.join("more")).unwrap();
    for number in 0..STORE_FILES {
        fs::copy(path("own.der"), store.join(format!("{number}.der"))).unwrap();
    }
    refused(&format!("it contains more than {STORE_FILES} files"));
    for number in 0..STORE_FILES {
        fs::remove_file(store.join(format!("{number}.der"))).unwrap();
    }
    let text = fs::read(&policy).unwrap();
    fs::write(
        &policy,
        [
            text.clone(),
            vec![b' '; TRUST_POLICY_LIMIT + 1 - text.len()],
        ]
        .concat(),
    )
    .unwrap();
    refused(&format!("more than {TRUST_POLICY_LIMIT}"));
    fs::write(
        &policy,
        [text.clone(), vec![b' '; TRUST_POLICY_LIMIT - text.len()]].concat(),
    )
    .unwrap();
    good();
}

#[test]
fn a_signature_that_counts_is_not_hidden_by_one_that_is_let_pass() {
    let world = signed();
    // The stranger's is the newer one, and looked at first; then it is the other way round.
    sign(&world, "other", "");
    for trusted in ["signer", "other"] {
        let (_folder, flags) = notation_files(&world, "audit", trusted);
        let outcome = verify(&world, &format!("{flags} --output json"));
        assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
        let json = outcome.json();
        let shown = json["images"][0]["signatures"].as_array().unwrap().iter();
        let mut shown: Vec<&str> = shown
            .map(|signature| signature["status"].as_str().unwrap())
            .collect();
        shown.sort_unstable();
        assert_eq!(
            (&json["images"][0]["status"], shown),
            (&"verified".into(), vec!["exempt", "verified"]),
            "{json:#}"
        );
    }
}
