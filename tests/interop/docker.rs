//! Docker's CLI 20.10, the last of Debian that enforces content trust. It works here without an engine:
//! only the `docker trust` commands that talk to the trust server are used.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::command::{Ran, run};
use crate::stack::{Stack, peer};

/// The variable that holds the passphrase of every key but the root's.
pub(crate) const PASSPHRASE: (&str, &str) = (
    "DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE",
    "docker-passphrase",
);

/// Runs `docker trust` against the stack's trust server.
pub(crate) fn trust(stack: &Stack, arguments: &[&str]) -> Ran {
    let mut command = Command::new(peer("docker"));
    command.arg("trust").args(arguments);
    command
        .env("DOCKER_CONFIG", stack.docker_config())
        .env("DOCKER_CONTENT_TRUST_SERVER", &stack.trust_server);
    command
        .env("DOCKER_CONTENT_TRUST_ROOT_PASSPHRASE", "docker-passphrase")
        .env(PASSPHRASE.0, PASSPHRASE.1);
    run(command)
}

/// Lets a key sign; a repository without trust data gets some.
pub(crate) fn add_signer(stack: &Stack, name: &str, public: &Path, repository: &str) {
    let public = public.to_str().expect("temporary folders have plain names");
    trust(stack, &["signer", "add", "--key", public, name, repository]).ok();
}

/// `docker trust inspect` of one repository.
pub(crate) fn inspect(stack: &Stack, repository: &str) -> Value {
    trust(stack, &["inspect", repository]).ok().json()[0].take()
}

/// The row of a tag: its digest in hex and its signers.
pub(crate) fn signed(inspected: &Value, tag: &str) -> Option<(String, Vec<String>)> {
    let rows = inspected["SignedTags"]
        .as_array()
        .expect("docker lists signed tags");
    let row = rows.iter().find(|row| row["SignedTag"] == tag)?;
    let signers = row["Signers"].as_array().expect("docker lists signers");
    Some((text(&row["Digest"]), signers.iter().map(text).collect()))
}

/// The names of the signers that the collection knows.
pub(crate) fn signers(inspected: &Value) -> Vec<String> {
    let signers = inspected["Signers"]
        .as_array()
        .expect("docker lists signers");
    let mut names: Vec<_> = signers.iter().map(|signer| text(&signer["Name"])).collect();
    names.sort();
    names
}

/// The key ID of the collection's root, as the root file lists it, or of its `Repository` key.
pub(crate) fn administrative_key(inspected: &Value, name: &str) -> String {
    let keys = inspected["AdministrativeKeys"]
        .as_array()
        .expect("docker lists administrative keys");
    let key = keys
        .iter()
        .find(|key| key["Name"] == name)
        .expect("docker lists both");
    text(&key["Keys"][0]["ID"])
}

/// `docker trust key generate`: the public key in `folder`, the private key in docker's trust store.
pub(crate) fn generate_key(stack: &Stack, folder: &Path, name: &str) -> DockerKey {
    let before = private_keys(stack);
    let into = folder.to_str().expect("temporary folders have plain names");
    trust(stack, &["key", "generate", name, "--dir", into]).ok();
    let mut new = private_keys(stack)
        .into_iter()
        .filter(|file| !before.contains(file));
    let private = new.next().expect("docker wrote a private key");
    DockerKey {
        private,
        public: folder.join(format!("{name}.pub")),
    }
}

/// A key pair that docker made.
pub(crate) struct DockerKey {
    pub(crate) private: PathBuf,
    pub(crate) public: PathBuf,
}

impl DockerKey {
    /// The key ID: docker names the file after it.
    pub(crate) fn id(&self) -> String {
        self.private
            .file_stem()
            .expect("the file has a name")
            .to_string_lossy()
            .into_owned()
    }

    /// The key as a value of `--key`.
    pub(crate) fn reference(&self) -> String {
        key_reference(&self.private)
    }
}

/// A key of docker's trust store as a value of `--key`.
pub(crate) fn key_reference(file: &Path) -> String {
    format!("file:{}?passphrase-env={}", file.display(), PASSPHRASE.0)
}

/// The file of a key in docker's trust store.
pub(crate) fn stored_key(stack: &Stack, id: &str) -> PathBuf {
    stack
        .docker_config()
        .join("trust/private")
        .join(format!("{id}.key"))
}

fn private_keys(stack: &Stack) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(stack.docker_config().join("trust/private")) else {
        return Vec::new();
    };
    entries
        .map(|entry| entry.expect("the folder is readable").path())
        .collect()
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is not a string"))
        .to_owned()
}
