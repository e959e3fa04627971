//! `notation` demands of a policy: whom they allow, for which reason they deny, and how they count beside `dct`.

use std::sync::atomic::Ordering;

use acr_sandbox::{Denial, KeyKind, Operation, Service};
use acr_sign::Exit;

use super::signer::{CrlServer, Signer};
use crate::world::{Outcome, REPOSITORY, World};

const IMAGE: &str = "contoso.azurecr.io/shop/web:1.0";
const KEYS: &str = "keys: { one: akv:contoso/certificates/one, two: akv:contoso/certificates/two }";

/// Two certificates in the vault; the image is signed with the first, with metadata.
fn signed() -> World {
    let world = World::new();
    for name in ["one", "two"] {
        let subject = format!("CN={name},O=Contoso,ST=WA,C=US");
        world
            .sandbox
            .vault()
            .create_certificate(name, KeyKind::P256, &subject)
            .unwrap();
    }
    sign(
        &world,
        "akv:contoso/certificates/one",
        "--annotation branch=main",
    );
    world.sandbox.clear_log();
    world
}

fn sign(world: &World, key: &str, more: &str) {
    let outcome = world.run(&format!(
        "sign {IMAGE} --format notation --key {key} --force {more}"
    ));
    assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
}

/// A policy with names for keys, whose only rule requires this of every image.
fn requiring(members: &str) -> String {
    format!("version: 1\n{KEYS}\nverify:\n  - images: [\"**\"]\n    require: [ {members} ]\n")
}

fn notation(members: &str) -> String {
    requiring(&format!("{{ notation: {{ {members} }} }}"))
}

fn verify(world: &World, policy: &str, more: &str) -> Outcome {
    let file = world.write("policy.yaml", policy);
    world.run(&format!("verify {IMAGE} --policy {file} {more}"))
}

fn registry_requests(world: &World) -> usize {
    world
        .answered(Service::Registry)
        .iter()
        .filter(|entry| !entry.path.starts_with("/oauth2/"))
        .count()
}

#[test]
fn a_pinned_certificate_allows_what_it_signed_and_nothing_else() {
    let world = signed();
    let pem = pem::encode(&pem::Pem::new(
        "CERTIFICATE",
        world.sandbox.vault().certificate("one").unwrap(),
    ));
    world.write("one.pem", &pem);
    world
        .sandbox
        .registry()
        .push_image("shop/web", "unsigned", "other");
    let subject = |organization: &str| {
        format!("identities: [\"x509.subject: C=US, ST=WA, O={organization}\"]")
    };
    for (members, tag, exit, reason) in [
        ("certificates: [one]".to_owned(), "1.0", Exit::Done, None),
        ("certificates: [two, one]".into(), "1.0", Exit::Done, None),
        ("certificates: [one.pem]".into(), "1.0", Exit::Done, None),
        (
            "certificates: [\"akv:contoso/certificates/one\"]".into(),
            "1.0",
            Exit::Done,
            None,
        ),
        (
            "certificates: [one], metadata: { branch: main }".into(),
            "1.0",
            Exit::Done,
            None,
        ),
        (
            format!("certificates: [one], {}", subject("Contoso")),
            "1.0",
            Exit::Done,
            None,
        ),
        (
            "certificates: [two]".into(),
            "1.0",
            Exit::Rejected,
            Some("untrusted-key"),
        ),
        (
            "certificates: [one]".into(),
            "unsigned",
            Exit::Rejected,
            Some("unsigned"),
        ),
        (
            format!("certificates: [one], {}", subject("Fabrikam")),
            "1.0",
            Exit::Rejected,
            Some("untrusted-identity"),
        ),
        (
            "certificates: [one], metadata: { branch: dev }".into(),
            "1.0",
            Exit::Rejected,
            Some("metadata-mismatch"),
        ),
        (
            "certificates: [one], metadata: { team: shop }".into(),
            "1.0",
            Exit::Rejected,
            Some("metadata-mismatch"),
        ),
        // The key that signs, but not its certificate.
        (
            "certificates: [\"akv:contoso/keys/one\"]".into(),
            "1.0",
            Exit::Usage,
            Some("policy-invalid"),
        ),
        (
            "certificates: [\"akv:contoso/one\"]".into(),
            "1.0",
            Exit::Usage,
            Some("policy-invalid"),
        ),
        (
            "certificates: [none]".into(),
            "1.0",
            Exit::Usage,
            Some("config-invalid"),
        ),
        (
            "certificates: [policy.yaml]".into(),
            "1.0",
            Exit::Usage,
            Some("config-invalid"),
        ),
        (
            "certificates: [one], timestamp-roots: [one.pem]".into(),
            "1.0",
            Exit::Usage,
            Some("policy-invalid"),
        ),
    ] {
        let file = world.write("policy.yaml", &notation(&members));
        let outcome = world.run(&format!("verify {REPOSITORY}:{tag} --policy {file}"));
        assert_eq!(
            (outcome.exit, outcome.reasons()),
            (exit, reason.into_iter().collect()),
            "{members}: {}",
            outcome.stderr
        );
        assert_eq!(outcome.stdout.is_empty(), exit != Exit::Done, "{members}");
        if exit == Exit::Usage {
            assert!(
                outcome.stderr.contains("policy.yaml:5:"),
                "{members}: {}",
                outcome.stderr
            );
        }
    }
}

