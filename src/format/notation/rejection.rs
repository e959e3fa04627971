//! Why a signature was rejected, or a failure only recorded: one variant per rule, with the step it
//! belongs to.

use super::{
    attributes::HeaderFault,
    chain::ChainFault,
    encoding::{EnvelopeFault, ManifestFault},
    identity::IdentityFault,
    level::Check,
    payload::PayloadFault,
    trust_store::StoreFault,
};
use crate::{
    crypto::{InvalidCertificate, InvalidToken, KeyKind, SignatureInvalid},
    oci::{Descriptor, MediaType},
    reason::{Explain, Reason},
    timestamp::Timestamp,
};

/// A signature does not satisfy the trust.
#[derive(Debug, thiserror::Error)]
pub enum Rejection {
    /// The manifest is none of a signature.
    #[error("the manifest is not a Notary Project signature")]
    Manifest(#[source] ManifestFault),
    /// The manifest is about something else (N10, G16).
    #[error("the signature manifest is about {}, not {}", show(.found), show(.expected))]
    OtherSubject {
        /// The image.
        expected: Descriptor,
        /// The subject of the manifest.
        found: Descriptor,
    },
    /// The envelope is of a kind that there is not.
    #[error("`{media_type}` is not an envelope of a Notary Project signature")]
    UnknownEnvelope {
        /// Its media type.
        media_type: MediaType,
    },
    /// The bytes are not an envelope.
    #[error("the envelope cannot be read")]
    Envelope(#[source] EnvelopeFault),
    /// A header breaks a rule.
    #[error("the envelope's headers are not valid")]
    Header(#[source] HeaderFault),
    /// A critical header is not known (N08).
    #[error("the signature has the critical header `{name}`, which is not known")]
    CriticalUnknown {
        /// The header.
        name: String,
    },
    /// A certificate breaks a rule (N11).
    #[error("a certificate of the signature is not suitable")]
    Certificate(#[source] ChainFault),
    /// The header names another algorithm than the key has (N09).
    #[error("the signature states `{stated}`, which is not the algorithm of a {kind} key")]
    AlgorithmMismatch {
        /// The algorithm in the header.
        stated: &'static str,
        /// The kind of the leaf's key.
        kind: KeyKind,
    },
    /// The signature does not verify.
    #[error("the signature does not verify")]
    SignatureInvalid(#[source] SignatureInvalid),
    /// A plug-in is required, and none runs here (N07).
    #[error("the signature requires the verification plug-in `{name}`, and plug-ins are not run")]
    PluginRequired {
        /// The plug-in.
        name: String,
    },
    /// What is signed is not of the form that it must be.
    #[error("the signed payload is not valid")]
    Payload(#[source] PayloadFault),
    /// Something else is signed (N10).
    #[error("the signature is for {}, not {}", show(.found), show(.expected))]
    OtherTarget {
        /// The image.
        expected: Descriptor,
        /// What is signed.
        found: Descriptor,
    },
    /// A trust store cannot be used.
    #[error("no certificate can be trusted")]
    Store(#[source] StoreFault),
    /// No certificate of the chain is trusted.
    #[error("no certificate of the chain is trusted (leaf `{leaf}`, root `{root}`)")]
    Untrusted {
        /// The subject of the leaf.
        leaf: String,
        /// The subject of the root.
        root: String,
    },
    /// The signer is not one of the trusted identities (N12).
    #[error("the signer is not trusted")]
    Identity(#[source] IdentityFault),
    /// Required metadata is absent or other.
    #[error("the signed metadata `{name}` is {}, not `{expected}`", show_value(.found.as_deref()))]
    Metadata {
        /// The name.
        name: String,
        /// The value that was required.
        expected: String,
        /// The value that is signed.
        found: Option<String>,
    },
    /// The signature has expired.
    #[error("the signature expired at {at}")]
    Expired {
        /// Its last moment of validity.
        at: Timestamp,
    },
    /// A certificate has expired, and no timestamp counts.
    #[error("the certificate `{subject}` expired at {until}")]
    CertificateExpired {
        /// Its subject.
        subject: String,
        /// Its last moment of validity.
        until: Timestamp,
    },
    /// A certificate is not valid yet.
    #[error("the certificate `{subject}` is not valid before {from}")]
    CertificateNotYetValid {
        /// Its subject.
        subject: String,
        /// Its first moment of validity.
        from: Timestamp,
    },
    /// A timestamp is required, and there is none.
    #[error("the signature has no timestamp")]
    TimestampMissing,
    /// The roots of timestamp authorities cannot be used.
    #[error("no timestamp authority can be trusted")]
    TimestampStore(#[source] StoreFault),
    /// The token proves nothing.
    #[error("the timestamp is not valid")]
    Timestamp(#[source] InvalidToken),
    /// The authority leads to no trusted root.
    #[error("the timestamp authority `{subject}` is not trusted")]
    TimestampUntrusted {
        /// The subject of its certificate.
        subject: String,
    },
    /// A certificate of the authority breaks a rule.
    #[error("a certificate of the timestamp authority is not suitable")]
    TimestampCertificate(#[source] ChainFault),
    /// A certificate of the authority was not valid when it stamped.
    #[error("the certificate `{subject}` of the timestamp authority was not valid at {time}")]
    TimestampAuthorityEnded {
        /// Its subject.
        subject: String,
        /// The time of the token.
        time: Timestamp,
    },
    /// The signature was made while a certificate was not valid.
    #[error("signed at {time}, while the certificate `{subject}` is valid from {from} to {until}")]
    SignedOutside {
        /// The subject of the certificate.
        subject: String,
        /// The proven time.
        time: Timestamp,
        /// Its first moment of validity.
        from: Timestamp,
        /// Its last moment of validity.
        until: Timestamp,
    },
    /// A certificate of the timestamp authority was revoked (N06).
    #[error("the certificate `{subject}` of the timestamp authority was revoked at {at}")]
    TimestampRevoked {
        /// Its subject.
        subject: String,
        /// When.
        at: Timestamp,
    },
    /// Whether the timestamp authority was revoked cannot be determined.
    #[error(
        "whether the certificate `{subject}` of the timestamp authority was revoked cannot be \
         determined: {why}"
    )]
    TimestampRevocationUnknown {
        /// Its subject.
        subject: String,
        /// What went wrong.
        why: String,
    },
    /// A certificate of the signer was revoked.
    #[error("the certificate `{subject}` was revoked at {at}")]
    Revoked {
        /// Its subject.
        subject: String,
        /// When.
        at: Timestamp,
    },
    /// Whether the signer was revoked cannot be determined.
    #[error("whether the certificate `{subject}` was revoked cannot be determined: {why}")]
    RevocationUnknown {
        /// Its subject.
        subject: String,
        /// What went wrong.
        why: String,
    },
}

fn show(descriptor: &Descriptor) -> String {
    format!(
        "`{}` ({}, {} bytes)",
        descriptor.digest, descriptor.media_type, descriptor.size
    )
}

fn show_value(value: Option<&str>) -> String {
    value.map_or_else(|| "absent".to_owned(), |value| format!("`{value}`"))
}

impl Rejection {
    /// An envelope that cannot be read, or whose headers break a rule.
    pub(super) fn of_envelope(fault: EnvelopeFault) -> Self {
        match fault {
            EnvelopeFault::Header(HeaderFault::Unknown(name)) => Self::CriticalUnknown { name },
            EnvelopeFault::Header(fault) => Self::Header(fault),
            other => Self::Envelope(other),
        }
    }

    /// The step of verification that failed.
    pub fn step(&self) -> Check {
        match self {
            Self::Manifest(_) | Self::OtherSubject { .. } => Check::Manifest,
            Self::UnknownEnvelope { .. }
            | Self::Envelope(_)
            | Self::Header(_)
            | Self::CriticalUnknown { .. }
            | Self::Certificate(_)
            | Self::AlgorithmMismatch { .. }
            | Self::SignatureInvalid(_) => Check::Integrity,
            Self::PluginRequired { .. } => Check::Plugin,
            Self::Payload(_) | Self::OtherTarget { .. } => Check::Payload,
            Self::Store(_) | Self::Untrusted { .. } | Self::Identity(_) => Check::Authenticity,
            Self::Metadata { .. } => Check::Metadata,
            Self::Expired { .. } => Check::Expiry,
            Self::CertificateExpired { .. }
            | Self::CertificateNotYetValid { .. }
            | Self::TimestampMissing
            | Self::TimestampStore(_)
            | Self::Timestamp(_)
            | Self::TimestampUntrusted { .. }
            | Self::TimestampCertificate(_)
            | Self::TimestampAuthorityEnded { .. }
            | Self::SignedOutside { .. }
            | Self::TimestampRevoked { .. }
            | Self::TimestampRevocationUnknown { .. } => Check::AuthenticTimestamp,
            Self::Revoked { .. } | Self::RevocationUnknown { .. } => Check::Revocation,
        }
    }
}

impl Explain for Rejection {
    fn reason(&self) -> Reason {
        match self {
            Self::Manifest(_)
            | Self::UnknownEnvelope { .. }
            | Self::Header(_)
            | Self::Payload(_) => Reason::Malformed,
            Self::Envelope(EnvelopeFault::Certificate {
                cause: InvalidCertificate::Key(_),
                ..
            })
            | Self::Certificate(_) => Reason::CertificateUnsuitable,
            Self::Envelope(_) => Reason::Malformed,
            Self::CriticalUnknown { .. } | Self::PluginRequired { .. } => Reason::CriticalUnknown,
            Self::AlgorithmMismatch { .. } | Self::SignatureInvalid(_) => Reason::SignatureInvalid,
            Self::OtherSubject { .. } | Self::OtherTarget { .. } => Reason::SubjectMismatch,
            Self::Store(StoreFault::NoneOfKind(_)) | Self::Untrusted { .. } => Reason::UntrustedKey,
            Self::Store(_) | Self::TimestampStore(_) => Reason::ConfigInvalid,
            Self::Identity(_) => Reason::UntrustedIdentity,
            Self::Metadata { .. } => Reason::MetadataMismatch,
            Self::Expired { .. } | Self::CertificateExpired { .. } => Reason::Expired,
            Self::CertificateNotYetValid { .. } => Reason::NotYetValid,
            Self::TimestampMissing
            | Self::Timestamp(_)
            | Self::TimestampUntrusted { .. }
            | Self::TimestampCertificate(_)
            | Self::TimestampAuthorityEnded { .. }
            | Self::SignedOutside { .. } => Reason::TimestampInvalid,
            Self::TimestampRevoked { .. } | Self::Revoked { .. } => Reason::Revoked,
            Self::TimestampRevocationUnknown { .. } | Self::RevocationUnknown { .. } => {
                Reason::RevocationUnknown
            }
        }
    }

    fn hint(&self) -> Option<String> {
        let text = match self {
            Self::PluginRequired { .. } => {
                "verify it with `notation` and that plug-in, or sign again without one"
            }
            Self::CertificateExpired { .. } => {
                "sign again with a certificate that is valid; signatures with a timestamp outlive \
                 their certificate"
            }
            Self::TimestampMissing => {
                "sign with `--timestamp-url`, or require timestamps only after the certificate has \
                 expired (`afterCertExpiry`)"
            }
            Self::Expired { .. } => "sign again; `--expiry` sets how long a signature is valid",
            Self::RevocationUnknown { .. } | Self::TimestampRevocationUnknown { .. } => {
                "OCSP responders and CRLs must be reachable over http from here; private ones need \
                 `--allow-private`"
            }
            Self::Identity(_) => {
                "write the subject with C, ST and O as it is in the certificate, or `*`"
            }
            _ => return None,
        };
        Some(text.to_owned())
    }
}
