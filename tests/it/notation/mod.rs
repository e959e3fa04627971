//! Notary Project signatures: what notation made, what our own generator made, and what an attacker would.

mod fixtures;
mod policies;
