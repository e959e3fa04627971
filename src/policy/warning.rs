//! What is valid in a policy, and odd: said only where it is certain.

use super::{
    error::Place,
    exemption::Exemption,
    glob::Glob,
    leaf::{DctLeaf, Leaf, NotationLeaf, RootPin},
    rule::{Demand, Policy, Rule},
};
use crate::{
    format::notation::{Action, Level},
    timestamp::Timestamp,
};

/// Days before an exemption expires from which a warning says so: time for a release with a signed image.
const SOON: i64 = 30;
/// Pairs of patterns that are compared. It grows with the square of the patterns, and a warning is not worth more.
const PAIRS: usize = 100_000;

/// Something that a person should look at.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Warning {
    /// The rule, in its file; `None` where no rule is to blame.
    pub place: Option<Place>,
    /// What is odd.
    pub message: String,
}

impl Policy<Leaf> {
    /// What is odd about the rules at this time, in their order.
    pub fn warnings(&self, now: Timestamp) -> Vec<Warning> {
        let mut warnings = Vec::new();
        let mut pairs = 0;
        for (index, rule) in self.rules.iter().enumerate() {
            let mut warn = |message: String| {
                warnings.push(Warning {
                    place: rule.place,
                    message: format!("rule {}: {message}", index + 1),
                });
            };
            let before = self.rules.get(..index).unwrap_or_default();
            pairs += rule.images.len()
                * before
                    .iter()
                    .map(|earlier| earlier.images.len())
                    .sum::<usize>();
            if pairs <= PAIRS {
                covered(rule, before).into_iter().for_each(&mut warn);
            }
            for glob in rule.images.iter().filter(|glob| names_no_registry(glob)) {
                if let Some(only) = glob.only() {
                    warn(format!(
                        "the pattern `{glob}` does not name a registry, so it means `{only}`"
                    ));
                }
            }
            match &rule.demand {
                Demand::Exempt(exemption) => {
                    exempt(rule, exemption, now).into_iter().for_each(&mut warn);
                }
                Demand::Require(requirement) => requirement
                    .leaves()
                    .into_iter()
                    .flat_map(weakened)
                    .for_each(&mut warn),
            }
        }
        warnings
    }
}

/// Patterns that earlier rules leave nothing to.
fn covered(rule: &Rule<Leaf>, before: &[Rule<Leaf>]) -> Vec<String> {
    let cover = |glob: &Glob| {
        let mut earlier = (1..)
            .zip(before)
            .flat_map(|(number, rule)| rule.images.iter().map(move |by| (number, by)));
        earlier.find(|(_, by)| by.covers(glob))
    };
    let found: Vec<(&Glob, (usize, &Glob))> = rule
        .images
        .iter()
        .filter_map(|glob| Some((glob, cover(glob)?)))
        .collect();
    let by = |(glob, (number, by)): &(&Glob, (usize, &Glob))| {
        format!("`{glob}` by `{by}` of rule {number}")
    };
    if found.len() == rule.images.len() {
        let all: Vec<String> = found.iter().map(by).collect();
        return vec![format!(
            "it can never decide, because earlier rules cover its patterns: {}",
            all.join(", ")
        )];
    }
    found
        .iter()
        .map(|pair| {
            format!(
                "a pattern of it can never decide, covered earlier: {}",
                by(pair)
            )
        })
        .collect()
}

/// `shop/web` is Docker Hub's, which is not what everybody means; `alpine` is what everybody means.
fn names_no_registry(glob: &Glob) -> bool {
    let text = glob.to_string();
    text.split_once('/')
        .is_some_and(|(host, _)| !host.contains(['.', ':']) && host != "localhost")
}

fn exempt(rule: &Rule<Leaf>, exemption: &Exemption, now: Timestamp) -> Vec<String> {
    let mut odd = Vec::new();
    if rule.images.contains(&Glob::everything()) {
        odd.push(
            "`**` is exempt: every image that no earlier rule matches is allowed without checking"
                .to_owned(),
        );
    }
    let until = exemption.until();
    match exemption.days_left(now) {
        ended if ended < 0 => odd.push(format!(
            "its exemption expired after {until}: its images are denied"
        )),
        0 => odd.push(format!(
            "its exemption expires today ({until}): after that its images are denied"
        )),
        days if days <= SOON => {
            odd.push(format!(
                "its exemption expires after {until}, in {days} days: after that its images are denied"
            ));
        }
        _ => odd.extend(exemption.is_long(now)),
    }
    odd
}

/// What is checked less strictly than it can be.
fn weakened(leaf: &Leaf) -> Vec<String> {
    match leaf {
        Leaf::Dct(DctLeaf {
            root: RootPin::FirstUse,
            ..
        }) => {
            vec![
                "`trust-on-first-use`: anyone who controls the trust server can show any root"
                    .to_owned(),
            ]
        }
        Leaf::Dct(DctLeaf {
            root: RootPin::Keys(_) | RootPin::Ca(_),
            ..
        })
        | Leaf::Notation(NotationLeaf::Policy { .. }) => Vec::new(),
        Leaf::Notation(NotationLeaf::Pinned(pins)) => {
            let permissive = (pins.level.name() != Level::STRICT.name())
                .then(|| "`level: permissive`: expired signatures are accepted".to_owned());
            let revocation = match pins.level.weaker_revocation() {
                None | Some(Action::Enforce) => None,
                Some(Action::Log) => Some(
                    "`revocation: log`: signatures of revoked certificates are accepted".to_owned(),
                ),
                Some(Action::Skip) => {
                    Some("`revocation: off`: revocation is not checked".to_owned())
                }
            };
            permissive.into_iter().chain(revocation).collect()
        }
    }
}
