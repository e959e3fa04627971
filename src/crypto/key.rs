//! Public keys and the checking of signatures. The key's kind decides which schemes may be used
//! with it; nothing a message says about itself does.

use std::fmt;

use der::{Decode as _, Encode as _};
use ring::signature::{self as schemes, UnparsedPublicKey, VerificationAlgorithm};
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use signature::hazmat::PrehashVerifier;
use spki::{ObjectIdentifier, SubjectPublicKeyInfoOwned};

const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const P521: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.35");

macro_rules! check {
    ($curve:ident, $point:expr, $digest:expr, $signature:expr) => {{
        let key = $curve::ecdsa::VerifyingKey::from_sec1_bytes($point).ok();
        let signature = $curve::ecdsa::Signature::from_slice($signature).ok();
        key.zip(signature)
            .and_then(|(key, signature)| key.verify_prehash($digest, &signature).ok())
    }};
}

/// The kinds of key that this program checks signatures of.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum KeyKind {
    /// ECDSA on P-256.
    EcP256,
    /// ECDSA on P-384.
    EcP384,
    /// ECDSA on P-521.
    EcP521,
    /// RSA with a modulus of this many bits.
    Rsa {
        /// Bits of the modulus.
        bits: u32,
    },
    /// Ed25519.
    Ed25519,
}

/// How a message is hashed and signed.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(missing_docs, reason = "the names are the standard's")]
pub enum Scheme {
    EcdsaSha256,
    EcdsaSha384,
    EcdsaSha512,
    RsaPssSha256,
    RsaPssSha384,
    RsaPssSha512,
    RsaPkcs1Sha256,
    RsaPkcs1Sha384,
    RsaPkcs1Sha512,
    Ed25519,
}

/// A public key, equal to another when it is the same key, however it was spelt (T05).
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct PublicKey {
    kind: KeyKind,
    spki: Box<[u8]>,
}

/// The bytes are not a key that this program accepts.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not a usable public key: {why}")]
pub struct InvalidKey {
    why: &'static str,
}

/// The signature does not verify.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SignatureInvalid {
    /// The scheme is not one of this kind of key.
    #[error("the scheme does not fit a {0} key")]
    Scheme(KeyKind),
    /// The signature has the wrong length or form.
    #[error("the signature has {0} bytes, which is not the length of a {1} signature")]
    Form(usize, KeyKind),
    /// The signature was not made by this key over this message.
    #[error("the signature was not made by this key over this message")]
    Mismatch,
}

impl InvalidKey {
    pub(super) fn because(why: &'static str) -> Self {
        Self { why }
    }
}

impl Scheme {
    /// The hash of the message that is signed; `None` for Ed25519, which signs the message.
    pub fn digest(self, message: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::EcdsaSha256 | Self::RsaPssSha256 | Self::RsaPkcs1Sha256 => {
                Some(Sha256::digest(message).to_vec())
            }
            Self::EcdsaSha384 | Self::RsaPssSha384 | Self::RsaPkcs1Sha384 => {
                Some(Sha384::digest(message).to_vec())
            }
            Self::EcdsaSha512 | Self::RsaPssSha512 | Self::RsaPkcs1Sha512 => {
                Some(Sha512::digest(message).to_vec())
            }
            Self::Ed25519 => None,
        }
    }
}

impl KeyKind {
    /// Bytes of each of r and s; `None` for keys that are not ECDSA.
    pub fn coordinate_length(self) -> Option<usize> {
        match self {
            Self::EcP256 => Some(32),
            Self::EcP384 => Some(48),
            Self::EcP521 => Some(66),
            Self::Rsa { .. } | Self::Ed25519 => None,
        }
    }
}

