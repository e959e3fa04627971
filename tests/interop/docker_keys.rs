//! (e) Keys made by `docker trust key generate`: as the file that docker wrote, and imported into the
//! sandbox's vault, where they sign remotely under the same key ID.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::azure::sdk;
use crate::command::run;
use crate::docker::{self, DockerKey};
use crate::ours;
use crate::sandbox::Sandbox;
use crate::stack::{Access, Stack};

/// A collection that docker made, with the signer `alice` whose key docker made, too.
struct Collection {
    stack: Stack,
    repository: String,
    pin: String,
    alice: DockerKey,
}

impl Collection {
    fn new() -> Self {
        let stack = Stack::start(Access::Open);
        let repository = stack.repository("shop/web");
        let alice = docker::generate_key(&stack, stack.folder(), "alice");
        docker::add_signer(&stack, "alice", &alice.public, &repository);
        let pin = docker::administrative_key(&docker::inspect(&stack, &repository), "Root");
        Self {
            stack,
            repository,
            pin,
            alice,
        }
    }

    fn assert_signed(&self, tag: &str, hex: &str) {
        let inspected = docker::inspect(&self.stack, &self.repository);
        assert_eq!(
            docker::signed(&inspected, tag),
            Some((hex.to_owned(), vec!["alice".to_owned()]))
        );
        ours::verify(
            &self.stack,
            &self.pin,
            &format!("{}:{tag}", self.repository),
        )
        .ok();
    }
}

#[test]
fn e_a_key_file_of_docker_signs() {
    let collection = Collection::new();
    let key = collection.alice.reference();
    let mut show = ours::binary();
    show.args(["key", "show", &key])
        .env(docker::PASSPHRASE.0, docker::PASSPHRASE.1);
    run(show).ok().says(&collection.alice.id());

    let pushed = collection.stack.push(&collection.repository, "1.0", "one");
    let image = format!("{}:1.0", collection.repository);
    let mut sign = ours::on(
        &collection.stack,
        &["sign", &image, "--format", "dct", "--key", &key],
    );
    sign.args(["--root", &collection.pin])
        .env(docker::PASSPHRASE.0, docker::PASSPHRASE.1);
    run(sign).ok();
    collection.assert_signed("1.0", pushed.hex());
}

#[test]
fn e_a_wrong_passphrase_is_said_and_signs_nothing() {
    let collection = Collection::new();
    collection.stack.push(&collection.repository, "1.0", "one");
    let (image, key) = (
        format!("{}:1.0", collection.repository),
        collection.alice.reference(),
    );
    let mut sign = ours::on(
        &collection.stack,
        &["sign", &image, "--format", "dct", "--key", &key],
    );
    sign.args(["--root", &collection.pin])
        .env(docker::PASSPHRASE.0, "another passphrase");
    let ran = run(sign).exits(2);
    assert!(
        !ran.stdout.contains("another passphrase") && !ran.stderr.contains("another passphrase")
    );
    assert_eq!(
        docker::signed(
            &docker::inspect(&collection.stack, &collection.repository),
            "1.0"
        ),
        None
    );
}

/// The same key, imported by Microsoft's SDK: the vault signs, docker sees the same signer.
#[test]
fn e_a_key_of_docker_signs_from_the_vault() {
    let collection = Collection::new();
    let sandbox = Sandbox::start();
    let plain = decrypted(collection.stack.folder(), &collection.alice.private);
    let file = plain.to_str().expect("temporary folders have plain names");
    sdk(&sandbox, &["import", "docker-alice", file]).ok();

    let key = "akv:contoso/keys/docker-alice";
    let authorities = both_authorities(&collection.stack, &sandbox);
    let mut show = ours::binary();
    sandbox.give_to(&mut show);
    show.args(["key", "show", key]);
    run(show).ok().says(&collection.alice.id());

    let pushed = collection.stack.push(&collection.repository, "1.0", "one");
    let image = format!("{}:1.0", collection.repository);
    let mut sign = ours::on(
        &collection.stack,
        &["sign", &image, "--format", "dct", "--key", key],
    );
    sandbox.give_to(&mut sign);
    sign.args(["--root", &collection.pin, "--ca-file"])
        .arg(authorities);
    run(sign).ok();
    collection.assert_signed("1.0", pushed.hex());
}

/// The key without its passphrase. openssl refuses docker's `role:` header, so that goes first.
fn decrypted(folder: &Path, key: &Path) -> PathBuf {
    let text = std::fs::read_to_string(key).expect("docker wrote it");
    let lines = text
        .lines()
        .filter(|line| !line.is_empty() && !line.contains(": "));
    let bare: String = lines.flat_map(|line| [line, "\n"]).collect();
    let (encrypted, plain) = (
        folder.join("alice-encrypted.pem"),
        folder.join("alice-plain.pem"),
    );
    std::fs::write(&encrypted, bare).expect("the folder is ours");
    let mut openssl = Command::new("openssl");
    openssl
        .arg("pkcs8")
        .arg("-in")
        .arg(&encrypted)
        .arg("-out")
        .arg(&plain);
    openssl.args(["-passin", &format!("pass:{}", docker::PASSPHRASE.1)]);
    run(openssl).ok();
    plain
}

/// The sandbox speaks for the vault, notary-up.sh for the registry: one file with both authorities.
fn both_authorities(stack: &Stack, sandbox: &Sandbox) -> PathBuf {
    let file = stack.folder().join("authorities.pem");
    let read = |path: PathBuf| std::fs::read_to_string(path).expect("both wrote their certificate");
    std::fs::write(&file, read(stack.ca_file()) + &read(sandbox.ca_file()))
        .expect("the folder is ours");
    file
}
