//! From inputs to signed, and the gate after it.

use std::collections::BTreeMap;

use acr_sandbox::{Identity, Service};
use acr_sign::{Exit, pipeline::Host};
use serde_json::json;

use super::host::{HOSTS, Step};
use crate::world::{REPOSITORY, World};

/// What was asked, how often: service, method and path.
fn asked(world: &World) -> BTreeMap<(String, String, String), usize> {
    let mut counts = BTreeMap::new();
    for entry in world.sandbox.log() {
        *counts
            .entry((format!("{:?}", entry.service), entry.method, entry.path))
            .or_insert(0) += 1;
    }
    counts
}

#[test]
fn a_step_asks_nothing_that_the_command_line_would_not_ask() {
    for host in HOSTS {
        let command = World::with(Identity::GitHubOidc);
        let root = command.initialise();
        let digest = command.digest("1.0");
        let images = ["1.0", "1", "latest"]
            .map(|tag| format!("{REPOSITORY}:{tag}@{digest}"))
            .join(" ");
        let outcome = command.run(&format!(
            "sign {images} --format dct --key akv:contoso/keys/release --root {root}"
        ));
        assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);

        let step = World::with(Identity::GitHubOidc);
        let root = step.initialise();
        let ran = Step::signing(&step, host, &root).run();
        assert_eq!(ran.exit, Exit::Done, "{}", ran.log);

        // The two repositories' trust data differ in the names of files, which hold their hashes.
        let without_hashes = |asked: BTreeMap<(String, String, String), usize>| {
            let mut counts: BTreeMap<(String, String, String), usize> = BTreeMap::new();
            for ((service, method, path), count) in asked {
                if service == "Oidc" {
                    continue;
                }
                let parts = path.split(['/', '.', ':']).map(|part| {
                    if part.len() == 64 || part.len() == 32 {
                        "HASH"
                    } else {
                        part
                    }
                });
                *counts
                    .entry((service, method, parts.collect::<Vec<_>>().join("/")))
                    .or_default() += count;
            }
            counts
        };
        assert_eq!(
            without_hashes(asked(&command)),
            without_hashes(asked(&step)),
            "{host:?}"
        );
        // One ID token and one access token per audience: the vault, and the registry's exchange.
        assert_eq!(
            (
                step.sandbox.count(Service::Oidc),
                step.sandbox.count(Service::Entra)
            ),
            (2, 2),
            "{host:?}"
        );
    }
}

#[test]
fn what_was_pushed_is_signed_reported_and_usable_as_a_gate() {
    for host in HOSTS {
        let (world, root) = World::initialised();
        let digest = world.digest("1.0");
        let ran = Step::signing(&world, host, &root).run();
        assert_eq!(ran.exit, Exit::Done, "{}", ran.log);
        let lines = ["1.0", "1", "latest"]
            .map(|tag| format!("{REPOSITORY}:{tag}@{digest}"))
            .join("\n");
        assert_eq!(ran.outputs["images"], lines);
        assert_eq!(ran.outputs["digest"], digest);
        assert_eq!(
            (
                ran.outputs["signed-count"].as_str(),
                ran.outputs["failed-count"].as_str()
            ),
            ("3", "0")
        );
        assert_eq!(ran.outputs["decision"], "allow");
        let signatures: serde_json::Value =
            serde_json::from_str(&ran.outputs["signatures"]).unwrap();
        assert_eq!(
            signatures.as_array().unwrap().len(),
            6,
            "two roles for each of three tags"
        );
        assert_eq!(signatures[0]["image"], format!("{REPOSITORY}:1.0"));
        assert_eq!(
            ran.result,
            serde_json::json!({"code": 0, "decision": "allow", "message": "signed 3 images"})
        );
        assert_eq!(
            (
                ran.report["source"].as_str(),
                ran.report["images"].as_array().unwrap().len()
            ),
            (Some("tags"), 3)
        );
        assert_eq!(ran.annotations("error"), []);
        assert_eq!(ran.annotations("warning"), []);
        assert!(ran.summary.contains("acr-sign sign"), "{}", ran.summary);

        let gate = Step::gate(&world, host, &root, &ran.outputs["images"]).run();
        assert_eq!(
            (gate.exit, gate.outputs["images"].as_str()),
            (Exit::Done, lines.as_str()),
            "{}",
            gate.log
        );
        assert_eq!(gate.result["message"], "verified 3 images");
    }
}

