//! Key files and secrets: PEM in all forms of docker's trust store and OpenSSL (reference §15), and PKCS #12.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use der::Decode as _;
use pkcs8::{EncryptedPrivateKeyInfoRef, pkcs5::EncryptionScheme};
use zeroize::Zeroizing;

use super::{PrivateKey, legacy, pbes2, pkcs12};
use crate::{
    crypto::{Certificate, Secret},
    reason::{Explain, Reason},
};

/// Certificates that one file may hold (design §8).
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

/// The content is no private key that can be read.
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
        "its encryption is none that is read: AES and 3DES, by PBES2 or as old PEM files have them"
    )]
    Encryption,
    /// To open it costs too much.
    #[error(
        "it asks for more work to open it than is done: 10,000,000 rounds, or 256 MiB of scrypt 16 times"
    )]
    Costs,
    /// Several private keys.
    #[error("it holds more than one private key")]
    SeveralKeys,
    /// A kind or size of key that this program does not use.
    #[error("its key is none of P-256, P-384, P-521, RSA of 2048 to 4096 bits and Ed25519")]
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

/// Reads a private key from PEM text, PKCS #12 bytes, or PKCS #12 in base64 as a vault's secrets have it.
pub fn read(bytes: &[u8], passphrase: Option<&Secret>) -> Result<KeyFile, KeyFileError> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        if text.contains("-----BEGIN ") {
            return read_pem(text, passphrase);
        }
        let compact: Zeroizing<String> = Zeroizing::new(text.split_whitespace().collect());
        if let Ok(der) = BASE64_STANDARD
            .decode(compact.as_bytes())
            .map(Zeroizing::new)
        {
            return pkcs12::read(&der, passphrase);
        }
    }
    pkcs12::read(bytes, passphrase)
}

fn read_pem(text: &str, passphrase: Option<&Secret>) -> Result<KeyFile, KeyFileError> {
    let blocks = pem::parse_many(text).map_err(|_| KeyFileError::NoKey)?;
    let (mut key, mut certificates, mut role, mut gun) = (None, Vec::new(), None, None);
    for block in blocks {
        match block.tag() {
            "CERTIFICATE" => {
                certificates.push(
                    Certificate::from_der(block.contents())
                        .map_err(|_| KeyFileError::Certificate)?,
                );
            }
            "EC PARAMETERS" | "PUBLIC KEY" => {}
            _ if key.is_some() => return Err(KeyFileError::SeveralKeys),
            _ => {
                role = block.headers().get("role").map(ToOwned::to_owned);
                gun = block.headers().get("gun").map(ToOwned::to_owned);
                key = Some(private_key(block, passphrase)?);
            }
        }
    }
    finish(key.ok_or(KeyFileError::NoKey)?, certificates, role, gun)
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

fn private_key(block: pem::Pem, passphrase: Option<&Secret>) -> Result<PrivateKey, KeyFileError> {
    let (tag, headers) = (block.tag().to_owned(), block.headers().clone());
    // Taken out of the block, which would not wipe it.
    let contents = Zeroizing::new(block.into_contents());
    if tag == "ENCRYPTED PRIVATE KEY" {
        let passphrase = passphrase.ok_or(KeyFileError::PassphraseMissing)?;
        let info = EncryptedPrivateKeyInfoRef::from_der(&contents)
            .map_err(|_| KeyFileError::Encryption)?;
        let EncryptionScheme::Pbes2(parameters) = &info.encryption_algorithm else {
            return Err(KeyFileError::Encryption);
        };
        let plain = pbes2::decrypt(
            parameters,
            passphrase.expose().as_bytes(),
            info.encrypted_data.as_bytes(),
        )?;
        return PrivateKey::from_pkcs8(&plain).ok_or(KeyFileError::Unsupported);
    }
    let encrypted = headers
        .get("Proc-Type")
        .is_some_and(|value| value.contains("ENCRYPTED"));
    let body = if encrypted {
        let passphrase = passphrase.ok_or(KeyFileError::PassphraseMissing)?;
        let dek_info = headers.get("DEK-Info").unwrap_or_default();
        legacy::decrypt(dek_info, passphrase.expose().as_bytes(), &contents)?
    } else {
        contents
    };
    let key = match tag.as_str() {
        "PRIVATE KEY" => PrivateKey::from_pkcs8(&body),
        "EC PRIVATE KEY" => PrivateKey::from_sec1(&body, None),
        "RSA PRIVATE KEY" => PrivateKey::from_pkcs1(&body),
        "ED25519 PRIVATE KEY" => PrivateKey::from_notary_ed25519(&body),
        _ => return Err(KeyFileError::NoKey),
    };
    // A wrong passphrase can leave good padding by chance; then what comes out is no key.
    key.ok_or(if encrypted {
        KeyFileError::PassphraseWrong
    } else {
        KeyFileError::Unsupported
    })
}
