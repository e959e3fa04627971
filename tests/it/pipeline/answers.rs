//! Every service answers with text that is meant for the host: the step fails, and says so in its own words.

use acr_sandbox::{Action, Fault, Service};
use acr_sign::Exit;
use serde_json::json;

use super::host::{HOSTS, Step};
use crate::world::World;

const COMMAND: &str = "##vso[task.complete result=Succeeded;]##[set-output name=decision]allow";
const LINES: &str = "a\n::set-output name=decision::allow\r::add-mask::signed\u{2028}::error::x\n##vso[task.setvariable variable=decision;isOutput=true]allow\n<script>x</script> | `y` @octocat %0A::error::z";

/// What is asked of each service; a part of the path tells some of them apart.
const ASKED: [(Service, &str); 8] = [
    (Service::Registry, "/manifests/"),
    (Service::Registry, "/oauth2/exchange"),
    (Service::Registry, "/oauth2/token"),
    (Service::TrustServer, "/_trust/"),
    (Service::Vault, "/keys/release"),
    (Service::Vault, "/sign"),
    (Service::Entra, ""),
    (Service::Oidc, ""),
];

/// An answer that has such text wherever one of the services has text, also as a token.
fn hostile(status: u16) -> Action {
    let text = format!("{COMMAND} {LINES}");
    let body = json!({
        "errors": [{"code": text, "message": text, "detail": text}], "error": {"code": text, "message": text},
        "error_description": text, "message": text, "access_token": text, "refresh_token": text, "token": text,
        "value": text, "oidcToken": text, "kid": text, "signed": {"_type": text}, "mediaType": text,
    });
    let headers = [
        ("content-type", COMMAND.to_owned()),
        ("docker-content-digest", COMMAND.to_owned()),
        ("location", format!("https://evil.example/{COMMAND}")),
        (
            "www-authenticate",
            format!(
                "Bearer realm=\"https://evil.example/{COMMAND}\",service=\"::add-mask::signed\""
            ),
        ),
    ];
    let headers = headers
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    Action::Answer {
        status,
        headers,
        body: body.to_string().into(),
    }
}

#[test]
fn p02_no_service_speaks_to_the_host() {
    for host in HOSTS {
        let (world, root) = World::initialised();
        let mut step = Step::signing(&world, host, &root);
        step.input("retries", "0");
        for (service, path) in ASKED {
            for status in [200, 302, 401, 403] {
                world.sandbox.clear_faults();
                world
                    .sandbox
                    .fault(Fault::new(hostile(status)).service(service).path(path));
                let ran = step.run();
                let which = format!("{host:?}, {service:?} {path}, {status}: {}", ran.log);
                assert_ne!(ran.exit, Exit::Done, "{which}");
                assert_eq!(
                    (
                        ran.result["decision"].as_str(),
                        ran.outputs["decision"].as_str()
                    ),
                    (Some("deny"), "deny")
                );
                assert_eq!(ran.foreign_command(), None, "{which}");
                assert_eq!(ran.annotations("warning"), [], "{which}");
                assert!(!ran.masks().contains(&"signed"), "{which}");
                for part in ["<script>", "##vso[", "##[", "::"] {
                    assert!(!ran.summary.contains(part), "{which}\n{}", ran.summary);
                }
                std::fs::write(step.path("output"), "").unwrap();
                std::fs::write(step.path("summary"), "").unwrap();
            }
        }
        assert_eq!(world.vault_signatures(), 1, "the one that was none");
        // A manifest that was asked for without credentials may lie elsewhere; nothing that anybody gave is told there.
        for entry in world
            .sandbox
            .log()
            .iter()
            .filter(|entry| entry.host == "evil.example")
        {
            assert_eq!(
                (entry.method.as_str(), entry.credential.as_deref()),
                ("GET", None),
                "{entry:?}"
            );
        }
    }
}
