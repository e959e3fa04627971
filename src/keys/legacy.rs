//! The passphrase encryption of old PEM files: `Proc-Type: 4,ENCRYPTED` and `DEK-Info`.

use aes::{Aes128, Aes192, Aes256};
use cbc::{
    Decryptor,
    cipher::{BlockModeDecrypt as _, KeyIvInit as _, block_padding::Pkcs7},
};
use des::TdesEde3;
use md5::{Digest as _, Md5};
use zeroize::Zeroizing;

use super::KeyFileError;

/// Decrypts a body under what `DEK-Info` says.
pub(super) fn decrypt(
    dek_info: &str,
    passphrase: &[u8],
    body: &[u8],
) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
    let unread = KeyFileError::Encryption;
    let (cipher, iv) = dek_info.split_once(',').ok_or(unread)?;
    let iv = from_hex(iv.trim()).ok_or(unread)?;
    let salt = iv.get(..8).ok_or(unread)?;
    let key = |length| derive(passphrase, salt, length);
    macro_rules! cbc {
        ($cipher:ty, $length:expr) => {{
            let cipher =
                Decryptor::<$cipher>::new_from_slices(&key($length), &iv).map_err(|_| unread)?;
            cipher.decrypt_padded_vec::<Pkcs7>(body)
        }};
    }
    let plain = match cipher.trim() {
        "AES-128-CBC" => cbc!(Aes128, 16),
        "AES-192-CBC" => cbc!(Aes192, 24),
        "AES-256-CBC" => cbc!(Aes256, 32),
        "DES-EDE3-CBC" => cbc!(TdesEde3, 24),
        _ => return Err(unread),
    };
    plain
        .map(Zeroizing::new)
        .map_err(|_| KeyFileError::PassphraseWrong)
}

/// `EVP_BytesToKey` with MD5 and one round.
fn derive(passphrase: &[u8], salt: &[u8], length: usize) -> Zeroizing<Vec<u8>> {
    let mut key = Zeroizing::new(Vec::with_capacity(length + 16));
    let mut last: Zeroizing<Vec<u8>> = Zeroizing::default();
    while key.len() < length {
        let hash = Md5::new()
            .chain_update(&*last)
            .chain_update(passphrase)
            .chain_update(salt)
            .finalize();
        last = Zeroizing::new(hash.to_vec());
        key.extend_from_slice(&last);
    }
    key.truncate(length);
    key
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u32> = text
        .chars()
        .map(|c| c.to_digit(16))
        .collect::<Option<_>>()?;
    digits
        .chunks(2)
        .map(|pair| u8::try_from(pair.iter().fold(0, |value, digit| value * 16 + digit)).ok())
        .collect()
}
