//! Notary Project: the signatures of an image are listed, judged, shown and made here.

mod judge;
mod revocations;
mod show;
mod sign;

pub(super) use judge::judge;
pub use judge::{Decided, Judged, NotationFinding, NotationFindings, NotationSignatures};
pub use revocations::{Asked, Revocations};
pub(super) use show::by_certificate;
pub(super) use sign::NotationJob;
pub use sign::SignNotation;
