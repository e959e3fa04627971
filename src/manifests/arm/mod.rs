//! ARM templates (JSON): the images of container groups, container apps, web apps and whatever else has one.
//!
//! Expressions are worked out as far as images need. One that is not known may only stand where no container can be:
//! in a member that holds a plain value, or in a resource of a provider that runs none.

mod comments;
mod evaluate;
mod functions;
mod member;
mod parameters;
mod resource;
mod scope;
mod syntax;
mod tables;

use std::cell::Cell;

pub(super) use self::comments::without_comments;
pub use self::parameters::Parameters;
use self::{member::member, scope::Scope};
use super::{Finder, Problem, error::Fix, tree::Mapping};

/// What an ARM document is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Template,
    /// Values of parameters, which deploy nothing by themselves.
    Values,
}

/// What a document is to ARM, which does not look at the case of a name: by its members, else by its schema.
pub(super) fn kind(root: &Mapping) -> Option<Kind> {
    let find = |name: &str| {
        let mut entries = root.entries.iter();
        entries.find(|(known, _)| known.eq_ignore_ascii_case(name))
    };
    let has = |name: &str| find(name).is_some();
    let schema = find("$schema").and_then(|(_, node)| Some(node.as_scalar()?.value.to_lowercase()));
    let schema = schema.unwrap_or_default();
    if (has("contentVersion") && has("resources")) || schema.contains("deploymenttemplate.json") {
        Some(Kind::Template)
    } else if schema.contains("deploymentparameters.json") {
        // With resources it is a template to those who do not look at the schema.
        Some(if has("resources") {
            Kind::Template
        } else {
            Kind::Values
        })
    } else {
        None
    }
}

impl Finder<'_> {
    pub(super) fn arm(&mut self, root: &Mapping) -> Result<(), Problem> {
        let cost = Cell::new(0);
        let scope = Scope::of_file(root, self.options.parameters, &cost)?;
        match member(root, "resources")? {
            Some(resources) => self.resources(resources, &scope, ""),
            None => Err(Problem::new(root.at, "a template without `resources`")),
        }
        .map_err(|problem| problem.or_fix(Fix::Arm))
    }
}
