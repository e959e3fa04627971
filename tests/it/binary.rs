//! The built program in a process of its own: with its log, and with variables that only a process has.

use std::process::{Command, Stdio};

use acr_sign::Exit;

use crate::world::{Outcome, REPOSITORY, World};

impl World {
    /// Runs the program in the world's folder with its environment and these further variables, and nothing else's.
    pub fn run_binary(&self, line: &str, further: &[(&str, &str)]) -> Outcome {
        let output = Command::new(env!("CARGO_BIN_EXE_acr-sign"))
            .args(line.split_whitespace())
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .envs(further.iter().copied())
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let all = [
            Exit::Done,
            Exit::Rejected,
            Exit::Usage,
            Exit::Undecided,
            Exit::Interrupted,
        ];
        let exit = all
            .into_iter()
            .find(|exit| Some(i32::from(exit.code())) == output.status.code());
        let (stdout, stderr) = (
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        );
        Outcome {
            exit: exit.unwrap_or_else(|| panic!("{}: {stderr}", output.status)),
            stdout,
            stderr,
        }
    }

    /// The same with all of its log and a report, in which no secret may stand: none of the sandbox's, none that
    /// was sent, and none of the further variables.
    pub fn run_telling_no_secret(&self, line: &str, further: &[(&str, &str)]) -> Outcome {
        let folder = tempfile::tempdir().unwrap();
        let report = folder.path().join("report.json");
        let outcome = self.run_binary(
            &format!("{line} -vv --report {}", report.display()),
            further,
        );
        let report = std::fs::read_to_string(report).unwrap_or_default();
        let sent = self
            .sandbox
            .log()
            .into_iter()
            .filter_map(|entry| entry.credential);
        let sent = sent.filter_map(|header| Some(header.split_once(' ')?.1.to_owned()));
        let given = further.iter().map(|(_, value)| (*value).to_owned());
        for secret in self.sandbox.secrets().into_iter().chain(sent).chain(given) {
            assert!(secret.len() > 8, "{secret:?} of {:?}", self.sandbox.log());
            for (place, text) in [
                ("stdout", &outcome.stdout),
                ("stderr", &outcome.stderr),
                ("report", &report),
            ] {
                assert!(
                    !text.contains(&secret),
                    "{line}: {place} tells `{secret}`: {text}"
                );
            }
        }
        outcome
    }

    /// `sign` with the release key, under the pin, telling no secret.
    pub fn sign_telling_no_secret(&self, tags: &[&str], root: &str) -> Outcome {
        let images: Vec<_> = tags
            .iter()
            .map(|tag| format!("{REPOSITORY}:{tag}"))
            .collect();
        let line = format!(
            "sign {} --format dct --key akv:contoso/keys/release --root {root}",
            images.join(" ")
        );
        self.run_telling_no_secret(&line, &[])
    }

    /// Lets a variable be another, or none.
    pub fn set(&mut self, name: &str, value: Option<&str>) {
        self.environment.retain(|(known, _)| known != name);
        self.environment
            .extend(value.map(|value| (name.to_owned(), value.to_owned())));
    }

    /// Without the endpoint of a virtual machine: its address leads to a port that nobody listens on.
    pub fn without_imds(&mut self) {
        let connect_to = self
            .sandbox
            .connect_to()
            .into_iter()
            .filter(|entry| !entry.starts_with("169.254."));
        let connect_to: Vec<String> = connect_to
            .chain(["169.254.169.254:80=127.0.0.1:1".to_owned()])
            .collect();
        self.set("ACR_SIGN_CONNECT_TO", Some(&connect_to.join(";")));
    }
}
