//! Deployment manifests: which images they name, where, and the same text with digests.
//!
//! Pure: text in, values out. An allow list: each tool's folder or file says which members it knows and what they do to
//! images, and what is not known is an error that names the command that renders it. Nothing that may hold a container
//! is passed over in silence (P08).

mod arm;
mod at;
mod azd;
mod compose;
mod document;
mod encoding;
mod error;
mod image;
mod kubernetes;
mod kustomize;
mod members;
mod pin;
mod scalar;
mod tree;
mod work;
mod yaml;

use std::{borrow::Cow, collections::HashSet};

pub use arm::Parameters;
pub use encoding::{Encoding, NotText};
pub use error::{ManifestError, Problem};
pub use pin::pin;

use crate::oci::Reference;
use at::At;
use tree::Node;
use work::Work;

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

impl Found {
    /// Put together from several values, of which another file may have others.
    pub fn is_in_parts(&self) -> bool {
        self.place == Place::Parts
    }

    /// The name as it is written, without tag and digest; of a whole image in one place.
    pub fn name(&self) -> Option<&str> {
        let Place::Text { text, .. } = &self.place else {
            return None;
        };
        let name = text.split_once('@').map_or(text.as_str(), |(name, _)| name);
        let last = name.rfind('/').map_or(0, |at| at + 1);
        match name.get(last..).and_then(|last| last.find(':')) {
            Some(at) => name.get(..last + at),
            None => Some(name),
        }
    }
}

/// How an image is written, which says how a digest is put there.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Place {
    /// This text is once in the bytes of one scalar, and the digest is appended to it.
    Text {
        /// Where the scalar is.
        range: std::ops::Range<usize>,
        /// The text: the image, or the tag of a Kustomize entry.
        text: String,
    },
    /// Put together from several values.
    Parts,
}

/// A file or folder that a kustomization is built of besides itself.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Part {
    /// The path as written, from the folder of the kustomization.
    pub path: String,
    /// The line that names it, from 1.
    pub line: u64,
    /// What it is to the kustomization.
    pub role: Role,
}

/// What a part is to a kustomization.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Role {
    /// Objects, or a kustomization of its own.
    Resource,
    /// Merged into the object that it names.
    Patch,
    /// Merged into objects that the kustomization chooses, whatever it names.
    Retargeted,
}

/// Something that a person must know about a manifest that is read all the same.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Warning {
    /// The line, from 1.
    pub line: u64,
    /// What is not seen here.
    pub message: String,
}

/// What one manifest holds.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// Its images, in the order of the file; each place once.
    pub found: Vec<Found>,
    /// What else a kustomization is built of.
    pub parts: Vec<Part>,
    /// What is not seen.
    pub warnings: Vec<Warning>,
    /// Names without a new one whose tag a kustomization sets, with their lines.
    pub retagged: Vec<(String, u64)>,
    /// Nodes parsed and read.
    pub steps: usize,
}

/// How a manifest is read.
pub struct Options<'a> {
    /// Values for expressions of ARM.
    pub parameters: &'a Parameters,
    /// Digests are written into the file, so that what has none yet gets one.
    pub pins: bool,
    /// Images that the file may name.
    pub images: usize,
    /// Whether the time is over; asked now and then.
    pub is_over: &'a dyn Fn() -> bool,
}

impl<'a> Options<'a> {
    /// Without digests, bounds of a caller, or a deadline.
    pub fn new(parameters: &'a Parameters) -> Self {
        Self {
            parameters,
            pins: false,
            images: usize::MAX,
            is_over: &|| false,
        }
    }
}

/// Finds every image of a manifest; finding none is not an error here.
///
/// Rejects what is not understood for sure: bad YAML or JSON, duplicate keys, members that are not known where an image
/// could hide, expressions without a value, images in a document of no known kind.
pub fn read(file: &str, text: &str, options: &Options<'_>) -> Result<Reading, ManifestError> {
    let work = Work::new(options.is_over);
    let mut finder = Finder::new(options, &work);
    let done = finder.file(file, text);
    done.map_err(|problem| ManifestError::new(file, problem))?;
    Ok(Reading {
        found: finder.found,
        parts: finder.parts,
        warnings: finder.warnings,
        retagged: finder.retagged,
        steps: work.steps(),
    })
}

