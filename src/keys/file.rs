//! Key files and secrets: PEM in all forms of docker's trust store and OpenSSL as well as PKCS #12.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use der::Decode as _;
use pkcs8::{EncryptedPrivateKeyInfoRef, pkcs5::EncryptionScheme};
use zeroize::Zeroizing;

use super::{KeyFile, KeyFileError, PrivateKey, key_file::finish, legacy, pbes2, pkcs12};
use crate::crypto::{Certificate, Secret};

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
    // A wrong passphrase can leave good padding by chance; then what comes out is not a key.
    key.ok_or(if encrypted {
        KeyFileError::PassphraseWrong
    } else {
        KeyFileError::Unsupported
    })
}
