//! Rules: the first whose patterns match an image says what must hold for it.

use std::collections::BTreeSet;

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
    /// Which of the text's rules it is, from 1.
    pub number: usize,
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
        let rule = Rule {
            number: 1,
            place: None,
            images: vec![Glob::everything()],
            demand: Demand::Require(requirement),
        };
        Self { rules: vec![rule] }
    }

    /// The same rules over other leaves.
    pub fn try_map<M, E>(&self, mut leaf: impl FnMut(&L) -> Result<M, E>) -> Result<Policy<M>, E> {
        let rule = |rule: &Rule<L>| {
            let demand = match &rule.demand {
                Demand::Require(requirement) => Demand::Require(requirement.try_map(&mut leaf)?),
                Demand::Exempt(exemption) => Demand::Exempt(exemption.clone()),
            };
            Ok(Rule {
                number: rule.number,
                place: rule.place,
                images: rule.images.clone(),
                demand,
            })
        };
        Ok(Policy {
            rules: self.rules.iter().map(rule).collect::<Result<_, E>>()?,
        })
    }

    /// The first rule that matches; without one the image is denied.
    pub fn rule_for(&self, repository: &Repository) -> Option<&Rule<L>> {
        self.rules
            .iter()
            .find(|rule| rule.matching(repository).is_some())
    }

    /// The rules that decide about one of these repositories, and no other.
    #[must_use]
    pub fn deciding<'a>(mut self, repositories: impl IntoIterator<Item = &'a Repository>) -> Self {
        let deciding = repositories
            .into_iter()
            .filter_map(|repository| self.rule_for(repository));
        let numbers: BTreeSet<usize> = deciding.map(|rule| rule.number).collect();
        self.rules.retain(|rule| numbers.contains(&rule.number));
        self
    }

    /// Every demand, rule by rule in the order of the text.
    pub fn leaves(&self) -> Vec<&L> {
        let demands = self.rules.iter().filter_map(|rule| match &rule.demand {
            Demand::Require(requirement) => Some(requirement.leaves()),
            Demand::Exempt(_) => None,
        });
        demands.flatten().collect()
    }
}

impl<L> Rule<L> {
    /// The pattern by which the rule matches.
    pub fn matching(&self, repository: &Repository) -> Option<&Glob> {
        self.images.iter().find(|glob| glob.matches(repository))
    }
}
