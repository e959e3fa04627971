//! What the two kinds of envelope have in common: their limits, their parts, and what can be wrong
//! with them and with the manifest that carries one.

use std::{fmt, str::FromStr};

use super::{
    algorithm::Algorithm,
    attributes::{HeaderFault, SignedAttributes},
    payload::Payload,
};
use crate::{
    crypto::InvalidCertificate, format::json::InvalidJson, oci::MediaType, timestamp::Timestamp,
};

/// The largest envelope that is read. A chain of ten certificates and a timestamp token with its
/// own come to about 40 KiB; notation reads up to 32 MiB.
pub const ENVELOPE_LIMIT: usize = 1024 * 1024;
/// Certificates in a chain. Public CAs have three or four; each costs a signature check.
pub const CHAIN_LIMIT: usize = 10;

/// The two kinds of envelope.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum EnvelopeKind {
    /// JWS in flattened JSON serialization.
    #[default]
    Jws,
    /// COSE `Sign1`.
    Cose,
}

/// The text does not name a kind of envelope.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("`{0}` is not a kind of envelope (there are `jws` and `cose`)")]
pub struct InvalidEnvelopeKind(String);

impl EnvelopeKind {
    /// The media type of its blob.
    pub fn media_type(self) -> MediaType {
        MediaType::new(match self {
            Self::Jws => "application/jose+json",
            Self::Cose => "application/cose",
        })
    }

    /// The kind that a media type names.
    pub fn of(media_type: &MediaType) -> Option<Self> {
        [Self::Jws, Self::Cose]
            .into_iter()
            .find(|kind| kind.media_type() == *media_type)
    }
}

impl FromStr for EnvelopeKind {
    type Err = InvalidEnvelopeKind;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "jws" => Ok(Self::Jws),
            "cose" => Ok(Self::Cose),
            _ => Err(InvalidEnvelopeKind(text.chars().take(50).collect())),
        }
    }
}

impl fmt::Display for EnvelopeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Jws => "jws",
            Self::Cose => "cose",
        })
    }
}

/// The bytes are not an envelope.
#[derive(Debug, thiserror::Error)]
pub enum EnvelopeFault {
    /// Longer than is read.
    #[error("it has {0} bytes, more than {ENVELOPE_LIMIT}")]
    TooLong(usize),
    /// Not JSON of the strict kind.
    #[error(transparent)]
    Json(#[from] InvalidJson),
    /// A member is absent, of another type, or one that may not be there.
    #[error("the member `{0}` is missing, has the wrong type or is not allowed")]
    Member(String),
    /// Not base64 in its one spelling.
    #[error("`{0}` is not valid base64")]
    Base64(String),
    /// Not a tagged `COSE_Sign1` (tag 18).
    #[error("it is not a COSE_Sign1 with tag 18")]
    NotSign1,
    /// Not CBOR of the strict kind.
    #[error("it is not CBOR of the expected form")]
    Cbor(#[from] minicbor::decode::Error),
    /// Headers without a stated length, or too many.
    #[error("its headers have no definite length, or are too many")]
    Headers,
    /// Bytes after the end.
    #[error("bytes follow after its end")]
    Trailing,
    /// No certificate, or more than are read.
    #[error("it contains {0} certificates instead of 1 to {CHAIN_LIMIT}")]
    ChainLength(usize),
    /// A certificate cannot be read.
    #[error("certificate {index} of its chain cannot be read")]
    Certificate {
        /// Counted from the leaf, which is 0.
        index: usize,
        /// What is wrong with it.
        #[source]
        cause: InvalidCertificate,
    },
    /// A header breaks a rule.
    #[error(transparent)]
    Header(#[from] HeaderFault),
}

/// What an envelope holds, before its chain and signature are looked at.
#[derive(Debug)]
pub(super) struct Decoded {
    pub(super) attributes: SignedAttributes,
    pub(super) payload: Vec<u8>,
    /// The signed bytes.
    pub(super) message: Vec<u8>,
    pub(super) signature: Vec<u8>,
    /// DER, leaf first.
    pub(super) chain: Vec<Vec<u8>>,
    pub(super) agent: Option<String>,
    pub(super) token: Option<Vec<u8>>,
}

/// What a new envelope says.
#[derive(Debug)]
pub(super) struct Content {
    pub(super) algorithm: Algorithm,
    pub(super) payload: Payload,
    pub(super) signing_time: Timestamp,
    pub(super) expiry: Option<Timestamp>,
}

/// What a new envelope says, in the bytes that are signed.
#[derive(Debug)]
pub(super) struct SigningInput {
    pub(super) protected: Vec<u8>,
    pub(super) payload: Vec<u8>,
    pub(super) message: Vec<u8>,
}

/// A manifest is no signature of this image.
#[derive(Debug, thiserror::Error)]
pub enum ManifestFault {
    /// Not JSON of the strict kind.
    #[error(transparent)]
    Json(#[from] InvalidJson),
    /// A member is absent or of another type.
    #[error("`{0}` is missing or has the wrong type")]
    Member(&'static str),
    /// Neither of the two forms.
    #[error("its artifact type and configuration are not those of a signature")]
    Form,
    /// Not exactly one envelope.
    #[error("it has {0} layers instead of one envelope")]
    Layers(usize),
    /// The envelope is longer than is read.
    #[error("its envelope has {0} bytes, more than {ENVELOPE_LIMIT}")]
    TooLong(u64),
}
