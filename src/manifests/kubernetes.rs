//! Kubernetes objects of every kind: workloads, lists, and custom resources that carry pod templates.
//!
//! The whole object is walked, so that no list of kinds or paths can miss a container: every `image` counts, in
//! containers, init and ephemeral containers, image volumes and wherever a custom resource has one.

use super::{Finder, Found, Mapping, Node, Place, Problem, Scalar, in_parts, reference};

/// Members that hold text for others to read, and no container.
const DATA: &[(&str, &str, &[&str])] = &[
    ("v1", "ConfigMap", &["data", "binaryData"]),
    ("v1", "Secret", &["data", "stringData"]),
    (
        "apiextensions.k8s.io/v1",
        "CustomResourceDefinition",
        &["spec"],
    ),
];
/// API groups of policies, whose images are patterns.
const POLICIES: &[&str] = &[
    "kyverno.io/",
    "policies.kyverno.io/",
    "policy.sigstore.dev/",
    "constraints.gatekeeper.sh/",
    "templates.gatekeeper.sh/",
    "admissionregistration.k8s.io/",
];
/// Lists whose members are containers.
const CONTAINERS: &[&str] = &["containers", "initcontainers", "ephemeralcontainers"];

impl Finder {
    pub(super) fn kubernetes(&mut self, object: &Mapping) -> Result<(), Problem> {
        let api = object.text("apiVersion").unwrap_or_default();
        let kind = object.text("kind").unwrap_or_default();
        if POLICIES.iter().any(|group| api.starts_with(group)) {
            return Ok(());
        }
        if let ("v1", "List", Some(Node::Sequence(items))) = (api, kind, object.get("items")) {
            for item in &items.items {
                self.step()?;
                match item {
                    Node::Mapping(item) if item.text("kind") != Some("List") => {
                        self.kubernetes(item)?
                    }
                    item => self.walk(item)?,
                }
            }
            return self.object(object, &["items"]);
        }
        let data = DATA
            .iter()
            .find(|(of, known, _)| (*of, *known) == (api, kind));
        self.object(object, data.map_or(&[], |(_, _, names)| *names))
    }

    /// Everything below a node, whatever kind it says it is: only what is applied as an object of its own has one.
    pub(super) fn walk(&mut self, node: &Node) -> Result<(), Problem> {
        self.step()?;
        self.depth += 1;
        let walked = match node {
            Node::Scalar(_) => Ok(()),
            Node::Sequence(sequence) => sequence.items.iter().try_for_each(|item| self.walk(item)),
            Node::Mapping(mapping) => self.object(mapping, &[]),
        };
        self.depth -= 1;
        walked
    }

    fn object(&mut self, object: &Mapping, without: &[&str]) -> Result<(), Problem> {
        if object.overridden {
            let message =
                "`<<` brings a key that stands here too, and readers differ in which they take";
            return Err(Problem::new(object.line, object.column, message));
        }
        for (name, node) in object
            .entries
            .iter()
            .filter(|(name, _)| !without.contains(&name.as_str()))
        {
            // Readers differ in whether `Image` is `image`: here it is.
            match name.to_lowercase().as_str() {
                "image" => self.image(node)?,
                list if CONTAINERS.contains(&list) => self.containers(node)?,
                _ => self.walk(node)?,
            }
        }
        Ok(())
    }

    /// Containers: each may go without an image, which then runs nothing, but not with one that is no text.
    fn containers(&mut self, node: &Node) -> Result<(), Problem> {
        if let Node::Sequence(sequence) = node {
            for item in &sequence.items {
                let Node::Mapping(container) = item else {
                    return Err(Problem::new(
                        item.line(),
                        item.column(),
                        "a container that is no mapping",
                    ));
                };
                let image = container
                    .entries
                    .iter()
                    .find(|(name, _)| name.eq_ignore_ascii_case("image"));
                match image {
                    Some((_, Node::Scalar(scalar))) if scalar.is_null() => {
                        return Err(Problem::not_text("image", scalar.line, scalar.column));
                    }
                    _ => {}
                }
            }
        }
        self.walk(node)
    }

    /// The value of a member `image`.
    fn image(&mut self, node: &Node) -> Result<(), Problem> {
        match node {
            Node::Scalar(scalar) if scalar.is_null() => Ok(()),
            Node::Scalar(scalar) => self.add(scalar),
            Node::Sequence(_) => self.walk(node),
            Node::Mapping(mapping) => {
                match mapping.get("reference") {
                    Some(Node::Scalar(scalar)) => self.add(scalar)?,
                    Some(other) => {
                        return Err(Problem::not_text("reference", other.line(), other.column()));
                    }
                    None => {
                        if let Some(parts) = in_parts(mapping) {
                            let (text, scalar) = parts?;
                            self.add_parts(&text, scalar)?;
                        }
                    }
                }
                self.walk(node)
            }
        }
    }

    fn add_parts(&mut self, text: &str, scalar: &Scalar) -> Result<(), Problem> {
        let image = reference(text, scalar)?;
        self.push(Found {
            image,
            line: scalar.line,
            column: scalar.column,
            place: Place::Parts,
        });
        Ok(())
    }
}
