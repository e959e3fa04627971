//! Keys and permissions of a vault that are not as signing needs them: the message names object, cause and fix, and
//! the fix, followed to the letter, mends it.

use acr_sandbox::{Action, Denial, Fault, KeyKind, Operation, Service};
use acr_sign::Exit;

use super::follow::follow;
use crate::{
    snapshot::snapshot,
    world::{Outcome, REPOSITORY, World},
};

const KEY: &str = "https://contoso.vault.azure.net/keys/release/";
const YEAR: i64 = 365 * 24 * 60 * 60;

/// A vault in which something is wrong, and the pages of what was printed.
struct Scene {
    world: World,
    line: String,
}

impl Scene {
    /// Signs with `release`, which may sign.
    fn dct() -> Self {
        let (world, root) = World::initialised();
        let line = format!(
            "sign {REPOSITORY}:1.0 --format dct --key akv:contoso/keys/release --root {root}"
        );
        Self { world, line }
    }

    /// Signs with a certificate.
    fn notation() -> Self {
        let world = World::new();
        let subject = "CN=shop,O=Contoso,ST=WA,C=US";
        let vault = world.sandbox.vault();
        vault
            .create_certificate("signing", KeyKind::P256, subject)
            .unwrap();
        let line = format!(
            "sign {REPOSITORY}:1.0 --format notation --key akv:contoso/certificates/signing"
        );
        Self { world, line }
    }

    fn run(&self) -> Outcome {
        self.world.run(&self.line)
    }

    /// The refusal with these parts, and the command that mends it; then the signature.
    fn mended(&self, page: &mut String, what: &str, reason: &str, parts: &[&str], command: &str) {
        let refused = self.refused(page, what, Exit::Undecided, reason, parts);
        let done = follow(&self.world.sandbox, &refused.stderr, command);
        let outcome = self.run();
        assert_eq!(outcome.exit, Exit::Done, "{done}: {}", outcome.stderr);
    }

    fn refused(
        &self,
        page: &mut String,
        what: &str,
        exit: Exit,
        reason: &str,
        parts: &[&str],
    ) -> Outcome {
        let outcome = self.run();
        assert_eq!(
            (outcome.exit, outcome.reasons()),
            (exit, vec![reason]),
            "{what}: {}",
            outcome.stderr
        );
        for part in parts {
            assert!(
                outcome.stderr.contains(part),
                "{what}: {part}: {}",
                outcome.stderr
            );
        }
        assert_eq!(self.world.vault_signatures(), 0, "{what}");
        page.push_str(&format!(
            "## {what}: exit {}\n\n```console\n{}```\n\n",
            outcome.exit.code(),
            steady(&outcome.stderr)
        ));
        outcome
    }
}

/// Without what differs from run to run: versions, times.
pub(super) fn steady(text: &str) -> String {
    let word = |word: &str| {
        let hex = word.len() == 32 && word.bytes().all(|b| b.is_ascii_hexdigit());
        let time = word.len() == 20 && word.starts_with("20") && word.ends_with('Z');
        match (hex, time) {
            (true, _) => "<VERSION>".to_owned(),
            (_, true) => "2027-01-01T00:00:00Z".to_owned(),
            _ => word.to_owned(),
        }
    };
    let part = |c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == ':');
    let mut out = String::new();
    for piece in text.split_inclusive(part) {
        let end = piece.find(part).unwrap_or(piece.len());
        let (name, rest) = piece.split_at(end);
        out.push_str(&word(name.trim_end_matches(':')));
        out.push_str(&name[name.trim_end_matches(':').len()..]);
        out.push_str(rest);
    }
    out
}

#[test]
fn every_fault_of_a_key_is_mended_by_what_is_said() {
    let mut page = "# Keys and vaults that are not as signing needs them\n\n".to_owned();
    permissions(&mut page);
    states(&mut page);
    pending(&mut page);
    kinds(&mut page);
    snapshot("vault.md", &page);
}

