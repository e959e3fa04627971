//! Deployment manifests: which images they name, where, and the same text with digests.
//!
//! Pure: text in, values out. Reads what is applied as it stands: Kubernetes, compose, Kustomize, ARM templates.
//! Refuses what it cannot know: an expression without a value, a document of no known kind that holds images,
//! a part that lies in another file. Nothing that may hold a container is passed over in silence (P08).

mod arm;
mod compose;
mod error;
mod kubernetes;
mod kustomize;
mod pin;
mod yaml;

pub use arm::Parameters;
pub use error::{ManifestError, Problem};
pub use pin::pin;

use crate::oci::Reference;
use yaml::{Mapping, Node, Scalar};

/// Bytes that one manifest may have.
pub const SIZE_LIMIT: u64 = 8 << 20;

/// An image that a manifest names.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Found {
    /// The image.
    pub image: Reference,
    /// The line, from 1.
    pub line: u64,
    /// The column in characters, from 1.
    pub column: u64,
    place: Place,
}

/// How an image is written, which says how a digest is put there.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Place {
    /// This text stands once in the bytes of one scalar, and the digest goes behind it.
    Text {
        /// Where the scalar is.
        range: std::ops::Range<usize>,
        /// What stands there: the image, or the tag of a Kustomize entry.
        text: String,
    },
    /// Put together from several values.
    Parts,
}

/// Finds every image of a manifest; none at all is no error here.
///
/// Rejects what is not understood for sure: bad YAML or JSON, duplicate keys, expressions without a value, images in
/// a document of no known kind.
pub fn read(file: &str, text: &str, parameters: &Parameters) -> Result<Vec<Found>, ManifestError> {
    Ok(read_parts(file, text, parameters)?.0)
}

/// As [`read`], and the paths of files and folders that a kustomization is built of besides itself.
pub fn read_parts(
    file: &str,
    text: &str,
    parameters: &Parameters,
) -> Result<(Vec<Found>, Vec<String>), ManifestError> {
    let at = |problem: Problem| ManifestError::new(file, problem);
    let mut finder = Finder {
        found: Vec::new(),
        parts: Vec::new(),
        visited: 0,
        depth: 0,
    };
    for document in yaml::parse(text).map_err(at)? {
        finder.document(file, &document, parameters).map_err(at)?;
    }
    Ok((finder.found, finder.parts))
}

/// Images found so far, and the work done: aliases can make a small text large.
struct Finder {
    found: Vec<Found>,
    parts: Vec<String>,
    visited: usize,
    depth: usize,
}

/// Nodes that are looked at in one file, and how deep.
const VISITED: usize = 1_000_000;
const DEPTH: usize = 128;

impl Finder {
    fn document(
        &mut self,
        file: &str,
        document: &Node,
        parameters: &Parameters,
    ) -> Result<(), Problem> {
        let root = match document {
            Node::Mapping(root) => root,
            Node::Scalar(scalar) if scalar.is_null() => return Ok(()),
            Node::Scalar(scalar) => {
                return Err(Problem::new(
                    scalar.line,
                    scalar.column,
                    "a document that is only a text",
                ));
            }
            Node::Sequence(patch) if kustomize::is_operations(&patch.items) => {
                return self.operations(&patch.items);
            }
            Node::Sequence(_) => return self.unknown(document),
        };
        let kind = root.text("kind");
        let api = root.text("apiVersion").unwrap_or_default();
        let schema = root
            .text("$schema")
            .unwrap_or_default()
            .trim_end_matches('#');
        let (is_values, is_template) = (
            schema.ends_with("eploymentParameters.json"),
            schema.ends_with("eploymentTemplate.json"),
        );
        if is_values || is_template {
            // Others would apply it as what it says it is beside the schema.
            if ["kind", "apiVersion", "services"]
                .iter()
                .any(|name| root.get(name).is_some())
            {
                return Err(Problem::new(
                    root.line,
                    root.column,
                    "an ARM document that is something else too",
                ));
            }
            return if is_template {
                self.arm(root, parameters)
            } else {
                Ok(())
            };
        }
        if kustomize::is_kustomization(file, kind, api) {
            return self.kustomization(root);
        }
        if kind.is_some() && !api.is_empty() {
            return self.kubernetes(root);
        }
        if matches!(root.get("services"), Some(Node::Mapping(_))) {
            return self.compose(root);
        }
        self.unknown(document)
    }

