//! The certificate of a root key, as notary makes it: self-signed, named after the collection, for
//! code signing.
//!
//! Put together here because the name may be longer than the 64 characters of X.520, which
//! certificate builders refuse; and because the signature is made in a vault.

use bytes::Bytes;
use der::{
    Any, Encode as _,
    asn1::{BitString, GeneralizedTime, OctetString, SetOfVec, Uint, UtcTime, Utf8StringRef},
};
use spki::{AlgorithmIdentifierOwned, ObjectIdentifier, SubjectPublicKeyInfoOwned};
use x509_cert::{
    attr::AttributeTypeAndValue,
    ext::{
        Extension,
        pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages},
    },
    time::{Time, Validity},
};

use super::{
    draft_error::DraftError,
    key::Key,
    name::{Gun, RoleName},
};
use crate::{
    crypto::{Certificate, KeyKind, PublicKey, Scheme, Signature, ecdsa_to_der},
    timestamp::Timestamp,
};

const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
const CODE_SIGNING: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.3");
const ECDSA_WITH_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
const SHA256_WITH_RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.11");
const KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.15");
const EXTENDED_KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37");
const BASIC_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.19");

/// A certificate that lacks its signature.
#[derive(Debug)]
pub(super) struct UnsignedCertificate {
    key: PublicKey,
    algorithm: AlgorithmIdentifierOwned,
    body: Bytes,
}

/// A name as certificates hold it.
type Name = Vec<SetOfVec<AttributeTypeAndValue>>;

#[derive(der::Sequence)]
struct CertificateBody {
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    version: u8,
    serial: Uint,
    algorithm: AlgorithmIdentifierOwned,
    issuer: Name,
    validity: Validity,
    subject: Name,
    key: SubjectPublicKeyInfoOwned,
    #[asn1(context_specific = "3", tag_mode = "EXPLICIT")]
    extensions: Vec<Extension>,
}

#[derive(der::Sequence)]
struct SignedCertificate {
    body: Any,
    algorithm: AlgorithmIdentifierOwned,
    signature: BitString,
}

impl UnsignedCertificate {
    /// The certificate of `key` for the collection `gun`, with a serial number of 128 random bits.
    pub(super) fn new(
        gun: &Gun,
        key: &PublicKey,
        serial: &[u8; 16],
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Self, DraftError> {
        let algorithm = match key.kind() {
            KeyKind::EcP256 => AlgorithmIdentifierOwned {
                oid: ECDSA_WITH_SHA256,
                parameters: None,
            },
            KeyKind::Rsa { .. } => AlgorithmIdentifierOwned {
                oid: SHA256_WITH_RSA,
                parameters: Some(Any::null()),
            },
            kind @ (KeyKind::EcP384 | KeyKind::EcP521 | KeyKind::Ed25519) => {
                return Err(DraftError::KeyUnsuitable { kind });
            }
        };
        let body =
            body(gun, key, serial, &algorithm, (from, until)).map_err(DraftError::certificate)?;
        Ok(Self {
            key: key.clone(),
            algorithm,
            body: body.into(),
        })
    }

    /// How it is signed.
    pub(super) fn scheme(&self) -> Scheme {
        if self.algorithm.oid == ECDSA_WITH_SHA256 {
            Scheme::EcdsaSha256
        } else {
            Scheme::RsaPkcs1Sha256
        }
    }

    /// What is signed.
    pub(super) fn message(&self) -> Bytes {
        self.body.clone()
    }

    /// The root key that the signed certificate is. Refuses a signature that is not the key's own.
    pub(super) fn signed(self, signature: &Signature) -> Result<Key, DraftError> {
        let verified = self.key.verify(self.scheme(), &self.body, &signature.0);
        verified.map_err(|cause| DraftError::SignatureInvalid {
            role: RoleName::ROOT,
            key_id: Key::from_public_key(&self.key).key_id(),
            cause,
        })?;
        let (key_type, signature) = match self.scheme() {
            Scheme::EcdsaSha256 => ("ecdsa-x509", ecdsa_to_der(&signature.0).unwrap_or_default()),
            _ => ("rsa-x509", signature.0.clone()),
        };
        let der =
            assembled(&self.body, self.algorithm, &signature).map_err(DraftError::certificate)?;
        let certificate = Certificate::from_der(&der).map_err(DraftError::certificate)?;
        Ok(Key::new(key_type, certificate.pem().as_bytes()))
    }
}

fn body(
    gun: &Gun,
    key: &PublicKey,
    serial: &[u8; 16],
    algorithm: &AlgorithmIdentifierOwned,
    (from, until): (Timestamp, Timestamp),
) -> der::Result<Vec<u8>> {
    let body = CertificateBody {
        version: 2,
        serial: Uint::new(serial)?,
        algorithm: algorithm.clone(),
        issuer: name(gun)?,
        validity: Validity::new(time(from)?, time(until)?),
        subject: name(gun)?,
        key: der::Decode::from_der(key.spki_der())?,
        extensions: extensions()?,
    };
    body.to_der()
}

fn name(gun: &Gun) -> der::Result<Name> {
    let value = Any::encode_from(&Utf8StringRef::new(gun.as_str())?)?;
    Ok(vec![SetOfVec::try_from(vec![AttributeTypeAndValue {
        oid: COMMON_NAME,
        value,
    }])?])
}

/// The short form until 2049, as RFC 5280 has it.
fn time(time: Timestamp) -> der::Result<Time> {
    let since_1970 = std::time::Duration::from_secs(u64::try_from(time.unix()).unwrap_or_default());
    match UtcTime::from_unix_duration(since_1970) {
        Ok(short) => Ok(Time::UtcTime(short)),
        Err(_) => GeneralizedTime::from_unix_duration(since_1970).map(Time::GeneralTime),
    }
}

fn extension(extn_id: ObjectIdentifier, critical: bool, value: Vec<u8>) -> der::Result<Extension> {
    Ok(Extension {
        extn_id,
        critical,
        extn_value: OctetString::new(value)?,
    })
}

fn extensions() -> der::Result<Vec<Extension>> {
    Ok(vec![
        extension(
            KEY_USAGE,
            true,
            KeyUsage(KeyUsages::DigitalSignature | KeyUsages::KeyEncipherment).to_der()?,
        )?,
        extension(
            EXTENDED_KEY_USAGE,
            false,
            ExtendedKeyUsage(vec![CODE_SIGNING]).to_der()?,
        )?,
        extension(
            BASIC_CONSTRAINTS,
            true,
            BasicConstraints {
                ca: false,
                path_len_constraint: None,
            }
            .to_der()?,
        )?,
    ])
}

fn assembled(
    body: &[u8],
    algorithm: AlgorithmIdentifierOwned,
    signature: &[u8],
) -> der::Result<Vec<u8>> {
    let signed = SignedCertificate {
        body: der::Decode::from_der(body)?,
        algorithm,
        signature: BitString::from_bytes(signature)?,
    };
    signed.to_der()
}
