//! What a person reads when something is wrong: object, cause and hint, held against a page that can be read through.

use acr_sandbox::{Action, Denial, Fault, KeyKind, Operation, Role};
use acr_sign::Exit;

use crate::{
    snapshot::snapshot,
    world::{Outcome, REPOSITORY, World},
};

const DAY: i64 = 24 * 60 * 60;
const KEY: &str = "--key akv:contoso/keys/release";
/// The managed identity of the sandbox.
const CLIENT: &str = "00000000-0000-0000-0000-00000000c11e";

/// One wrong run per section: the command, what it prints, and its exit code.
struct Page {
    world: World,
    root: String,
    text: String,
}

impl Page {
    /// Nothing is allowed, nothing is signed, nothing is published, and no credential is told.
    fn add(&mut self, what: &str, line: &str, ahead: Option<i64>) {
        let before = self.world.sandbox.trust().versions(REPOSITORY);
        let outcome = self.world.run_at(&format!("{line} --retries 0"), ahead);
        assert_eq!(
            self.world.sandbox.trust().versions(REPOSITORY),
            before,
            "{what}"
        );
        self.told(what, line, &outcome);
    }

    fn told(&mut self, what: &str, line: &str, outcome: &Outcome) {
        assert_ne!(outcome.exit, Exit::Done, "{what}");
        assert_eq!(outcome.reasons().len(), 1, "{what}: {}", outcome.stderr);
        let done = |line: &str| line.starts_with("signed") || line.starts_with(REPOSITORY);
        assert!(
            !outcome.stdout.lines().any(done),
            "{what}: {}",
            outcome.stdout
        );
        let sent: Vec<String> = self
            .world
            .sandbox
            .log()
            .into_iter()
            .filter_map(|entry| entry.credential)
            .collect();
        for secret in sent.iter().filter_map(|header| header.split(' ').nth(1)) {
            assert!(
                !outcome.stderr.contains(secret) && !outcome.stdout.contains(secret),
                "{what}"
            );
        }
        let told = format!("$ acr-sign {line}\n{}", outcome.stderr);
        let told = told
            .replace(" (os error 111)", "")
            .replace(" (os error 61)", "");
        let told = steady(
            &told.replace(&format!("{}/", self.world.folder.path().display()), ""),
            &self.root,
        );
        self.text.push_str(&format!(
            "### {what}: exit {}\n\n```console\n{told}```\n\n",
            outcome.exit.code()
        ));
    }

    fn sign(&mut self, what: &str, rest: &str) {
        let line = format!("sign {rest} --format dct --root {}", self.root);
        self.add(what, &line, None);
    }

    /// `sign` with nothing wrong in it.
    fn sign_well(&mut self, what: &str) {
        self.sign(what, &format!("{REPOSITORY}:1 {KEY}"));
    }

    fn verify(&mut self, what: &str, tag: &str, ahead: Option<i64>) {
        let line = format!(
            "verify {REPOSITORY}:{tag} --format dct --root {}",
            self.root
        );
        self.add(what, &line, ahead);
    }

    fn with_fault(&mut self, fault: Fault, add: impl FnOnce(&mut Self)) {
        self.world.sandbox.fault(fault);
        add(self);
        self.world.sandbox.clear_faults();
    }

