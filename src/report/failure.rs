//! Any error that ends a command or an image: it knows its reason, its hint and its causes.

use super::{Problem, Status};
use crate::reason::{Exit, Explain, Reason};

/// An error of any layer below, as it is passed up to the report.
#[derive(Debug)]
pub struct Failure(Box<dyn Explain + Send + Sync>);

impl Failure {
    /// The stable reason code.
    pub fn reason(&self) -> Reason {
        self.0.reason()
    }

    /// As the report tells it.
    pub fn problem(&self) -> Problem {
        Problem::of(self.0.as_ref())
    }

    /// How an image ends that fails so: checked and refused, or failed.
    pub fn status(&self) -> Status {
        if self.reason().exit() == Exit::Rejected {
            Status::Refused
        } else {
            Status::Failed
        }
    }

    /// The error as `E`, if it is one.
    pub fn is<E: Explain + 'static>(&self) -> Option<&E> {
        let error: &(dyn std::error::Error + 'static) = self.0.as_ref();
        error.downcast_ref()
    }
}

impl<E: Explain + Send + Sync + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(Box::new(error))
    }
}
