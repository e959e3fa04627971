//! PKCS #12 (RFC 7292) in the forms that Azure and OpenSSL write: PBES2, SHA-1 with 3DES or RC2-40, and
//! unencrypted bags; with an empty, null or given password. DER only.

use cbc::{
    Decryptor,
    cipher::{BlockModeDecrypt as _, KeyIvInit as _, block_padding::Pkcs7},
};
use der::{
    Decode as _, Sequence,
    asn1::{AnyRef, OctetStringRef},
};
use des::TdesEde3;
use hmac::{Hmac, KeyInit as _, Mac as _};
use rc2::Rc2;
use sha1::Sha1;
use sha2::{Sha256, Sha384, Sha512};
use spki::{AlgorithmIdentifierRef, ObjectIdentifier};
use zeroize::Zeroizing;

use super::{
    KeyFile, KeyFileError, PrivateKey,
    key_file::finish,
    pbes2::{self, ROUNDS},
};
use crate::crypto::{Certificate, Secret};

const DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1");
const ENCRYPTED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.6");
const KEY_BAG: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.10.1.1");
const SHROUDED_KEY_BAG: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.10.1.2");
const CERTIFICATE_BAG: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.10.1.3");
const SHA1_3DES: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.1.3");
const SHA1_RC2_40: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.1.6");
const PBES2: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.5.13");
const SHA1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.14.3.2.26");
const SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
const SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.2");
const SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.3");

#[derive(Sequence)]
struct Pfx<'a> {
    version: u8,
    auth_safe: ContentInfo<'a>,
    #[asn1(optional = "true")]
    mac: Option<MacData<'a>>,
}

#[derive(Sequence)]
struct ContentInfo<'a> {
    kind: ObjectIdentifier,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    content: AnyRef<'a>,
}

#[derive(Sequence)]
struct MacData<'a> {
    mac: DigestInfo<'a>,
    salt: &'a OctetStringRef,
    #[asn1(default = "one")]
    iterations: u32,
}

fn one() -> u32 {
    1
}

#[derive(Sequence)]
struct DigestInfo<'a> {
    algorithm: AlgorithmIdentifierRef<'a>,
    digest: &'a OctetStringRef,
}

#[derive(Sequence)]
struct EncryptedData<'a> {
    version: u8,
    info: EncryptedContentInfo<'a>,
}

#[derive(Sequence)]
struct EncryptedContentInfo<'a> {
    kind: ObjectIdentifier,
    algorithm: AlgorithmIdentifierRef<'a>,
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT", optional = "true")]
    content: Option<&'a OctetStringRef>,
}

#[derive(Sequence)]
struct SafeBag<'a> {
    kind: ObjectIdentifier,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    value: AnyRef<'a>,
    #[asn1(optional = "true")]
    attributes: Option<AnyRef<'a>>,
}

#[derive(Sequence)]
struct EncryptedKey<'a> {
    algorithm: AlgorithmIdentifierRef<'a>,
    data: &'a OctetStringRef,
}

#[derive(Sequence)]
struct Pbe<'a> {
    salt: &'a OctetStringRef,
    iterations: u32,
}

/// A password as PKCS #12's own derivation takes it, and as PBES2 does.
struct Password {
    /// UTF-16BE with a final zero; of no bytes at all for the null password.
    wide: Zeroizing<Vec<u8>>,
    plain: Zeroizing<Vec<u8>>,
}

impl Password {
    fn given(text: &str) -> Self {
        let units = text.encode_utf16().chain([0]);
        Self {
            wide: Zeroizing::new(units.flat_map(u16::to_be_bytes).collect()),
            plain: Zeroizing::new(text.as_bytes().to_vec()),
        }
    }

    fn null() -> Self {
        Self {
            wide: Zeroizing::default(),
            plain: Zeroizing::default(),
        }
    }
}

/// Reads the one private key and the certificates.
pub(super) fn read(der: &[u8], passphrase: Option<&Secret>) -> Result<KeyFile, KeyFileError> {
    let pfx = Pfx::from_der(der).map_err(|_| KeyFileError::NoKey)?;
    // With nothing given both the empty and the null password are in use.
    let candidates = match passphrase {
        Some(passphrase) => vec![Password::given(passphrase.expose())],
        None => vec![Password::given(""), Password::null()],
    };
    let mut last = KeyFileError::NoKey;
    for password in &candidates {
        match read_with(&pfx, password) {
            Ok(file) => return Ok(file),
            Err(error) => last = error,
        }
    }
    Err(
        if passphrase.is_none() && last == KeyFileError::PassphraseWrong {
            KeyFileError::PassphraseMissing
        } else {
            last
        },
    )
}

