//! What went wrong, as reports show it.

use super::Status;
use crate::reason::{Exit, Explain, Reason};

/// Something that went wrong: stable code, words, and what to do.
#[derive(Clone, Debug)]
pub struct Problem {
    /// The stable code.
    pub reason: Reason,
    /// What failed, on which object.
    pub message: String,
    /// What it was caused by, outermost first.
    pub causes: Vec<String>,
    /// What to do.
    pub hint: Option<String>,
}

impl Problem {
    /// From an error, with the chain of its causes.
    pub fn of(error: &dyn Explain) -> Self {
        let message = error.to_string();
        let mut causes: Vec<String> = Vec::new();
        let mut source = error.source();
        while let Some(cause) = source {
            let text = cause.to_string();
            // What the line above says already is not said again.
            if !text.is_empty() && !causes.last().unwrap_or(&message).contains(&text) {
                causes.push(text);
            }
            source = cause.source();
        }
        Self {
            reason: error.reason(),
            message,
            causes,
            hint: error.hint(),
        }
    }

    /// How something ends that is judged and fails for this reason: checked, or not judged at all.
    pub fn status(&self) -> Status {
        if self.reason.exit() == Exit::Rejected {
            Status::Rejected
        } else {
            Status::Undecided
        }
    }
}
