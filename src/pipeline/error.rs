//! What is wrong with the inputs or the environment of a step.

use http::StatusCode;

use super::{Host, Verb};
use crate::{
    net::{self, HostNotAllowed},
    reason::{Explain, Reason},
};

/// An input, variable or file of the pipeline that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// No host.
    #[error("neither GitHub Actions nor Azure Pipelines started this program")]
    NoHost,
    /// Another spelling of an input (P11).
    #[error("`{variable}` is another spelling of the input `{input}`, which {host} hands over as `{exact}`", host = host.title())]
    Spelling {
        /// The host.
        host: Host,
        /// The variable that is there.
        variable: String,
        /// The input.
        input: String,
        /// The variable that is read.
        exact: String,
    },
    /// A pipeline variable in the place of an input.
    #[error("the pipeline variable `{variable}` takes the place of the input `{input}`")]
    Shadowed {
        /// The variable as it was set.
        variable: String,
        /// The input.
        input: String,
    },
    /// The host does not say which variables there are.
    #[error(
        "`VSTS_PUBLIC_VARIABLES` is not a list of names, so that inputs cannot be told from variables"
    )]
    Variables,
    /// A macro that the host left as it was.
    #[error("the input `{input}` contains `{name}`: that variable is not set")]
    Unresolved {
        /// The input.
        input: String,
        /// The macro.
        name: String,
    },
    /// A value that is none of those that an input takes.
    #[error("the input `{input}` is `{value}`, and must be {wanted}")]
    Value {
        /// The input.
        input: String,
        /// The value.
        value: String,
        /// What it takes.
        wanted: String,
    },
    /// An input of the other command.
    #[error("the input `{input}` goes with `command: {}`", only.word())]
    OtherCommand {
        /// The input.
        input: String,
        /// The command that takes it.
        only: Verb,
    },
    /// One input that needs another.
    #[error("the input `{input}` requires `{other}`")]
    Alone {
        /// The input that is there.
        input: String,
        /// The one that is missing.
        other: String,
    },
    /// Two ways to name images.
    #[error("the inputs `{one}` and `{other}` are two ways to say the same: give one")]
    Both {
        /// One.
        one: String,
        /// The other.
        other: String,
    },
    /// A tag list without a digest (P10).
    #[error("{what} says what was meant to be pushed, not what was: no digest is there")]
    TagsAlone {
        /// The list.
        what: String,
        /// The host.
        host: Host,
        /// Whether inputs are at fault, or the environment.
        given: bool,
    },
    /// Nothing names an image.
    #[error("no image is named: {looked_for}")]
    NoImages {
        /// Where images were looked for.
        looked_for: &'static str,
    },
    /// The start of this run is not known.
    #[error("the start of this run is not known: `{lacking}` is not set")]
    NoStart {
        /// What is missing.
        lacking: &'static str,
    },
    /// An address of the environment that may not get the token.
    #[error("`{what}` is not used")]
    Host {
        /// The variable.
        what: &'static str,
        /// Why.
        #[source]
        cause: HostNotAllowed,
    },
    /// The host's API did not answer.
    #[error(transparent)]
    Net(#[from] net::Error),
    /// The host's API refused.
    #[error("GitHub's API does not say when this run started: {status}")]
    Api {
        /// The status.
        status: StatusCode,
    },
    /// A source that cannot be read.
    #[error("{what} cannot be used: {why}")]
    Unreadable {
        /// The source.
        what: String,
        /// Why.
        why: String,
    },
}

impl Explain for PipelineError {
    fn reason(&self) -> Reason {
        match self {
            Self::NoImages { .. } | Self::TagsAlone { given: false, .. } => Reason::NoImages,
            Self::Unreadable { .. } => Reason::ConfigInvalid,
            Self::Host { cause, .. } => cause.reason(),
            Self::Net(cause) => cause.reason(),
            Self::Api { .. } => Reason::AnswerInvalid,
            Self::NoHost
            | Self::NoStart { .. }
            | Self::Spelling { .. }
            | Self::Shadowed { .. }
            | Self::Variables
            | Self::Unresolved { .. }
            | Self::Value { .. }
            | Self::OtherCommand { .. }
            | Self::Alone { .. }
            | Self::Both { .. }
            | Self::TagsAlone { given: true, .. } => Reason::Usage,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoHost => "elsewhere use `acr-sign sign` and `acr-sign verify`".to_owned(),
            Self::Spelling { .. } | Self::Shadowed { .. } => {
                "a variable of that name can be set by earlier steps: remove it, and set the input".to_owned()
            }
            Self::Unresolved { .. } => "define the variable, or correct its name".to_owned(),
            Self::TagsAlone { host: Host::GitHub, .. } => {
                "add `digest: ${{ steps.build.outputs.digest }}`; a build that pushes nothing, such as that of a pull \
                 request, has no digest: skip this step there"
                    .to_owned()
            }
            Self::TagsAlone { host: Host::Azure, .. } => {
                "add `digest`; a build that pushes nothing has none: skip this step there".to_owned()
            }
            Self::NoStart { lacking: "github-token" } => {
                "set `github-token: ${{ github.token }}` and give the job `actions: read`; or give a duration, such as `30m`".to_owned()
            }
            Self::NoStart { .. } => "give a time or a duration, such as `30m`".to_owned(),
            Self::Host { cause, .. } => return cause.hint(),
            Self::Net(cause) => return cause.hint(),
            Self::Api { .. } => "`github-token` requires `actions: read`; or give a duration, such as `30m`".to_owned(),
            Self::NoImages { .. } => "set `images`, or `tags` and `digest`, or `metadata`".to_owned(),
            Self::Variables
            | Self::Value { .. }
            | Self::OtherCommand { .. }
            | Self::Alone { .. }
            | Self::Both { .. }
            | Self::Unreadable { .. } => return None,
        })
    }
}
