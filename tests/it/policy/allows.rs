//! Every way to an allow: behind each stands a verified signature, or an exemption that somebody wrote down.

use acr_sandbox::{Action, Fault, KeyKind, Service};
use acr_sign::{
    Exit,
    format::dct::RootTrust,
    policy::{FormatTrust, NotationTrust},
};

use crate::{
    flow::notation_files,
    world::{REPOSITORY, World},
};

/// What an allow rests on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Behind {
    /// Verified signatures, at least one in each of these formats.
    Signatures(&'static [&'static str]),
    /// What a statement of notation's own policy lets pass, if there is a signature to let pass or not.
    Statement { unsigned: bool },
    /// An exemption of the policy file.
    Exemption,
}

struct Way {
    name: &'static str,
    line: String,
    behind: Behind,
}

const DCT: Behind = Behind::Signatures(&["dct"]);
const NOTATION: Behind = Behind::Signatures(&["notation"]);
const BOTH: Behind = Behind::Signatures(&["dct", "notation"]);

/// An image that is signed in both formats, and another one that is not signed; with the root key ID.
pub fn signed_in_both_formats() -> (World, String) {
    let (world, root) = World::initialised();
    let signer = "CN=signer,O=Contoso,ST=WA,C=US";
    world
        .sandbox
        .vault()
        .create_certificate("signer", KeyKind::P256, signer)
        .unwrap();
    let keys = "--key dct=akv:contoso/keys/release --key notation=akv:contoso/certificates/signer";
    let signed = world.run(&format!(
        "sign {REPOSITORY}:1.0 --format dct,notation {keys} --root {root}"
    ));
    assert_eq!(signed.exit, Exit::Done, "{}", signed.stderr);
    world
        .sandbox
        .registry()
        .push_image("shop/web", "unsigned", "another");
    (world, root)
}

fn ways(world: &World, root: &str) -> (Vec<tempfile::TempDir>, Vec<Way>) {
    let mut ways = Vec::new();
    let mut way = |name, line: String, behind| ways.push(Way { name, line, behind });
    let flags = |more: &str| format!("--format {more}");
    let certificate = "--certificate akv:contoso/certificates/signer";
    way("a pinned root", flags(&format!("dct --root {root}")), DCT);
    way("first use", flags("dct --trust-on-first-use"), DCT);
    way(
        "a signer by name",
        flags(&format!("dct --root {root} --signer release")),
        DCT,
    );
    way(
        "a signer by key",
        flags(&format!("dct --root {root} --key akv:contoso/keys/release")),
        DCT,
    );
    way(
        "a pinned certificate",
        flags(&format!("notation {certificate}")),
        NOTATION,
    );
    way(
        "two formats",
        flags(&format!("dct,notation --root {root} {certificate}")),
        BOTH,
    );
    let mut folders = Vec::new();
    for (name, level, trusted, behind) in [
        ("a statement, strict", "strict", "signer", NOTATION),
        ("a statement, permissive", "permissive", "signer", NOTATION),
        (
            "a statement, audit",
            "audit",
            "",
            Behind::Statement { unsigned: false },
        ),
        (
            "a statement, skip",
            "skip",
            "",
            Behind::Statement { unsigned: true },
        ),
    ] {
        let (folder, files) = notation_files(world, level, trusted);
        way(name, flags(&format!("notation {files}")), behind);
        if level == "skip" {
            let line = flags(&format!("dct,notation --root {root} {files}"));
            way(
                "a pinned root and a statement, skip",
                line,
                Behind::Statement { unsigned: false },
            );
        }
        folders.push(folder);
    }
    let strict = folders[0].path().display().to_string();
    let dct = format!("dct: {{ roots: [\"{root}\"] }}");
    let own = "notation: { certificates: [\"akv:contoso/certificates/signer\"] }";
    for (number, (name, rule, behind)) in [
        ("a rule, pinned root", format!("require: [{{ {dct} }}]"), DCT),
        ("a rule, first use", "require: [{ dct: { trust-on-first-use: true } }]".to_owned(), DCT),
        (
            "a rule, signers and versions",
            format!(
                "require: [{{ dct: {{ roots: [\"{root}\"], signers: [release], minimum-versions: {{ root: 1 }} }} }}]"
            ),
            DCT,
        ),
        ("a rule, certificate", format!("require: [{{ {own} }}]"), NOTATION),
        (
            "a rule, statement",
            format!(
                "require: [{{ notation: {{ trust-policy: {strict}/trustpolicy.json, trust-store: {strict}/truststore }} }}]"
            ),
            NOTATION,
        ),
        ("a rule, all", format!("require: [{{ {dct} }}, {{ {own} }}]"), BOTH),
        ("a rule, nested", format!("require: [[{{ {dct} }}], {{ any: [[{{ {own} }}]] }}]"), BOTH),
        ("a rule, any", format!("require: [{{ any: [{{ {dct} }}, {{ {own} }}] }}]"), Behind::Signatures(&[])),
        ("a rule, at least two keys", format!("require: [{{ at-least: 2, of: [{{ {dct} }}, {{ {own} }}] }}]"), BOTH),
        ("a rule, exempt", "exempt: { reason: vendor, until: 2999-12-31 }".to_owned(), Behind::Exemption),
    ]
    .into_iter()
    .enumerate()
    {
        let file = world.write(
            &format!("policy-{number}.yaml"),
            &format!("version: 1\nverify:\n  - images: [{REPOSITORY}]\n    {rule}\n"),
        );
        way(name, format!("--policy {file}"), behind);
    }
    (folders, ways)
}

