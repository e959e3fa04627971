//! Signature formats, and the proof that an image is signed. Pure: bytes and a time in, values out.
//!
//! [`Verified`] is made by the formats' own `verify` and by nothing else: no default, no reading it
//! from anywhere.

pub mod dct;
pub mod json;
pub mod notation;

use std::{fmt, str::FromStr};

use crate::{crypto::PublicKey, oci::Digest, timestamp::Timestamp};

/// A signature format.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Format {
    /// Docker Content Trust.
    Dct,
    /// Notary Project.
    Notation,
}

/// The text does not name a format.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("`{text}` is not a signature format (there are {})", names())]
pub struct InvalidFormat {
    text: String,
}

/// What a format takes and lacks: whoever gives a flag, a member of a file or a hint that only some
/// formats know asks here, so that a further format is one arm in each method.
impl Format {
    /// Every format, in the order in which they are listed.
    pub const ALL: [Self; 2] = [Self::Dct, Self::Notation];

    /// The stable name in flags, files and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dct => "dct",
            Self::Notation => "notation",
        }
    }

    /// Whether trust starts at a root key that is pinned, and roles below it sign.
    pub fn has_root(self) -> bool {
        match self {
            Self::Dct => true,
            Self::Notation => false,
        }
    }

    /// Whether a signer is named by a public key; otherwise by a certificate.
    pub fn trusts_keys(self) -> bool {
        match self {
            Self::Dct => true,
            Self::Notation => false,
        }
    }

    /// Whether a certificate goes with each signature, with what depends on it: chains, identities,
    /// timestamps.
    pub fn signs_with_certificate(self) -> bool {
        match self {
            Self::Dct => false,
            Self::Notation => true,
        }
    }

    /// Whether a signature carries metadata that the signer chooses.
    pub fn signs_metadata(self) -> bool {
        match self {
            Self::Dct => false,
            Self::Notation => true,
        }
    }

    /// Whether the signer chooses when a signature expires.
    pub fn signs_expiry(self) -> bool {
        match self {
            Self::Dct => false,
            Self::Notation => true,
        }
    }

    /// Whether signatures are manifests that refer to the image; each manifest below an index can
    /// have its own then.
    pub fn attaches_referrers(self) -> bool {
        match self {
            Self::Dct => false,
            Self::Notation => true,
        }
    }
}

/// The formats as an error lists them.
fn names() -> String {
    let names: Vec<String> = Format::ALL
        .iter()
        .map(|format| format!("`{format}`"))
        .collect();
    names.join(" and ")
}

impl FromStr for Format {
    type Err = InvalidFormat;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|format| format.name() == text);
        known.ok_or_else(|| InvalidFormat {
            text: text.chars().take(50).collect(),
        })
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Proof that an image is signed as required.
#[derive(Debug)]
pub struct Verified {
    subject: Digest,
    format: Format,
    signers: Vec<Signed>,
}

/// One signature that the proof stands on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Signed {
    /// Who signed, as the format names signers.
    pub by: Identity,
    /// The key that signed; signatures of one key count once, whatever their format.
    pub key: PublicKey,
    /// When it was signed, where the format says so: proven by a timestamp, or as the signer states
    /// it.
    pub signed_at: Option<Timestamp>,
    /// Until when this signature can be relied on; `None` where nothing ends it.
    pub expires: Option<Timestamp>,
}

/// A signer, as a format names it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Identity {
    /// A role of Docker Content Trust, whose file holds the image.
    Role {
        /// The role.
        role: dct::RoleName,
        /// The ID under which the role lists the key.
        key_id: dct::KeyId,
    },
    /// The subject of a signing certificate.
    Certificate {
        /// The subject, as RFC 4514 writes it.
        subject: String,
        /// SHA-256 of the certificate, in lower-case hex.
        thumbprint: String,
    },
}

impl Verified {
    fn new(subject: Digest, format: Format, signers: Vec<Signed>) -> Self {
        Self {
            subject,
            format,
            signers,
        }
    }

    /// This proof, standing on the signatures of `other`, too; one of another digest or format adds
    /// nothing.
    #[must_use]
    pub fn with(mut self, other: Self) -> Self {
        if other.subject == self.subject && other.format == self.format {
            self.signers.extend(other.signers);
        }
        self
    }

    /// The digest that is proven to be signed.
    pub fn subject(&self) -> &Digest {
        &self.subject
    }

    /// The format of the signatures.
    pub fn format(&self) -> Format {
        self.format
    }

    /// The signatures that the proof stands on.
    pub fn signers(&self) -> &[Signed] {
        &self.signers
    }

    /// Until when the proof holds: the earliest end of what it stands on; `None` where nothing ends
    /// it.
    pub fn expires(&self) -> Option<Timestamp> {
        self.signers
            .iter()
            .filter_map(|signed| signed.expires)
            .min()
    }
}