impl PublicKey {
    /// From a DER `SubjectPublicKeyInfo`: EC on a NIST curve, RSA of 2048 to 8192 bits, or Ed25519.
    pub fn from_spki_der(der: &[u8]) -> Result<Self, InvalidKey> {
        let spki = SubjectPublicKeyInfoOwned::from_der(der)
            .map_err(|_| InvalidKey::because("not a SubjectPublicKeyInfo"))?;
        let bits = spki
            .subject_public_key
            .as_bytes()
            .ok_or_else(|| InvalidKey::because("unused bits"))?;
        match spki.algorithm.oid {
            EC => {
                let curve = spki
                    .algorithm
                    .parameters
                    .as_ref()
                    .and_then(|any| any.decode_as::<ObjectIdentifier>().ok());
                Self::from_ec_point(
                    curve.ok_or_else(|| InvalidKey::because("no named curve"))?,
                    bits,
                )
            }
            RSA => Self::from_pkcs1_der(bits),
            ED25519 => Self::from_ed25519(bits),
            _ => Err(InvalidKey::because("neither EC, RSA nor Ed25519")),
        }
    }

    /// From an uncompressed or compressed point.
    fn from_ec_point(curve: ObjectIdentifier, point: &[u8]) -> Result<Self, InvalidKey> {
        let off = |_| InvalidKey::because("the point is not on the curve");
        let (kind, point) = match curve {
            P256 => (
                KeyKind::EcP256,
                p256::ecdsa::VerifyingKey::from_sec1_bytes(point)
                    .map_err(off)?
                    .to_sec1_point(false)
                    .as_bytes()
                    .to_vec(),
            ),
            P384 => (
                KeyKind::EcP384,
                p384::ecdsa::VerifyingKey::from_sec1_bytes(point)
                    .map_err(off)?
                    .to_sec1_point(false)
                    .as_bytes()
                    .to_vec(),
            ),
            P521 => (
                KeyKind::EcP521,
                p521::ecdsa::VerifyingKey::from_sec1_bytes(point)
                    .map_err(off)?
                    .to_sec1_point(false)
                    .as_bytes()
                    .to_vec(),
            ),
            _ => {
                return Err(InvalidKey::because(
                    "a curve other than P-256, P-384 and P-521",
                ));
            }
        };
        Self::encode(
            kind,
            EC,
            Some(der::Any::encode_from(&curve).map_err(|_| InvalidKey::because("curve"))?),
            &point,
        )
    }

    /// From the affine coordinates that a vault gives, big-endian.
    pub fn from_ec_coordinates(kind: KeyKind, x: &[u8], y: &[u8]) -> Result<Self, InvalidKey> {
        let curve = match kind {
            KeyKind::EcP256 => P256,
            KeyKind::EcP384 => P384,
            KeyKind::EcP521 => P521,
            KeyKind::Rsa { .. } | KeyKind::Ed25519 => {
                return Err(InvalidKey::because("coordinates of a key that has none"));
            }
        };
        let length = kind
            .coordinate_length()
            .ok_or_else(|| InvalidKey::because("no curve"))?;
        let mut point = vec![4];
        for coordinate in [x, y] {
            let trimmed = trim(coordinate);
            let missing = length
                .checked_sub(trimmed.len())
                .ok_or_else(|| InvalidKey::because("a coordinate is too long"))?;
            point.resize(point.len() + missing, 0);
            point.extend_from_slice(trimmed);
        }
        Self::from_ec_point(curve, &point)
    }

    /// From an RSA key as PKCS #1 writes it.
    pub(super) fn from_pkcs1_der(der: &[u8]) -> Result<Self, InvalidKey> {
        let key =
            RsaPublicKey::from_der(der).map_err(|_| InvalidKey::because("not a PKCS #1 key"))?;
        Self::from_rsa_components(key.modulus.as_bytes(), key.exponent.as_bytes())
    }

    /// From modulus and exponent, big-endian.
    pub fn from_rsa_components(n: &[u8], e: &[u8]) -> Result<Self, InvalidKey> {
        let (n, e) = (trim(n), trim(e));
        let leading = n.first().map_or(0, |byte| byte.leading_zeros());
        let bits = u32::try_from(n.len())
            .ok()
            .and_then(|bytes| bytes.checked_mul(8))
            .map(|bits| bits - leading);
        let bits = bits
            .filter(|bits| (2048..=8192).contains(bits))
            .ok_or_else(|| InvalidKey::because("RSA of other than 2048 to 8192 bits"))?;
        // ring takes exponents up to 33 bits; every key in use has 65537.
        if !is_odd(n) || !is_odd(e) || e == [1] || e.len() > 4 {
            return Err(InvalidKey::because(
                "an RSA modulus or exponent that no key has",
            ));
        }
        let key = RsaPublicKey {
            modulus: der::asn1::Uint::new(n).map_err(|_| InvalidKey::because("RSA modulus"))?,
            exponent: der::asn1::Uint::new(e).map_err(|_| InvalidKey::because("RSA exponent"))?,
        };
        let key = key.to_der().map_err(|_| InvalidKey::because("RSA key"))?;
        Self::encode(KeyKind::Rsa { bits }, RSA, Some(der::Any::null()), &key)
    }

