//! The decision about one image: from what each leaf found, under the tree that says what must hold.
//!
//! Four answers, kept apart: it holds, it was checked and does not, it cannot be determined, the set-up is wrong. What
//! cannot be determined is never taken for a yes, and what is wrong in the set-up is said whenever it is found.

use super::{
    exemption::Exemption,
    matching,
    requirement::{Kind, Requirement},
    specificity::rank,
};
use crate::{
    crypto::PublicKey,
    format::Verified,
    oci::Digest,
    reason::{Exit, Reason},
    timestamp::Timestamp,
};

/// Why an image is allowed. Made from at least one proof, or from a written exemption, and by nothing else.
#[derive(Debug)]
pub struct Allowed<'a>(Basis<'a>);

#[derive(Debug)]
enum Basis<'a> {
    Signatures(Vec<&'a Verified>),
    Exemption(&'a Exemption),
}

/// Why an image is denied.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Denied {
    /// The most specific reason.
    pub reason: Reason,
    /// The leaf that gave it, counted in the order of the text; `None` where no single leaf is to blame.
    pub leaf: Option<usize>,
}

impl<'a> Allowed<'a> {
    /// By a written exemption that has not expired: it holds through its last day, UTC.
    pub fn exempt(exemption: &'a Exemption, now: Timestamp) -> Option<Self> {
        (exemption.days_left(now) >= 0).then_some(Self(Basis::Exemption(exemption)))
    }

    /// The proofs that the permission stands on; none for an exemption.
    pub fn signatures(&self) -> &[&'a Verified] {
        match &self.0 {
            Basis::Signatures(proofs) => proofs,
            Basis::Exemption(_) => &[],
        }
    }

    /// The exemption that the permission stands on, if it is one.
    pub fn exemption(&self) -> Option<&'a Exemption> {
        match &self.0 {
            Basis::Signatures(_) => None,
            Basis::Exemption(exemption) => Some(exemption),
        }
    }
}

/// Decides about the image of this digest; `findings` has one entry per leaf, in the order of
/// [`Requirement::leaves`]. Denies when the tree does not hold, when a finding is missing, and when a proof is of
/// another digest.
pub fn evaluate<'a, L>(
    requirement: &Requirement<L>,
    digest: &Digest,
    findings: &[Result<&'a Verified, Reason>],
) -> Result<Allowed<'a>, Denied> {
    let mut judge = Judge {
        digest,
        findings,
        next: 0,
    };
    match judge.answer(requirement) {
        Answer::Holds(proofs) if !proofs.is_empty() => Ok(Allowed(Basis::Signatures(proofs))),
        Answer::Holds(_) => Err(Denied {
            reason: Reason::Unsigned,
            leaf: None,
        }),
        Answer::Not { denied, .. } => Err(denied),
    }
}

struct Judge<'a, 'b> {
    digest: &'b Digest,
    findings: &'b [Result<&'a Verified, Reason>],
    next: usize,
}

enum Answer<'a> {
    Holds(Vec<&'a Verified>),
    Not { how: How, denied: Denied },
}

/// In which way something does not hold; the later, the more it decides.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum How {
    Rejected,
    Undecided,
    SetUp,
}

impl How {
    fn of(reason: Reason) -> Self {
        match reason.exit() {
            Exit::Rejected => Self::Rejected,
            Exit::Usage => Self::SetUp,
            // "Done" is no reason to fail, so whoever says so is not believed.
            Exit::Done | Exit::Undecided | Exit::Interrupted => Self::Undecided,
        }
    }
}

impl<'a> Judge<'a, '_> {
    fn answer<L>(&mut self, requirement: &Requirement<L>) -> Answer<'a> {
        match &requirement.0 {
            Kind::Leaf(_) => self.leaf(),
            Kind::All(members) => self.count(members, members.len(), false),
            Kind::Any(members) => self.count(members, 1, false),
            Kind::AtLeast { count, of } => self.count(of, *count, true),
        }
    }

    fn leaf(&mut self) -> Answer<'a> {
        let leaf = self.next;
        self.next += 1;
        let not = |reason| Answer::Not {
            how: How::of(reason),
            denied: Denied {
                reason,
                leaf: Some(leaf),
            },
        };
        match self.findings.get(leaf) {
            Some(Ok(verified)) if verified.subject() == self.digest => {
                Answer::Holds(vec![*verified])
            }
            Some(Ok(_)) => not(Reason::DigestMismatch),
            Some(Err(reason)) => not(*reason),
            None => not(Reason::PolicyInvalid),
        }
    }

    /// Whether at least `wanted` members hold; by so many distinct keys, if asked.
    fn count<L>(
        &mut self,
        members: &[Requirement<L>],
        wanted: usize,
        distinct: bool,
    ) -> Answer<'a> {
        let answers: Vec<Answer<'a>> = members.iter().map(|member| self.answer(member)).collect();
        let mut holding = Vec::new();
        let mut failing = Vec::new();
        for answer in answers {
            match answer {
                Answer::Holds(proofs) => holding.push(proofs),
                Answer::Not { how, denied } => failing.push((how, denied)),
            }
        }
        let counted = if distinct {
            matching::largest(&keys(&holding))
        } else {
            holding.len()
        };
        let set_up = failing.iter().any(|(how, _)| *how == How::SetUp);
        if counted >= wanted && !holding.is_empty() && !set_up {
            return Answer::Holds(holding.into_iter().flatten().collect());
        }
        let open = failing
            .iter()
            .filter(|(how, _)| *how == How::Undecided)
            .count();
        let how = match (set_up, counted + open >= wanted) {
            (true, _) => How::SetUp,
            (false, true) if open > 0 => How::Undecided,
            (false, _) => How::Rejected,
        };
        let of_that_kind = failing
            .iter()
            .filter(|(one, _)| *one == how)
            .map(|(_, denied)| *denied);
        let too_few = Denied {
            reason: Reason::ThresholdNotMet,
            leaf: None,
        };
        Answer::Not {
            how,
            denied: of_that_kind
                .min_by_key(|denied| rank(denied.reason))
                .unwrap_or(too_few),
        }
    }
}

/// The keys that each member that holds may be counted by.
fn keys<'a>(holding: &[Vec<&'a Verified>]) -> Vec<Vec<&'a PublicKey>> {
    let of = |proofs: &Vec<&'a Verified>| {
        proofs
            .iter()
            .flat_map(|proof| proof.signers())
            .map(|by| &by.key)
            .collect()
    };
    holding.iter().map(of).collect()
}
