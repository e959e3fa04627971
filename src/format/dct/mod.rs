//! Docker Content Trust: Notary v1, TUF metadata on a trust server.
//!
//! A collection is verified in one order: [`RootWalk`] leads from the served root to the pin, its
//! [`TrustedSet`] takes timestamp, snapshot, targets and delegations, and [`verify`] judges an image under it.
//! Strict where notary silently skips: a listed file that does not verify rejects everything, except a
//! delegation that is expired or below its threshold, which does not count. Not supported: roots without a
//! certificate, and keys of other kinds than the five of the format.

pub mod admin;
mod authority;
pub mod canonical;
mod certificate_rules;
mod delegation_state;
mod document;
mod draft;
mod draft_error;
mod file_meta;
pub mod hint;
pub mod init;
pub mod json;
pub mod json_reader;
mod key;
pub mod lookup;
mod memory;
mod name;
mod pin;
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
mod trusted_set;
mod verify;
mod wanted;
mod warning;

pub use authority::SignedBy;
pub use certificate_rules::CertificateFault;
pub use delegation_state::{DelegationState, Withheld};
pub use draft::{Draft, Publication, SigningRequest, Step};
pub use draft_error::DraftError;
pub use file_meta::{FileMeta, Hashes};
pub use key::{InvalidRoleKey, Key};
pub use lookup::{Entry, Found};
pub use memory::{Contradiction, InvalidMemory, MEMORY_LIMIT, Memory};
pub use name::{Gun, InvalidKeyId, InvalidRoleName, KeyId, RoleName, Threshold, Version};
pub use pin::RootTrust;
pub use rejection::Rejection;
pub use root::{RoleKeys, Root};
pub use root_walk::{RootStep, RootWalk, WALK_LIMIT};
pub use seen::{Seen, SeenFile};
pub use signed::RoleSignature;
pub use signer_name::{InvalidSignerName, SignerName};
pub use snapshot::{Snapshot, TimestampFile};
pub use targets::{DELEGATION_LIMIT, Delegation, Targets};
pub use trusted_set::TrustedSet;
pub use verify::{Requirement, SignerWanted, needed_roles, verify};
pub use wanted::Wanted;
pub use warning::Warning;