    /// From the 32 bytes of an Ed25519 key.
    pub fn from_ed25519(bytes: &[u8]) -> Result<Self, InvalidKey> {
        let array: &[u8; 32] = bytes
            .try_into()
            .map_err(|_| InvalidKey::because("an Ed25519 key has 32 bytes"))?;
        let key = ed25519_dalek::VerifyingKey::from_bytes(array)
            .map_err(|_| InvalidKey::because("not an Ed25519 point"))?;
        // T05: the crate also reads a point's other spelling, which would be a second key.
        if key.is_weak() || key.to_edwards().compress().as_bytes() != array {
            return Err(InvalidKey::because(
                "an Ed25519 point of small order or not in its one spelling",
            ));
        }
        Self::encode(KeyKind::Ed25519, ED25519, None, bytes)
    }

    fn encode(
        kind: KeyKind,
        oid: ObjectIdentifier,
        parameters: Option<der::Any>,
        key: &[u8],
    ) -> Result<Self, InvalidKey> {
        let spki = SubjectPublicKeyInfoOwned {
            algorithm: spki::AlgorithmIdentifierOwned { oid, parameters },
            subject_public_key: der::asn1::BitString::from_bytes(key)
                .map_err(|_| InvalidKey::because("key bits"))?,
        };
        Ok(Self {
            kind,
            spki: spki
                .to_der()
                .map_err(|_| InvalidKey::because("key"))?
                .into(),
        })
    }

    /// DER `SubjectPublicKeyInfo`, in its one canonical spelling.
    pub fn spki_der(&self) -> &[u8] {
        &self.spki
    }

    /// The 32 raw bytes, if this is an Ed25519 key.
    pub fn ed25519(&self) -> Option<[u8; 32]> {
        (self.kind == KeyKind::Ed25519)
            .then(|| self.bits())
            .flatten()?
            .as_slice()
            .try_into()
            .ok()
    }

