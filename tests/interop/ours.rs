//! The built binary, run as a pipeline step would run it: a clean environment and explicit flags.

use std::process::Command;

use crate::command::{Ran, run};
use crate::stack::Stack;

/// The binary with nothing of this process's environment but `PATH`.
pub(crate) fn binary() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_acr-sign"));
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command
}

/// A command that works on the registry: logged in as docker is, and trusting the stack's authority.
pub(crate) fn on(stack: &Stack, arguments: &[&str]) -> Command {
    let mut command = binary();
    command
        .args(arguments)
        .arg("--ca-file")
        .arg(stack.ca_file())
        .args(["--trust-server", &stack.trust_server]);
    command.args([
        "--allow-host",
        &stack.registry,
        "--allow-host",
        stack.trust_host(),
    ]);
    if let Some(host) = stack.token_host() {
        command.args(["--allow-host", host]);
    }
    command
        .args(["--registry-auth", "docker-config"])
        .env("DOCKER_CONFIG", stack.docker_config());
    command
}

/// `trust init` with P-256 keys and the signers given as `NAME=KEY`; returns the pin that it prints.
pub(crate) fn initialise(
    stack: &Stack,
    repository: &str,
    root: &str,
    targets: &str,
    signers: &[String],
) -> String {
    let mut command = on(
        stack,
        &[
            "trust",
            "init",
            repository,
            "--root-key",
            root,
            "--targets-key",
            targets,
        ],
    );
    for signer in signers {
        command.args(["--signer", signer]);
    }
    run(command).ok().first_hash()
}

/// `sign` of `images` with `key` under the root pin.
pub(crate) fn sign(stack: &Stack, pin: &str, key: &str, images: &[&str]) -> Ran {
    let mut command = on(stack, &["sign"]);
    command
        .args(images)
        .args(["--format", "dct", "--key", key, "--root", pin]);
    run(command)
}

/// `verify` of one image under the root pin.
pub(crate) fn verify(stack: &Stack, pin: &str, image: &str) -> Ran {
    run(on(
        stack,
        &["verify", image, "--format", "dct", "--root", pin],
    ))
}

/// `trust status` as JSON, without a pin: what a person looks at before pinning.
pub(crate) fn status(stack: &Stack, repository: &str) -> serde_json::Value {
    run(on(
        stack,
        &["trust", "status", repository, "--output", "json"],
    ))
    .ok()
    .json()
}
