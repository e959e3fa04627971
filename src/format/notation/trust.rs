//! What a signature is held against: anchors, identities, a level, timestamp roots and required
//! metadata.

use std::collections::BTreeSet;

use super::{
    identity::TrustedIdentities,
    level::Level,
    payload::Metadata,
    trust_store::{StoreFault, StoreKind},
};
use crate::crypto::Certificate;

/// Trusted certificates, or why there are none.
pub(super) type Anchors = Result<Vec<Certificate>, StoreFault>;

/// When a timestamp is checked, where timestamp roots are trusted.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum VerifyTimestamp {
    /// Each signature must have one.
    #[default]
    Always,
    /// Only where a certificate of the signer has expired.
    AfterCertExpiry,
}

/// Trust named by flags or by `acr-sign.yaml`.
#[derive(Clone, Debug)]
pub struct Pins {
    /// Leaves, or CAs.
    pub certificates: Vec<Certificate>,
    /// Whom the certificates are trusted for; may be `None` where only leaves are pinned.
    pub identities: Option<TrustedIdentities>,
    /// Which checks decide.
    pub level: Level,
    /// Roots of timestamp authorities; none: timestamps are not checked.
    pub timestamp_roots: Vec<Certificate>,
    /// When a timestamp is checked.
    pub verify_timestamp: VerifyTimestamp,
    /// User metadata that the signature must carry.
    pub metadata: Metadata,
}

/// The trust would be none, or too wide.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum InvalidTrust {
    /// No certificate is trusted.
    #[error("no certificate is trusted")]
    NoAnchor,
    /// A CA without a word on whom it is trusted for.
    #[error("`{subject}` is a CA: name the identities that it is trusted for (`*` for all)")]
    NoIdentity {
        /// The subject of the CA.
        subject: String,
    },
    /// A certificate that cannot be a timestamp root.
    #[error("`{subject}` is not a self-signed root of a timestamp authority")]
    NotATimestampRoot {
        /// Its subject.
        subject: String,
    },
}

/// What signatures are held against.
#[derive(Clone, Debug)]
pub struct Trust {
    pub(super) statement: Option<String>,
    pub(super) level: Level,
    pub(super) signers: Anchors,
    pub(super) authorities: Anchors,
    /// `None`: no store for timestamps, so tokens are not checked.
    pub(super) timestamp_roots: Option<Anchors>,
    pub(super) verify_timestamp: VerifyTimestamp,
    pub(super) identities: TrustedIdentities,
    /// Every pair must be there; two values of one name can never both be.
    pub(super) metadata: Vec<(String, String)>,
}

impl Trust {
    /// Trust in pinned certificates: a leaf stands for itself, a CA for the identities, which every
    /// signer must match where they are given. Signing authorities are not trusted by pins; they
    /// need a trust policy that says so. Refuses a CA without identities.
    pub fn pinned(pins: Pins) -> Result<Self, InvalidTrust> {
        let ca = pins
            .certificates
            .iter()
            .find(|certificate| certificate.is_ca());
        let identities = match (ca, pins.identities) {
            (_, Some(identities)) => identities,
            (None, None) => TrustedIdentities::Any,
            (Some(ca), None) => {
                return Err(InvalidTrust::NoIdentity {
                    subject: ca.subject(),
                });
            }
        };
        if let Some(wrong) = pins
            .timestamp_roots
            .iter()
            .find(|root| !(root.is_ca() && root.is_self_signed()))
        {
            return Err(InvalidTrust::NotATimestampRoot {
                subject: wrong.subject(),
            });
        }
        if pins.certificates.is_empty() {
            return Err(InvalidTrust::NoAnchor);
        }
        Ok(Self {
            statement: None,
            level: pins.level,
            signers: Ok(pins.certificates),
            authorities: Err(StoreFault::NoneOfKind(StoreKind::SigningAuthority)),
            timestamp_roots: (!pins.timestamp_roots.is_empty()).then_some(Ok(pins.timestamp_roots)),
            verify_timestamp: pins.verify_timestamp,
            identities,
            metadata: pins.metadata.into_iter().collect(),
        })
    }

    /// The same, with user metadata that the signature must carry besides.
    #[must_use]
    pub fn require_metadata(mut self, metadata: Metadata) -> Self {
        self.metadata.extend(metadata);
        self
    }

    /// The statement of the trust policy that it comes from.
    pub fn statement(&self) -> Option<&str> {
        self.statement.as_deref()
    }

    /// The level.
    pub fn level(&self) -> Level {
        self.level
    }

    /// The thumbprints of the certificates that are trusted for signers: for ordering candidates,
    /// never for accepting one.
    pub fn thumbprints(&self) -> BTreeSet<String> {
        let anchors = [&self.signers, &self.authorities]
            .into_iter()
            .flatten()
            .flatten();
        anchors.map(Certificate::thumbprint_sha256).collect()
    }
}
