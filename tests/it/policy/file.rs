//! Reading `acr-sign.yaml`: every member, and every mistake with its line and column.

use acr_sign::{
    oci::Repository,
    policy::{Config, Demand, Place, Policy, PolicyError},
};

const ROOT: &str = "6f1c0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f";

fn parse(text: &str) -> Result<Config, PolicyError> {
    Config::parse(&text.replace("ROOT", ROOT), "acr-sign.yaml")
}

/// A `verify` part whose only rule requires this, indented as the text of a list.
fn requiring(members: &str) -> String {
    format!("version: 1\nverify:\n  - images: [\"**\"]\n    require:\n{members}")
}

#[test]
fn every_member_is_read() {
    let config = parse(
        r#"
version: 1
keys:
  release: akv:contoso/certificates/image-signing
  old: file:keys/old.pub
sign:
  formats: [dct]
  key: release
  root: ["ROOT"]
verify:
  - images: ["contoso.azurecr.io/prod/**"]
    require:
      - dct:
          roots: ["ROOT"]
          signers: [alice, bob, targets]
          minimum-versions: { root: 3, targets/releases: 41 }
      - any:
          - dct: { root-ca: ca.pem }
          - [ { dct: { trust-on-first-use: true } }, { dct: { roots: ["ROOT"] } } ]
      - at-least: 2
        of:
          - dct: { roots: ["ROOT"], signers: [alice] }
          - dct: { roots: ["ROOT"], signers: [bob] }
          - dct: { roots: ["ROOT"], signers: [carol] }
  - images: ["mcr.microsoft.com/**", "docker.io/library/alpine"]
    exempt: { reason: "vendor base images", until: 2027-06-30 }
"#,
    )
    .unwrap();
    assert_eq!(config.keys.get("release").unwrap().text, "akv:contoso/certificates/image-signing");
    assert_eq!(config.keys.get("old").unwrap().place.line, 5);
    assert_eq!(config.sign.root[0].to_string(), ROOT);
    let policy: &Policy<_> = config.verify.as_ref().unwrap();
    let Demand::Require(requirement) = &policy.rules[0].demand else { panic!("{policy:?}") };
    let expected = format!(
        "all of
  dct: root {ROOT}, signed by `targets/alice`, signed by `targets/bob`, signed by `targets`, `root` of version 3 at least, `targets/releases` of version 41 at least
  any of
    dct: root of the CA `ca.pem`, released as a trusting pull takes it
    all of
      dct: whatever root the trust server shows (trust on first use), released as a trusting pull takes it
      dct: root {ROOT}, released as a trusting pull takes it
  at least 2, by distinct keys, of
    dct: root {ROOT}, signed by `targets/alice`
    dct: root {ROOT}, signed by `targets/bob`
    dct: root {ROOT}, signed by `targets/carol`
"
    );
    assert_eq!(requirement.describe(&ToString::to_string), expected);
    assert_eq!(requirement.leaves().len(), 7);
    let Demand::Exempt(exemption) = &policy.rules[1].demand else { panic!("{policy:?}") };
    assert_eq!((exemption.reason(), exemption.until().to_string().as_str()), ("vendor base images", "2027-06-30"));
    let rule = |name: &str| policy.rule_for(&Repository::familiar(name).unwrap()).map(|(number, _)| number);
    assert_eq!(rule("contoso.azurecr.io/prod/web"), Some(1));
    assert_eq!(rule("alpine"), Some(2));
    assert_eq!(rule("contoso.azurecr.io/test/web"), None);
}

#[test]
fn the_first_rule_that_matches_decides() {
    let config = parse(
        "version: 1\nverify:\n  - images: [\"contoso.azurecr.io/a/**\"]\n    exempt: { reason: x, until: 2030-01-01 }\n  \
         - images: [\"**\"]\n    require: [ { dct: { roots: [\"ROOT\"] } } ]\n",
    )
    .unwrap();
    let policy = config.verify.unwrap();
    let (number, rule) = policy.rule_for(&Repository::familiar("contoso.azurecr.io/a/b").unwrap()).unwrap();
    assert_eq!((number, rule.place.unwrap().line), (1, 3));
    assert_eq!(policy.rule_for(&Repository::familiar("alpine").unwrap()).unwrap().0, 2);
}

