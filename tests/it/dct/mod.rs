//! Docker Content Trust: verification against what notary made and said, and against attacks.

mod delegation_attacks;
mod file_attacks;
mod fixtures;
mod founding;
mod hostile;
mod key_attacks;
mod memory;
mod mutation;
mod publisher;
mod repository;
mod resigning;
mod root_attacks;
mod root_ca;
mod server;
mod signers;
mod signing;
mod signing_turns;

pub use delegation_attacks::crowd;
pub use publisher::{NOW, TestKey, TrustServer, owner, signed_by, signed_under};
pub use repository::{delegated, listed, targets};
pub use root_ca::certified;
pub use server::fixture;
pub use signers::proofs;
