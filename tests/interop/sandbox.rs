//! The sandbox as users start it: the built program, and the environment that it prints.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// A running sandbox; stopped when dropped.
pub(crate) struct Sandbox {
    child: Child,
    environment: Vec<(String, String)>,
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Sandbox {
    /// Starts it and takes over what it says to export.
    pub(crate) fn start() -> Self {
        let program = Path::new(env!("CARGO_BIN_EXE_acr-sign")).with_file_name("acr-sandbox");
        assert!(
            program.is_file(),
            "no {}: run cargo build --workspace",
            program.display()
        );
        let mut command = Command::new(program);
        let spawned = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn();
        let mut child = spawned.expect("the sandbox starts");
        let lines = lines_of(child.stdout.take().expect("it is piped"));
        let mut environment = Vec::new();
        let mut patience = Duration::from_secs(30);
        while let Ok(line) = lines.recv_timeout(patience) {
            if let Some((name, value)) = line
                .strip_prefix("export ")
                .and_then(|rest| rest.split_once('='))
            {
                environment.push((name.to_owned(), value.trim_matches(['\'', '"']).to_owned()));
                patience = Duration::from_secs(1);
            }
        }
        Self { child, environment }
    }

    /// The value of a variable that it printed.
    pub(crate) fn variable(&self, name: &str) -> &str {
        let found = self
            .environment
            .iter()
            .find(|(candidate, _)| candidate == name);
        &found
            .unwrap_or_else(|| panic!("the sandbox prints no {name}, only {:?}", self.environment))
            .1
    }

    /// Adds everything that it printed to the environment of a command.
    pub(crate) fn give_to(&self, command: &mut Command) {
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
    }

    /// The certificate of the authority that issued its certificates.
    pub(crate) fn ca_file(&self) -> PathBuf {
        PathBuf::from(self.variable("ACR_SIGN_CA_FILE"))
    }
}

fn lines_of(stdout: std::process::ChildStdout) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        // Reads on after the receiver is gone, so that the sandbox never waits for a full pipe.
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            let _ = sender.send(line);
        }
    });
    receiver
}
