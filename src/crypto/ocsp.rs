//! Online certificate status (RFC 6960): the question, and what a signed answer says. Refuses
//! answers that the issuer did not make or delegate; whether an answer is fresh is judged here,
//! what it means is the format's.

use der::{
    Decode as _, Encode as _, Reader as _, SliceReader, Tag,
    asn1::{Null, ObjectIdentifier, OctetString, OctetStringRef, Uint},
};
use sha1::{Digest as _, Sha1};
use spki::AlgorithmIdentifierOwned;

use super::{
    Certificate, HashFunction, Scheme, crl,
    der_reader::{
        self, context, expect, next_is, only, optional, primitive, trimmed, value, whole,
    },
    signature_algorithm,
};
use crate::timestamp::Timestamp;

const SHA1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.14.3.2.26");
const BASIC_RESPONSE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.1");
const OCSP_SIGNING: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.9");
const INVALIDITY_DATE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.24");

/// The largest answer that is read: one status, one signature and a chain are below 10 KiB.
pub const OCSP_LIMIT: usize = 64 * 1024;
/// Certificates that an answer may carry: the delegate's chain. Each may cost two signature checks.
const CERTIFICATES: usize = 10;
/// How far ahead of this machine's clock an answer may be made.
const AHEAD: std::time::Duration = std::time::Duration::from_secs(5 * 60);

/// An answer that the issuer made, or a delegate of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OcspAnswer {
    /// What it says of the certificate.
    pub status: OcspStatus,
    /// The certificate of the delegate that signed it; `None` where the issuer did. Whether it was
    /// revoked itself is not known yet.
    pub delegate: Option<Certificate>,
}

/// What a responder says of a certificate.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum OcspStatus {
    /// Not revoked.
    Good,
    /// Revoked.
    Revoked {
        /// When.
        at: Timestamp,
        /// Since when it is not to be trusted, if that is given.
        invalid_since: Option<Timestamp>,
    },
    /// The responder does not know it.
    Unknown,
}

/// An answer says nothing about the certificate.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum InvalidOcsp {
    /// Longer than is read.
    #[error("it has more than {OCSP_LIMIT} bytes")]
    TooLong,
    /// Not the DER of an answer.
    #[error("it is not an OCSP response in DER")]
    Der,
    /// The responder could not answer.
    #[error("the responder answered with the error {0}")]
    Status(u8),
    /// Not signed by the issuer, nor by whom it delegated that to.
    #[error("it is not signed by the issuer or its delegate")]
    Signer,
    /// About other certificates.
    #[error("it is not about the certificate")]
    OtherCertificate,
    /// Made for another time.
    #[error("it is not current, or does not say when the next update is due")]
    Stale,
    /// An extension whose meaning must be known, and is not.
    #[error("it has the critical extension {0}, which is not known")]
    Critical(ObjectIdentifier),
}

impl From<der::Error> for InvalidOcsp {
    fn from(_: der::Error) -> Self {
        Self::Der
    }
}

#[derive(der::Sequence)]
struct CertId {
    hash: AlgorithmIdentifierOwned,
    issuer_name: OctetString,
    issuer_key: OctetString,
    serial: Uint,
}

#[derive(der::Sequence)]
struct SingleRequest {
    certificate: CertId,
}

#[derive(der::Sequence)]
struct RequestBody {
    requests: Vec<SingleRequest>,
}

#[derive(der::Sequence)]
struct OcspRequest {
    body: RequestBody,
}

/// The DER of a question about `certificate`, by SHA-1 as responders want it, without a nonce.
pub fn request(certificate: &Certificate, issuer: &Certificate) -> der::Result<Vec<u8>> {
    let certificate = CertId {
        hash: AlgorithmIdentifierOwned {
            oid: SHA1,
            parameters: Some(Null.into()),
        },
        issuer_name: OctetString::new(Sha1::digest(issuer.subject_der()).as_slice())?,
        issuer_key: OctetString::new(Sha1::digest(issuer.public_key_bits()).as_slice())?,
        serial: Uint::new(certificate.serial_number())?,
    };
    OcspRequest {
        body: RequestBody {
            requests: vec![SingleRequest { certificate }],
        },
    }
    .to_der()
}

