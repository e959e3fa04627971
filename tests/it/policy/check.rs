//! `policy check`: what is said about a policy, its rules and images, without asking anybody.

use std::{collections::BTreeMap, path::Path};

use acr_sign::Exit;

use crate::{
    snapshot::snapshot,
    world::{Outcome, World},
};

pub const ROOT: &str = "6f1c0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f";
const OTHER: &str = "0f6c0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f";

/// Every kind of rule.
const POLICY: &str = r#"version: 1
verify:
  - images: ["contoso.azurecr.io/base/*"]
    exempt: { reason: "built elsewhere", until: UNTIL }
  - images: ["contoso.azurecr.io/prod/**", "contoso.azurecr.io/web"]
    require:
      - dct: { roots: ["ROOT", "OTHER"], signers: [alice, targets], minimum-versions: { root: 3 } }
      - any:
          - dct: { roots: ["ROOT"], signers: [bob] }
          - at-least: 2
            of:
              - dct: { roots: ["ROOT"], signers: [carol] }
              - [ { dct: { roots: ["OTHER"] } }, { dct: { roots: ["ROOT"], signers: [dave] } } ]
  - images: ["docker.io/library/alpine"]
    exempt: { reason: "vendor base", until: 2020-06-30 }
"#;

fn policy() -> String {
    POLICY
        .replace("ROOT", ROOT)
        .replace("OTHER", OTHER)
        .replace("UNTIL", &until())
}

/// A day that is neither near nor far.
fn until() -> String {
    (time::OffsetDateTime::now_utc() + time::Duration::days(200))
        .date()
        .to_string()
}

/// What was printed, with the folder of the run taken out, and the days that are left.
pub fn shown(world: &World, outcome: &Outcome) -> String {
    let folder = format!("{}/", world.folder.path().display());
    let days = |line: &str| match line.split_once(" more days") {
        Some((before, after)) => {
            let before = before.trim_end_matches(|c: char| c.is_ascii_digit());
            format!("{before}N more days{after}")
        }
        None => line.to_owned(),
    };
    let one = |text: &str| {
        text.replace(&folder, "")
            .replace(&until(), "UNTIL")
            .lines()
            .map(|line| days(line) + "\n")
            .collect::<String>()
    };
    format!(
        "{}---\n{}=== exit {}\n",
        one(&outcome.stdout),
        one(&outcome.stderr),
        outcome.exit.code()
    )
}

/// A policy with one rule about `images`, as the text of a list.
fn rule(images: &str, demand: &str) -> String {
    format!("version: 1\nverify:\n  - images: [{images}]\n    {demand}\n")
}

fn dct(members: &str) -> String {
    format!("require: [ {{ dct: {{ {members} }} }} ]")
}

#[test]
fn every_answer_is_explained() {
    let world = World::new();
    world.write("acr-sign.yaml", &policy());
    world.write(
        "web.yaml",
        "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n    - image: contoso.azurecr.io/web:1\n    - image: \
         contoso.azurecr.io/prod/a/b@sha256:0000000000000000000000000000000000000000000000000000000000000000\n",
    );
    let folder = world.folder.path().display();
    let mut text = String::new();
    for (line, exit) in [
        ("policy check", Exit::Done),
        (
            "policy check contoso.azurecr.io/prod/web:1.0 contoso.azurecr.io/base/jdk",
            Exit::Done,
        ),
        (
            "policy check alpine:3 contoso.azurecr.io/base/jdk/17",
            Exit::Rejected,
        ),
        (
            "policy check contoso.azurecr.io/web busybox --quiet",
            Exit::Rejected,
        ),
        (
            &format!("policy check --manifests {folder}/web.yaml"),
            Exit::Done,
        ),
        ("policy check ../../etc/passwd", Exit::Usage),
    ] {
        let outcome = world.run(line);
        assert_eq!(outcome.exit, exit, "{line}: {}", outcome.stderr);
        text.push_str(&format!(
            "$ {}\n{}\n",
            line.replace(&format!("{folder}/"), ""),
            shown(&world, &outcome)
        ));
    }
    snapshot("policy/check.txt", &text);
    assert_eq!(world.sandbox.log().len(), 0);
}

