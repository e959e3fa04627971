//! Members that replace images or set values of charts, as the rules of `kinds` say.

use std::collections::BTreeMap;

use super::{Finder, Problem, kinds::As};
use crate::manifests::{
    Place,
    at::At,
    error::Fix,
    image::is_blank,
    tree::{Mapping, Node, Scalar},
    yaml,
};

/// Last parts of a value's name that do not change which image it is.
const HARMLESS: &[&str] = &[
    "pullpolicy",
    "pullsecrets",
    "imagepullpolicy",
    "imagepullsecrets",
];
/// Last parts that make an image together.
const PARTS: &[&str] = &["registry", "repository", "name", "tag", "digest"];

impl Finder<'_> {
    pub(super) fn by_rule(&mut self, reading: As, name: &str, node: &Node) -> Result<(), Problem> {
        match reading {
            As::Text => self.data(node),
            As::Pattern | As::MachineImage => Ok(()),
            As::Schema => self.schema("", node),
            As::Image => match node {
                Node::Scalar(scalar) if is_blank(scalar) => Ok(()),
                Node::Scalar(scalar) => self.image_text(scalar),
                other => Err(Problem::not_text(name, other.at())),
            },
            As::Images => {
                let mut entries = node.items(name)?.iter();
                entries.try_for_each(|entry| self.replaced_image(entry, Fix::Render))
            }
            As::ImagePairs => {
                let mut pairs = node.items(name)?.iter();
                pairs.try_for_each(|pair| self.image_pair(pair))
            }
            As::Parameters => self.parameters(node, name),
            As::Set => {
                let entries = node.mapping(name)?.entries.iter();
                self.chart_values(
                    entries.map(|(name, node)| (name.as_str(), Some(node))),
                    node.at(),
                )
            }
            As::Values => self.values(node, name),
            As::Patch => self.patch_text(node, name),
            As::Operations => match node {
                Node::Scalar(_) => self.patch_text(node, name),
                node => self.operations(node.items(name)?),
            },
            As::Mutation => self.mutation(node),
            As::Generation => self.generation(node),
            As::Cel => self.cel(node),
            As::Refused(_) if node.is_empty() => Ok(()),
            As::Refused(what) => {
                let message = format!("{what} may set images, and is not understood");
                Err(Problem::new(node.at(), message).fix(Fix::Render))
            }
        }
    }

    /// Data of a `ConfigMap` or `Secret`: text, or something else that is walked.
    fn data(&mut self, node: &Node) -> Result<(), Problem> {
        let Node::Mapping(data) = node else {
            return self.walk(node, &[]);
        };
        if data
            .entries
            .iter()
            .all(|(_, value)| value.as_scalar().is_some())
        {
            self.work.steps_of(data.entries.len(), data.at)
        } else {
            self.walk(node, &[])
        }
    }

    /// `old=new:tag` or `new:tag`, as Argo CD hands it to `kustomize edit set image`.
    fn image_pair(&mut self, node: &Node) -> Result<(), Problem> {
        let Node::Scalar(scalar) = node else {
            return Err(Problem::not_text("images", node.at()));
        };
        let text = scalar.text("images")?;
        let new = text.split_once('=').map_or(text, |(_, new)| new);
        let last = new.rsplit('/').next().unwrap_or_default();
        if last.contains([':', '@']) {
            self.image_parts(new, scalar)
        } else {
            let message =
                format!("the image `{new}` has neither tag nor digest, which is chosen elsewhere");
            Err(Problem::new(scalar.at, message).fix(Fix::Render))
        }
    }

    /// Values of a chart: a text that is YAML of its own.
    fn values(&mut self, node: &Node, name: &str) -> Result<(), Problem> {
        let Node::Scalar(scalar) = node else {
            return self.walk(node, &[]);
        };
        if is_blank(scalar) {
            return Ok(());
        }
        let documents = yaml::parse(scalar.text(name)?, self.work)
            .map_err(|problem| problem.within(scalar.at, name))?;
        let mut inner = Finder::new(self.options, self.work);
        for document in &documents {
            let walked = inner.walk(document, &[]);
            walked.map_err(|problem| problem.within(scalar.at, name))?;
        }
        for found in inner.found {
            self.push(found.image, scalar.at, Place::Parts)?;
        }
        Ok(())
    }

    /// `[{name: image.tag, value: "1.0"}]`.
    fn parameters(&mut self, node: &Node, list: &str) -> Result<(), Problem> {
        let mut values = Vec::new();
        for item in node.items(list)? {
            let parameter = item.mapping(list)?;
            let name = match parameter.get("name") {
                Some(name) => name.text("name")?,
                None => return Err(Problem::new(item.at(), "a value of a chart without a name")),
            };
            values.push((name, parameter.get("value")));
        }
        self.chart_values(values.into_iter(), node.at())
    }

    /// Values of a chart by dotted names, as `helm --set` takes them.
    fn chart_values<'n>(
        &mut self,
        values: impl Iterator<Item = (&'n str, Option<&'n Node>)>,
        at: At,
    ) -> Result<(), Problem> {
        let mut images: BTreeMap<String, Mapping> = BTreeMap::new();
        for (name, value) in values {
            let lower = name.to_lowercase();
            let (before, last) = lower.rsplit_once('.').unwrap_or(("", &lower));
            if !lower.contains("image") || HARMLESS.contains(&last) {
                continue;
            }
            let scalar = match value {
                Some(Node::Scalar(scalar)) => scalar,
                other => {
                    let message = format!("the value `{name}` sets an image from elsewhere");
                    return Err(Problem::new(other.map_or(at, Node::at), message).fix(Fix::Helm));
                }
            };
            if last.ends_with("image") {
                self.chart_image(scalar)?;
            } else if before.ends_with("image") && PARTS.contains(&last) {
                let image = images.entry(before.to_owned()).or_insert_with(|| Mapping {
                    entries: Vec::new(),
                    overridden: false,
                    tagged: false,
                    at: scalar.at,
                });
                image
                    .entries
                    .push((last.to_owned(), Node::Scalar(scalar.clone())));
            } else {
                let message = format!("the value `{name}` may set an image, and is not understood");
                return Err(Problem::new(scalar.at, message).fix(Fix::Helm));
            }
        }
        for image in images.values() {
            self.image_mapping(image)?;
        }
        Ok(())
    }

    fn chart_image(&mut self, scalar: &Scalar) -> Result<(), Problem> {
        if is_blank(scalar) {
            return Ok(());
        }
        self.image_text(scalar)
    }
}
