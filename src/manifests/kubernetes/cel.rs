//! Expressions (CEL) with which policies build objects. They are not worked out: one that may name an image or build a
//! name at run time is an error.

use super::{Finder, Problem};
use crate::manifests::{error::Fix, tree::Node};

/// Words that are members of a container, or lists of containers with a value of their own.
const WORDS: &[&str] = &["image", "images"];
/// Functions that do not build text.
const CALLS: &[&str] = &[
    "all",
    "contains",
    "dyn",
    "endsWith",
    "escapeKey",
    "exists",
    "exists_one",
    "filter",
    "has",
    "in",
    "map",
    "matches",
    "optFlatMap",
    "optMap",
    "orValue",
    "size",
    "startsWith",
];

impl Finder<'_> {
    pub(super) fn cel(&mut self, node: &Node) -> Result<(), Problem> {
        let work = self.work;
        work.deeper(node.at(), || match node {
            Node::Scalar(scalar) if may_build_image(&scalar.value) => {
                let message = "an expression that may set an image, which is not worked out";
                Err(Problem::new(scalar.at, message).fix(Fix::Words(
                    "write the change as a plain object, or check its images by name",
                )))
            }
            Node::Scalar(_) => Ok(()),
            Node::Sequence(sequence) => {
                let mut items = sequence.items.iter();
                items.try_for_each(|item| self.cel(item))
            }
            Node::Mapping(mapping) => {
                let mut nodes = mapping.entries.iter();
                nodes.try_for_each(|(_, node)| self.cel(node))
            }
        })
    }
}

fn may_build_image(text: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut words = text.split(|c| !is_word(c));
    // Texts that are put together or escaped may be any name.
    if text.contains(['+', '\\'])
        || words.any(|word| WORDS.contains(&word.to_ascii_lowercase().as_str()))
    {
        return true;
    }
    text.match_indices('(').any(|(at, _)| {
        let before = text.get(..at).unwrap_or_default().trim_end();
        let name = before.rsplit(|c| !is_word(c)).next().unwrap_or_default();
        !name.is_empty() && !CALLS.contains(&name)
    })
}