#[test]
fn p09_a_gate_that_lets_pass_still_says_deny() {
    for host in HOSTS {
        let (world, root) = World::signed();
        let images = format!("{REPOSITORY}:1.0\n{REPOSITORY}:latest");
        let strict = Step::gate(&world, host, &root, &images).run();
        assert_eq!(
            (strict.exit, strict.reasons()),
            (Exit::Rejected, vec!["unsigned".to_owned()]),
            "{}",
            strict.log
        );
        for word in ["error", "none"] {
            let mut step = Step::gate(&world, host, &root, &images);
            step.input("fail-on", word);
            let lax = step.run();
            assert_eq!(
                (lax.exit, lax.outputs["decision"].as_str()),
                (Exit::Done, "deny"),
                "{}",
                lax.log
            );
            assert_eq!(lax.result["decision"], "deny");
            // Only what is allowed.
            assert_eq!(
                lax.outputs["images"],
                format!("{REPOSITORY}:1.0@{}", world.digest("1.0"))
            );
            assert_eq!(
                (
                    lax.outputs["signed-count"].as_str(),
                    lax.outputs["failed-count"].as_str()
                ),
                ("1", "1")
            );
            let warnings: Vec<String> = lax
                .annotations("warning")
                .into_iter()
                .map(|(_, text)| text)
                .collect();
            let switch = format!("{}: {word}", host.spell("fail-on"));
            assert!(
                warnings.iter().any(|text| text.contains(&switch)),
                "{warnings:?}"
            );
            assert!(
                warnings.iter().any(|text| text.contains("unsigned")),
                "{warnings:?}"
            );
            assert!(
                lax.report["weakened"].to_string().contains(&switch),
                "{}",
                lax.report
            );
            assert_eq!(lax.annotations("error"), []);
        }
    }
}

#[test]
fn p09_lax_switches_are_named_aloud() {
    for host in HOSTS {
        let (world, _) = World::initialised();
        let mut step = Step::new(&world, host);
        for (name, value) in [
            ("format", "dct"),
            ("key", "akv:contoso/keys/release"),
            ("trust-on-first-use", "true"),
            ("plain-http", "localhost:5000"),
            ("binary-path", "/somewhere/acr-sign"),
        ] {
            step.input(name, value);
        }
        step.input("images", &format!("{REPOSITORY}:1.0"));
        let ran = step.run();
        assert_eq!(ran.exit, Exit::Done, "{}", ran.log);
        let said = ran
            .annotations("warning")
            .into_iter()
            .map(|(_, text)| text)
            .collect::<Vec<_>>()
            .join("\n");
        for part in [
            "--trust-on-first-use",
            "--plain-http localhost:5000",
            &host.spell("binary-path"),
        ] {
            assert!(said.contains(part), "{part}: {said}");
            assert!(
                ran.report["weakened"].to_string().contains(part),
                "{part}: {}",
                ran.report
            );
        }
        step.input("binary-path", "");
        step.set("ACR_SIGN_BINARY", "/somewhere/acr-sign");
        let ran = step.run();
        assert!(
            ran.report["weakened"]
                .to_string()
                .contains("ACR_SIGN_BINARY"),
            "{}",
            ran.report
        );
    }
}

#[test]
fn a_failed_signing_can_never_end_green() {
    for host in HOSTS {
        let (world, root) = World::initialised();
        let mut step = Step::signing(&world, host, &root);
        step.input("digest", &format!("sha256:{}", "0".repeat(64)));
        let ran = step.run();
        assert_eq!(
            (ran.exit, ran.reasons()),
            (Exit::Rejected, vec!["digest-mismatch".to_owned(); 3]),
            "{}",
            ran.log
        );
        assert_eq!(ran.outputs["decision"], "deny");
        assert_eq!(
            (
                ran.outputs["signed-count"].as_str(),
                ran.outputs["failed-count"].as_str()
            ),
            ("0", "3")
        );
        assert_eq!(ran.outputs["images"], "");
        assert!(!ran.outputs.contains_key("digest"));
        assert_eq!(ran.result["decision"], "deny");
        assert_eq!(world.vault_signatures(), 0);
    }
}

