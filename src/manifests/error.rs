//! Why a manifest was not read to its end. Always an error of the set-up, never a reason to pass something over.

use super::at::At;
use crate::{
    oci::InvalidReference,
    reason::{Explain, Reason},
};

/// What is wrong in which file.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("`{file}` line {line}, column {column}: {message}", line = problem.line, column = problem.column, message = problem.message)]
pub struct ManifestError {
    /// The file as named.
    pub file: String,
    /// What, and where in it.
    pub problem: Problem,
}

/// What is wrong, and where in the file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Problem {
    /// The line, from 1.
    pub line: u64,
    /// The column in characters, from 1.
    pub column: u64,
    message: String,
    fix: Fix,
    reason: Reason,
}

/// What makes the file one that can be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Fix {
    /// The message says it.
    None,
    /// It depends on what wrote the file.
    Render,
    Kustomize,
    Compose,
    Helm,
    Arm,
    /// In these words.
    Words(&'static str),
}

impl ManifestError {
    pub(super) fn new(file: &str, problem: Problem) -> Self {
        Self {
            file: file.to_owned(),
            problem,
        }
    }
}

impl Problem {
    pub(super) fn new(at: At, message: impl Into<String>) -> Self {
        Self {
            line: at.line,
            column: at.column,
            message: message.into(),
            fix: Fix::None,
            reason: Reason::ManifestInvalid,
        }
    }

    #[must_use]
    pub(super) fn fix(mut self, fix: Fix) -> Self {
        self.fix = fix;
        self
    }

    /// Behind what the file was taken for.
    #[must_use]
    pub(super) fn of(mut self, what: &str) -> Self {
        self.message = format!("{what}: {}", self.message);
        self
    }

    pub(super) fn is_timeout(&self) -> bool {
        self.reason == Reason::Timeout
    }

    /// With a fix, where there is none yet.
    #[must_use]
    pub(super) fn or_fix(mut self, fix: Fix) -> Self {
        if self.fix == Fix::None {
            self.fix = fix;
        }
        self
    }

    /// The same at the place of what holds the text that it was found in.
    #[must_use]
    pub(super) fn within(mut self, at: At, holder: &str) -> Self {
        (self.line, self.column) = (at.line, at.column);
        self.message = format!("in the text of `{holder}`: {}", self.message);
        self
    }

    pub(super) fn not_yaml(at: At, what: &str, templated: bool) -> Self {
        let fix = if templated { Fix::Helm } else { Fix::None };
        Self::new(at, format!("not valid YAML or JSON: {what}")).fix(fix)
    }

    pub(super) fn too_large(at: At) -> Self {
        Self::new(at, "too large or too deep once its aliases are followed")
    }

    /// More images than the caller takes.
    pub(super) fn too_many(at: At, limit: usize) -> Self {
        Self::new(at, format!("more than {limit} images"))
            .fix(Fix::Words("check the manifests in several runs"))
    }

    pub(super) fn out_of_time(at: At) -> Self {
        let mut problem = Self::new(at, "not read to the end within `--timeout`")
            .fix(Fix::Words("raise `--timeout`, or name fewer files"));
        problem.reason = Reason::Timeout;
        problem
    }

    pub(super) fn duplicate(key: &str, at: At) -> Self {
        let message = format!(
            "the key `{}` is given twice, and readers differ in which they take",
            short(key)
        );
        Self::new(at, message)
    }

    pub(super) fn not_text(key: &str, at: At) -> Self {
        Self::new(at, format!("`{}` is not plain text", short(key)))
    }

    pub(super) fn unresolved(text: &str, at: At) -> Self {
        let message = format!(
            "the image `{}` is an expression without a value",
            short(text)
        );
        Self::new(at, message).fix(Fix::Render)
    }

    pub(super) fn not_an_image(text: &str, error: &InvalidReference, at: At) -> Self {
        let message = format!("`{}` is not a valid image name: {error}", short(text));
        Self::new(at, message)
    }

    pub(super) fn unknown_kind(at: At) -> Self {
        let message =
            "an image in a document that is neither Kubernetes, compose, Kustomize nor ARM";
        Self::new(at, message).fix(Fix::Render)
    }
}

impl Explain for ManifestError {
    fn reason(&self) -> Reason {
        self.problem.reason
    }

    fn hint(&self) -> Option<String> {
        let file = &self.file;
        Some(match self.problem.fix {
            Fix::None => return None,
            Fix::Words(words) => words.to_owned(),
            Fix::Render => "render it first and check the result: `helm template`, `kubectl kustomize`, \
                 `docker compose config` or `envsubst`, piped into `acr-sign verify --manifests -`"
                .to_owned(),
            Fix::Kustomize => format!(
                "check what is built, with the same flags: `kubectl kustomize {} | acr-sign verify --manifests -`",
                folder(file)
            ),
            Fix::Compose => format!(
                "check what `docker compose config` prints, with the same flags: \
                 `docker compose --file {file} config | acr-sign verify --manifests -`"
            ),
            Fix::Helm => "check what the chart renders, with the same flags: \
                 `helm template RELEASE CHART --values FILE | acr-sign verify --manifests -`"
                .to_owned(),
            Fix::Arm => "give the image (or the registry that it is made of) as a parameter, and its value with \
                 `--parameters FILE`; build Bicep with `az bicep build --file main.bicep`"
                .to_owned(),
        })
    }
}

/// The folder of a file, as a command takes it.
fn folder(file: &str) -> &str {
    match file.rsplit_once('/') {
        Some(("", _)) => "/",
        Some((folder, _)) => folder,
        None => ".",
    }
}

pub(super) fn short(text: &str) -> String {
    text.chars().take(200).collect()
}