    /// A document of no known kind may not hold what looks like an image.
    fn unknown(&mut self, document: &Node) -> Result<(), Problem> {
        match self.first_image(document) {
            None => Ok(()),
            Some((line, column)) => Err(Problem::unknown_kind(line, column)),
        }
    }

    fn names_image(&mut self, node: &Node) -> bool {
        self.first_image(node).is_some()
    }

    /// Where a node names an image, or what cannot be told from one.
    fn first_image(&mut self, node: &Node) -> Option<(u64, u64)> {
        let mut inner = Self {
            found: Vec::new(),
            parts: Vec::new(),
            visited: self.visited,
            depth: 0,
        };
        let walked = inner.walk(node);
        self.visited = inner.visited;
        match walked {
            Err(problem) => Some((problem.line, problem.column)),
            Ok(()) => inner.found.first().map(|first| (first.line, first.column)),
        }
    }

    /// Takes note of an image as a scalar writes it.
    fn add(&mut self, scalar: &Scalar) -> Result<(), Problem> {
        let text = scalar.string()?;
        let image = reference(text, scalar)?;
        let place = Place::Text {
            range: scalar.range.clone(),
            text: text.to_owned(),
        };
        self.push(Found {
            image,
            line: scalar.line,
            column: scalar.column,
            place,
        });
        Ok(())
    }

    /// The same node reached twice, through an alias or a merge, is one place.
    fn push(&mut self, found: Found) {
        if !self.found.contains(&found) {
            self.found.push(found);
        }
    }

    /// Counts a step, so that no text makes endless work.
    fn step(&mut self) -> Result<(), Problem> {
        self.visited += 1;
        if self.visited > VISITED || self.depth > DEPTH {
            Err(Problem::too_large())
        } else {
            Ok(())
        }
    }
}

/// An image as written, or why it is none.
fn reference(text: &str, scalar: &Scalar) -> Result<Reference, Problem> {
    let (line, column) = (scalar.line, scalar.column);
    if ["{{", "${", "$(", "<%", "$"]
        .iter()
        .any(|sign| text.contains(sign))
    {
        return Err(Problem::unresolved(text, line, column));
    }
    Reference::familiar(text).map_err(|error| Problem::no_image(text, &error, line, column))
}

/// What `image` as a mapping holds: a Kubernetes image volume, or a name in parts.
fn in_parts(mapping: &Mapping) -> Option<Result<(String, &Scalar), Problem>> {
    let repository = mapping
        .get("repository")
        .or_else(|| mapping.get("name"))?
        .as_scalar()?;
    if mapping.get("repository").is_none()
        && mapping.get("tag").is_none()
        && mapping.get("digest").is_none()
    {
        return None;
    }
    let part = |name: &str| match mapping.get(name) {
        None => Ok(None),
        Some(Node::Scalar(scalar)) if scalar.is_null() => Ok(None),
        Some(Node::Scalar(scalar)) => {
            Ok(Some(scalar.value.clone()).filter(|value| !value.is_empty()))
        }
        Some(other) => Err(Problem::not_text(name, other.line(), other.column())),
    };
    let whole = || {
        let mut text = repository.value.clone();
        if let Some(registry) = part("registry")? {
            text = format!("{registry}/{text}");
        }
        if let Some(tag) = part("tag")? {
            text = format!("{text}:{tag}");
        }
        if let Some(digest) = part("digest")?.or(part("sha256")?.map(|hex| format!("sha256:{hex}")))
        {
            text = format!("{text}@{digest}");
        }
        Ok((text, repository))
    };
    Some(whole())
}
