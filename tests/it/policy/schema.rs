//! docs/acr-sign.schema.json says what the parser says, and the documentation shows what both take.

use std::collections::BTreeSet;

use jsonschema::Validator;
use serde_json::Value;

use super::{
    file::{EVERY_MEMBER, too_much},
    mistakes::mistakes,
    parse, requiring,
};

const SCHEMA: &str = include_str!("../../../docs/acr-sign.schema.json");

/// What a schema cannot say, each by a piece of the one document that shows it.
const UNSAID: [(&str, &str); 9] = [
    ("version: 1.0", "to a schema, 1.0 is a whole number"),
    ("!secret", "what a schema sees has no tags"),
    ("!!binary Kio=", "to others this is `**`"),
    ("!!binary ZGN0", "and this is `dct`"),
    (
        "at-least: 2",
        "a number is not compared with the length of a list",
    ),
    ("*.azurecr.io", "patterns of images have rules of their own"),
    (
        "x509.subject: CN=x",
        "which attributes a distinguished name has",
    ),
    ("O=x, CN=y", "one name is part of another"),
    ("2027-02-30", "which days there are"),
];

fn schema() -> (Value, Validator) {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let validator = jsonschema::draft7::new(&schema).unwrap();
    (schema, validator)
}

/// The document as an editor reads it; what is no YAML with distinct names is wrong to everyone.
fn as_json(text: &str) -> Option<Value> {
    let options = serde_saphyr::options! { strict_booleans: true };
    serde_saphyr::from_str_with_options(&text.replace("ROOT", super::ROOT), options).ok()
}

fn good() -> Vec<String> {
    let mut good = vec![
        EVERY_MEMBER.to_owned(),
        "version: 1".into(),
        "version: 1\nkeys: {}\nsign: {}".into(),
        format!("version: 1\nkeys: {{ {}: file:x }}", "a".repeat(64)),
        "version: 1\nsign: { annotations: {}, expiry: 90s }".into(),
        "version: 1\nsign: { key: { dct: a, notation: b }, annotations: { a: b } }".into(),
        "version: 1\nsign: { formats: [notation], expiry: 001d }".into(),
        "version: 1\nverify: [ { images: [\"**\"], exempt: { reason: x, until: 2030-01-01 } } ]"
            .into(),
    ];
    for members in [
        "notation: { certificates: [a], identities: [\"*\"], metadata: {}, level: strict, revocation: enforce }",
        "notation: { certificates: [a], identities: [\"x509.subject: C=US, ST=WA, O=x\"], revocation: log }",
        "dct: { roots: [ROOT], signers: [targets, targets/a/b, releases], minimum-versions: {} }",
        "dct: { trust-on-first-use: true, minimum-versions: { timestamp: 1, targets/a/b: 2 } }",
        "[ { dct: { root-ca: a } }, { any: [ { dct: { root-ca: a } } ] } ]",
        "{ at-least: 1, of: [ { dct: { root-ca: a } } ] }",
    ] {
        good.push(requiring(&format!("      - {members}\n")));
    }
    good.extend(examples().into_iter().map(|(_, example)| example));
    good
}

/// Every policy that the documentation shows; a piece of one becomes a whole one.
fn examples() -> Vec<(String, String)> {
    let mut found = Vec::new();
    let docs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let pages = std::fs::read_dir(docs)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    for page in pages.filter(|path| path.extension().is_some_and(|extension| extension == "md")) {
        let name = page.file_name().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&page).unwrap();
        for block in text
            .split("```yaml\n")
            .skip(1)
            .filter_map(|rest| rest.split("```").next())
        {
            let block = block.replace("\"6f1c…\"", "ROOT");
            let first = block
                .lines()
                .find(|line| !line.starts_with('#'))
                .unwrap_or_default();
            let whole = match first {
                "version: 1" => block.clone(),
                _ if name != "policy.md" => continue,
                "    require:" => requiring("").replace("    require:\n", &block),
                _ if first.starts_with("    exempt:") => {
                    requiring("").replace("    require:\n", &block)
                }
                _ if first.starts_with("      - ") => requiring(&block),
                _ => panic!("{name}: this is no piece of a policy:\n{block}"),
            };
            found.push((name.clone(), whole));
        }
    }
    found
}

