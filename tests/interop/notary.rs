//! The notary client: one trust folder, passphrases from its environment.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command::{Ran, run, run_with_input};
use crate::stack::{PUBLISHER, Pushed, Stack, basic, peer};

/// A notary client with a trust folder of its own.
pub(crate) struct Notary<'a> {
    stack: &'a Stack,
    folder: PathBuf,
}

/// A line of `notary list`.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Listed {
    pub(crate) tag: String,
    pub(crate) hex: String,
    pub(crate) length: usize,
    pub(crate) role: String,
}

impl<'a> Notary<'a> {
    /// The variable that holds the passphrase of its targets key; the other keys have the same one.
    pub(crate) const PASSPHRASE: (&'static str, &'static str) =
        ("NOTARY_TARGETS_PASSPHRASE", "notary-passphrase");

    /// A client that has seen nothing yet.
    pub(crate) fn new(stack: &'a Stack) -> Self {
        Self {
            stack,
            folder: tempfile::tempdir_in(stack.folder())
                .expect("a temporary folder")
                .keep(),
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(peer("notary"));
        command
            .arg("-s")
            .arg(&self.stack.trust_server)
            .arg("--tlscacert")
            .arg(self.stack.ca_file());
        command.arg("-d").arg(&self.folder).args(arguments);
        for role in ["ROOT", "TARGETS", "SNAPSHOT", "DELEGATION"] {
            command.env(format!("NOTARY_{role}_PASSPHRASE"), Self::PASSPHRASE.1);
        }
        command.env("NOTARY_AUTH", basic(PUBLISHER.0, PUBLISHER.1));
        command
    }

    /// Runs it with these arguments.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        run(self.command(arguments))
    }

    /// A new collection whose snapshot key the server holds, as docker makes them.
    pub(crate) fn initialise(&self, repository: &str) {
        self.run(&["init", repository, "--publish"]).ok();
        self.run(&["key", "rotate", repository, "snapshot", "--server-managed"])
            .ok();
    }

    /// Delegates a role to the keys of these certificates or public keys, for every tag.
    pub(crate) fn delegate(&self, repository: &str, role: &str, keys: &[&Path]) {
        let mut command = self.command(&["delegation", "add", repository, role]);
        command.args(keys).args(["--all-paths", "--publish"]);
        run(command).ok();
    }

    /// Takes a private key into the trust folder, for a role.
    pub(crate) fn import(&self, key: &Path, role: &str) {
        let mut command = self.command(&["key", "import", "--role", role]);
        command.arg(key);
        run(command).ok();
    }

    /// Signs a tag in a role and publishes, once.
    pub(crate) fn add(&self, repository: &str, tag: &str, pushed: &Pushed, role: &str) -> Ran {
        let length = pushed.manifest.len().to_string();
        self.run(&[
            "addhash",
            repository,
            tag,
            &length,
            "--sha256",
            pushed.hex(),
            "--roles",
            role,
            "--publish",
        ])
    }

    /// The only key of a role in the trust folder, as a value of `--key`.
    pub(crate) fn key_reference(&self, role: &str) -> String {
        let file = self
            .folder
            .join("private")
            .join(format!("{}.key", self.key_id(role)));
        format!(
            "file:{}?passphrase-env={}",
            file.display(),
            Self::PASSPHRASE.0
        )
    }

    /// Rotates the root key; it asks first.
    pub(crate) fn rotate_root(&self, repository: &str) {
        let yes = self.folder.join("yes");
        std::fs::write(&yes, "yes\n").expect("the folder is ours");
        run_with_input(self.command(&["key", "rotate", repository, "root"]), &yes).ok();
    }

    /// The canonical ID of the only root key in the trust folder.
    pub(crate) fn root_key_id(&self) -> String {
        self.key_id("root")
    }

    fn key_id(&self, role: &str) -> String {
        let listed = self.run(&["key", "list"]).ok().stdout;
        let mut rows = listed
            .lines()
            .filter(|line| line.split_whitespace().next() == Some(role));
        let (row, more) = (rows.next(), rows.next());
        assert!(
            row.is_some() && more.is_none(),
            "not one {role} key in:\n{listed}"
        );
        let id = row.and_then(|row| row.split_whitespace().find(|word| word.len() == 64));
        id.expect("notary lists the ID of each key").to_owned()
    }

    /// What a role lists, in the order of its tags.
    pub(crate) fn list(&self, repository: &str, role: &str) -> Vec<Listed> {
        let printed = self.run(&["list", repository, "--roles", role]).ok().stdout;
        let mut rows: Vec<_> = printed.lines().filter_map(Listed::parse).collect();
        rows.sort_by(|a, b| a.tag.cmp(&b.tag));
        rows
    }

    /// The tags that a role lists.
    pub(crate) fn tags(&self, repository: &str, role: &str) -> Vec<String> {
        self.list(repository, role)
            .into_iter()
            .map(|row| row.tag)
            .collect()
    }
}

impl Listed {
    fn parse(line: &str) -> Option<Self> {
        let mut words = line.split_whitespace();
        let (tag, hex, length, role) = (words.next()?, words.next()?, words.next()?, words.next()?);
        let length = length.parse().ok()?;
        Some(Self {
            tag: tag.to_owned(),
            hex: hex.to_owned(),
            length,
            role: role.to_owned(),
        })
    }
}
