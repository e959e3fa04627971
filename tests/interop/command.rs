//! One finished run of a program, with what it printed, and assertions that show all of it when they fail.

use std::path::Path;
use std::process::{Command, Output};

/// A finished run.
pub(crate) struct Ran {
    line: String,
    code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// Keeps what `output` holds, under the command line that led to it.
    pub(crate) fn new(command: &Command, output: &Output) -> Self {
        let arguments: Vec<_> = command
            .get_args()
            .map(|argument| argument.to_string_lossy())
            .collect();
        Self {
            line: format!(
                "{} {}",
                command.get_program().to_string_lossy(),
                arguments.join(" ")
            ),
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Whether it ended with 0.
    pub(crate) fn succeeded(&self) -> bool {
        self.code == Some(0)
    }

    /// Asserts that it ended with 0.
    pub(crate) fn ok(self) -> Self {
        self.exits(0)
    }

    /// Asserts that it ended with `code`.
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(
            self.code,
            Some(code),
            "{}\n--- stdout\n{}\n--- stderr\n{}",
            self.line,
            self.stdout,
            self.stderr
        );
        self
    }

    /// Asserts that `text` was printed, on either stream.
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(
            self.stdout.contains(text) || self.stderr.contains(text),
            "no `{text}` in the output of {}\n--- stdout\n{}\n--- stderr\n{}",
            self.line,
            self.stdout,
            self.stderr
        );
        self
    }

    /// Standard output as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| {
            panic!("{error} in the output of {}:\n{}", self.line, self.stdout)
        })
    }

    /// The first word of standard output that is a key ID or a digest in hex.
    pub(crate) fn first_hash(&self) -> String {
        let word = |word: &&str| word.len() == 64 && word.bytes().all(|b| b.is_ascii_hexdigit());
        let mut words = self.stdout.split(|c: char| !c.is_ascii_alphanumeric());
        words
            .find(word)
            .unwrap_or_else(|| panic!("no hash in the output of {}:\n{}", self.line, self.stdout))
            .to_owned()
    }
}

/// Runs `command` to its end, with nothing on standard input.
pub(crate) fn run(mut command: Command) -> Ran {
    let output = command.stdin(std::process::Stdio::null()).output();
    let output = output.unwrap_or_else(|error| {
        panic!("cannot start {}: {error}", command.get_program().display())
    });
    Ran::new(&command, &output)
}

/// Runs `command` to its end, with `input` on standard input.
pub(crate) fn run_with_input(mut command: Command, input: &Path) -> Ran {
    let file = std::fs::File::open(input).expect("the input was written before");
    let output = command.stdin(file).output();
    let output = output.unwrap_or_else(|error| {
        panic!("cannot start {}: {error}", command.get_program().display())
    });
    Ran::new(&command, &output)
}
