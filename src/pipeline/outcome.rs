//! How a step ends: the code that the host sees, what the result file says, and the line for people.

use serde_json::json;

use crate::{
    reason::Exit,
    report::{Decision, Report, Status, plain},
};

/// `fail-on`: when a gate fails its step.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum FailOn {
    /// Anything but allowed.
    #[default]
    Rejected,
    /// Only where the answer is not known.
    Error,
    /// Never, as long as images were judged.
    None,
}

impl FailOn {
    /// From the input's word.
    pub fn of(word: Option<&str>) -> Self {
        match word {
            Some("error") => Self::Error,
            Some("none") => Self::None,
            _ => Self::Rejected,
        }
    }

    /// The word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Rejected => "rejected",
            Self::Error => "error",
            Self::None => "none",
        }
    }

    /// The code of the step. Wrong set-up and interruption always fail; signing has no `fail-on`.
    fn apply(self, exit: Exit) -> Exit {
        match (self, exit) {
            (Self::Error | Self::None, Exit::Rejected) | (Self::None, Exit::Undecided) => {
                Exit::Done
            }
            _ => exit,
        }
    }
}

/// How a step ends.
#[derive(Clone, Debug)]
pub struct Ending {
    /// The code of the process.
    pub exit: Exit,
    /// What the run decided, whatever `fail-on` made of it.
    pub decision: Decision,
    /// One line for people, safe to print.
    pub message: String,
}

impl Ending {
    /// From a report, with what went wrong while it was published, and `fail-on`.
    pub fn of(report: &Report, fail_on: FailOn) -> Self {
        let found = report.exit();
        let exit = fail_on.apply(found);
        let decision = report.decided();
        let mut message = counts(report);
        if let Some(problem) = report.most_specific() {
            let separator = if message.is_empty() { "" } else { "; " };
            message.push_str(&format!(
                "{separator}{}: {}",
                problem.reason, problem.message
            ));
        }
        if found != Exit::Done && exit == Exit::Done {
            message.push_str(&format!(
                " (allowed to pass by `fail-on: {}`)",
                fail_on.word()
            ));
        }
        Self {
            exit,
            decision,
            message: line(&message),
        }
    }

    /// The same where nobody could read what the step said.
    #[must_use]
    pub fn unheard(self) -> Self {
        let message = line(&format!(
            "{}; standard output was closed before the end",
            self.message
        ));
        Self {
            exit: self.exit.worst(Exit::Undecided),
            decision: Decision::Deny,
            message,
        }
    }

    /// The document of `ACR_SIGN_RESULT` (design §9).
    pub fn document(&self) -> String {
        let document = json!({"code": self.exit.code(), "decision": self.decision.word(), "message": self.message});
        format!("{document}\n")
    }
}

/// How many images ended in which way: `signed 3, already-signed 1, failed 1`.
fn counts(report: &Report) -> String {
    let mut counts: Vec<(Status, usize)> = Vec::new();
    for image in &report.images {
        match counts
            .iter_mut()
            .find(|(status, _)| *status == image.status)
        {
            Some((_, count)) => *count += 1,
            None => counts.push((image.status, 1)),
        }
    }
    match counts.as_slice() {
        [(status, 1)] => format!("{} 1 image", status.word()),
        [(status, count)] => format!("{} {count} images", status.word()),
        several => several
            .iter()
            .map(|(status, count)| format!("{} {count}", status.word()))
            .collect::<Vec<_>>()
            .join(", "),
    }
}

/// At most 300 characters, on one line.
fn line(text: &str) -> String {
    let plain = plain(text);
    if plain.chars().count() <= 300 {
        return plain;
    }
    plain
        .chars()
        .take(299)
        .chain(std::iter::once('…'))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        reason::Reason,
        report::{ImageReport, Problem},
    };

    fn verified(statuses: &[(Status, Option<Reason>)]) -> Report {
        let mut report = Report::new("verify");
        report.images = statuses
            .iter()
            .map(|(status, reason)| match reason {
                None => ImageReport::named("i".into(), *status),
                Some(reason) => {
                    let problem = Problem {
                        reason: *reason,
                        message: "m".into(),
                        causes: vec![],
                        hint: None,
                    };
                    ImageReport::failed("i".into(), *status, problem)
                }
            })
            .collect();
        let all = report
            .images
            .iter()
            .all(|image| image.status == Status::Verified);
        report.decision = Some(if all { Decision::Allow } else { Decision::Deny });
        report
    }

    #[test]
    fn p09_fail_on_lets_pass_what_it_says_and_the_decision_stays() {
        let rejected = verified(&[
            (Status::Verified, None),
            (Status::Rejected, Some(Reason::Unsigned)),
        ]);
        let undecided = verified(&[
            (Status::Rejected, Some(Reason::Unsigned)),
            (Status::Undecided, Some(Reason::RegistryUnreachable)),
        ]);
        let usage = verified(&[(Status::Undecided, Some(Reason::HostNotAllowed))]);
        for (report, fail_on, code) in [
            (&rejected, FailOn::Rejected, 1),
            (&rejected, FailOn::Error, 0),
            (&rejected, FailOn::None, 0),
            (&undecided, FailOn::Rejected, 3),
            (&undecided, FailOn::Error, 3),
            (&undecided, FailOn::None, 0),
            (&usage, FailOn::None, 2),
        ] {
            let ending = Ending::of(report, fail_on);
            assert_eq!(
                (ending.exit.code(), ending.decision),
                (code, Decision::Deny),
                "{fail_on:?} {report:?}"
            );
            assert_eq!(ending.message.contains("allowed to pass"), code == 0);
        }
    }

    #[test]
    fn what_nobody_heard_is_not_allowed() {
        let report = verified(&[(Status::Verified, None)]);
        let ending = Ending::of(&report, FailOn::Rejected);
        assert_eq!(
            (ending.exit, ending.decision),
            (Exit::Done, Decision::Allow)
        );
        let ending = ending.unheard();
        assert_eq!(
            (ending.exit, ending.decision),
            (Exit::Undecided, Decision::Deny)
        );
        assert_eq!(
            ending.message,
            "verified 1 image; standard output was closed before the end"
        );
    }

    #[test]
    fn p02_the_message_is_one_short_line() {
        let mut report = Report::new("sign");
        let hostile = format!("::error::x\n##vso[task.complete]{}", "y".repeat(1000));
        report.error = Some(Problem {
            reason: Reason::Usage,
            message: hostile,
            causes: vec![],
            hint: None,
        });
        let ending = Ending::of(&report, FailOn::Rejected);
        assert!(ending.message.chars().count() <= 300 && !ending.message.contains('\n'));
        assert!(!ending.message.contains("::") && !ending.message.contains("##vso["));
        let document: serde_json::Value = serde_json::from_str(&ending.document()).unwrap();
        assert_eq!(
            (document["code"].as_u64(), document["decision"].as_str()),
            (Some(2), Some("deny"))
        );
    }
}