#[test]
fn a_ca_counts_only_for_identities_and_files_start_from_the_folder_of_the_policy() {
    let world = World::new();
    let signer = Signer::under_a_ca(&[]);
    std::fs::create_dir_all(world.folder.path().join("gate/certificates")).unwrap();
    world.write("gate/certificates/root.pem", &signer.root_pem);
    sign(
        &world,
        &format!("file:{}", world.write("key.pem", &signer.key_pem)),
        "",
    );
    let run = |members: &str| {
        let file = world.write(
            "gate/policy.yaml",
            &notation(&format!("certificates: [certificates/root.pem]{members}")),
        );
        world.run(&format!("verify {IMAGE} --policy {file}"))
    };
    let without = run("");
    assert_eq!(
        (without.exit, without.reasons()),
        (Exit::Usage, vec!["policy-invalid"])
    );
    assert!(
        without.stderr.contains("policy.yaml:5:45: certificates: "),
        "{}",
        without.stderr
    );
    assert!(
        without.stderr.contains("name the identities"),
        "{}",
        without.stderr
    );
    for (identities, exit, reason) in [
        ("x509.subject: C=US, ST=WA, O=Contoso", Exit::Done, None),
        ("*", Exit::Done, None),
        (
            "x509.subject: C=US, ST=WA, O=Fabrikam",
            Exit::Rejected,
            Some("untrusted-identity"),
        ),
    ] {
        let outcome = run(&format!(", identities: [\"{identities}\"]"));
        assert_eq!(
            (outcome.exit, outcome.reasons()),
            (exit, reason.into_iter().collect()),
            "{}",
            outcome.stderr
        );
    }
}

#[test]
fn of_several_files_the_one_that_is_wrong_is_named() {
    let world = signed();
    let authority = Signer::under_a_ca(&[]);
    world.write("ca.pem", &authority.root_pem);
    let leaf = pem::encode(&pem::Pem::new(
        "CERTIFICATE",
        world.sandbox.vault().certificate("one").unwrap(),
    ));
    world.write("leaf.pem", &leaf);
    for (members, wrong) in [
        ("certificates: [leaf.pem, ca.pem]", "ca.pem"),
        (
            "certificates: [one], timestamp-roots: [ca.pem, leaf.pem]",
            "leaf.pem",
        ),
    ] {
        let policy = notation(members);
        let column = policy.lines().nth(4).unwrap().find(wrong).unwrap() + 1;
        let outcome = verify(&world, &policy, "");
        assert_eq!(
            (outcome.exit, outcome.reasons()),
            (Exit::Usage, vec!["policy-invalid"]),
            "{}",
            outcome.stderr
        );
        assert!(
            outcome
                .stderr
                .contains(&format!("policy.yaml:5:{column}: ")),
            "{column}: {}",
            outcome.stderr
        );
    }
}

