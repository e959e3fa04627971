//! Private keys: the same for the same number, and signatures as envelopes and as certificates have
//! them.

use std::fs;

use acr_sign::crypto::{PublicKey, Scheme};
use ring::{
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512, RsaKeyPair},
};
use signature::hazmat::PrehashSigner;

use super::der::{bits, oid, seq};

/// A private key.
pub enum Key {
    P256(p256::ecdsa::SigningKey),
    P384(p384::ecdsa::SigningKey),
    P521(p521::ecdsa::SigningKey),
    Rsa(RsaKeyPair, Vec<u8>),
}

/// The same P-256 key for the same number.
pub fn p256(number: u8) -> Key {
    Key::P256(p256::ecdsa::SigningKey::from_slice(&[number; 32]).unwrap())
}

pub fn p384() -> Key {
    Key::P384(p384::ecdsa::SigningKey::from_slice(&[7; 48]).unwrap())
}

pub fn p521() -> Key {
    let mut scalar = [7; 66];
    scalar[0] = 0;
    Key::P521(p521::ecdsa::SigningKey::from_slice(&scalar).unwrap())
}

pub fn rsa(bits: u32) -> Key {
    let path = format!(
        "{}/tests/fixtures/keys/rsa{bits}.pem",
        env!("CARGO_MANIFEST_DIR")
    );
    let key = pem::parse(fs::read(path).unwrap()).unwrap();
    let pair = RsaKeyPair::from_pkcs8(key.contents()).unwrap();
    let public = pair.public().as_ref().to_vec();
    Key::Rsa(pair, public)
}

impl Key {
    pub fn spki(&self) -> Vec<u8> {
        let ec = |curve: &str, point: &[u8]| {
            seq(&[seq(&[oid("1.2.840.10045.2.1"), oid(curve)]), bits(point)])
        };
        match self {
            Self::P256(key) => ec(
                "1.2.840.10045.3.1.7",
                key.verifying_key().to_sec1_point(false).as_bytes(),
            ),
            Self::P384(key) => ec(
                "1.3.132.0.34",
                key.verifying_key().to_sec1_point(false).as_bytes(),
            ),
            Self::P521(key) => {
                let public = p521::ecdsa::VerifyingKey::from(key);
                ec("1.3.132.0.35", public.to_sec1_point(false).as_bytes())
            }
            Self::Rsa(_, public) => seq(&[
                seq(&[oid("1.2.840.113549.1.1.1"), vec![5, 0]]),
                bits(public),
            ]),
        }
    }

    pub fn public(&self) -> PublicKey {
        PublicKey::from_spki_der(&self.spki()).unwrap()
    }

    /// A signature as envelopes have it.
    pub fn sign(&self, scheme: Scheme, message: &[u8]) -> Vec<u8> {
        let hash = scheme.digest(message).unwrap();
        let rsa = |pair: &RsaKeyPair, padding: &'static dyn ring::signature::RsaEncoding| {
            let mut signature = vec![0; pair.public().modulus_len()];
            pair.sign(padding, &SystemRandom::new(), message, &mut signature)
                .unwrap();
            signature
        };
        match self {
            Self::P256(key) => PrehashSigner::<p256::ecdsa::Signature>::sign_prehash(key, &hash)
                .unwrap()
                .to_vec(),
            Self::P384(key) => PrehashSigner::<p384::ecdsa::Signature>::sign_prehash(key, &hash)
                .unwrap()
                .to_vec(),
            Self::P521(key) => PrehashSigner::<p521::ecdsa::Signature>::sign_prehash(key, &hash)
                .unwrap()
                .to_vec(),
            Self::Rsa(pair, _) => match scheme {
                Scheme::RsaPssSha256 => rsa(pair, &RSA_PSS_SHA256),
                Scheme::RsaPssSha384 => rsa(pair, &RSA_PSS_SHA384),
                Scheme::RsaPssSha512 => rsa(pair, &RSA_PSS_SHA512),
                _ => rsa(pair, &RSA_PKCS1_SHA256),
            },
        }
    }

    /// The algorithm with which it signs certificates and the like, and the signature.
    pub(super) fn sign_x509(&self, message: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let ecdsa = |scheme, arc: &str| {
            let raw = self.sign(scheme, message);
            (
                seq(&[oid(arc)]),
                acr_sign::crypto::ecdsa_to_der(&raw).unwrap(),
            )
        };
        match self {
            Self::P256(_) => ecdsa(Scheme::EcdsaSha256, "1.2.840.10045.4.3.2"),
            Self::P384(_) => ecdsa(Scheme::EcdsaSha384, "1.2.840.10045.4.3.3"),
            Self::P521(_) => ecdsa(Scheme::EcdsaSha512, "1.2.840.10045.4.3.4"),
            Self::Rsa(..) => (
                seq(&[oid("1.2.840.113549.1.1.11"), vec![5, 0]]),
                self.sign(Scheme::RsaPkcs1Sha256, message),
            ),
        }
    }
}
