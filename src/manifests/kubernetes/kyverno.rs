//! What policies of Kyverno change and create.

use super::{
    Finder, Problem, folded,
    kinds::{self, As},
};
use crate::manifests::tree::{Mapping, Node};

/// Members of a mutation that choose what is changed.
const CHOICE: &[&str] = &[
    "targets",
    "preconditions",
    "context",
    "list",
    "order",
    "mutateExistingOnPolicyUpdate",
];

impl Finder<'_> {
    pub(super) fn mutation(&mut self, node: &Node) -> Result<(), Problem> {
        let work = self.work;
        work.deeper(node.at(), || match node {
            Node::Scalar(_) => Ok(()),
            Node::Sequence(sequence) => {
                let mut items = sequence.items.iter();
                items.try_for_each(|item| self.mutation(item))
            }
            Node::Mapping(mapping) => self.changes(mapping),
        })
    }

    fn changes(&mut self, mapping: &Mapping) -> Result<(), Problem> {
        if mapping.tagged || mapping.overridden {
            return Err(Problem::new(
                mapping.at,
                "a mapping with a tag or an overridden key",
            ));
        }
        for (name, node) in &mapping.entries {
            let (name, is_condition) = without_anchor(name);
            match (folded(name).as_str(), node) {
                (_, Node::Scalar(_)) if is_condition => {}
                ("image", node) => self.image(node, mapping)?,
                ("annotations", node) => self.changed_annotations(node)?,
                ("patchesjson6902", node) => self.by_rule(As::Patch, name, node)?,
                _ if CHOICE.contains(&name) => {}
                (_, node) => self.mutation(node)?,
            }
        }
        Ok(())
    }

    fn changed_annotations(&mut self, node: &Node) -> Result<(), Problem> {
        let Node::Mapping(annotations) = node else {
            return self.mutation(node);
        };
        for (name, node) in &annotations.entries {
            match (without_anchor(name), node) {
                ((_, true), _) => {}
                ((name, false), Node::Scalar(scalar)) => self.annotation(name, scalar)?,
                (_, node) => self.mutation(node)?,
            }
        }
        Ok(())
    }

    /// An object that is created, of the kind that is given beside it.
    pub(super) fn generation(&mut self, node: &Node) -> Result<(), Problem> {
        let Node::Mapping(generate) = node else {
            return self.walk(node, &[]);
        };
        let api = generate.raw("apiVersion").unwrap_or_default();
        let kind = generate.raw("kind").unwrap_or_default();
        for (name, node) in &generate.entries {
            match (name.as_str(), node) {
                ("data", node) => {
                    self.walk(node, &kinds::rules(api, kind))?;
                }
                ("foreach", Node::Sequence(each)) => {
                    let mut each = each.items.iter();
                    each.try_for_each(|generate| self.generation(generate))?;
                }
                ("context" | "preconditions", _) => {}
                (_, node) => self.walk(node, &[])?,
            }
        }
        Ok(())
    }
}

/// A name without the anchor of an overlay, and whether it is compared and not set.
fn without_anchor(name: &str) -> (&str, bool) {
    let Some((anchor, rest)) = name.split_once('(') else {
        return (name, false);
    };
    let Some(inner) = rest.strip_suffix(')') else {
        return (name, false);
    };
    match anchor {
        "" | "<" => (inner, true),
        "+" | "=" | "^" | "X" => (inner, false),
        _ => (name, false),
    }
}
