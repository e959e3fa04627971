//! Keys, signatures, certificates and the one trait of ours: [`Signer`].
//!
//! Pure: the trait names a future, but nothing here runs, reads or sends. The trusted key decides
//! the algorithm; a message's own claim must equal it.

mod ber;
mod crl;
mod der_reader;
mod distribution_point;
mod ecdsa_der;
mod extensions;
mod hash;
mod key;
mod key_pem;
mod mask;
pub mod ocsp;
mod secret;
mod signature_algorithm;
mod signer;
mod spelling;
mod timestamp_request;
mod timestamp_token;
mod x509;

pub use crl::{CRL_LIMIT, Crl, CrlScope, InvalidCrl, RevokedEntry};
pub use distribution_point::{InvalidPoint, ListAddress};
pub use ecdsa_der::{ecdsa_from_der, ecdsa_to_der};
pub use extensions::{Extension, InvalidExtension, ListFault, NameAttribute};
pub use hash::HashFunction;
pub use key::{InvalidKey, KeyKind, PublicKey, Scheme, SignatureInvalid};
pub use mask::Mask;
pub use secret::{Secret, SecretBytes};
pub use signer::{BoxFuture, SignError, Signature, Signer, verified_signature};
pub use timestamp_request::TimestampRequest;
pub use timestamp_token::{InvalidToken, TIMESTAMP_LIMIT, TimestampToken, TokenSigner};
pub use x509::{Certificate, InvalidCertificate};