fn permissions(page: &mut String) {
    let object = "--assignee-object-id 00000000-0000-0000-0000-00000000b1d5";
    let role = "az role assignment create";
    let policy = "az keyvault set-policy";
    for (what, scene, operation, denial, parts, command) in [
        (
            "no role to sign",
            Scene::dct(),
            Operation::Sign,
            Denial::Rbac,
            [
                object,
                "--role \"Key Vault Crypto User\" --scope /subscriptions/",
                "keys/sign/action",
            ],
            role,
        ),
        (
            "no role to read the key",
            Scene::dct(),
            Operation::KeyGet,
            Denial::Rbac,
            [object, "--role \"Key Vault Crypto User\"", "keys/read"],
            role,
        ),
        (
            "no role to read the certificate",
            Scene::notation(),
            Operation::CertificateGet,
            Denial::Rbac,
            [object, "--role \"Key Vault Reader\"", "certificates/read"],
            role,
        ),
        (
            "no access policy to sign",
            Scene::dct(),
            Operation::Sign,
            Denial::AccessPolicy,
            [
                "--name contoso",
                "--object-id 00000000-0000-0000-0000-00000000b1d5",
                "--key-permissions get sign",
            ],
            policy,
        ),
        (
            "no access policy to read the certificate",
            Scene::notation(),
            Operation::CertificateGet,
            Denial::AccessPolicy,
            [
                "--name contoso",
                "--object-id",
                "--certificate-permissions get",
            ],
            policy,
        ),
        (
            "an address that the firewall refuses",
            Scene::dct(),
            Operation::Sign,
            Denial::Firewall,
            [
                "--name contoso",
                "--ip-address 203.0.113.7",
                "hosted runners",
            ],
            "az keyvault network-rule add",
        ),
    ] {
        scene.world.sandbox.vault().deny(operation, denial);
        scene.mended(page, what, "vault-forbidden", &parts, command);
    }
    // A certificate with a role for its public part alone: signing asks for the key.
    let scene = Scene::notation();
    scene
        .world
        .sandbox
        .vault()
        .deny(Operation::Sign, Denial::Rbac);
    let parts = ["vaults/contoso/keys/signing`", "Key Vault Crypto User"];
    scene.mended(
        page,
        "a certificate whose key may not sign",
        "vault-forbidden",
        &parts,
        role,
    );
}

fn states(page: &mut String) {
    let vault = |scene: &Scene, name: &str| {
        scene.world.sandbox.vault().set_enabled(name, false);
    };
    let scene = Scene::dct();
    vault(&scene, "release");
    let enable = format!("--id {KEY}");
    scene.mended(
        page,
        "a key that is disabled",
        "key-disabled",
        &[&enable, "--enabled true", "` version `"],
        "az keyvault key set-attributes",
    );
    let scene = Scene::notation();
    vault(&scene, "signing");
    let id = "--id https://contoso.vault.azure.net/certificates/signing/";
    scene.mended(
        page,
        "a certificate that is disabled",
        "key-disabled",
        &[id, "--enabled true"],
        "az keyvault certificate set-attributes",
    );
    let scene = Scene::dct();
    let period = |start, end| {
        scene
            .world
            .sandbox
            .vault()
            .set_period("release", start, end)
    };
    period(None, Some(1_700_000_000));
    scene.mended(
        page,
        "a key that has expired",
        "key-expired",
        &[
            "expired at 2023-11-14",
            &enable,
            "--expires 20",
            "az keyvault key rotate --vault-name contoso --name release",
        ],
        "az keyvault key set-attributes",
    );
    scene.world.sandbox.clear_log();
    let scene = Scene::dct();
    let future = time::OffsetDateTime::now_utc().unix_timestamp() + YEAR;
    scene
        .world
        .sandbox
        .vault()
        .set_period("release", Some(future), None);
    scene.mended(
        page,
        "a key that is not valid yet",
        "key-expired",
        &["not valid before", &enable, "--not-before 20"],
        "az keyvault key set-attributes",
    );
}

