//! Service connections as the agent hands them to a task: the input, and the endpoint's variables.

use acr_sandbox::{CLIENT_SECRET, CONNECTION, Identity, Options, Service};
use acr_sign::Exit;
use serde_json::json;

use crate::world::{REPOSITORY, World};

const SHOW: &str = "key show akv:contoso/keys/release";

/// The variables of a task step whose connection has this scheme and these parameters.
fn task(scheme: &str, parameters: &[(&str, &str)]) -> World {
    let mut world = World::with(Identity::Imds);
    let options = Options::default();
    let all = [
        ("TENANTID", options.tenant.as_str()),
        ("SERVICEPRINCIPALID", options.client.as_str()),
    ];
    world.set("INPUT_AZURESUBSCRIPTION", Some(CONNECTION));
    world.set(&format!("ENDPOINT_AUTH_SCHEME_{CONNECTION}"), Some(scheme));
    for (name, value) in all.iter().chain(parameters) {
        world.set(
            &format!("ENDPOINT_AUTH_PARAMETER_{CONNECTION}_{name}"),
            Some(value),
        );
    }
    let federated = world.sandbox.environment(Identity::AzurePipelines);
    let of_agent = |name: &str| {
        federated
            .iter()
            .find(|(known, _)| known == name)
            .unwrap()
            .1
            .clone()
    };
    world.set(
        "SYSTEM_OIDCREQUESTURI",
        Some(&of_agent("SYSTEM_OIDCREQUESTURI")),
    );
    world.set(
        "ENDPOINT_AUTH_PARAMETER_SYSTEMVSSCONNECTION_ACCESSTOKEN",
        Some(&of_agent("SYSTEM_ACCESSTOKEN")),
    );
    world
}

#[test]
fn each_scheme_gets_its_tokens_where_it_should() {
    for (scheme, parameters, method, services) in [
        (
            "WorkloadIdentityFederation",
            &[][..],
            "service-connection",
            [1, 1, 0],
        ),
        (
            "workloadidentityfederation",
            &[],
            "service-connection",
            [1, 1, 0],
        ),
        (
            "ServicePrincipal",
            &[("SERVICEPRINCIPALKEY", CLIENT_SECRET)],
            "service-connection",
            [0, 1, 0],
        ),
        (
            "ServicePrincipal",
            &[
                ("AUTHENTICATIONTYPE", "spnKey"),
                ("SERVICEPRINCIPALKEY", CLIENT_SECRET),
            ],
            "service-connection",
            [0, 1, 0],
        ),
        // As connections were before they had schemes.
        (
            "",
            &[("SERVICEPRINCIPALKEY", CLIENT_SECRET)],
            "service-connection",
            [0, 1, 0],
        ),
        ("ManagedServiceIdentity", &[], "managed-identity", [0, 0, 1]),
    ] {
        let world = task(scheme, parameters);
        let outcome = world.run(&format!("{SHOW} --output json"));
        assert_eq!(outcome.exit, Exit::Done, "{scheme}: {}", outcome.stderr);
        let asked = [Service::Oidc, Service::Entra, Service::ManagedIdentity]
            .map(|service| world.sandbox.count(service));
        assert_eq!(asked, services, "{scheme}");
        let told = world.run_binary(&format!("{SHOW} -v"), &[]);
        assert!(
            told.stderr.contains(&format!("Azure identity: {method}")),
            "{scheme}: {}",
            told.stderr
        );
    }
}

