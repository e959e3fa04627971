//! The verbs: the only place where the pure formats meet IO.

mod collection;
mod failure;
mod fresh;
mod inspect;
mod key_show;
mod notation;
mod policy_init;
mod policy_view;
mod publish;
mod revocations;
mod roles;
mod services;
mod sign;
mod trust_init;
mod trust_revoke;
mod trust_signer;
mod trust_status;
mod verify;

pub use collection::{Collection, Needed};
pub use failure::{Failure, FlowError};
pub use fresh::{FreshTag, fresh_tags};
pub use inspect::{InspectOptions, inspect};
pub use key_show::KeyView;
pub use notation::{Decided, Judged, NotationFinding, NotationFindings, NotationSignatures};
pub use policy_init::{Proposal, policy_init};
pub use policy_view::PolicyView;
pub use publish::{Published, sign_draft};
pub use revocations::{Asked, Revocations};
pub use services::Services;
pub use sign::{SignDct, SignFormat, SignNotation, SignOptions, sign};
pub use trust_init::{InitOptions, Initialised, trust_init};
pub use trust_revoke::{RevokeOptions, trust_revoke};
pub use trust_signer::{SignerAddOptions, trust_signer_add};
pub use trust_status::{TrustStatus, trust_status};
pub use verify::{Demanded, NotationTrust, Trust, VerifyOptions, verify};
