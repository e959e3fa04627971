//! The six algorithms (Notary Project, "Signature Algorithm Requirements"). The key of the leaf
//! certificate decides; what a header names must equal it.

use crate::crypto::{HashFunction, KeyKind, Scheme};

/// How an envelope is signed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(missing_docs, reason = "the names are the standard's")]
pub enum Algorithm {
    Ps256,
    Ps384,
    Ps512,
    Es256,
    Es384,
    Es512,
}

impl Algorithm {
    const ALL: [Self; 6] = [
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Es256,
        Self::Es384,
        Self::Es512,
    ];

    /// The only algorithm of a kind of key; `None` for kinds that cannot sign.
    pub fn of(kind: KeyKind) -> Option<Self> {
        match kind {
            KeyKind::Rsa { bits: 2048 } => Some(Self::Ps256),
            KeyKind::Rsa { bits: 3072 } => Some(Self::Ps384),
            KeyKind::Rsa { bits: 4096 } => Some(Self::Ps512),
            KeyKind::EcP256 => Some(Self::Es256),
            KeyKind::EcP384 => Some(Self::Es384),
            KeyKind::EcP521 => Some(Self::Es512),
            KeyKind::Rsa { .. } | KeyKind::Ed25519 => None,
        }
    }

    /// The scheme that a signer is told.
    pub fn scheme(self) -> Scheme {
        match self {
            Self::Ps256 => Scheme::RsaPssSha256,
            Self::Ps384 => Scheme::RsaPssSha384,
            Self::Ps512 => Scheme::RsaPssSha512,
            Self::Es256 => Scheme::EcdsaSha256,
            Self::Es384 => Scheme::EcdsaSha384,
            Self::Es512 => Scheme::EcdsaSha512,
        }
    }

    /// The hash of its signatures, which a timestamp over them uses too.
    pub fn hash(self) -> HashFunction {
        match self {
            Self::Ps256 | Self::Es256 => HashFunction::Sha256,
            Self::Ps384 | Self::Es384 => HashFunction::Sha384,
            Self::Ps512 | Self::Es512 => HashFunction::Sha512,
        }
    }

    /// The name in a JWS header.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Es512 => "ES512",
        }
    }

    /// The number in a COSE header.
    pub fn number(self) -> i64 {
        match self {
            Self::Ps256 => -37,
            Self::Ps384 => -38,
            Self::Ps512 => -39,
            Self::Es256 => -7,
            Self::Es384 => -35,
            Self::Es512 => -36,
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.name() == name)
    }

    pub(super) fn from_number(number: i64) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.number() == number)
    }
}