#[test]
fn a_step_that_cannot_start_reports_all_the_same() {
    for host in HOSTS {
        let world = World::new();
        let mut step = Step::new(&world, host);
        step.input("images", &format!("{REPOSITORY}:1.0"));
        for (name, value, reason) in [
            ("command", "sing", "usage"),
            ("concurrency", "many", "usage"),
            ("timeout", "soon", "usage"),
            ("auth", "magic", "usage"),
            ("format", "notary", "usage"),
            ("ca-file", "/does/not/exist", "config-invalid"),
        ] {
            let before = step.variables.clone();
            step.input(name, value);
            let ran = step.run();
            assert_eq!(
                (ran.exit, ran.reasons()),
                (Exit::Usage, vec![reason.to_owned()]),
                "{name}: {}",
                ran.log
            );
            assert_eq!(
                (
                    ran.outputs["decision"].as_str(),
                    ran.report["error"]["reason"].as_str()
                ),
                ("deny", Some(reason))
            );
            assert!(
                ran.log.contains(value) && ran.summary.contains(reason),
                "{name}: {}",
                ran.log
            );
            assert!(
                !ran.log.contains("`--"),
                "a step has inputs, not flags: {}",
                ran.log
            );
            step.variables = before;
        }
        assert_eq!(world.sandbox.log().len(), 0);
    }
}

#[test]
fn outside_of_a_pipeline_there_is_no_step() {
    let world = World::new();
    let outcome = world.run("ci");
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Usage, vec!["usage"]),
        "{}",
        outcome.stderr
    );
}

#[test]
fn without_an_identity_one_line_says_what_to_change() {
    let (world, root) = World::initialised();
    let fork = serde_json::json!({
        "repository": {"full_name": "org/shop"}, "pull_request": {"head": {"repo": {"full_name": "someone/shop"}}},
    });
    let own = serde_json::json!({
        "repository": {"full_name": "org/shop"}, "pull_request": {"head": {"repo": {"full_name": "org/shop"}}},
    });
    let github = |event: &serde_json::Value, keep_token: bool| {
        let mut step = Step::signing(&world, Host::GitHub, &root);
        step.variables
            .retain(|name, _| keep_token || !name.starts_with("ACTIONS_ID_TOKEN"));
        step.variables.retain(|name, _| !name.starts_with("AZURE_"));
        step.set("RUNNER_ENVIRONMENT", "github-hosted");
        let path = step.path("event.json");
        std::fs::write(&path, event.to_string()).unwrap();
        step.set("GITHUB_EVENT_NAME", "pull_request");
        step.set("GITHUB_EVENT_PATH", &path.display().to_string());
        step.run()
    };
    let mut azure = Step::signing(&world, Host::Azure, &root);
    azure.input("azure-subscription", "");
    azure.set("AGENT_ISSELFHOSTED", "0");
    for (ran, part) in [
        (
            github(&fork, false),
            "a pull request from a fork gets no ID token",
        ),
        (github(&own, false), "`permissions: id-token: write`"),
        (github(&own, true), "set `client-id` and `tenant-id`"),
        (azure.run(), "set `azureSubscription`"),
    ] {
        assert_eq!(
            (ran.exit, ran.reasons()),
            (Exit::Usage, vec!["identity-unavailable".to_owned()]),
            "{}",
            ran.log
        );
        let message = &ran.annotations("error")[0].1;
        assert!(message.contains(part), "{message}");
        assert!(
            ran.report["error"]["hint"].as_str().unwrap().contains(part),
            "{}",
            ran.report
        );
    }
    assert_eq!(world.vault_signatures(), 0);
}

