//! What a setting got wrong.

use crate::reason::{Explain, Reason};

/// What a flag, variable or file that it names got wrong.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct SettingError {
    message: String,
    pub(super) hint: Option<String>,
    pub(super) reason: Reason,
    #[source]
    cause: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Explain for SettingError {
    fn reason(&self) -> Reason {
        self.reason
    }

    fn hint(&self) -> Option<String> {
        self.hint.clone()
    }
}

impl SettingError {
    /// A wrong command line.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: None,
            reason: Reason::Usage,
            cause: None,
        }
    }

    /// What another module found wrong, in its words.
    pub(super) fn of(error: &impl Explain) -> Self {
        Self {
            message: error.to_string(),
            hint: error.hint(),
            reason: error.reason(),
            cause: None,
        }
    }

    /// With the place that names what is wrong before it.
    #[must_use]
    pub(super) fn at(mut self, place: &str) -> Self {
        self.message = format!("{place}: {}", self.message);
        self
    }

    /// What to do about it.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Under another reason than `usage`.
    #[must_use]
    pub(crate) fn reason(mut self, reason: Reason) -> Self {
        self.reason = reason;
        self
    }

    /// What it was caused by.
    #[must_use]
    pub(crate) fn cause(mut self, cause: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.cause = Some(Box::new(cause));
        self
    }
}
