//! Notary Project signatures: what notation made, what our own generator made, and what an attacker would.

mod certificates;
mod fixtures;
mod headers;
mod maker;
mod policies;
mod revocation;
mod scene;
mod signing;
mod timestamps;
mod trust;
