//! Docker Content Trust: verification against what notary made and said, and against attacks.

mod attacks;
mod fixtures;
mod hostile;
mod mutation;
mod repository;
mod root_attacks;
mod server;
mod signers;
