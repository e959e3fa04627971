//! Real clients against the sandbox: Microsoft's Azure SDK for Python, oras and crane. A sandbox that only
//! our own program can talk to would prove nothing.

use std::path::Path;
use std::process::Command;

use crate::command::{Ran, run, run_with_input};
use crate::sandbox::Sandbox;
use crate::stack::{peer, peers, script};

/// The user name that stands for "the password is a refresh token" at a registry of Azure.
const NIL_USER: &str = "00000000-0000-0000-0000-000000000000";

/// Runs one verb of `azure_sdk.py` in the environment of the sandbox.
pub(crate) fn sdk(sandbox: &Sandbox, arguments: &[&str]) -> Ran {
    let mut python = Command::new(peers().join("venv/bin/python"));
    python.arg(script("azure_sdk.py")).args(arguments);
    sandbox.give_to(&mut python);
    run(python)
}

#[test]
fn sdk_gets_tokens_by_managed_identity() {
    sdk(&Sandbox::start(), &["managed-identity"]).ok();
}

#[test]
fn sdk_gets_tokens_by_client_secret() {
    sdk(&Sandbox::start(), &["client-secret"]).ok();
}

#[test]
fn sdk_signs_with_keys_of_every_kind() {
    sdk(&Sandbox::start(), &["keys"])
        .ok()
        .says("ES256 with P-256")
        .says("PS512 with RSA-3072");
}

#[test]
fn sdk_reads_a_certificate_that_its_key_signs_for() {
    sdk(&Sandbox::start(), &["certificate", "release-certificate"]).ok();
}

#[test]
fn sdk_reads_a_secret() {
    sdk(&Sandbox::start(), &["secret", "release-pem"]).ok();
}

#[test]
fn sdk_lists_what_was_pushed_after_the_token_exchange() {
    let sandbox = Sandbox::start();
    let registry = Registry::login(&sandbox);
    registry
        .oras(&[
            "push",
            &registry.name("tools/sdk:1.0"),
            "content.txt:text/plain",
        ])
        .ok();
    registry
        .oras(&["tag", &registry.name("tools/sdk:1.0"), "latest"])
        .ok();
    sdk(&sandbox, &["registry", "tools/sdk"])
        .ok()
        .says("tools/sdk:1.0@sha256:")
        .says("tools/sdk:latest@sha256:");
}

#[test]
fn oras_pushes_pulls_and_lists_referrers() {
    let sandbox = Sandbox::start();
    let registry = Registry::login(&sandbox);
    let name = registry.name("tools/oras:1.0");
    registry
        .oras(&["push", &name, "content.txt:text/plain"])
        .ok();
    registry.oras(&["pull", &name, "--output", "pulled"]).ok();
    let pulled = std::fs::read_to_string(registry.folder().join("pulled/content.txt"));
    assert_eq!(pulled.expect("oras wrote it"), "content\n");
    registry
        .oras(&["repo", "tags", &registry.name("tools/oras")])
        .ok()
        .says("1.0");
    let kind = "application/vnd.example.note";
    registry
        .oras(&[
            "attach",
            "--artifact-type",
            kind,
            &name,
            "content.txt:text/plain",
        ])
        .ok();
    registry
        .oras(&["discover", &name, "--format", "json"])
        .ok()
        .says(kind);
}

#[test]
fn crane_pushes_an_image_and_an_index() {
    let sandbox = Sandbox::start();
    let registry = Registry::login(&sandbox);
    let (one, index) = (
        registry.name("tools/crane:one"),
        registry.name("tools/crane:all"),
    );
    registry
        .crane(&["append", "--new_layer", "layer.tar", "--new_tag", &one])
        .ok();
    registry
        .crane(&["index", "append", "--manifest", &one, "--tag", &index])
        .ok();
    let copy = registry.name("tools/copy:all");
    registry.crane(&["copy", &index, &copy]).ok();
    let digest = registry.crane(&["digest", &copy]).ok().first_hash();
    assert_eq!(
        registry.crane(&["digest", &index]).ok().first_hash(),
        digest
    );
    registry.crane(&["validate", "--remote", &copy]).ok();
}

/// The sandbox's registry under its loopback name, and a folder with docker's configuration for it.
struct Registry<'a> {
    sandbox: &'a Sandbox,
    work: tempfile::TempDir,
}

impl<'a> Registry<'a> {
    /// Logs oras in with the refresh token that the SDK's credential was exchanged for.
    fn login(sandbox: &'a Sandbox) -> Self {
        let registry = Self {
            sandbox,
            work: tempfile::tempdir().expect("a temporary folder"),
        };
        std::fs::write(registry.folder().join("content.txt"), "content\n")
            .expect("the folder is ours");
        let mut tar = Command::new("tar");
        tar.args(["-cf", "layer.tar", "content.txt"])
            .current_dir(registry.folder());
        run(tar).ok();
        let token = registry.folder().join("token");
        std::fs::write(&token, sdk(sandbox, &["login"]).ok().stdout.trim())
            .expect("the folder is ours");
        let mut login = registry.command("oras");
        login.args([
            "login",
            registry.host(),
            "--plain-http=false",
            "--username",
            NIL_USER,
            "--password-stdin",
        ]);
        run_with_input(login, &token).ok();
        registry
    }

    fn host(&self) -> &str {
        self.sandbox.variable("SANDBOX_REGISTRY")
    }

    fn name(&self, rest: &str) -> String {
        format!("{}/{rest}", self.host())
    }

    fn folder(&self) -> &Path {
        self.work.path()
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(peer(program));
        command
            .current_dir(self.folder())
            .env("DOCKER_CONFIG", self.folder());
        command.env("SSL_CERT_FILE", self.sandbox.ca_file());
        command
    }

    fn oras(&self, arguments: &[&str]) -> Ran {
        let mut oras = self.command("oras");
        // oras speaks plain HTTP with loopback unless told otherwise.
        oras.args(arguments).arg("--plain-http=false");
        run(oras)
    }

    fn crane(&self, arguments: &[&str]) -> Ran {
        let mut crane = self.command("crane");
        crane.args(arguments);
        run(crane)
    }
}