#[test]
fn programs_read_the_same() {
    let world = World::new();
    let file = world.write("acr-sign.yaml", &policy());
    let outcome =
        world.run("policy check contoso.azurecr.io/prod/web:1.0 alpine contoso.azurecr.io/base/x none --output json");
    assert_eq!(outcome.exit, Exit::Rejected);
    assert_eq!(outcome.json()["config"], file.as_str());
    let text = format!("{:#}\n", outcome.json())
        .replace(&file, "acr-sign.yaml")
        .replace(&until(), "UNTIL");
    snapshot("policy/check.json", &text);
    // The report has the same answers, with the policy's lines for code scanning.
    let sarif = world.folder.path().join("out.sarif");
    let report = world.folder.path().join("report.json");
    world.run(&format!(
        "policy check alpine --sarif {} --report {}",
        sarif.display(),
        report.display()
    ));
    let sarif: serde_json::Value = serde_json::from_slice(&std::fs::read(sarif).unwrap()).unwrap();
    let result = &sarif["runs"][0]["results"][0];
    assert_eq!(result["ruleId"], "exemption-ended");
    assert_eq!(
        result["locations"][0]["physicalLocation"]["region"]["startLine"],
        14
    );
    let report: serde_json::Value =
        serde_json::from_slice(&std::fs::read(report).unwrap()).unwrap();
    assert_eq!(report["images"][0]["reason"], "exemption-ended");
    assert_eq!(report["requests"]["registry"], 0);
}

