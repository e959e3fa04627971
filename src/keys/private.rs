//! Private keys in memory: P-256, P-384, P-521, Ed25519 and RSA (in ring only, D01). Wiped when dropped, but for RSA,
//! whose key pair ring owns and does not wipe.

use der::{Decode as _, asn1::OctetStringRef};
use ring::{rand::SystemRandom, rsa::KeyPair as RsaKeyPair, signature as ring_signature};
use signature::{Signer as _, hazmat::PrehashSigner as _};
use spki::ObjectIdentifier;

use crate::crypto::{PublicKey, Scheme};

const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
/// What notary writes for Ed25519.
const NOTARY_ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.11591.15.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const P521: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.35");

/// A private key.
pub struct PrivateKey {
    inner: Inner,
    public: PublicKey,
}

enum Inner {
    P256(p256::SecretKey),
    P384(p384::SecretKey),
    P521(p521::SecretKey),
    Rsa(RsaKeyPair),
    Ed25519(Box<ed25519_dalek::SigningKey>),
}

/// PKCS #8 as it is found: any version, and notary's version 1 without a public key.
#[derive(der::Sequence)]
struct Pkcs8<'a> {
    version: u8,
    algorithm: spki::AlgorithmIdentifierRef<'a>,
    key: &'a OctetStringRef,
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT", optional = "true")]
    attributes: Option<der::asn1::SetOfVec<AnyOwned>>,
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", optional = "true")]
    public: Option<der::asn1::BitStringRef<'a>>,
}

type AnyOwned = der::Any;

impl PrivateKey {
    /// From PKCS #8.
    pub(super) fn from_pkcs8(der: &[u8]) -> Option<Self> {
        let document = Pkcs8::from_der(der).ok()?;
        let key = document.key.as_bytes();
        match document.algorithm.oid {
            EC => {
                let curve: ObjectIdentifier = document.algorithm.parameters?.decode_as().ok()?;
                Self::from_sec1(key, Some(curve))
            }
            RSA => Self::from_pkcs1(key),
            ED25519 => Self::from_ed25519_seed(OctetString::from_der(key).ok()?.0.as_bytes()),
            NOTARY_ED25519 => Self::from_notary_ed25519(key),
            _ => None,
        }
    }

    /// From `ECPrivateKey`; the curve is named inside or by what is around it; the two must agree.
    pub(super) fn from_sec1(der: &[u8], curve: Option<ObjectIdentifier>) -> Option<Self> {
        let key = sec1::EcPrivateKey::from_der(der).ok()?;
        let inside = key.parameters.and_then(sec1::EcParameters::named_curve);
        if inside.is_some() && curve.is_some() && inside != curve {
            return None;
        }
        let inner = match inside.or(curve)? {
            P256 => Inner::P256(p256::SecretKey::from_slice(key.private_key).ok()?),
            P384 => Inner::P384(p384::SecretKey::from_slice(key.private_key).ok()?),
            P521 => Inner::P521(p521::SecretKey::from_slice(key.private_key).ok()?),
            _ => return None,
        };
        Self::with_public(inner)
    }

    /// From a PKCS #1 `RSAPrivateKey` of 2048 to 4096 bits.
    pub(super) fn from_pkcs1(der: &[u8]) -> Option<Self> {
        Self::with_public(Inner::Rsa(RsaKeyPair::from_der(der).ok()?))
    }

    /// From 32 bytes.
    pub(super) fn from_ed25519_seed(seed: &[u8]) -> Option<Self> {
        let seed: &[u8; 32] = seed.try_into().ok()?;
        Self::with_public(Inner::Ed25519(Box::new(
            ed25519_dalek::SigningKey::from_bytes(seed),
        )))
    }

    /// From notary's 96 bytes: public key, seed, public key.
    pub(super) fn from_notary_ed25519(bytes: &[u8]) -> Option<Self> {
        let (public, rest) = bytes.split_at_checked(32)?;
        let (seed, again) = rest.split_at_checked(32)?;
        let key = Self::from_ed25519_seed(seed)?;
        let same = key.public.ed25519().is_some_and(|own| own == public) && public == again;
        same.then_some(key)
    }

