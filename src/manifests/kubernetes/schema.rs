//! Schemas of definitions. A property `image` is not an image, but a default is a value that the API server puts into
//! objects.

use super::{Finder, Problem, folded};
use crate::manifests::tree::{Mapping, Node};

/// Members that hold schemas: one, a list of them, or a mapping of names to them.
const SCHEMAS: &[&str] = &[
    "items",
    "additionalProperties",
    "not",
    "allOf",
    "anyOf",
    "oneOf",
];
const NAMED: &[&str] = &["properties", "patternProperties", "definitions"];
/// Members that say something about values and end up in none.
const ABOUT: &[&str] = &["enum", "example", "required", "title", "description"];

impl Finder<'_> {
    /// A schema; `property` is the name of what it describes.
    pub(super) fn schema(&mut self, property: &str, node: &Node) -> Result<(), Problem> {
        let work = self.work;
        work.deeper(node.at(), || match node {
            Node::Scalar(_) => Ok(()),
            Node::Sequence(schemas) => schemas
                .items
                .iter()
                .try_for_each(|schema| self.schema(property, schema)),
            Node::Mapping(schema) => self.schema_members(property, schema),
        })
    }

    fn schema_members(&mut self, property: &str, schema: &Mapping) -> Result<(), Problem> {
        for (name, node) in &schema.entries {
            match (name.as_str(), node) {
                ("default", node) => self.default(property, node, schema)?,
                (name, Node::Mapping(named)) if NAMED.contains(&name) => {
                    for (property, schema) in &named.entries {
                        self.schema(property, schema)?;
                    }
                }
                (name, node) if SCHEMAS.contains(&name) => self.schema(property, node)?,
                (name, _) if ABOUT.contains(&name) => {}
                (_, node) => self.walk(node, &[])?,
            }
        }
        Ok(())
    }

    fn default(&mut self, property: &str, node: &Node, schema: &Mapping) -> Result<(), Problem> {
        match (folded(property).as_str(), node) {
            ("image", node) => self.image(node, schema),
            (_, node) => self.walk(node, &[]),
        }
    }
}
