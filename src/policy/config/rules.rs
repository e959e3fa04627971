//! The `verify` part: rules, and the tree of demands in each.

use serde_saphyr::Spanned;

use super::{Reader, place};
use crate::policy::{
    document::{self, Member, Node},
    error::PolicyError,
    exemption::Exemption,
    leaf::Leaf,
    requirement::Requirement,
    rule::{Demand, Policy, Rule},
};

/// Leaves of one rule. Each is checked against every signature of an image: with the 50 candidates of an image this
/// bounds its checks at 5,000.
const LEAVES: usize = 100;

impl Reader<'_> {
    pub(super) fn rules(
        &self,
        rules: Spanned<Vec<Spanned<document::Rule>>>,
    ) -> Result<Policy<Leaf>, PolicyError> {
        if rules.value.is_empty() {
            return Err(self.wrong(
                &rules,
                "no rule: leave `verify` out, or say what is required",
            ));
        }
        let numbered = (1..).zip(rules.value);
        let rules = numbered
            .map(|(number, rule)| self.rule(number, rule))
            .collect::<Result<_, _>>()?;
        Ok(Policy { rules })
    }

    fn rule(
        &self,
        number: usize,
        rule: Spanned<document::Rule>,
    ) -> Result<Rule<Leaf>, PolicyError> {
        let at = place(rule.referenced);
        let document::Rule {
            images,
            require,
            exempt,
        } = rule.value;
        let demand = match (require, exempt) {
            (Some(members), None) => {
                let requirement = self.all(members)?;
                let leaves = requirement.leaves().len();
                if leaves > LEAVES {
                    return Err(self.at(
                        at,
                        format!(
                            "the rule has {leaves} requirements, and at most {LEAVES} are allowed"
                        ),
                    ));
                }
                Demand::Require(requirement)
            }
            (None, Some(exempt)) => {
                let document::Exempt { reason, until } = &exempt.value;
                let exemption = Exemption::new(&reason.value, &until.value);
                Demand::Exempt(exemption.map_err(|message| self.wrong(&exempt, message))?)
            }
            (Some(_), Some(_)) => {
                return Err(self.at(at, "a rule has `require` or `exempt`, not both"));
            }
            (None, None) => return Err(self.at(at, "a rule requires `require` or `exempt`")),
        };
        Ok(Rule {
            number,
            place: Some(at),
            images: self.each(images, "images")?,
            demand,
        })
    }

    /// A list means all of it.
    fn all(&self, members: Spanned<Vec<Spanned<Node>>>) -> Result<Requirement<Leaf>, PolicyError> {
        let at = place(members.referenced);
        let all = self.nodes(members.value)?;
        Requirement::all(all).ok_or_else(|| self.at(at, "an empty list requires nothing"))
    }

    fn nodes(&self, nodes: Vec<Spanned<Node>>) -> Result<Vec<Requirement<Leaf>>, PolicyError> {
        nodes.into_iter().map(|node| self.node(node)).collect()
    }

    fn node(&self, node: Spanned<Node>) -> Result<Requirement<Leaf>, PolicyError> {
        let at = place(node.referenced);
        let member = match node.value {
            Node::List(members) => {
                return Requirement::all(self.nodes(members)?)
                    .ok_or_else(|| self.at(at, "an empty list requires nothing"));
            }
            Node::Member(member) => *member,
        };
        let Member {
            dct,
            notation,
            cosign,
            any,
            at_least,
            of,
        } = member;
        match (dct, notation, cosign, any, at_least, of) {
            (Some(dct), None, None, None, None, None) => Ok(Requirement::leaf(Leaf::Dct(self.dct(dct)?))),
            (None, Some(notation), None, None, None, None) => {
                Ok(Requirement::leaf(Leaf::Notation(self.notation(notation)?)))
            }
            (None, None, Some(cosign), None, None, None) => {
                Err(self.wrong(&cosign, "this version does not check `cosign` signatures, so this policy can never be satisfied"))
            }
            (None, None, None, Some(members), None, None) => {
                let at = place(members.referenced);
                let any = self.nodes(members.value)?;
                Requirement::any(any).ok_or_else(|| self.at(at, "an empty list can never be satisfied"))
            }
            (None, None, None, None, Some(count), Some(members)) => {
                let (wanted, of) = (count.value.0, self.nodes(members.value)?);
                let there = of.len();
                let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
                Requirement::at_least(wanted, of).ok_or_else(|| {
                    self.wrong(
                        &count,
                        format!("`at-least: {}` of {there} members can never be satisfied, or requires nothing", count.value.0),
                    )
                })
            }
            _ => {
                Err(self
                    .at(at, "a member has exactly one of `dct`, `notation`, `cosign`, `any`, and `at-least` with `of`"))
            }
        }
    }
}
