//! Notary Project signatures: a JWS or COSE envelope in an OCI image manifest whose subject is the
//! image.
//!
//! A signature is verified by [`SignatureManifest::read`] (is the manifest one, and about the
//! image) and [`verify`] (everything else), which asks for revocation last and only where the
//! signer is trusted. It is made by [`sign::prepare`] and a [`Draft`]. Trust comes from pins or
//! from notation's own trust policy and stores. Plug-ins are not run: a signature that requires one
//! is refused. Signatures of blobs are not supported.

mod algorithm;
mod attributes;
mod authentic_time;
mod bundle;
mod certificate_revocation;
mod chain;
mod cose;
mod draft;
mod draft_error;
mod encoding;
mod envelope;
mod identity;
mod jws;
mod level;
mod manifest;
mod payload;
mod rejection;
mod revocation;
mod revocation_request;
pub mod sign;
mod trust;
mod trust_policy;
mod trust_store;
mod verify;

pub use algorithm::Algorithm;
pub use attributes::{HeaderFault, SignedAttributes, SigningScheme};
pub use bundle::{BUNDLE_LIMIT, BundleFault, chain_of};
pub use chain::{CertificateFault, ChainFault, ChainPurpose, check_signing_leaf};
pub use draft::{Answer, Draft, Publication, SigningRequest, Step};
pub use draft_error::DraftError;
pub use encoding::{
    CHAIN_LIMIT, ENVELOPE_LIMIT, EnvelopeFault, EnvelopeKind, InvalidEnvelopeKind, ManifestFault,
};
pub use envelope::Envelope;
pub use identity::{
    DistinguishedName, IdentityFault, InvalidIdentity, TrustedIdentities, TrustedIdentity,
};
pub use level::{Action, Check, Level};
pub use manifest::{ARTIFACT_TYPE, EMPTY, EMPTY_TYPE, SignatureManifest, THUMBPRINTS};
pub use payload::{Metadata, Payload, PayloadFault};
pub use rejection::Rejection;
pub use revocation_request::{Query, RevocationAnswer, RevocationRequest};
pub use trust::{InvalidTrust, Pins, Trust, VerifyTimestamp};
pub use trust_policy::{
    InvalidTrustPolicy, Statement, StatementFault, TRUST_POLICY_LIMIT, TrustPolicy,
};
pub use trust_store::{
    InvalidStoreName, STORE_FILE_LIMIT, STORE_FILES, StoreFault, StoreKind, StoreName, trust_store,
};
pub use verify::{Accepted, Exempted, Verdict, Verification, VerificationStep, verify};
