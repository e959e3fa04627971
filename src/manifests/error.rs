//! Why a manifest was not read to its end. Always an error of the set-up, never a reason to pass something over.

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
    hint: Option<&'static str>,
}

const RENDER: &str = "render it first and check what comes out: `helm template`, `kustomize build`, `docker compose config` or `envsubst`";

impl ManifestError {
    pub(super) fn new(file: &str, problem: Problem) -> Self {
        Self {
            file: file.to_owned(),
            problem,
        }
    }
}

impl Problem {
    pub(super) fn new(line: u64, column: u64, message: impl Into<String>) -> Self {
        Self {
            line,
            column,
            message: message.into(),
            hint: None,
        }
    }

    #[must_use]
    pub(super) fn hint(mut self, hint: &'static str) -> Self {
        self.hint = Some(hint);
        self
    }

    pub(super) fn no_yaml(line: u64, column: u64, what: &str, templated: bool) -> Self {
        let problem = Self::new(line, column, format!("not YAML or JSON: {what}"));
        if templated {
            problem.hint(RENDER)
        } else {
            problem
        }
    }

    pub(super) fn too_large() -> Self {
        Self::new(1, 1, "too large or too deep once its aliases are followed")
    }

    pub(super) fn duplicate(key: &str, line: u64, column: u64) -> Self {
        Self::new(
            line,
            column,
            format!(
                "the key `{}` stands twice, and readers differ in which they take",
                short(key)
            ),
        )
    }

    pub(super) fn not_text(key: &str, line: u64, column: u64) -> Self {
        Self::new(line, column, format!("`{}` is not plain text", short(key)))
    }

    pub(super) fn unresolved(text: &str, line: u64, column: u64) -> Self {
        Self::new(
            line,
            column,
            format!(
                "the image `{}` is an expression without a value",
                short(text)
            ),
        )
        .hint(RENDER)
    }

    pub(super) fn no_image(text: &str, error: &InvalidReference, line: u64, column: u64) -> Self {
        Self::new(
            line,
            column,
            format!("`{}` is no image name: {error}", short(text)),
        )
    }

    pub(super) fn unknown_kind(line: u64, column: u64) -> Self {
        Self::new(
            line,
            column,
            "an image in a document that is neither Kubernetes, compose, Kustomize nor ARM",
        )
        .hint(RENDER)
    }

    pub(super) fn elsewhere(what: &str, line: u64, column: u64) -> Self {
        Self::new(
            line,
            column,
            format!("{what} is in another file, which is not followed"),
        )
        .hint(RENDER)
    }
}

impl Explain for ManifestError {
    fn reason(&self) -> Reason {
        Reason::ManifestInvalid
    }

    fn hint(&self) -> Option<String> {
        self.problem.hint.map(ToOwned::to_owned)
    }
}

fn short(text: &str) -> String {
    text.chars().take(200).collect()
}
