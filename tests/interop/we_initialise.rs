//! (a) We initialise and sign; notary and docker read it.

use crate::command::{run, run_with_input};
use crate::docker;
use crate::keys::KeyFiles;
use crate::notary::{Listed, Notary};
use crate::ours;
use crate::stack::{Access, Pushed, Stack};

/// A collection of ours with one signer, `alice`, and two signed tags: an image and an index.
struct Signed {
    stack: Stack,
    repository: String,
    pin: String,
    root: KeyFiles,
    targets: KeyFiles,
    alice: KeyFiles,
    image: Pushed,
    index: Pushed,
}

impl Signed {
    fn new(access: Access, path: &str) -> Self {
        let stack = Stack::start(access);
        let repository = stack.repository(path);
        let (root, targets, alice) = (
            KeyFiles::p256(stack.folder(), "root"),
            KeyFiles::p256(stack.folder(), "targets"),
            KeyFiles::p256(stack.folder(), "alice"),
        );
        let image = stack.push(&repository, "1.0", "one");
        let index = stack.push_index(&repository, "latest");
        let signer = format!("alice={}", alice.public_reference());
        let pin = ours::initialise(
            &stack,
            &repository,
            &root.reference(),
            &targets.reference(),
            &[signer],
        );
        let (one, latest) = (format!("{repository}:1.0"), format!("{repository}:latest"));
        ours::sign(&stack, &pin, &alice.reference(), &[&one, &latest]).ok();
        Self {
            stack,
            repository,
            pin,
            root,
            targets,
            alice,
            image,
            index,
        }
    }

    fn name(&self, tag: &str) -> String {
        format!("{}:{tag}", self.repository)
    }

    fn rows(&self, role: &str) -> Vec<Listed> {
        let row = |tag: &str, pushed: &Pushed| Listed {
            tag: tag.to_owned(),
            hex: pushed.hex().to_owned(),
            length: pushed.manifest.len(),
            role: role.to_owned(),
        };
        vec![row("1.0", &self.image), row("latest", &self.index)]
    }

    fn assert_notary_reads_it(&self) {
        let notary = Notary::new(&self.stack);
        for role in ["targets/alice", "targets/releases"] {
            assert_eq!(notary.list(&self.repository, role), self.rows(role));
        }
        let looked_up = notary.run(&["lookup", &self.repository, "1.0"]).ok();
        let expected = format!("1.0 {} {}", self.image.digest, self.image.manifest.len());
        assert_eq!(looked_up.stdout.trim(), expected);

        let manifest = self.stack.folder().join("manifest.json");
        std::fs::write(&manifest, &self.index.manifest).expect("the folder is ours");
        let file = manifest
            .to_str()
            .expect("temporary folders have plain names");
        notary
            .run(&[
                "verify",
                &self.repository,
                "latest",
                "--input",
                file,
                "--quiet",
            ])
            .ok();
        assert!(
            !notary
                .run(&[
                    "verify",
                    &self.repository,
                    "1.0",
                    "--input",
                    file,
                    "--quiet"
                ])
                .succeeded()
        );
    }

    fn assert_docker_reads_it(&self) {
        let inspected = docker::inspect(&self.stack, &self.repository);
        for (tag, pushed) in [("1.0", &self.image), ("latest", &self.index)] {
            let expected = (pushed.hex().to_owned(), vec!["alice".to_owned()]);
            assert_eq!(docker::signed(&inspected, tag), Some(expected));
        }
        assert_eq!(docker::signers(&inspected), ["alice"]);
        assert_eq!(docker::administrative_key(&inspected, "Root"), self.pin);
    }
}

#[test]
fn a_notary_and_docker_read_what_we_initialise_and_sign() {
    let signed = Signed::new(Access::Open, "shop/web");
    signed.assert_notary_reads_it();
    signed.assert_docker_reads_it();
    let verified = ours::verify(&signed.stack, &signed.pin, &signed.name("1.0")).ok();
    assert_eq!(
        verified.stdout.trim(),
        format!("{}@{}", signed.name("1.0"), signed.image.digest)
    );
}

#[test]
fn a_the_same_with_tokens() {
    let signed = Signed::new(Access::Tokens, "shop/web");
    signed.assert_notary_reads_it();
    signed.assert_docker_reads_it();
    ours::verify(&signed.stack, &signed.pin, &signed.name("latest")).ok();
}

/// The root certificate's common name is the repository's name, which may be longer than X.520 allows.
#[test]
fn a_long_repository_name_is_read_by_both() {
    let path = format!("{}/web", ["a-long-name"; 8].join("/"));
    let signed = Signed::new(Access::Open, &path);
    assert!(signed.repository.len() > 64);
    signed.assert_notary_reads_it();
    signed.assert_docker_reads_it();
}

/// notary kept the snapshot key itself until it was told otherwise; we can, too.
#[test]
fn a_snapshot_key_of_ours_is_read_by_both() {
    let stack = Stack::start(Access::Open);
    let repository = stack.repository("shop/own-snapshot");
    let keys = ["root", "targets", "snapshot"].map(|name| KeyFiles::p256(stack.folder(), name));
    let [root, targets, snapshot] = keys.map(|key| key.reference());
    let init = [
        "trust",
        "init",
        &repository,
        "--root-key",
        &root,
        "--targets-key",
        &targets,
    ];
    let mut command = ours::on(&stack, &init);
    command.args(["--snapshot-key", &snapshot]);
    let pin = run(command).ok().first_hash();
    assert_eq!(
        Notary::new(&stack).tags(&repository, "targets"),
        Vec::<String>::new()
    );
    assert_eq!(
        docker::administrative_key(&docker::inspect(&stack, &repository), "Root"),
        pin
    );
}

