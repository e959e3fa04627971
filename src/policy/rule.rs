//! Rules: the first whose patterns match an image says what must hold for it.

use super::{error::Place, exemption::Exemption, glob::Glob, requirement::Requirement};
use crate::oci::Repository;

/// What must hold, for every image.
#[derive(Clone, Debug)]
pub struct Policy<L> {
    /// The rules, in the order of the text.
    pub rules: Vec<Rule<L>>,
}

/// What must hold for some images.
#[derive(Clone, Debug)]
pub struct Rule<L> {
    /// Where it stands in its file; `None` for a rule that flags make.
    pub place: Option<Place>,
    /// The images it is about.
    pub images: Vec<Glob>,
    /// What must hold.
    pub demand: Demand<L>,
}

/// What a rule asks.
#[derive(Clone, Debug)]
pub enum Demand<L> {
    /// Signatures.
    Require(Requirement<L>),
    /// Nothing, for a reason and until a day.
    Exempt(Exemption),
}

impl<L> Policy<L> {
    /// One rule for every image, as flags state it.
    pub fn for_all(requirement: Requirement<L>) -> Self {
        let rule = Rule { place: None, images: vec![Glob::everything()], demand: Demand::Require(requirement) };
        Self { rules: vec![rule] }
    }

    /// The same rules over other leaves.
    pub fn try_map<M, E>(&self, mut leaf: impl FnMut(&L) -> Result<M, E>) -> Result<Policy<M>, E> {
        let rule = |rule: &Rule<L>| {
            let demand = match &rule.demand {
                Demand::Require(requirement) => Demand::Require(requirement.try_map(&mut leaf)?),
                Demand::Exempt(exemption) => Demand::Exempt(exemption.clone()),
            };
            Ok(Rule { place: rule.place, images: rule.images.clone(), demand })
        };
        Ok(Policy { rules: self.rules.iter().map(rule).collect::<Result<_, E>>()? })
    }

    /// The first rule that matches, and its number from 1; without one the image is denied.
    pub fn rule_for(&self, repository: &Repository) -> Option<(usize, &Rule<L>)> {
        let mut numbered = (1..).zip(&self.rules);
        numbered.find(|(_, rule)| rule.matching(repository).is_some())
    }
}

impl<L> Rule<L> {
    /// The pattern by which the rule matches.
    pub fn matching(&self, repository: &Repository) -> Option<&Glob> {
        self.images.iter().find(|glob| glob.matches(repository))
    }
}
