//! `policy init`: what it writes of what it finds, that this allows just that, and what it leaves alone.

use std::collections::BTreeMap;

use acr_sandbox::{Action, Fault, KeyKind, Service};
use acr_sign::{
    Exit,
    policy::{Config, Demand},
};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose,
};

use crate::{
    snapshot::snapshot,
    world::{Outcome, REPOSITORY, World},
};

/// The text with what differs from run to run taken out: times, digests, key IDs and thumbprints, each by its number.
fn steady(text: &str) -> String {
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    let mut out = String::new();
    let mut word = String::new();
    let end = |word: &mut String, out: &mut String, known: &mut BTreeMap<String, usize>| {
        let is_id = word.len() >= 32 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        let is_time = word.len() >= 20
            && word.ends_with('Z')
            && word.as_bytes()[4] == b'-'
            && word.contains('T');
        if is_id {
            let next = known.len() + 1;
            let number = *known
                .entry(word.get(..32).unwrap().to_owned())
                .or_insert(next);
            out.push_str(&format!("HEX{number}"));
        } else if is_time {
            out.push_str("TIME");
        } else {
            out.push_str(word);
        }
        word.clear();
    };
    for c in text.chars() {
        let in_time = matches!(c, '-' | ':') && word.starts_with('2');
        if c.is_ascii_alphanumeric() || in_time {
            word.push(c);
        } else {
            end(&mut word, &mut out, &mut known);
            out.push(c);
        }
    }
    end(&mut word, &mut out, &mut known);
    out
}

fn init(world: &World, line: &str) -> Outcome {
    world.run(&format!("policy init {line}"))
}

/// What is written is a policy; its rules in words.
fn rules(text: &str) -> Vec<String> {
    let config =
        Config::parse(text, "written.yaml").unwrap_or_else(|error| panic!("{error}\n{text}"));
    let one = |rule: &acr_sign::policy::Rule<acr_sign::policy::Leaf>| {
        let images: Vec<_> = rule.images.iter().map(ToString::to_string).collect();
        let Demand::Require(requirement) = &rule.demand else {
            panic!("{text}")
        };
        format!(
            "{}\n{}",
            images.join(" "),
            requirement.describe(&ToString::to_string)
        )
    };
    config.verify.unwrap().rules.iter().map(one).collect()
}

/// `verify` under a policy in the working directory: exit code and reasons.
fn verdict(world: &World, policy: &str, image: &str) -> (Exit, Vec<String>) {
    let file = world.write("written.yaml", policy);
    let outcome = world.run(&format!("verify {image} --policy {file}"));
    (
        outcome.exit,
        outcome
            .reasons()
            .into_iter()
            .map(ToOwned::to_owned)
            .collect(),
    )
}

fn rejected(reason: &str) -> (Exit, Vec<String>) {
    (Exit::Rejected, vec![reason.to_owned()])
}

#[test]
fn what_is_written_allows_what_was_found_and_nothing_else() {
    let (world, root) = World::initialised();
    assert_eq!(world.sign(&["1.0", "1"], &root).exit, Exit::Done);
    world
        .sandbox
        .registry()
        .push_image("shop/web", "unsigned", "unsigned");
    world.sandbox.clear_log();
    let outcome = init(
        &world,
        &format!("{REPOSITORY}:1.0 {REPOSITORY}:1 {REPOSITORY}:1.0"),
    );
    assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
    snapshot("policy/init.yaml", &steady(&outcome.stdout));
    assert!(outcome.stdout.contains(&root), "{}", outcome.stdout);
    assert!(
        outcome
            .stderr
            .contains("warning: trust on first use: nobody has vouched"),
        "{}",
        outcome.stderr
    );
    // Root, timestamp, snapshot, targets and two delegations; per tag a manifest, and an empty list in both forms.
    assert_eq!(world.answered(Service::TrustServer).len(), 6);
    let asked: Vec<String> = world
        .answered(Service::Registry)
        .into_iter()
        .map(|entry| entry.path)
        .collect();
    let asked: Vec<&String> = asked
        .iter()
        .filter(|path| path.starts_with("/v2/"))
        .collect();
    assert_eq!(asked.len(), 6, "{asked:#?}");
    let policy = outcome.stdout;
    for (tag, expected) in [
        ("1.0", (Exit::Done, vec![])),
        ("1", (Exit::Done, vec![])),
        ("latest", rejected("unsigned")),
        ("unsigned", rejected("unsigned")),
    ] {
        assert_eq!(
            verdict(&world, &policy, &format!("{REPOSITORY}:{tag}")),
            expected,
            "{tag}\n{policy}"
        );
    }
    assert_eq!(
        verdict(&world, &policy, "contoso.azurecr.io/shop/other:1"),
        rejected("no-rule")
    );
    let other = world.digest("unsigned");
    world.sandbox.registry().retag("shop/web", &other, "1.0");
    assert_eq!(
        verdict(&world, &policy, &format!("{REPOSITORY}:1.0")),
        rejected("digest-mismatch")
    );
    assert_eq!(
        init(&world, &format!("{REPOSITORY}:1.0")).reasons(),
        ["digest-mismatch"]
    );
    // What it says of itself: no mistakes, and nothing odd.
    let checked = world.run(&format!(
        "policy check --policy {}",
        world.write("written.yaml", &policy)
    ));
    assert_eq!((checked.exit, checked.stderr.as_str()), (Exit::Done, ""));
}

