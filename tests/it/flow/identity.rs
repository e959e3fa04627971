//! Every kind of identity signs; what is planted in the environment does not lead credentials astray.

use acr_sandbox::{Identity, Service};
use acr_sign::Exit;

use crate::world::{REPOSITORY, World};

#[test]
fn every_identity_signs() {
    for (identity, method) in [
        (Identity::ManagedIdentityAppService, "managed-identity"),
        (Identity::Imds, "managed-identity"),
        (Identity::GitHubOidc, "oidc"),
        (Identity::AzurePipelines, "service-connection"),
        (Identity::WorkloadIdentity, "workload-identity"),
        (Identity::ClientSecret, "environment"),
    ] {
        let world = World::with(identity);
        let root = world.initialise();
        let outcome = world.run(&format!(
            "sign {REPOSITORY}:1.0 --format dct --key akv:contoso/keys/release --root {root} --output json"
        ));
        assert_eq!(outcome.exit, Exit::Done, "{identity:?}: {}", outcome.stderr);
        assert_eq!(outcome.json()["auth"]["azure"]["method"], method);
        assert_eq!(
            outcome.json()["auth"]["registries"]["contoso.azurecr.io"],
            "entra"
        );
    }
}

#[test]
fn k08_planted_addresses_get_no_credential() {
    for (variable, value) in [
        ("AZURE_AUTHORITY_HOST", "https://evil.example/"),
        ("IDENTITY_ENDPOINT", "http://evil.example/token"),
        (
            "ACTIONS_ID_TOKEN_REQUEST_URL",
            "https://evil.example/token?x=y",
        ),
    ] {
        let mut world = World::with(Identity::GitHubOidc);
        if variable == "IDENTITY_ENDPOINT" {
            world.environment = world
                .sandbox
                .environment(Identity::ManagedIdentityAppService);
            world.environment.push((
                "ACR_SIGN_CONNECT_TO".into(),
                world.sandbox.connect_to().join(";"),
            ));
            world.environment.push((
                "ACR_SIGN_CA_FILE".into(),
                world.sandbox.ca_file().display().to_string(),
            ));
        }
        world.environment.retain(|(name, _)| name != variable);
        world.environment.push((variable.into(), value.into()));
        let outcome = world.run("key show akv:contoso/keys/release");
        assert_eq!(
            (outcome.exit, outcome.reasons()),
            (Exit::Usage, vec!["host-not-allowed"]),
            "{variable}: {}",
            outcome.stderr
        );
        assert!(
            world
                .sandbox
                .log()
                .iter()
                .all(|entry| entry.host != "evil.example"),
            "{variable}"
        );
    }
}

#[test]
fn k01_no_vault_outside_of_the_cloud_is_asked() {
    let world = World::new();
    for vault in [
        "https://evil.example/keys/k",
        "https://contoso.vault.azure.net.evil.example/keys/k",
        "https://contoso.vault.azure.cn/keys/k",
    ] {
        let outcome = world.run(&format!("key show {vault}"));
        assert_eq!(
            (outcome.exit, outcome.reasons()),
            (Exit::Usage, vec!["host-not-allowed"]),
            "{vault}: {}",
            outcome.stderr
        );
    }
    assert_eq!(world.sandbox.log().len(), 0);
}

#[test]
fn k01_the_challenge_does_not_choose_the_audience() {
    let world = World::new();
    world
        .sandbox
        .vault()
        .challenge_with("https://management.azure.com");
    let outcome = world.run("key show akv:contoso/keys/release");
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Undecided, vec!["vault-answer-invalid"]),
        "{}",
        outcome.stderr
    );
    assert_eq!(
        world.sandbox.count(Service::ManagedIdentity),
        0,
        "no token was asked for"
    );
}

#[test]
fn g01_a_registry_outside_of_the_cloud_gets_no_entra_token() {
    let world = World::new();
    let outcome = world.run(&format!(
        "verify evil.example/shop/web:1.0 --format dct --root {}",
        "0".repeat(64)
    ));
    assert_ne!(outcome.exit, Exit::Done);
    assert_eq!(
        world.sandbox.count(Service::ManagedIdentity) + world.sandbox.count(Service::Entra),
        0
    );
    assert!(
        world
            .sandbox
            .log()
            .iter()
            .all(|entry| entry.authorization.is_none())
    );
}