    /// PEM `PUBLIC KEY`.
    pub fn pem(&self) -> String {
        let config = pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF);
        pem::encode_config(&pem::Pem::new("PUBLIC KEY", self.spki.to_vec()), config)
    }

    /// The kind of key.
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The bytes inside the bit string: point, PKCS #1 key or raw key.
    fn bits(&self) -> Option<Vec<u8>> {
        let spki = SubjectPublicKeyInfoOwned::from_der(&self.spki).ok()?;
        spki.subject_public_key.as_bytes().map(<[u8]>::to_vec)
    }

    /// Checks a signature: ECDSA is r‖s padded to the curve's size (any of the three hashes with
    /// any curve), RSA-PSS has a salt as long as the hash, Ed25519 is strict.
    pub fn verify(
        &self,
        scheme: Scheme,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureInvalid> {
        let bits = self.bits().ok_or(SignatureInvalid::Mismatch)?;
        match (self.kind, scheme) {
            (KeyKind::Ed25519, Scheme::Ed25519) => verify_ed25519(&bits, message, signature),
            (KeyKind::Rsa { .. }, _) => self.verify_rsa(scheme, &bits, message, signature),
            (
                KeyKind::EcP256 | KeyKind::EcP384 | KeyKind::EcP521,
                Scheme::EcdsaSha256 | Scheme::EcdsaSha384 | Scheme::EcdsaSha512,
            ) => self.verify_ecdsa(scheme, &bits, message, signature),
            _ => Err(SignatureInvalid::Scheme(self.kind)),
        }
    }

    fn verify_rsa(
        &self,
        scheme: Scheme,
        key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureInvalid> {
        let algorithm: &dyn VerificationAlgorithm = match scheme {
            Scheme::RsaPssSha256 => &schemes::RSA_PSS_2048_8192_SHA256,
            Scheme::RsaPssSha384 => &schemes::RSA_PSS_2048_8192_SHA384,
            Scheme::RsaPssSha512 => &schemes::RSA_PSS_2048_8192_SHA512,
            Scheme::RsaPkcs1Sha256 => &schemes::RSA_PKCS1_2048_8192_SHA256,
            Scheme::RsaPkcs1Sha384 => &schemes::RSA_PKCS1_2048_8192_SHA384,
            Scheme::RsaPkcs1Sha512 => &schemes::RSA_PKCS1_2048_8192_SHA512,
            Scheme::EcdsaSha256 | Scheme::EcdsaSha384 | Scheme::EcdsaSha512 | Scheme::Ed25519 => {
                return Err(SignatureInvalid::Scheme(self.kind));
            }
        };
        UnparsedPublicKey::new(algorithm, key)
            .verify(message, signature)
            .map_err(|_| SignatureInvalid::Mismatch)
    }

    fn verify_ecdsa(
        &self,
        scheme: Scheme,
        point: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureInvalid> {
        let length = self
            .kind
            .coordinate_length()
            .ok_or(SignatureInvalid::Scheme(self.kind))?;
        if signature.len() != 2 * length {
            return Err(SignatureInvalid::Form(signature.len(), self.kind));
        }
        if let Some(algorithm) = scheme_of_ring(self.kind, scheme) {
            let verified = UnparsedPublicKey::new(algorithm, point).verify(message, signature);
            return verified.map_err(|_| SignatureInvalid::Mismatch);
        }
        let mut digest = scheme
            .digest(message)
            .ok_or(SignatureInvalid::Scheme(self.kind))?;
        if digest.len() < length {
            // The same number with leading zeros: the crate refuses hashes much shorter than the
            // field.
            digest.splice(..0, std::iter::repeat_n(0, length - digest.len()));
        }
        let verified = match self.kind {
            KeyKind::EcP256 => check!(p256, point, &digest, signature),
            KeyKind::EcP384 => check!(p384, point, &digest, signature),
            KeyKind::EcP521 => check!(p521, point, &digest, signature),
            KeyKind::Rsa { .. } | KeyKind::Ed25519 => None,
        };
        verified.ok_or(SignatureInvalid::Mismatch)
    }
}

/// What ring has of ECDSA, which is ten times as fast as the crates for single curves.
fn scheme_of_ring(kind: KeyKind, scheme: Scheme) -> Option<&'static dyn VerificationAlgorithm> {
    match (kind, scheme) {
        (KeyKind::EcP256, Scheme::EcdsaSha256) => Some(&schemes::ECDSA_P256_SHA256_FIXED),
        (KeyKind::EcP384, Scheme::EcdsaSha384) => Some(&schemes::ECDSA_P384_SHA384_FIXED),
        _ => None,
    }
}

fn verify_ed25519(key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), SignatureInvalid> {
    let signature = ed25519_dalek::Signature::from_slice(signature)
        .map_err(|_| SignatureInvalid::Form(signature.len(), KeyKind::Ed25519))?;
    let key: &[u8; 32] = key.try_into().map_err(|_| SignatureInvalid::Mismatch)?;
    let key =
        ed25519_dalek::VerifyingKey::from_bytes(key).map_err(|_| SignatureInvalid::Mismatch)?;
    key.verify_strict(message, &signature)
        .map_err(|_| SignatureInvalid::Mismatch)
}

/// An RSA public key as PKCS #1 writes it.
#[derive(der::Sequence)]
struct RsaPublicKey {
    modulus: der::asn1::Uint,
    exponent: der::asn1::Uint,
}

fn is_odd(number: &[u8]) -> bool {
    number.last().is_some_and(|byte| byte & 1 == 1)
}

fn trim(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.get(zeros..).unwrap_or_default()
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EcP256 => f.write_str("P-256"),
            Self::EcP384 => f.write_str("P-384"),
            Self::EcP521 => f.write_str("P-521"),
            Self::Rsa { bits } => write!(f, "RSA-{bits}"),
            Self::Ed25519 => f.write_str("Ed25519"),
        }
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "PublicKey({}, {})",
            self.kind,
            crate::oci::Digest::sha256(&self.spki)
        )
    }
}