/// The kinds of trust there are; a new one has to find its place in the table above.
#[allow(dead_code, reason = "it is there to stop compiling")]
fn kinds(demand: &FormatTrust) -> &'static str {
    match demand {
        FormatTrust::Dct {
            root: RootTrust::Keys(_),
            ..
        } => "a pinned root",
        FormatTrust::Dct {
            root: RootTrust::Ca(_),
            ..
        } => "a CA, which flow::pins holds",
        FormatTrust::Dct {
            root: RootTrust::FirstUse,
            ..
        } => "first use",
        FormatTrust::Notation(trust) => match **trust {
            NotationTrust::Pinned(_) => "a pinned certificate",
            NotationTrust::Policy { .. } => "a statement",
        },
    }
}

#[test]
fn g04_behind_every_allow_stands_a_verified_signature_or_a_written_exemption() {
    let (world, root) = signed_in_both_formats();
    let (_folders, ways) = ways(&world, &root);
    let run = |way: &Way, tag: &str| {
        world.run(&format!(
            "verify {REPOSITORY}:{tag} {} --output json",
            way.line
        ))
    };
    for way in &ways {
        let name = way.name;
        let outcome = run(way, "1.0");
        assert_eq!(outcome.exit, Exit::Done, "{name}: {}", outcome.stderr);
        let document = outcome.json();
        let image = &document["images"][0];
        assert_eq!(document["decision"], "allow", "{name}");
        match way.behind {
            Behind::Signatures(formats) => {
                assert_eq!(image["status"], "verified", "{name}");
                assert_eq!(image["digest"], world.digest("1.0"), "{name}");
                let signatures = image["signatures"].as_array().unwrap();
                let verified: Vec<&str> = signatures
                    .iter()
                    .filter(|one| {
                        one["status"] == "verified"
                            && one["keyId"].as_str().is_some_and(|id| id.len() == 64)
                    })
                    .map(|one| one["format"].as_str().unwrap())
                    .collect();
                assert!(!verified.is_empty(), "{name}: {image}");
                assert!(
                    formats.iter().all(|format| verified.contains(format)),
                    "{name}: {image}"
                );
            }
            Behind::Statement { .. } => {
                assert_eq!(image["status"], "exempt", "{name}");
                assert!(
                    outcome.stderr.contains("statement `shop`"),
                    "{name}: {}",
                    outcome.stderr
                );
            }
            Behind::Exemption => {
                assert_eq!(image["status"], "exempt", "{name}");
                assert!(
                    outcome.stderr.contains("exempt until 2999-12-31 (vendor)"),
                    "{name}: {}",
                    outcome.stderr
                );
            }
        }

        let unsigned = run(way, "unsigned");
        let passes = matches!(
            way.behind,
            Behind::Exemption | Behind::Statement { unsigned: true }
        );
        let expected = if passes { Exit::Done } else { Exit::Rejected };
        assert_eq!(
            unsigned.exit, expected,
            "{name}, unsigned: {}",
            unsigned.stderr
        );
        assert_eq!(
            unsigned.json()["decision"],
            if passes { "allow" } else { "deny" },
            "{name}"
        );
    }

    // Without an answer nobody is let in but those who need none.
    for service in [Service::Registry, Service::TrustServer] {
        world
            .sandbox
            .fault(Fault::new(Action::Status(403)).service(service));
    }
    for way in &ways {
        let outcome = run(way, "1.0");
        let expected = if way.behind == Behind::Exemption {
            Exit::Done
        } else {
            Exit::Undecided
        };
        assert_eq!(outcome.exit, expected, "{}: {}", way.name, outcome.stderr);
    }
    world.sandbox.clear_faults();

    // What is signed is the digest, not the name.
    world
        .sandbox
        .registry()
        .push_image("shop/web", "1.0", "moved");
    for way in &ways {
        let outcome = run(way, "1.0");
        let passes = matches!(
            way.behind,
            Behind::Exemption | Behind::Statement { unsigned: true }
        );
        let expected = if passes { Exit::Done } else { Exit::Rejected };
        assert_eq!(
            outcome.exit, expected,
            "{}, moved: {}",
            way.name, outcome.stderr
        );
    }
}
