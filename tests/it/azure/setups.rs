//! Set-ups of an identity that go wrong: the message names object, cause and fix, and the fix, followed to the letter,
//! mends it.

use acr_sandbox::{Action, CONNECTION, Fault, GITHUB_ISSUER, Identity, Options, Service};
use acr_sign::Exit;

use super::follow::follow;
use crate::{
    snapshot::snapshot,
    world::{Outcome, REPOSITORY, World},
};

const SHOW: &str = "key show akv:contoso/keys/release";

/// What was printed, for the page.
fn section(page: &mut String, what: &str, line: &str, outcome: &Outcome) {
    page.push_str(&format!(
        "## {what}: exit {}\n\n```console\n$ acr-sign {line}\n{}```\n\n",
        outcome.exit.code(),
        outcome.stderr
    ));
}

fn holds(outcome: &Outcome, exit: Exit, reason: &str, parts: &[&str]) {
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (exit, vec![reason]),
        "{}",
        outcome.stderr
    );
    for part in parts {
        assert!(outcome.stderr.contains(part), "{part}: {}", outcome.stderr);
    }
}

fn nothing_was_asked(world: &World) {
    for service in [Service::Entra, Service::ManagedIdentity, Service::Oidc] {
        assert_eq!(world.sandbox.count(service), 0, "{service:?}");
    }
}

#[test]
fn every_set_up_is_mended_by_what_is_said() {
    let mut page = "# Identities that are not set up\n\n".to_owned();
    no_permission(&mut page);
    hosted_agent(&mut page);
    federation(&mut page);
    entra_codes(&mut page);
    machines(&mut page);
    connections(&mut page);
    nothing_at_all(&mut page);
    snapshot("identity.md", &page);
}

/// The metadata service of a hosted runner answers for an identity that is not the user's.
fn no_permission(page: &mut String) {
    let client = Options::default().client;
    for (what, flags) in [
        (
            "a job on GitHub without `id-token: write`",
            format!("--client-id {client}"),
        ),
        ("a job on GitHub without anything", String::new()),
        (
            "a job on GitHub that asks for the machine's identity",
            "--auth managed-identity".to_owned(),
        ),
    ] {
        let mut world = World::with(Identity::Imds);
        world.set("GITHUB_ACTIONS", Some("true"));
        world.set("RUNNER_ENVIRONMENT", Some("github-hosted"));
        let line = format!("{SHOW} {flags}");
        let outcome = world.run(line.trim());
        holds(
            &outcome,
            Exit::Usage,
            "identity-unavailable",
            &["permissions: { contents: read, id-token: write }"],
        );
        nothing_was_asked(&world);
        section(page, what, line.trim(), &outcome);
        for (name, value) in world.sandbox.environment(Identity::GitHubOidc) {
            world.set(&name, Some(&value));
        }
        let outcome = world.run(SHOW);
        assert_eq!(outcome.exit, Exit::Done, "{what}: {}", outcome.stderr);
    }
}

fn hosted_agent(page: &mut String) {
    let client = Options::default().client;
    for (what, flags) in [
        (
            "a job on a hosted agent without a connection",
            String::new(),
        ),
        (
            "a job on a hosted agent that names a client",
            format!("--client-id {client}"),
        ),
    ] {
        let mut world = World::with(Identity::Imds);
        world.set("TF_BUILD", Some("True"));
        world.set("AGENT_ISSELFHOSTED", Some("0"));
        let line = format!("{SHOW} {flags}");
        let outcome = world.run(line.trim());
        holds(
            &outcome,
            Exit::Usage,
            "identity-unavailable",
            &[
                "azureSubscription",
                "SYSTEM_ACCESSTOKEN: $(System.AccessToken)",
            ],
        );
        nothing_was_asked(&world);
        section(page, what, line.trim(), &outcome);
        for (name, value) in world.sandbox.environment(Identity::AzurePipelines) {
            world.set(&name, Some(&value));
        }
        let outcome = world.run(SHOW);
        assert_eq!(outcome.exit, Exit::Done, "{what}: {}", outcome.stderr);
    }
}

