//! Docker Content Trust: verification against what notary made and said, and against attacks.

mod attacks;
mod fixtures;
mod founding;
mod hostile;
mod mutation;
mod publisher;
mod repository;
mod root_attacks;
mod root_ca;
mod server;
mod signers;
mod signing;

pub use server::fixture;
