//! `kustomization.yaml`: its `images:`. What it brings in from outside of the folder, generates from a chart, or
//! patches in line is not followed, so an image there is an error.

use super::{Finder, Found, Mapping, Node, Place, Problem, reference};

/// Members that a build would turn into objects that are seen nowhere else.
const RENDERED: &[&str] = &["helmCharts", "helmChartInflationGenerator", "generators", "transformers", "components"];

/// Whether a document is a kustomization, by its kind or else by its file's name.
pub(super) fn is_kustomization(file: &str, kind: Option<&str>, api: &str) -> bool {
    let name = file.rsplit(['/', '\\']).next().unwrap_or_default();
    let by_name = matches!(name, "kustomization.yaml" | "kustomization.yml" | "Kustomization");
    api.starts_with("kustomize.config.k8s.io/") || (by_name && kind.is_none_or(|kind| kind == "Kustomization"))
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
                        let remote = part.as_scalar().is_none_or(|part| is_remote(&part.value));
                        if remote {
                            return Err(Problem::elsewhere("a resource", part.line(), part.column()));
                        }
                    }
                }
                ("patches" | "patchesStrategicMerge" | "patchesJson6902", node) => in_line(node)?,
                (name, node) if RENDERED.contains(&name) => {
                    return Err(Problem::elsewhere(&format!("what `{name}` brings"), node.line(), node.column()));
                }
                (_, node) => self.walk(node)?,
            }
        }
        Ok(())
    }

    /// One entry of `images:`: the new name, else the name, with the new tag or digest.
    fn entry(&mut self, node: &Node) -> Result<(), Problem> {
        let wrong = |message| Err(Problem::new(node.line(), node.column(), message));
        let Node::Mapping(entry) = node else { return wrong("an entry of `images` that is no mapping") };
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
            return wrong("an entry of `images` without `newTag` or `digest`: its tag is in another file");
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
            (Some(tag), None) => Place::Text { range: tag.range.clone(), text: tag.value.clone() },
            _ => Place::Parts,
        };
        self.push(Found { image, line: last.line, column: last.column, place });
        Ok(())
    }
}

/// A patch in line is text that becomes part of an object: with an image in it, nobody would see that.
fn in_line(node: &Node) -> Result<(), Problem> {
    match node {
        Node::Scalar(scalar) if scalar.value.to_lowercase().contains("image") => {
            Err(Problem::elsewhere("an image that a patch sets in line", scalar.line, scalar.column))
        }
        Node::Scalar(_) => Ok(()),
        Node::Sequence(sequence) => sequence.items.iter().try_for_each(in_line),
        Node::Mapping(mapping) => {
            let patches = mapping.entries.iter().filter(|(name, _)| name == "patch");
            patches.map(|(_, node)| node).try_for_each(in_line)
        }
    }
}

/// A URL, or a repository on a host.
fn is_remote(path: &str) -> bool {
    path.contains("://") || path.contains("?ref=") || path.starts_with("git@") || path.starts_with("github.com/")
}