/// What an answer says of `certificate`. Rejects an answer that was not made by the issuer or a
/// certificate that it issued for this, that is not fresh at `now`, and that does not speak of the
/// certificate.
pub fn read(
    answer: &[u8],
    certificate: &Certificate,
    issuer: &Certificate,
    now: Timestamp,
) -> Result<OcspAnswer, InvalidOcsp> {
    if answer.len() > OCSP_LIMIT {
        return Err(InvalidOcsp::TooLong);
    }
    let basic = basic_response(answer)?;
    let mut basic = only(basic, Tag::Sequence)?;
    let message = whole(&mut basic)?;
    let algorithm = AlgorithmIdentifierOwned::decode(&mut basic)?;
    let signature = der_reader::bits(&mut basic)?;
    let certificates = match optional(&mut basic, context(0))? {
        Some(mut list) => certificates(&mut list)?,
        None => Vec::new(),
    };
    basic.finish()?;

    let mut body = only(message, Tag::Sequence)?;
    optional(&mut body, context(0))?;
    let responder = Responder::read(&mut body)?;
    let scheme = signature_algorithm::scheme(&algorithm, None).ok_or(InvalidOcsp::Signer)?;
    let signed = SignedAnswer {
        message,
        scheme,
        signature,
    };
    let delegate = if responder.is(issuer) && signed.is_by(issuer) {
        None
    } else {
        let delegate = signed.delegate(&responder, certificates, issuer, now);
        Some(delegate.ok_or(InvalidOcsp::Signer)?)
    };
    der_reader::time(&mut body)?;
    let mut answers = expect(&mut body, Tag::Sequence)?;
    if let Some(mut extensions) = optional(&mut body, context(1))? {
        refuse_critical(&mut extensions)?;
    }
    body.finish()?;
    let (mut worst, mut fault) = (None, None);
    while !answers.is_finished() {
        let mut single = expect(&mut answers, Tag::Sequence)?;
        if !is_about(&mut single, certificate, issuer)? {
            continue;
        }
        match (status(&mut single, now), worst.take()) {
            (Ok(status), None) => worst = Some(status),
            (Ok(status), Some(before)) => worst = Some(OcspStatus::worse(before, status)),
            (Err(found), before) => (fault, worst) = (Some(found), before),
        }
    }
    match (worst, fault) {
        // What cannot be used beside it does not make a revoked certificate good.
        (Some(status @ OcspStatus::Revoked { .. }), _) | (Some(status), None) => {
            Ok(OcspAnswer { status, delegate })
        }
        (_, Some(fault)) => Err(fault),
        (None, None) => Err(InvalidOcsp::OtherCertificate),
    }
}

impl OcspStatus {
    /// The worse of two statements about one certificate: revoked, and from the earlier time on,
    /// before unknown before good. A responder that says both is not to be relied on for the better
    /// one.
    fn worse(one: Self, other: Self) -> Self {
        match (one, other) {
            (
                Self::Revoked {
                    at: one,
                    invalid_since: since,
                },
                Self::Revoked {
                    at: other,
                    invalid_since: or_since,
                },
            ) => Self::Revoked {
                at: one.min(other),
                invalid_since: since.zip(or_since).map(|(one, other)| one.min(other)),
            },
            (revoked @ Self::Revoked { .. }, _) | (_, revoked @ Self::Revoked { .. }) => revoked,
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (Self::Good, Self::Good) => Self::Good,
        }
    }
}

/// The inner answer of a successful one.
fn basic_response(answer: &[u8]) -> Result<&[u8], InvalidOcsp> {
    let mut outer = only(answer, Tag::Sequence)?;
    match value(&mut outer, Tag::Enumerated)? {
        [0] => {}
        [code] => return Err(InvalidOcsp::Status(*code)),
        _ => return Err(InvalidOcsp::Der),
    }
    let mut bytes = expect(&mut outer, context(0))?;
    outer.finish()?;
    let mut bytes_body = expect(&mut bytes, Tag::Sequence)?;
    bytes.finish()?;
    if ObjectIdentifier::decode(&mut bytes_body)? != BASIC_RESPONSE {
        return Err(InvalidOcsp::Der);
    }
    let basic = <&OctetStringRef>::decode(&mut bytes_body)?.as_bytes();
    bytes_body.finish()?;
    Ok(basic)
}

fn certificates(list: &mut SliceReader<'_>) -> Result<Vec<Certificate>, InvalidOcsp> {
    let mut sequence = expect(list, Tag::Sequence)?;
    let mut found = Vec::new();
    while !sequence.is_finished() {
        if found.len() == CERTIFICATES {
            return Err(InvalidOcsp::TooLong);
        }
        found.push(Certificate::from_der(whole(&mut sequence)?).map_err(|_| InvalidOcsp::Der)?);
    }
    Ok(found)
}

/// Who says that it answered.
enum Responder<'a> {
    Name(&'a [u8]),
    Key(&'a [u8]),
}

impl<'a> Responder<'a> {
    fn read(body: &mut SliceReader<'a>) -> Result<Self, InvalidOcsp> {
        if let Some(mut name) = optional(body, context(1))? {
            return Ok(Self::Name(whole(&mut name)?));
        }
        let mut key = expect(body, context(2))?;
        Ok(Self::Key(<&OctetStringRef>::decode(&mut key)?.as_bytes()))
    }

    fn is(&self, certificate: &Certificate) -> bool {
        match self {
            Self::Name(name) => certificate.subject_der() == *name,
            Self::Key(hash) => Sha1::digest(certificate.public_key_bits()).as_slice() == *hash,
        }
    }
}

struct SignedAnswer<'a> {
    message: &'a [u8],
    scheme: Scheme,
    signature: &'a [u8],
}

