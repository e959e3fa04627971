//! Nouns of the OCI image and distribution specifications: digest, reference, descriptor, manifest,
//! referrers.
//!
//! Pure. Each is parsed once, strictly, and cannot hold a value that breaks its grammar.

mod descriptor;
mod digest;
pub mod manifest;
mod reference;
pub mod referrers;

pub use descriptor::{Descriptor, MediaType, Subject};
pub use digest::{Digest, DigestAlgorithm, InvalidDigest};
pub use reference::{InvalidReference, Reference, RegistryHost, Repository, Tag};
pub use referrers::Referrer;