#[test]
fn n04_p09_levels_decide_what_is_enforced_and_the_lax_ones_are_said() {
    let world = signed();
    sign(&world, "akv:contoso/certificates/one", "--expiry 1h");
    let later = |members: &str| {
        let file = world.write("policy.yaml", &notation(members));
        world.run_at(
            &format!("verify {IMAGE} --policy {file} --output json"),
            Some(2 * 3600),
        )
    };
    // The signature without an end and the one that ended: the first is enough.
    assert_eq!(later("certificates: [one]").exit, Exit::Done);
    let world = World::new();
    world
        .sandbox
        .vault()
        .create_certificate("one", KeyKind::P256, "CN=one,O=Contoso,ST=WA,C=US")
        .unwrap();
    sign(&world, "akv:contoso/certificates/one", "--expiry 1h");
    let later = |members: &str| {
        let file = world.write("policy.yaml", &notation(members));
        world.run_at(
            &format!("verify {IMAGE} --policy {file} --output json"),
            Some(2 * 3600),
        )
    };
    for level in ["", ", level: strict", ", level: strict, revocation: off"] {
        let outcome = later(&format!("certificates: [one]{level}"));
        assert_eq!(
            (outcome.exit, outcome.reasons()),
            (Exit::Rejected, vec!["expired"]),
            "{level}: {}",
            outcome.stderr
        );
    }
    for (more, lax) in [
        ("level: permissive", vec!["level permissive"]),
        (
            "level: permissive, revocation: log",
            vec!["level permissive"],
        ),
        (
            "level: permissive, revocation: enforce",
            vec!["level permissive"],
        ),
        (
            "level: permissive, revocation: off",
            vec!["level permissive", "revocation off"],
        ),
    ] {
        let outcome = later(&format!("certificates: [one], {more}"));
        assert_eq!(outcome.exit, Exit::Done, "{more}: {}", outcome.stderr);
        let mut said: Vec<_> = outcome.json()["weakened"].as_array().unwrap().clone();
        said.dedup();
        assert_eq!(said, lax, "{more}");
        assert!(outcome.stderr.contains("expired"), "{}", outcome.stderr);
    }
}

#[test]
fn revocation_is_enforced_logged_or_off() {
    let server = CrlServer::bind();
    let responder = server.address();
    let signer = Signer::under_a_ca(&[&format!("http://{responder}/ca.crl")]);
    let asked = server.serve(signer.crl_that_revokes_it());
    let world = World::new();
    world.write("root.pem", &signer.root_pem);
    sign(
        &world,
        &format!("file:{}", world.write("key.pem", &signer.key_pem)),
        "",
    );
    let run = |revocation: &str, more: &str| {
        let members = format!("certificates: [root.pem], identities: [\"*\"]{revocation}");
        verify(
            &world,
            &notation(&members),
            &format!("--output json {more}"),
        )
    };
    let allowed = format!("--allow-private {responder}");
    for (revocation, exit, reason, lax) in [
        ("", Exit::Rejected, Some("revoked"), None),
        (
            ", revocation: enforce",
            Exit::Rejected,
            Some("revoked"),
            None,
        ),
        (
            ", level: permissive, revocation: enforce",
            Exit::Rejected,
            Some("revoked"),
            None,
        ),
        (
            ", revocation: log",
            Exit::Done,
            None,
            Some("revocation log"),
        ),
        (
            ", level: permissive",
            Exit::Done,
            None,
            Some("level permissive"),
        ),
    ] {
        let outcome = run(revocation, &allowed);
        assert_eq!(
            (outcome.exit, outcome.reasons()),
            (exit, reason.into_iter().collect()),
            "{}",
            outcome.stderr
        );
        assert_eq!(outcome.json()["weakened"][0].as_str(), lax, "{revocation}");
        assert!(
            outcome.stderr.contains("was revoked"),
            "{revocation}: {}",
            outcome.stderr
        );
    }
    let before = asked.load(Ordering::SeqCst);
    let off = run(", revocation: off", &allowed);
    assert_eq!(
        (off.exit, off.json()["weakened"][0].as_str()),
        (Exit::Done, Some("revocation off")),
        "{}",
        off.stderr
    );
    assert_eq!((before, asked.load(Ordering::SeqCst)), (5, 5));
    // What cannot be asked is not known, and that is no yes.
    let unknown = run("", "");
    assert_eq!(
        (unknown.exit, unknown.reasons()),
        (Exit::Undecided, vec!["revocation-unknown"]),
        "{}",
        unknown.stderr
    );
}