#[test]
fn what_is_wrong_is_said_with_its_place_and_nothing_is_asked() {
    let world = World::new();
    let folder = world.folder.path().display().to_string();
    world.write("text.pem", "no certificate");
    world.write("text.pub", "no key");
    world.write("ca.yaml", &rule("\"**\"", &dct("root-ca: none.pem")));
    world.write("text.yaml", &rule("\"**\"", &dct("root-ca: text.pem")));
    world.write(
        "unknown.yaml",
        &rule("\"**\"", &dct("trust-on-first-use: true, signer: [a]")),
    );
    world.write("twice.yaml", "version: 1\nversion: 1\n");
    let keys = |keys: &str| {
        format!(
            "version: 1\n{keys}\nverify: [ {{ images: [\"**\"], {} }} ]\n",
            dct("trust-on-first-use: true")
        )
    };
    world.write("key.yaml", &keys("keys:\n  old: file:none.pub"));
    world.write(
        "badkey.yaml",
        &keys("keys: { new: akv:contoso/keys/release, old: file:text.pub }"),
    );
    world.write("noref.yaml", &keys("keys: { old: release }"));
    world.write(
        "sign.yaml",
        &keys("keys: { old: akv:contoso/keys/release }\nsign:\n  key: new"),
    );
    world.write("per.yaml", &keys("sign:\n  key: { dct: file:none.pem }"));
    let signer = super::signer::Signer::under_a_ca(&[]);
    world.write("root.pem", &signer.root_pem);
    let notation = |members: &str| {
        rule(
            "\"**\"",
            &format!("require: [ {{ notation: {{ {members} }} }} ]"),
        )
    };
    world.write(
        "pem.yaml",
        &notation("certificates: [\"akv:contoso/certificates/none\", none.pem]"),
    );
    world.write(
        "ref.yaml",
        &notation("certificates: [\"akv:contoso/none\"]"),
    );
    world.write("file.yaml", &notation("certificates: [\"file:none.pem\"]"));
    world.write(
        "identity.yaml",
        &notation("certificates: [\"akv:contoso/certificates/none\", root.pem]"),
    );
    world.write(
        "leaf.pem",
        signer
            .key_pem
            .split_inclusive("-----END PRIVATE KEY-----\n")
            .nth(1)
            .unwrap(),
    );
    world.write(
        "tsa.yaml",
        &notation("certificates: [\"akv:contoso/certificates/none\"], timestamp-roots: [leaf.pem]"),
    );
    world.write(
        "trust.yaml",
        &notation("trust-policy: trustpolicy.json, trust-store: truststore"),
    );
    let statement = r#"{"name": "shop", "registryScopes": ["*"], "signatureVerification": {"level": "strict"},
        "trustStores": ["ca:own"], "trustedIdentities": ["*"]}"#;
    world.write(
        "trustpolicy.json",
        &format!("{{\"version\": \"1.0\", \"trustPolicies\": [{statement}]}}"),
    );
    world.write(
        "store.yaml",
        &notation("trust-policy: trustpolicy.json, trust-store: store"),
    );
    std::fs::create_dir(world.folder.path().join("store")).unwrap();
    world.write("only.yaml", "version: 1\nsign: { formats: [dct] }\n");
    world.write("empty.yaml", "");
    for (file, reason, place, words) in [
        ("none.yaml", "policy-missing", "", "cannot be read"),
        ("only.yaml", "policy-missing", "", "no `verify` part"),
        ("empty.yaml", "policy-invalid", "", ""),
        ("twice.yaml", "policy-invalid", ":2:1", "version"),
        ("unknown.yaml", "policy-invalid", ":4:51", "signer"),
        ("ca.yaml", "config-invalid", ":4:34", "none.pem"),
        ("text.yaml", "config-invalid", ":4:34", "text.pem"),
        (
            "pem.yaml",
            "config-invalid",
            ":4:78",
            "none.pem` cannot be read",
        ),
        ("ref.yaml", "config-invalid", ":4:45", "names no key"),
        (
            "file.yaml",
            "config-invalid",
            ":4:45",
            "none.pem` cannot be read",
        ),
        (
            "identity.yaml",
            "policy-invalid",
            ":4:78",
            "name the identities",
        ),
        (
            "tsa.yaml",
            "policy-invalid",
            ":4:97",
            "not a self-signed root",
        ),
        (
            "trust.yaml",
            "config-invalid",
            ":4:44",
            "truststore` is not a folder",
        ),
        ("store.yaml", "config-invalid", ":4:75", "own"),
        (
            "key.yaml",
            "config-invalid",
            ":3:8",
            "none.pub` cannot be read",
        ),
        (
            "badkey.yaml",
            "config-invalid",
            ":2:45",
            "text.pub` is not a usable key",
        ),
        ("noref.yaml", "config-invalid", ":2:14", "names no key"),
        ("sign.yaml", "config-invalid", ":4:8", "names no key"),
        (
            "per.yaml",
            "config-invalid",
            ":3:15",
            "none.pem` cannot be read",
        ),
    ] {
        let outcome = world.run(&format!("policy check alpine --policy {folder}/{file}"));
        assert_eq!(
            (outcome.exit, outcome.reasons()),
            (Exit::Usage, vec![reason]),
            "{file}: {}",
            outcome.stderr
        );
        assert!(
            outcome.stderr.contains(&format!("{file}{place}")),
            "{file}: {}",
            outcome.stderr
        );
        assert!(outcome.stderr.contains(words), "{file}: {}", outcome.stderr);
        assert_eq!(outcome.stdout, "", "{file}");
        let json = world
            .run(&format!(
                "policy check --policy {folder}/{file} --output json"
            ))
            .json();
        assert_eq!(
            (&json["command"], &json["error"]["reason"]),
            (&"policy check".into(), &reason.into()),
            "{file}"
        );
    }
    let outcome = world.run("policy check");
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Usage, vec!["policy-missing"]),
        "{}",
        outcome.stderr
    );
    world.write("values.yaml", "image: {{ .Values.image }}\n");
    world.write("acr-sign.yaml", &policy());
    let outcome = world.run(&format!("policy check --manifests {folder}/values.yaml"));
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Usage, vec!["manifest-invalid"]),
        "{}",
        outcome.stderr
    );
    assert_eq!(world.sandbox.log().len(), 0);
}

