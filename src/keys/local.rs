//! A signer whose private key is in this process's memory.

use crate::{
    crypto::{BoxFuture, Certificate, PublicKey, Scheme, SignError, Signature, Signer, verified_signature},
    keys::PrivateKey,
    reason::Reason,
};

/// Signs with a private key in memory.
#[derive(Debug)]
pub struct LocalSigner {
    name: String,
    key: PrivateKey,
    certificates: Vec<Certificate>,
}

impl LocalSigner {
    /// A signer under the name that messages use.
    pub fn new(name: String, key: PrivateKey, certificates: Vec<Certificate>) -> Self {
        Self { name, key, certificates }
    }

    fn sign_now(&self, scheme: Scheme, message: &[u8]) -> Result<Signature, SignError> {
        let signature = self.key.sign(scheme, message).ok_or_else(|| SignError {
            key: self.name.clone(),
            reason: Reason::KeyUnsuitable,
            hint: Some("`acr-sign key show KEY` says what would fit".into()),
            cause: format!("a {} key does not sign under {scheme:?}", self.key.public_key().kind()).into(),
        })?;
        verified_signature(&self.name, self.key.public_key(), scheme, message, signature)
    }
}

impl Signer for LocalSigner {
    fn public_key(&self) -> &PublicKey {
        self.key.public_key()
    }

    fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn sign<'a>(&'a self, scheme: Scheme, message: &'a [u8]) -> BoxFuture<'a, Result<Signature, SignError>> {
        Box::pin(std::future::ready(self.sign_now(scheme, message)))
    }
}
