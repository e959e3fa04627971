//! An envelope, and what makes one whole: headers, chain and signature fit each other. Nothing here says that
//! the chain is trusted.

use std::{fmt, str::FromStr};

use super::{
    Rejection,
    algorithm::Algorithm,
    attributes::{HeaderFault, SignedAttributes},
    chain::{self, Purpose},
    cose,
    json::InvalidJson,
    jws,
    payload::Payload,
};
use crate::{
    crypto::{Certificate, PublicKey},
    oci::MediaType,
    timestamp::Timestamp,
};

/// The largest envelope that is read (design §8).
pub const ENVELOPE_LIMIT: usize = 1024 * 1024;
/// Certificates in a chain (design §8).
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

/// The text names no kind of envelope.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("`{0}` is no kind of envelope (there are `jws` and `cose`)")]
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

/// The bytes are no envelope.
#[derive(Debug, thiserror::Error)]
pub enum EnvelopeFault {
    /// Longer than is read.
    #[error("it has {0} bytes, more than {ENVELOPE_LIMIT}")]
    TooLong(usize),
    /// Not JSON of the strict kind.
    #[error(transparent)]
    Json(#[from] InvalidJson),
    /// A member is absent, of another type, or one that may not be there.
    #[error("the member `{0}` is absent, of another type or must not be there")]
    Member(String),
    /// Not base64 in its one spelling.
    #[error("`{0}` is not base64 of the kind it must be")]
    Base64(String),
    /// Not a tagged `COSE_Sign1` (tag 18).
    #[error("it is no COSE_Sign1 with tag 18")]
    NotSign1,
    /// Not CBOR of the strict kind.
    #[error("it is not CBOR of the expected form")]
    Cbor(#[from] minicbor::decode::Error),
    /// Headers without a stated length, or too many.
    #[error("its headers have no stated length or are too many")]
    Headers,
    /// Bytes after the end.
    #[error("bytes follow after its end")]
    Trailing,
    /// No certificate, or more than are read.
    #[error("it holds {0} certificates, where 1 to {CHAIN_LIMIT} may be")]
    ChainLength(usize),
    /// A certificate cannot be read.
    #[error("certificate {index} of its chain cannot be read")]
    Certificate {
        /// Counted from the leaf, which is 0.
        index: usize,
        /// What is wrong with it.
        #[source]
        cause: crate::crypto::InvalidCertificate,
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
pub(super) struct Statement {
    pub(super) protected: Vec<u8>,
    pub(super) payload: Vec<u8>,
    pub(super) message: Vec<u8>,
}

/// An envelope whose integrity holds: its headers keep the rules, its chain is one, and its leaf signed it.
#[derive(Debug)]
pub struct Envelope {
    kind: EnvelopeKind,
    attributes: SignedAttributes,
    payload: Payload,
    chain: Vec<Certificate>,
    signature: Vec<u8>,
    agent: Option<String>,
    token: Option<Vec<u8>>,
}

impl Envelope {
    /// Reads an envelope. Rejects unknown kinds, whatever breaks a rule of headers or certificates, and a
    /// signature that the leaf's key did not make with its one algorithm.
    pub fn read(media_type: &MediaType, bytes: &[u8]) -> Result<Self, Rejection> {
        let kind = EnvelopeKind::of(media_type).ok_or_else(|| Rejection::UnknownEnvelope {
            media_type: media_type.clone(),
        })?;
        let decoded = if bytes.len() > ENVELOPE_LIMIT {
            Err(EnvelopeFault::TooLong(bytes.len()))
        } else {
            match kind {
                EnvelopeKind::Jws => jws::decode(bytes),
                EnvelopeKind::Cose => cose::decode(bytes),
            }
        }
        .map_err(Rejection::of_envelope)?;
        let chain = chain(&decoded.chain).map_err(Rejection::of_envelope)?;
        chain::check(&chain, Purpose::Signing).map_err(Rejection::Certificate)?;
        let leaf = chain
            .first()
            .ok_or(Rejection::of_envelope(EnvelopeFault::ChainLength(0)))?;
        check_signature(leaf.public_key(), &decoded)?;
        let payload = Payload::read(&decoded.payload).map_err(Rejection::Payload)?;
        let Decoded {
            attributes,
            signature,
            agent,
            token,
            ..
        } = decoded;
        Ok(Self {
            kind,
            attributes,
            payload,
            chain,
            signature,
            agent,
            token,
        })
    }

    /// Its kind.
    pub fn kind(&self) -> EnvelopeKind {
        self.kind
    }

    /// What the signer says of the signature.
    pub fn attributes(&self) -> &SignedAttributes {
        &self.attributes
    }

    /// What is signed.
    pub fn payload(&self) -> &Payload {
        &self.payload
    }

    /// The certificates, leaf first, root last.
    pub fn chain(&self) -> &[Certificate] {
        &self.chain
    }

    /// The certificate that signed.
    pub fn leaf(&self) -> Option<&Certificate> {
        self.chain.first()
    }

    /// The signature's bytes, which a timestamp is over.
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// The program that signed, as it says; never to be trusted.
    pub fn agent(&self) -> Option<&str> {
        self.agent.as_deref()
    }

    /// The timestamp token, as it was embedded.
    pub fn token(&self) -> Option<&[u8]> {
        self.token.as_deref()
    }
}

fn chain(ders: &[Vec<u8>]) -> Result<Vec<Certificate>, EnvelopeFault> {
    if ders.is_empty() {
        return Err(EnvelopeFault::ChainLength(0));
    }
    let read = |(index, der): (usize, &Vec<u8>)| {
        Certificate::from_der(der).map_err(|cause| EnvelopeFault::Certificate { index, cause })
    };
    ders.iter().enumerate().map(read).collect()
}

/// The key decides the algorithm, and the header must name that one (N08, N09).
fn check_signature(key: &PublicKey, decoded: &Decoded) -> Result<(), Rejection> {
    let stated = decoded.attributes.algorithm;
    if Algorithm::of(key.kind()) != Some(stated) {
        return Err(Rejection::AlgorithmMismatch {
            stated: stated.name(),
            kind: key.kind(),
        });
    }
    key.verify(stated.scheme(), &decoded.message, &decoded.signature)
        .map_err(Rejection::SignatureInvalid)
}
