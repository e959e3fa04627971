//! The value of a member that names an image: a text, or a mapping of its parts.

use super::{
    Finder, Place, Problem,
    error::Fix,
    tree::{Mapping, Node, Scalar},
};
use crate::oci::Reference;

/// Members that name the repository of an image in parts; one of them.
const REPOSITORY: &[&str] = &["repository", "name", "image"];
/// Members that select the version, with the sign that comes before it.
const VERSION: &[(&str, &str)] = &[
    ("tag", ":"),
    ("digest", "@"),
    ("sha256", "@sha256:"),
    ("sha", "@sha256:"),
];
/// Members beside them that do not change which image it is.
const HARMLESS: &[&str] = &[
    "registry",
    "pullPolicy",
    "pullSecret",
    "pullSecrets",
    "imagePullPolicy",
    "imagePullSecrets",
    "debug",
    "allowPrivilegeEscalation",
    "readOnlyRootFilesystem",
    "runAsGroup",
    "runAsNonRoot",
    "runAsUser",
    "seccompProfile",
];
/// Members beside an `image` that say more about it to some controllers.
const BESIDE: &[&str] = &[
    "tag",
    "registry",
    "repository",
    "digest",
    "sha",
    "sha256",
    "imagetag",
    "imagedigest",
    "imageversion",
    "imageregistry",
    "imagerepository",
];

impl Finder<'_> {
    /// Takes note of an image as a scalar writes it.
    pub(super) fn image_text(&mut self, scalar: &Scalar) -> Result<(), Problem> {
        let text = scalar.text("image")?;
        let image = reference(text, scalar)?;
        let place = Place::Text {
            range: scalar.range.clone(),
            text: text.to_owned(),
        };
        self.push(image, scalar.at, place)
    }

    /// Takes note of an image that is put together; `scalar` is where people look for it.
    pub(super) fn image_parts(&mut self, text: &str, scalar: &Scalar) -> Result<(), Problem> {
        let image = reference(text, scalar)?;
        self.push(image, scalar.at, Place::Parts)
    }

    /// The value of a member `image` of a mapping.
    pub(super) fn image(&mut self, node: &Node, holder: &Mapping) -> Result<(), Problem> {
        match node {
            // Nothing there, to Go's readers.
            Node::Scalar(scalar) if is_blank(scalar) => Ok(()),
            Node::Scalar(scalar) => match beside(holder) {
                None => self.image_text(scalar),
                Some(other) => {
                    // The whole mapping is an image in parts, or it is not known what is put together.
                    let known = |(name, node): &(String, Node)| {
                        !is_beside(name, node) || version(name).is_some() || name == "registry"
                    };
                    if !holder.entries.iter().all(known) {
                        let message = format!("`{other}` beside `image` says more about the image");
                        return Err(Problem::new(scalar.at, message).fix(Fix::Helm));
                    }
                    self.in_parts(holder, scalar)
                }
            },
            Node::Sequence(sequence) => Err(Problem::not_text("image", sequence.at)),
            Node::Mapping(mapping) => self.image_mapping(mapping),
        }
    }

    /// An image volume of Kubernetes, or a name in parts, as charts and operators have it.
    pub(super) fn image_mapping(&mut self, mapping: &Mapping) -> Result<(), Problem> {
        if mapping.tagged || mapping.overridden {
            return Err(Problem::not_text("image", mapping.at));
        }
        if let Some(volume) = mapping.get("reference") {
            for (name, node) in &mapping.entries {
                if !matches!(name.as_str(), "reference" | "pullPolicy") {
                    return Err(Problem::new(node.at(), unknown(name)));
                }
            }
            return match volume {
                Node::Scalar(scalar) => self.image_text(scalar),
                other => Err(Problem::not_text("reference", other.at())),
            };
        }
        for (name, node) in &mapping.entries {
            let is_part = REPOSITORY.contains(&name.as_str()) || version(name).is_some();
            if !is_part && !HARMLESS.contains(&name.as_str()) && !node.is_empty() {
                return Err(Problem::new(node.at(), unknown(name)).fix(Fix::Helm));
            }
        }
        let names: Vec<&Node> = REPOSITORY
            .iter()
            .filter_map(|name| mapping.filled(name))
            .collect();
        match names.as_slice() {
            [] if VERSION
                .iter()
                .any(|(name, _)| mapping.filled(name).is_some())
                || mapping.filled("registry").is_some() =>
            {
                let message = "an image in parts without its repository, which is chosen elsewhere";
                Err(Problem::new(mapping.at, message).fix(Fix::Helm))
            }
            [] => Ok(()),
            [Node::Scalar(repository)] => self.in_parts(mapping, repository),
            [other] => Err(Problem::not_text("image", other.at())),
            [_, other, ..] => {
                let message = "an image in parts with two names";
                Err(Problem::new(other.at(), message).fix(Fix::Helm))
            }
        }
    }

    /// Repository, registry and version as one name.
    fn in_parts(&mut self, mapping: &Mapping, repository: &Scalar) -> Result<(), Problem> {
        let part = |name: &str| match mapping.get(name) {
            None => Ok(None),
            Some(Node::Scalar(scalar)) if is_blank(scalar) => Ok(None),
            Some(node) => node.text(name).map(Some),
        };
        let mut text = repository.text("repository")?.to_owned();
        if let Some(registry) = part("registry")? {
            text = format!("{registry}/{text}");
        }
        let mut has_version = false;
        for (name, sign) in VERSION {
            if let Some(value) = part(name)? {
                has_version = true;
                text = format!("{text}{sign}{value}");
            }
        }
        let bare = repository.value.rsplit('/').next().unwrap_or_default();
        if !has_version && !bare.contains([':', '@']) {
            let message = format!(
                "the image `{}` has neither tag nor digest, which is chosen elsewhere",
                super::error::short(&text)
            );
            return Err(Problem::new(repository.at, message).fix(Fix::Helm));
        }
        self.image_parts(&text, repository)
    }
}

/// Null, or a text of nothing but space.
pub(super) fn is_blank(scalar: &Scalar) -> bool {
    scalar.is_null() || (!scalar.tagged && scalar.value.trim().is_empty())
}

fn version(name: &str) -> Option<&'static str> {
    let known = VERSION.iter().find(|(known, _)| *known == name);
    known.map(|(_, sign)| *sign)
}

fn is_beside(name: &str, node: &Node) -> bool {
    let is_text = matches!(node, Node::Scalar(scalar) if !is_blank(scalar));
    is_text && BESIDE.contains(&name.to_ascii_lowercase().as_str())
}

/// A member that some controllers put together with `image`.
fn beside(holder: &Mapping) -> Option<&str> {
    let mut all = holder.entries.iter();
    all.find(|(name, node)| is_beside(name, node))
        .map(|(name, _)| name.as_str())
}

fn unknown(name: &str) -> String {
    format!(
        "`{}` is not a known part of an image",
        super::error::short(name)
    )
}

/// An image as written, or why it is none.
pub(super) fn reference(text: &str, scalar: &Scalar) -> Result<Reference, Problem> {
    if ["{{", "$", "<%"].iter().any(|sign| text.contains(sign)) {
        return Err(Problem::unresolved(text, scalar.at));
    }
    Reference::familiar(text).map_err(|error| Problem::not_an_image(text, &error, scalar.at))
}