/// notation's own policy for the image, with the certificate `one` in the store or without.
fn notation_files(world: &World, verification: &serde_json::Value, trusted: bool) {
    let store = world.folder.path().join("notation/truststore/x509/ca/own");
    std::fs::create_dir_all(&store).unwrap();
    std::fs::write(store.join("stranger.crt"), Signer::under_a_ca(&[]).root_pem).unwrap();
    let _ = std::fs::remove_file(store.join("one.der"));
    if trusted {
        std::fs::write(
            store.join("one.der"),
            world.sandbox.vault().certificate("one").unwrap(),
        )
        .unwrap();
    }
    let mut statement = serde_json::json!({
        "name": "shop", "registryScopes": [REPOSITORY], "signatureVerification": verification,
    });
    if verification["level"] != "skip" {
        statement["trustStores"] = serde_json::json!(["ca:own"]);
        statement["trustedIdentities"] = serde_json::json!(["*"]);
    }
    let policy = serde_json::json!({"version": "1.0", "trustPolicies": [statement]});
    world.write("notation/trustpolicy.json", &policy.to_string());
}

#[test]
fn what_notations_own_policy_lets_pass_unproven_satisfies_nothing() {
    let world = signed();
    let own = "trust-policy: notation/trustpolicy.json, trust-store: notation/truststore";
    let logged = serde_json::json!({"level": "strict", "override": {"authenticity": "log"}});
    let level = |level: &str| serde_json::json!({"level": level});
    for (verification, trusted, exit, reason, status) in [
        (level("strict"), true, Exit::Done, None, "verified"),
        (level("permissive"), true, Exit::Done, None, "verified"),
        (
            level("strict"),
            false,
            Exit::Rejected,
            Some("untrusted-key"),
            "rejected",
        ),
        (
            level("permissive"),
            false,
            Exit::Rejected,
            Some("untrusted-key"),
            "rejected",
        ),
        (
            level("audit"),
            false,
            Exit::Rejected,
            Some("untrusted-key"),
            "rejected",
        ),
        (
            logged,
            false,
            Exit::Rejected,
            Some("untrusted-key"),
            "rejected",
        ),
        (
            level("skip"),
            false,
            Exit::Rejected,
            Some("untrusted-key"),
            "rejected",
        ),
        // The level only says what is recorded; this signer is trusted.
        (level("audit"), true, Exit::Done, None, "verified"),
    ] {
        notation_files(&world, &verification, trusted);
        let outcome = verify(&world, &notation(own), "--output json");
        let said = (outcome.exit, outcome.reasons());
        assert_eq!(
            said,
            (exit, reason.into_iter().collect()),
            "{verification}: {}",
            outcome.stderr
        );
        assert_eq!(
            outcome.json()["images"][0]["status"],
            status,
            "{verification}"
        );
        // It counts for nothing in a list, either.
        let beside = format!(
            "{{ any: [ {{ notation: {{ {own} }} }}, {{ notation: {{ certificates: [two] }} }} ] }}"
        );
        assert_eq!(
            verify(&world, &requiring(&beside), "").exit,
            exit,
            "{verification}"
        );
        let metadata = verify(
            &world,
            &notation(&format!("{own}, metadata: {{ branch: dev }}")),
            "",
        );
        let reason = if verification["level"] == "skip" {
            "untrusted-key"
        } else {
            reason.unwrap_or("metadata-mismatch")
        };
        assert_eq!(metadata.exit, Exit::Rejected, "{verification}");
        assert!(
            ["metadata-mismatch", reason].contains(&metadata.reasons()[0]),
            "{verification}: {}",
            metadata.stderr
        );
    }
    let elsewhere = world
        .sandbox
        .registry()
        .push_image("shop/other", "1.0", "other")
        .digest;
    let file = world.write("policy.yaml", &notation(own));
    let outcome = world.run(&format!(
        "verify contoso.azurecr.io/shop/other@{elsewhere} --policy {file}"
    ));
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Rejected, vec!["no-rule"]),
        "{}",
        outcome.stderr
    );
    for (name, text, reason) in [
        ("trustpolicy.json", "{}", "policy-invalid"),
        ("none.json", "", "config-invalid"),
    ] {
        world.write("notation/trustpolicy.json", text);
        let policy = notation(&own.replace("trustpolicy.json", name));
        let outcome = verify(&world, &policy, "");
        assert_eq!(
            (outcome.exit, outcome.reasons()),
            (Exit::Usage, vec![reason]),
            "{name}: {}",
            outcome.stderr
        );
        assert!(
            outcome.stderr.contains("policy.yaml:5:"),
            "{name}: {}",
            outcome.stderr
        );
    }
}

