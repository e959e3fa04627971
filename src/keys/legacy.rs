//! The passphrase encryption of old PEM files: `Proc-Type: 4,ENCRYPTED` and `DEK-Info`.

use aes::{Aes128, Aes192, Aes256};
use cbc::{
    Decryptor,
    cipher::{BlockModeDecrypt as _, KeyIvInit as _, block_padding::Pkcs7},
};
use des::TdesEde3;
use md5::{Digest as _, Md5};
use zeroize::Zeroizing;

/// Decrypts a body under what `DEK-Info` says; `None` if the cipher is unknown or the passphrase is wrong.
pub(super) fn decrypt(dek_info: &str, passphrase: &[u8], body: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (cipher, iv) = dek_info.split_once(',')?;
    let iv = from_hex(iv.trim())?;
    let salt = iv.get(..8)?;
    let key = |length| derive(passphrase, salt, length);
    let plain = match cipher.trim() {
        "AES-128-CBC" => Decryptor::<Aes128>::new_from_slices(&key(16), &iv).ok()?.decrypt_padded_vec::<Pkcs7>(body),
        "AES-192-CBC" => Decryptor::<Aes192>::new_from_slices(&key(24), &iv).ok()?.decrypt_padded_vec::<Pkcs7>(body),
        "AES-256-CBC" => Decryptor::<Aes256>::new_from_slices(&key(32), &iv).ok()?.decrypt_padded_vec::<Pkcs7>(body),
        "DES-EDE3-CBC" => Decryptor::<TdesEde3>::new_from_slices(&key(24), &iv).ok()?.decrypt_padded_vec::<Pkcs7>(body),
        _ => return None,
    };
    plain.ok().map(Zeroizing::new)
}

/// `EVP_BytesToKey` with MD5 and one round.
fn derive(passphrase: &[u8], salt: &[u8], length: usize) -> Zeroizing<Vec<u8>> {
    let mut key = Zeroizing::new(Vec::with_capacity(length + 16));
    let mut last: Vec<u8> = Vec::new();
    while key.len() < length {
        last = Md5::new().chain_update(&last).chain_update(passphrase).chain_update(salt).finalize().to_vec();
        key.extend_from_slice(&last);
    }
    key.truncate(length);
    key
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u32> = text.chars().map(|c| c.to_digit(16)).collect::<Option<_>>()?;
    digits.chunks(2).map(|pair| u8::try_from(pair.iter().fold(0, |value, digit| value * 16 + digit)).ok()).collect()
}