#[test]
fn keys_in_files_are_opened_and_those_in_vaults_are_not_asked_for() {
    let world = World::new();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    for (from, to) in [
        ("keys/key.pub", "a.pub"),
        ("keys/rsa2048.pem", "b.pem"),
        ("keys/pbes2-aes256-sha256.p12", "c.p12"),
    ] {
        std::fs::copy(fixtures.join(from), world.folder.path().join(to)).unwrap();
    }
    let keys = "keys:\n  a: file:a.pub\n  b: file:b.pem\n  c: file:c.p12?passphrase-env=P\n  d: env:NONE\n  e: akv:contoso/keys/none\n";
    let rest = rule(
        "\"contoso.azurecr.io/**\"",
        &dct(&format!("roots: [\"{ROOT}\"]")),
    );
    world.write(
        "acr-sign.yaml",
        &rest.replace("version: 1\n", &format!("version: 1\n{keys}")),
    );
    let outcome = world.run("policy check");
    assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
    assert_eq!(outcome.stderr.lines().count(), 1, "{}", outcome.stderr);
    assert!(
        outcome.stderr.contains("acr-sign.yaml:5:6: `"),
        "{}",
        outcome.stderr
    );
    assert!(
        outcome
            .stderr
            .contains("c.p12` was not opened, as `P` is not set here"),
        "{}",
        outcome.stderr
    );
    for (passphrase, exit) in [("given", Exit::Done), ("wrong", Exit::Usage)] {
        let environment: BTreeMap<_, _> = world
            .environment
            .iter()
            .cloned()
            .chain([("P".to_owned(), passphrase.to_owned())])
            .collect();
        let outcome = world.run_in("policy check", &environment);
        assert_eq!(outcome.exit, exit, "{}", outcome.stderr);
        assert_eq!(
            outcome.stderr.contains("the passphrase does not open it"),
            exit == Exit::Usage
        );
        assert!(!outcome.stderr.contains("not opened"), "{}", outcome.stderr);
    }
    assert_eq!(world.sandbox.log().len(), 0);
}

#[test]
fn what_is_odd_is_said_and_still_valid() {
    let world = World::new();
    let day = |ahead: i64| {
        (time::OffsetDateTime::now_utc() + time::Duration::days(ahead))
            .date()
            .to_string()
    };
    let root = dct(&format!("roots: [\"{ROOT}\"]"));
    let exempt = |until: &str| format!("exempt: {{ reason: vendor, until: {until} }}");
    let two = |first: &str, second: &str| {
        format!("{}  - images: [{second}]\n    {root}\n", rule(first, &root))
    };
    let notation = |more: &str| {
        format!(
            "require: [ {{ notation: {{ certificates: [\"akv:contoso/certificates/none\"]{more} }} }} ]"
        )
    };
    let covered = "earlier rules cover its patterns";
    for (policy, expected) in [
        (rule("\"contoso.azurecr.io/**\"", &root), vec![]),
        (rule("alpine, \"localhost:5000/web\"", &root), vec![]),
        (two("\"c.io/prod/**\"", "\"c.io/**\""), vec![]),
        (
            two("\"**\"", "\"c.io/**\""),
            vec![format!(":5:5: rule 2: it can never decide, because {covered}: `c.io/**` by `**` of rule 1")],
        ),
        (
            two("\"c.io/a/*\", \"c.io/b/**\"", "c.io/a/web, \"c.io/b/x/*\""),
            vec![format!("{covered}: `c.io/a/web` by `c.io/a/*` of rule 1, `c.io/b/x/*` by `c.io/b/**` of rule 1")],
        ),
        (
            two("\"c.io/a/*\"", "c.io/a/web, \"c.io/b/*\""),
            vec![
                "rule 2: a pattern of it can never decide, covered earlier: `c.io/a/web` by `c.io/a/*` of rule 1"
                    .into(),
            ],
        ),
        (
            rule("shop/web", &root),
            vec![":3:5: rule 1: the pattern `shop/web` does not name a registry, so it means `docker.io/shop/web`".into()],
        ),
        (
            rule("\"c.io/**\"", &dct("trust-on-first-use: true")),
            vec!["rule 1: `trust-on-first-use`: anyone who controls".into()],
        ),
        (rule("\"c.io/**\"", &notation("")), vec![]),
        (
            rule("\"c.io/**\"", &notation(", level: permissive")),
            vec!["rule 1: `level: permissive`: expired signatures are accepted".into()],
        ),
        (
            rule("\"c.io/**\"", &notation(", revocation: log")),
            vec!["rule 1: `revocation: log`: signatures of revoked certificates are accepted".into()],
        ),
        (
            rule("\"c.io/**\"", &notation(", revocation: off, level: permissive")),
            vec!["rule 1: `level: permissive`".into(), "rule 1: `revocation: off`: revocation is not checked".into()],
        ),
        (rule("\"c.io/**\"", &exempt(&day(31))), vec![]),
        (rule("\"c.io/**\"", &exempt(&day(366))), vec![]),
        (
            rule("\"c.io/**\"", &exempt(&day(367))),
            vec![format!(
                "rule 1: its exemption expires only after {}, in 367 days: more than a year is not temporary",
                day(367)
            )],
        ),
        (
            rule("\"c.io/**\"", &exempt("9999-12-31")),
            vec!["rule 1: its exemption expires only after 9999-12-31, in ".into()],
        ),
        (
            rule("\"c.io/**\"", &exempt(&day(30))),
            vec![format!("rule 1: its exemption expires after {}, in 30 days", day(30))],
        ),
        (rule("\"c.io/**\"", &exempt(&day(0))), vec!["rule 1: its exemption expires today".into()]),
        (rule("\"c.io/**\"", &exempt(&day(-1))), vec![format!("rule 1: its exemption expired after {}", day(-1))]),
        (
            rule("\"**\"", &exempt(&day(99))),
            vec!["rule 1: `**` is exempt: every image that no earlier rule matches is allowed without checking".into()],
        ),
    ] {
        let file = world.write("policy.yaml", &policy);
        let outcome = world.run(&format!("policy check --policy {file}"));
        assert_eq!(outcome.exit, Exit::Done, "{policy}\n{}", outcome.stderr);
        assert_eq!(outcome.stderr.lines().count(), expected.len(), "{policy}\n{}", outcome.stderr);
        for (line, words) in outcome.stderr.lines().zip(&expected) {
            assert!(line.starts_with(&format!("warning: {file}:")) && line.contains(words), "{line}\n{words}");
        }
        let json = world.run(&format!("policy check --policy {file} --output json")).json();
        assert_eq!(json["warnings"].as_array().unwrap().len(), expected.len(), "{policy}");
    }
}

