//! Why trust data or an image was rejected: one variant per check, with the role, what was expected
//! and what was found.
//!
//! A rejection means "looked at, and not good enough"; what could not be fetched is the registry's
//! error.

use super::{
    delegation_state::DelegationState,
    fault::{CertificateFault, InvalidRoleKey},
    hint::renew,
    name::{KeyId, RoleName, Threshold, Version},
};
use crate::{
    format::json::InvalidJson,
    oci::Digest,
    reason::{Explain, Reason},
    timestamp::Timestamp,
};

/// Trust data, or an image under it, does not satisfy the trust.
#[derive(Debug, thiserror::Error)]
pub enum Rejection {
    /// The file is no JSON document of the permitted kind.
    #[error("`{role}` is not valid JSON")]
    InvalidJson {
        /// The role whose file it is.
        role: RoleName,
        /// What is wrong with the text.
        #[source]
        cause: InvalidJson,
    },
    /// A member of the file has another form than the format requires.
    #[error("`{member}` of `{role}` must be {expected}, not {found}")]
    Malformed {
        /// The role whose file it is.
        role: RoleName,
        /// The member, as a path into the file.
        member: String,
        /// What it must be.
        expected: &'static str,
        /// What it is.
        found: String,
    },
    /// The file says it is of another type.
    #[error("`{role}` must be of type `{expected}`, not `{found}`")]
    WrongType {
        /// The role whose file it is.
        role: RoleName,
        /// The type that such a role has.
        expected: &'static str,
        /// The type that the file states.
        found: String,
    },
    /// A version is no integer of at least 1.
    #[error("the version of `{role}` must be an integer of at least 1, not {found}")]
    InvalidVersion {
        /// The role whose file it is.
        role: RoleName,
        /// What the file states.
        found: String,
    },
    /// A threshold is no integer of at least 1 (T13).
    #[error(
        "the threshold that `{role}` sets for `{delegate}` must be an integer of at least 1, \
         not {found}"
    )]
    InvalidThreshold {
        /// The role whose file it is.
        role: RoleName,
        /// The role it is set for.
        delegate: RoleName,
        /// What the file states.
        found: String,
    },
    /// A role is said to be signed with a key that the file does not hold.
    #[error("`{role}` lists key `{key_id}` for `{delegate}` without the key itself")]
    KeyMissing {
        /// The role whose file it is.
        role: RoleName,
        /// The role that lists the key.
        delegate: RoleName,
        /// The key.
        key_id: KeyId,
    },
    /// A key is filed under an ID that is not its own.
    #[error("`{role}` lists a key as `{listed}`, but its ID is `{computed}`")]
    KeyIdMismatch {
        /// The role whose file it is.
        role: RoleName,
        /// The ID in the file.
        listed: KeyId,
        /// The ID that the content has.
        computed: KeyId,
    },
    /// A key that signs cannot be read.
    #[error("key `{key_id}` of `{role}` cannot be used")]
    InvalidKey {
        /// The role that lists it.
        role: RoleName,
        /// The key.
        key_id: KeyId,
        /// What is wrong with it.
        #[source]
        cause: InvalidRoleKey,
    },
    /// The root file does not list one of the base roles.
    #[error("root does not list the role `{missing}`")]
    BaseRoleMissing {
        /// The role that is not there.
        missing: RoleName,
    },
    /// A role delegates to a role that is not its direct child.
    #[error("`{role}` may not delegate to `{delegate}`")]
    NotAChild {
        /// The role that delegates.
        role: RoleName,
        /// The role it names.
        delegate: String,
    },
    /// A role delegates to the same role twice.
    #[error("`{role}` delegates to `{delegate}` twice")]
    DelegatedTwice {
        /// The role that delegates.
        role: RoleName,
        /// The role it names twice.
        delegate: RoleName,
    },
    /// More delegations than are read.
    #[error("`{role}` leads to more than {limit} delegations")]
    TooManyDelegations {
        /// The role that lists them, or the one that would be visited next.
        role: RoleName,
        /// The limit.
        limit: usize,
    },
    /// A file has no signature at all.
    #[error("`{role}` has no signatures")]
    NoSignatures {
        /// The role whose file it is.
        role: RoleName,
    },
    /// Too few distinct keys of the role signed the file.
    #[error("`{role}` needs valid signatures by {required} of its keys and has {valid}")]
    BelowThreshold {
        /// The role whose file it is.
        role: RoleName,
        /// How many distinct keys must have signed.
        required: Threshold,
        /// How many did.
        valid: usize,
    },
    /// A file has expired.
    #[error("`{role}` expired at {expires}")]
    Expired {
        /// The role whose file it is.
        role: RoleName,
        /// Its last moment of validity.
        expires: Timestamp,
    },
    /// A hash that is required is not there.
    #[error("`{role}` does not give the SHA-256 of `{described}`")]
    HashMissing {
        /// The role whose file it is.
        role: RoleName,
        /// The file that it describes.
        described: String,
    },
    /// A file is not the one that was signed for.
    #[error("`{role}` has the hash `{found}`, but `{expected}` was signed")]
    HashMismatch {
        /// The role whose file it is.
        role: RoleName,
        /// The hash that was signed, in hex.
        expected: String,
        /// The hash that the bytes have, in hex.
        found: String,
    },
    /// A file is longer than was signed.
    #[error("`{role}` has {found} bytes, but at most {limit} were signed")]
    TooLong {
        /// The role whose file it is.
        role: RoleName,
        /// The length that was signed, or the most that is read.
        limit: u64,
        /// The length it has.
        found: u64,
    },
    /// A file that others refer to is not served.
    #[error("`{file}` is listed in the trust data, but the trust server does not have it")]
    NotServed {
        /// The name of the file.
        file: String,
    },
    /// A file was offered before the one that vouches for it.
    #[error("`{role}` cannot be verified before `{needs}` is loaded")]
    OutOfOrder {
        /// The role that was offered or asked for.
        role: RoleName,
        /// The role that must be loaded first.
        needs: RoleName,
    },
    /// A role was offered that nobody delegates to, or that the snapshot does not list.
    #[error("`{role}` is not part of the collection")]
    NotListed {
        /// The role.
        role: RoleName,
    },
    /// A file is older than one that was seen before.
    #[error("`{role}` is version {found}, but version {seen} was seen before")]
    Rollback {
        /// The role whose file it is.
        role: RoleName,
        /// The version that was seen.
        seen: Version,
        /// The version that is served now.
        found: Version,
    },
    /// A file has the version of one that was seen before, and other bytes.
    #[error("version {version} of `{role}` was seen before with other content")]
    SameVersionOtherContent {
        /// The role whose file it is.
        role: RoleName,
        /// The version.
        version: Version,
    },
    /// A delegation that was seen before is still delegated, and gone from the snapshot (T10).
    #[error("`{role}` was seen before and is no longer in the snapshot")]
    DroppedFromSnapshot {
        /// The role.
        role: RoleName,
    },
    /// A root file has another version than the one that was asked for (T08).
    #[error("root version {expected} was requested, but version {found} was served")]
    RootVersion {
        /// The version that was asked for.
        expected: Version,
        /// The version in the file.
        found: Version,
    },
    /// A root is not signed by the keys of the root before it.
    #[error(
        "root version {version} is signed by {valid} keys of the version before it, and needs \
         {required}"
    )]
    RootNotVouched {
        /// The version that is not vouched for.
        version: Version,
        /// How many distinct keys of the version before must have signed.
        required: Threshold,
        /// How many did.
        valid: usize,
    },
    /// No version of the root is signed by the pinned keys.
    #[error("{pin} {}", root_versions(*oldest, *newest, listed))]
    PinNotMet {
        /// Which pinned keys did not sign.
        pin: String,
        /// The oldest version that was checked.
        oldest: Version,
        /// The version that is served now.
        newest: Version,
        /// The root keys that the served version lists.
        listed: String,
    },
    /// The way from the served root back to the pin, or to what was seen, is longer than is walked
    /// (T31).
    #[error("root version {version} is more than {limit} versions from a trusted one")]
    RootWalkTooLong {
        /// The version that is served.
        version: Version,
        /// How many versions are walked.
        limit: u64,
    },
    /// A root key does not count because of its certificate.
    #[error("root key `{key_id}` cannot be used")]
    RootCertificate {
        /// The key.
        key_id: KeyId,
        /// Which rule its certificate breaks.
        #[source]
        fault: CertificateFault,
    },
    /// No role that counts holds the tag.
    #[error("`{tag}` is not signed")]
    Unsigned {
        /// The tag.
        tag: String,
    },
    /// A role is older than required.
    #[error("`{role}` has version {found}, but at least {minimum} is required")]
    BelowMinimum {
        /// The role.
        role: RoleName,
        /// The lowest version that is required.
        minimum: Version,
        /// The version that is served.
        found: Version,
    },
    /// No role that counts holds the digest.
    #[error("`{digest}` is not signed under any tag")]
    UnsignedDigest {
        /// The digest.
        digest: Digest,
    },
    /// The tag is found first in a role that a pull does not take it from.
    #[error("`{tag}` is signed only by `{role}`, and not released")]
    NotReleased {
        /// The tag.
        tag: String,
        /// The role that holds it.
        role: RoleName,
    },
    /// The role that a pull trusts is delegated, and not served in a valid form (T29, T30).
    #[error("`{role}` is delegated and {state}, so the entries of `targets` are not used")]
    RoleWithheld {
        /// The role.
        role: RoleName,
        /// In which way it is not valid.
        state: DelegationState,
    },
    /// The tag is signed with another digest.
    #[error("`{role}` signed `{expected}` for `{tag}`, not `{found}`")]
    DigestMismatch {
        /// The role that holds the tag.
        role: RoleName,
        /// The tag.
        tag: String,
        /// The digest that was signed.
        expected: Digest,
        /// The digest of the image.
        found: Digest,
    },
    /// The digest is signed with another length.
    #[error("`{role}` signed {expected} bytes for `{tag}`, not {found}")]
    LengthMismatch {
        /// The role that holds the tag.
        role: RoleName,
        /// The tag.
        tag: String,
        /// The length that was signed.
        expected: u64,
        /// The length of the manifest.
        found: u64,
    },
    /// An entry has no SHA-256, so it names no image.
    #[error("`{role}` gives no SHA-256 for `{tag}`")]
    EntryWithoutDigest {
        /// The role that holds the tag.
        role: RoleName,
        /// The tag.
        tag: String,
    },
    /// A required signer is no role of the collection.
    #[error("the collection has no role `{role}`")]
    SignerUnknown {
        /// The role.
        role: RoleName,
    },
    /// A required signer's role is not served in a valid form.
    #[error("the role `{role}` of a required signer is {state}")]
    SignerUnusable {
        /// The role.
        role: RoleName,
        /// In which way it is not valid.
        state: DelegationState,
    },
    /// A required signer did not sign the image.
    #[error("`{role}` did not sign `{subject}`")]
    NotSignedBy {
        /// The role.
        role: RoleName,
        /// The tag or digest.
        subject: String,
    },
    /// No role of the collection lists the required key.
    #[error("no role lists the key `{key_id}`")]
    KeyNotDelegated {
        /// The canonical ID of the key.
        key_id: KeyId,
    },
    /// No role in which the required key signed holds the image.
    #[error("`{subject}` is not signed with the key `{key_id}`")]
    NotSignedWith {
        /// The canonical ID of the key.
        key_id: KeyId,
        /// The tag or digest.
        subject: String,
    },
}

