//! `policy check` where a rule refers to notation's own trust policy: which statement is about an image, and whether it
//! can let it pass at all; held against what the gate says.

use acr_sign::Exit;
use serde_json::{Value, json};

use super::{
    check::{ROOT, shown},
    signer::Signer,
};
use crate::{snapshot::snapshot, world::World};

const HOST: &str = "contoso.azurecr.io";

/// A statement about these repositories.
fn statement(name: &str, scopes: &[&str], verification: &Value) -> Value {
    let scope = |scope: &&str| {
        if *scope == "*" {
            "*".to_owned()
        } else {
            format!("{HOST}/{scope}")
        }
    };
    let scopes: Vec<String> = scopes.iter().map(scope).collect();
    let mut statement =
        json!({"name": name, "registryScopes": scopes, "signatureVerification": verification});
    if verification["level"] != "skip" {
        statement["trustStores"] = json!(["ca:own"]);
        statement["trustedIdentities"] = json!(["*"]);
    }
    statement
}

/// A policy whose rules refer to notation's own, which has these statements.
fn policy(world: &World, statements: &[Value]) -> String {
    let store = world.folder.path().join("store/x509/ca/own");
    std::fs::create_dir_all(&store).unwrap();
    std::fs::write(store.join("root.pem"), Signer::under_a_ca(&[]).root_pem).unwrap();
    world.write(
        "trust.json",
        &json!({"version": "1.0", "trustPolicies": statements}).to_string(),
    );
    let own = |more: &str| {
        format!("{{ notation: {{ trust-policy: trust.json, trust-store: store{more} }} }}")
    };
    let dct = format!("{{ dct: {{ roots: [\"{ROOT}\"] }} }}");
    let rule = |images: &str, members: String| {
        format!("  - images: [\"{HOST}/{images}\"]\n    require: [ {members} ]\n")
    };
    let rules = [
        rule("any/*", format!("{{ any: [ {}, {dct} ] }}", own(""))),
        rule("both/*", format!("{}, {dct}", own(""))),
        rule("marked/*", own(", metadata: { branch: main }")),
        rule("**", own("")),
    ];
    world.write(
        "acr-sign.yaml",
        &format!("version: 1\nverify:\n{}", rules.concat()),
    )
}

#[test]
fn the_statement_of_notations_own_policy_is_named_and_what_it_never_lets_pass() {
    let world = World::new();
    let level = |level: &str| json!({"level": level});
    let logged = json!({"level": "strict", "override": {"authenticity": "log"}});
    let named = [
        statement("prod", &["strict"], &level("strict")),
        statement("seen", &["audit"], &level("audit")),
        statement("own", &["logged"], &logged),
    ];
    let everything = [
        named.as_slice(),
        &[statement("rest", &["*"], &level("skip"))],
    ]
    .concat();
    let mut text = String::new();
    for (statements, images, expected) in [
        (
            everything.as_slice(),
            [
                "strict",
                "audit",
                "logged",
                "any/rest",
                "rest",
                "both/rest",
                "marked/rest",
            ]
            .as_slice(),
            [
                None,
                None,
                None,
                None,
                Some("untrusted-key"),
                Some("untrusted-key"),
                Some("metadata-mismatch"),
            ]
            .as_slice(),
        ),
        (
            &named,
            &["strict", "any/rest", "rest", "marked/rest"],
            &[None, None, Some("no-rule"), Some("no-rule")],
        ),
    ] {
        let file = policy(&world, statements);
        let line: Vec<String> = images
            .iter()
            .map(|image| format!("{HOST}/{image}"))
            .collect();
        let outcome = world.run(&format!("policy check {}", line.join(" ")));
        let reasons: Vec<&str> = expected.iter().copied().flatten().collect();
        assert_eq!(
            (outcome.exit, outcome.reasons()),
            (Exit::Rejected, reasons),
            "{}",
            outcome.stderr
        );
        assert_eq!(world.sandbox.log().len(), 0);
        text.push_str(&format!(
            "$ policy check {}\n{}\n",
            line.join(" "),
            shown(&world, &outcome)
        ));
        let json = world
            .run(&format!("policy check {} --output json", line.join(" ")))
            .json();
        for ((image, reason), told) in images
            .iter()
            .zip(expected)
            .zip(json["images"].as_array().unwrap())
        {
            assert_eq!(
                told["answer"],
                if reason.is_some() { "deny" } else { "require" },
                "{image}"
            );
            assert_eq!(told["reason"].as_str(), *reason, "{image}");
            let statement = &told["statements"][0];
            assert_eq!(statement["trustPolicy"], "trust.json", "{image}");
            let (scope, level) = match (*image, statement["name"].as_str()) {
                (_, None) => (Value::Null, Value::Null),
                (_, Some("rest")) => (json!("*"), json!("skip")),
                ("logged", _) => (json!(format!("{HOST}/logged")), json!("custom")),
                (own, _) => (json!(format!("{HOST}/{own}")), json!(own)),
            };
            assert_eq!(
                (&statement["scope"], &statement["level"]),
                (&scope, &level),
                "{image}"
            );
            // The gate, which asks, comes to the same.
            world.sandbox.registry().push_image(image, "latest", image);
            let verdict = world.run(&format!("verify {HOST}/{image} --policy {file}"));
            assert_eq!(verdict.exit, Exit::Rejected, "{image}: {}", verdict.stderr);
            assert!(
                reason.is_none_or(|reason| verdict.reasons() == [reason]),
                "{image}: {}",
                verdict.stderr
            );
        }
        world.sandbox.clear_log();
    }
    snapshot("policy/statements.txt", &text);
}
