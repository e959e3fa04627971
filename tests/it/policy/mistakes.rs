//! Every mistake that a file can make, with its place.

use super::requiring;

/// Text, and where the mistake is: line, column (0: not compared), words of the message.
pub type Mistake = (String, u64, u64, &'static str);

const LEAF: &str = "dct: { roots: [\"ROOT\"] }";

pub fn mistakes() -> Vec<Mistake> {
    [document(), rules(), dct_demands(), notation_demands()].concat()
}

fn rule(rule: &str) -> String {
    format!("version: 1\nverify:\n  - images: [\"**\"]\n    {rule}\n")
}

fn dct(members: &str) -> String {
    requiring(&format!("      - dct: {members}\n"))
}

fn notation(members: &str) -> String {
    requiring(&format!("      - notation: {members}\n"))
}

fn document() -> Vec<Mistake> {
    vec![
        (String::new(), 1, 0, "end of input"),
        ("[]".into(), 1, 1, ""),
        ("keys: {}".into(), 1, 0, "version"),
        ("version: 2".into(), 1, 10, "version 1"),
        ("version: \"1\"".into(), 1, 1, "a whole number"),
        ("version: 1.0".into(), 1, 1, "a whole number"),
        ("version: 1\nversion: 1".into(), 2, 1, "duplicate"),
        (
            "version: 1\nallow-host: [evil.example]".into(),
            2,
            1,
            "allow-host",
        ),
        ("version: 1\nverfy: []".into(), 2, 1, "verfy"),
        ("version: 1\n---\nversion: 1".into(), 2, 0, "document"),
        (
            "version: 1\nkeys: { a b: file:x }".into(),
            2,
            0,
            "is not a valid name",
        ),
        (
            format!("version: 1\nkeys: {{ {}: file:x }}", "a".repeat(65)),
            2,
            0,
            "is not a valid name",
        ),
        ("version: 1\nkeys: { a: 5 }".into(), 2, 12, ""),
        (
            "version: 1\nkeys: { a: file:x, a: file:y }".into(),
            2,
            20,
            "duplicate",
        ),
        ("version: 1\nsign: { formats: [] }".into(), 2, 18, "empty"),
        (
            "version: 1\nsign: { formats: [dct, dct] }".into(),
            2,
            24,
            "twice",
        ),
        ("version: 1\nsign: { formats: [gpg] }".into(), 2, 19, "gpg"),
        ("version: 1\nsign: { formats: dct }".into(), 2, 18, ""),
        (
            "version: 1\nsign: { key: {} }".into(),
            2,
            14,
            "name a format",
        ),
        ("version: 1\nsign: { key: { gpg: x } }".into(), 2, 21, "gpg"),
        ("version: 1\nsign: { key: [x] }".into(), 2, 9, "a key"),
        ("version: 1\nsign: { expiry: 1 }".into(), 2, 0, ""),
        (
            "version: 1\nsign: { expiry: 1w }".into(),
            2,
            17,
            "not a duration",
        ),
        (
            "version: 1\nsign: { formats: [dct], expiry: 1d }".into(),
            2,
            33,
            "no meaning",
        ),
        (
            "version: 1\nsign: { formats: [dct], annotations: { a: b } }".into(),
            2,
            38,
            "no meaning",
        ),
        (
            "version: 1\nsign: { annotations: { a: \"\" } }".into(),
            2,
            27,
            "a name and a value",
        ),
        (
            "version: 1\nsign: { annotations: { \"\": a } }".into(),
            2,
            28,
            "a name and a value",
        ),
        (
            "version: 1\nsign: { annotations: { a: 1 } }".into(),
            2,
            0,
            "",
        ),
        ("version: 1\nsign: { annotations: [a] }".into(), 2, 22, ""),
        ("version: 1\nsign: { root: [abc] }".into(), 2, 16, "key ID"),
        (
            "version: 1\nkeys: &a { x: file:x }\nsign: { <<: *a }".into(),
            3,
            0,
            "merge",
        ),
        (
            "version: !!int 1\nkeys: !secret { a: file:x }".into(),
            2,
            0,
            "tag",
        ),
        ("!!binary version: 1".into(), 1, 0, "tag"),
        ("version: 1\n\tkeys: {}".into(), 1, 0, "tab"),
    ]
}

fn rules() -> Vec<Mistake> {
    vec![
        ("version: 1\nverify: []".into(), 2, 9, "no rule"),
        ("version: 1\nverify:".into(), 2, 0, ""),
        ("version: 1\nverify: {}".into(), 2, 9, ""),
        (
            rule(&format!(
                "require: [ {{ {LEAF} }} ]\n    exempt: {{ reason: x, until: 2030-01-01 }}"
            )),
            3,
            5,
            "not both",
        ),
        (rule("other: 1"), 4, 5, "other"),
        (
            "version: 1\nverify:\n  - images: [\"**\"]\n".into(),
            3,
            5,
            "`require` or `exempt`",
        ),
        (rule("require: []"), 4, 14, "requires nothing"),
        (rule("require:"), 4, 0, ""),
        (rule(&format!("require: {{ {LEAF} }}")), 4, 14, ""),
        (rule("require: [ [] ]"), 4, 16, "requires nothing"),
        (rule("require: [ {} ]"), 4, 16, "exactly one"),
        (rule("require: [ dct ]"), 4, 16, "a requirement"),
        (
            rule("require: [ { any: [] } ]"),
            4,
            23,
            "never be satisfied",
        ),
        (
            rule(&format!("require: [ {{ {LEAF}, any: [ {{ {LEAF} }} ] }} ]")),
            4,
            16,
            "exactly one",
        ),
        (
            rule(&format!(
                "require: [ {{ at-least: 2, of: [ {{ {LEAF} }} ] }} ]"
            )),
            4,
            28,
            "never be satisfied",
        ),
        (
            rule(&format!(
                "require: [ {{ at-least: 0, of: [ {{ {LEAF} }} ] }} ]"
            )),
            4,
            28,
            "requires nothing",
        ),
        (
            rule(&format!(
                "require: [ {{ at-least: -1, of: [ {{ {LEAF} }} ] }} ]"
            )),
            4,
            28,
            "",
        ),
        (rule("require: [ { at-least: 1 } ]"), 4, 16, "exactly one"),
        (
            rule(&format!("require: [ {{ of: [ {{ {LEAF} }} ] }} ]")),
            4,
            16,
            "exactly one",
        ),
        (
            rule("require: [ { cosign: { keys: [release] } } ]"),
            4,
            26,
            "does not check `cosign`",
        ),
        (
            rule("require: [ { cosign: { storage: [tape], keys: [a] } } ]"),
            4,
            0,
            "tape",
        ),
        (rule("require: [ { gpg: {} } ]"), 4, 18, "gpg"),
        (
            rule(&format!(
                "require: [ {{ {LEAF}, notation: {{ certificates: [a] }} }} ]"
            )),
            4,
            16,
            "exactly one",
        ),
        (rule("exempt: { reason: x }"), 4, 0, "until"),
        (
            rule("exempt: { reason: \" \", until: 2030-01-01 }"),
            4,
            13,
            "requires a reason",
        ),
        (
            rule("exempt: { reason: x, until: 2027-02-30 }"),
            4,
            13,
            "not a day",
        ),
        ("version: 1\nkeys:".into(), 2, 0, "a map"),
        ("version: 1\nsign:".into(), 2, 0, ""),
        (
            rule("exempt: { reason: x, until: tomorrow }"),
            4,
            13,
            "not a day",
        ),
        (rule("exempt: { reason: 5, until: 2030-01-01 }"), 4, 23, ""),
        (
            rule("exempt: { reason: true, until: 2030-01-01 }"),
            4,
            23,
            "",
        ),
        (
            format!("version: 1\nverify:\n  - images: []\n    require: [ {{ {LEAF} }} ]"),
            3,
            13,
            "empty",
        ),
        (
            format!("version: 1\nverify:\n  - images: \"**\"\n    require: [ {{ {LEAF} }} ]"),
            3,
            13,
            "",
        ),
        (
            format!(
                "version: 1\nverify:\n  - images: [\"*.azurecr.io/x\"]\n    require: [ {{ {LEAF} }} ]"
            ),
            3,
            14,
            "wildcard",
        ),
        // In base64: `**`, and `dct`.
        (
            format!(
                "version: 1\nverify:\n  - images: [!!binary Kio=]\n    require: [ {{ {LEAF} }} ]"
            ),
            3,
            0,
            "`Kio=` is not a valid image pattern",
        ),
        (
            rule("require: [ { !!binary ZGN0: { trust-on-first-use: true } } ]"),
            4,
            0,
            "ZGN0",
        ),
        (
            format!("version: 1\nverify:\n  - require: [ {{ {LEAF} }} ]"),
            3,
            0,
            "images",
        ),
        ("version: 1\nverify: [".into(), 2, 0, ""),
    ]
}

fn dct_demands() -> Vec<Mistake> {
    vec![
        (
            dct("{ trust-on-first-use: \"true\" }"),
            5,
            16,
            "true or false",
        ),
        (dct("{}"), 5, 14, "requires one of"),
        (dct("{ roots: [] }"), 5, 23, "empty"),
        (dct("{ roots: [\"ROOT\", \"ROOT\"] }"), 5, 0, "twice"),
        (dct("{ roots: [\"6F1C\"] }"), 5, 24, "key ID"),
        (
            dct("{ roots: [\"ROOT\"], root-ca: ca.pem }"),
            5,
            14,
            "give one",
        ),
        (
            dct("{ roots: [\"ROOT\"], trust-on-first-use: true }"),
            5,
            14,
            "give one",
        ),
        (dct("{ trust-on-first-use: false }"), 5, 36, "leave it out"),
        (dct("{ trust-on-first-use: yes }"), 5, 16, "true or false"),
        (dct("{ roots: [\"ROOT\"], signers: [] }"), 5, 0, "empty"),
        (
            dct("{ roots: [\"ROOT\"], signers: [../x] }"),
            5,
            0,
            "role name",
        ),
        (
            dct("{ roots: [\"ROOT\"], minimum-versions: { root: 0 } }"),
            5,
            0,
            "start at 1",
        ),
        (
            dct("{ roots: [\"ROOT\"], minimum-versions: { root: 1.5 } }"),
            5,
            0,
            "",
        ),
        (
            dct("{ roots: [\"ROOT\"], minimum-versions: { nobody: 1 } }"),
            5,
            0,
            "role name",
        ),
        (
            dct("{ roots: [\"ROOT\"], minimum-versions: { root: 1, root: 2 } }"),
            5,
            0,
            "duplicate",
        ),
        (
            dct("{ roots: [\"ROOT\"], allow: evil.example }"),
            5,
            0,
            "allow",
        ),
        (dct("null"), 5, 14, "expected a map"),
    ]
}

fn notation_demands() -> Vec<Mistake> {
    let many: Vec<String> = (0..101).map(|number| format!("c{number}")).collect();
    vec![
        (notation("{}"), 5, 19, "requires `certificates`"),
        (notation("{ certificates: [] }"), 5, 35, "empty"),
        (notation("{ certificates: [a, a] }"), 5, 39, "twice"),
        (notation("{ certificates: a }"), 5, 35, ""),
        (
            notation("{ certificates: [a], certificate: b }"),
            5,
            0,
            "certificate",
        ),
        (
            notation("{ identities: [\"*\"] }"),
            5,
            19,
            "requires `certificates`",
        ),
        (
            notation("{ certificates: [a], identities: [] }"),
            5,
            52,
            "empty",
        ),
        (
            notation(
                "{ certificates: [a], identities: [\"*\", \"x509.subject: C=US, ST=WA, O=x\"] }",
            ),
            5,
            52,
            "only identity",
        ),
        (
            notation("{ certificates: [a], identities: [\"x509.subject: CN=x\"] }"),
            5,
            53,
            "lacks",
        ),
        (
            notation("{ certificates: [a], identities: [nobody] }"),
            5,
            53,
            "x509.subject",
        ),
        (
            notation("{ certificates: [a], identities: [\"oidc: nobody\"] }"),
            5,
            53,
            "cannot match any certificate",
        ),
        (
            notation(
                "{ certificates: [a], identities: [\"x509.subject: C=US, ST=WA, O=x\", \"x509.subject: C=US, ST=WA, O=x, CN=y\"] }",
            ),
            5,
            52,
            "overlap",
        ),
        (
            notation("{ certificates: [a], level: audit }"),
            5,
            47,
            "write `exempt`",
        ),
        (
            notation("{ certificates: [a], level: skip }"),
            5,
            47,
            "write `exempt`",
        ),
        (
            notation("{ certificates: [a], level: Strict }"),
            5,
            47,
            "not a level",
        ),
        (
            notation("{ certificates: [a], revocation: skip }"),
            5,
            52,
            "`off`",
        ),
        (
            notation("{ certificates: [a], revocation: false }"),
            5,
            0,
            "",
        ),
        (
            notation("{ certificates: [a], metadata: { a: 1 } }"),
            5,
            0,
            "",
        ),
        (notation("{ certificates: [a], metadata: [a] }"), 5, 0, ""),
        (
            notation("{ certificates: [a], metadata: { a: } }"),
            5,
            0,
            "a value is missing",
        ),
        (
            notation("{ certificates: [a], metadata: { a: b, a: c } }"),
            5,
            0,
            "duplicate",
        ),
        (
            notation("{ certificates: [a], timestamp-roots: [] }"),
            5,
            57,
            "empty",
        ),
        (
            notation(&format!("{{ certificates: [{}] }}", many.join(", "))),
            5,
            35,
            "at most 100",
        ),
        (notation("{ trust-policy: a }"), 5, 19, "belong together"),
        (notation("{ trust-store: a }"), 5, 19, "belong together"),
        (
            notation("{ certificates: [a], trust-policy: a, trust-store: b }"),
            5,
            19,
            "give one",
        ),
        (
            notation("{ certificates: [a], trust-store: b }"),
            5,
            19,
            "give one",
        ),
        (
            notation("{ trust-policy: a, trust-store: b, level: strict }"),
            5,
            19,
            "leave the rest out",
        ),
        (
            notation("{ trust-policy: a, trust-store: b, identities: [\"*\"] }"),
            5,
            19,
            "leave the rest out",
        ),
        (
            notation("{ trust-policy: a, trust-store: b, revocation: log }"),
            5,
            19,
            "leave the rest out",
        ),
        (
            notation("{ trust-policy: a, trust-store: b, timestamp-roots: [a] }"),
            5,
            19,
            "leave the rest out",
        ),
    ]
}