/// Text, and where the mistake is: line, column (0: not compared), words of the message.
fn mistakes() -> Vec<(String, u64, u64, &'static str)> {
    let leaf = "dct: { roots: [\"ROOT\"] }";
    let rule = |rule: &str| format!("version: 1\nverify:\n  - images: [\"**\"]\n    {rule}\n");
    let dct = |members: &str| requiring(&format!("      - dct: {members}\n"));
    vec![
        (String::new(), 1, 0, "end of input"),
        ("[]".into(), 1, 1, ""),
        ("keys: {}".into(), 1, 0, "version"),
        ("version: 2".into(), 1, 10, "version 1"),
        ("version: \"1\"".into(), 1, 1, "a whole number"),
        ("version: 1.0".into(), 1, 1, "a whole number"),
        (dct("{ trust-on-first-use: \"true\" }"), 5, 16, "true or false"),
        ("version: 1\nversion: 1".into(), 2, 1, "duplicate"),
        ("version: 1\nallow-host: [evil.example]".into(), 2, 1, "allow-host"),
        ("version: 1\nverfy: []".into(), 2, 1, "verfy"),
        ("version: 1\nverify: []".into(), 2, 9, "no rule"),
        ("version: 1\nverify:".into(), 2, 0, ""),
        ("version: 1\nverify: {}".into(), 2, 9, ""),
        ("version: 1\n---\nversion: 1".into(), 2, 0, "document"),
        ("version: 1\nkeys: { a b: file:x }".into(), 2, 0, "no name"),
        ("version: 1\nkeys: { a: 5 }".into(), 2, 12, ""),
        ("version: 1\nkeys: { a: file:x, a: file:y }".into(), 2, 20, "duplicate"),
        ("version: 1\nsign: { formats: [] }".into(), 2, 18, "empty"),
        ("version: 1\nsign: { formats: [dct, dct] }".into(), 2, 24, "twice"),
        ("version: 1\nsign: { formats: [gpg] }".into(), 2, 19, "gpg"),
        ("version: 1\nsign: { formats: dct }".into(), 2, 18, ""),
        ("version: 1\nsign: { key: {} }".into(), 2, 14, "no format"),
        ("version: 1\nsign: { key: { gpg: x } }".into(), 2, 21, "gpg"),
        ("version: 1\nsign: { key: [x] }".into(), 2, 9, "a key"),
        ("version: 1\nsign: { root: [abc] }".into(), 2, 16, "key ID"),
        (rule(&format!("require: [ {{ {leaf} }} ]\n    exempt: {{ reason: x, until: 2030-01-01 }}")), 3, 5, "not both"),
        (rule("other: 1"), 4, 5, "other"),
        ("version: 1\nverify:\n  - images: [\"**\"]\n".into(), 3, 5, "`require` or `exempt`"),
        (rule("require: []"), 4, 14, "demands nothing"),
        (rule("require:"), 4, 0, ""),
        (rule(&format!("require: {{ {leaf} }}")), 4, 14, ""),
        (rule("require: [ [] ]"), 4, 16, "demands nothing"),
        (rule("require: [ {} ]"), 4, 16, "exactly one"),
        (rule("require: [ dct ]"), 4, 16, "a requirement"),
        (rule("require: [ { any: [] } ]"), 4, 23, "never hold"),
        (rule(&format!("require: [ {{ {leaf}, any: [ {{ {leaf} }} ] }} ]")), 4, 16, "exactly one"),
        (rule(&format!("require: [ {{ at-least: 2, of: [ {{ {leaf} }} ] }} ]")), 4, 28, "never hold"),
        (rule(&format!("require: [ {{ at-least: 0, of: [ {{ {leaf} }} ] }} ]")), 4, 28, "demands nothing"),
        (rule(&format!("require: [ {{ at-least: -1, of: [ {{ {leaf} }} ] }} ]")), 4, 28, ""),
        (rule("require: [ { at-least: 1 } ]"), 4, 16, "exactly one"),
        (rule(&format!("require: [ {{ of: [ {{ {leaf} }} ] }} ]")), 4, 16, "exactly one"),
        (rule("require: [ { cosign: { keys: [release] } } ]"), 4, 26, "does not check `cosign`"),
        (rule("require: [ { cosign: { storage: [tape], keys: [a] } } ]"), 4, 0, "tape"),
        (rule("require: [ { gpg: {} } ]"), 4, 18, "gpg"),
        (dct("{}"), 5, 14, "needs one of"),
        (dct("{ roots: [] }"), 5, 23, "empty"),
        (dct("{ roots: [\"ROOT\", \"ROOT\"] }"), 5, 0, "twice"),
        (dct("{ roots: [\"6F1C\"] }"), 5, 24, "key ID"),
        (dct("{ roots: [\"ROOT\"], root-ca: ca.pem }"), 5, 14, "give one"),
        (dct("{ roots: [\"ROOT\"], trust-on-first-use: true }"), 5, 14, "give one"),
        (dct("{ trust-on-first-use: false }"), 5, 36, "leave it out"),
        (dct("{ trust-on-first-use: yes }"), 5, 16, "true or false"),
        (dct("{ roots: [\"ROOT\"], signers: [] }"), 5, 0, "empty"),
        (dct("{ roots: [\"ROOT\"], signers: [../x] }"), 5, 0, "role name"),
        (dct("{ roots: [\"ROOT\"], minimum-versions: { root: 0 } }"), 5, 0, "begin at 1"),
        (dct("{ roots: [\"ROOT\"], minimum-versions: { root: 1.5 } }"), 5, 0, ""),
        (dct("{ roots: [\"ROOT\"], minimum-versions: { nobody: 1 } }"), 5, 0, "role name"),
        (dct("{ roots: [\"ROOT\"], minimum-versions: { root: 1, root: 2 } }"), 5, 0, "duplicate"),
        (dct("{ roots: [\"ROOT\"], allow: evil.example }"), 5, 0, "allow"),
        (dct("null"), 5, 14, ""),
        (rule("exempt: { reason: x }"), 4, 0, "until"),
        (rule("exempt: { reason: \" \", until: 2030-01-01 }"), 4, 13, "needs a reason"),
        (rule("exempt: { reason: x, until: tomorrow }"), 4, 13, "no day"),
        (rule("exempt: { reason: 5, until: 2030-01-01 }"), 4, 23, ""),
        (rule("exempt: { reason: true, until: 2030-01-01 }"), 4, 23, ""),
        (format!("version: 1\nverify:\n  - images: []\n    require: [ {{ {leaf} }} ]"), 3, 13, "empty"),
        (format!("version: 1\nverify:\n  - images: \"**\"\n    require: [ {{ {leaf} }} ]"), 3, 13, ""),
        (
            format!("version: 1\nverify:\n  - images: [\"*.azurecr.io/x\"]\n    require: [ {{ {leaf} }} ]"),
            3,
            14,
            "wildcard",
        ),
        (format!("version: 1\nverify:\n  - require: [ {{ {leaf} }} ]"), 3, 0, "images"),
        ("version: 1\nkeys: &a { x: file:x }\nsign: { <<: *a }".into(), 3, 0, "merge"),
        ("version: !!int 1\nkeys: !secret { a: file:x }".into(), 2, 0, "tag"),
        ("version: 1\n\tkeys: {}".into(), 1, 0, "tab"),
        ("version: 1\nverify: [".into(), 2, 0, ""),
    ]
}

