//! Descriptor and subject: what is signed or verified, once its tag has been resolved.

use std::fmt;

use super::{Digest, Repository, Tag};

/// A media type as a registry states it; compared exactly.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct MediaType(Box<str>);

impl MediaType {
    /// From text; parameters after `;` are not part of the type.
    pub fn new(text: &str) -> Self {
        Self(text.split(';').next().unwrap_or_default().trim().into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Media type, digest and size in bytes of a piece of content.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Descriptor {
    /// The media type the bytes were served and parsed as.
    pub media_type: MediaType,
    /// The digest of the bytes.
    pub digest: Digest,
    /// The number of bytes.
    pub size: u64,
}

/// What is signed or verified: resolved once, then only the digest counts (G02).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Subject {
    /// The repository the image lies in.
    pub repository: Repository,
    /// The tag it was named by, if any.
    pub tag: Option<Tag>,
    /// What the tag or digest resolved to.
    pub descriptor: Descriptor,
    /// The SHA-512 digest of the same bytes: trust data may state it beside the other.
    pub sha512: Digest,
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        write!(f, "@{}", self.descriptor.digest)
    }
}