/// What a certificate is between its request and the answer of its authority (F13).
fn pending(page: &mut String) {
    let scene = Scene::notation();
    scene.world.sandbox.vault().set_pending("signing", true);
    let show = "`az keyvault certificate pending show --vault-name contoso --name signing`";
    scene.mended(
        page,
        "a certificate that is not issued yet",
        "key-disabled",
        &[
            "`contoso.vault.azure.net/certificates/signing` is not issued yet",
            show,
        ],
        "az keyvault certificate pending merge",
    );
}

fn kinds(page: &mut String) {
    for (what, kind, name) in [
        ("a P-384 key for content trust", KeyKind::P384, "p384"),
        ("a P-521 key for content trust", KeyKind::P521, "p521"),
    ] {
        let mut scene = Scene::dct();
        scene.world.sandbox.vault().create_key(name, kind);
        scene.line = scene.line.replace("keys/release", &format!("keys/{name}"));
        let create = format!(
            "`az keyvault key create --vault-name contoso --name {name}-p256 --kty EC --curve P-256 --ops sign verify`"
        );
        let parts = [
            create.as_str(),
            &format!("keys/{name}"),
            "SHA-256",
            "--format",
        ];
        let refused = scene.refused(page, what, Exit::Usage, "key-unsuitable", &parts);
        follow(
            &scene.world.sandbox,
            &refused.stderr,
            "az keyvault key create",
        );
        let shown = scene
            .world
            .run(&format!("key show akv:contoso/keys/{name}-p256"));
        assert!(
            !shown.stdout.contains("dct           not usable"),
            "{}",
            shown.stdout
        );
    }
}

#[test]
fn key_show_says_that_a_key_does_not_sign_now() {
    let scene = Scene::dct();
    let vault = scene.world.sandbox.vault();
    let show = |form: &str| {
        scene.world.run(&format!(
            "key show akv:contoso/keys/release --output {form}"
        ))
    };
    assert!(!show("text").stdout.contains("\nstate "));
    assert!(show("json").json()["unusable"].is_null());
    vault.set_enabled("release", false);
    let shown = show("text");
    assert_eq!(shown.exit, Exit::Done, "{}", shown.stderr);
    for part in [
        "\nstate         `contoso.vault.azure.net/keys/release` version `",
        "is disabled",
        "az keyvault key set-attributes --id https://contoso.vault.azure.net/keys/release/",
        "--enabled true",
    ] {
        assert!(shown.stdout.contains(part), "{part}: {}", shown.stdout);
    }
    assert_eq!(show("json").json()["unusable"]["reason"], "key-disabled");
    vault.set_enabled("release", true);
    vault.set_period("release", None, Some(1_700_000_000));
    assert!(show("text").stdout.contains("expired at 2023-11-14"));
    assert_eq!(show("json").json()["unusable"]["reason"], "key-expired");
}

/// An answer about another key, another vault or another kind is no answer, also in the right version (K02).
#[test]
fn k02_the_answer_names_key_and_vault() {
    for (from, to) in [
        ("/keys/release/", "/keys/other/"),
        ("//contoso.vault.azure.net/", "//fabrikam.vault.azure.net/"),
        (
            "//contoso.vault.azure.net/",
            "//contoso.vault.azure.net.evil.example/",
        ),
        ("/keys/release/", "/certificates/release/"),
        ("/keys/release/", "/keys/release/x/"),
    ] {
        for path in ["/keys/release", "/sign"] {
            let scene = Scene::dct();
            let replace = Action::Replace {
                from: from.into(),
                to: to.into(),
            };
            let fault = Fault::new(replace).service(Service::Vault).path(path);
            scene.world.sandbox.fault(fault);
            let outcome = scene.run();
            assert_eq!(
                (outcome.exit, outcome.reasons()),
                (Exit::Undecided, vec!["vault-answer-invalid"]),
                "{path} {to}: {}",
                outcome.stderr
            );
        }
    }
    let scene = Scene::notation();
    let replace = Action::Replace {
        from: "/certificates/signing/".into(),
        to: "/certificates/other/".into(),
    };
    scene
        .world
        .sandbox
        .fault(Fault::new(replace).service(Service::Vault));
    assert_eq!(scene.run().reasons(), ["vault-answer-invalid"]);
    // A vault keeps the case that a name was made with, and compares without it.
    let mut scene = Scene::dct();
    scene.line = scene.line.replace("keys/release", "keys/Release");
    let replace = Action::Replace {
        from: "/keys/Release/".into(),
        to: "/keys/release/".into(),
    };
    scene
        .world
        .sandbox
        .fault(Fault::new(replace).service(Service::Vault));
    assert_ne!(scene.run().reasons(), ["vault-answer-invalid"]);
}

