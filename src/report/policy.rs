//! `policy check`: what a policy says, rule by rule and image by image. Asks nobody.

use std::{collections::BTreeMap, fmt::Write as _};

use serde_json::{Map, Value, json};

use super::{ImageReport, Location, Problem, RuleReport, Status, plain};
use crate::{
    format::notation::{Action, Check, Level, Metadata, Statement, TrustPolicy},
    oci::Reference,
    policy::{Demand, Exemption, Leaf, NotationLeaf, Policy, Refusal, Rule, Warning},
    timestamp::Timestamp,
};

/// A policy, ready to be shown.
#[derive(Debug)]
pub struct PolicyView<'a> {
    /// The file as named.
    pub file: &'a str,
    /// What it says.
    pub policy: &'a Policy<Leaf>,
    /// notation's own policies, by the name that requirements give them.
    pub trust_policies: BTreeMap<String, TrustPolicy>,
    /// What is odd about it.
    pub warnings: Vec<Warning>,
    /// The day on which exemptions are checked.
    pub now: Timestamp,
}

impl PolicyView<'_> {
    /// What is odd, each with its place.
    pub fn warnings(&self) -> Vec<String> {
        let at = |warning: &Warning| {
            warning
                .place
                .map(|place| format!(":{place}"))
                .unwrap_or_default()
        };
        self.warnings
            .iter()
            .map(|warning| format!("{}{}: {}", self.file, at(warning), warning.message))
            .collect()
    }

    /// What the policy says about an image before any signature is checked: denied, exempt, or with requirements.
    pub fn report(&self, image: &Reference) -> ImageReport {
        let name = image.to_string();
        let Some(rule) = self.policy.rule_for(&image.repository) else {
            let problem = Problem::of(&Refusal::NoRule {
                image: name.clone(),
            });
            return ImageReport::failed(name, Status::Rejected, problem);
        };
        let mut report = match &rule.demand {
            Demand::Require(requirement) => {
                let own = |leaf: &Leaf| self.own_policy(leaf, image)?.never(image);
                let never = requirement.leaves().into_iter().find_map(own);
                match never.filter(|_| !requirement.may_hold(&|leaf| own(leaf).is_none())) {
                    Some(problem) => ImageReport::failed(name, Status::Rejected, problem),
                    None => ImageReport::named(name, Status::Shown),
                }
            }
            Demand::Exempt(exemption) if exemption.days_left(self.now) >= 0 => {
                ImageReport::named(name, Status::Exempt)
            }
            Demand::Exempt(exemption) => {
                let (until, why) = (exemption.until().to_string(), exemption.reason().to_owned());
                let problem = Problem::of(&Refusal::ExemptionExpired {
                    image: name.clone(),
                    until,
                    why,
                });
                ImageReport::failed(name, Status::Rejected, problem)
            }
        };
        report.rule = rule.matching(&image.repository).map(|glob| RuleReport {
            number: rule.number,
            images: glob.to_string(),
            location: self.location(rule),
        });
        report
    }

    fn location(&self, rule: &Rule<Leaf>) -> Location {
        let (line, column) = rule.place.map(|place| (place.line, place.column)).unzip();
        Location {
            file: self.file.to_owned(),
            line: line.unwrap_or(1),
            column: column.unwrap_or(1),
        }
    }

    /// For a person: each image with the rules that were tried; without images every rule.
    pub fn text(&self, images: &[Reference], reports: &[ImageReport]) -> String {
        let rules = self.policy.rules.len();
        let mut text = format!(
            "{}: valid, {rules} {}\n",
            plain(self.file),
            if rules == 1 { "rule" } else { "rules" }
        );
        if images.is_empty() {
            for (number, rule) in (1..).zip(&self.policy.rules) {
                let _ = writeln!(
                    text,
                    "\nrule {number} ({})  {}",
                    self.place(rule),
                    patterns(rule)
                );
                self.requirement(rule, &mut text);
            }
        }
        for (image, report) in images.iter().zip(reports) {
            let _ = writeln!(text, "\n{image}");
            row(&mut text, "name", &image.repository.to_string());
            for Location { file, line, column } in &report.locations {
                row(
                    &mut text,
                    "manifest",
                    &format!("{}:{line}:{column}", plain(file)),
                );
            }
            self.rules(image, &mut text);
        }
        text
    }

    /// Every rule up to the one that decides.
    fn rules(&self, image: &Reference, text: &mut String) {
        for (number, rule) in (1..).zip(&self.policy.rules) {
            let (label, place) = (format!("rule {number}"), self.place(rule));
            let Some(glob) = rule.matching(&image.repository) else {
                row(
                    text,
                    &label,
                    &format!("({place}) does not match: {}", patterns(rule)),
                );
                continue;
            };
            row(
                text,
                &label,
                &format!("({place}) decides, by `{}`", plain(&glob.to_string())),
            );
            self.requirement(rule, text);
            for own in self.own_policies(rule, image) {
                row(text, "statement", &own.words());
            }
            return;
        }
        row(text, "no rule", "matches: denied");
    }

    fn requirement(&self, rule: &Rule<Leaf>, text: &mut String) {
        match &rule.demand {
            Demand::Require(requirement) => {
                let words = requirement.describe(&|leaf| plain(&leaf.to_string()));
                for (line, label) in words
                    .lines()
                    .zip(std::iter::once("requires").chain(std::iter::repeat("")))
                {
                    row(text, label, line);
                }
            }
            Demand::Exempt(exemption) => row(text, "exempt", &self.exempt(exemption)),
        }
    }

    fn exempt(&self, exemption: &Exemption) -> String {
        let (until, why) = (exemption.until(), plain(exemption.reason()));
        match exemption.days_left(self.now) {
            ended if ended < 0 => format!("until {until}, expired: denied ({why})"),
            0 => format!("until {until}, which is today: allowed without checking ({why})"),
            days => format!("until {until}, {days} more days: allowed without checking ({why})"),
        }
    }

    fn place(&self, rule: &Rule<Leaf>) -> String {
        let Location { file, line, column } = self.location(rule);
        format!("{}:{line}:{column}", plain(&file))
    }

    /// For programs; stable under `schemaVersion`.
    pub fn json(&self, images: &[Reference], reports: &[ImageReport]) -> Value {
        let rules: Value = (1..)
            .zip(&self.policy.rules)
            .map(|(number, rule)| self.rule_json(number, rule))
            .collect();
        let warning = |warning: &Warning| {
            let place = warning
                .place
                .map(|place| json!({"line": place.line, "column": place.column}));
            json!({"message": warning.message, "location": place})
        };
        json!({
            "schemaVersion": 1,
            "command": "policy check",
            "config": self.file,
            "rules": rules,
            "images": images.iter().zip(reports).map(|(image, report)| self.image_json(image, report)).collect::<Value>(),
            "warnings": self.warnings.iter().map(warning).collect::<Value>(),
        })
    }

    fn rule_json(&self, number: usize, rule: &Rule<Leaf>) -> Value {
        let images: Vec<String> = rule.images.iter().map(ToString::to_string).collect();
        let place = rule
            .place
            .map(|place| json!({"line": place.line, "column": place.column}));
        let mut value = json!({"number": number, "images": images, "location": place});
        let (name, demand) = match &rule.demand {
            Demand::Require(requirement) => {
                ("require", requirement.json(&|leaf| json!(leaf.to_string())))
            }
            Demand::Exempt(exemption) => {
                let (reason, until) = (exemption.reason(), exemption.until().to_string());
                (
                    "exempt",
                    json!({"reason": reason, "until": until, "ended": exemption.days_left(self.now) < 0}),
                )
            }
        };
        if let Some(value) = value.as_object_mut() {
            value.insert(name.into(), demand);
        }
        value
    }

    fn image_json(&self, image: &Reference, report: &ImageReport) -> Value {
        let mut value = Map::new();
        value.insert("image".into(), json!(image.to_string()));
        value.insert("repository".into(), json!(image.repository.to_string()));
        let answer = match (&report.problem, report.status) {
            (Some(problem), _) => {
                value.insert("reason".into(), json!(problem.reason.code()));
                "deny"
            }
            (None, Status::Exempt) => "exempt",
            (None, _) => "require",
        };
        value.insert("answer".into(), json!(answer));
        if let Some(rule) = &report.rule {
            value.insert(
                "rule".into(),
                json!({"number": rule.number, "images": rule.images}),
            );
        }
        if let Some(rule) = self.policy.rule_for(&image.repository) {
            let own = self.own_policies(rule, image);
            if !own.is_empty() {
                value.insert(
                    "statements".into(),
                    own.iter().map(|own| own.json(image)).collect(),
                );
            }
        }
        if !report.locations.is_empty() {
            let place =
                |at: &Location| json!({"file": at.file, "line": at.line, "column": at.column});
            value.insert(
                "locations".into(),
                report.locations.iter().map(place).collect(),
            );
        }
        Value::Object(value)
    }
}

