//! Real keys of a vault: generated or imported, signing digests as the service does.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use p256::ecdsa::signature::hazmat::PrehashSigner as _;
use p256::elliptic_curve::{Generate as _, sec1::ToSec1Point as _};
use p256::pkcs8::{DecodePrivateKey as _, EncodePublicKey as _};
use rsa::{PrivateKey as RsaPrivateKey, traits::PublicKeyParts as _};
use serde_json::{Value, json};
use sha2::{Sha256, Sha384, Sha512};

/// The kinds of key that a vault holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum KeyKind {
    /// EC on P-256.
    P256,
    /// EC on P-384.
    P384,
    /// EC on P-521.
    P521,
    /// RSA with this many bits.
    Rsa(usize),
}

/// A private key.
#[derive(Clone)]
pub(crate) enum PrivateKey {
    P256(p256::SecretKey),
    P384(p384::SecretKey),
    P521(p521::SecretKey),
    Rsa(Box<RsaPrivateKey>),
}

impl PrivateKey {
    pub(crate) fn generate(kind: KeyKind) -> Self {
        match kind {
            KeyKind::P256 => Self::P256(p256::SecretKey::generate()),
            KeyKind::P384 => Self::P384(p384::SecretKey::generate()),
            KeyKind::P521 => Self::P521(p521::SecretKey::generate()),
            KeyKind::Rsa(bits) => Self::Rsa(Box::new(generate_rsa(bits))),
        }
    }

    /// From an unencrypted PKCS #8 PEM.
    pub(crate) fn from_pem(pem: &str) -> Option<Self> {
        let p256 = p256::SecretKey::from_pkcs8_pem(pem).map(Self::P256).ok();
        let p384 = || p384::SecretKey::from_pkcs8_pem(pem).map(Self::P384).ok();
        let p521 = || p521::SecretKey::from_pkcs8_pem(pem).map(Self::P521).ok();
        let rsa = || {
            RsaPrivateKey::from_pkcs8_pem(pem)
                .map(|key| Self::Rsa(Box::new(key)))
                .ok()
        };
        p256.or_else(p384).or_else(p521).or_else(rsa)
    }

    /// A new P-256 key as unencrypted PKCS #8 PEM.
    pub(crate) fn new_pem() -> String {
        use p256::pkcs8::EncodePrivateKey as _;
        let pem = p256::SecretKey::generate().to_pkcs8_pem(p256::pkcs8::LineEnding::LF);
        pem.map(|pem| pem.to_string()).unwrap_or_default()
    }

    /// From a JSON Web Key as `PUT /keys/NAME` imports it.
    pub(crate) fn from_jwk(jwk: &Value) -> Option<Self> {
        if jwk["kty"].as_str()?.starts_with("RSA") {
            let number = |name: &str| {
                let bytes = BASE64_URL_SAFE_NO_PAD.decode(jwk[name].as_str()?).ok()?;
                Some(rsa::BoxedUint::from_be_slice_vartime(&bytes))
            };
            let primes = vec![number("p")?, number("q")?];
            let key =
                RsaPrivateKey::from_components(number("n")?, number("e")?, number("d")?, primes)
                    .ok()?;
            return Some(Self::Rsa(Box::new(key)));
        }
        let d = BASE64_URL_SAFE_NO_PAD.decode(jwk["d"].as_str()?).ok()?;
        match jwk["crv"].as_str()? {
            "P-256" => p256::SecretKey::from_slice(&d).ok().map(Self::P256),
            "P-384" => p384::SecretKey::from_slice(&d).ok().map(Self::P384),
            "P-521" => p521::SecretKey::from_slice(&d).ok().map(Self::P521),
            _ => None,
        }
    }

    /// The public key as a JSON Web Key, without `kid`.
    pub(crate) fn jwk(&self) -> Value {
        let b64 = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
        let ec = |crv: &str, point: &[u8]| {
            let (x, y) = point.get(1..).unwrap_or_default().split_at(point.len() / 2);
            json!({"kty": "EC", "crv": crv, "key_ops": ["sign", "verify"], "x": b64(x), "y": b64(y)})
        };
        match self {
            Self::P256(key) => ec("P-256", key.public_key().to_sec1_point(false).as_bytes()),
            Self::P384(key) => ec("P-384", key.public_key().to_sec1_point(false).as_bytes()),
            Self::P521(key) => ec("P-521", key.public_key().to_sec1_point(false).as_bytes()),
            Self::Rsa(key) => json!({
                "kty": "RSA", "key_ops": ["sign", "verify"],
                "n": b64(&key.n().to_be_bytes_trimmed_vartime()), "e": b64(&key.e().to_be_bytes_trimmed_vartime()),
            }),
        }
    }

    /// The public key as DER `SubjectPublicKeyInfo`.
    pub(crate) fn spki(&self) -> Vec<u8> {
        let document = match self {
            Self::P256(key) => key.public_key().to_public_key_der(),
            Self::P384(key) => key.public_key().to_public_key_der(),
            Self::P521(key) => key.public_key().to_public_key_der(),
            Self::Rsa(key) => key.to_public_key().to_public_key_der(),
        };
        document
            .map(|document| document.as_bytes().to_vec())
            .unwrap_or_default()
    }

