//! Variables that an earlier step plants, and answers that try to speak to the host.

use acr_sandbox::{Action, Fault, Service};
use acr_sign::{
    Exit,
    pipeline::{Host, INPUTS},
};

use super::{
    host::{HOSTS, Step},
    outputs::HOSTILE,
};
use crate::world::{REPOSITORY, World};

#[test]
fn p11_another_spelling_of_an_input_is_an_error() {
    for host in HOSTS {
        let (world, root) = World::initialised();
        for input in INPUTS
            .iter()
            .filter(|input| input.is_on(host) && input.name.contains('-'))
        {
            let mut step = Step::gate(&world, host, &root, &format!("{REPOSITORY}:1.0"));
            // The input itself is empty, as a host hands over what was not given.
            step.input(input.name, "");
            let planted = format!("INPUT_{}", input.name.replace('-', "_").to_uppercase());
            step.set(&planted, "none");
            let ran = step.run();
            assert_eq!(
                (ran.exit, ran.reasons()),
                (Exit::Usage, vec!["usage".to_owned()]),
                "{planted}: {}",
                ran.log
            );
            assert!(
                ran.annotations("error")[0].1.contains(&planted),
                "{}",
                ran.log
            );
        }
        assert_eq!(world.sandbox.log().len(), 0);
    }
}

