//! Signs with a key that stays in its vault.

use azure_security_keyvault_keys::models::SignatureAlgorithm;

use super::{Vault, VaultError, VaultKey};
use crate::{
    crypto::{
        BoxFuture, Certificate, KeyKind, PublicKey, Scheme, SignError, Signature, Signer,
        verified_signature,
    },
    reason::Explain as _,
};

/// Signs with a key that stays in its vault.
#[derive(Debug)]
pub struct VaultSigner {
    /// As messages name the key.
    name: String,
    vault: Vault,
    key: VaultKey,
    certificates: Vec<Certificate>,
}

impl VaultSigner {
    /// Refuses a key that is disabled or outside its period, before anything is signed.
    pub fn new(
        vault: Vault,
        key: VaultKey,
        certificates: Vec<Certificate>,
    ) -> Result<Self, VaultError> {
        match key.unusable() {
            Some(error) => Err(error),
            None => Ok(Self {
                name: key.object.to_string(),
                vault,
                key,
                certificates,
            }),
        }
    }

    fn failed(&self, error: VaultError) -> SignError {
        SignError {
            key: self.name.clone(),
            reason: error.reason(),
            hint: error.hint(),
            cause: Box::new(error),
        }
    }

    fn algorithm(&self, scheme: Scheme) -> Result<SignatureAlgorithm, SignError> {
        let kind = self.key.key.kind();
        algorithm(kind, scheme).map_err(|why| {
            self.failed(VaultError::Unsuitable {
                object: self.key.object.clone(),
                kind: kind.to_string(),
                why,
            })
        })
    }

    async fn sign_message(&self, scheme: Scheme, message: &[u8]) -> Result<Signature, SignError> {
        let algorithm = self.algorithm(scheme)?;
        let digest = scheme.digest(message).unwrap_or_default();
        let signature = self
            .vault
            .sign(&self.key, algorithm, digest)
            .await
            .map_err(|error| self.failed(error))?;
        verified_signature(&self.name, &self.key.key, scheme, message, signature)
    }
}

impl Signer for VaultSigner {
    fn public_key(&self) -> &PublicKey {
        &self.key.key
    }

    fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn check(&self, scheme: Scheme) -> Result<(), SignError> {
        self.algorithm(scheme).map(drop)
    }

    fn sign<'a>(
        &'a self,
        scheme: Scheme,
        message: &'a [u8],
    ) -> BoxFuture<'a, Result<Signature, SignError>> {
        Box::pin(self.sign_message(scheme, message))
    }
}

/// The vault's name of a scheme, where its keys can do it.
fn algorithm(kind: KeyKind, scheme: Scheme) -> Result<SignatureAlgorithm, &'static str> {
    match (kind, scheme) {
        (KeyKind::EcP256, Scheme::EcdsaSha256) => Ok(SignatureAlgorithm::Es256),
        (KeyKind::EcP384, Scheme::EcdsaSha384) => Ok(SignatureAlgorithm::Es384),
        (KeyKind::EcP521, Scheme::EcdsaSha512) => Ok(SignatureAlgorithm::Es512),
        (KeyKind::EcP384 | KeyKind::EcP521, Scheme::EcdsaSha256) => Err(
            "a vault signs with SHA-384 or SHA-512 only, and content trust hashes with SHA-256 on every curve",
        ),
        (KeyKind::Rsa { .. }, Scheme::RsaPssSha256) => Ok(SignatureAlgorithm::Ps256),
        (KeyKind::Rsa { .. }, Scheme::RsaPssSha384) => Ok(SignatureAlgorithm::Ps384),
        (KeyKind::Rsa { .. }, Scheme::RsaPssSha512) => Ok(SignatureAlgorithm::Ps512),
        (KeyKind::Rsa { .. }, Scheme::RsaPkcs1Sha256) => Ok(SignatureAlgorithm::Rs256),
        (KeyKind::Rsa { .. }, Scheme::RsaPkcs1Sha384) => Ok(SignatureAlgorithm::Rs384),
        (KeyKind::Rsa { .. }, Scheme::RsaPkcs1Sha512) => Ok(SignatureAlgorithm::Rs512),
        _ => Err("does not sign under this scheme"),
    }
}