impl Rejection {
    /// That `role` was offered or asked for before `needs`.
    pub(super) fn out_of_order(role: &RoleName, needs: &RoleName) -> Self {
        Self::OutOfOrder {
            role: role.clone(),
            needs: needs.clone(),
        }
    }

    /// That nobody delegates to `role`, or that the snapshot does not list it.
    pub(super) fn not_listed(role: &RoleName) -> Self {
        Self::NotListed { role: role.clone() }
    }
}

impl Explain for Rejection {
    fn reason(&self) -> Reason {
        match self {
            Self::InvalidJson { .. }
            | Self::Malformed { .. }
            | Self::WrongType { .. }
            | Self::InvalidVersion { .. }
            | Self::InvalidThreshold { .. }
            | Self::KeyMissing { .. }
            | Self::KeyIdMismatch { .. }
            | Self::InvalidKey { .. }
            | Self::BaseRoleMissing { .. }
            | Self::NotAChild { .. }
            | Self::DelegatedTwice { .. }
            | Self::HashMissing { .. }
            | Self::EntryWithoutDigest { .. } => Reason::Malformed,
            Self::TooManyDelegations { .. } | Self::RootWalkTooLong { .. } => Reason::LimitReached,
            Self::NoSignatures { .. } | Self::BelowThreshold { .. } => Reason::ThresholdNotMet,
            Self::Expired { .. } => Reason::Expired,
            Self::HashMismatch { .. }
            | Self::TooLong { .. }
            | Self::DigestMismatch { .. }
            | Self::LengthMismatch { .. } => Reason::DigestMismatch,
            Self::NotServed { .. } | Self::OutOfOrder { .. } | Self::NotListed { .. } => {
                Reason::AnswerInvalid
            }
            Self::Rollback { .. }
            | Self::SameVersionOtherContent { .. }
            | Self::DroppedFromSnapshot { .. } => Reason::Rollback,
            Self::RootVersion { .. } | Self::RootNotVouched { .. } | Self::PinNotMet { .. } => {
                Reason::UntrustedRoot
            }
            Self::RootCertificate { fault, .. } => fault.reason(),
            Self::Unsigned { .. }
            | Self::UnsignedDigest { .. }
            | Self::NotReleased { .. }
            | Self::SignerUnknown { .. }
            | Self::NotSignedBy { .. } => Reason::Unsigned,
            Self::RoleWithheld { .. } => Reason::RoleWithheld,
            Self::BelowMinimum { .. } => Reason::Rollback,
            Self::SignerUnusable { state, .. } => state.reason(),
            Self::KeyNotDelegated { .. } => Reason::KeyNotDelegated,
            Self::NotSignedWith { .. } => Reason::UntrustedKey,
        }
    }