/// Whatever form the subject has, the credential that is proposed is for the subject that the token had.
fn federation(page: &mut String) {
    let client = Options::default().client;
    for (what, subject, command) in [
        (
            "a branch without a credential",
            "repo:contoso/shop:ref:refs/heads/main",
            "az ad app federated-credential create",
        ),
        (
            "a branch without a credential, for a managed identity",
            "repo:contoso/shop:ref:refs/heads/main",
            "az identity federated-credential create",
        ),
        (
            "an environment with an immutable subject",
            "repo:contoso@1234/shop@567890:environment:prod",
            "az ad app federated-credential create",
        ),
        (
            "a pull request with an immutable subject",
            "repo:contoso@1234/shop@567890:pull_request",
            "az identity federated-credential create",
        ),
        (
            "a branch whose name is a command",
            "repo:contoso/shop:ref:refs/heads/$(id)'s",
            "az ad app federated-credential create",
        ),
    ] {
        let world = World::with(Identity::GitHubOidc);
        world.sandbox.entra().forget_federations(&client);
        world.sandbox.oidc().set_github_subject(subject);
        let outcome = world.run(SHOW);
        let audience = "audience `api://AzureADTokenExchange`";
        let subject = format!("subject `{subject}`");
        let parts = [
            "AADSTS700213",
            client.as_str(),
            GITHUB_ISSUER,
            &subject,
            audience,
        ];
        holds(&outcome, Exit::Undecided, "identity-failed", &parts);
        section(page, what, SHOW, &outcome);
        let done = follow(&world.sandbox, &outcome.stderr, command);
        let outcome = world.run(SHOW);
        assert_eq!(outcome.exit, Exit::Done, "{done}: {}", outcome.stderr);
    }
}

/// Entra's refusals of an application, each with what is wrong and the command that looks at it or mends it.
fn entra_codes(page: &mut String) {
    for (code, said, parts) in [
        (
            700_016,
            "Application was not found in the directory.",
            ["`--client-id`", "az ad sp show --id "],
        ),
        (
            90002,
            "Tenant not found.",
            ["`--tenant-id`", "az account show --query tenantId"],
        ),
        (
            7_000_215,
            "Invalid client secret provided.",
            ["its value", "az ad app credential reset --id "],
        ),
        (
            7_000_222,
            "The provided client secret keys are expired.",
            ["has expired", "az ad app credential reset --id "],
        ),
        (
            7_000_112,
            "Application is disabled.",
            ["is disabled", "--set accountEnabled=true"],
        ),
        (
            7_000_229,
            "The client application is missing service principal.",
            ["no service principal", "az ad sp create --id "],
        ),
        (
            700_024,
            "Client assertion is not within its valid time range.",
            ["clock", "new run"],
        ),
        (
            500_011,
            "The resource principal was not found in the tenant.",
            ["`--tenant-id`", "`--cloud`"],
        ),
        (
            53003,
            "Access has been blocked.",
            ["conditional access", "administrator"],
        ),
        (12_345, "Something else.", ["client ID", "credentials"]),
    ] {
        let world = World::with(Identity::ClientSecret);
        let body = format!(
            r#"{{"error":"invalid_client","error_description":"AADSTS{code}: {said}\r\nTrace ID: 0","error_codes":[{code}]}}"#
        );
        let answer = Action::Answer {
            status: 401,
            headers: vec![("content-type".into(), "application/json".into())],
            body: body.into(),
        };
        let fault = Fault::new(answer).service(Service::Entra).path("/token");
        world.sandbox.fault(fault);
        let outcome = world.run(SHOW);
        let name = format!("AADSTS{code}: {said}");
        holds(
            &outcome,
            Exit::Undecided,
            "identity-failed",
            &[&name, parts[0], parts[1]],
        );
        section(page, &name, SHOW, &outcome);
    }
}

/// A machine of one's own that has several identities, none, or another one.
fn machines(page: &mut String) {
    let (client, other) = (
        Options::default().client,
        "00000000-0000-0000-0000-00000000aaaa",
    );
    let named = format!("{SHOW} --client-id {client}");
    for (what, assigned, line, part, mended) in [
        (
            "a machine with several identities",
            &[other, client.as_str()][..],
            SHOW,
            "az identity list --query",
            true,
        ),
        (
            "a machine without an identity",
            &[],
            SHOW,
            "az vm identity assign --name VM --resource-group GROUP`",
            false,
        ),
        (
            "a machine with another identity",
            &[other],
            named.as_str(),
            "--identities IDENTITY`",
            false,
        ),
    ] {
        let world = World::with(Identity::Imds);
        world.sandbox.managed_identity().assign(assigned);
        let outcome = world.run(line);
        holds(&outcome, Exit::Undecided, "identity-failed", &[part]);
        section(page, what, line, &outcome);
        if !mended {
            world.sandbox.managed_identity().assign(&[&client]);
        }
        let outcome = world.run(&named);
        assert_eq!(outcome.exit, Exit::Done, "{what}: {}", outcome.stderr);
    }
}