fn read_with(pfx: &Pfx<'_>, password: &Password) -> Result<KeyFile, KeyFileError> {
    if pfx.auth_safe.kind != DATA {
        return Err(KeyFileError::Unsupported);
    }
    let safe = pfx
        .auth_safe
        .content
        .decode_as::<&OctetStringRef>()
        .map_err(|_| KeyFileError::NoKey)?
        .as_bytes();
    if let Some(mac) = &pfx.mac
        && !mac_is_good(mac, safe, password)?
    {
        return Err(KeyFileError::PassphraseWrong);
    }
    let contents = Vec::<ContentInfo<'_>>::from_der(safe).map_err(|_| KeyFileError::NoKey)?;
    let (mut key, mut certificates) = (None, Vec::new());
    for content in contents {
        let plain = open(&content, password)?;
        for bag in
            Vec::<SafeBag<'_>>::from_der(&plain).map_err(|_| KeyFileError::PassphraseWrong)?
        {
            match bag.kind {
                CERTIFICATE_BAG => certificates.push(certificate(&bag)?),
                KEY_BAG | SHROUDED_KEY_BAG if key.is_some() => {
                    return Err(KeyFileError::SeveralKeys);
                }
                KEY_BAG => {
                    key = Some(
                        PrivateKey::from_pkcs8(&encoded(&bag.value))
                            .ok_or(KeyFileError::Unsupported)?,
                    );
                }
                SHROUDED_KEY_BAG => key = Some(shrouded(&bag, password)?),
                _ => {}
            }
        }
    }
    finish(key.ok_or(KeyFileError::NoKey)?, certificates, None, None)
}

fn open(
    content: &ContentInfo<'_>,
    password: &Password,
) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
    match content.kind {
        DATA => {
            let data = content
                .content
                .decode_as::<&OctetStringRef>()
                .map_err(|_| KeyFileError::NoKey)?;
            Ok(Zeroizing::new(data.as_bytes().to_vec()))
        }
        ENCRYPTED_DATA => {
            let data = content
                .content
                .decode_as::<EncryptedData<'_>>()
                .map_err(|_| KeyFileError::NoKey)?;
            let encrypted = data.info.content.ok_or(KeyFileError::NoKey)?;
            decrypt(&data.info.algorithm, password, encrypted.as_bytes())
        }
        _ => Err(KeyFileError::Unsupported),
    }
}

fn shrouded(bag: &SafeBag<'_>, password: &Password) -> Result<PrivateKey, KeyFileError> {
    let key = bag
        .value
        .decode_as::<EncryptedKey<'_>>()
        .map_err(|_| KeyFileError::NoKey)?;
    let plain = decrypt(&key.algorithm, password, key.data.as_bytes())?;
    PrivateKey::from_pkcs8(&plain).ok_or(KeyFileError::Unsupported)
}

fn certificate(bag: &SafeBag<'_>) -> Result<Certificate, KeyFileError> {
    #[derive(Sequence)]
    struct CertificateBag<'a> {
        kind: ObjectIdentifier,
        #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
        value: &'a OctetStringRef,
    }
    let bag = bag
        .value
        .decode_as::<CertificateBag<'_>>()
        .map_err(|_| KeyFileError::Certificate)?;
    Certificate::from_der(bag.value.as_bytes()).map_err(|_| KeyFileError::Certificate)
}

fn encoded(value: &AnyRef<'_>) -> Zeroizing<Vec<u8>> {
    use der::Encode as _;
    Zeroizing::new(value.to_der().unwrap_or_default())
}

