//! Mutations of Gatekeeper, which set a value at a place.

use super::{Finder, Problem, folded, is_image_annotation};
use crate::manifests::{
    error::Fix,
    tree::{Mapping, Node},
};

impl Finder<'_> {
    /// The values are walked with the object; here is what the place makes an image.
    pub(super) fn gatekeeper_mutation(
        &mut self,
        kind: &str,
        object: &Mapping,
    ) -> Result<(), Problem> {
        let refuse = |message: &str| {
            Err(Problem::new(object.at, message).fix(Fix::Words(
                "check the images that it sets by name, and keep it out of the manifests",
            )))
        };
        let Some(Node::Mapping(spec)) = object.get("spec") else {
            return refuse("a mutation without a spec");
        };
        match kind {
            "Assign" | "AssignMetadata" | "ModifySet" => {}
            "AssignImage" => return refuse("a mutation that sets images"),
            _ => return refuse("a mutation of a kind that is not known"),
        }
        let location = match spec.get("location") {
            Some(location) => location.text("location")?,
            None => return refuse("a mutation without a location"),
        };
        let mut segments: Vec<&str> = location
            .split(['.', '/', '[', ']', '"', '\''])
            .filter(|segment| !segment.is_empty())
            .collect();
        let last = segments.pop().unwrap_or_default();
        if segments.iter().any(|segment| folded(segment) == "image") {
            return refuse("a mutation of a part of an image");
        }
        if !is_image_annotation(last) {
            return Ok(());
        }
        let value = ["parameters", "assign", "value"]
            .iter()
            .try_fold(spec, |holder, name| match holder.get(name) {
                Some(Node::Mapping(next)) => Ok(next),
                other => Err(other),
            });
        match value {
            Err(Some(Node::Scalar(scalar))) => self.image_text(scalar),
            _ => refuse("a mutation that sets an image in a way that is not known"),
        }
    }
}
