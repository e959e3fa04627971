//! The verbs: the only place where the pure formats meet IO. What belongs to one format is in a wing of its own, with
//! the same file names in each.

mod candidates;
mod dct;
mod error;
mod findings;
mod fresh;
mod image_result;
mod inspect;
mod notation;
mod policy_init;
mod services;
mod sign;
mod signing;
mod verify;

pub use dct::{
    Collection, InitOptions, Initialised, LoadScope, Published, RevokeOptions, SignDct,
    SignerAddOptions, sign_draft, trust_init, trust_revoke, trust_signer_add, trust_status,
};
pub use error::FlowError;
pub use fresh::{FreshTag, fresh_tags};
pub use inspect::{InspectOptions, inspect};
pub use notation::{
    Asked, Decided, Judged, NotationFinding, NotationFindings, NotationSignatures, Revocations,
    SignNotation,
};
pub use policy_init::{Proposal, policy_init};
pub use services::Services;
pub use sign::{SignFormat, SignOptions, sign};
pub use signing::SigningOptions;
pub use verify::{VerifyOptions, verify};
