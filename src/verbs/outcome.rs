//! What a verb came to, for whoever writes it down: the command line or a pipeline step.

use crate::report::{Failure, Report};

/// What a verb came to: the report, and what goes to standard output.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) report: Report,
    /// For people.
    pub(crate) text: String,
    /// For programs, where it is not the report itself.
    pub(crate) json: Option<serde_json::Value>,
}

impl Outcome {
    /// The report, with lines of text for people.
    pub(crate) fn of_lines(report: Report, lines: &[impl std::fmt::Display]) -> Self {
        let text = lines.iter().map(|line| format!("{line}\n")).collect();
        Self {
            report,
            text,
            json: None,
        }
    }

    pub(crate) fn failed(command: &'static str, failure: &Failure) -> Self {
        let mut report = Report::new(command);
        report.fail(failure.problem());
        Self {
            report,
            text: String::new(),
            json: None,
        }
    }
}
