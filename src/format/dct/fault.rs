//! What can be wrong with a key of trust data, and with the certificate of a root key.

use super::name::Gun;
use crate::{
    crypto::{InvalidCertificate, InvalidKey, KeyKind},
    reason::Reason,
    timestamp::Timestamp,
};

/// The content of a key is not what its type says.
#[derive(Debug, thiserror::Error)]
pub enum InvalidRoleKey {
    /// The type is none of the five.
    #[error("`{key_type}` is not a key type of trust data")]
    UnknownType {
        /// The type.
        key_type: String,
    },
    /// The bytes are not a public key.
    #[error("not a public key")]
    PublicKey(#[from] InvalidKey),
    /// The bytes are not a certificate.
    #[error("not a certificate")]
    Certificate(#[from] InvalidCertificate),
    /// The bytes are not text, so not PEM.
    #[error("the certificate is not PEM text")]
    NotText,
    /// The certificate expires before it becomes valid.
    #[error("the certificate is valid from {from} until {until}")]
    EmptyPeriod {
        /// The first moment of validity.
        from: Timestamp,
        /// The expiry.
        until: Timestamp,
    },
    /// The certificate is signed with SHA-1.
    #[error("the certificate is signed with SHA-1")]
    Sha1,
    /// The key is of another kind than its type says.
    #[error("a key of type `{key_type}` cannot be {kind}")]
    OtherKind {
        /// The type.
        key_type: String,
        /// The kind of the public key.
        kind: KeyKind,
    },
}

/// Which rule the certificate of a root key breaks.
#[derive(Debug, thiserror::Error)]
pub enum CertificateFault {
    /// The key is given bare.
    #[error("it is not given as a certificate")]
    Bare,
    /// The content of the key cannot be used.
    #[error("its certificate cannot be used")]
    Unusable(#[from] InvalidRoleKey),
    /// Not exactly the first certificate is one that is not a CA.
    #[error("the first of its certificates, and no other, must not be a CA")]
    NoLeaf,
    /// The certificate is for another repository.
    #[error("its certificate is for `{found}`, not for `{gun}`")]
    OtherName {
        /// The collection.
        gun: Gun,
        /// The common name in the certificate.
        found: String,
    },
    /// The certificate is not valid yet.
    #[error("its certificate is not valid before {from}")]
    NotYetValid {
        /// The first moment of validity.
        from: Timestamp,
    },
    /// The certificate has expired.
    #[error("its certificate expired at {until}")]
    Expired {
        /// The expiry.
        until: Timestamp,
    },
}

impl CertificateFault {
    /// The stable reason.
    pub fn reason(&self) -> Reason {
        match self {
            Self::Bare | Self::Unusable(_) | Self::NoLeaf => Reason::CertificateUnsuitable,
            Self::OtherName { .. } => Reason::UntrustedRoot,
            Self::NotYetValid { .. } => Reason::NotYetValid,
            Self::Expired { .. } => Reason::Expired,
        }
    }
}
