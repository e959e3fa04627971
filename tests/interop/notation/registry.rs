//! Two registries on loopback, without TLS: docker's 2.8, which has no Referrers API, and olareg, which has.

use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::command::run;
use crate::port::free_port;
use crate::stack::peer;

/// The two kinds.
pub(super) const KINDS: [Kind; 2] = [Kind::TagSchema, Kind::ReferrersApi];

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    TagSchema,
    ReferrersApi,
}

/// A running registry; stopped when dropped.
pub(super) struct Registry {
    child: Child,
    pub(super) host: String,
    pub(super) kind: Kind,
    _folder: tempfile::TempDir,
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Registry {
    pub(super) fn start(kind: Kind) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let number = free_port();
        let (port, host) = (number.to_string(), format!("127.0.0.1:{number}"));
        let mut command = match kind {
            Kind::TagSchema => {
                let configuration = format!(
                    "version: 0.1\nlog: {{level: error}}\nstorage:\n  filesystem: {{rootdirectory: {}}}\n  delete: {{enabled: true}}\n\
                     http: {{addr: \"{host}\"}}\n",
                    folder.path().join("data").display()
                );
                let file = folder.path().join("registry.yml");
                std::fs::write(&file, configuration).expect("the folder is ours");
                let mut command = Command::new(peer("docker-registry"));
                command.arg("serve").arg(file);
                command
            }
            Kind::ReferrersApi => {
                let mut command = Command::new(peer("olareg"));
                command.args([
                    "serve",
                    "--store-type",
                    "mem",
                    "--addr",
                    "127.0.0.1",
                    "--port",
                    &port,
                ]);
                command
            }
        };
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let registry = Self {
            child: child.expect("the peer starts"),
            host,
            kind,
            _folder: folder,
        };
        let patience = Instant::now() + Duration::from_secs(30);
        while TcpStream::connect((Ipv4Addr::LOCALHOST, number)).is_err() {
            assert!(Instant::now() < patience, "the registry does not listen");
            std::thread::sleep(Duration::from_millis(50));
        }
        registry
    }

    /// Pushes an image whose content follows from `seed`; gives its name with the digest.
    pub(super) fn push(&self, folder: &Path, seed: &str) -> String {
        let (content, layer) = (folder.join("content"), folder.join("layer.tar"));
        std::fs::write(&content, seed).expect("the folder is ours");
        let mut tar = Command::new("tar");
        tar.arg("-cf")
            .arg(&layer)
            .arg("-C")
            .arg(folder)
            .arg("content");
        run(tar).ok();
        let mut crane = Command::new(peer("crane"));
        crane.args([
            "append",
            "--insecure",
            "--oci-empty-base",
            "-t",
            &format!("{}/shop/web:{seed}", self.host),
            "-f",
        ]);
        let pushed = run(crane_with(crane, &layer)).ok().stdout;
        let digest = pushed
            .trim()
            .rsplit('@')
            .next()
            .expect("crane prints the digest")
            .to_owned();
        format!("{}/shop/web@{digest}", self.host)
    }
}

fn crane_with(mut crane: Command, layer: &Path) -> Command {
    crane.arg(layer);
    crane
}
