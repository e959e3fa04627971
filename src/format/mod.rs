//! Signature formats, and the proof that an image is signed. Pure: bytes and a time in, values out.
//!
//! [`Verified`] is made by the formats' own `verify` and by nothing else: no default, no reading it from
//! anywhere (attacks §0, property 3).

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

/// The text names no format.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("`{text}` is no signature format (there are `dct` and `notation`)")]
pub struct InvalidFormat {
    text: String,
}

impl FromStr for Format {
    type Err = InvalidFormat;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "dct" => Ok(Self::Dct),
            "notation" => Ok(Self::Notation),
            _ => Err(InvalidFormat {
                text: text.chars().take(50).collect(),
            }),
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dct => "dct",
            Self::Notation => "notation",
        })
    }
}

/// Proof that an image is signed as demanded.
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
    /// The key that signed; signatures of one key count once, whatever their format (attacks §0, property 6).
    pub key: PublicKey,
    /// When it was signed, where the format says so: proven by a timestamp, or as the signer states it.
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

    /// This proof, standing on the signatures of `other`, too; one of another digest or format adds nothing.
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

    /// Until when the proof holds: the earliest end of what it stands on; `None` where nothing ends it.
    pub fn expires(&self) -> Option<Timestamp> {
        self.signers
            .iter()
            .filter_map(|signed| signed.expires)
            .min()
    }
}
