//! Kubernetes objects of every kind: workloads, lists, policies, and custom resources that carry pod templates.
//!
//! The whole object is walked, so that no list of kinds or paths can miss a container: every `image` counts, in
//! containers, init and ephemeral containers, image volumes and wherever a custom resource has one. What is read in
//! another way is in the tables of `kinds`, by kind and by the exact path of the member.

mod cel;
mod fetched;
mod gatekeeper;
mod kinds;
mod kyverno;
mod overrides;
mod schema;

pub(super) use self::kinds::any_kind;
use self::kinds::{Rule, descend};
use super::{
    Finder, Problem,
    image::is_blank,
    tree::{Mapping, Node, Scalar},
};

/// Lists whose members are containers.
const CONTAINERS: &[&str] = &["containers", "initcontainers", "ephemeralcontainers"];

impl Finder<'_> {
    /// An object, and the objects that it lists.
    pub(super) fn kubernetes(&mut self, object: &Mapping) -> Result<(), Problem> {
        let api = object.raw("apiVersion").unwrap_or_default();
        let kind = object.raw("kind").unwrap_or_default();
        self.note_fetched(api, kind, object);
        if api.starts_with("mutations.gatekeeper.sh/") {
            self.gatekeeper_mutation(kind, object)?;
        }
        self.members(object, &kinds::rules(api, kind), true)
    }

    /// Everything below a node, whatever kind it says it is: only what is applied as an object of its own has one.
    pub(super) fn walk(&mut self, node: &Node, rules: &[Rule]) -> Result<(), Problem> {
        let at = node.at();
        let work = self.work;
        work.deeper(at, || match node {
            Node::Scalar(_) => Ok(()),
            Node::Sequence(sequence) if sequence.tagged => Err(tagged(node)),
            Node::Sequence(sequence) => {
                let below = descend(rules, "*");
                sequence
                    .items
                    .iter()
                    .try_for_each(|item| self.read_as("*", item, None, &below))
            }
            Node::Mapping(mapping) => self.members(mapping, rules, false),
        })
    }

    fn members(&mut self, object: &Mapping, rules: &[Rule], is_root: bool) -> Result<(), Problem> {
        self.work.step(object.at)?;
        if object.tagged {
            return Err(Problem::new(object.at, "a mapping with a tag"));
        }
        if object.overridden {
            let message = "`<<` brings a key that is given here as well, and readers differ in which they take";
            return Err(Problem::new(object.at, message));
        }
        // An image of OpenShift, by its kind.
        if object.raw("kind") == Some("DockerImage")
            && let Some(Node::Scalar(name)) = object.get("name")
        {
            self.image_text(name)?;
        }
        for (name, node) in &object.entries {
            match node {
                // kubectl makes a list of every object that has `items`.
                Node::Sequence(items) if is_root && name == "items" => {
                    for item in &items.items {
                        self.item(item)?;
                    }
                }
                _ => self.read_as(name, node, Some(object), &descend(rules, name))?,
            }
        }
        Ok(())
    }

    /// An item of a list, which is an object of its own where it says so.
    fn item(&mut self, item: &Node) -> Result<(), Problem> {
        let work = self.work;
        work.deeper(item.at(), || match item {
            Node::Mapping(object)
                if object.raw("kind").is_some() && object.raw("apiVersion").is_some() =>
            {
                for name in ["kind", "apiVersion"] {
                    object.get(name).map_or(Ok(""), |node| node.text(name))?;
                }
                self.kubernetes(object)
            }
            item => self.walk(item, &[]),
        })
    }

    /// A member, or an item of a list: as a rule for its path says, else by its name.
    fn read_as(
        &mut self,
        name: &str,
        node: &Node,
        holder: Option<&Mapping>,
        rules: &[Rule],
    ) -> Result<(), Problem> {
        if let Some(rule) = rules.iter().find(|rule| rule.path.is_empty()) {
            return self.by_rule(rule.reading, name, node);
        }
        match (folded(name).as_str(), holder) {
            ("image", Some(holder)) => self.image(node, holder),
            (name, Some(_)) if name.ends_with("annotations") => self.annotations(node),
            (list, Some(_)) if CONTAINERS.contains(&list) => self.containers(node, rules),
            (other, _) => {
                if let Node::Scalar(scalar) = node
                    && let Some(image) = scalar.value.strip_prefix("docker://")
                    && other == "url"
                {
                    return self.image_parts(image, scalar);
                }
                self.note_unread(other, name, node);
                self.walk(node, rules)
            }
        }
    }

    /// Containers: each may go without an image, which then runs nothing, but not with one that is not text.
    fn containers(&mut self, node: &Node, rules: &[Rule]) -> Result<(), Problem> {
        if let Node::Sequence(sequence) = node {
            for item in &sequence.items {
                let Node::Mapping(container) = item else {
                    return Err(Problem::new(item.at(), "a container that is not a mapping"));
                };
                let image = container
                    .entries
                    .iter()
                    .find(|(name, _)| folded(name) == "image");
                if let Some((_, Node::Scalar(scalar))) = image
                    && is_blank(scalar)
                {
                    return Err(Problem::new(scalar.at, "a container that names no image"));
                }
            }
        }
        self.walk(node, rules)
    }

    /// Annotations may have a container put into the pod: the name of one that says its image ends so.
    pub(super) fn annotations(&mut self, node: &Node) -> Result<(), Problem> {
        let Node::Mapping(annotations) = node else {
            return self.walk(node, &[]);
        };
        if annotations.tagged || annotations.overridden {
            return Err(tagged(node));
        }
        for (name, node) in &annotations.entries {
            self.work.step(node.at())?;
            match node {
                Node::Scalar(scalar) => self.annotation(name, scalar)?,
                node => self.walk(node, &[])?,
            }
        }
        Ok(())
    }

    /// One annotation, wherever it is set.
    pub(super) fn annotation(&mut self, name: &str, scalar: &Scalar) -> Result<(), Problem> {
        if is_image_annotation(name) {
            if is_blank(scalar) {
                return Ok(());
            }
            if name.starts_with("config.linkerd.io/") {
                let message =
                    format!("the tag of `{name}` is in another annotation or in the control plane");
                return Err(Problem::new(scalar.at, message).fix(super::error::Fix::Words(
                    "check what is injected: `linkerd inject --manual FILE | acr-sign verify --manifests -`",
                )));
            }
            return self.image_text(scalar);
        }
        if let Some(what) = fetched::replaced_by(name) {
            self.warn(
                scalar.at,
                format!("`{name}` lets {what} replace images after this check"),
            );
        }
        Ok(())
    }
}

/// As Go's readers compare names: without case, where `ſ` and the Kelvin sign are letters of ASCII.
pub(super) fn folded(name: &str) -> String {
    name.chars()
        .flat_map(char::to_lowercase)
        .map(|c| if c == 'ſ' { 's' } else { c })
        .collect()
}

/// Whether an annotation of this name says an image.
pub(super) fn is_image_annotation(name: &str) -> bool {
    folded(name).ends_with("image")
}

fn tagged(node: &Node) -> Problem {
    Problem::new(
        node.at(),
        "a list or mapping with a tag or an overridden key",
    )
}