#[test]
fn a_revoked_tag_is_gone_for_both() {
    let signed = Signed::new(Access::Open, "shop/web");
    let (image, key) = (signed.name("1.0"), signed.alice.reference());
    let revoke = [
        "trust",
        "revoke",
        &image,
        "--key",
        &key,
        "--root",
        &signed.pin,
    ];
    run(ours::on(&signed.stack, &revoke)).ok();
    let notary = Notary::new(&signed.stack);
    assert_eq!(
        notary.tags(&signed.repository, "targets/releases"),
        ["latest"]
    );
    assert_eq!(notary.tags(&signed.repository, "targets/alice"), ["latest"]);
    let inspected = docker::inspect(&signed.stack, &signed.repository);
    assert_eq!(docker::signed(&inspected, "1.0"), None);
    ours::verify(&signed.stack, &signed.pin, &image)
        .exits(1)
        .says("unsigned");
}

#[test]
fn a_signer_that_we_add_is_one_for_docker() {
    let signed = Signed::new(Access::Open, "shop/web");
    let bob = KeyFiles::rsa(signed.stack.folder(), "bob");
    let (public, targets) = (bob.public_reference(), signed.targets.reference());
    let add = [
        "trust",
        "signer",
        "add",
        "bob",
        &signed.repository,
        "--signer-key",
        &public,
    ];
    let mut command = ours::on(&signed.stack, &add);
    command.args(["--targets-key", &targets, "--root", &signed.pin]);
    run(command).ok();
    ours::sign(
        &signed.stack,
        &signed.pin,
        &bob.reference(),
        &[&signed.name("1.0")],
    )
    .ok();
    let inspected = docker::inspect(&signed.stack, &signed.repository);
    assert_eq!(docker::signers(&inspected), ["alice", "bob"]);
    let (_, mut signers) = docker::signed(&inspected, "1.0").expect("it is signed");
    signers.sort();
    assert_eq!(signers, ["alice", "bob"]);
    signed.assert_notary_still_reads(&["1.0", "latest"]);
}

impl Signed {
    fn assert_notary_still_reads(&self, tags: &[&str]) {
        assert_eq!(
            Notary::new(&self.stack).tags(&self.repository, "targets/releases"),
            tags
        );
    }
}

/// The tag is pushed over behind the signer's back: the gate closes, the trust data still names the old one.
#[test]
fn a_moved_tag_is_rejected() {
    let signed = Signed::new(Access::Open, "shop/web");
    signed
        .stack
        .push(&signed.repository, "1.0", "something else");
    ours::verify(&signed.stack, &signed.pin, &signed.name("1.0"))
        .exits(1)
        .says("digest-mismatch");
    ours::verify(&signed.stack, &signed.pin, &signed.name("latest")).ok();
    signed.assert_notary_reads_it();
}

/// A second collection under the same root key: the pin of the first, being the certificate's, does not fit,
/// the canonical ID fits both.
#[test]
fn a_canonical_pin_serves_every_repository_of_one_root_key() {
    let signed = Signed::new(Access::Open, "shop/web");
    let other = signed.stack.repository("shop/other");
    signed.stack.push(&other, "1.0", "other");
    let alice = format!("alice={}", signed.alice.public_reference());
    let (root, targets) = (signed.root.reference(), signed.targets.reference());
    let pin = ours::initialise(&signed.stack, &other, &root, &targets, &[alice]);
    assert_ne!(pin, signed.pin);

    let notary = Notary::new(&signed.stack);
    notary.import(&signed.root.private, "root");
    let canonical = notary.root_key_id();
    let image = format!("{other}:1.0");
    ours::sign(
        &signed.stack,
        &canonical,
        &signed.alice.reference(),
        &[&image],
    )
    .ok();
    ours::verify(&signed.stack, &canonical, &image).ok();
    ours::verify(&signed.stack, &canonical, &signed.name("1.0")).ok();
    ours::verify(&signed.stack, &signed.pin, &image)
        .exits(1)
        .says("untrusted-root");
}

/// The account may pull only: both servers let it read, and the trust server answers the publication with 401.
#[test]
fn a_login_without_push_cannot_sign_and_changes_nothing() {
    let signed = Signed::new(Access::Tokens, "shop/web");
    signed.stack.push(&signed.repository, "2.0", "two");
    let (image, key) = (signed.name("2.0"), signed.alice.reference());
    let sign = [
        "sign",
        &image,
        "--format",
        "dct",
        "--key",
        &key,
        "--root",
        &signed.pin,
    ];
    let mut command = ours::on(&signed.stack, &sign);
    command.env("DOCKER_CONFIG", signed.stack.reader_docker_config());
    run(command).exits(3).says("signer-role-missing");
    signed.assert_notary_still_reads(&["1.0", "latest"]);
}

/// `--password-stdin` is the other way to log in.
#[test]
fn a_password_from_standard_input_is_a_login() {
    let signed = Signed::new(Access::Tokens, "shop/web");
    let password = signed.stack.folder().join("password");
    std::fs::write(&password, crate::stack::PUBLISHER.1).expect("the folder is ours");
    let image = signed.name("1.0");
    let mut command = ours::binary();
    command.args([
        "verify",
        &image,
        "--format",
        "dct",
        "--root",
        &signed.pin,
        "--trust-server",
    ]);
    command
        .arg(&signed.stack.trust_server)
        .arg("--ca-file")
        .arg(signed.stack.ca_file());
    command.args([
        "--allow-host",
        &signed.stack.registry,
        "--allow-host",
        signed.stack.trust_host(),
    ]);
    let tokens = signed.stack.token_host().expect("this stack wants tokens");
    command.args(["--allow-host", tokens]);
    command.args(["--username", crate::stack::PUBLISHER.0, "--password-stdin"]);
    run_with_input(command, &password).ok();
}
