//! Secrets of identities and keys that a service sends back: none is shown, whether or not its identity was picked.

use acr_sandbox::{Action, CLIENT_SECRET, CONNECTION, Fault, Identity, Service};
use acr_sign::Exit;
use serde_json::json;

use crate::world::{REPOSITORY, World};

/// A service that refuses everything and repeats a secret.
fn echo(world: &World, service: Service, secret: &str) {
    let body = json!({"error": {"code": "Forbidden", "message": format!("not with {secret}")},
        "errors": [{"code": "DENIED", "message": format!("not with {secret}")}]});
    let refusal = Action::Answer {
        status: 403,
        headers: vec![("content-type".into(), "application/json".into())],
        body: body.to_string().into(),
    };
    world.sandbox.fault(Fault::new(refusal).service(service));
}

#[test]
fn p06_secrets_of_every_identity_are_hidden_also_of_those_that_are_not_picked() {
    let secret = "canary-0123456789";
    let parameter = format!("ENDPOINT_AUTH_PARAMETER_{CONNECTION}_SERVICEPRINCIPALKEY");
    let whole = format!("ENDPOINT_AUTH_{CONNECTION}");
    let job = json!({"scheme": "x", "parameters": {"AccessToken": secret}}).to_string();
    for (variable, value) in [
        ("AZURE_CLIENT_SECRET", secret),
        ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", secret),
        ("AZURE_PASSWORD", secret),
        ("MSI_SECRET", secret),
        ("SYSTEM_ACCESSTOKEN", secret),
        (parameter.as_str(), secret),
        (whole.as_str(), job.as_str()),
        ("ENDPOINT_AUTH_SYSTEMVSSCONNECTION", job.as_str()),
    ] {
        let mut world = World::new();
        world.set(variable, Some(value));
        echo(&world, Service::Vault, secret);
        let line = "key show akv:contoso/keys/release --auth managed-identity --output json";
        let outcome = world.run(line);
        assert_eq!(
            outcome.exit,
            Exit::Undecided,
            "{variable}: {}",
            outcome.stderr
        );
        let shown = format!("{}{}", outcome.stdout, outcome.stderr);
        assert!(shown.contains("not with"), "{variable}: {shown}");
        assert!(!shown.contains(secret), "{variable}: {shown}");
    }
}

#[test]
fn p06_what_an_identity_sent_is_hidden_when_it_comes_back() {
    for identity in [
        Identity::ClientSecret,
        Identity::GitHubOidc,
        Identity::AzurePipelines,
        Identity::ManagedIdentityAppService,
    ] {
        let world = World::with(identity);
        let secrets = world.sandbox.secrets();
        assert!(secrets.iter().any(|secret| secret == CLIENT_SECRET));
        for secret in &secrets {
            if !world.environment.iter().any(|(_, value)| value == secret) {
                continue;
            }
            world.sandbox.clear_faults();
            echo(&world, Service::Vault, secret);
            let outcome = world.run("key show akv:contoso/keys/release --output json");
            let shown = format!("{}{}", outcome.stdout, outcome.stderr);
            assert!(!shown.contains(secret), "{identity:?}: {shown}");
        }
    }
}

#[test]
fn p06_keys_and_passphrases_out_of_variables_are_hidden() {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/fixtures/dct/g-key-formats"
    );
    let index = std::fs::read(format!("{folder}/index.json")).unwrap();
    let index: serde_json::Value = serde_json::from_slice(&index).unwrap();
    let passphrase = index["passphrase"].as_str().unwrap();
    let files = index["keys"].as_array().unwrap();
    let read = |file: &serde_json::Value| {
        let name = file["file"].as_str().unwrap();
        (
            name.to_owned(),
            std::fs::read_to_string(format!("{folder}/{name}")).unwrap(),
        )
    };
    let (encrypted, text) = files
        .iter()
        .map(read)
        .find(|(name, text)| name.starts_with("p256") && text.contains("ENCRYPTED"))
        .unwrap();
    let plain = read(
        files
            .iter()
            .find(|file| file["file"] == "p256-plain-pkcs8.pem")
            .unwrap(),
    )
    .1;
    let body = plain.lines().nth(1).unwrap().to_owned();
    let (world, root) = World::initialised();
    let sign = |key: &str| {
        format!(
            "sign {REPOSITORY}:1.0 --format dct --role targets --key {key} --root {root} --retries 0"
        )
    };
    let mut environment: std::collections::BTreeMap<String, String> =
        world.environment.iter().cloned().collect();
    environment.insert("KEY_PASSPHRASE".into(), passphrase.into());
    environment.insert("ENCRYPTED_KEY".into(), text);
    environment.insert("PLAIN_KEY".into(), plain);
    for (key, secret) in [
        (
            format!("file:{folder}/{encrypted}?passphrase-env=KEY_PASSPHRASE"),
            passphrase,
        ),
        (
            "env:ENCRYPTED_KEY?passphrase-env=KEY_PASSPHRASE".into(),
            passphrase,
        ),
        ("env:PLAIN_KEY".into(), body.as_str()),
    ] {
        world.sandbox.clear_faults();
        echo(&world, Service::TrustServer, secret);
        let outcome = world.run_in(&sign(&key), &environment);
        assert_ne!(outcome.exit, Exit::Done, "{key}");
        assert!(
            !outcome.stderr.contains(secret),
            "{key}: {}",
            outcome.stderr
        );
    }
}