#[test]
fn a_user_and_password_log_in_and_never_sign() {
    let (world, root) = World::initialised();
    world.sandbox.acr().add_user("admin", "canary-password");
    let mut world = world;
    let folder = tempfile::tempdir().unwrap();
    let auth = "YWRtaW46Y2FuYXJ5LXBhc3N3b3Jk";
    std::fs::write(
        folder.path().join("config.json"),
        format!(r#"{{"auths":{{"contoso.azurecr.io":{{"auth":"{auth}"}}}}}}"#),
    )
    .unwrap();
    world
        .environment
        .push(("DOCKER_CONFIG".into(), folder.path().display().to_string()));
    let outcome = world.run(&format!(
        "sign {REPOSITORY}:1.0 --format dct --key akv:contoso/keys/release --root {root} --registry-auth docker-config"
    ));
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Undecided, vec!["registry-unauthorized"]),
        "{}",
        outcome.stderr
    );
    assert!(!outcome.stderr.contains("canary") && !outcome.stderr.contains(auth));
}

#[test]
fn no_identity_is_told_with_what_was_looked_for() {
    let mut world = World::new();
    world
        .environment
        .retain(|(name, _)| !name.starts_with("IDENTITY_"));
    let outcome = world.run("key show akv:contoso/keys/release --auth none");
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Usage, vec!["identity-unavailable"]),
        "{}",
        outcome.stderr
    );
}

#[test]
fn entra_says_why_and_the_hint_names_the_federation() {
    let world = World::with(Identity::GitHubOidc);
    let client = world
        .environment
        .iter()
        .find(|(name, _)| name == "AZURE_CLIENT_ID")
        .unwrap()
        .1
        .clone();
    world.sandbox.entra().forget_federations(&client);
    let outcome = world.run("key show akv:contoso/keys/release");
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Undecided, vec!["identity-failed"])
    );
    assert!(
        outcome.stderr.contains("AADSTS700213"),
        "{}",
        outcome.stderr
    );
    assert!(
        outcome
            .stderr
            .contains("repo:contoso/shop:ref:refs/heads/main"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn k07_one_identity_is_picked_in_a_fixed_order() {
    let mut world = World::new();
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report.json");
    let order = [
        (Identity::GitHubOidc, "oidc", "ACTIONS_"),
        (
            Identity::AzurePipelines,
            "service-connection",
            "AZURESUBSCRIPTION_",
        ),
        (Identity::ClientSecret, "environment", "AZURE_CLIENT_SECRET"),
        (
            Identity::WorkloadIdentity,
            "workload-identity",
            "AZURE_FEDERATED_TOKEN_FILE",
        ),
        (
            Identity::ManagedIdentityAppService,
            "managed-identity",
            "IDENTITY_",
        ),
    ];
    for (identity, ..) in order {
        world
            .environment
            .extend(world.sandbox.environment(identity));
    }
    for (_, method, prefix) in order {
        let outcome = world.run(&format!(
            "key show akv:contoso/keys/release --report {}",
            report.display()
        ));
        assert_eq!(outcome.exit, Exit::Done, "{method}: {}", outcome.stderr);
        let written: serde_json::Value =
            serde_json::from_slice(&std::fs::read(&report).unwrap()).unwrap();
        assert_eq!(written["auth"]["azure"]["method"], method);
        world
            .environment
            .retain(|(name, _)| !name.starts_with(prefix));
    }
}

#[test]
fn k07_a_picked_identity_that_fails_is_not_replaced() {
    let mut world = World::with(Identity::GitHubOidc);
    world.environment.extend(
        world
            .sandbox
            .environment(Identity::ManagedIdentityAppService),
    );
    let client = world
        .environment
        .iter()
        .find(|(name, _)| name == "AZURE_CLIENT_ID")
        .unwrap()
        .1
        .clone();
    world.sandbox.entra().forget_federations(&client);
    let outcome = world.run("key show akv:contoso/keys/release");
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Undecided, vec!["identity-failed"]),
        "{}",
        outcome.stderr
    );
    assert_eq!(world.sandbox.count(Service::ManagedIdentity), 0);
}