    /// Signs a digest under an algorithm name of the vault; the error is the service's text.
    pub(crate) fn sign(&self, algorithm: &str, digest: &[u8]) -> Result<Vec<u8>, String> {
        let length = match algorithm {
            "ES256" | "RS256" | "PS256" => 32,
            "ES384" | "RS384" | "PS384" => 48,
            "ES512" | "RS512" | "PS512" => 64,
            _ => {
                return Err(format!(
                    "Property  has invalid value: algorithm {algorithm}"
                ));
            }
        };
        if digest.len() != length {
            return Err(format!(
                "Invalid length of 'value': {} bytes. Required length for {algorithm}: {length} bytes.",
                digest.len()
            ));
        }
        let mismatch =
            || format!("Key and signing algorithm are incompatible. Algorithm: {algorithm}");
        let signed = match (self, algorithm) {
            (Self::P256(key), "ES256") => p256_sign(key, digest),
            (Self::P384(key), "ES384") => p384_sign(key, digest),
            (Self::P521(key), "ES512") => p521_sign(key, digest),
            (Self::Rsa(key), "RS256") => key.pkcs1v15_sign_prehash::<Sha256>(digest).ok(),
            (Self::Rsa(key), "RS384") => key.pkcs1v15_sign_prehash::<Sha384>(digest).ok(),
            (Self::Rsa(key), "RS512") => key.pkcs1v15_sign_prehash::<Sha512>(digest).ok(),
            (Self::Rsa(key), "PS256") => key.pss_sign_prehash::<Sha256>(digest).ok(),
            (Self::Rsa(key), "PS384") => key.pss_sign_prehash::<Sha384>(digest).ok(),
            (Self::Rsa(key), "PS512") => key.pss_sign_prehash::<Sha512>(digest).ok(),
            _ => None,
        };
        signed.ok_or_else(mismatch)
    }

    /// Signs a message for an X.509 certificate: algorithm identifier and signature, both DER parts.
    pub(crate) fn sign_certificate(
        &self,
        message: &[u8],
    ) -> (spki::AlgorithmIdentifierOwned, Vec<u8>) {
        use sha2::Digest as _;
        let ec = |oid: &str| spki::AlgorithmIdentifierOwned {
            oid: oid
                .parse()
                .unwrap_or(spki::ObjectIdentifier::new_unwrap("1.2.3")),
            parameters: None,
        };
        match self {
            Self::P256(_) => (
                ec("1.2.840.10045.4.3.2"),
                der_signature(&self.sign("ES256", &Sha256::digest(message))),
            ),
            Self::P384(_) => (
                ec("1.2.840.10045.4.3.3"),
                der_signature(&self.sign("ES384", &Sha384::digest(message))),
            ),
            Self::P521(_) => (
                ec("1.2.840.10045.4.3.4"),
                der_signature(&self.sign("ES512", &Sha512::digest(message))),
            ),
            Self::Rsa(_) => {
                let mut identifier = ec("1.2.840.113549.1.1.11");
                identifier.parameters = Some(der::Any::null());
                (
                    identifier,
                    self.sign("RS256", &Sha256::digest(message))
                        .unwrap_or_default(),
                )
            }
        }
    }
}

fn p256_sign(key: &p256::SecretKey, digest: &[u8]) -> Option<Vec<u8>> {
    let signature: p256::ecdsa::Signature = p256::ecdsa::SigningKey::from(key)
        .sign_prehash(digest)
        .ok()?;
    Some(signature.to_bytes().to_vec())
}

fn p384_sign(key: &p384::SecretKey, digest: &[u8]) -> Option<Vec<u8>> {
    let signature: p384::ecdsa::Signature = p384::ecdsa::SigningKey::from(key)
        .sign_prehash(digest)
        .ok()?;
    Some(signature.to_bytes().to_vec())
}

fn p521_sign(key: &p521::SecretKey, digest: &[u8]) -> Option<Vec<u8>> {
    let signature: p521::ecdsa::Signature = p521::ecdsa::SigningKey::from(key)
        .sign_prehash(digest)
        .ok()?;
    Some(signature.to_bytes().to_vec())
}

/// r‖s as DER.
fn der_signature(raw: &Result<Vec<u8>, String>) -> Vec<u8> {
    use der::{Encode as _, Sequence, asn1::UintRef};
    #[derive(Sequence)]
    struct Pair<'a> {
        r: UintRef<'a>,
        s: UintRef<'a>,
    }
    let raw = raw.as_deref().unwrap_or_default();
    let (r, s) = raw.split_at(raw.len() / 2);
    let encode = || {
        Pair {
            r: UintRef::new(r)?,
            s: UintRef::new(s)?,
        }
        .to_der()
    };
    encode().unwrap_or_default()
}

/// RSA keys take long to find, so each size is found once per process and shared.
fn generate_rsa(bits: usize) -> RsaPrivateKey {
    static FOUND: Mutex<BTreeMap<usize, Vec<RsaPrivateKey>>> = Mutex::new(BTreeMap::new());
    static USED: AtomicUsize = AtomicUsize::new(0);
    const PER_SIZE: usize = 3;
    let mut found = FOUND.lock().unwrap_or_else(PoisonError::into_inner);
    let keys = found.entry(bits).or_default();
    if keys.len() < PER_SIZE {
        let key = RsaPrivateKey::new(&mut getrandom::SysRng, bits);
        keys.push(key.expect(
            "the system's random numbers do not fail, and vaults have keys of sizes that exist",
        ));
        return keys.last().cloned().expect("just pushed");
    }
    let next = USED.fetch_add(1, Ordering::Relaxed) % keys.len();
    keys.get(next).cloned().expect("the remainder is in range")
}

impl std::fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PrivateKey")
    }
}
