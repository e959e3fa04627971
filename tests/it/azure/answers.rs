//! Token services that answer well and give no token: an empty one is not sent anywhere.

use acr_sandbox::{Action, Fault, Identity, Service};
use acr_sign::Exit;

use crate::world::{REPOSITORY, World};

const SHOW: &str = "key show akv:contoso/keys/release";

#[test]
fn k05_an_answer_without_a_token_is_no_token() {
    use Identity::{
        AzurePipelines, ClientSecret, GitHubOidc, Imds, ManagedIdentityAppService, WorkloadIdentity,
    };
    for (identity, service, path, member) in [
        (
            ClientSecret,
            Service::Entra,
            "/oauth2/v2.0/token",
            "access_token",
        ),
        (
            WorkloadIdentity,
            Service::Entra,
            "/oauth2/v2.0/token",
            "access_token",
        ),
        (
            GitHubOidc,
            Service::Entra,
            "/oauth2/v2.0/token",
            "access_token",
        ),
        (GitHubOidc, Service::Oidc, "/", "value"),
        (AzurePipelines, Service::Oidc, "/", "oidcToken"),
        (Imds, Service::ManagedIdentity, "/", "access_token"),
        (
            ManagedIdentityAppService,
            Service::ManagedIdentity,
            "/",
            "access_token",
        ),
    ] {
        for token in [
            format!(r#","{member}":"""#),
            format!(r#","{member}":" ""#),
            String::new(),
        ] {
            let world = World::with(identity);
            let body = format!(r#"{{"token_type":"Bearer","expires_in":3600{token}}}"#);
            let answer = Action::Answer {
                status: 200,
                headers: Vec::new(),
                body: body.into(),
            };
            let fault = Fault::new(answer).service(service).path(path);
            // Before a token is asked for, a machine's endpoint is looked at.
            let first = if identity == Imds { 2 } else { 1 };
            world.sandbox.fault(fault.nth(first));
            let outcome = world.run(&format!("{SHOW} --retries 0"));
            assert_eq!(
                (outcome.exit, outcome.reasons()),
                (Exit::Undecided, vec!["identity-failed"]),
                "{identity:?} {token}: {}",
                outcome.stderr
            );
            assert!(
                outcome.stderr.contains("holds no token"),
                "{identity:?} {token}: {}",
                outcome.stderr
            );
            let to_vault = world
                .sandbox
                .log()
                .into_iter()
                .filter(|entry| entry.service == Service::Vault);
            assert!(
                to_vault.into_iter().all(|entry| entry.credential.is_none()),
                "{identity:?} {token}"
            );
        }
    }
}

#[test]
fn k05_an_empty_token_file_is_told_and_nothing_is_asked() {
    let mut world = World::with(Identity::WorkloadIdentity);
    let file = tempfile::NamedTempFile::new().unwrap();
    world.set(
        "AZURE_FEDERATED_TOKEN_FILE",
        Some(&file.path().display().to_string()),
    );
    let outcome = world.run(SHOW);
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Undecided, vec!["identity-failed"]),
        "{}",
        outcome.stderr
    );
    assert!(outcome.stderr.contains("it is empty"), "{}", outcome.stderr);
    assert!(
        world
            .sandbox
            .log()
            .iter()
            .all(|entry| !entry.path.ends_with("/oauth2/v2.0/token"))
    );
}

#[test]
fn k05_an_exchange_without_a_refresh_token_is_no_login() {
    for body in [r#"{"refresh_token":""}"#, "{}"] {
        let (world, root) = World::initialised();
        world.sandbox.fault(
            Fault::new(Action::Body(body.into()))
                .service(Service::Registry)
                .path("/oauth2/exchange"),
        );
        let outcome = world.run(&format!(
            "verify {REPOSITORY}:1.0 --format dct --root {root} --retries 0"
        ));
        assert_eq!(outcome.exit, Exit::Undecided, "{}", outcome.stderr);
        assert!(
            outcome.stderr.contains("did not send a token"),
            "{}",
            outcome.stderr
        );
        assert!(
            world
                .sandbox
                .log()
                .iter()
                .all(|entry| entry.path != "/oauth2/token"),
            "{body}"
        );
    }
}