/// The line where a file that is merged into another object sets an image that a reading of it does not show, because it
/// says that it is of a kind that has none there.
pub fn hidden_in_patch(
    file: &str,
    text: &str,
    found: &[Found],
    options: &Options<'_>,
) -> Result<Option<u64>, ManifestError> {
    let work = Work::new(options.is_over);
    let mut finder = Finder::new(options, &work);
    let documents =
        yaml::parse(text, &work).map_err(|problem| ManifestError::new(file, problem))?;
    for document in documents
        .iter()
        .filter(|one| matches!(one, Node::Mapping(_)))
    {
        match finder.walk(document, &kubernetes::any_kind()) {
            Err(problem) if problem.is_timeout() => return Err(ManifestError::new(file, problem)),
            Err(problem) => return Ok(Some(problem.line)),
            Ok(()) => {}
        }
    }
    let known: HashSet<_> = found.iter().map(|one| (one.line, one.column)).collect();
    let mut found = finder.found.iter();
    let hidden = found.find(|one| !known.contains(&(one.line, one.column)));
    Ok(hidden.map(|one| one.line))
}

/// Images found so far, and the work done.
struct Finder<'a> {
    options: &'a Options<'a>,
    work: &'a Work<'a>,
    found: Vec<Found>,
    /// Places of `found`: the same node reached twice, through an alias or a merge, is one.
    places: HashSet<(u64, u64, Reference)>,
    parts: Vec<Part>,
    warnings: Vec<Warning>,
    retagged: Vec<(String, u64)>,
}

impl<'a> Finder<'a> {
    fn new(options: &'a Options<'a>, work: &'a Work<'a>) -> Self {
        Self {
            options,
            work,
            found: Vec::new(),
            places: HashSet::new(),
            parts: Vec::new(),
            warnings: Vec::new(),
            retagged: Vec::new(),
        }
    }

    fn file(&mut self, file: &str, text: &str) -> Result<(), Problem> {
        let text: Cow<'_, str> = match arm::without_comments(text) {
            // Comments are read as ARM reads them in its own documents, and as YAML has it in all others.
            Some(bare) if self.is_arm(&bare) => bare.into(),
            _ => text.into(),
        };
        let documents = yaml::parse(&text, self.work)?;
        let filled = documents.iter().filter(|document| !document.is_empty());
        let is_alone = filled.count() <= 1;
        for document in &documents {
            self.document(file, document, is_alone, &text)?;
        }
        Ok(())
    }

    /// Where something names an image, or what cannot be told from one.
    fn first_image(
        &self,
        look: impl FnOnce(&mut Self) -> Result<(), Problem>,
    ) -> Result<Option<At>, Problem> {
        let mut inner = Self::new(self.options, self.work);
        match look(&mut inner) {
            Err(problem) if problem.is_timeout() => Err(problem),
            Err(problem) => Ok(Some(At {
                line: problem.line,
                column: problem.column,
            })),
            Ok(()) => Ok(inner.found.first().map(|first| At {
                line: first.line,
                column: first.column,
            })),
        }
    }

    fn warn(&mut self, at: At, message: impl Into<String>) {
        let line = at.line;
        let message = message.into();
        // The first hundred are told one by one.
        if self.warnings.len() < 100 {
            self.warnings.push(Warning { line, message });
        }
    }

    fn push(&mut self, image: Reference, at: At, place: Place) -> Result<(), Problem> {
        if !self.places.insert((at.line, at.column, image.clone())) {
            return Ok(());
        }
        if self.found.len() >= self.options.images {
            return Err(Problem::too_many(at, self.options.images));
        }
        self.found.push(Found {
            image,
            line: at.line,
            column: at.column,
            place,
        });
        Ok(())
    }
}
