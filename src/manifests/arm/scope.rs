//! What names mean in a template, and what values are.

use std::{cell::Cell, collections::HashMap};

use super::{
    member::member,
    parameters::{Literal, Parameters},
};
use crate::manifests::{
    Problem,
    tree::{Mapping, Node},
};

/// A value, as far as it is worked out.
#[derive(Clone)]
pub(super) enum Value<'a> {
    Text(String),
    Number(i64),
    Boolean(bool),
    Null,
    /// A list or object of a template, whose texts may be expressions.
    Node(&'a Node, &'a Scope<'a>),
    /// A list or object as it stands.
    Literal(&'a Literal),
    List(Vec<Self>),
}

/// Where a parameter has its value from.
pub(super) enum Given<'a> {
    File(&'a Literal),
    /// From the template around this one.
    Outer(&'a Node, &'a Scope<'a>),
    Unknown,
}

/// A template's parameters and variables by their names in lower case.
pub(super) struct Scope<'a> {
    pub(super) given: HashMap<String, Given<'a>>,
    pub(super) declared: HashMap<String, &'a Mapping>,
    pub(super) variables: HashMap<String, &'a Node>,
    pub(super) cost: &'a Cell<usize>,
}

impl<'a> Scope<'a> {
    /// Of a template and the values of a file.
    pub(super) fn of_file(
        root: &'a Mapping,
        given: &'a Parameters,
        cost: &'a Cell<usize>,
    ) -> Result<Self, Problem> {
        let given = given.0.iter();
        let given = given.map(|(name, value)| (name.clone(), Given::File(value)));
        Self::new(root, given.collect(), cost)
    }

    /// Of a template in another one, which has its values from there and no others.
    pub(super) fn nested(
        template: &'a Mapping,
        given: Option<&'a Mapping>,
        outer: &'a Self,
    ) -> Result<Self, Problem> {
        let mut values = HashMap::new();
        for (name, node) in given.map_or(&[][..], |given| &given.entries) {
            let value = match node {
                Node::Mapping(parameter) => member(parameter, "value")?,
                _ => None,
            };
            let value = value.map_or(Given::Unknown, |value| Given::Outer(value, outer));
            if values.insert(name.to_lowercase(), value).is_some() {
                return Err(Problem::duplicate(name, node.at()));
            }
        }
        Self::new(template, values, outer.cost)
    }

    fn new(
        root: &'a Mapping,
        given: HashMap<String, Given<'a>>,
        cost: &'a Cell<usize>,
    ) -> Result<Self, Problem> {
        let mut declared = HashMap::new();
        let mut variables = HashMap::new();
        if let Some(Node::Mapping(parameters)) = member(root, "parameters")? {
            for (name, node) in &parameters.entries {
                let Node::Mapping(parameter) = node else {
                    continue;
                };
                if declared.insert(name.to_lowercase(), &**parameter).is_some() {
                    return Err(Problem::duplicate(name, node.at()));
                }
            }
        }
        if let Some(Node::Mapping(all)) = member(root, "variables")? {
            for (name, node) in &all.entries {
                if variables.insert(name.to_lowercase(), node).is_some() {
                    return Err(Problem::duplicate(name, node.at()));
                }
            }
        }
        Ok(Self {
            given,
            declared,
            variables,
            cost,
        })
    }
}