/// Trust data in which `release` and the key of the certificate `one` sign, and signatures of `one` in both formats.
fn signed_in_both_formats() -> (World, String) {
    let world = signed();
    let init = world.run(&format!(
        "trust init {REPOSITORY} --root-key akv:contoso/keys/root --targets-key akv:contoso/keys/targets \
         --signer release=akv:contoso/keys/release --signer one=akv:contoso/certificates/one --output json"
    ));
    assert_eq!(init.exit, Exit::Done, "{}", init.stderr);
    let root = init.json()["root"]["keyIds"][0]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(world.sign(&["1.0"], &root).exit, Exit::Done);
    let own = world.run(&format!(
        "sign {IMAGE} --format dct --key akv:contoso/certificates/one --root {root}"
    ));
    assert_eq!(own.exit, Exit::Done, "{}", own.stderr);
    world.sandbox.clear_log();
    (world, root)
}

#[test]
fn a_key_counts_once_in_whatever_formats_it_signed() {
    let (world, root) = signed_in_both_formats();
    let dct = |signer: &str| format!("{{ dct: {{ roots: [\"{root}\"], signers: [{signer}] }} }}");
    let by = |name: &str| format!("{{ notation: {{ certificates: [{name}] }} }}");
    let two_of = |members: &[String]| format!("{{ at-least: 2, of: [ {} ] }}", members.join(", "));
    let any = |members: &[String]| format!("{{ any: [ {} ] }}", members.join(", "));
    // What is asked of the registry and of the trust server: nothing twice, and of the roles only those named.
    let (both, nobody, only_dct, only_notation) = ((4, 6), (4, 5), (1, 7), (4, 0));
    for (members, exit, reason, requests) in [
        (
            format!("{}, {}", dct("release"), by("one")),
            Exit::Done,
            None,
            both,
        ),
        (
            format!("{}, {}", dct("release"), by("two")),
            Exit::Rejected,
            Some("untrusted-key"),
            both,
        ),
        (
            format!("{}, {}", dct("nobody"), by("one")),
            Exit::Rejected,
            Some("unsigned"),
            nobody,
        ),
        (any(&[dct("nobody"), by("one")]), Exit::Done, None, nobody),
        (any(&[by("two"), dct("release")]), Exit::Done, None, both),
        (
            any(&[by("two"), dct("nobody")]),
            Exit::Rejected,
            Some("untrusted-key"),
            nobody,
        ),
        (two_of(&[dct("release"), by("one")]), Exit::Done, None, both),
        (
            two_of(&[dct("one"), by("one")]),
            Exit::Rejected,
            Some("threshold-not-met"),
            both,
        ),
        (
            two_of(&[dct("one"), dct("release")]),
            Exit::Done,
            None,
            only_dct,
        ),
        (
            two_of(&[by("one"), by("one")]),
            Exit::Rejected,
            Some("threshold-not-met"),
            only_notation,
        ),
        // Whoever is counted for the first member must not take the only key of the second.
        (
            two_of(&[any(&[dct("one"), dct("release")]), by("one")]),
            Exit::Done,
            None,
            (4, 7),
        ),
        (
            two_of(&[by("two"), dct("one"), by("one")]),
            Exit::Rejected,
            Some("untrusted-key"),
            both,
        ),
    ] {
        world.sandbox.clear_log();
        let outcome = verify(&world, &requiring(&members), "");
        let said = (outcome.exit, outcome.reasons());
        assert_eq!(
            said,
            (exit, reason.into_iter().collect()),
            "{members}: {}",
            outcome.stderr
        );
        let asked = (
            registry_requests(&world),
            world.answered(Service::TrustServer).len(),
        );
        assert_eq!(asked, requests, "{members}");
        // Each certificate is read once, with the list of its versions.
        let named = ["[one]", "[two]"]
            .iter()
            .filter(|name| members.contains(&format!("certificates: {name}")))
            .count();
        assert_eq!(world.answered(Service::Vault).len(), 2 * named, "{members}");
    }
}

