//! `verify --policy`: what a policy allows and denies, end to end.

use acr_sandbox::Service;
use acr_sign::Exit;

use crate::world::{REPOSITORY, World};

/// A policy whose only rule is about every image.
fn policy(rule: &str) -> String {
    format!("version: 1\nverify:\n  - images: [\"**\"]\n    {rule}\n")
}

fn dct(root: &str, more: &str) -> String {
    policy(&format!(
        "require: [ {{ dct: {{ roots: [\"{root}\"]{more} }} }} ]"
    ))
}

#[test]
fn g13_the_name_that_a_rule_is_found_by_is_the_one_that_is_printed() {
    let world = World::new();
    let rule = |images: &str, until: &str| {
        format!("  - images: [\"{images}\"]\n    exempt: {{ reason: vendor, until: {until} }}\n")
    };
    let (ended, open) = (
        rule("docker.io/library/*", "2020-01-01"),
        rule("docker.io/**", "2999-12-31"),
    );
    let policy = world.write(
        "policy.yaml",
        &format!(
            "version: 1\nverify:\n{ended}{open}{}",
            rule("**", "2999-12-31")
        ),
    );
    for name in [
        "alpine",
        "docker.io/alpine",
        "Docker.io/alpine",
        "index.docker.io/alpine",
        "Index.Docker.IO/alpine",
    ] {
        let outcome = world.run(&format!("verify {name}:1 --policy {policy}"));
        assert_eq!(
            (outcome.exit, outcome.reasons()),
            (Exit::Rejected, vec!["exemption-ended"]),
            "{name}"
        );
        assert!(
            outcome.stderr.contains("docker.io/library/alpine:1"),
            "{name}: {}",
            outcome.stderr
        );
        assert_eq!(outcome.stdout, "", "{name}");
    }
}

#[test]
fn g13_the_default_port_is_no_way_around_a_rule() {
    let world = World::new();
    let exempt = "exempt: { reason: vendor, until: 2999-12-31 }";
    let strict = format!(
        "require: [ {{ dct: {{ roots: [\"{}\"] }} }} ]",
        "0".repeat(64)
    );
    let rules = |first: &str, rest: &str| {
        format!(
            "version: 1\nverify:\n  - images: [\"{first}\"]\n    {strict}\n  - images: [\"**\"]\n    {rest}\n"
        )
    };
    // What is signed by nobody must not pass as something else than it is.
    let policy = world.write("policy.yaml", &rules("contoso.azurecr.io/shop/**", exempt));
    let pod = "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n    - image: contoso.azurecr.io:443/shop/web:1.0\n";
    let pod = world.write("pod.yaml", pod);
    for name in [
        "contoso.azurecr.io:443/shop/web:1.0",
        "Contoso.AzureCR.io:443/shop/web",
        "docker.io:443/alpine",
    ] {
        let outcome = world.run(&format!("verify {name} --policy {policy}"));
        assert_eq!(
            (outcome.exit, outcome.reasons()),
            (Exit::Usage, vec!["usage"]),
            "{name}: {}",
            outcome.stderr
        );
        assert!(
            outcome
                .stderr
                .contains("which is the default for https: write `"),
            "{}",
            outcome.stderr
        );
        assert_eq!(outcome.stdout, "", "{name}");
    }
    for plain in [
        "",
        " --plain-http contoso.azurecr.io",
        " --plain-http contoso.azurecr.io:443",
    ] {
        let outcome = world.run(&format!(
            "verify --manifests {pod} --policy {policy}{plain}"
        ));
        assert_eq!(
            (outcome.exit, outcome.reasons()),
            (Exit::Usage, vec!["manifest-invalid"]),
            "{}",
            outcome.stderr
        );
        assert!(
            outcome.stderr.contains("line 5, column 14"),
            "{}",
            outcome.stderr
        );
        assert!(
            outcome
                .stderr
                .contains("write `contoso.azurecr.io` without it"),
            "{}",
            outcome.stderr
        );
    }
    // A rule that would be about no image is a mistake, and so is a scope of notation's own policy.
    for pattern in [
        "contoso.azurecr.io:443/shop/**",
        "contoso.azurecr.io:443/shop/web",
    ] {
        let policy = world.write("policy.yaml", &rules(pattern, exempt));
        let outcome = world.run(&format!("verify {REPOSITORY}:1.0 --policy {policy}"));
        assert_eq!(
            (outcome.exit, outcome.reasons()),
            (Exit::Usage, vec!["policy-invalid"]),
            "{}",
            outcome.stderr
        );
        assert!(
            outcome.stderr.contains("policy.yaml:3:14: "),
            "{}",
            outcome.stderr
        );
    }
    let statements = serde_json::json!({"version": "1.0", "trustPolicies": [
        {"name": "prod", "registryScopes": ["contoso.azurecr.io:443/shop/web"],
         "signatureVerification": {"level": "strict"}, "trustStores": ["ca:own"], "trustedIdentities": ["*"]},
        {"name": "rest", "registryScopes": ["*"], "signatureVerification": {"level": "skip"}},
    ]});
    let own = world.write("trust.json", &statements.to_string());
    let line = format!(
        "--trust-policy {own} --trust-store {}",
        world.folder.path().display()
    );
    let outcome = world.run(&format!("verify {REPOSITORY}:1.0 --format notation {line}"));
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Usage, vec!["policy-invalid"]),
        "{}",
        outcome.stderr
    );
    assert!(
        outcome
            .stderr
            .contains("write `contoso.azurecr.io/shop/web`"),
        "{}",
        outcome.stderr
    );
    assert_eq!(world.sandbox.log().len(), 0);
}

