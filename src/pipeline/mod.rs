//! The pipeline hosts: how each hands over inputs, and how each is told masks, messages, outputs and progress.
//!
//! Everything is read from the captured environment. Foreign text can never become a command of the host
//! (P02): it is printed by [`Console`] only, which breaks up what a host would read as one.

mod advice;
mod annotations;
mod azure;
mod console;
mod error;
mod escape;
mod github;
mod images;
mod inputs;
mod lists;
mod outcome;
pub mod outputs;
mod run;
mod started;
mod table;
mod verb;
mod wording;

use crate::process::Environment;

pub use advice::advise;
pub use annotations::annotate;
pub use console::{Console, DebugLines};
pub use error::PipelineError;
pub use images::{Source, find_images, metadata};
pub use inputs::Inputs;
pub use outcome::{Ending, FailOn};
pub use outputs::{OUTPUTS, Output};
pub use run::facts;
pub use started::run_started;
pub use table::{INPUTS, Input, Kind, Reader};
pub use verb::Verb;
pub use wording::spell;

/// A pipeline host.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Host {
    /// GitHub Actions.
    GitHub,
    /// Azure Pipelines.
    Azure,
}

impl Host {
    /// The host that this environment is of.
    pub fn detect(environment: &Environment) -> Option<Self> {
        if environment.get("GITHUB_ACTIONS") == Some("true") {
            Some(Self::GitHub)
        } else if environment.get("TF_BUILD").is_some() {
            Some(Self::Azure)
        } else {
            None
        }
    }

    /// As a person calls it.
    pub fn title(self) -> &'static str {
        match self {
            Self::GitHub => "GitHub Actions",
            Self::Azure => "Azure Pipelines",
        }
    }

    /// A name of the table as this host spells it: `fail-on` on GitHub, `failOn` on Azure.
    pub fn spell(self, name: &str) -> String {
        match self {
            Self::GitHub => name.to_owned(),
            Self::Azure => camel_case(name),
        }
    }

    /// The folder for files of this job.
    pub fn temporary_folder(self, environment: &Environment) -> Option<&str> {
        environment.get(match self {
            Self::GitHub => "RUNNER_TEMP",
            Self::Azure => "AGENT_TEMPDIRECTORY",
        })
    }

    /// Whether somebody asked for debug output.
    pub fn is_debugging(self, environment: &Environment) -> bool {
        match self {
            Self::GitHub => environment.get("RUNNER_DEBUG") == Some("1"),
            Self::Azure => environment
                .get("SYSTEM_DEBUG")
                .is_some_and(|value| value.eq_ignore_ascii_case("true")),
        }
    }
}

fn camel_case(name: &str) -> String {
    let mut words = name.split('-');
    let mut camel = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        camel.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        camel.push_str(letters.as_str());
    }
    camel
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_told_apart() {
        let of = |variables: &[(&str, &str)]| Host::detect(&variables.iter().copied().collect());
        assert_eq!(of(&[("GITHUB_ACTIONS", "true")]), Some(Host::GitHub));
        assert_eq!(of(&[("TF_BUILD", "True")]), Some(Host::Azure));
        assert_eq!(of(&[("CI", "true"), ("GITHUB_ACTIONS", "")]), None);
    }

    #[test]
    fn each_host_has_its_spelling() {
        assert_eq!(Host::GitHub.spell("fail-on"), "fail-on");
        assert_eq!(Host::Azure.spell("fail-on"), "failOn");
        assert_eq!(
            Host::Azure.spell("service-connection-id"),
            "serviceConnectionId"
        );
        assert_eq!(Host::Azure.spell("images"), "images");
    }
}
