//! Notary Project signatures: what notation made, what our own generator made, and what an attacker would.

mod certificates;
pub mod fixtures;
mod headers;
pub mod maker;
mod policies;
mod revocation;
pub mod scene;
mod signing;
mod timestamps;
mod trust;