    fn names_and_keys(&mut self) {
        self.text.push_str("## Names, keys and pins\n\n");
        self.sign(
            "a name that is none",
            &format!("contoso.azurecr.io/Shop/web:1.0 {KEY}"),
        );
        self.sign("a name without a registry", &format!("shop/web:1.0 {KEY}"));
        self.sign(
            "a digest that is none",
            &format!("{REPOSITORY}@sha256:abc {KEY}"),
        );
        self.sign(
            "a tag that is not there",
            &format!("{REPOSITORY}:none {KEY}"),
        );
        self.sign(
            "a repository that is not there",
            &format!("contoso.azurecr.io/shop/wbe:1.0 {KEY}"),
        );
        let digest = format!("sha256:{}", "0".repeat(64));
        self.sign(
            "another digest than was built",
            &format!("{REPOSITORY}:1 --digest {digest} {KEY}"),
        );
        let elsewhere = "https://contoso.vault.azure.example/keys/release";
        self.sign(
            "a vault host that is not known",
            &format!("{REPOSITORY}:1 --key {elsewhere}"),
        );
        self.sign(
            "a key that is not there",
            &format!("{REPOSITORY}:1 --key akv:contoso/keys/none"),
        );
        self.sign(
            "a key of the wrong kind",
            &format!("{REPOSITORY}:1 --key akv:contoso/keys/p384"),
        );
        self.sign(
            "a key that may not sign",
            &format!("{REPOSITORY}:1 --key akv:contoso/keys/targets"),
        );
        self.add(
            "no pin",
            &format!("sign {REPOSITORY}:1 --format dct {KEY}"),
            None,
        );
        let other = "0".repeat(64);
        self.add(
            "another pin, to sign",
            &format!("sign {REPOSITORY}:1 --format dct {KEY} --root {other}"),
            None,
        );
        self.add(
            "another pin, to verify",
            &format!("verify {REPOSITORY}:1.0 --format dct --root {other}"),
            None,
        );
        self.verify("a tag that nobody signed", "1", None);
    }

    fn trust_data(&mut self) {
        self.text.push_str("## Trust data\n\n");
        for (what, action, path) in [
            ("a truncated root", Action::Truncate(200), "/root.json"),
            (
                "a truncated timestamp",
                Action::Truncate(200),
                "/timestamp.json",
            ),
            (
                "a page in place of a timestamp",
                Action::Body("<html>".into()),
                "/timestamp.json",
            ),
            ("a truncated snapshot", Action::Truncate(200), "/snapshot."),
            (
                "a truncated list of tags",
                Action::Truncate(200),
                "/targets.",
            ),
            (
                "a flipped bit in a timestamp",
                Action::FlipBit,
                "/timestamp.json",
            ),
            (
                "a flipped bit in a list of tags",
                Action::FlipBit,
                "/targets.",
            ),
            ("an answer that is cut", Action::Cut(200), "/targets."),
        ] {
            self.with_fault(Fault::new(action).path(path), |page| {
                page.verify(what, "1.0", None)
            });
        }
        let cut = Fault::new(Action::Truncate(200)).path("/targets.");
        self.with_fault(cut, |page| {
            page.sign_well("a truncated list of tags, to sign")
        });
        let policy = format!(
            "version: 1\nverify:\n  - images: [\"**\"]\n    require:\n      - dct: {{ roots: [{}], \
             minimum-versions: {{ targets/releases: 9 }} }}\n",
            self.root
        );
        let policy = self.world.write("policy.yaml", &policy);
        self.add(
            "trust data that was rolled back",
            &format!("verify {REPOSITORY}:1.0 --policy {policy}"),
            None,
        );
        self.verify(
            "trust data that has ended, or a clock that is ahead",
            "1.0",
            Some(15 * DAY),
        );
        self.verify("a clock that is a month behind", "1.0", Some(-30 * DAY));
    }

