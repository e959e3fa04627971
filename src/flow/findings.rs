//! What the requirements of a rule came to for one image: one finding each, in the order of the text.

use crate::{
    format::Verified,
    oci::Reference,
    policy::{Denied, FormatRequirement, Refusal},
    reason::Reason,
    report::{Problem, RequirementReport, SignatureReport, Status},
};

/// What one requirement came to.
#[derive(Debug)]
pub(super) enum Finding {
    /// It holds, and here is the proof.
    Verified(Verified),
    /// A statement of notation's own policy lets the image through. That proves nothing, so the requirement does not hold.
    LetThrough {
        /// The statement.
        statement: String,
        /// Why it does not hold.
        problem: Problem,
    },
    /// It does not hold.
    Failed(Problem),
}

/// A check that is weaker than it could be (P09).
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Weakened {
    /// The switch that weakens it.
    pub(super) by: String,
    /// What that means, for people.
    pub(super) meaning: String,
}

/// A finding, with what a report shows of it.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) finding: Finding,
    /// Every signature that was checked for it.
    pub(super) signatures: Vec<SignatureReport>,
    pub(super) weakened: Vec<Weakened>,
}

/// What each requirement came to.
#[derive(Debug, Default)]
pub(super) struct Findings {
    all: Vec<Finding>,
    pub(super) signatures: Vec<SignatureReport>,
    pub(super) weakened: Vec<Weakened>,
}

impl Found {
    /// A finding with nothing else to show.
    pub(super) fn only(finding: Finding) -> Self {
        Self {
            finding,
            signatures: Vec::new(),
            weakened: Vec::new(),
        }
    }

    /// A requirement that fails, with nothing else to show.
    pub(super) fn failed(problem: Problem) -> Self {
        Self::only(Finding::Failed(problem))
    }
}

impl Finding {
    fn outcome(&self) -> Result<&Verified, Reason> {
        match self {
            Self::Verified(verified) => Ok(verified),
            Self::LetThrough { problem, .. } | Self::Failed(problem) => Err(problem.reason),
        }
    }

    /// Why the requirement does not hold.
    fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Verified(_) => None,
            Self::LetThrough { problem, .. } | Self::Failed(problem) => Some(problem),
        }
    }
}

impl Findings {
    /// Adds what the next requirement came to; a signature that two of them were judged by is shown once.
    pub(super) fn add(&mut self, found: Found) {
        self.all.push(found.finding);
        for signature in found.signatures {
            if !self.signatures.contains(&signature) {
                self.signatures.push(signature);
            }
        }
        self.weakened.extend(found.weakened);
    }

    /// As the policy takes them: proofs and reasons, and nothing between.
    pub(super) fn outcomes(&self) -> Vec<Result<&Verified, Reason>> {
        self.all.iter().map(Finding::outcome).collect()
    }

    /// The statements that let the image through, where nothing stands against it but those.
    pub(super) fn let_through(&self) -> Option<Vec<&str>> {
        let mut statements = Vec::new();
        for finding in &self.all {
            match finding {
                Finding::Verified(_) => {}
                Finding::LetThrough { statement, .. } => statements.push(statement.as_str()),
                Finding::Failed(_) => return None,
            }
        }
        Some(statements)
    }

    /// The most specific reason in words; how many more there are is said, too.
    pub(super) fn most_specific(&self, denied: Denied, image: &Reference) -> Problem {
        let blamed = denied
            .leaf
            .and_then(|leaf| self.all.get(leaf)?.problem().cloned());
        let mut problem = blamed.unwrap_or_else(|| {
            let image = image.to_string();
            let reason = denied.reason;
            Problem::of(&Refusal::TooFewKeys { image, reason })
        });
        let failing = self.all.iter().filter_map(Finding::problem).count();
        if denied.leaf.is_some() && failing > 1 {
            problem.causes.push(format!(
                "{} more of the rule's {} requirements fail",
                failing - 1,
                self.all.len()
            ));
        }
        problem
    }

    /// Each requirement in words, with how it ended.
    pub(super) fn report(&self, requirements: &[&FormatRequirement]) -> Vec<RequirementReport> {
        let report = |(requirement, finding): (&&FormatRequirement, &Finding)| RequirementReport {
            requirement: requirement.words.clone(),
            status: finding.problem().map_or(Status::Verified, Problem::status),
            problem: finding.problem().cloned(),
        };
        requirements.iter().zip(&self.all).map(report).collect()
    }
}
