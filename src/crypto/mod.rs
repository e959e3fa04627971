//! Keys, signatures, certificates and the one trait of ours: [`Signer`].
//!
//! Pure: the trait names a future, but nothing here runs, reads or sends. The trusted key decides the
//! algorithm; a message's own claim must equal it (attacks §0, property 5).

mod ecdsa_der;
mod key;
mod secret;
mod signer;
mod x509;

pub use ecdsa_der::{ecdsa_from_der, ecdsa_to_der};
pub use key::{InvalidKey, KeyKind, PublicKey, Scheme, SignatureInvalid};
pub use secret::{Mask, Secret, SecretBytes};
pub use signer::{BoxFuture, SignError, Signature, Signer, verified_signature};
pub use x509::{Certificate, InvalidCertificate};
