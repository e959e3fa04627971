//! Reading `acr-sign.yaml`: every member, and every mistake with its line and column.

use acr_sign::{
    oci::Repository,
    policy::{Demand, Place, Policy},
};

use super::{ROOT, mistakes::mistakes, parse, requiring};

/// Every member that a file can have.
pub const EVERY_MEMBER: &str = r#"
version: 1
keys:
  release: akv:contoso/certificates/image-signing
  old: file:keys/old.pub
sign:
  formats: [dct, notation]
  key: release
  root: ["ROOT"]
  annotations: { team: shop }
  expiry: 8760h
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
          - notation:
              certificates: [release, ca.pem]
              identities: ["x509.subject: C=US, ST=WA, O=Contoso"]
              level: permissive
              metadata: { branch: main }
              timestamp-roots: [tsa.pem]
              revocation: off
          - notation: { trust-policy: notation/trustpolicy.json, trust-store: notation/truststore, metadata: { a: b } }
      - at-least: 2
        of:
          - dct: { roots: ["ROOT"], signers: [alice] }
          - dct: { roots: ["ROOT"], signers: [bob] }
          - dct: { roots: ["ROOT"], signers: [carol] }
  - images: ["mcr.microsoft.com/**", "docker.io/library/alpine"]
    exempt: { reason: "vendor base images", until: 2027-06-30 }
"#;

#[test]
fn every_member_is_read() {
    let config = parse(EVERY_MEMBER).unwrap();
    assert_eq!(
        config.keys.get("release").unwrap().text,
        "akv:contoso/certificates/image-signing"
    );
    assert_eq!(config.keys.get("old").unwrap().place.line, 5);
    assert_eq!(config.sign.root[0].to_string(), ROOT);
    assert_eq!(config.sign.annotations["team"], "shop");
    assert_eq!(
        config.sign.expiry,
        Some(std::time::Duration::from_hours(8760))
    );
    let policy: &Policy<_> = config.verify.as_ref().unwrap();
    let Demand::Require(requirement) = &policy.rules[0].demand else {
        panic!("{policy:?}")
    };
    let expected = format!(
        "all of
  dct: root {ROOT}, signed by `targets/alice`, signed by `targets/bob`, signed by `targets`, `root` of version 3 at least, `targets/releases` of version 41 at least
  any of
    dct: root of the CA `ca.pem`, released as a trusting pull takes it
    all of
      dct: any root that the trust server shows (trust on first use), released as a trusting pull takes it
      dct: root {ROOT}, released as a trusting pull takes it
    notation: certificate `release` or `ca.pem`, signer `C=US, O=Contoso, ST=WA`, level permissive, revocation not looked up, timestamp under a root in `tsa.pem`, with `branch=main`
    notation: trust policy `notation/trustpolicy.json`, trust store `notation/truststore`, with `a=b`
  at least 2, by distinct keys, of
    dct: root {ROOT}, signed by `targets/alice`
    dct: root {ROOT}, signed by `targets/bob`
    dct: root {ROOT}, signed by `targets/carol`
"
    );
    assert_eq!(requirement.describe(&ToString::to_string), expected);
    assert_eq!(requirement.leaves().len(), 9);
    let Demand::Exempt(exemption) = &policy.rules[1].demand else {
        panic!("{policy:?}")
    };
    assert_eq!(
        (exemption.reason(), exemption.until().to_string().as_str()),
        ("vendor base images", "2027-06-30")
    );
    let rule = |name: &str| {
        policy
            .rule_for(&Repository::familiar(name).unwrap())
            .map(|rule| rule.number)
    };
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
    let rule = policy
        .rule_for(&Repository::familiar("contoso.azurecr.io/a/b").unwrap())
        .unwrap();
    assert_eq!((rule.number, rule.place.unwrap().line), (1, 3));
    assert_eq!(
        policy
            .rule_for(&Repository::familiar("alpine").unwrap())
            .unwrap()
            .number,
        2
    );
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
        let there =
            place.line == line && place.column >= 1 && (column == 0 || place.column == column);
        let said = error.message.to_lowercase().contains(&words.to_lowercase());
        let one_line = !error.message.contains('\n') && !error.message.contains(" at line ");
        if !(there
            && said
            && one_line
            && error
                .to_string()
                .starts_with(&format!("acr-sign.yaml:{line}:")))
        {
            unlike.push(format!(
                "{error}\n  expected {line}:{column} {words}\n{text}"
            ));
        }
    }
    assert!(unlike.is_empty(), "{}", unlike.join("\n\n"));
}

/// Documents that pass a limit, by which one.
pub fn too_much() -> Vec<(&'static str, String)> {
    let deep = requiring(&format!("      - {}{}\n", "[".repeat(100), "]".repeat(100)));
    let nested = (0..40).fold("dct: { roots: [\"ROOT\"] }".to_owned(), |inner, _| {
        format!("any: [ {{ {inner} }} ]")
    });
    let blocks = requiring(&format!(
        "      {}dct: {{ trust-on-first-use: true }}\n",
        "- ".repeat(100)
    ));
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
    let nested = requiring(&format!("      - {nested}\n"));
    vec![
        ("deep", deep),
        ("nested", nested),
        ("blocks", blocks),
        ("wide", wide),
        ("long", long),
        ("laughs", laughs),
    ]
}

#[test]
fn what_is_too_much_is_refused_before_it_is_done() {
    for (name, text) in too_much() {
        let error = parse(&text).map(|_| ()).expect_err(name);
        assert!(error.to_string().len() < 500, "{name}: {error}");
    }
    assert!(
        parse(&requiring(
            &"      - dct: { trust-on-first-use: true }\n".repeat(100)
        ))
        .is_ok()
    );
}