#[test]
fn what_is_not_signed_gets_no_rule_and_is_named() {
    let (world, root) = World::initialised();
    assert_eq!(world.sign(&["1.0"], &root).exit, Exit::Done);
    world
        .sandbox
        .registry()
        .push_image("shop/web", "unsigned", "unsigned");
    world
        .sandbox
        .registry()
        .push_image("shop/never", "1", "never");
    let line = format!("{REPOSITORY}:unsigned contoso.azurecr.io/shop/never:1 {REPOSITORY}:1.0");
    let outcome = init(&world, &line);
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Rejected, vec!["unsigned", "unsigned"]),
        "{}",
        outcome.stderr
    );
    assert_eq!(rules(&outcome.stdout).len(), 1, "{}", outcome.stdout);
    let last: Vec<&str> = outcome.stdout.lines().rev().take(3).collect();
    assert!(
        last[2].starts_with("# No rule here allows these images"),
        "{}",
        outcome.stdout
    );
    assert!(
        last[1].starts_with(&format!("# - {REPOSITORY}:unsigned (unsigned: ")),
        "{}",
        outcome.stdout
    );
    assert!(
        last[0].starts_with("# - contoso.azurecr.io/shop/never:1 (unsigned: "),
        "{}",
        outcome.stdout
    );
    assert_eq!(
        verdict(&world, &outcome.stdout, "contoso.azurecr.io/shop/never:1"),
        rejected("no-rule")
    );
    let json = init(&world, &format!("{line} --output json")).json();
    assert_eq!(rules(json["policy"].as_str().unwrap()).len(), 1);
    let statuses: Vec<_> = json["images"]
        .as_array()
        .unwrap()
        .iter()
        .map(|image| image["status"].clone())
        .collect();
    assert_eq!(statuses, ["rejected", "rejected", "shown"]);
    // Nothing signed: nothing to write.
    let outcome = init(&world, "contoso.azurecr.io/shop/never:1");
    assert_eq!(
        (outcome.exit, outcome.stdout.as_str()),
        (Exit::Rejected, ""),
        "{}",
        outcome.stderr
    );
    assert!(
        outcome.stderr.contains("warning: no policy was written"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn what_could_not_be_found_out_leaves_nothing_written() {
    let (world, root) = World::initialised();
    assert_eq!(world.sign(&["1.0"], &root).exit, Exit::Done);
    let file = world.folder.path().join("acr-sign.yaml");
    let line = format!("{REPOSITORY}:1.0 --to {}", file.display());
    for (service, images) in [
        (Service::TrustServer, String::new()),
        (Service::Registry, String::new()),
        (Service::Registry, format!("{REPOSITORY}:none ")),
    ] {
        if images.is_empty() {
            world
                .sandbox
                .fault(Fault::new(Action::Status(500)).service(service));
        }
        let outcome = init(&world, &format!("{images}{line} --retries 0"));
        assert_eq!(
            (outcome.exit, outcome.stdout.as_str()),
            (Exit::Undecided, ""),
            "{}",
            outcome.stderr
        );
        assert!(
            outcome.stderr.contains("no policy was written"),
            "{}",
            outcome.stderr
        );
        assert!(!file.exists());
        world.sandbox.clear_faults();
    }
}

#[test]
fn a_format_that_could_not_be_looked_at_is_not_left_out_of_the_policy() {
    let world = World::new();
    let image = format!("{REPOSITORY}:1.0");
    sign_notation(&world, &image, &signing_key("Contoso", "signer", false));
    let to = world.folder.path().join("acr-sign.yaml");
    let line = format!("{image} --retries 0 --to {}", to.display());
    world
        .sandbox
        .fault(Fault::new(Action::Status(500)).service(Service::TrustServer));
    let outcome = init(&world, &line);
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Undecided, vec!["registry-unreachable"]),
        "{}",
        outcome.stderr
    );
    assert!(!to.exists());
    world.sandbox.clear_faults();
    // A registry without content trust has nothing to leave out.
    world.sandbox.trust().set_enabled(false);
    let outcome = init(&world, &line);
    assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
    assert_eq!(rules(&std::fs::read_to_string(&to).unwrap()).len(), 1);
    let outcome = init(
        &world,
        &format!("{REPOSITORY}:1.0 {REPOSITORY}:latest {REPOSITORY}:none"),
    );
    assert_eq!(outcome.reasons(), ["not-found"], "{}", outcome.stderr);
}

