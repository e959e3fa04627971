//! Notary Project signatures: what notation made, what our own generator made, and what an attacker
//! would.

mod certificates;
pub mod fixtures;
mod headers;
mod identities;
mod list_scope;
pub mod maker;
mod payloads;
mod policies;
mod responders;
mod revocation;
mod revocation_lists;
pub mod scene;
mod signing;
mod timestamps;
mod trust;
