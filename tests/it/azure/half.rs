//! Half an identity on a machine that has one of its own: an error that names the missing half, and nothing is asked.
//! With the half added, the identity is that one.

use acr_sandbox::{CONNECTION, Identity, Options, Service};
use acr_sign::Exit;

use crate::{snapshot::snapshot, world::World};

const SHOW: &str = "key show akv:contoso/keys/release";

/// Variables of a step, and what they lack.
struct Half {
    what: &'static str,
    /// What the step has.
    has: Vec<(&'static str, String)>,
    /// What the message must name.
    names: &'static str,
    /// What mends it, and the method that is used then.
    mended: Option<(Vec<(&'static str, String)>, &'static str)>,
}

/// A virtual machine with a managed identity, and these variables.
fn machine(variables: &[(&str, String)]) -> World {
    let mut world = World::with(Identity::Imds);
    for (name, value) in variables {
        world.set(name, Some(value));
    }
    world
}

/// The variables of a whole identity in the sandbox, without some.
fn without(world: &World, identity: Identity, missing: &[&str]) -> Vec<(&'static str, String)> {
    let names = [
        "ACTIONS_ID_TOKEN_REQUEST_URL",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
        "AZURESUBSCRIPTION_CLIENT_ID",
        "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID",
        "AZURESUBSCRIPTION_TENANT_ID",
        "AZURE_CLIENT_ID",
        "AZURE_CLIENT_SECRET",
        "AZURE_FEDERATED_TOKEN_FILE",
        "AZURE_TENANT_ID",
        "IDENTITY_ENDPOINT",
        "IDENTITY_HEADER",
        "SYSTEM_ACCESSTOKEN",
        "SYSTEM_OIDCREQUESTURI",
    ];
    let all = world.sandbox.environment(identity);
    let of = |name: &str| all.iter().find(|(known, _)| known == name);
    names
        .into_iter()
        .filter(|name| !missing.contains(name))
        .filter_map(|name| Some((name, of(name)?.1.clone())))
        .collect()
}

/// `NAME=VALUE` lines of a file.
fn of_file(name: &str) -> Vec<(&'static str, String)> {
    let path = format!("tests/fixtures/reports/02-half-an-identity/{name}");
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let text: &'static str = std::fs::read_to_string(path).unwrap().leak();
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name, value.to_owned()))
        .collect()
}

