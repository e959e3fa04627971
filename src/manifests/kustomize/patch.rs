//! Patches: none may set an image, or move what is not seen to where it is one.

use super::tables::{PATCH, PATCH_OPTIONS, TARGET};
use crate::manifests::{
    Finder, Problem, Role,
    at::At,
    error::Fix,
    kubernetes,
    tree::{Mapping, Node, Scalar},
    yaml,
};

/// Members that replace images in some kinds, in lower case.
const REPLACES: &[&str] = &[
    "images",
    "helm",
    "kustomize",
    "mutate",
    "package",
    "postrenderers",
    "set",
    "templatepatch",
    "valuescontent",
];

impl Finder<'_> {
    /// An entry of `patches` or `patchesJson6902`: a file, or a text in line.
    pub(super) fn patch_entry(&mut self, node: &Node) -> Result<(), Problem> {
        let entry = node.mapping("a patch")?;
        PATCH.check(entry)?;
        let target = entry.filled("target");
        if let Some(target) = target {
            TARGET.check(target.mapping("target")?)?;
        }
        if let Some(options) = entry.filled("options") {
            let options = options.mapping("options")?;
            PATCH_OPTIONS.check(options)?;
            if let Some(allowed) = options.get("allowKindChange")
                && !is_false(allowed)
            {
                return Err(Problem::new(
                    allowed.at(),
                    "a patch that may change the kind of an object",
                ));
            }
        }
        if let Some(path) = entry.filled("path") {
            let role = if target.is_some() {
                Role::Retargeted
            } else {
                Role::Patch
            };
            self.part(path, role)?;
        }
        match entry.filled("patch") {
            Some(patch) => self.patch_text(patch, "patch"),
            None => Ok(()),
        }
    }

    /// An entry of `patchesStrategicMerge`: a path where it is one, else a text in line.
    pub(super) fn patch_or_part(&mut self, node: &Node) -> Result<(), Problem> {
        if super::part::is_local(node.text("patchesStrategicMerge")?) {
            return self.part(node, Role::Patch);
        }
        self.patch_text(node, "patchesStrategicMerge")
    }

    /// A patch as a text: objects to merge, or operations.
    pub(in crate::manifests) fn patch_text(
        &mut self,
        node: &Node,
        name: &str,
    ) -> Result<(), Problem> {
        let Node::Scalar(scalar) = node else {
            return match self.first_image(|inner| inner.walk(node, &kubernetes::any_kind()))? {
                None => Ok(()),
                Some(at) => Err(patched(at)),
            };
        };
        let text = scalar.text(name)?;
        let documents =
            yaml::parse(text, self.work).map_err(|problem| problem.within(scalar.at, name))?;
        for document in &documents {
            self.patch_document(document, scalar)
                .map_err(|problem| problem.within(scalar.at, name))?;
        }
        Ok(())
    }

    fn patch_document(&mut self, document: &Node, scalar: &Scalar) -> Result<(), Problem> {
        match document {
            Node::Scalar(text) if text.is_null() => Ok(()),
            Node::Scalar(_) => Err(patched(scalar.at)),
            Node::Sequence(operations) => self.operations(&operations.items),
            // Walked, and not read as its kind: a target of the patch may have another.
            Node::Mapping(_) => {
                match self.first_image(|inner| inner.walk(document, &kubernetes::any_kind()))? {
                    None => Ok(()),
                    Some(at) => Err(patched(at)),
                }
            }
        }
    }

    /// Operations on paths (RFC 6902), none of which may lead to an image or bring one.
    pub(in crate::manifests) fn operations(&mut self, items: &[Node]) -> Result<(), Problem> {
        items.iter().try_for_each(|item| {
            self.work.step(item.at())?;
            self.operation(item)
                .map_err(|problem| problem.or_fix(Fix::Kustomize))
        })
    }

    fn operation(&mut self, item: &Node) -> Result<(), Problem> {
        let operation = item.mapping("an operation of a patch")?;
        let member = |name: &str| match operation.get(name) {
            Some(node) => node.text(name),
            None => Err(Problem::new(
                item.at(),
                format!("an operation of a patch without `{name}`"),
            )),
        };
        let (op, path) = (member("op")?, member("path")?);
        let is_known =
            |(name, _): &(String, Node)| matches!(name.as_str(), "op" | "path" | "value");
        match op {
            "test" => return Ok(()),
            "add" | "replace" | "remove" if operation.entries.iter().all(is_known) => {}
            _ => {
                let message = format!(
                    "the operation `{}` of a patch, which is not known",
                    op.escape_debug()
                );
                return Err(Problem::new(item.at(), message));
            }
        }
        if reaches(path) {
            return Err(patched(item.at()));
        }
        match self.value_image(operation, path)? {
            None => Ok(()),
            Some(at) => Err(patched(at)),
        }
    }

    /// An image in the value that an operation sets.
    fn value_image(&self, operation: &Mapping, path: &str) -> Result<Option<At>, Problem> {
        let Some(value) = operation.get("value") else {
            return Ok(None);
        };
        let last = path.rsplit('/').next().unwrap_or_default().to_owned();
        self.first_image(|inner| match (last.as_str(), value) {
            ("annotations", value) => inner.annotations(value),
            (_, value) => inner.walk(value, &kubernetes::any_kind()),
        })
    }
}

/// Whether a pointer ends at an image or a part of one, or at what an object is.
fn reaches(pointer: &str) -> bool {
    let Some(path) = pointer.strip_prefix('/') else {
        return true;
    };
    let mut segments = path.split('/').map(|segment| {
        let name = segment.replace("~1", "/").replace("~0", "~");
        kubernetes::folded(&name)
    });
    matches!(path, "" | "kind" | "apiVersion")
        || segments.any(|segment| {
            segment.ends_with("image")
                || REPLACES.contains(&segment.as_str())
                || segment.contains(['{', '$'])
        })
}

/// An image, or an operation that may set one, in a patch: nobody would see it.
fn patched(at: At) -> Problem {
    Problem::new(at, "an image that a patch sets in line is not followed")
}

fn is_false(node: &Node) -> bool {
    node.is_empty()
        || matches!(node, Node::Scalar(scalar) if scalar.plain && scalar.value == "false")
}

/// Whether a document is a list of operations on paths (RFC 6902).
pub(in crate::manifests) fn is_operations(items: &[Node]) -> bool {
    items
        .iter()
        .any(|item| matches!(item, Node::Mapping(item) if item.get("op").is_some()))
}