fn connections(page: &mut String) {
    let other = "00000000-0000-0000-0000-00000000d1ff";
    let url = "https://dev.azure.com/contoso/my%20shop/_settings/adminservices?resourceId=";
    for (what, id, flag, by) in [
        (
            "a service connection that the pipeline may not use",
            CONNECTION,
            "",
            "`AZURESUBSCRIPTION_SERVICE_CONNECTION_ID`",
        ),
        (
            "a service connection with a wrong ID",
            other,
            "--client-id CLIENT --tenant-id TENANT --service-connection-id",
            "`--service-connection-id`",
        ),
        (
            "a task's service connection that the pipeline may not use",
            CONNECTION,
            "",
            "input `azureSubscription`",
        ),
    ] {
        let mut world = World::with(Identity::AzurePipelines);
        world.set(
            "SYSTEM_COLLECTIONURI",
            Some("https://dev.azure.com/contoso/"),
        );
        world.set("SYSTEM_TEAMPROJECT", Some("my shop"));
        let options = Options::default();
        if by.starts_with("input") {
            world.set("INPUT_AZURESUBSCRIPTION", Some(CONNECTION));
            for (name, value) in [
                ("SCHEME", "WorkloadIdentityFederation"),
                ("PARAMETER_TENANTID", &options.tenant),
                ("PARAMETER_SERVICEPRINCIPALID", &options.client),
            ] {
                let name = name.split_once('_').map_or_else(
                    || format!("ENDPOINT_AUTH_{name}_{CONNECTION}"),
                    |(kind, part)| format!("ENDPOINT_AUTH_{kind}_{CONNECTION}_{part}"),
                );
                world.set(&name, Some(value));
            }
        }
        world.sandbox.oidc().permit_connections(&[]);
        let flags = flag
            .replace("CLIENT", &options.client)
            .replace("TENANT", &options.tenant);
        let line = if flags.is_empty() {
            SHOW.to_owned()
        } else {
            format!("{SHOW} {flags} {id}")
        };
        let outcome = world.run(&line);
        let named = format!("service connection `{id}` ({by})");
        let settings = format!("`{url}{id}`");
        let parts = [named.as_str(), "not authorized", &settings];
        holds(&outcome, Exit::Undecided, "identity-failed", &parts);
        assert!(
            !outcome.stderr.contains("SYSTEM_ACCESSTOKEN"),
            "{}",
            outcome.stderr
        );
        section(page, what, &line, &outcome);
        world.sandbox.oidc().permit_connections(&[id]);
        if id == CONNECTION {
            let outcome = world.run(&line);
            assert_eq!(outcome.exit, Exit::Done, "{what}: {}", outcome.stderr);
        }
    }
    let mut world = World::with(Identity::AzurePipelines);
    world.set("SYSTEM_ACCESSTOKEN", Some("another"));
    let outcome = world.run(SHOW);
    let parts = [
        CONNECTION,
        "env: { SYSTEM_ACCESSTOKEN: $(System.AccessToken) }",
    ];
    holds(&outcome, Exit::Undecided, "identity-failed", &parts);
    section(page, "a job's token that is not accepted", SHOW, &outcome);
}

/// Reading commands on a laptop: the registry refuses whoever has no login.
fn nothing_at_all(page: &mut String) {
    let mut world = World::with(Identity::Imds);
    world.without_imds();
    let zeros = "0".repeat(64);
    for line in [
        format!("verify {REPOSITORY}:1.0 --format dct --root {zeros}"),
        format!("inspect {REPOSITORY}:1.0"),
        format!("trust status {REPOSITORY}"),
        SHOW.to_owned(),
    ] {
        let outcome = world.run(&line);
        let parts = [
            "GitHub's ID token (",
            "a service connection (",
            "a client secret (",
            "workload identity (",
            "a managed identity (",
            "az (not on the PATH)",
            "`az login`",
        ];
        holds(&outcome, Exit::Usage, "identity-unavailable", &parts);
        let places = parts.map(|part| outcome.stderr.find(part).unwrap());
        assert!(places.is_sorted(), "{}", outcome.stderr);
        section(page, "a laptop that is not logged in", &line, &outcome);
    }
}

#[test]
fn an_open_registry_needs_no_identity_and_a_private_one_that_is_not_azures_no_az() {
    let mut world = World::with(Identity::Imds);
    world.without_imds();
    let zeros = "0".repeat(64);
    let line =
        format!("verify {REPOSITORY}:1.0 --format dct --root {zeros} --registry-auth anonymous");
    let outcome = world.run(&line);
    assert_eq!(
        outcome.reasons(),
        ["registry-unauthorized"],
        "{}",
        outcome.stderr
    );
    let outcome = world.run(&line.replace("contoso.azurecr.io", "registry.example"));
    assert!(!outcome.stderr.contains("az login"), "{}", outcome.stderr);
}