#[test]
fn schemes_that_are_not_used_are_refused_before_anything_is_asked() {
    for (scheme, parameters, says) in [
        (
            "PublishProfile",
            &[][..],
            "is neither federated nor a service principal nor a managed identity",
        ),
        (
            "ServicePrincipal",
            &[
                ("AUTHENTICATIONTYPE", "spnCertificate"),
                ("SERVICEPRINCIPALCERTIFICATE", "canary"),
            ],
            "a certificate",
        ),
        (
            "ServicePrincipal",
            &[],
            "has no key of its service principal",
        ),
    ] {
        let world = task(scheme, parameters);
        let outcome = world.run(SHOW);
        assert_eq!(
            (outcome.exit, outcome.reasons()),
            (Exit::Usage, vec!["identity-unavailable"]),
            "{scheme}: {}",
            outcome.stderr
        );
        assert!(
            outcome.stderr.contains(says),
            "{scheme}: {}",
            outcome.stderr
        );
        let asked = [Service::Oidc, Service::Entra, Service::ManagedIdentity]
            .map(|service| world.sandbox.count(service));
        assert_eq!(asked, [0, 0, 0], "{scheme}");
    }
}

#[test]
fn k08_what_was_planted_beside_a_connection_gets_no_credential() {
    for (variable, value, reason) in [
        (
            "SYSTEM_OIDCREQUESTURI",
            "https://evil.example/oidctoken",
            "host-not-allowed",
        ),
        (
            "SYSTEM_OIDCREQUESTURI",
            "http://dev.azure.com/contoso/oidctoken",
            "host-not-allowed",
        ),
        (
            "SYSTEM_OIDCREQUESTURI",
            "https://user@dev.azure.com/contoso/oidctoken",
            "host-not-allowed",
        ),
        (
            "AZURE_AUTHORITY_HOST",
            "http://login.microsoftonline.com/",
            "host-not-allowed",
        ),
        (
            "AZURE_AUTHORITY_HOST",
            "https://login.microsoftonline.com.evil.example/",
            "host-not-allowed",
        ),
        (
            "AZURE_AUTHORITY_HOST",
            "https://login.microsoftonline.us/",
            "host-not-allowed",
        ),
    ] {
        let mut world = task("WorkloadIdentityFederation", &[]);
        world.set(variable, Some(value));
        let outcome = world.run(SHOW);
        assert_eq!(
            (outcome.exit, outcome.reasons()),
            (Exit::Usage, vec![reason]),
            "{value}: {}",
            outcome.stderr
        );
        assert!(
            world
                .sandbox
                .log()
                .iter()
                .all(|entry| entry.credential.is_none()),
            "{value}"
        );
    }
    let mut world = task("WorkloadIdentityFederation", &[]);
    world.set(
        &format!("ENDPOINT_AUTH_PARAMETER_{CONNECTION}_TENANTID"),
        Some("../common"),
    );
    let outcome = world.run(SHOW);
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Usage, vec!["identity-unavailable"]),
        "{}",
        outcome.stderr
    );
    assert_eq!(world.sandbox.count(Service::Entra), 0);
}

/// The same world with all parts of both connections in JSON, and no variable for one of them.
fn as_json(scheme: &str, secret: &str) -> World {
    let mut world = task(scheme, &[]);
    let options = Options::default();
    let variable = "ENDPOINT_AUTH_PARAMETER_SYSTEMVSSCONNECTION_ACCESSTOKEN";
    let token = world
        .environment
        .iter()
        .find(|(name, _)| name == variable)
        .unwrap()
        .1
        .clone();
    world
        .environment
        .retain(|(name, _)| !name.starts_with("ENDPOINT_"));
    let parameters = json!({"tenantid": options.tenant, "serviceprincipalid": options.client, "servicePrincipalKey": secret});
    let whole = json!({"parameters": parameters, "scheme": scheme}).to_string();
    world.set(
        &format!("ENDPOINT_AUTH_{}", CONNECTION.to_ascii_uppercase()),
        Some(&whole),
    );
    let job = json!({"parameters": {"AccessToken": token}, "scheme": "OAuth"}).to_string();
    world.set("ENDPOINT_AUTH_SYSTEMVSSCONNECTION", Some(&job));
    world
}