#[test]
fn every_signer_of_an_image_can_be_counted() {
    let world = signed();
    let either = "{ notation: { certificates: [one, two] } }";
    let both = format!("{{ at-least: 2, of: [ {either}, {either} ] }}");
    let each =
        format!("{{ at-least: 2, of: [ {either}, {{ notation: {{ certificates: [two] }} }} ] }}");
    let outcome = verify(&world, &requiring(&both), "");
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Rejected, vec!["threshold-not-met"]),
        "{}",
        outcome.stderr
    );
    let either_by_name =
        "{ any: [ { notation: { certificates: [two] } }, { notation: { certificates: [one] } } ] }";
    let json = verify(&world, &requiring(either_by_name), "--output json").json();
    let demands = json["images"][0]["requirements"].as_array().unwrap().iter();
    let told: Vec<_> = demands
        .map(|demand| (demand["status"].as_str(), demand["reason"].as_str()))
        .collect();
    assert_eq!(
        told,
        [
            (Some("rejected"), Some("untrusted-key")),
            (Some("verified"), None)
        ],
        "{json:#}"
    );
    sign(&world, "akv:contoso/certificates/two", "");
    for members in [both, each] {
        let outcome = verify(&world, &requiring(&members), "--output json");
        assert_eq!(outcome.exit, Exit::Done, "{members}: {}", outcome.stderr);
        // Each is shown once for each way in which it was judged.
        let json = outcome.json();
        let shown = json["images"][0]["signatures"].as_array().unwrap().iter();
        let verified = shown
            .filter(|signature| signature["status"] == "verified")
            .count();
        assert_eq!(verified, 2, "{members}: {json:#}");
    }
}

#[test]
fn only_the_rules_that_decide_ask_for_their_keys() {
    let world = signed();
    let policy = format!(
        "version: 1\n{KEYS}\nverify:\n  - images: [contoso.azurecr.io/other/**]\n    require: [ {{ notation: {{ certificates: \
         [two] }} }} ]\n  - images: [contoso.azurecr.io/shop/web]\n    require: [ {{ notation: {{ certificates: [one] }} }} \
         ]\n  - images: [contoso.azurecr.io/shop/**]\n    require: [ {{ notation: {{ certificates: [none.pem] }} }} ]\n"
    );
    let outcome = verify(&world, &policy, "--output json");
    assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
    let rule = &outcome.json()["images"][0]["rule"];
    assert_eq!(
        (&rule["number"], &rule["location"]["line"]),
        (&2.into(), &6.into()),
        "{rule:#}"
    );
    assert_eq!(
        world.answered(Service::Vault).len(),
        2,
        "one certificate, and the list of its versions"
    );
    world.sandbox.clear_log();
    let file = world.write("policy.yaml", &policy);
    let outcome = world.run(&format!(
        "verify contoso.azurecr.io/third/web:1.0 --policy {file}"
    ));
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Rejected, vec!["no-rule"])
    );
    assert_eq!(world.sandbox.log().len(), 0);
}

#[test]
fn a_certificate_that_cannot_be_read_is_no_yes() {
    let world = signed();
    let any =
        "{ any: [ { notation: { certificates: [one] } }, { notation: { certificates: [two] } } ] }";
    for (certificate, reason, exit) in [
        (
            "akv:contoso/certificates/none",
            "key-not-found",
            Exit::Undecided,
        ),
        (
            "https://evil.example/certificates/one",
            "host-not-allowed",
            Exit::Usage,
        ),
    ] {
        let policy = requiring(any).replace("akv:contoso/certificates/two", certificate);
        let outcome = verify(&world, &policy, "");
        assert_eq!(
            (outcome.exit, outcome.reasons()),
            (exit, vec![reason]),
            "{}",
            outcome.stderr
        );
        assert_eq!(outcome.stdout, "");
    }
    world
        .sandbox
        .vault()
        .deny(Operation::CertificateGet, Denial::Rbac);
    let outcome = verify(&world, &notation("certificates: [one]"), "");
    assert_eq!(
        (outcome.exit, outcome.reasons()),
        (Exit::Undecided, vec!["vault-forbidden"]),
        "{}",
        outcome.stderr
    );
}