/// Only what Azure's metadata service answers is taken for it; with anything else the next identity is looked for.
#[test]
fn what_is_no_metadata_service_is_none() {
    let answer = |status, body: &str| Action::Answer {
        status,
        headers: vec![("content-type".into(), "application/json".into())],
        body: body.to_owned().into(),
    };
    for action in [
        answer(200, r#"{"access_token":"canary","expires_in":"3599"}"#),
        answer(200, "<html>sign in to the network</html>"),
        answer(400, "<html>bad request</html>"),
        answer(400, r#"{"error":{"code":"x"},"error_description":"y"}"#),
        answer(400, r#"{"error":"invalid_request"}"#),
        answer(400, r#"["error","error_description"]"#),
        answer(
            401,
            r#"{"error":"invalid_request","error_description":"y"}"#,
        ),
        answer(404, ""),
        Action::Redirect {
            status: 302,
            location: "https://portal.example/".into(),
        },
        Action::Close,
    ] {
        let world = World::with(Identity::Imds);
        let fault = Fault::new(action.clone()).service(Service::ManagedIdentity);
        world.sandbox.fault(fault);
        for auth in ["auto", "managed-identity"] {
            let outcome = world.run(&format!("{SHOW} --auth {auth}"));
            assert_eq!(
                (outcome.exit, outcome.reasons()),
                (Exit::Usage, vec!["identity-unavailable"]),
                "{action:?}: {}",
                outcome.stderr
            );
        }
        assert_eq!(
            world.sandbox.count(Service::ManagedIdentity),
            2,
            "{action:?}"
        );
    }
    // One that is replaced just now is known by its name, and waited for.
    let world = World::with(Identity::Imds);
    let starting = Action::Answer {
        status: 410,
        headers: vec![("server".into(), "IMDS/150.870.65.1854".into())],
        body: "".into(),
    };
    let fault = Fault::new(starting)
        .service(Service::ManagedIdentity)
        .times(2);
    world.sandbox.fault(fault);
    let outcome = world.run(SHOW);
    assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
}

#[test]
fn an_authority_may_be_a_bare_host() {
    for (host, exit) in [
        ("login.microsoftonline.com", Exit::Done),
        ("https://login.microsoftonline.com", Exit::Done),
        ("login.microsoftonline.com.evil.example", Exit::Usage),
        ("evil.example", Exit::Usage),
        ("http://login.microsoftonline.com", Exit::Usage),
        ("user@login.microsoftonline.com", Exit::Usage),
    ] {
        let mut world = World::with(Identity::ClientSecret);
        world.set("AZURE_AUTHORITY_HOST", Some(host));
        let outcome = world.run(SHOW);
        assert_eq!(outcome.exit, exit, "{host}: {}", outcome.stderr);
        if exit != Exit::Done {
            assert_eq!(outcome.reasons(), ["host-not-allowed"], "{host}");
            assert_eq!(world.sandbox.count(Service::Entra), 0, "{host}");
        }
    }
}

/// A connection that is named by its ID gets what the agent says of it, and nothing of another one.
#[test]
fn k07_a_connection_by_id_is_that_connection() {
    let options = Options::default();
    let mut world = World::with(Identity::AzurePipelines);
    let described = |name: &str| format!("ENDPOINT_AUTH_{name}_{CONNECTION}");
    // What AzureCLI@2 says is about another connection.
    let other = "00000000-0000-0000-0000-00000000d1ff";
    world.set("AZURESUBSCRIPTION_SERVICE_CONNECTION_ID", Some(other));
    world.set(
        "AZURESUBSCRIPTION_CLIENT_ID",
        Some("00000000-0000-0000-0000-0000000000ff"),
    );
    let line = format!("{SHOW} --service-connection-id {CONNECTION}");
    let outcome = world.run(&line);
    let parts = [
        CONNECTION,
        "client ID (`--client-id`) and tenant ID (`--tenant-id`)",
    ];
    holds(&outcome, Exit::Usage, "identity-unavailable", &parts);
    nothing_was_asked(&world);
    world.set(&described("SCHEME"), Some("WorkloadIdentityFederation"));
    let parameter = |name: &str| format!("ENDPOINT_AUTH_PARAMETER_{CONNECTION}_{name}");
    world.set(&parameter("TENANTID"), Some(&options.tenant));
    world.set(&parameter("SERVICEPRINCIPALID"), Some(&options.client));
    let outcome = world.run(&line);
    assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
    let asked = world.sandbox.log();
    let asked = asked.iter().find(|entry| entry.service == Service::Oidc);
    assert!(asked.is_some());
    // The machine's identity is not what a connection on a hosted agent can be.
    world.set(&described("SCHEME"), Some("ManagedServiceIdentity"));
    world.set("AGENT_ISSELFHOSTED", Some("0"));
    let outcome = world.run(&line);
    holds(
        &outcome,
        Exit::Usage,
        "identity-unavailable",
        &[CONNECTION, "workload identity federation"],
    );
}
