//! A signer whose private key is in this process's memory.

use crate::{
    crypto::{
        BoxFuture, Certificate, KeyKind, PublicKey, Scheme, SignError, Signature, Signer,
        verified_signature,
    },
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
        Self {
            name,
            key,
            certificates,
        }
    }

    fn sign_now(&self, scheme: Scheme, message: &[u8]) -> Result<Signature, SignError> {
        let signature = self
            .key
            .sign(scheme, message)
            .ok_or_else(|| self.unsuitable(scheme))?;
        verified_signature(
            &self.name,
            self.key.public_key(),
            scheme,
            message,
            signature,
        )
    }
}

impl LocalSigner {
    fn unsuitable(&self, scheme: Scheme) -> SignError {
        SignError {
            key: self.name.clone(),
            reason: Reason::KeyUnsuitable,
            hint: Some("`acr-sign key show KEY` says what would fit".into()),
            cause: format!(
                "a {} key does not sign under {scheme:?}",
                self.key.public_key().kind()
            )
            .into(),
        }
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

    fn check(&self, scheme: Scheme) -> Result<(), SignError> {
        let rsa = matches!(self.key.public_key().kind(), KeyKind::Rsa { .. });
        let fits = match scheme {
            Scheme::EcdsaSha256 | Scheme::EcdsaSha384 | Scheme::EcdsaSha512 => {
                self.key.public_key().kind().coordinate_length().is_some()
            }
            Scheme::Ed25519 => self.key.public_key().kind() == KeyKind::Ed25519,
            Scheme::RsaPssSha256 | Scheme::RsaPssSha384 | Scheme::RsaPssSha512 => rsa,
            Scheme::RsaPkcs1Sha256 | Scheme::RsaPkcs1Sha384 | Scheme::RsaPkcs1Sha512 => rsa,
        };
        if fits {
            Ok(())
        } else {
            Err(self.unsuitable(scheme))
        }
    }

    fn sign<'a>(
        &'a self,
        scheme: Scheme,
        message: &'a [u8],
    ) -> BoxFuture<'a, Result<Signature, SignError>> {
        Box::pin(std::future::ready(self.sign_now(scheme, message)))
    }
}
