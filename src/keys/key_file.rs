//! What a key file or secret holds, and why one cannot be read.

use super::PrivateKey;
use crate::{
    crypto::Certificate,
    reason::{Explain, Reason},
};

/// Certificates that one file may hold: as many as a signature may carry.
const CHAIN_LIMIT: usize = 10;

/// A private key and what stood beside it.
#[derive(Debug)]
pub struct KeyFile {
    /// The key.
    pub key: PrivateKey,
    /// Certificates, leaf first where one belongs to the key.
    pub certificates: Vec<Certificate>,
    /// The `role:` header of docker's key files.
    pub role: Option<String>,
    /// The `gun:` header of docker's key files.
    pub gun: Option<String>,
}

/// The content is not a private key that can be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum KeyFileError {
    /// Neither PEM nor PKCS #12.
    #[error("it holds no private key in PEM or PKCS #12")]
    NoKey,
    /// Encrypted, and no passphrase was given.
    #[error("it is encrypted, and no passphrase was given")]
    PassphraseMissing,
    /// The passphrase does not open it.
    #[error("the passphrase does not open it")]
    PassphraseWrong,
    /// Under a cipher that is not read.
    #[error(
        "its encryption is not supported: AES and 3DES are, by PBES2 or as old PEM files have them"
    )]
    Encryption,
    /// To open it costs too much.
    #[error(
        "opening it takes more work than is allowed: 10,000,000 rounds, or 256 MiB of scrypt 16 times"
    )]
    Costs,
    /// Several private keys.
    #[error("it holds more than one private key")]
    SeveralKeys,
    /// A kind or size of key that this program does not use.
    #[error("its key is not on P-256, P-384 or P-521, RSA of 2048 to 4096 bits, or Ed25519")]
    Unsupported,
    /// A certificate in it cannot be read.
    #[error("a certificate in it cannot be read, or there are more than 10")]
    Certificate,
}

impl Explain for KeyFileError {
    fn reason(&self) -> Reason {
        Reason::KeyUnsuitable
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::PassphraseMissing | Self::PassphraseWrong => Some(
                "name its variable: `file:PATH?passphrase-env=NAME`; for a secret `?passphrase=akv:VAULT/secrets/NAME`"
                    .into(),
            ),
            Self::Encryption | Self::Costs => {
                Some("write it anew: `openssl pkcs8 -topk8 -in OLD -out NEW -v2 aes-256-cbc -iter 600000`".into())
            }
            Self::NoKey | Self::SeveralKeys | Self::Unsupported | Self::Certificate => None,
        }
    }
}

/// Puts the key's own certificate first.
pub(super) fn finish(
    key: PrivateKey,
    mut certificates: Vec<Certificate>,
    role: Option<String>,
    gun: Option<String>,
) -> Result<KeyFile, KeyFileError> {
    if certificates.len() > CHAIN_LIMIT {
        return Err(KeyFileError::Certificate);
    }
    if let Some(own) = certificates
        .iter()
        .position(|certificate| certificate.public_key() == key.public_key())
    {
        let leaf = certificates.remove(own);
        certificates.insert(0, leaf);
    }
    Ok(KeyFile {
        key,
        certificates,
        role,
        gun,
    })
}