#[test]
fn a_policy_allows_what_holds_and_denies_what_does_not() {
    let (world, root) = World::initialised();
    assert_eq!(world.sign(&["1.0"], &root).exit, Exit::Done);
    world
        .sandbox
        .registry()
        .push_image("shop/web", "unsigned", "other");
    let other = "0".repeat(64);
    let both = |first: &str, second: &str| format!("{{ dct: {first} }}, {{ dct: {second} }}");
    let good = format!("{{ roots: [\"{root}\"] }}");
    let bad = format!("{{ roots: [\"{other}\"] }}");
    let missing = format!("{{ roots: [\"{root}\"], signers: [nobody] }}");
    for (text, tag, exit, reasons) in [
        (dct(&root, ""), "1.0", Exit::Done, vec![]),
        (
            dct(&root, ", signers: [release, releases]"),
            "1.0",
            Exit::Done,
            vec![],
        ),
        (
            dct(
                &root,
                ", minimum-versions: { root: 1, targets/releases: 1, targets/release: 1 }",
            ),
            "1.0",
            Exit::Done,
            vec![],
        ),
        (dct(&root, ""), "unsigned", Exit::Rejected, vec!["unsigned"]),
        (
            dct(&other, ""),
            "1.0",
            Exit::Rejected,
            vec!["untrusted-root"],
        ),
        (
            dct(&root, ", signers: [nobody]"),
            "1.0",
            Exit::Rejected,
            vec!["unsigned"],
        ),
        (
            dct(&root, ", minimum-versions: { targets/releases: 2 }"),
            "1.0",
            Exit::Rejected,
            vec!["rollback"],
        ),
        (
            dct(&root, ", minimum-versions: { timestamp: 99 }"),
            "1.0",
            Exit::Rejected,
            vec!["rollback"],
        ),
        (
            dct(&root, ", minimum-versions: { targets/nobody: 1 }"),
            "1.0",
            Exit::Rejected,
            vec!["unsigned"],
        ),
        (
            policy(&format!("require: [ {} ]", both(&good, &bad))),
            "1.0",
            Exit::Rejected,
            vec!["untrusted-root"],
        ),
        // The wrong root says more than the missing signer.
        (
            policy(&format!("require: [ {} ]", both(&missing, &bad))),
            "1.0",
            Exit::Rejected,
            vec!["untrusted-root"],
        ),
        (
            policy(&format!(
                "require: [ {{ any: [ {} ] }} ]",
                both(&bad, &good)
            )),
            "1.0",
            Exit::Done,
            vec![],
        ),
        (
            policy(&format!(
                "require: [ {{ any: [ {} ] }} ]",
                both(&bad, &missing)
            )),
            "1.0",
            Exit::Rejected,
            vec!["untrusted-root"],
        ),
        (
            policy(&format!(
                "require: [ {{ at-least: 1, of: [ {} ] }} ]",
                both(&bad, &good)
            )),
            "1.0",
            Exit::Done,
            vec![],
        ),
        // Both hold, by one and the same key.
        (
            policy(&format!(
                "require: [ {{ at-least: 2, of: [ {} ] }} ]",
                both(&good, &good)
            )),
            "1.0",
            Exit::Rejected,
            vec!["threshold-not-met"],
        ),
        (
            policy("exempt: { reason: vendor, until: 2999-12-31 }"),
            "unsigned",
            Exit::Done,
            vec![],
        ),
        (
            policy("exempt: { reason: vendor, until: 2020-12-31 }"),
            "1.0",
            Exit::Rejected,
            vec!["exemption-ended"],
        ),
        (
            dct(&root, "").replace("\"**\"", "contoso.azurecr.io/other/**"),
            "1.0",
            Exit::Rejected,
            vec!["no-rule"],
        ),
    ] {
        let file = world.write("policy.yaml", &text);
        let outcome = world.run(&format!("verify {REPOSITORY}:{tag} --policy {file}"));
        assert_eq!(
            (outcome.exit, outcome.reasons()),
            (exit, reasons),
            "{text}\n{}",
            outcome.stderr
        );
        assert_eq!(outcome.stdout.is_empty(), exit != Exit::Done, "{text}");
    }
    let two = world.write(
        "policy.yaml",
        &policy(&format!("require: [ {} ]", both(&missing, &bad))),
    );
    let outcome = world.run(&format!("verify {REPOSITORY}:1.0 --policy {two}"));
    assert!(
        outcome
            .stderr
            .contains("1 more of the rule's 2 requirements fail"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn an_image_that_no_rule_is_about_is_denied_without_a_request() {
    let (world, root) = World::initialised();
    let file = world.write(
        "policy.yaml",
        &dct(&root, "").replace("\"**\"", "contoso.azurecr.io/other/**"),
    );
    let outcome = world.run(&format!("verify {REPOSITORY}:1.0 --policy {file}"));
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Rejected, vec!["no-rule"])
    );
    let ended = policy("exempt: { reason: vendor, until: 2020-12-31 }");
    let file = world.write("policy.yaml", &ended);
    let outcome = world.run(&format!("verify {REPOSITORY}:1.0 --policy {file}"));
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Rejected, vec!["exemption-ended"])
    );
    assert_eq!(world.sandbox.log().len(), 0);
}

