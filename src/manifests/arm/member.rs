//! Members of ARM, whose names have no case.

use crate::manifests::{
    Problem,
    tree::{Mapping, Node},
};

/// A member, by its name in any case; twice is an error.
pub(super) fn member<'a>(mapping: &'a Mapping, name: &str) -> Result<Option<&'a Node>, Problem> {
    let mut all = mapping
        .entries
        .iter()
        .filter(|(known, _)| known.eq_ignore_ascii_case(name))
        .map(|(_, node)| node);
    match (all.next(), all.next()) {
        (_, Some(second)) => Err(Problem::duplicate(name, second.at())),
        (first, None) => Ok(first),
    }
}
