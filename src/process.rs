//! What a run takes from its process and gives back: environment, streams, clock. Read once, here only, so
//! that tests and the demo can run the very same entry point with their own.

use std::{
    collections::BTreeMap,
    io::{self, IsTerminal, Read, Write},
    path::PathBuf,
};

use crate::{crypto::Mask, timestamp::Timestamp};

/// The environment variables of the process, captured at the start.
#[derive(Clone, Debug, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// The value of `name`; an empty value counts as not given.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// The same with a variable set.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.0.insert(name.to_owned(), value.to_owned());
        self
    }

    /// The same without some variables.
    #[must_use]
    pub fn without(mut self, names: &[&str]) -> Self {
        self.0.retain(|name, _| !names.contains(&name.as_str()));
        self
    }

    /// All variables.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(variables: I) -> Self {
        Self(
            variables
                .into_iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        )
    }
}

/// Environment, streams, folder and clock of one run.
pub struct Process {
    /// Environment variables.
    pub environment: Environment,
    /// Standard input, for `--password-stdin`.
    pub stdin: Box<dyn Read + Send>,
    /// The result goes here.
    pub stdout: Box<dyn Write + Send>,
    /// The story goes here.
    pub stderr: Box<dyn Write + Send>,
    /// Whether standard error is a terminal, so that progress may be drawn.
    pub terminal: bool,
    /// How many columns the terminal has, if there is one: help is wrapped to it.
    pub columns: Option<usize>,
    /// Told of every secret: pipeline hosts mask what they know.
    pub mask: Mask,
    /// Where `acr-sign.yaml` is looked for; empty for the working directory.
    pub folder: PathBuf,
    /// The one time of the run: every expiry is checked against it.
    pub now: Timestamp,
}

impl Process {
    /// The real process.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the clock and the environment"
    )]
    pub fn real() -> Self {
        let variables = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        Self {
            environment: variables.collect(),
            stdin: Box::new(io::stdin()),
            stdout: Box::new(io::stdout()),
            stderr: Box::new(io::stderr()),
            terminal: io::stderr().is_terminal(),
            columns: terminal_size::terminal_size().map(|(width, _)| width.0.into()),
            mask: Mask::default(),
            folder: PathBuf::new(),
            now: time::OffsetDateTime::now_utc().into(),
        }
    }
}