#[test]
fn a_ca_that_has_ended_is_odd() {
    let world = World::new();
    let pem = |end: time::OffsetDateTime| {
        let mut params = rcgen::CertificateParams::default();
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, "Contoso\nRoot");
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params.not_after = end;
        params
            .self_signed(&rcgen::KeyPair::generate().unwrap())
            .unwrap()
            .pem()
    };
    let now = time::OffsetDateTime::now_utc();
    let policy = rule("\"contoso.azurecr.io/**\"", &dct("root-ca: ca.pem"));
    let file = world.write("acr-sign.yaml", &policy);
    for (end, verb) in [
        (now - time::Duration::days(1), Some("ended")),
        (now + time::Duration::days(29), Some("ends")),
        (now + time::Duration::days(31), None),
    ] {
        world.write("ca.pem", &pem(end));
        let outcome = world.run("policy check");
        assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
        let said =
            verb.map(|_| format!("warning: {file}:3:5: rule 1: the certificate `CN=Contoso"));
        assert_eq!(
            outcome.stderr.lines().count(),
            usize::from(verb.is_some()),
            "{}",
            outcome.stderr
        );
        assert!(
            said.is_none_or(|said| outcome.stderr.starts_with(&said)),
            "{}",
            outcome.stderr
        );
        assert!(
            verb.is_none_or(|verb| outcome.stderr.contains(&format!("` {verb} at "))),
            "{}",
            outcome.stderr
        );
    }
}

#[test]
fn p02_foreign_text_of_a_policy_is_no_command() {
    let world = World::new();
    world.write(
        "acr-sign.yaml",
        "version: 1\nverify:\n  - images: [\"**\"]\n    exempt: { reason: \"x\\n::error::##vso[task.complete]\", until: 2999-12-31 }\n",
    );
    let outcome = world.run("policy check alpine");
    assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
    for text in [&outcome.stdout, &outcome.stderr] {
        assert!(
            !text.contains("::error") && !text.contains("##vso["),
            "{text}"
        );
    }
    assert!(
        outcome.stdout.contains("(x\\n: :error"),
        "{}",
        outcome.stdout
    );
}
