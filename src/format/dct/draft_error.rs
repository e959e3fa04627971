//! Why trust data cannot be signed. Each variant names the situation and holds the object.

use super::{
    Rejection, hint,
    name::{KeyId, RoleName, Threshold},
    signer_name::InvalidSignerName,
};
use crate::{
    crypto::{KeyKind, PublicKey, SignatureInvalid},
    oci::Tag,
    reason::{Explain, Reason},
    timestamp::Timestamp,
};

/// Why a draft cannot be made or completed.
#[derive(Debug, thiserror::Error)]
pub enum DraftError {
    /// No role that may sign the tags lists the key.
    #[error("no role lists the key {}", list(key_ids))]
    KeyNotDelegated {
        /// The canonical IDs of the keys at hand.
        key_ids: Vec<KeyId>,
    },
    /// A role that was asked for does not list the key.
    #[error("`{role}` does not list the key {}", list(key_ids))]
    KeyNotInRole {
        /// The role.
        role: RoleName,
        /// The canonical IDs of the keys at hand.
        key_ids: Vec<KeyId>,
    },
    /// The collection does not delegate to a role that was asked for.
    #[error("the collection has no role `{role}` that holds tags")]
    NoSuchRole {
        /// The role.
        role: RoleName,
    },
    /// No role that the key may sign has a path for the tag.
    #[error("`{tag}` is outside the paths of {}", list(roles))]
    OutsidePaths {
        /// The tag.
        tag: Tag,
        /// The roles.
        roles: Vec<RoleName>,
    },
    /// A role wants more signatures than the keys at hand can make.
    #[error(
        "`{role}` needs signatures by {required} of its keys, and {held} of them can sign here"
    )]
    ThresholdNotHeld {
        /// The role.
        role: RoleName,
        /// How many distinct keys must sign.
        required: Threshold,
        /// How many of them are held.
        held: usize,
    },
    /// The file to sign again is signed by too few of its keys, so nobody vouches for what it holds
    /// (T32).
    #[error(
        "the served file of `{role}` is signed by too few of its keys; \
         signing it again would vouch for it"
    )]
    ServedBelowThreshold {
        /// The role.
        role: RoleName,
    },
    /// The base role has expired, and none of the keys at hand may sign it again.
    #[error(
        "`targets` of `{repository}` expired at {expires}, and needs a signature of {}",
        list(key_ids)
    )]
    TargetsExpired {
        /// The repository.
        repository: String,
        /// When it expired.
        expires: Timestamp,
        /// The keys that may sign it.
        key_ids: Vec<KeyId>,
    },
    /// The snapshot is signed by a key of its owner, which is not at hand.
    #[error(
        "the snapshot of `{repository}` is signed by {}, a key that the trust server does not hold",
        list(key_ids)
    )]
    SnapshotKeyMissing {
        /// The repository.
        repository: String,
        /// The keys that may sign it.
        key_ids: Vec<KeyId>,
    },
    /// The file to start from is listed in the snapshot and was not loaded.
    #[error("the file of `{role}` was not loaded")]
    NotLoaded {
        /// The role.
        role: RoleName,
    },
    /// One tag is to be two images.
    #[error("`{tag}` is named with two different digests")]
    TagTwice {
        /// The tag.
        tag: Tag,
    },
    /// A tag whose digest is not SHA-256, which trust data needs.
    #[error("`{tag}` has no SHA-256 digest")]
    NotSha256 {
        /// The tag.
        tag: Tag,
    },
    /// The key is of a kind that cannot sign trust data from a vault.
    #[error("a {kind} key cannot sign Docker Content Trust data")]
    KeyUnsuitable {
        /// The kind.
        kind: KeyKind,
    },
    /// A listed key of a type that has no way of signing.
    #[error("`{key_type}` is not a key type of trust data")]
    UnknownKeyType {
        /// The type.
        key_type: String,
    },
    /// The name of a signer is not of the form that docker takes.
    #[error(transparent)]
    SignerName(#[from] InvalidSignerName),
    /// A signer without a key.
    #[error("no key was given for the signer `{role}`")]
    SignerWithoutKey {
        /// The role of the signer.
        role: RoleName,
    },
    /// The version number has reached its end.
    #[error("the version of `{role}` cannot be increased any further")]
    VersionExhausted {
        /// The role.
        role: RoleName,
    },
    /// The server's answer to a request for one of its keys is no key.
    #[error("the trust server's `{role}` key cannot be used")]
    ServerKey {
        /// The role.
        role: RoleName,
        /// What is wrong with it.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The certificate of the root key could not be put together.
    #[error("the certificate of the root key cannot be made")]
    Certificate {
        /// What went wrong.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// An answer that is no signature of the key that was asked.
    #[error("the signature for `{role}` was not made by the key `{key_id}`")]
    SignatureInvalid {
        /// The role.
        role: RoleName,
        /// The ID of the key.
        key_id: KeyId,
        /// What is wrong with it.
        #[source]
        cause: SignatureInvalid,
    },
    /// An answer although nothing was asked.
    #[error("a signature that was not requested")]
    Unasked,
    /// The finished file would be rejected by its readers.
    #[error("the new file of `{role}` would be rejected")]
    Unpublishable {
        /// The role.
        role: RoleName,
        /// Why.
        #[source]
        cause: Box<Rejection>,
    },
}

fn list(names: &[impl std::fmt::Display]) -> String {
    names
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

impl DraftError {
    /// That the file of `role`, from which a new one would be made, was not loaded.
    pub(super) fn not_loaded(role: &RoleName) -> Self {
        Self::NotLoaded { role: role.clone() }
    }

    /// That the certificate of the root key cannot be made.
    pub(super) fn certificate(cause: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Certificate {
            cause: Box::new(cause),
        }
    }

    /// That none of the keys at hand is listed, in one role or in any.
    pub(super) fn key_not_delegated(role: Option<&RoleName>, held: &[PublicKey]) -> Self {
        let key_ids = held
            .iter()
            .map(|key| super::Key::from_public_key(key).key_id())
            .collect();
        match role {
            Some(role) => Self::KeyNotInRole {
                role: role.clone(),
                key_ids,
            },
            None => Self::KeyNotDelegated { key_ids },
        }
    }
}

impl Explain for DraftError {
    fn reason(&self) -> Reason {
        match self {
            Self::KeyNotDelegated { .. }
            | Self::KeyNotInRole { .. }
            | Self::NoSuchRole { .. }
            | Self::OutsidePaths { .. } => Reason::KeyNotDelegated,
            Self::ThresholdNotHeld { .. } | Self::ServedBelowThreshold { .. } => {
                Reason::ThresholdNotMet
            }
            Self::NotLoaded { .. } | Self::ServerKey { .. } => Reason::AnswerInvalid,
            Self::TargetsExpired { .. } => Reason::Expired,
            Self::TagTwice { .. } => Reason::DigestMismatch,
            Self::NotSha256 { .. }
            | Self::UnknownKeyType { .. }
            | Self::VersionExhausted { .. } => Reason::Malformed,
            Self::KeyUnsuitable { .. } => Reason::KeyUnsuitable,
            Self::SignerName(_)
            | Self::SignerWithoutKey { .. }
            | Self::SnapshotKeyMissing { .. } => Reason::Usage,
            Self::Certificate { .. } => Reason::CertificateUnsuitable,
            Self::SignatureInvalid { .. } | Self::Unasked => Reason::VaultAnswerInvalid,
            Self::Unpublishable { cause, .. } => cause.reason(),
        }
    }

    fn hint(&self) -> Option<String> {
        let text = match self {
            Self::KeyNotDelegated { .. } | Self::KeyNotInRole { .. } => {
                "`acr-sign trust signer add` lets a key sign; \
                 `acr-sign key show` prints the IDs of a key"
            }
            Self::NoSuchRole { .. } => {
                "`acr-sign trust status` shows the roles; `acr-sign trust signer add` makes one"
            }
            Self::OutsidePaths { .. } => "`acr-sign trust status` shows the paths of each role",
            Self::ThresholdNotHeld { .. } => {
                "roles that need several signatures must be signed with all their keys in one run"
            }
            Self::ServedBelowThreshold { .. } => {
                "find out who published it; the owner of the role above can replace its keys"
            }
            Self::TargetsExpired { repository, .. } => {
                return Some(hint::renew(repository, &RoleName::TARGETS));
            }
            Self::SnapshotKeyMissing { repository, .. } => {
                return Some(hint::snapshot_key(repository));
            }
            Self::KeyUnsuitable { .. } => "use a P-256 key, or RSA of at least 2048 bits",
            _ => return None,
        };
        Some(text.to_owned())
    }
}