/// What a requirement by notation's own policy comes to for an image.
struct OwnPolicy<'a> {
    file: &'a str,
    metadata: &'a Metadata,
    statement: Option<&'a Statement>,
    /// The scope by which the statement matches the image.
    scope: String,
}

impl PolicyView<'_> {
    /// For each requirement of a rule that refers to one.
    fn own_policies<'a>(&'a self, rule: &'a Rule<Leaf>, image: &Reference) -> Vec<OwnPolicy<'a>> {
        let Demand::Require(requirement) = &rule.demand else {
            return Vec::new();
        };
        requirement
            .leaves()
            .into_iter()
            .filter_map(|leaf| self.own_policy(leaf, image))
            .collect()
    }

    fn own_policy<'a>(&'a self, leaf: &'a Leaf, image: &Reference) -> Option<OwnPolicy<'a>> {
        let (trust_policy, metadata) = match leaf {
            Leaf::Dct(_) | Leaf::Notation(NotationLeaf::Pinned(_)) => return None,
            Leaf::Notation(NotationLeaf::Policy {
                trust_policy,
                metadata,
                ..
            }) => (trust_policy, metadata),
        };
        let statement = self
            .trust_policies
            .get(&trust_policy.text)?
            .statement(&image.repository);
        let name = image.repository.to_string();
        let is_named = statement.is_some_and(|statement| statement.scopes().contains(&name));
        let scope = if is_named { name } else { "*".to_owned() };
        Some(OwnPolicy {
            file: &trust_policy.text,
            metadata,
            statement,
            scope,
        })
    }
}

