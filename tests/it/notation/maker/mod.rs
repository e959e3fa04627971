//! Keys, certificates, envelopes, tokens, lists and answers with any fault that a test wants:
//! written byte by byte, sharing no code with the program.

pub mod cbor;
mod certificate;
mod der;
mod envelope;
mod key;
mod revocation;
mod token;

pub use self::{certificate::*, der::*, envelope::*, key::*, revocation::*, token::*};