fn halves(world: &World) -> Vec<Half> {
    let tenant = || vec![("AZURE_TENANT_ID", Options::default().tenant)];
    let client = || vec![("AZURE_CLIENT_ID", Options::default().client)];
    let half = |what, has, names, mended, method| Half {
        what,
        has,
        names,
        mended: Some((mended, method)),
    };
    let never = |what, has, names| Half {
        what,
        has,
        names,
        mended: None,
    };
    let own = |name, value: &str| (name, value.to_owned());
    let with = |mut has: Vec<_>, further: (&'static str, String)| {
        has.push(further);
        has
    };
    let secret = |missing: &[&str]| without(world, Identity::ClientSecret, missing);
    let github = |missing: &[&str]| without(world, Identity::GitHubOidc, missing);
    let pipelines = |missing: &[&str]| without(world, Identity::AzurePipelines, missing);
    let file = |missing: &[&str]| without(world, Identity::WorkloadIdentity, missing);
    let app = |missing: &[&str]| {
        let mut has = without(world, Identity::ManagedIdentityAppService, missing);
        has.extend(client());
        has
    };
    let of = |identity, name: &str| {
        let mut all = without(world, identity, &[]);
        all.retain(|(known, _)| *known == name);
        all
    };
    vec![
        half(
            "a client secret without a tenant",
            of_file("secret-without-tenant.env"),
            "`AZURE_CLIENT_SECRET` needs `AZURE_TENANT_ID`, which is not set",
            tenant(),
            "environment",
        ),
        half(
            "a client secret with an empty tenant",
            with(secret(&["AZURE_TENANT_ID"]), own("AZURE_TENANT_ID", "")),
            "`AZURE_TENANT_ID`, which is empty",
            tenant(),
            "environment",
        ),
        half(
            "a client secret without a client",
            secret(&["AZURE_CLIENT_ID"]),
            "`AZURE_CLIENT_ID`, which is not set",
            client(),
            "environment",
        ),
        half(
            "an empty client secret",
            with(
                secret(&["AZURE_CLIENT_SECRET"]),
                own("AZURE_CLIENT_SECRET", ""),
            ),
            "`AZURE_CLIENT_SECRET`, which is empty",
            of(Identity::ClientSecret, "AZURE_CLIENT_SECRET"),
            "environment",
        ),
        half(
            "GitHub's ID token without a tenant",
            github(&["AZURE_TENANT_ID"]),
            "the job's ID token needs `AZURE_TENANT_ID`, which is not set",
            tenant(),
            "oidc",
        ),
        half(
            "GitHub's ID token with an empty tenant",
            with(github(&["AZURE_TENANT_ID"]), own("AZURE_TENANT_ID", "")),
            "`AZURE_TENANT_ID`, which is empty",
            tenant(),
            "oidc",
        ),
        half(
            "GitHub's ID token without a client",
            github(&["AZURE_CLIENT_ID"]),
            "`AZURE_CLIENT_ID`, which is not set",
            client(),
            "oidc",
        ),
        half(
            "GitHub's ID token with client and tenant that are empty",
            with(
                with(
                    github(&["AZURE_CLIENT_ID", "AZURE_TENANT_ID"]),
                    own("AZURE_CLIENT_ID", ""),
                ),
                own("AZURE_TENANT_ID", ""),
            ),
            "`AZURE_CLIENT_ID`, which is empty, and `AZURE_TENANT_ID`, which is empty",
            client().into_iter().chain(tenant()).collect(),
            "oidc",
        ),
        half(
            "half of what GitHub hands over",
            github(&["ACTIONS_ID_TOKEN_REQUEST_TOKEN"]),
            "`ACTIONS_ID_TOKEN_REQUEST_TOKEN`, which is not set",
            of(Identity::GitHubOidc, "ACTIONS_ID_TOKEN_REQUEST_TOKEN"),
            "oidc",
        ),
        half(
            "a job without the permission, on a machine of one's own",
            with(
                github(&[
                    "ACTIONS_ID_TOKEN_REQUEST_URL",
                    "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
                ]),
                own("GITHUB_ACTIONS", "true"),
            ),
            "id-token: write",
            github(&[]),
            "oidc",
        ),
        half(
            "a token file without a tenant",
            file(&["AZURE_TENANT_ID"]),
            "`AZURE_FEDERATED_TOKEN_FILE` needs `AZURE_TENANT_ID`",
            tenant(),
            "workload-identity",
        ),
        half(
            "a token file without a client",
            file(&["AZURE_CLIENT_ID"]),
            "`AZURE_CLIENT_ID`",
            client(),
            "workload-identity",
        ),
        half(
            "AzureCLI@2 without the job's token",
            pipelines(&["SYSTEM_ACCESSTOKEN"]),
            "SYSTEM_ACCESSTOKEN: $(System.AccessToken)",
            of(Identity::AzurePipelines, "SYSTEM_ACCESSTOKEN"),
            "service-connection",
        ),
        half(
            "AzureCLI@2 without the host's address",
            pipelines(&["SYSTEM_OIDCREQUESTURI"]),
            "`SYSTEM_OIDCREQUESTURI`",
            of(Identity::AzurePipelines, "SYSTEM_OIDCREQUESTURI"),
            "service-connection",
        ),
        half(
            "AzureCLI@2's client without its connection",
            pipelines(&["AZURESUBSCRIPTION_SERVICE_CONNECTION_ID"]),
            "`AZURESUBSCRIPTION_SERVICE_CONNECTION_ID`",
            vec![(
                "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID",
                CONNECTION.to_owned(),
            )],
            "service-connection",
        ),
        half(
            "App Service's header without its endpoint",
            app(&["IDENTITY_ENDPOINT"]),
            "`IDENTITY_ENDPOINT`",
            of(Identity::ManagedIdentityAppService, "IDENTITY_ENDPOINT"),
            "managed-identity",
        ),
        half(
            "App Service's endpoint without its header",
            app(&["IDENTITY_HEADER"]),
            "`IDENTITY_HEADER`",
            of(Identity::ManagedIdentityAppService, "IDENTITY_HEADER"),
            "managed-identity",
        ),
        never(
            "a client certificate",
            of_file("client-certificate.env"),
            "a client certificate is not supported",
        ),
        never(
            "a user name",
            with(client(), own("AZURE_USERNAME", "someone@example.com")),
            "a login by user name and password is not supported",
        ),
        never(
            "Azure Arc",
            vec![
                own(
                    "IDENTITY_ENDPOINT",
                    "http://localhost:40342/metadata/identity/oauth2/token",
                ),
                own("IMDS_ENDPOINT", "http://localhost:40342"),
            ],
            "Azure Arc's managed identity is not supported",
        ),
        never(
            "Azure Machine Learning",
            vec![
                own("MSI_ENDPOINT", "http://localhost:46808"),
                own("MSI_SECRET", "canary-secret"),
            ],
            "Azure Machine Learning's managed identity is not supported",
        ),
        never(
            "Service Fabric",
            with(app(&[]), own("IDENTITY_SERVER_THUMBPRINT", "00")),
            "Service Fabric's managed identity is not supported",
        ),
    ]
}

fn asked(world: &World) -> usize {
    [Service::Entra, Service::ManagedIdentity, Service::Oidc]
        .map(|service| world.sandbox.count(service))
        .iter()
        .sum()
}

