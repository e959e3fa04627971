//! Docker Content Trust: a repository's trust data is loaded, judged, shown, signed and published here.

mod init;
mod judge;
mod load;
mod publish;
mod revise;
mod revoke;
mod show;
mod sign;
mod signer;
mod status;

pub use init::{InitOptions, Initialised, trust_init};
pub(super) use judge::{Collections, weakened};
pub use load::{Collection, LoadScope};
pub use publish::{Published, sign_draft};
pub use revoke::{RevokeOptions, trust_revoke};
pub(super) use show::{chain, problem, signatures, whole_repository};
pub(super) use sign::DctJob;
pub use sign::SignDct;
pub use signer::{SignerAddOptions, trust_signer_add};
pub use status::trust_status;