impl OwnPolicy<'_> {
    /// Why no signature can meet the requirement, if so: what the verifier would say.
    fn never(&self, image: &Reference) -> Option<Problem> {
        let statement = match self.statement {
            None => {
                let repository = image.repository.to_string();
                return Some(Problem::of(&Refusal::NoStatement { repository }));
            }
            Some(statement) if statement.level().is_none() => statement.name().to_owned(),
            Some(_) => return None,
        };
        let image = image.to_string();
        Some(Problem::of(&if self.metadata.is_empty() {
            Refusal::NotAuthentic { image, statement }
        } else {
            Refusal::Unchecked { image, statement }
        }))
    }

    fn words(&self) -> String {
        let file = plain(self.file);
        let Some(statement) = self.statement else {
            return format!("none of `{file}` matches, so the requirement is never met");
        };
        let (name, scope, level) = (plain(statement.name()), &self.scope, self.level());
        let meaning = match statement.level() {
            None => ": no signature is checked, so the requirement is never met",
            Some(level) if level.action(Check::Authenticity) != Action::Enforce => {
                ": only signers that it trusts are accepted, whoever else it lets pass"
            }
            Some(_) => "",
        };
        format!("`{name}` of `{file}` matches, by the scope `{scope}`, level {level}{meaning}")
    }

    fn level(&self) -> &'static str {
        self.statement
            .and_then(Statement::level)
            .map_or("skip", Level::name)
    }

    fn json(&self, image: &Reference) -> Value {
        let reason = self.never(image).map(|problem| problem.reason.code());
        match self.statement {
            None => json!({"trustPolicy": self.file, "name": null, "reason": reason}),
            Some(statement) => json!({
                "trustPolicy": self.file, "name": statement.name(), "scope": self.scope, "level": self.level(),
                "reason": reason,
            }),
        }
    }
}

fn patterns(rule: &Rule<Leaf>) -> String {
    let all: Vec<String> = rule
        .images
        .iter()
        .map(|glob| format!("`{}`", plain(&glob.to_string())))
        .collect();
    all.join(", ")
}

fn row(text: &mut String, label: &str, words: &str) {
    let _ = writeln!(text, "  {label:<9} {words}");
}