#[test]
fn manifests_are_annotated_at_their_lines_and_pinned() {
    for host in HOSTS {
        let (world, root) = World::signed();
        world
            .sandbox
            .registry()
            .push_image("shop/web", "unsigned", "other");
        let digest = world.digest("1.0");
        let mut step = Step::gate(&world, host, &root, "");
        let pod = |tag: &str| {
            format!(
                "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - image: {REPOSITORY}:1.0\n  - image: {REPOSITORY}:{tag}\n"
            )
        };
        let manifest = step.path("pod.yaml");
        let sarif = step.path("result.sarif").display().to_string();
        std::fs::write(&manifest, pod("unsigned")).unwrap();
        let named = manifest.display().to_string();
        step.input("manifests", &named);
        step.input("pin", "true");
        step.input("sarif", &sarif);
        let denied = step.run();
        assert_eq!(
            (denied.exit, denied.reasons()),
            (Exit::Rejected, vec!["unsigned".to_owned()]),
            "{}",
            denied.log
        );
        assert_eq!(std::fs::read_to_string(&manifest).unwrap(), pod("unsigned"));
        assert_eq!(denied.outputs["sarif-path"], sarif);
        assert!(
            std::fs::read_to_string(&sarif)
                .unwrap()
                .contains("\"startLine\": 6")
        );
        let place = |command: &super::parse::Command| match host {
            Host::GitHub => ["file", "line", "col"].map(|name| command.property(name).to_owned()),
            Host::Azure => ["sourcepath", "linenumber", "columnnumber"]
                .map(|name| command.property(name).to_owned()),
        };
        let expected = [named.clone(), "6".to_owned(), "12".to_owned()];
        assert!(
            denied
                .commands
                .iter()
                .any(|command| place(command) == expected),
            "{}",
            denied.log
        );

        std::fs::write(&manifest, pod("1.0")).unwrap();
        let allowed = step.run();
        assert_eq!(allowed.exit, Exit::Done, "{}", allowed.log);
        assert!(
            allowed.log.contains(&format!("pinned {named}")),
            "{}",
            allowed.log
        );
        assert_eq!(
            std::fs::read_to_string(&manifest).unwrap(),
            pod("1.0").replace(":1.0", &format!(":1.0@{digest}"))
        );
        assert_eq!(
            (
                allowed.report["source"].as_str(),
                allowed.outputs["decision"].as_str()
            ),
            (Some("manifests"), "allow")
        );

        step.input("images", &format!("{REPOSITORY}:1.0"));
        assert_eq!(step.run().exit, Exit::Usage);
    }
}

#[test]
fn an_exempt_image_is_an_output_as_named_and_is_not_counted_as_signed() {
    for host in HOSTS {
        let (world, root) = World::signed();
        let policy = world.write(
            "policy.yaml",
            &format!(
                "version: 1\nverify:\n  - images: [{REPOSITORY}]\n    require: [{{ dct: {{ roots: [\"{root}\"] }} }}]\n  - \
                 images: [docker.io/library/alpine]\n    exempt: {{ reason: vendor, until: 2999-12-31 }}\n"
            ),
        );
        let mut step = Step::new(&world, host);
        step.input("command", "verify");
        step.input("policy", &policy);
        step.input("images", &format!("alpine:3\n{REPOSITORY}:1.0"));
        let ran = step.run();
        assert_eq!(ran.exit, Exit::Done, "{}", ran.log);
        assert_eq!(
            ran.outputs["images"],
            format!(
                "docker.io/library/alpine:3\n{REPOSITORY}:1.0@{}",
                world.digest("1.0")
            )
        );
        assert_eq!(
            (
                ran.outputs["signed-count"].as_str(),
                ran.outputs["failed-count"].as_str()
            ),
            ("1", "0")
        );
        assert_eq!(ran.outputs["digest"], world.digest("1.0"));
    }
}