impl SignedAnswer<'_> {
    fn is_by(&self, signer: &Certificate) -> bool {
        signature_algorithm::is_signed_by(
            signer.public_key(),
            self.scheme,
            self.message,
            self.signature,
        )
    }

    /// The certificate among those beside the answer that made it. notation takes the first one,
    /// whatever it is for; so a signing leaf could answer for itself. Here the responder's name or
    /// key picks it, and it must be the issuer's delegate.
    fn delegate(
        &self,
        responder: &Responder<'_>,
        certificates: Vec<Certificate>,
        issuer: &Certificate,
        now: Timestamp,
    ) -> Option<Certificate> {
        certificates.into_iter().find(|delegate| {
            responder.is(delegate) && may_answer(delegate, issuer, now) && self.is_by(delegate)
        })
    }
}

/// The rules for a delegate (RFC 6960 §4.2.2.2): made by the issuer for this, and for signing.
fn may_answer(delegate: &Certificate, issuer: &Certificate, now: Timestamp) -> bool {
    let usages = delegate.extended_key_usage_extension();
    let is_for_ocsp = usages
        .is_ok_and(|usages| usages.is_some_and(|usages| usages.value.contains(&OCSP_SIGNING)));
    let usage = delegate.key_usage_extension();
    let may_sign =
        usage.is_ok_and(|usage| usage.is_none_or(|usage| usage.value.digital_signature()));
    is_for_ocsp
        && may_sign
        && delegate.is_valid_at(now)
        && !delegate.has_unknown_critical_extension()
        && delegate.is_issued_by(issuer)
}

fn refuse_critical(reader: &mut SliceReader<'_>) -> Result<(), InvalidOcsp> {
    match der_reader::extensions(reader)?
        .into_iter()
        .find(|extension| extension.critical)
    {
        Some(extension) => Err(InvalidOcsp::Critical(extension.id)),
        None => Ok(()),
    }
}

fn is_about(
    single: &mut SliceReader<'_>,
    certificate: &Certificate,
    issuer: &Certificate,
) -> Result<bool, InvalidOcsp> {
    let mut id = expect(single, Tag::Sequence)?;
    let hash = AlgorithmIdentifierOwned::decode(&mut id)?;
    let name = <&OctetStringRef>::decode(&mut id)?.as_bytes();
    let key = <&OctetStringRef>::decode(&mut id)?.as_bytes();
    let serial = value(&mut id, Tag::Integer)?;
    id.finish()?;
    Ok(trimmed(serial) == certificate.serial_number()
        && hashed(hash.oid, &issuer.subject_der()).is_some_and(|hash| hash == name)
        && hashed(hash.oid, issuer.public_key_bits()).is_some_and(|hash| hash == key))
}

/// The question is asked with SHA-1; an answer may speak of the certificate by another hash
/// besides.
fn hashed(hash: ObjectIdentifier, bytes: &[u8]) -> Option<Vec<u8>> {
    if hash == SHA1 {
        return Some(Sha1::digest(bytes).to_vec());
    }
    HashFunction::from_oid(hash).map(|hash| hash.digest(bytes))
}

fn status(single: &mut SliceReader<'_>, now: Timestamp) -> Result<OcspStatus, InvalidOcsp> {
    let mut status = if next_is(single, primitive(0)) {
        value(single, primitive(0))?;
        OcspStatus::Good
    } else if let Some(mut revoked) = optional(single, context(1))? {
        let at = der_reader::time(&mut revoked)?;
        if let Some(mut code) = optional(&mut revoked, context(0))? {
            crl::reason(whole(&mut code)?)?;
        }
        OcspStatus::Revoked {
            at,
            invalid_since: None,
        }
    } else {
        value(single, primitive(2))?;
        OcspStatus::Unknown
    };
    let this_update = der_reader::time(single)?;
    let next_update = match optional(single, context(0))? {
        Some(mut time) => Some(der_reader::time(&mut time)?),
        None => None,
    };
    if let Some(mut extensions) = optional(single, context(1))? {
        for extension in der_reader::extensions(&mut extensions)? {
            match (extension.id, &mut status) {
                (INVALIDITY_DATE, OcspStatus::Revoked { invalid_since, .. }) => {
                    *invalid_since =
                        Some(der_reader::time(&mut SliceReader::new(extension.value)?)?);
                }
                (id, _) if extension.critical => return Err(InvalidOcsp::Critical(id)),
                _ => {}
            }
        }
    }
    single.clone().finish()?;
    if this_update > now.plus(AHEAD) || next_update.is_none_or(|next| next < now) {
        return Err(InvalidOcsp::Stale);
    }
    Ok(status)
}
