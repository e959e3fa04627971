//! notation's and our command lines for the same work.

use std::path::Path;
use std::process::Command;

use super::pki::{IDENTITY, Signer};
use super::registry::{Kind, Registry};
use crate::command::{Ran, run};
use crate::ours::binary;
use crate::stack::peer;

/// notation with a configuration of its own.
pub(super) struct Notation {
    folder: tempfile::TempDir,
}

impl Notation {
    /// Signs with the key, and trusts its anchor and the roots of timestamps.
    pub(super) fn new(signer: &Signer, timestamp_root: Option<&Path>) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().expect("it is below the folder"))
                .expect("the folder is ours");
            std::fs::write(path, text).expect("the folder is ours");
        };
        let read = |path: &Path| std::fs::read_to_string(path).expect("certificates are text");
        write("truststore/x509/ca/own/anchor.crt", &read(&signer.anchor));
        let mut stores = vec!["ca:own"];
        if let Some(root) = timestamp_root {
            write("truststore/x509/tsa/clock/root.crt", &read(root));
            stores.push("tsa:clock");
        }
        let policy = serde_json::json!({"version": "1.0", "trustPolicies": [{
            "name": "own", "registryScopes": ["*"], "signatureVerification": {"level": "strict"},
            "trustStores": stores, "trustedIdentities": [IDENTITY],
        }]});
        write("trustpolicy.json", &policy.to_string());
        let keys = serde_json::json!({"default": "own", "keys": [{"name": "own", "keyPath": signer.key, "certPath": signer.chain}]});
        write("signingkeys.json", &keys.to_string());
        Self { folder }
    }

    pub(super) fn config(&self) -> &Path {
        self.folder.path()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(peer("notation"));
        command
            .env("NOTATION_CONFIG", self.config())
            .env("NOTATION_CACHE", self.folder.path().join("cache"));
        command.args(arguments);
        command
    }

    pub(super) fn sign(
        &self,
        registry: &Registry,
        image: &str,
        envelope: &str,
        more: &[String],
    ) -> Ran {
        let mut command = self.command(&[
            "sign",
            "--insecure-registry",
            "--signature-format",
            envelope,
        ]);
        command.arg(format!(
            "--force-referrers-tag={}",
            registry.kind == Kind::TagSchema
        ));
        command.args(more).arg(image);
        run(command)
    }

    pub(super) fn verify(&self, image: &str, more: &[String]) -> Ran {
        let mut command = self.command(&["verify", "--insecure-registry"]);
        command.args(more).arg(image);
        run(command)
    }
}

/// Our command on a registry without TLS and without login.
pub(super) fn ours(registry: &Registry, arguments: &[&str]) -> Command {
    let mut command = binary();
    command.args(arguments).args([
        "--plain-http",
        &registry.host,
        "--auth",
        "none",
        "--registry-auth",
        "anonymous",
    ]);
    command
}

pub(super) fn we_sign(
    registry: &Registry,
    image: &str,
    signer: &Signer,
    envelope: &str,
    more: &[String],
) -> Ran {
    let key = format!("file:{}", signer.both.display());
    let mut command = ours(
        registry,
        &[
            "sign",
            image,
            "--format",
            "notation",
            "--envelope",
            envelope,
            "--key",
            &key,
        ],
    );
    command.args(more);
    run(command)
}

pub(super) fn we_verify(registry: &Registry, image: &str, signer: &Signer, more: &[String]) -> Ran {
    let anchor = signer.anchor.display().to_string();
    let mut command = ours(
        registry,
        &[
            "verify",
            image,
            "--format",
            "notation",
            "--certificate",
            &anchor,
        ],
    );
    command.args(["--identity", IDENTITY]).args(more);
    run(command)
}

/// The same trust out of notation's own files.
pub(super) fn we_verify_by_policy(
    registry: &Registry,
    image: &str,
    notation: &Notation,
    more: &[String],
) -> Ran {
    let (policy, store) = (
        notation.config().join("trustpolicy.json"),
        notation.config().join("truststore"),
    );
    let mut command = ours(registry, &["verify", image, "--format", "notation"]);
    command
        .arg("--trust-policy")
        .arg(policy)
        .arg("--trust-store")
        .arg(store)
        .args(more);
    run(command)
}