#[test]
fn p13_names_for_keys_come_from_the_file_that_is_named_and_from_no_other() {
    for host in HOSTS {
        let (world, root) = World::signed();
        let keys = "version: 1\nkeys: { release: akv:contoso/keys/release }\n";
        world.write("acr-sign.yaml", keys);
        let mut step = Step::gate(&world, host, &root, &format!("{REPOSITORY}:1.0"));
        step.input("key", "release");
        let found = step.run();
        assert_eq!(found.exit, Exit::Usage, "{}", found.log);
        assert!(
            found.log.contains("gives this name to a key"),
            "{}",
            found.log
        );
        step.input("config", &world.write("named.yaml", keys));
        let named = step.run();
        assert_eq!(named.exit, Exit::Done, "{}", named.log);

        // Without trust among the inputs the named file is the policy.
        let rule = format!(
            "verify: [ {{ images: [\"**\"], require: [ {{ dct: {{ roots: [\"{root}\"] }} }} ] }} ]\n"
        );
        let mut step = Step::new(&world, host);
        step.input("command", "verify");
        step.input("images", &format!("{REPOSITORY}:1.0"));
        world.write("acr-sign.yaml", &format!("{keys}{rule}"));
        assert_eq!(step.run().exit, Exit::Usage);
        step.input(
            "config",
            &world.write("named.yaml", &format!("{keys}{rule}")),
        );
        let policy = step.run();
        assert_eq!(policy.exit, Exit::Done, "{}", policy.log);

        let mut step = Step::new(&world, host);
        step.input("images", &format!("{REPOSITORY}:1"));
        let sign = format!("{keys}sign: {{ formats: [dct], key: release, root: [\"{root}\"] }}\n");
        step.input("config", &world.write("named.yaml", &sign));
        let signed = step.run();
        assert_eq!(signed.exit, Exit::Done, "{}", signed.log);
        assert_eq!(signed.outputs["signed-count"], "1");
    }
}

#[test]
fn a_gate_with_state_remembers_from_step_to_step() {
    for host in HOSTS {
        let (world, root) = World::signed();
        let image = format!("{REPOSITORY}:1.0@{}", world.digest("1.0"));
        let past = world.sandbox.trust().keep();
        assert_eq!(world.sign(&["1"], &root).exit, Exit::Done);
        let mut step = Step::gate(&world, host, &root, &image);
        let forgetful = step.run();
        assert_eq!(forgetful.exit, Exit::Done, "{}", forgetful.log);
        let note = "no state is kept between runs";
        assert!(
            forgetful.log.contains(&format!("note: {note}")),
            "{}",
            forgetful.log
        );
        assert!(
            forgetful.summary.contains(&format!("Note: {note}")),
            "{}",
            forgetful.summary
        );
        assert_eq!(forgetful.annotations("warning"), [], "{host:?}");
        assert!(forgetful.report.get("state").is_none());

        let state = step.path("memory/state.json").display().to_string();
        step.input("state", &state);
        let first = step.run();
        assert_eq!(first.exit, Exit::Done, "{}", first.log);
        assert_eq!(
            first.report["state"],
            json!({"file": state, "repositories": 0})
        );
        past(world.sandbox.trust());
        let second = step.run();
        assert_eq!(
            (second.exit, second.reasons()),
            (Exit::Rejected, vec!["rollback".to_owned()]),
            "{}",
            second.log
        );
        assert_eq!(
            second.report["state"],
            json!({"file": state, "repositories": 1})
        );
        assert!(
            second
                .summary
                .contains("remembers 1 repository from earlier runs"),
            "{}",
            second.summary
        );
        assert_eq!(second.outputs["decision"], "deny");
    }
}

#[test]
fn a_step_pins_into_another_file() {
    for host in HOSTS {
        let (world, root) = World::signed();
        let manifest = world.write(
            "pod.yaml",
            &format!(
                "kind: Pod\napiVersion: v1\nspec:\n  containers:\n    - image: {REPOSITORY}:1.0\n"
            ),
        );
        let mut step = Step::gate(&world, host, &root, "");
        let pinned = step.path("pinned.yaml");
        step.input("manifests", &manifest);
        step.input("pin-to", &pinned.display().to_string());
        let ran = step.run();
        assert_eq!(ran.exit, Exit::Done, "{}", ran.log);
        let written = std::fs::read_to_string(&pinned).unwrap();
        assert!(
            written.contains(&format!("{REPOSITORY}:1.0@{}", world.digest("1.0"))),
            "{written}"
        );
    }
}
