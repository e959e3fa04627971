//! An envelope, and what makes one whole: headers, chain and signature fit each other. Nothing here
//! says that the chain is trusted.

use super::{
    Rejection,
    algorithm::Algorithm,
    attributes::SignedAttributes,
    chain::{self, ChainPurpose},
    cose,
    encoding::{Decoded, ENVELOPE_LIMIT, EnvelopeFault, EnvelopeKind},
    jws,
    payload::Payload,
};
use crate::{
    crypto::{Certificate, PublicKey},
    oci::MediaType,
};

/// An envelope whose integrity holds: its headers keep the rules, its chain is one, and its leaf
/// signed it.
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
    /// Reads an envelope. Rejects unknown kinds, whatever breaks a rule of headers or certificates,
    /// and a signature that the leaf's key did not make with its one algorithm.
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
        chain::check(&chain, ChainPurpose::Signing).map_err(Rejection::Certificate)?;
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
    ders.iter()
        .enumerate()
        .map(|(index, der)| {
            Certificate::from_der(der).map_err(|cause| EnvelopeFault::Certificate { index, cause })
        })
        .collect()
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