#[test]
fn p06_a_connection_in_json_serves_as_one_in_single_variables_and_is_not_told() {
    for (scheme, method, services) in [
        (
            "WorkloadIdentityFederation",
            "service-connection",
            [1, 1, 0],
        ),
        ("ServicePrincipal", "service-connection", [0, 1, 0]),
        ("ManagedServiceIdentity", "managed-identity", [0, 0, 1]),
    ] {
        let world = as_json(scheme, CLIENT_SECRET);
        let outcome = world.run_telling_no_secret(SHOW, &[]);
        assert_eq!(outcome.exit, Exit::Done, "{scheme}: {}", outcome.stderr);
        assert!(
            outcome
                .stderr
                .contains(&format!("Azure identity: {method}")),
            "{scheme}: {}",
            outcome.stderr
        );
        let asked = [Service::Oidc, Service::Entra, Service::ManagedIdentity]
            .map(|service| world.sandbox.count(service) > 0);
        assert_eq!(asked, services.map(|count| count > 0), "{scheme}");
    }
    let mut world = as_json("ServicePrincipal", CLIENT_SECRET);
    world.set(&format!("ENDPOINT_AUTH_{CONNECTION}"), Some("{\"scheme\":"));
    let outcome = world.run(SHOW);
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Usage, vec!["identity-unavailable"]),
        "{}",
        outcome.stderr
    );
    assert_eq!(world.sandbox.count(Service::Entra), 0);
}

#[test]
fn a_connection_of_another_cloud_is_an_error_before_anything_is_asked() {
    let data = format!("ENDPOINT_DATA_{CONNECTION}");
    for scheme in [
        "WorkloadIdentityFederation",
        "ServicePrincipal",
        "ManagedServiceIdentity",
    ] {
        for (variable, value, flag, fits) in [
            (format!("{data}_ENVIRONMENT"), "AzureCloud", "", true),
            (
                format!("{data}_ENVIRONMENT"),
                "AzureUSGovernment",
                "",
                false,
            ),
            (format!("{data}_ENVIRONMENT"), "AzureStack", "", false),
            (
                format!("{data}_ENVIRONMENT"),
                "AzureCloud",
                "--cloud china",
                false,
            ),
            (data.clone(), r#"{"environment":"AzureCloud"}"#, "", true),
            (
                data.clone(),
                r#"{"environment":"AzureChinaCloud"}"#,
                "",
                false,
            ),
        ] {
            let mut world = task(scheme, &[("SERVICEPRINCIPALKEY", CLIENT_SECRET)]);
            world.set(&variable, Some(value));
            // A registry that is named gets the exchange in every cloud.
            let elsewhere = format!(
                "verify {REPOSITORY}:1.0 --format dct --root {} --allow-host contoso.azurecr.io {flag}",
                "0".repeat(64)
            );
            let outcome = world.run(if flag.is_empty() { SHOW } else { &elsewhere });
            if fits {
                assert_eq!(
                    outcome.exit,
                    Exit::Done,
                    "{scheme} {value}: {}",
                    outcome.stderr
                );
                continue;
            }
            assert_eq!(
                (outcome.exit, outcome.reasons()),
                (Exit::Usage, vec!["config-invalid"]),
                "{scheme} {value} {flag}: {}",
                outcome.stderr
            );
            assert!(
                outcome.stderr.contains(&format!(
                    "service connection `{CONNECTION}` (input `azureSubscription`) is for"
                )),
                "{}",
                outcome.stderr
            );
            assert!(outcome.stderr.contains("`--cloud`"), "{}", outcome.stderr);
            let asked = [Service::Oidc, Service::Entra, Service::ManagedIdentity]
                .map(|service| world.sandbox.count(service));
            assert_eq!(asked, [0, 0, 0], "{scheme} {value}");
        }
    }
}

#[test]
fn a_connection_names_its_user_assigned_identity() {
    let mut world = task("ManagedServiceIdentity", &[]);
    let client = Options::default().client;
    world
        .sandbox
        .managed_identity()
        .assign(&["00000000-0000-0000-0000-00000000aaaa", &client]);
    assert_eq!(world.run(SHOW).reasons(), ["identity-failed"]);
    world.set(
        &format!("ENDPOINT_DATA_{CONNECTION}_MSICLIENTID"),
        Some(&client),
    );
    let outcome = world.run(SHOW);
    assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
}
