//! Why a signature cannot be made. Each variant names the situation and holds the object.

use super::{InvalidEnvelopeKind, Rejection, bundle::BundleFault};
use crate::{
    crypto::{InvalidToken, KeyKind, SignatureInvalid},
    reason::{Explain, Reason},
};

/// Why a draft cannot be made or completed.
#[derive(Debug, thiserror::Error)]
pub enum DraftError {
    /// The key is of a kind that cannot sign.
    #[error("a {kind} key cannot make Notary Project signatures")]
    KeyUnsuitable {
        /// The kind.
        kind: KeyKind,
    },
    /// The certificates hold no usable chain for the key.
    #[error("the signing certificate cannot be used")]
    Bundle(#[from] BundleFault),
    /// The kind of envelope is none.
    #[error(transparent)]
    EnvelopeKind(#[from] InvalidEnvelopeKind),
    /// Metadata that may not be signed.
    #[error("the annotation `{name}` cannot be signed: {why}")]
    Metadata {
        /// The name.
        name: String,
        /// Why.
        why: &'static str,
    },
    /// An end that is none.
    #[error("the expiry must be at least one second")]
    Expiry,
    /// The number of timestamp roots is wrong, or it is no root.
    #[error("the timestamp root must be exactly one self-signed certificate")]
    TimestampRoot,
    /// An answer that is no signature of the key that was asked.
    #[error("the signature was not made by the signing key")]
    SignatureInvalid(#[source] SignatureInvalid),
    /// The request for a timestamp could not be put together.
    #[error("the request for a timestamp cannot be made")]
    TimestampRequest(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The authority's reply holds no token over the signature.
    #[error("the timestamp authority's reply cannot be used")]
    TimestampReply(#[source] InvalidToken),
    /// The token would not be accepted.
    #[error("the timestamp would be rejected")]
    Timestamp(#[source] Box<Rejection>),
    /// An answer although nothing was asked, or of another kind.
    #[error("an answer that was not requested")]
    Unasked,
    /// The finished envelope would be rejected by its readers.
    #[error("the new signature would be rejected")]
    Unpublishable(#[source] Box<Rejection>),
}

impl DraftError {
    /// That the finished envelope would be rejected.
    pub(super) fn unpublishable(rejection: Rejection) -> Self {
        Self::Unpublishable(Box::new(rejection))
    }
}

impl Explain for DraftError {
    fn reason(&self) -> Reason {
        match self {
            Self::KeyUnsuitable { .. } => Reason::KeyUnsuitable,
            Self::Bundle(BundleFault::NotValid { .. }) => Reason::KeyExpired,
            Self::Bundle(_) => Reason::KeyUnsuitable,
            Self::EnvelopeKind(_) | Self::Metadata { .. } | Self::Expiry | Self::TimestampRoot => {
                Reason::Usage
            }
            Self::SignatureInvalid(_) | Self::Unasked => Reason::VaultAnswerInvalid,
            Self::TimestampRequest(_) => Reason::Malformed,
            Self::TimestampReply(_) => Reason::TimestampInvalid,
            Self::Timestamp(cause) | Self::Unpublishable(cause) => cause.reason(),
        }
    }

    fn hint(&self) -> Option<String> {
        let text = match self {
            Self::KeyUnsuitable { .. } => {
                "use RSA of 2048, 3072 or 4096 bits, or an EC key on P-256, P-384 or P-521"
            }
            Self::Bundle(BundleFault::NoLeaf(0)) => {
                "name a certificate as key (`akv:VAULT/certificates/NAME`), or give its chain with \
                 `--certificate-chain`"
            }
            Self::Bundle(BundleFault::NoRoot { .. } | BundleFault::NoLeaf(_)) => {
                "give leaf, intermediates and root with `--certificate-chain`; issuers are never \
                 fetched"
            }
            Self::Bundle(BundleFault::Chain(_)) => {
                "`acr-sign key show` shows what is wrong with the certificate and how to make a \
                 suitable one"
            }
            Self::Bundle(BundleFault::NotValid { .. }) => "renew the certificate, then sign again",
            Self::Timestamp(cause) | Self::Unpublishable(cause) => return cause.hint(),
            _ => return None,
        };
        Some(text.to_owned())
    }
}
