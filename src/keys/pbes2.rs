//! PBES2 (RFC 8018) as key files and PKCS #12 carry it. The file says what it costs to open, so it is
//! bounded before anything is derived.

use pkcs5::pbes2::{Kdf, Parameters};
use zeroize::Zeroizing;

use super::KeyFileError;

/// Rounds of key derivation that a file may ask for: some seconds.
pub(super) const ROUNDS: u32 = 10_000_000;
/// Memory that scrypt may ask for: `128 · N · r` bytes.
const SCRYPT_BYTES: u64 = 256 << 20;
/// How often scrypt may go through it.
const SCRYPT_TIMES: u16 = 16;

/// Decrypts, unless that asks for more work than is done.
pub(super) fn decrypt(
    parameters: &Parameters,
    passphrase: &[u8],
    data: &[u8],
) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
    check_costs(&parameters.kdf)?;
    let plain = parameters
        .decrypt(passphrase, data)
        .map_err(|error| match error {
            pkcs5::Error::DecryptFailed => KeyFileError::PassphraseWrong,
            _ => KeyFileError::Encryption,
        })?;
    Ok(Zeroizing::new(plain))
}

fn check_costs(kdf: &Kdf) -> Result<(), KeyFileError> {
    let affordable = match kdf {
        Kdf::Pbkdf2(costs) => costs.iteration_count <= ROUNDS,
        Kdf::Scrypt(costs) => {
            let bytes = costs
                .cost_parameter
                .saturating_mul(128)
                .saturating_mul(costs.block_size.into());
            bytes <= SCRYPT_BYTES && costs.parallelization <= SCRYPT_TIMES
        }
        _ => return Err(KeyFileError::Encryption),
    };
    if affordable {
        Ok(())
    } else {
        Err(KeyFileError::Costs)
    }
}