    fn services(&mut self) {
        self.text.push_str("## Services and permissions\n\n");
        for host in ["contoso.azurecr.io", "contoso.vault.azure.net"] {
            let environment = self.world.environment.clone();
            for (name, value) in &mut self.world.environment {
                if name == "ACR_SIGN_CONNECT_TO" {
                    // Nobody listens on the discard port.
                    let entries = value.split(';').filter(|entry| !entry.starts_with(host));
                    *value = entries
                        .map(ToOwned::to_owned)
                        .chain([format!("{host}=127.0.0.1:9")])
                        .collect::<Vec<_>>()
                        .join(";");
                }
            }
            self.sign_well(&format!("`{host}` is down"));
            self.world.environment = environment;
        }
        for (what, path) in [
            ("the registry", "/manifests/"),
            ("the trust server", "/root.json"),
            ("the vault", "/keys/release"),
        ] {
            for (fails, action) in [
                ("closes connections", Action::Close),
                ("fails", Action::Status(503)),
            ] {
                self.with_fault(Fault::new(action).path(path), |page| {
                    page.sign_well(&format!("{what} {fails}"))
                });
            }
        }
        self.world.sandbox.acr().grant(CLIENT, &[Role::AcrPush]);
        self.sign_well("no permission to write trust data");
        self.world
            .sandbox
            .acr()
            .grant(CLIENT, &[Role::AcrPush, Role::AcrImageSigner]);
        let older = self
            .world
            .sandbox
            .trust()
            .current(REPOSITORY, "timestamp")
            .unwrap();
        self.world.sandbox.fault(
            Fault::new(Action::Body(older.into()))
                .path("/timestamp.json")
                .nth(2)
                .times(9),
        );
        let line = format!(
            "sign {REPOSITORY}:1 --format dct {KEY} --root {}",
            self.root
        );
        let outcome = self.world.run(&line);
        self.told("an older timestamp after publishing", &line, &outcome);
        self.world.sandbox.clear_faults();
        self.world
            .sandbox
            .vault()
            .deny(Operation::Sign, Denial::Rbac);
        self.sign(
            "no permission to sign in the vault",
            &format!("{REPOSITORY}:latest {KEY} --force"),
        );
        self.world
            .sandbox
            .vault()
            .deny(Operation::KeyGet, Denial::Rbac);
        self.sign_well("no permission to read the key");
        self.world.sandbox.acr().grant(CLIENT, &[]);
        self.verify("no permission to read the image", "1.0", None);
        self.world.sandbox.acr().grant(CLIENT, &[Role::AcrPull]);
    }

    fn images(&mut self) {
        self.text.push_str("## Images\n\n");
        self.world
            .sandbox
            .registry()
            .push_image("shop/web", "1.0", "moved");
        self.verify("a tag that moved", "1.0", None);
        self.world.sandbox.trust().remove(REPOSITORY);
        self.verify("no trust data", "1.0", None);
    }
}

/// A text without what differs from run to run.
fn steady(text: &str, root: &str) -> String {
    let part_of_a_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, ':' | '-' | '.');
    let mut steady = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = rest
            .find(|c| !part_of_a_word(c))
            .unwrap_or(rest.len())
            .max(first.len_utf8());
        let (word, behind) = rest.split_at(length);
        let hex =
            |text: &str| text.len() >= 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let is_time =
            |text: &str| text.len() >= 20 && text.ends_with('Z') && text.starts_with("20");
        let bare = word.trim_end_matches([':', '.']);
        let named = |part: &str| match part {
            id if id == root => "<root key ID>".to_owned(),
            zeros if zeros.bytes().all(|byte| byte == b'0') => zeros.to_owned(),
            id if hex(id) => "<id>".to_owned(),
            digest if digest.strip_prefix("sha256:").is_some_and(hex) => "<digest>".to_owned(),
            other => other.to_owned(),
        };
        let parts: Vec<String> = bare.split('.').map(named).collect();
        steady.push_str(&if is_time(bare) {
            "<time>".to_owned()
        } else {
            parts.join(".")
        });
        steady.push_str(&word[bare.len()..]);
        rest = behind;
    }
    steady
}

#[test]
fn every_wrong_input_is_told_with_object_cause_and_hint() {
    let (world, root) = World::initialised();
    assert_eq!(world.sign(&["1.0", "latest"], &root).exit, Exit::Done);
    world.sandbox.vault().create_key("p384", KeyKind::P384);
    let mut page = Page {
        world,
        root,
        text: "# What is printed when something is wrong\n\n".to_owned(),
    };
    page.names_and_keys();
    page.trust_data();
    page.services();
    page.images();
    snapshot("errors.md", &page.text);
}