#[test]
fn every_policy_of_the_documentation_is_one() {
    let examples = examples();
    for (page, example) in &examples {
        let parsed = parse(example);
        assert!(parsed.is_ok(), "{page}: {}\n{example}", parsed.unwrap_err());
    }
    let of_policy = examples
        .iter()
        .filter(|(page, _)| page == "policy.md")
        .count();
    assert!(of_policy >= 6, "{of_policy}");
}

#[test]
fn schema_and_parser_judge_alike() {
    let (_, validator) = schema();
    for text in good() {
        let parsed = parse(&text);
        assert!(parsed.is_ok(), "{}\n{text}", parsed.unwrap_err());
        let json = as_json(&text).unwrap();
        let wrong: Vec<String> = validator
            .iter_errors(&json)
            .map(|error| error.to_string())
            .collect();
        assert!(wrong.is_empty(), "{wrong:?}\n{text}");
    }
    let mut taken = Vec::new();
    for (text, ..) in mistakes() {
        assert!(parse(&text).is_err(), "{text}");
        if as_json(&text).is_some_and(|json| validator.is_valid(&json)) {
            taken.push(text);
        }
    }
    let unsaid = |text: &String| UNSAID.iter().any(|(piece, _)| text.contains(piece));
    let unlike: Vec<&String> = taken.iter().filter(|text| !unsaid(text)).collect();
    assert!(
        unlike.is_empty(),
        "the schema takes what the parser refuses: {unlike:#?}"
    );
    for (piece, why) in UNSAID {
        assert_eq!(
            taken.iter().filter(|text| text.contains(piece)).count(),
            1,
            "{piece}: {why}"
        );
    }
}

#[test]
fn limits_are_the_parsers_alone() {
    let (_, validator) = schema();
    // Not what laughs: nobody should spell it out.
    let small = too_much().into_iter().filter(|(name, _)| *name != "laughs");
    let taken: Vec<&str> = small
        .filter(|(_, text)| as_json(text).is_some_and(|json| validator.is_valid(&json)))
        .map(|(name, _)| name)
        .collect();
    // What is deep or nested is too much for this reader of YAML, too.
    assert_eq!(taken, ["wide", "long"]);
}

/// A map of the form, and a document in which it has a member that there is not.
const MAPS: [(&str, &str); 7] = [
    ("", "zzz: 1"),
    ("/definitions/sign", "version: 1\nsign: { zzz: 1 }"),
    ("/definitions/rule", "version: 1\nverify: [ { zzz: 1 } ]"),
    (
        "/definitions/exempt",
        "version: 1\nverify: [ { exempt: { zzz: 1 } } ]",
    ),
    (
        "/definitions/member",
        "version: 1\nverify: [ { require: [ { zzz: 1 } ] } ]",
    ),
    (
        "/definitions/dct",
        "version: 1\nverify: [ { require: [ { dct: { zzz: 1 } } ] } ]",
    ),
    (
        "/definitions/notation",
        "version: 1\nverify: [ { require: [ { notation: { zzz: 1 } } ] } ]",
    ),
];

#[test]
fn schema_and_parser_have_the_same_members() {
    let (schema, _) = schema();
    let names = |map: &Value| {
        map["properties"]
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<BTreeSet<_>>()
    };
    for (pointer, text) in MAPS {
        let error = parse(text).unwrap_err().message;
        let (_, listed) = error
            .split_once("known here are ")
            .unwrap_or_else(|| panic!("{pointer}: {error}"));
        let words = listed.split([',', ' ', '`']);
        let read: BTreeSet<String> = words
            .filter(|word| !matches!(*word, "" | "or"))
            .map(ToOwned::to_owned)
            .collect();
        assert_eq!(names(schema.pointer(pointer).unwrap()), read, "{pointer}");
    }
    // No map of the schema is missing above.
    let definitions = schema["definitions"].as_object().unwrap().iter();
    let maps =
        definitions.filter(|(_, one)| one.get("additionalProperties") == Some(&Value::Bool(false)));
    let maps: BTreeSet<String> = maps
        .map(|(name, _)| format!("/definitions/{name}"))
        .collect();
    let held = MAPS
        .iter()
        .map(|(pointer, _)| (*pointer).to_owned())
        .filter(|pointer| !pointer.is_empty());
    assert_eq!(maps, held.collect());
}