#[test]
fn p11_a_pipeline_variable_does_not_beat_an_input() {
    let (world, root) = World::initialised();
    for (names, planted) in [
        (
            r#"["build.SourcesDirectory","INPUT_FAILON"]"#,
            "`INPUT_FAILON`",
        ),
        (r#"["input.failOn"]"#, "`input.failOn`"),
        (r#"["Input trustOnFirstUse"]"#, "`Input trustOnFirstUse`"),
        ("INPUT_FAILON", "VSTS_PUBLIC_VARIABLES"),
    ] {
        let mut step = Step::gate(&world, Host::Azure, &root, &format!("{REPOSITORY}:1.0"));
        // Where the agent puts it, over what the input says.
        step.input("fail-on", "none");
        step.set("VSTS_PUBLIC_VARIABLES", names);
        let ran = step.run();
        assert_eq!(
            (ran.exit, ran.reasons()),
            (Exit::Usage, vec!["usage".to_owned()]),
            "{names}: {}",
            ran.log
        );
        assert!(
            ran.annotations("error")[0].1.contains(planted),
            "{}",
            ran.log
        );
    }
    assert_eq!(world.sandbox.log().len(), 0);
    // Other variables are nobody's inputs.
    let mut step = Step::gate(&world, Host::Azure, &root, &format!("{REPOSITORY}:1.0"));
    step.set(
        "VSTS_PUBLIC_VARIABLES",
        r#"["system.debug","inputs","INPUT_FAIL","SECRET.failOn"]"#,
    );
    let ran = step.run();
    assert_eq!(
        (ran.exit, ran.reasons()),
        (Exit::Rejected, vec!["unsigned".to_owned()]),
        "{}",
        ran.log
    );
}

#[test]
fn p11_planted_variables_move_no_request() {
    for host in HOSTS {
        let (world, root) = World::initialised();
        let ca = world.sandbox.ca_file().display().to_string();
        let planted = format!(
            "contoso.azurecr.io=127.0.0.1:{}",
            world.sandbox.plain_port()
        );
        for (variable, value, input) in [
            ("ACR_SIGN_CONNECT_TO", planted.as_str(), "connect-to"),
            ("ACR_SIGN_CA_FILE", "/does/not/exist", "ca-file"),
            (
                "DOCKER_CONTENT_TRUST_SERVER",
                "https://evil.example",
                "trust-server",
            ),
        ] {
            let mut step = Step::signing(&world, host, &root);
            step.set(variable, value);
            let ran = step.run();
            assert_eq!(ran.exit, Exit::Done, "{variable}: {}", ran.log);
            let warnings = ran.annotations("warning");
            assert!(
                warnings[0].1.contains(variable) && warnings[0].1.contains(&host.spell(input)),
                "{warnings:?}"
            );
        }
        // Without the input, a planted way to the sandbox leads nowhere.
        let mut step = Step::signing(&world, host, &root);
        step.input("connect-to", "contoso.vault.azure.net=127.0.0.1:1");
        step.input("retries", "0");
        step.set("ACR_SIGN_CONNECT_TO", &world.sandbox.connect_to().join(";"));
        world.sandbox.clear_log();
        assert_ne!(step.run().exit, Exit::Done);
        assert_eq!(world.sandbox.log().len(), 0);
        // SSL_CERT_FILE is the system's own switch: it counts, and the report names it.
        let mut step = Step::signing(&world, host, &root);
        step.input("ca-file", "");
        step.set("SSL_CERT_FILE", &ca);
        let ran = step.run();
        assert_eq!(ran.exit, Exit::Done, "{}", ran.log);
        assert!(
            ran.report["warnings"].to_string().contains("SSL_CERT_FILE"),
            "{}",
            ran.report
        );
    }
}

#[test]
fn k07_a_connection_that_is_planted_on_github_is_not_used() {
    let (world, root) = World::initialised();
    let azure = Step::signing(&world, Host::Azure, &root);
    let mut step = Step::signing(&world, Host::GitHub, &root);
    step.variables.extend(
        azure
            .variables
            .iter()
            .filter(|(name, _)| name.starts_with("ENDPOINT_") || name.starts_with("SYSTEM_"))
            .map(|(name, value)| (name.clone(), value.clone())),
    );
    step.set("INPUT_AZURESUBSCRIPTION", acr_sandbox::CONNECTION);
    step.variables
        .retain(|name, _| !name.starts_with("ACTIONS_ID_TOKEN"));
    step.set("RUNNER_ENVIRONMENT", "github-hosted");
    step.variables.retain(|name, _| name != "AZURE_CLIENT_ID");
    let ran = step.run();
    assert_eq!(
        (ran.exit, world.sandbox.count(Service::Oidc)),
        (Exit::Usage, 0),
        "{}",
        ran.log
    );
}

#[test]
fn p02_an_error_body_is_no_command() {
    for host in HOSTS {
        let (world, root) = World::initialised();
        for hostile in HOSTILE {
            world.sandbox.clear_faults();
            let body =
                serde_json::json!({"errors": [{"code": hostile, "message": hostile}]}).to_string();
            world.sandbox.fault(
                Fault::new(Action::Answer {
                    status: 403,
                    headers: vec![],
                    body: body.into(),
                })
                .path("/manifests/"),
            );
            let ran = Step::gate(&world, host, &root, &format!("{REPOSITORY}:1.0")).run();
            assert_eq!(ran.exit, Exit::Undecided, "{}", ran.log);
            assert_eq!(ran.foreign_command(), None, "{hostile}");
            assert_eq!(ran.annotations("error").len(), 1, "{}", ran.log);
            assert!(
                ran.outputs.len() >= 6 && ran.outputs["decision"] == "deny",
                "{hostile}: {:?}",
                ran.outputs
            );
            assert!(
                !ran.summary.contains("<script>") && !ran.summary.contains("<img"),
                "{}",
                ran.summary
            );
        }
    }
}

#[test]
fn p02_hostile_inputs_are_told_and_not_obeyed() {
    for host in HOSTS {
        let world = World::new();
        for hostile in HOSTILE {
            let mut step = Step::new(&world, host);
            step.input("command", "verify");
            step.input("format", "dct");
            step.input("images", hostile);
            let ran = step.run();
            assert_eq!(ran.exit, Exit::Usage, "{hostile}: {}", ran.log);
            assert_eq!(ran.foreign_command(), None, "{hostile}");
            assert_eq!(ran.outputs["decision"], "deny");
        }
    }
}

#[test]
fn p13_a_gate_wants_the_policy_or_the_trust_named() {
    for host in HOSTS {
        let (world, root) = World::signed();
        world.sandbox.clear_log();
        let mut step = Step::gate(&world, host, "", &format!("{REPOSITORY}:1.0"));
        step.input("format", "");
        let ran = step.run();
        assert_eq!(
            (ran.exit, ran.reasons()),
            (Exit::Usage, vec!["policy-missing".to_owned()]),
            "{}",
            ran.log
        );
        assert!(
            ran.annotations("error")[0].1.contains("merely there"),
            "{}",
            ran.log
        );
        assert_eq!(world.sandbox.log().len(), 0);
        let policy = step.path("policy.yaml");
        let rule = format!(
            "version: 1\nverify:\n  - images: [\"**\"]\n    require:\n      - dct: {{ roots: [\"{root}\"] }}\n"
        );
        std::fs::write(&policy, rule).unwrap();
        step.input("policy", &policy.display().to_string());
        let ran = step.run();
        assert_eq!(
            (ran.exit, ran.outputs["decision"].as_str()),
            (Exit::Done, "allow"),
            "{}",
            ran.log
        );
    }
}

#[test]
fn p08_what_is_denied_as_a_whole_is_no_output() {
    for host in HOSTS {
        let (world, root) = World::signed();
        let policy = world.write(
            "policy.yaml",
            &format!(
                "version: 1\nverify:\n  - images: [{REPOSITORY}]\n    require: [{{ dct: {{ roots: [\"{root}\"] }} }}]\n  - \
                 images: [contoso.azurecr.io/vendor/*]\n    exempt: {{ reason: vendor, until: 2999-12-31 }}\n"
            ),
        );
        let mut step = Step::new(&world, host);
        step.input("command", "verify");
        step.input("policy", &policy);
        let manifest = step.path("pod.yaml");
        let pod = format!(
            "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - image: {REPOSITORY}:1.0\n  - image: contoso.azurecr.io/vendor/gone:1\n"
        );
        std::fs::write(&manifest, &pod).unwrap();
        let named = manifest.display().to_string();
        // Every image is good, and the digests that were to be deployed cannot be written.
        step.input("manifests", &named);
        step.input("pin", "true");
        let denied = |ran: &super::host::Ran, exit: Exit| {
            assert_eq!(ran.exit, exit, "{}", ran.log);
            assert_eq!(
                (
                    ran.outputs["decision"].as_str(),
                    ran.outputs["images"].as_str()
                ),
                ("deny", "")
            );
            assert_eq!(
                (
                    ran.outputs["signed-count"].as_str(),
                    ran.outputs["failed-count"].as_str()
                ),
                ("0", "2")
            );
            assert!(!ran.outputs.contains_key("digest"), "{:?}", ran.outputs);
        };
        denied(&step.run(), Exit::Undecided);
        assert_eq!(std::fs::read_to_string(&manifest).unwrap(), pod);
        // The same where nobody can read the report.
        step.input("pin", "false");
        step.input(
            "report",
            &step.path("none/report.json").display().to_string(),
        );
        let _ = std::fs::remove_file(step.path("output"));
        denied(&step.run(), Exit::Usage);
    }
}
