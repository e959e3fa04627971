//! Tokens and passwords of a step: masked before anything is done with them, and shown by nothing (P06).

use acr_sandbox::{Action, Fault, Service};
use acr_sign::{Exit, pipeline::Host};
use serde_json::json;

use super::host::{HOSTS, Step};
use crate::world::{REPOSITORY, World};

#[test]
fn p06_every_token_is_masked_the_moment_it_exists() {
    for host in HOSTS {
        let (world, root) = World::initialised();
        let ran = Step::signing(&world, host, &root).run();
        assert_eq!(ran.exit, Exit::Done, "{}", ran.log);
        let masks = ran.masks();
        // ID token and access token for the vault and for the registry, its refresh token, and a token per scope.
        assert!(masks.len() >= 8, "{masks:?}");
        let sent: Vec<String> = world
            .sandbox
            .log()
            .into_iter()
            .filter(|entry| entry.service != Service::Oidc)
            .filter_map(|entry| Some(entry.credential?.split_once(' ')?.1.to_owned()))
            .collect();
        assert!(sent.len() > 10);
        assert!(sent.iter().all(|token| masks.contains(&token.as_str())));
    }
}

#[test]
fn a_password_is_masked_and_logs_in() {
    for host in HOSTS {
        let (world, root) = World::initialised();
        world.sandbox.acr().add_user("puller", "canary-password");
        let mut step = Step::gate(&world, host, &root, &format!("{REPOSITORY}:1.0"));
        step.input("username", "puller");
        step.input("password", "canary-password");
        let ran = step.run();
        assert_eq!(
            ran.report["auth"]["registries"]["contoso.azurecr.io"], "user and password",
            "{}",
            ran.log
        );
        assert!(ran.masks().contains(&"canary-password"), "{}", ran.log);
        let shown = ran
            .log
            .lines()
            .filter(|line| line.contains("canary-password"))
            .count();
        assert_eq!(shown, 1, "in its mask only");
    }
}

#[test]
fn p06_a_login_that_docker_stored_is_masked_before_it_logs_in() {
    for host in HOSTS {
        let (world, root) = World::initialised();
        world.sandbox.acr().add_user("puller", "canary-password");
        let auth =
            base64::Engine::encode(&base64::prelude::BASE64_STANDARD, "puller:canary-password");
        std::fs::create_dir(world.folder.path().join("docker")).unwrap();
        let auths = json!({"auths": {"contoso.azurecr.io": {"auth": auth}}});
        world.write("docker/config.json", &auths.to_string());
        let mut step = Step::gate(&world, host, &root, &format!("{REPOSITORY}:1.0"));
        step.set(
            "DOCKER_CONFIG",
            &world.folder.path().join("docker").display().to_string(),
        );
        step.input("registry-auth", "docker-config");
        let ran = step.run();
        assert_eq!(
            ran.report["auth"]["registries"]["contoso.azurecr.io"], "user and password",
            "{}",
            ran.log
        );
        assert!(ran.masks().contains(&"canary-password"), "{}", ran.log);
        assert_eq!(
            ran.log.matches("canary-password").count(),
            1,
            "in its mask only"
        );
    }
}

#[test]
fn p06_a_service_that_sends_secrets_back_has_none_shown() {
    for host in HOSTS {
        let (world, root) = World::initialised();
        // Escaped for a page or a log it would not be what the host looks for any more.
        let password = "kanarie::x|y\"z";
        world.sandbox.acr().add_user("puller", password);
        let basic = base64::Engine::encode(
            &base64::prelude::BASE64_STANDARD,
            format!("puller:{password}"),
        );
        let echo = |secrets: [&str; 2]| {
            let text = format!("<you> sent {} | {}", secrets[0], secrets[1]);
            let body = json!({"errors": [{"code": "DENIED", "message": text}], "error_description": text, "message": text});
            let headers = vec![("content-type".into(), "application/json".into())];
            Action::Answer {
                status: 403,
                headers,
                body: body.to_string().into(),
            }
        };
        let told = |step: &Step<'_>, fault: Fault, secrets: [&str; 2]| {
            world.sandbox.clear_faults();
            world.sandbox.fault(fault);
            let ran = step.run();
            assert_eq!(ran.exit, Exit::Undecided, "{}", ran.log);
            let masks = ["::add-mask::", "##vso[task.setsecret]"];
            let log: Vec<_> = ran
                .log
                .lines()
                .filter(|line| masks.iter().all(|mask| !line.starts_with(mask)))
                .collect();
            for shown in [
                log.join("\n"),
                ran.summary,
                ran.report.to_string(),
                ran.result.to_string(),
            ] {
                assert!(
                    secrets.iter().all(|secret| !shown.contains(&secret[..7])),
                    "{shown}"
                );
            }
            ran.report.to_string()
        };
        let mut step = Step::gate(&world, host, &root, &format!("{REPOSITORY}:1.0"));
        step.input("username", "puller");
        step.input("password", password);
        // A manifest is asked for without a login first.
        for (path, time) in [("/oauth2/token", 1), ("/manifests/", 2)] {
            let fault = Fault::new(echo([password, &basic])).path(path).nth(time);
            let report = told(&step, fault, [password, &basic]);
            assert!(report.contains("<you> sent *** | ***"), "{report}");
        }
        let step = Step::signing(&world, host, &root);
        let bearer = match host {
            Host::GitHub => &step.variables["ACTIONS_ID_TOKEN_REQUEST_TOKEN"],
            Host::Azure => {
                &step.variables["ENDPOINT_AUTH_PARAMETER_SYSTEMVSSCONNECTION_ACCESSTOKEN"]
            }
        };
        told(
            &step,
            Fault::new(echo([bearer, bearer])).service(Service::Oidc),
            [bearer, bearer],
        );
    }
}