#[test]
fn k07_half_an_identity_is_never_replaced_by_the_machines() {
    let mut page = "# Half an identity\n\n".to_owned();
    for half in halves(&World::with(Identity::Imds)) {
        let Half {
            what,
            has,
            names,
            mended,
        } = half;
        let mut world = machine(&has);
        // The token file of the sandbox that the variables were taken from is gone.
        if has
            .iter()
            .any(|(name, _)| *name == "AZURE_FEDERATED_TOKEN_FILE")
        {
            let file = world.sandbox.environment(Identity::WorkloadIdentity);
            let file = file
                .iter()
                .find(|(name, _)| name == "AZURE_FEDERATED_TOKEN_FILE");
            world.set("AZURE_FEDERATED_TOKEN_FILE", Some(&file.unwrap().1));
        }
        let outcome = world.run(SHOW);
        assert_eq!(
            (outcome.exit, outcome.reasons()),
            (Exit::Usage, vec!["identity-unavailable"]),
            "{what}: {}",
            outcome.stderr
        );
        assert!(outcome.stderr.contains(names), "{what}: {}", outcome.stderr);
        assert_eq!(asked(&world), 0, "{what}");
        page.push_str(&format!(
            "## {what}: exit 2\n\n```console\n{}```\n\n",
            outcome.stderr
        ));
        let Some((further, method)) = mended else {
            // Whoever means the machine's own identity says so.
            let named = world.run(&format!("{SHOW} --auth azure-cli"));
            assert!(
                named.stderr.contains("`az login`"),
                "{what}: {}",
                named.stderr
            );
            continue;
        };
        for (name, value) in &further {
            // The endpoint's port is the world's own.
            let own = world
                .sandbox
                .environment(Identity::ManagedIdentityAppService);
            let own = own.iter().find(|(known, _)| known == name);
            let value = own.map_or_else(|| value.clone(), |(_, value)| value.clone());
            world.set(name, Some(&value));
        }
        if world
            .environment
            .iter()
            .any(|(name, _)| name == "IDENTITY_ENDPOINT")
        {
            let own = world
                .sandbox
                .environment(Identity::ManagedIdentityAppService);
            for (name, value) in own {
                world.set(&name, Some(&value));
            }
        }
        let report = world.folder.path().join("report.json");
        let outcome = world.run(&format!("{SHOW} --report {}", report.display()));
        assert_eq!(outcome.exit, Exit::Done, "{what}: {}", outcome.stderr);
        let written = std::fs::read(&report).unwrap();
        let written: serde_json::Value = serde_json::from_slice(&written).unwrap();
        assert_eq!(written["auth"]["azure"]["method"], method, "{what}");
    }
    snapshot("half-an-identity.md", &page);
}

#[test]
fn a_client_alone_still_names_the_machines_identity() {
    let client = Options::default().client;
    for identity in [Identity::Imds, Identity::ManagedIdentityAppService] {
        for (variable, value) in [
            ("AZURE_CLIENT_ID", client.as_str()),
            // Kubernetes and compose files set what they do not have.
            ("AZURE_CLIENT_SECRET", ""),
            ("AZURE_TENANT_ID", "t"),
        ] {
            let mut world = World::with(identity);
            world.set(variable, Some(value));
            let outcome = world.run(SHOW);
            assert_eq!(
                outcome.exit,
                Exit::Done,
                "{identity:?} {variable}: {}",
                outcome.stderr
            );
            assert!(world.sandbox.count(Service::ManagedIdentity) > 0);
        }
    }
}

#[test]
fn an_id_token_that_nobody_asked_for_is_no_half() {
    // A job has the permission for something else, and names no application.
    let mut world = World::with(Identity::GitHubOidc);
    world.set("AZURE_CLIENT_ID", None);
    world.set("AZURE_TENANT_ID", None);
    let outcome = world.run(SHOW);
    assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
    assert_eq!(world.sandbox.count(Service::Oidc), 0);
}

#[test]
fn k07_flags_are_halves_as_variables_are() {
    let (tenant, client) = (Options::default().tenant, Options::default().client);
    let world = World::with(Identity::GitHubOidc);
    let mut bare = World::with(Identity::GitHubOidc);
    bare.set("AZURE_CLIENT_ID", None);
    bare.set("AZURE_TENANT_ID", None);
    for (flags, exit) in [
        (format!("--client-id {client}"), Exit::Usage),
        (format!("--tenant-id {tenant}"), Exit::Usage),
        (
            format!("--client-id {client} --tenant-id {tenant}"),
            Exit::Done,
        ),
    ] {
        let outcome = bare.run(&format!("{SHOW} {flags}"));
        assert_eq!(outcome.exit, exit, "{flags}: {}", outcome.stderr);
    }
    let outcome = world.run(&format!("{SHOW} --client-id ../x"));
    assert_eq!(outcome.reasons(), ["identity-unavailable"]);
    assert!(
        outcome.stderr.contains("the client ID is not a GUID"),
        "{}",
        outcome.stderr
    );
}