/// A manifest that claims to be a signature of the image by these certificates, and is none.
fn push_junk(world: &World, thumbprints: &[String], seed: &str) {
    let image = world
        .sandbox
        .registry()
        .manifest("shop/web", &world.digest("1.0"))
        .unwrap();
    let subject = serde_json::json!({
        "mediaType": "application/vnd.oci.image.index.v1+json", "digest": world.digest("1.0"), "size": image.len(),
    });
    let manifest = serde_json::json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "artifactType": "application/vnd.cncf.notary.signature", "layers": [], "subject": subject,
        "annotations": {
            "io.cncf.notary.x509chain.thumbprint#S256": serde_json::json!(thumbprints).to_string(),
            "org.opencontainers.image.created": format!("2999-01-01T00:00:00Z {seed}"),
        },
    });
    world
        .sandbox
        .registry()
        .push_manifest_bytes("shop/web", manifest.to_string().as_bytes());
}

#[test]
fn n01_n02_the_demands_of_a_rule_share_what_is_fetched_of_an_image() {
    let world = signed();
    for name in ["three", "four"] {
        let subject = format!("CN={name},O=Contoso,ST=WA,C=US");
        world
            .sandbox
            .vault()
            .create_certificate(name, KeyKind::P256, &subject)
            .unwrap();
    }
    sign(&world, "akv:contoso/certificates/two", "");
    let thumbprint = |name: &str| {
        let der = world.sandbox.vault().certificate(name).unwrap();
        acr_sign::crypto::Certificate::from_der(&der)
            .unwrap()
            .thumbprint_sha256()
    };
    // Whoever may push claims the first certificate more often than is looked at, and others without end.
    for number in 0..60 {
        push_junk(&world, &[thumbprint("one")], &format!("one {number}"));
        push_junk(&world, &[], &format!("nobody {number}"));
    }
    let by = |name: &str| {
        format!("{{ notation: {{ certificates: [\"akv:contoso/certificates/{name}\"] }} }}")
    };
    let asked = |path: &str| {
        let entries = world.answered(Service::Registry);
        entries
            .iter()
            .filter(|entry| entry.path.contains(path))
            .count()
    };
    for (demands, exit, reasons, envelopes) in [
        // Junk that claims `one` leaves a turn to what claims `two`.
        (
            format!("{{ any: [ {}, {} ] }}", by("one"), by("two")),
            Exit::Done,
            vec![],
            1,
        ),
        (
            format!(
                "{{ any: [ {}, {}, {} ] }}",
                by("one"),
                by("two"),
                by("three")
            ),
            Exit::Done,
            vec![],
            1,
        ),
        (
            format!("{}, {}, {}", by("one"), by("two"), by("three")),
            Exit::Undecided,
            vec!["limit-reached"],
            1,
        ),
        (
            format!("{{ any: [ {}, {} ] }}", by("three"), by("four")),
            Exit::Undecided,
            vec!["limit-reached"],
            0,
        ),
        // It has the better of its turns where it claims what several trust.
        (
            format!(
                "{{ any: [ {}, {{ notation: {{ certificates: [one, two] }} }} ] }}",
                by("two")
            ),
            Exit::Done,
            vec![],
            1,
        ),
        (by("two"), Exit::Done, vec![], 1),
    ] {
        world.sandbox.clear_log();
        let outcome = verify(&world, &requiring(&demands), "");
        assert_eq!(
            (outcome.exit, outcome.reasons()),
            (exit, reasons),
            "{demands}: {}",
            outcome.stderr
        );
        // Fifty candidates of the image, however many demands look at them, and the list of them.
        assert_eq!(asked("/manifests/sha256:"), 50, "{demands}");
        assert!(
            asked("/blobs/") >= envelopes,
            "{demands}: {}",
            asked("/blobs/")
        );
        assert!(asked("/blobs/") <= 2, "{demands}: {}", asked("/blobs/"));
    }
    // What a policy is made of is no more.
    world.sandbox.clear_log();
    let folder = world.folder.path().join("pins");
    let outcome = world.run(&format!(
        "policy init {IMAGE} --certificates {} --retries 0",
        folder.display()
    ));
    assert_eq!(outcome.exit, Exit::Undecided, "{}", outcome.stderr);
    assert_eq!(asked("/manifests/sha256:"), 50);
}
