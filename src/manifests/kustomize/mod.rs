//! Kustomizations and components: their `images:`, and what they are built of.
//!
//! Kustomize does not look at the case of a member's name and knows older names, so only members that are spelt as
//! `tables` has them are known. What it brings from outside, generates from a chart or sets in a patch is not followed.

mod part;
mod patch;
mod replacement;
mod tables;

use super::{
    Finder, Place, Problem, Role,
    error::Fix,
    image::reference,
    tree::{Mapping, Node, Scalar},
};
pub(super) use patch::is_operations;
use tables::{GENERATOR, GENERATOR_OPTIONS, IMAGE, LABEL, TOP};

/// Names that make a file a kustomization, whatever it says it is.
const NAMES: &[&str] = &["kustomization.yaml", "kustomization.yml", "Kustomization"];
const GROUP: &str = "kustomize.config.k8s.io/";
/// Members that aim what Kustomize does to images anew, with what they do.
const AIMS: &[&str] = &[
    "configurations",
    "openapi",
    "crds",
    "validators",
    "transformers",
    "generators",
];

/// Whether a document is a kustomization, by its file's name or its version.
pub(super) fn is_kustomization(file: &str, root: &Mapping) -> bool {
    let name = file.rsplit(['/', '\\']).next().unwrap_or_default();
    NAMES.contains(&name)
        || root
            .raw("apiVersion")
            .is_some_and(|api| api.starts_with(GROUP))
}

impl Finder<'_> {
    pub(super) fn kustomization(&mut self, root: &Mapping) -> Result<(), Problem> {
        self.kustomization_members(root).map_err(render)
    }

    fn kustomization_members(&mut self, root: &Mapping) -> Result<(), Problem> {
        for name in ["kind", "apiVersion"] {
            let text = match root.get(name) {
                None => continue,
                Some(Node::Scalar(scalar)) if scalar.plain && scalar.is_null() => {
                    let message =
                        format!("`{name}` is null, and readers differ in what it is then");
                    return Err(Problem::new(scalar.at, message));
                }
                Some(node) => node.text(name)?,
            };
            let is_known = match name {
                "kind" => matches!(text, "" | "Kustomization" | "Component"),
                _ => text.is_empty() || text.starts_with(GROUP),
            };
            if !is_known {
                let message = format!("a kustomization whose `{name}` is `{text}`");
                return Err(Problem::new(root.at, message));
            }
        }
        if root.overridden {
            return Err(Problem::new(
                root.at,
                "`<<` brings a key that is given here as well",
            ));
        }
        for (name, node) in &root.entries {
            if AIMS.contains(&name.as_str()) && !node.is_empty() {
                let message = format!("`{name}` changes where Kustomize looks for images");
                return Err(Problem::new(node.at(), message));
            }
        }
        TOP.check(root)?;
        for (name, node) in &root.entries {
            if !node.is_empty() {
                self.kustomization_member(name, node)?;
            }
        }
        Ok(())
    }

    fn kustomization_member(&mut self, name: &str, node: &Node) -> Result<(), Problem> {
        self.work.step(node.at())?;
        match name {
            "images" => {
                for image in node.items(name)? {
                    self.replaced_image(image, Fix::Kustomize)?;
                }
            }
            "resources" | "bases" | "components" => {
                for part in node.items(name)? {
                    self.part(part, Role::Resource)?;
                }
            }
            "patches" | "patchesJson6902" => {
                for patch in node.items(name)? {
                    self.patch_entry(patch)?;
                }
            }
            "patchesStrategicMerge" => {
                for patch in node.items(name)? {
                    self.patch_or_part(patch)?;
                }
            }
            "replacements" => {
                for replacement in node.items(name)? {
                    self.replacement(replacement)?;
                }
            }
            "labels" => {
                for label in node.items(name)? {
                    LABEL.check(label.mapping("labels")?)?;
                }
            }
            "commonAnnotations" => self.annotations(node)?,
            "configMapGenerator" | "secretGenerator" => {
                for generator in node.items(name)? {
                    self.generator(generator)?;
                }
            }
            "generatorOptions" => self.generator_options(node)?,
            "namePrefix" | "nameSuffix" | "namespace" => {
                node.text(name)?;
            }
            // Names, counts and labels, which reach no image.
            _ => {}
        }
        Ok(())
    }

    fn generator(&mut self, node: &Node) -> Result<(), Problem> {
        let generator = node.mapping("a generator")?;
        GENERATOR.check(generator)?;
        match generator.filled("options") {
            Some(options) => self.generator_options(options),
            None => Ok(()),
        }
    }

    fn generator_options(&mut self, node: &Node) -> Result<(), Problem> {
        let options = node.mapping("options")?;
        GENERATOR_OPTIONS.check(options)?;
        match options.filled("annotations") {
            Some(annotations) => self.annotations(annotations),
            None => Ok(()),
        }
    }

    /// One entry of `images:`: the new name, else the name, with the new tag or digest.
    pub(super) fn replaced_image(&mut self, node: &Node, fix: Fix) -> Result<(), Problem> {
        let wrong = |message: &str| Err(Problem::new(node.at(), message).fix(fix));
        let entry = node.mapping("an entry of `images`")?;
        IMAGE.check(entry)?;
        let text = |name: &str| match entry.filled(name) {
            None => Ok(None),
            Some(Node::Scalar(scalar)) => scalar.text(name).map(|text| Some((text, &**scalar))),
            Some(other) => Err(Problem::not_text(name, other.at())),
        };
        let Some((name, _)) = text("newName")?.or(text("name")?) else {
            return wrong("an entry of `images` without a name");
        };
        if text("newName")?.is_none() && fix == Fix::Kustomize {
            // Kustomize takes the name for a pattern, and keeps the name that it fits.
            self.retagged.push((name.to_owned(), node.at().line));
        }
        if entry.filled("tagSuffix").is_some() {
            return wrong("`tagSuffix` makes a tag that is known only once it is rendered");
        }
        let (tag, digest) = (text("newTag")?, text("digest")?);
        let Some((_, last)) = digest.or(tag) else {
            return wrong(
                "an entry of `images` without `newTag` or `digest`: its tag is in another file",
            );
        };
        let mut image = name.to_owned();
        for (sign, part) in [(":", tag), ("@", digest)] {
            if let Some((text, _)) = part {
                image = format!("{image}{sign}{text}");
            }
        }
        let place = match (tag, digest) {
            (Some((text, tag)), None) => whole(text, tag),
            _ => Place::Parts,
        };
        self.push(reference(&image, last)?, last.at, place)
    }
}

fn whole(text: &str, scalar: &Scalar) -> Place {
    Place::Text {
        range: scalar.range.clone(),
        text: text.to_owned(),
    }
}

/// With the command that shows what is built, where nothing else is said.
fn render(problem: Problem) -> Problem {
    problem.or_fix(Fix::Kustomize)
}