    fn hint(&self) -> Option<String> {
        let text = match self {
            Self::PinNotMet { .. } => {
                "compare the root keys that `acr-sign trust status` shows with the ones you were \
                 given, out of band"
            }
            Self::RoleWithheld { .. } => {
                "have `targets/releases` published again by one of its signers; to accept what the \
                 `targets` role itself signed, name it: `--signer targets`"
            }
            Self::Expired { role, .. } if *role == RoleName::TIMESTAMP => {
                "the trust server renews the timestamp when asked: an old one is a cache or a \
                 replay, or this machine's clock is ahead"
            }
            Self::Expired { role, .. }
                if *role == RoleName::ROOT || *role == RoleName::SNAPSHOT =>
            {
                "the role must be signed again by one of its keys"
            }
            Self::Expired { role, .. } => return Some(renew("REPOSITORY", role)),
            Self::NotReleased { .. } => {
                "also sign the tag in `targets/releases`, or name the signer with `--signer`"
            }
            Self::Rollback { .. }
            | Self::SameVersionOtherContent { .. }
            | Self::DroppedFromSnapshot { .. } => {
                "the trust server shows older trust data than it did before; find out why before \
                 removing the state"
            }
            Self::BelowMinimum { .. } => {
                "the trust server, or a cache in between, shows old trust data: ask the registry's \
                 owner"
            }
            Self::NotServed { .. } => {
                "the publication on the trust server is incomplete; publish again"
            }
            Self::KeyNotDelegated { .. } => "`acr-sign trust signer add` lets a key sign",
            Self::RootCertificate { .. } if self.reason() == Reason::NotYetValid => {
                "check the clock of this machine"
            }
            Self::InvalidJson { .. } | Self::HashMismatch { .. } => {
                "the trust server, or something in between, returns truncated or altered data: run \
                 again, and ask the registry's owner if it persists"
            }
            Self::Unsigned { .. } | Self::UnsignedDigest { .. } => {
                "sign it with `acr-sign sign`; `acr-sign trust status` lists what is signed"
            }
            Self::DigestMismatch { .. } => {
                "deploy the digest that was signed, or sign the new image; find out who moved the \
                 tag"
            }
            _ => return None,
        };
        Some(text.to_owned())
    }
}

/// The root versions that were checked, and the keys that are listed now.
fn root_versions(oldest: Version, newest: Version, listed: &str) -> String {
    if oldest == newest {
        format!("root version {newest}, which lists {listed}")
    } else {
        format!("any root version from {oldest} to {newest}, which lists {listed}")
    }
}