#[test]
fn every_mistake_is_an_error_with_line_and_column() {
    let mut unlike = Vec::new();
    for (text, line, column, words) in mistakes() {
        let Err(error) = parse(&text) else {
            unlike.push(format!("accepted\n{text}"));
            continue;
        };
        let place = error.place.unwrap_or(Place { line: 0, column: 0 });
        let there = place.line == line && place.column >= 1 && (column == 0 || place.column == column);
        let said = error.message.to_lowercase().contains(&words.to_lowercase());
        let one_line = !error.message.contains('\n') && !error.message.contains(" at line ");
        if !(there && said && one_line && error.to_string().starts_with(&format!("acr-sign.yaml:{line}:"))) {
            unlike.push(format!("{error}\n  expected {line}:{column} {words}\n{text}"));
        }
    }
    assert!(unlike.is_empty(), "{}", unlike.join("\n\n"));
}

#[test]
fn what_is_too_much_is_refused_before_it_is_done() {
    let deep = requiring(&format!("      - {}{}\n", "[".repeat(100), "]".repeat(100)));
    let nested = (0..40).fold("dct: { roots: [\"ROOT\"] }".to_owned(), |inner, _| format!("any: [ {{ {inner} }} ]"));
    let wide = requiring(&"      - dct: { trust-on-first-use: true }\n".repeat(101));
    let long = format!("version: 1 #{}", "x".repeat(2 << 20));
    // Each list holds ten of the one before: 10^9 leaves, when spelled out.
    let mut laughs = "version: 1\nkeys:\n".to_owned();
    laughs.push_str(
        "verify:\n  - images: [\"**\"]\n    require:\n      - &a0 [ { dct: { trust-on-first-use: true } } ]\n",
    );
    for level in 1..10 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        laughs.push_str(&format!("      - &a{level} [ {aliases} ]\n"));
    }
    let laughs = laughs.replace("keys:\n", "");
    for (name, text) in [
        ("deep", deep),
        ("nested", requiring(&format!("      - {nested}\n"))),
        ("wide", wide),
        ("long", long),
        ("laughs", laughs),
    ] {
        let error = parse(&text).map(|_| ()).expect_err(name);
        assert!(error.to_string().len() < 500, "{name}: {error}");
    }
    assert!(parse(&requiring(&"      - dct: { trust-on-first-use: true }\n".repeat(100))).is_ok());
}
