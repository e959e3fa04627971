//! Service connections as the agent hands them to a task: the input, and the endpoint's variables.

use acr_sandbox::{CLIENT_SECRET, CONNECTION, Identity, Options, Service};
use acr_sign::Exit;

use crate::world::World;

const SHOW: &str = "key show akv:contoso/keys/release";

/// The variables of a task step whose connection has this scheme and these parameters.
fn task(scheme: &str, parameters: &[(&str, &str)]) -> World {
    let mut world = World::with(Identity::Imds);
    let options = Options::default();
    let all = [("TENANTID", options.tenant.as_str()), ("SERVICEPRINCIPALID", options.client.as_str())];
    world.set("INPUT_AZURESUBSCRIPTION", Some(CONNECTION));
    world.set(&format!("ENDPOINT_AUTH_SCHEME_{CONNECTION}"), Some(scheme));
    for (name, value) in all.iter().chain(parameters) {
        world.set(&format!("ENDPOINT_AUTH_PARAMETER_{CONNECTION}_{name}"), Some(value));
    }
    let federated = world.sandbox.environment(Identity::AzurePipelines);
    let of_agent = |name: &str| federated.iter().find(|(known, _)| known == name).unwrap().1.clone();
    world.set("SYSTEM_OIDCREQUESTURI", Some(&of_agent("SYSTEM_OIDCREQUESTURI")));
    world.set("ENDPOINT_AUTH_PARAMETER_SYSTEMVSSCONNECTION_ACCESSTOKEN", Some(&of_agent("SYSTEM_ACCESSTOKEN")));
    world
}

#[test]
fn each_scheme_gets_its_tokens_where_it_should() {
    for (scheme, parameters, method, services) in [
        ("WorkloadIdentityFederation", &[][..], "service-connection", [1, 1, 0]),
        ("workloadidentityfederation", &[], "service-connection", [1, 1, 0]),
        ("ServicePrincipal", &[("SERVICEPRINCIPALKEY", CLIENT_SECRET)], "service-connection", [0, 1, 0]),
        (
            "ServicePrincipal",
            &[("AUTHENTICATIONTYPE", "spnKey"), ("SERVICEPRINCIPALKEY", CLIENT_SECRET)],
            "service-connection",
            [0, 1, 0],
        ),
        ("ManagedServiceIdentity", &[], "managed-identity", [0, 0, 1]),
    ] {
        let world = task(scheme, parameters);
        let outcome = world.run(&format!("{SHOW} --output json"));
        assert_eq!(outcome.exit, Exit::Done, "{scheme}: {}", outcome.stderr);
        let asked =
            [Service::Oidc, Service::Entra, Service::ManagedIdentity].map(|service| world.sandbox.count(service));
        assert_eq!(asked, services, "{scheme}");
        let told = world.run_binary(&format!("{SHOW} -v"), &[]);
        assert!(told.stderr.contains(&format!("Azure identity: {method}")), "{scheme}: {}", told.stderr);
    }
}

#[test]
fn schemes_that_are_not_used_are_refused_before_anything_is_asked() {
    for (scheme, parameters, says) in [
        ("PublishProfile", &[][..], "a scheme that is federated, a service principal or a managed identity"),
        ("", &[], "a scheme that is federated, a service principal or a managed identity"),
        (
            "ServicePrincipal",
            &[("AUTHENTICATIONTYPE", "spnCertificate"), ("SERVICEPRINCIPALCERTIFICATE", "canary")],
            "a certificate",
        ),
        ("ServicePrincipal", &[], "the key of the service principal"),
    ] {
        let world = task(scheme, parameters);
        let outcome = world.run(SHOW);
        assert_eq!(
            (outcome.exit, outcome.reasons()),
            (Exit::Usage, vec!["identity-unavailable"]),
            "{scheme}: {}",
            outcome.stderr
        );
        assert!(outcome.stderr.contains(says), "{scheme}: {}", outcome.stderr);
        let asked =
            [Service::Oidc, Service::Entra, Service::ManagedIdentity].map(|service| world.sandbox.count(service));
        assert_eq!(asked, [0, 0, 0], "{scheme}");
    }
}

#[test]
fn k08_what_was_planted_beside_a_connection_gets_no_credential() {
    for (variable, value, reason) in [
        ("SYSTEM_OIDCREQUESTURI", "https://evil.example/oidctoken", "host-not-allowed"),
        ("SYSTEM_OIDCREQUESTURI", "http://dev.azure.com/contoso/oidctoken", "host-not-allowed"),
        ("SYSTEM_OIDCREQUESTURI", "https://user@dev.azure.com/contoso/oidctoken", "host-not-allowed"),
        ("AZURE_AUTHORITY_HOST", "http://login.microsoftonline.com/", "host-not-allowed"),
        ("AZURE_AUTHORITY_HOST", "https://login.microsoftonline.com.evil.example/", "host-not-allowed"),
        ("AZURE_AUTHORITY_HOST", "https://login.microsoftonline.us/", "host-not-allowed"),
    ] {
        let mut world = task("WorkloadIdentityFederation", &[]);
        world.set(variable, Some(value));
        let outcome = world.run(SHOW);
        assert_eq!((outcome.exit, outcome.reasons()), (Exit::Usage, vec![reason]), "{value}: {}", outcome.stderr);
        assert!(world.sandbox.log().iter().all(|entry| entry.credential.is_none()), "{value}");
    }
    let mut world = task("WorkloadIdentityFederation", &[]);
    world.set(&format!("ENDPOINT_AUTH_PARAMETER_{CONNECTION}_TENANTID"), Some("../common"));
    let outcome = world.run(SHOW);
    assert_eq!((outcome.exit, outcome.reasons()), (Exit::Usage, vec!["identity-unavailable"]), "{}", outcome.stderr);
    assert_eq!(world.sandbox.count(Service::Entra), 0);
}