    fn with_public(inner: Inner) -> Option<Self> {
        use crate::crypto::KeyKind;
        use p256::elliptic_curve::sec1::ToSec1Point as _;
        let ec = |kind, point: &[u8]| {
            let (x, y) = point.get(1..)?.split_at(point.len() / 2);
            PublicKey::from_ec_coordinates(kind, x, y).ok()
        };
        let public = match &inner {
            Inner::P256(key) => ec(
                KeyKind::EcP256,
                key.public_key().to_sec1_point(false).as_bytes(),
            ),
            Inner::P384(key) => ec(
                KeyKind::EcP384,
                key.public_key().to_sec1_point(false).as_bytes(),
            ),
            Inner::P521(key) => ec(
                KeyKind::EcP521,
                key.public_key().to_sec1_point(false).as_bytes(),
            ),
            Inner::Rsa(key) => {
                let public: ring::rsa::PublicKeyComponents<Vec<u8>> = key.public().into();
                PublicKey::from_rsa_components(&public.n, &public.e).ok()
            }
            Inner::Ed25519(key) => PublicKey::from_ed25519(key.verifying_key().as_bytes()).ok(),
        };
        Some(Self {
            inner,
            public: public?,
        })
    }

    /// The public key.
    pub fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// Signs; `None` where the scheme is not one of this kind of key.
    pub fn sign(&self, scheme: Scheme, message: &[u8]) -> Option<Vec<u8>> {
        match (&self.inner, scheme) {
            (Inner::Ed25519(key), Scheme::Ed25519) => Some(key.sign(message).to_vec()),
            (Inner::Rsa(key), _) => sign_rsa(key, scheme, message),
            (Inner::P256(key), Scheme::EcdsaSha256 | Scheme::EcdsaSha384 | Scheme::EcdsaSha512) => {
                let signature: p256::ecdsa::Signature = p256::ecdsa::SigningKey::from(key)
                    .sign_prehash(&scheme.digest(message)?)
                    .ok()?;
                Some(signature.to_bytes().to_vec())
            }
            (Inner::P384(key), Scheme::EcdsaSha256 | Scheme::EcdsaSha384 | Scheme::EcdsaSha512) => {
                let signature: p384::ecdsa::Signature = p384::ecdsa::SigningKey::from(key)
                    .sign_prehash(&padded(scheme, message, 48)?)
                    .ok()?;
                Some(signature.to_bytes().to_vec())
            }
            (Inner::P521(key), Scheme::EcdsaSha256 | Scheme::EcdsaSha384 | Scheme::EcdsaSha512) => {
                let signature: p521::ecdsa::Signature = p521::ecdsa::SigningKey::from(key)
                    .sign_prehash(&padded(scheme, message, 66)?)
                    .ok()?;
                Some(signature.to_bytes().to_vec())
            }
            _ => None,
        }
    }
}

/// An octet string inside an octet string, as RFC 8410 has it.
struct OctetString<'a>(&'a OctetStringRef);

impl<'a> OctetString<'a> {
    fn from_der(der: &'a [u8]) -> der::Result<Self> {
        <&OctetStringRef>::from_der(der).map(Self)
    }
}

/// The hash with leading zeros to the curve's size: the same number, in a length that the crate takes.
fn padded(scheme: Scheme, message: &[u8], length: usize) -> Option<Vec<u8>> {
    let digest = scheme.digest(message)?;
    Some([vec![0; length.saturating_sub(digest.len())], digest].concat())
}

fn sign_rsa(key: &RsaKeyPair, scheme: Scheme, message: &[u8]) -> Option<Vec<u8>> {
    let padding: &'static dyn ring_signature::RsaEncoding = match scheme {
        Scheme::RsaPssSha256 => &ring_signature::RSA_PSS_SHA256,
        Scheme::RsaPssSha384 => &ring_signature::RSA_PSS_SHA384,
        Scheme::RsaPssSha512 => &ring_signature::RSA_PSS_SHA512,
        Scheme::RsaPkcs1Sha256 => &ring_signature::RSA_PKCS1_SHA256,
        Scheme::RsaPkcs1Sha384 => &ring_signature::RSA_PKCS1_SHA384,
        Scheme::RsaPkcs1Sha512 => &ring_signature::RSA_PKCS1_SHA512,
        Scheme::EcdsaSha256 | Scheme::EcdsaSha384 | Scheme::EcdsaSha512 | Scheme::Ed25519 => {
            return None;
        }
    };
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(padding, &SystemRandom::new(), message, &mut signature)
        .ok()?;
    Some(signature)
}

impl std::fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PrivateKey({:?})", self.public)
    }
}
