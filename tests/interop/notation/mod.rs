//! Notary Project against the real `notation` 1.3.2, on a registry without Referrers API (docker's 2.8) and one
//! with it (olareg): we sign and they verify, they sign and we verify.

mod matrix;
mod negatives;
mod peer;
mod pki;
mod policy;
mod race;
mod registry;
mod responder;