#[test]
fn an_exempt_image_is_not_looked_at_and_said_loudly() {
    let world = World::new();
    let file = world.write(
        "policy.yaml",
        &policy("exempt: { reason: vendor base, until: 2999-12-31 }"),
    );
    let outcome = world.run(&format!(
        "verify alpine:3.20 {REPOSITORY}:none --policy {file}"
    ));
    assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
    assert_eq!(
        outcome.stdout,
        format!("docker.io/library/alpine:3.20\n{REPOSITORY}:none\n")
    );
    assert!(
        outcome
            .stderr
            .contains("exempt until 2999-12-31 (vendor base)"),
        "{}",
        outcome.stderr
    );
    assert_eq!(world.sandbox.log().len(), 0);
    let json = world
        .run(&format!("verify alpine:3.20 --policy {file} --output json"))
        .json();
    assert_eq!(json["decision"], "allow");
    assert_eq!(json["images"][0]["status"], "exempt");
    assert_eq!(json["images"][0]["rule"]["location"]["line"], 3);
    assert_eq!(json["config"], file.as_str());
}

#[test]
fn p09_an_exemption_without_a_near_end_is_told() {
    let world = World::new();
    let day = |ahead: i64| {
        (time::OffsetDateTime::now_utc() + time::Duration::days(ahead))
            .date()
            .to_string()
    };
    for (until, told) in [
        ("9999-12-31".to_owned(), true),
        (day(367), true),
        (day(365), false),
    ] {
        let file = world.write(
            "policy.yaml",
            &policy(&format!("exempt: {{ reason: vendor, until: {until} }}")),
        );
        let report = world.run(&format!(
            "verify alpine:1 alpine:2 busybox --policy {file} --output json"
        ));
        assert_eq!(report.exit, Exit::Done, "{}", report.stderr);
        let warnings = report.json()["warnings"].as_array().unwrap().clone();
        let long = format!("rule 1: its exemption expires only after {until}, in ");
        let said = warnings
            .iter()
            .filter(|warning| warning.as_str().unwrap().starts_with(&long))
            .count();
        // Once for the rule, beside one warning for each image.
        assert_eq!(
            (said, warnings.len()),
            (usize::from(told), 3 + usize::from(told)),
            "{warnings:?}"
        );
    }
}

#[test]
fn p13_trust_flags_are_not_widened_by_a_found_file() {
    let (world, root) = World::initialised();
    let line = format!("verify {REPOSITORY}:1.0 --format dct --root {root}");
    for found in [
        policy("exempt: { reason: everything, until: 2999-12-31 }"),
        "no policy at all".to_owned(),
    ] {
        world.write("acr-sign.yaml", &found);
        let outcome = world.run(&line);
        assert_eq!(
            (outcome.exit, outcome.reasons()),
            (Exit::Rejected, vec!["unsigned"]),
            "{}",
            outcome.stderr
        );
    }
    let both = world.run(&format!(
        "{line} --policy {}/acr-sign.yaml",
        world.folder.path().display()
    ));
    assert_eq!((both.exit, both.reasons()), (Exit::Usage, vec!["usage"]));
}

