//! Docker Content Trust: Notary v1, TUF metadata on a trust server.
//!
//! A collection is verified in one order: [`RootWalk`] leads from the served root to the pin, its
//! [`TrustedSet`] takes timestamp, snapshot, targets and delegations, and [`verify`] judges an
//! image under it. Strict where notary silently skips: a listed file that does not verify rejects
//! everything, except a delegation that is expired or below its threshold, which does not count.
//! Not supported: roots without a certificate, and keys of other kinds than the five of the format.

pub mod admin;
mod authority;
pub mod canonical;
mod certificate_rules;
mod delegation_state;
mod document;
mod draft;
mod draft_error;
mod fault;
mod file_meta;
mod file_request;
mod founding;
pub mod hint;
pub mod init;
mod key;
pub mod lookup;
mod memory;
mod name;
mod publication;
mod rejection;
mod root;
mod root_certificate;
mod root_walk;
mod seen;
pub mod sign;
mod signed;
mod signer_name;
mod snapshot;
mod targets;
mod trust;
mod trusted_set;
mod unsigned;
mod verify;
mod warning;

pub use authority::SignedBy;
pub use delegation_state::{DelegationState, Withheld};
pub use draft::{Draft, Publication, Step};
pub use draft_error::DraftError;
pub use fault::{CertificateFault, InvalidRoleKey};
pub use file_meta::{FileMeta, Hashes};
pub use file_request::FileRequest;
pub use key::Key;
pub use lookup::{ImageHashes, PulledTag};
pub use memory::{Contradiction, InvalidMemory, MEMORY_LIMIT, Memory};
pub use name::{Gun, InvalidKeyId, InvalidRoleName, KeyId, RoleName, Threshold, Version};
pub use rejection::Rejection;
pub use root::{RoleKeys, Root};
pub use root_walk::{RootStep, RootWalk, WALK_LIMIT};
pub use seen::{Seen, SeenFile};
pub use signed::RoleSignature;
pub use signer_name::{InvalidSignerName, SignerName};
pub use snapshot::{Snapshot, TimestampFile};
pub use targets::{DELEGATION_LIMIT, Delegation, Targets};
pub use trust::RootTrust;
pub use trusted_set::TrustedSet;
pub use unsigned::SigningRequest;
pub use verify::{RequiredSigner, Requirement, needed_roles, verify};
pub use warning::Warning;