#[test]
fn n01_a_signature_that_cannot_be_fetched_does_not_hide_the_good_one() {
    let world = World::new();
    let image = format!("{REPOSITORY}:1.0");
    sign_notation(&world, &image, &signing_key("Contoso", "junk", false));
    let digest = world.digest("1.0");
    let (junk, _) = world
        .sandbox
        .registry()
        .referring("shop/web", &digest)
        .remove(0);
    sign_notation(&world, &image, &signing_key("Contoso", "signer", false));
    world
        .sandbox
        .fault(Fault::new(Action::Status(404)).path(&junk));
    let folder = world.folder.path().join("pins");
    let outcome = init(
        &world,
        &format!("{image} --certificates {} --retries 0", folder.display()),
    );
    assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
    assert!(
        outcome.stderr.contains("not required: "),
        "{}",
        outcome.stderr
    );
    assert_eq!(
        rules(&outcome.stdout)[0].matches("notation: ").count(),
        1,
        "{}",
        outcome.stdout
    );
}

#[test]
fn a_file_that_is_there_is_overwritten_only_when_asked_to() {
    let (world, root) = World::initialised();
    assert_eq!(world.sign(&["1.0"], &root).exit, Exit::Done);
    world.sandbox.clear_log();
    let file = world.write("acr-sign.yaml", "mine");
    let line = format!("{REPOSITORY}:1.0 --to {file}");
    let outcome = init(&world, &line);
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Usage, vec!["usage"]),
        "{}",
        outcome.stderr
    );
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");
    assert_eq!(world.sandbox.log().len(), 0);
    let outcome = init(&world, &format!("{line} --overwrite"));
    assert_eq!(
        (outcome.exit, outcome.stdout),
        (Exit::Done, format!("wrote {file}\n")),
        "{}",
        outcome.stderr
    );
    assert_eq!(rules(&std::fs::read_to_string(&file).unwrap()).len(), 1);
    assert_eq!(
        world.run(&format!("verify {REPOSITORY}:1.0")).exit,
        Exit::Done
    );
    let outcome = init(
        &world,
        &format!(
            "{REPOSITORY}:1.0 --to {}/none/acr-sign.yaml",
            world.folder.path().display()
        ),
    );
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Usage, vec!["config-invalid"]),
        "{}",
        outcome.stderr
    );
    assert_eq!(
        init(&world, &format!("{REPOSITORY}:1.0 --overwrite")).exit,
        Exit::Usage
    );
    assert_eq!(init(&world, "").exit, Exit::Usage);
}

