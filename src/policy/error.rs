//! What is wrong with a policy file, and where.

use std::fmt;

use crate::reason::{Explain, Reason};

/// A place in a file, both counted from 1.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Place {
    /// The line.
    pub line: u64,
    /// The column, in characters.
    pub column: u64,
}

/// Text of the file that is checked later: a key, the name of a file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Located {
    /// The text.
    pub text: String,
    /// Where it stands.
    pub place: Place,
}

/// A file is no policy.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{file}{at}: {message}", at = place.map(|place| format!(":{place}")).unwrap_or_default())]
pub struct PolicyError {
    /// The file as named.
    pub file: String,
    /// Where in it.
    pub place: Option<Place>,
    /// What is wrong.
    pub message: String,
}

impl Explain for PolicyError {
    fn reason(&self) -> Reason {
        Reason::PolicyInvalid
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}
