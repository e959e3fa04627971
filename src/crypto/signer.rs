//! Something that can sign and prove which key it is. Two implementations: a vault key and a local
//! key.

use std::{fmt, future::Future, pin::Pin};

use super::{Certificate, PublicKey, Scheme};
use crate::reason::{Explain, Reason};

/// A future that a trait object can return.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Signature bytes: r‖s for ECDSA (each padded to the curve's size), else as the scheme defines.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Signature(pub Vec<u8>);

/// Signs a message under the scheme it is told. Takes the message, not its digest: a vault wants a
/// digest, Ed25519 wants the message, and only the signer knows.
pub trait Signer: Send + Sync + fmt::Debug {
    /// The public key that its signatures verify with.
    fn public_key(&self) -> &PublicKey;

    /// Its certificate chain, leaf first; empty when it has none.
    fn certificates(&self) -> &[Certificate];

    /// How a person names the key, without secrets.
    fn name(&self) -> &str;

    /// Whether it can sign under a scheme at all, found out before anything is asked of anyone.
    fn check(&self, scheme: Scheme) -> Result<(), SignError>;

    /// Signs `message`. The answer has been checked with [`verified_signature`].
    fn sign<'a>(
        &'a self,
        scheme: Scheme,
        message: &'a [u8],
    ) -> BoxFuture<'a, Result<Signature, SignError>>;
}

/// A signer could not sign.
#[derive(Debug, thiserror::Error)]
#[error("`{key}` did not sign")]
pub struct SignError {
    /// The key as a person names it.
    pub key: String,
    /// The stable reason.
    pub reason: Reason,
    /// What to do, when there is something to say.
    pub hint: Option<String>,
    /// What went wrong.
    #[source]
    pub cause: Box<dyn std::error::Error + Send + Sync>,
}

impl Explain for SignError {
    fn reason(&self) -> Reason {
        self.reason
    }

    fn hint(&self) -> Option<String> {
        self.hint.clone()
    }
}

/// Checks an answer of a key service against the public key before anyone uses it (K02).
pub fn verified_signature(
    name: &str,
    key: &PublicKey,
    scheme: Scheme,
    message: &[u8],
    signature: Vec<u8>,
) -> Result<Signature, SignError> {
    match key.verify(scheme, message, &signature) {
        Ok(()) => Ok(Signature(signature)),
        Err(invalid) => Err(SignError {
            key: name.to_owned(),
            reason: Reason::VaultAnswerInvalid,
            hint: Some(
                "the signature was not made by the key that was asked; nothing was published"
                    .into(),
            ),
            cause: Box::new(invalid),
        }),
    }
}