#[test]
fn several_tags_make_one_rule_that_allows_them_all() {
    let world = World::new();
    world.sandbox.vault().create_key("second", KeyKind::P256);
    let root = world.initialise();
    let add = format!(
        "trust signer add second {REPOSITORY} --signer-key akv:contoso/keys/second --targets-key \
         akv:contoso/keys/targets --root {root}"
    );
    assert_eq!(world.run(&add).exit, Exit::Done);
    let sign = |key: &str, tag: &str, roles: &[&str]| {
        let roles: String = roles.iter().map(|role| format!(" --role {role}")).collect();
        let line = format!(
            "sign {REPOSITORY}:{tag} --format dct --key akv:contoso/keys/{key} --root {root}{roles}"
        );
        assert_eq!(world.run(&line).exit, Exit::Done, "{line}");
    };
    sign("release", "1", &["targets/release"]);
    sign("second", "1", &["targets/second"]);
    sign("second", "latest", &["targets/second"]);
    let demand = |signers: &str| format!("dct: root {root}{signers}");
    // Both signers for the one; where another has but one of them, that one; where they have nothing in common, either.
    let outcome = init(&world, &format!("{REPOSITORY}:1"));
    let both = demand(", signed by `targets/release`, signed by `targets/second`");
    assert_eq!(
        rules(&outcome.stdout),
        [format!("{REPOSITORY}\nall of\n  {both}\n")]
    );
    let outcome = init(&world, &format!("{REPOSITORY}:1 {REPOSITORY}:latest"));
    assert_eq!(
        rules(&outcome.stdout),
        [format!(
            "{REPOSITORY}\nall of\n  {}\n",
            demand(", signed by `targets/second`")
        )]
    );
    sign("release", "1.0", &["targets/release"]);
    let outcome = init(
        &world,
        &format!("{REPOSITORY}:1.0 {REPOSITORY}:latest {REPOSITORY}:1"),
    );
    let either = [
        demand(", signed by `targets/release`"),
        demand(", signed by `targets/second`"),
    ];
    assert_eq!(
        rules(&outcome.stdout),
        [format!(
            "{REPOSITORY}\nall of\n  any of\n    {}\n    {}\n",
            either[0], either[1]
        )]
    );
    for tag in ["1", "1.0", "latest"] {
        assert_eq!(
            verdict(&world, &outcome.stdout, &format!("{REPOSITORY}:{tag}")).0,
            Exit::Done,
            "{tag}"
        );
    }
}

/// A key with a certificate for the organisation and name: alone, or under a CA, as PEM with its chain.
fn signing_key(organization: &str, name: &str, under_a_ca: bool) -> String {
    let named = |organization: &str, name: &str| {
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name = DistinguishedName::new();
        for (kind, value) in [
            (DnType::CountryName, "US"),
            (DnType::StateOrProvinceName, "WA"),
            (DnType::OrganizationName, organization),
            (DnType::CommonName, name),
        ] {
            parameters.distinguished_name.push(kind, value);
        }
        parameters
    };
    let key = KeyPair::generate().unwrap();
    let mut leaf = named(organization, name);
    leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning];
    if !under_a_ca {
        return key.serialize_pem() + &leaf.self_signed(&key).unwrap().pem();
    }
    let root_key = KeyPair::generate().unwrap();
    let mut root = named("Contoso", "Contoso Root");
    root.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root_pem = root.self_signed(&root_key).unwrap().pem();
    let leaf = leaf
        .signed_by(&key, &Issuer::new(root, root_key))
        .unwrap()
        .pem();
    key.serialize_pem() + &leaf + &root_pem
}

/// Signs by certificate.
fn sign_notation(world: &World, image: &str, key: &str) {
    let file = world.write("key.pem", key);
    let outcome = world.run(&format!(
        "sign {image} --format notation --key file:{file} --force"
    ));
    assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
}

