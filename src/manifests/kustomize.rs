//! `kustomization.yaml`: its `images:`. What it brings in from outside of the folder, generates from a chart, or
//! patches in line is not followed, so an image there is an error.

use super::{Finder, Found, Mapping, Node, Place, Problem, reference, yaml};

/// Members that a build would turn into objects that are seen nowhere else.
const RENDERED: &[&str] = &[
    "helmCharts",
    "helmChartInflationGenerator",
    "generators",
    "transformers",
    "components",
];

/// Whether a document is a kustomization, by its kind or else by its file's name.
pub(super) fn is_kustomization(file: &str, kind: Option<&str>, api: &str) -> bool {
    let name = file.rsplit(['/', '\\']).next().unwrap_or_default();
    let by_name = matches!(
        name,
        "kustomization.yaml" | "kustomization.yml" | "Kustomization"
    );
    api.starts_with("kustomize.config.k8s.io/")
        || (by_name && kind.is_none_or(|kind| kind == "Kustomization"))
}

impl Finder {
    pub(super) fn kustomization(&mut self, root: &Mapping) -> Result<(), Problem> {
        for (name, node) in &root.entries {
            match (name.as_str(), node) {
                ("images", Node::Sequence(images)) => {
                    for image in &images.items {
                        self.entry(image)?;
                    }
                }
                ("resources" | "bases" | "components", Node::Sequence(parts)) => {
                    for part in &parts.items {
                        self.part(part)?;
                    }
                }
                ("patches" | "patchesStrategicMerge" | "patchesJson6902", node) => {
                    self.patches(node)?
                }
                ("replacements", node) => replacements(node)?,
                (name, node) if RENDERED.contains(&name) => {
                    return Err(Problem::elsewhere(
                        &format!("what `{name}` brings"),
                        node.line(),
                        node.column(),
                    ));
                }
                (_, node) => self.walk(node)?,
            }
        }
        Ok(())
    }

    /// A file or folder that a build reads too.
    fn part(&mut self, node: &Node) -> Result<(), Problem> {
        match node.as_scalar().filter(|part| !is_remote(&part.value)) {
            Some(part) => self.parts.push(part.value.clone()),
            None => return Err(Problem::elsewhere("a resource", node.line(), node.column())),
        }
        Ok(())
    }

    fn patches(&mut self, node: &Node) -> Result<(), Problem> {
        let Node::Sequence(patches) = node else {
            return Err(Problem::not_text("patches", node.line(), node.column()));
        };
        for patch in &patches.items {
            let Node::Mapping(entry) = patch else {
                self.patch(patch)?;
                continue;
            };
            if let Some(path) = entry.get("path") {
                self.part(path)?;
            }
            if let Some(patch) = entry.get("patch") {
                self.patch(patch)?;
            }
        }
        Ok(())
    }

    /// A patch in line, or the path of one.
    fn patch(&mut self, node: &Node) -> Result<(), Problem> {
        let at = patched(node.line(), node.column());
        let Some(scalar) = node.as_scalar() else {
            return Err(at);
        };
        for document in yaml::parse(&scalar.value).map_err(|_| at.clone())? {
            match &document {
                Node::Scalar(path) if path.value == scalar.value => self.part(node)?,
                Node::Scalar(_) => return Err(at),
                Node::Sequence(operations) => {
                    self.operations(&operations.items).map_err(|_| at.clone())?
                }
                Node::Mapping(_) if self.names_image(&document) => return Err(at),
                Node::Mapping(_) => {}
            }
        }
        Ok(())
    }

    /// Operations on paths (RFC 6902), none of which may lead to an image or bring one.
    pub(super) fn operations(&mut self, items: &[Node]) -> Result<(), Problem> {
        for item in items {
            let at = || patched(item.line(), item.column());
            let Node::Mapping(operation) = item else {
                return Err(at());
            };
            let path = operation.text("path").ok_or_else(at)?;
            if touches(path)
                || operation.text("from").is_some_and(touches)
                || self.names_image(item)
            {
                return Err(at());
            }
        }
        Ok(())
    }

    /// One entry of `images:`: the new name, else the name, with the new tag or digest.
    fn entry(&mut self, node: &Node) -> Result<(), Problem> {
        let wrong = |message| Err(Problem::new(node.line(), node.column(), message));
        let Node::Mapping(entry) = node else {
            return wrong("an entry of `images` that is no mapping");
        };
        let scalar = |name: &str| match entry.get(name) {
            None => Ok(None),
            Some(Node::Scalar(scalar)) if scalar.is_null() || scalar.value.is_empty() => Ok(None),
            Some(Node::Scalar(scalar)) => Ok(Some(scalar)),
            Some(other) => Err(Problem::not_text(name, other.line(), other.column())),
        };
        let Some(name) = scalar("newName")?.or(scalar("name")?) else {
            return wrong("an entry of `images` without a name");
        };
        if scalar("tagSuffix")?.is_some() {
            return wrong("`tagSuffix` makes a tag that is known only once it is rendered");
        }
        let (tag, digest) = (scalar("newTag")?, scalar("digest")?);
        let Some(last) = digest.or(tag) else {
            return wrong(
                "an entry of `images` without `newTag` or `digest`: its tag is in another file",
            );
        };
        let mut text = name.value.clone();
        if let Some(tag) = tag {
            text = format!("{text}:{}", tag.value);
        }
        if let Some(digest) = digest {
            text = format!("{text}@{}", digest.value);
        }
        let image = reference(&text, last)?;
        let place = match (tag, digest) {
            (Some(tag), None) => Place::Text {
                range: tag.range.clone(),
                text: tag.value.clone(),
            },
            _ => Place::Parts,
        };
        self.push(Found {
            image,
            line: last.line,
            column: last.column,
            place,
        });
        Ok(())
    }
}

/// Values copied into objects, which may not lead to an image.
fn replacements(node: &Node) -> Result<(), Problem> {
    let wrong = |node: &Node| {
        Err(Problem::elsewhere(
            "what a replacement sets",
            node.line(),
            node.column(),
        ))
    };
    match node {
        Node::Scalar(_) => Ok(()),
        Node::Sequence(sequence) => sequence.items.iter().try_for_each(replacements),
        Node::Mapping(mapping) => {
            mapping
                .entries
                .iter()
                .try_for_each(|(name, node)| match (name.as_str(), node) {
                    ("path", _) => wrong(node),
                    ("fieldPaths", Node::Sequence(paths)) => {
                        let allowed = |path: &Node| {
                            path.as_scalar().is_some_and(|path| !touches(&path.value))
                        };
                        if paths.items.iter().all(allowed) {
                            Ok(())
                        } else {
                            wrong(node)
                        }
                    }
                    ("fieldPaths", _) => wrong(node),
                    _ => replacements(node),
                })
        }
    }
}

/// An image, or an operation that may set one, in a patch: nobody would see it.
fn patched(line: u64, column: u64) -> Problem {
    Problem::elsewhere("an image that a patch sets in line", line, column)
}

/// Whether a path into an object may lead to an image.
fn touches(path: &str) -> bool {
    let path = path.to_lowercase();
    path.contains("image") || path.contains("container") || path.contains('*')
}

/// Whether a document is a list of operations on paths (RFC 6902).
pub(super) fn is_operations(items: &[Node]) -> bool {
    items
        .iter()
        .any(|item| matches!(item, Node::Mapping(item) if item.get("op").is_some()))
}

/// A URL, or a repository on a host.
fn is_remote(path: &str) -> bool {
    path.contains("://")
        || path.contains("?ref=")
        || path.starts_with("git@")
        || path.starts_with("github.com/")
}