/// Public keys that nothing verifies with are called that, as their private halves are (F18).
#[test]
fn a_public_key_of_an_unsuitable_kind_is_called_so() {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/fixtures/reports/18-public-key"
    );
    let secp256k1 = std::fs::read_to_string(format!("{folder}/secp256k1.pub")).unwrap();
    let rsa_1024 = "-----BEGIN PUBLIC KEY-----
\
        MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC7xJgfsnjz74y5nFo6Yw97iqCd
\
        5BL7rhYVmrNmg6LMoMhjLwAh8WFVMozYG+w7RFq2jWhjDLpGzcgps8luheNiJ5MW
\
        VxJ/YjKFLMZM74BLXKK4HUEcWL87wWfsuks4q/9xvWRwOx+8hDij4SI4rGg/ICB5
\
        58BAFEGIYg8c2KA80wIDAQAB
-----END PUBLIC KEY-----
";
    let x25519 = "-----BEGIN PUBLIC KEY-----
\
        MCowBQYDK2VuAyEAPa7otFJWFM8rN8ROFoeTyDLPBMrndeAilpHCtGnD+nM=
-----END PUBLIC KEY-----
";
    let world = World::new();
    for (name, text, why) in [
        ("secp256k1.pub", secp256k1.as_str(), "P-256"),
        ("rsa.pub", rsa_1024, "RSA"),
        ("x25519.pub", x25519, "RSA nor Ed25519"),
        (
            "broken.pub",
            "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
            "SubjectPublicKeyInfo",
        ),
        (
            "broken.crt",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "certificate",
        ),
    ] {
        let path = world.write(name, text);
        let outcome = world.run(&format!("key show file:{path}"));
        assert_eq!(
            (outcome.exit, outcome.reasons()),
            (Exit::Usage, vec!["key-unsuitable"]),
            "{name}: {}",
            outcome.stderr
        );
        assert!(
            outcome.stderr.contains("not a usable public key"),
            "{name}: {}",
            outcome.stderr
        );
        assert!(outcome.stderr.contains(why), "{name}: {}", outcome.stderr);
        assert!(
            !outcome.stderr.contains("private key"),
            "{name}: {}",
            outcome.stderr
        );
    }
}

/// Portals offer certificates in DER for download.
#[test]
fn a_certificate_is_read_in_der_as_in_pem() {
    let scene = Scene::notation();
    let world = &scene.world;
    assert_eq!(scene.run().exit, Exit::Done);
    let der = world.sandbox.vault().certificate("signing").unwrap();
    let path = world.folder.path().join("signing.cer");
    std::fs::write(&path, &der).unwrap();
    let line = format!(
        "verify {REPOSITORY}:1.0 --format notation --identity x509.subject:CN=shop,O=Contoso,ST=WA,C=US --certificate {}",
        path.display()
    );
    let outcome = world.run(&line);
    assert_eq!(outcome.exit, Exit::Done, "{}", outcome.stderr);
    let shown = world.run(&format!(
        "key show akv:contoso/keys/signing --certificate {}",
        path.display()
    ));
    assert_eq!(shown.exit, Exit::Done, "{}", shown.stderr);
    for bytes in [der.get(..20).unwrap(), b"", b"\xff\xfe"] {
        std::fs::write(&path, bytes).unwrap();
        let outcome = world.run(&line);
        assert_eq!(outcome.reasons(), ["config-invalid"], "{}", outcome.stderr);
        assert!(outcome.stderr.contains("PEM or DER"), "{}", outcome.stderr);
    }
}