fn decrypt(
    algorithm: &AlgorithmIdentifierRef<'_>,
    password: &Password,
    data: &[u8],
) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
    let parameters = algorithm.parameters.ok_or(KeyFileError::Encryption)?;
    if algorithm.oid == PBES2 {
        let parameters = parameters
            .decode_as::<pkcs5::pbes2::Parameters>()
            .map_err(|_| KeyFileError::Encryption)?;
        return pbes2::decrypt(&parameters, &password.plain, data);
    }
    let pbe = parameters
        .decode_as::<Pbe<'_>>()
        .map_err(|_| KeyFileError::Encryption)?;
    if pbe.iterations == 0 || pbe.iterations > ROUNDS {
        return Err(KeyFileError::Costs);
    }
    let derived = |purpose, length| {
        derive::<Sha1>(
            64,
            purpose,
            &password.wide,
            pbe.salt.as_bytes(),
            pbe.iterations,
            length,
        )
    };
    let (iv, wrong) = (derived(2, 8), |_| KeyFileError::PassphraseWrong);
    let plain = match algorithm.oid {
        SHA1_3DES => {
            let cipher = Decryptor::<TdesEde3>::new_from_slices(&derived(1, 24), &iv)
                .map_err(|_| KeyFileError::Unsupported)?;
            cipher.decrypt_padded_vec::<Pkcs7>(data).map_err(wrong)?
        }
        SHA1_RC2_40 => {
            let rc2 = Rc2::new_with_eff_key_len(&derived(1, 5), 40);
            let iv = iv
                .as_slice()
                .try_into()
                .map_err(|_| KeyFileError::Unsupported)?;
            let cipher = <Decryptor<Rc2> as cbc::cipher::InnerIvInit>::inner_iv_init(rc2, iv);
            cipher.decrypt_padded_vec::<Pkcs7>(data).map_err(wrong)?
        }
        _ => return Err(KeyFileError::Encryption),
    };
    Ok(Zeroizing::new(plain))
}

fn mac_is_good(mac: &MacData<'_>, data: &[u8], password: &Password) -> Result<bool, KeyFileError> {
    if mac.iterations == 0 || mac.iterations > ROUNDS {
        return Err(KeyFileError::Costs);
    }
    let (salt, wide, rounds) = (mac.salt.as_bytes(), &password.wide, mac.iterations);
    let wanted = mac.mac.digest.as_bytes();
    macro_rules! check {
        ($hash:ty, $block:expr, $length:expr) => {{
            let key = derive::<$hash>($block, 3, wide, salt, rounds, $length);
            let mac = <Hmac<$hash>>::new_from_slice(&key).map_err(|_| KeyFileError::Encryption)?;
            Ok(mac.chain_update(data).verify_slice(wanted).is_ok())
        }};
    }
    match mac.mac.algorithm.oid {
        SHA1 => check!(Sha1, 64, 20),
        SHA256 => check!(Sha256, 64, 32),
        SHA384 => check!(Sha384, 128, 48),
        SHA512 => check!(Sha512, 128, 64),
        _ => Err(KeyFileError::Encryption),
    }
}

/// The derivation of RFC 7292 B.2: `block` is the hash's block size, `purpose` 1 key, 2 IV, 3 MAC.
fn derive<H: sha2::Digest>(
    block: usize,
    purpose: u8,
    password: &[u8],
    salt: &[u8],
    rounds: u32,
    length: usize,
) -> Zeroizing<Vec<u8>> {
    let whole = |bytes: &[u8]| bytes.len().div_ceil(block) * block;
    let mut input = Zeroizing::new(Vec::with_capacity(whole(salt) + whole(password)));
    for bytes in [salt, password] {
        input.extend(bytes.iter().copied().cycle().take(whole(bytes)));
    }
    let mut output = Zeroizing::new(Vec::with_capacity(length + block));
    loop {
        let mut hash = H::new()
            .chain_update(vec![purpose; block])
            .chain_update(&*input)
            .finalize();
        for _ in 1..rounds {
            hash = H::digest(&hash);
        }
        output.extend_from_slice(&hash);
        if output.len() >= length {
            output.truncate(length);
            return output;
        }
        let addend: Vec<u8> = hash.iter().copied().cycle().take(block).collect();
        for chunk in input.chunks_mut(block) {
            let mut carry = 1_u16;
            for (byte, add) in chunk.iter_mut().rev().zip(addend.iter().rev()) {
                carry += u16::from(*byte) + u16::from(*add);
                let [high, low] = carry.to_be_bytes();
                *byte = low;
                carry = u16::from(high);
            }
        }
    }
}