#[test]
fn a_found_file_is_the_policy_when_nothing_else_is_and_is_named() {
    let (world, root) = World::initialised();
    assert_eq!(world.sign(&["1.0"], &root).exit, Exit::Done);
    let nothing = world.run(&format!("verify {REPOSITORY}:1.0"));
    assert_eq!(
        (nothing.exit, nothing.reasons()),
        (Exit::Usage, vec!["policy-missing"]),
        "{}",
        nothing.stderr
    );
    let file = world.write("acr-sign.yaml", &dct(&root, ""));
    let outcome = world.run(&format!("verify {REPOSITORY}:1.0 --output json"));
    assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
    assert_eq!(outcome.json()["config"], file.as_str());
    world.write("acr-sign.yaml", "version: 1\nsign: { formats: [dct] }\n");
    let without = world.run(&format!("verify {REPOSITORY}:1.0"));
    assert_eq!(
        (without.exit, without.reasons()),
        (Exit::Usage, vec!["policy-missing"]),
        "{}",
        without.stderr
    );
}

#[test]
fn p08_what_is_wrong_with_the_set_up_is_never_an_allow() {
    let (world, root) = World::initialised();
    assert_eq!(world.sign(&["1.0"], &root).exit, Exit::Done);
    let folder = world.folder.path().display().to_string();
    world.write("bad.yaml", "version: 1\nverify: [ { images: [\"**\"] } ]\n");
    world.write(
        "ca.yaml",
        &policy("require: [ { dct: { root-ca: none.pem } } ]"),
    );
    world.write("text.pem", "no certificate");
    world.write(
        "text.yaml",
        &policy("require: [ { any: [ { dct: { trust-on-first-use: true } }, { dct: { root-ca: text.pem } } ] } ]"),
    );
    world.write(
        "cosign.yaml",
        &policy(&format!(
            "require: [ {{ any: [ {{ dct: {{ roots: [\"{root}\"] }} }}, {{ cosign: {{ keys: [a] }} }} ] }} ]"
        )),
    );
    std::fs::write(world.folder.path().join("binary.yaml"), [0xff, 0xfe, 0]).unwrap();
    world.write("good.yaml", &dct(&root, ""));
    world.sandbox.clear_log();
    for (file, image, reason) in [
        ("none.yaml", REPOSITORY, "policy-missing"),
        ("", REPOSITORY, "config-invalid"),
        ("bad.yaml", REPOSITORY, "policy-invalid"),
        ("binary.yaml", REPOSITORY, "policy-invalid"),
        ("ca.yaml", REPOSITORY, "config-invalid"),
        ("text.yaml", REPOSITORY, "config-invalid"),
        ("cosign.yaml", REPOSITORY, "policy-invalid"),
        ("good.yaml", "", "no-images"),
    ] {
        let image = if image.is_empty() {
            String::new()
        } else {
            format!("{image}:1.0")
        };
        let outcome = world.run(&format!("verify {image} --policy {folder}/{file}"));
        assert_eq!(
            (outcome.exit, outcome.reasons()),
            (Exit::Usage, vec![reason]),
            "{file}: {}",
            outcome.stderr
        );
        assert_eq!(outcome.stdout, "", "{file}");
    }
    assert_eq!(
        world.sandbox.count(Service::Registry) + world.sandbox.count(Service::TrustServer),
        0
    );
    let bad = world.run(&format!(
        "verify {REPOSITORY}:1.0 --policy {folder}/bad.yaml"
    ));
    assert!(bad.stderr.contains("bad.yaml:2:"), "{}", bad.stderr);
}

#[test]
fn what_is_named_twice_is_asked_for_once() {
    let (world, root) = World::initialised();
    assert_eq!(world.sign(&["1.0"], &root).exit, Exit::Done);
    let (wrong, right) = (
        format!("dct: {{ roots: [\"{}\"] }}", "0".repeat(64)),
        format!("dct: {{ roots: [\"{root}\"] }}"),
    );
    let file = world.write(
        "policy.yaml",
        &policy(&format!(
            "require: [ {{ any: [ {{ {wrong} }}, {{ {right} }} ] }} ]"
        )),
    );
    world.sandbox.clear_log();
    let outcome = world.run(&format!(
        "verify {REPOSITORY}:1.0 {REPOSITORY}:1.0 --policy {file}"
    ));
    assert_eq!(
        (outcome.exit, outcome.stdout.lines().count()),
        (Exit::Done, 1),
        "{}",
        outcome.stderr
    );
    // The image, and each file of the trust data, under whatever root it is judged.
    for service in [Service::Registry, Service::TrustServer] {
        let mut asked: Vec<String> = world
            .answered(service)
            .into_iter()
            .map(|entry| entry.path)
            .collect();
        asked.retain(|path| !path.starts_with("/oauth2/"));
        let all = asked.len();
        asked.sort();
        asked.dedup();
        assert_eq!((all > 0, asked.len()), (true, all), "{asked:?}");
    }
}
