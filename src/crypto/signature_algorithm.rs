//! How certificates, CRLs, OCSP answers and timestamp tokens name the way they are signed, and the
//! check of such signatures. Refuses SHA-1, MD5, and RSASSA-PSS with other parameters than the
//! usual ones.

use spki::{AlgorithmIdentifierOwned, ObjectIdentifier};

use super::{HashFunction, PublicKey, Scheme, ecdsa_from_der};

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const RSA_PSS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10");
const MGF1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.8");
const SHA256_WITH_RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.11");
const SHA384_WITH_RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.12");
const SHA512_WITH_RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.13");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const ECDSA_WITH_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
const ECDSA_WITH_SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.3");
const ECDSA_WITH_SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.4");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// RFC 4055 §3.1.
#[derive(der::Sequence)]
struct PssParameters {
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    hash: Option<AlgorithmIdentifierOwned>,
    #[asn1(context_specific = "1", tag_mode = "EXPLICIT", optional = "true")]
    mask: Option<AlgorithmIdentifierOwned>,
    #[asn1(context_specific = "2", tag_mode = "EXPLICIT", optional = "true")]
    salt_length: Option<u16>,
    #[asn1(context_specific = "3", tag_mode = "EXPLICIT", optional = "true")]
    trailer: Option<u8>,
}

/// The scheme that an algorithm identifier means; `None` where it is not accepted. CMS names the
/// hash apart, and then often the kind of key alone (RFC 8933, RFC 5754): `hash` is what it names.
pub(super) fn scheme(
    algorithm: &AlgorithmIdentifierOwned,
    hash: Option<HashFunction>,
) -> Option<Scheme> {
    let (scheme, states) = match algorithm.oid {
        SHA256_WITH_RSA => (Scheme::RsaPkcs1Sha256, HashFunction::Sha256),
        SHA384_WITH_RSA => (Scheme::RsaPkcs1Sha384, HashFunction::Sha384),
        SHA512_WITH_RSA => (Scheme::RsaPkcs1Sha512, HashFunction::Sha512),
        ECDSA_WITH_SHA256 => (Scheme::EcdsaSha256, HashFunction::Sha256),
        ECDSA_WITH_SHA384 => (Scheme::EcdsaSha384, HashFunction::Sha384),
        ECDSA_WITH_SHA512 => (Scheme::EcdsaSha512, HashFunction::Sha512),
        RSA_PSS => pss(algorithm)?,
        RSA => match hash? {
            HashFunction::Sha256 => (Scheme::RsaPkcs1Sha256, HashFunction::Sha256),
            HashFunction::Sha384 => (Scheme::RsaPkcs1Sha384, HashFunction::Sha384),
            HashFunction::Sha512 => (Scheme::RsaPkcs1Sha512, HashFunction::Sha512),
        },
        EC => match hash? {
            HashFunction::Sha256 => (Scheme::EcdsaSha256, HashFunction::Sha256),
            HashFunction::Sha384 => (Scheme::EcdsaSha384, HashFunction::Sha384),
            HashFunction::Sha512 => (Scheme::EcdsaSha512, HashFunction::Sha512),
        },
        ED25519 if hash.is_none() => return Some(Scheme::Ed25519),
        _ => return None,
    };
    hash.is_none_or(|hash| hash == states).then_some(scheme)
}

/// RSASSA-PSS with one hash for message and mask, and a salt as long as the hash.
fn pss(algorithm: &AlgorithmIdentifierOwned) -> Option<(Scheme, HashFunction)> {
    let parameters: PssParameters = algorithm.parameters.as_ref()?.decode_as().ok()?;
    let hash = HashFunction::from_oid(parameters.hash?.oid)?;
    let mask = parameters.mask.filter(|mask| mask.oid == MGF1)?;
    let mask: AlgorithmIdentifierOwned = mask.parameters?.decode_as().ok()?;
    if mask.oid != hash.oid()
        || parameters.salt_length != Some(hash.length())
        || parameters.trailer.is_some_and(|trailer| trailer != 1)
    {
        return None;
    }
    let scheme = match hash {
        HashFunction::Sha256 => Scheme::RsaPssSha256,
        HashFunction::Sha384 => Scheme::RsaPssSha384,
        HashFunction::Sha512 => Scheme::RsaPssSha512,
    };
    Some((scheme, hash))
}

/// Whether `key` made a signature in the form that X.509 and CMS give it: ECDSA in DER.
pub(super) fn is_signed_by(
    key: &PublicKey,
    scheme: Scheme,
    message: &[u8],
    signature: &[u8],
) -> bool {
    let raw;
    let signature = match scheme {
        Scheme::EcdsaSha256 | Scheme::EcdsaSha384 | Scheme::EcdsaSha512 => {
            match ecdsa_from_der(key.kind(), signature) {
                Some(converted) => raw = converted,
                None => return false,
            }
            raw.as_slice()
        }
        _ => signature,
    };
    key.verify(scheme, message, signature).is_ok()
}