#[test]
fn certificates_are_written_beside_the_policy() {
    let world = World::new();
    let folder = world.folder.path().join("gate");
    std::fs::create_dir(&folder).unwrap();
    for (tag, under_a_ca) in [("leaf", false), ("ca", true)] {
        world.sandbox.registry().push_image("shop/web", tag, tag);
        let image = format!("{REPOSITORY}:{tag}");
        sign_notation(
            &world,
            &image,
            &signing_key("Contoso", "signer", under_a_ca),
        );
        let to = folder.join(format!("{tag}.yaml"));
        world.sandbox.clear_log();
        let outcome = init(&world, &format!("{image} --to {}", to.display()));
        assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
        // The tag, the list, and two for the signature.
        let asked = world
            .answered(Service::Registry)
            .into_iter()
            .filter(|entry| entry.path.starts_with("/v2/"));
        assert_eq!(asked.count(), 4);
        snapshot(
            &format!("policy/init-{tag}.yaml"),
            &steady(&std::fs::read_to_string(&to).unwrap()),
        );
        let verify = |tag: &str| {
            let outcome = world.run(&format!(
                "verify {REPOSITORY}:{tag} --policy {}",
                to.display()
            ));
            (outcome.exit, outcome.reasons().concat())
        };
        assert_eq!(verify(tag), (Exit::Done, String::new()));
        assert_eq!(verify("1.0"), (Exit::Rejected, "unsigned".to_owned()));
        // Nothing new: the certificate is there already.
        let again = init(
            &world,
            &format!("{image} --to {} --overwrite", to.display()),
        );
        assert_eq!(again.exit, Exit::Done, "{}", again.stderr);
        world
            .sandbox
            .registry()
            .retag("shop/web", &world.digest("1.0"), tag);
        assert_eq!(verify(tag), (Exit::Rejected, "unsigned".to_owned()));
        assert_eq!(init(&world, &image).reasons(), ["unsigned"]);
    }
    assert_eq!(
        std::fs::read_dir(folder.join("certificates"))
            .unwrap()
            .count(),
        2
    );
}

#[test]
fn standard_output_needs_a_folder_for_certificates() {
    let world = World::new();
    let image = format!("{REPOSITORY}:1.0");
    sign_notation(&world, &image, &signing_key("Contoso", "signer", false));
    let without = init(&world, &image);
    assert_eq!(
        (without.exit, without.reasons()),
        (Exit::Usage, vec!["usage"]),
        "{}",
        without.stderr
    );
    assert!(
        without.stderr.contains("--certificates FOLDER"),
        "{}",
        without.stderr
    );
    assert_eq!(without.stdout, "");
    let folder = world.folder.path().join("pins");
    let outcome = init(
        &world,
        &format!("{image} --certificates {}", folder.display()),
    );
    assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
    assert_eq!(
        verdict(&world, &outcome.stdout, &image),
        (Exit::Done, vec![])
    );
    // A file of that name with something else in it is not ours to replace.
    let file = std::fs::read_dir(&folder)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    std::fs::write(&file, "mine").unwrap();
    let outcome = init(
        &world,
        &format!("{image} --certificates {}", folder.display()),
    );
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Usage, vec!["usage"]),
        "{}",
        outcome.stderr
    );
    assert_eq!(
        (
            outcome.stdout.as_str(),
            std::fs::read_to_string(&file).unwrap().as_str()
        ),
        ("", "mine")
    );
}

#[test]
fn what_signs_in_both_formats_is_demanded_in_both() {
    let (world, root) = World::initialised();
    assert_eq!(world.sign(&["1.0"], &root).exit, Exit::Done);
    let image = format!("{REPOSITORY}:1.0");
    sign_notation(&world, &image, &signing_key("Contoso", "one", false));
    sign_notation(&world, &image, &signing_key("Contoso", "two", true));
    let to = world.folder.path().join("acr-sign.yaml");
    let outcome = init(&world, &format!("{image} --to {}", to.display()));
    assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
    let found = rules(&std::fs::read_to_string(&to).unwrap());
    let lines: Vec<&str> = found[0].lines().collect();
    assert_eq!(
        (found.len(), lines.len(), lines[1]),
        (1, 5, "all of"),
        "{found:#?}"
    );
    assert!(
        lines[2].starts_with(&format!("  dct: root {root}, signed by")),
        "{found:#?}"
    );
    assert!(
        lines[3].starts_with("  notation: ") && lines[4].starts_with("  notation: "),
        "{found:#?}"
    );
    assert!(
        found[0].contains("signer `C=US, CN=two, O=Contoso, ST=WA`"),
        "{found:#?}"
    );
    assert_eq!(world.run(&format!("verify {image}")).exit, Exit::Done);
}

#[test]
fn repositories_that_demand_the_same_share_a_rule() {
    let world = World::new();
    world.sandbox.registry().push_image("shop/api", "1", "api");
    world
        .sandbox
        .registry()
        .push_image("shop/jobs", "1", "jobs");
    let (one, two) = (
        signing_key("Contoso", "one", true),
        signing_key("Contoso", "two", false),
    );
    let images = [
        "contoso.azurecr.io/shop/api:1",
        "contoso.azurecr.io/shop/jobs:1",
        "contoso.azurecr.io/shop/web:1.0",
    ];
    for (image, key) in images.iter().zip([&one, &two, &one]) {
        sign_notation(&world, image, key);
    }
    let to = world.folder.path().join("acr-sign.yaml");
    let outcome = init(
        &world,
        &format!("{} --to {}", images.join(" "), to.display()),
    );
    assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
    let found = rules(&std::fs::read_to_string(&to).unwrap());
    let first: Vec<&str> = found
        .iter()
        .filter_map(|rule| rule.lines().next())
        .collect();
    assert_eq!(
        first,
        [
            "contoso.azurecr.io/shop/api contoso.azurecr.io/shop/web",
            "contoso.azurecr.io/shop/jobs"
        ]
    );
    assert_eq!(
        world.run(&format!("verify {}", images.join(" "))).exit,
        Exit::Done
    );
}

#[test]
fn a_signature_that_does_not_hold_is_not_demanded_and_told() {
    let world = World::new();
    let image = format!("{REPOSITORY}:1.0");
    sign_notation(&world, &image, &signing_key("Contoso", "good", false));
    let file = world.write("key.pem", &signing_key("Contoso", "short", false));
    let line = format!("sign {image} --format notation --key file:{file} --force --expiry 1h");
    assert_eq!(world.run(&line).exit, Exit::Done);
    let to = world.folder.path().join("acr-sign.yaml");
    let outcome = world.run_at(
        &format!("policy init {image} --to {}", to.display()),
        Some(7200),
    );
    assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
    assert!(
        outcome
            .stderr
            .contains("not required: the signature expired at "),
        "{}",
        outcome.stderr
    );
    let text = std::fs::read_to_string(&to).unwrap();
    assert!(
        text.contains("CN=good") && !text.contains("CN=short"),
        "{text}"
    );
}

#[test]
fn p02_hostile_subjects_stay_in_comments_and_quotes() {
    let world = World::new();
    let hostile = [
        "a\nimages: [\"**\"]\n    exempt: { reason: x, until: 2999-12-31 }",
        "\r\n::error::x\r\n##vso[task.complete]x ##[error]",
        "\"]\nverify: []\n# ",
        "back\\slash, O=Other; #+<>=\"",
        " \t#comment\u{85}\u{2028}\u{202e}\u{feff}",
        "'{{ x }}' *anchor &anchor !tag %TAG @x `y`",
        "\u{1b}[2J\u{7}\u{7f}",
        "Müller 港",
    ];
    for (number, hostile) in hostile.into_iter().enumerate() {
        for under_a_ca in [true, false]
            .into_iter()
            .take(if number == 0 { 2 } else { 1 })
        {
            world.sandbox.registry().push_image(
                "shop/web",
                "hostile",
                &format!("{number} {under_a_ca}"),
            );
            let image = format!("{REPOSITORY}:hostile");
            sign_notation(&world, &image, &signing_key(hostile, hostile, under_a_ca));
            let to = world.folder.path().join("acr-sign.yaml");
            let outcome = init(
                &world,
                &format!("{image} --to {} --overwrite", to.display()),
            );
            assert_eq!(outcome.exit, Exit::Done, "{hostile:?}: {}", outcome.stderr);
            let text = std::fs::read_to_string(&to).unwrap();
            assert_eq!(rules(&text).len(), 1, "{text}");
            assert!(
                !text.chars().any(
                    |c| (c.is_control() && c != '\n') || "\u{2028}\u{202e}\u{feff}".contains(c)
                ),
                "{text}"
            );
            for command in ["::", "##vso[", "##["] {
                assert!(!text.contains(command), "{command}: {text}");
            }
            let known = [
                "version: 1",
                "verify:",
                "images:",
                "require:",
                "- notation:",
                "certificates:",
                "identities:",
            ];
            for line in text.lines() {
                let line = line
                    .trim_start()
                    .trim_start_matches("- images")
                    .trim_start();
                let ours = line.starts_with('#')
                    || line.starts_with(": [")
                    || known.iter().any(|word| line.starts_with(word));
                assert!(ours, "{line:?}\n{text}");
            }
            assert_eq!(
                world.run(&format!("verify {image}")).exit,
                Exit::Done,
                "{text}"
            );
        }
    }
}
