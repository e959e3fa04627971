//! Timestamp tokens (RFC 3161 §2.4.2): a `TSTInfo` in CMS signed data. Reads DER, and BER with
//! indefinite lengths. Refuses SHA-1, and tokens that do not name their certificate by a hash (RFC
//! 5816).

use std::time::Duration;

use der::{
    Decode as _, Reader as _, SliceReader, Tag,
    asn1::{ObjectIdentifier, OctetStringRef},
};
use spki::AlgorithmIdentifierOwned;

use super::{
    Certificate, HashFunction, Scheme,
    ber::definite,
    der_reader::{
        self, context, expect, next_is, only, optional, primitive, trimmed, value, whole,
    },
    signature_algorithm,
};
use crate::timestamp::Timestamp;

const SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
const TST_INFO: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.1.4");
const CONTENT_TYPE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.3");
const MESSAGE_DIGEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.4");
const SIGNING_TIME: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.5");
const SIGNING_CERTIFICATE_V2: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.2.47");
/// The policy of ETSI EN 319 421, which promises one second where a token states no accuracy.
const BEST_PRACTICES: ObjectIdentifier = ObjectIdentifier::new_unwrap("0.4.0.2023.1.1");

/// The largest reply, and so the largest token, that is read. Real ones have 5 to 10 KiB.
pub const TIMESTAMP_LIMIT: usize = 1024 * 1024;
/// Certificates that a token may carry: authorities send their chain, and some that of their OCSP
/// responder. Each is a candidate for every step of the path.
const CERTIFICATES: usize = 32;
/// Signatures that a token may carry: one in practice, and each costs a check.
const SIGNERS: usize = 10;

/// A timestamp token that was read; what it says is proven by [`TimestampToken::signer`] only.
#[derive(Clone, Debug)]
pub struct TimestampToken {
    der: Vec<u8>,
    content: Vec<u8>,
    policy: ObjectIdentifier,
    imprint: (HashFunction, Vec<u8>),
    time: Timestamp,
    accuracy: Option<Duration>,
    nonce: Option<Vec<u8>>,
    certificates: Vec<Certificate>,
    signers: Vec<SignerInfo>,
}

/// Who signed a token.
#[derive(Clone, Debug)]
pub struct TokenSigner<'a> {
    /// The certificate of the authority.
    pub certificate: &'a Certificate,
    /// The time of signing that the signer states beside the time of the token.
    pub signing_time: Option<Timestamp>,
}

/// A token does not prove the time of the message.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum InvalidToken {
    /// Longer than is read, or with more certificates or signers than are read.
    #[error("it is larger than is read")]
    TooLong,
    /// Not the encoding of a token.
    #[error("it is not a timestamp token")]
    Der,
    /// The authority refused.
    #[error("the authority answered with the status {0}")]
    Refused(u8),
    /// Over other data.
    #[error("it covers other data")]
    Imprint,
    /// Another nonce than was sent.
    #[error("it answers another request (nonce)")]
    Nonce,
    /// The hash function is not accepted.
    #[error("it uses a hash function other than SHA-256, SHA-384 and SHA-512")]
    Hash,
    /// An extension whose meaning must be known, and is not.
    #[error("it has the critical extension {0}, which is not known")]
    Critical(ObjectIdentifier),
    /// No signature that verifies with a certificate which the token names and holds.
    #[error("none of its signatures verifies with a certificate that it contains")]
    Signature,
}

impl From<der::Error> for InvalidToken {
    fn from(_: der::Error) -> Self {
        Self::Der
    }
}

#[derive(Clone, Debug)]
struct SignerInfo {
    issuer: Vec<u8>,
    serial: Vec<u8>,
    hash: Option<HashFunction>,
    /// The signed attributes as they are signed: a `SET OF`.
    attributes: Vec<u8>,
    scheme: Option<Scheme>,
    signature: Vec<u8>,
}

impl TimestampToken {
    /// From the bytes of a `ContentInfo`.
    pub fn parse(bytes: &[u8]) -> Result<Self, InvalidToken> {
        if bytes.len() > TIMESTAMP_LIMIT {
            return Err(InvalidToken::TooLong);
        }
        let der = definite(bytes).ok_or(InvalidToken::Der)?;
        let mut info = only(&der, Tag::Sequence)?;
        if ObjectIdentifier::decode(&mut info)? != SIGNED_DATA {
            return Err(InvalidToken::Der);
        }
        let mut explicit = expect(&mut info, context(0))?;
        info.finish()?;
        let mut signed = expect(&mut explicit, Tag::Sequence)?;
        explicit.finish()?;
        if value(&mut signed, Tag::Integer)? != [3] {
            return Err(InvalidToken::Der);
        }
        expect(&mut signed, Tag::Set)?;
        let content = content(&mut signed)?;
        let certificates = match optional(&mut signed, context(0))? {
            Some(mut set) => certificates(&mut set)?,
            None => Vec::new(),
        };
        optional(&mut signed, context(1))?;
        let mut set = expect(&mut signed, Tag::Set)?;
        signed.finish()?;
        let mut signers = Vec::new();
        while !set.is_finished() {
            if signers.len() == SIGNERS {
                return Err(InvalidToken::TooLong);
            }
            signers.extend(SignerInfo::read(&mut set)?);
        }
        let mut token = Self::read_info(&content)?;
        token.certificates = certificates;
        token.signers = signers;
        token.content = content;
        token.der = der;
        Ok(token)
    }

    fn read_info(content: &[u8]) -> Result<Self, InvalidToken> {
        let mut info = only(content, Tag::Sequence)?;
        if value(&mut info, Tag::Integer)? != [1] {
            return Err(InvalidToken::Der);
        }
        let policy = ObjectIdentifier::decode(&mut info)?;
        let mut imprint = expect(&mut info, Tag::Sequence)?;
        let hash = AlgorithmIdentifierOwned::decode(&mut imprint)?;
        let digest = <&OctetStringRef>::decode(&mut imprint)?.as_bytes().to_vec();
        imprint.finish()?;
        value(&mut info, Tag::Integer)?;
        let time = der_reader::generalized_time(&mut info)?;
        let accuracy = match optional(&mut info, Tag::Sequence)? {
            Some(mut fields) => Some(accuracy(&mut fields)?),
            None => None,
        };
        if next_is(&info, Tag::Boolean) {
            value(&mut info, Tag::Boolean)?;
        }
        let nonce = if next_is(&info, Tag::Integer) {
            Some(trimmed(value(&mut info, Tag::Integer)?).to_vec())
        } else {
            None
        };
        optional(&mut info, context(0))?;
        if next_is(&info, context(1)) {
            let bytes = value(&mut info, context(1))?;
            refuse_critical(bytes)?;
        }
        info.finish()?;
        let hash = HashFunction::from_oid(hash.oid).ok_or(InvalidToken::Hash)?;
        let imprint = (hash, digest);
        let (der, content, certificates, signers) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Ok(Self {
            der,
            content,
            policy,
            imprint,
            time,
            accuracy,
            nonce,
            certificates,
            signers,
        })
    }

    /// The token's bytes, in DER lengths.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The time that the token states.
    pub fn time(&self) -> Timestamp {
        self.time
    }

    /// How far the true time may lie from the stated one.
    pub fn accuracy(&self) -> Duration {
        let promised = if self.policy == BEST_PRACTICES {
            Duration::from_secs(1)
        } else {
            Duration::ZERO
        };
        self.accuracy.unwrap_or(promised)
    }

    /// The certificates that came with the token.
    pub fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }

    /// The nonce, without leading zeros.
    pub(super) fn nonce(&self) -> Option<&[u8]> {
        self.nonce.as_deref()
    }

    /// Rejects a token over something else than `message`.
    pub fn require_message(&self, message: &[u8]) -> Result<(), InvalidToken> {
        let hash = self.imprint.0;
        self.require_imprint(hash, &hash.digest(message))
    }

    pub(super) fn require_imprint(
        &self,
        hash: HashFunction,
        digest: &[u8],
    ) -> Result<(), InvalidToken> {
        if self.imprint.0 == hash && self.imprint.1 == digest {
            Ok(())
        } else {
            Err(InvalidToken::Imprint)
        }
    }

    /// Who signed the token. Rejects a token without a signature over its content that verifies
    /// with the certificate which the signature names by hash.
    pub fn signer(&self) -> Result<TokenSigner<'_>, InvalidToken> {
        let mut found = self
            .signers
            .iter()
            .map(|signer| signer.verify(&self.content, &self.certificates));
        found
            .find_map(Result::ok)
            .flatten()
            .ok_or(InvalidToken::Signature)
    }
}

/// The `TSTInfo` inside the encapsulated content.
fn content(signed: &mut SliceReader<'_>) -> Result<Vec<u8>, InvalidToken> {
    let mut content = expect(signed, Tag::Sequence)?;
    if ObjectIdentifier::decode(&mut content)? != TST_INFO {
        return Err(InvalidToken::Der);
    }
    let mut explicit = expect(&mut content, context(0))?;
    content.finish()?;
    let bytes = <&OctetStringRef>::decode(&mut explicit)?
        .as_bytes()
        .to_vec();
    explicit.finish()?;
    Ok(bytes)
}

/// The X.509 certificates of a set; those with keys that are not accepted are of no use here.
fn certificates(set: &mut SliceReader<'_>) -> Result<Vec<Certificate>, InvalidToken> {
    let mut found = Vec::new();
    let mut count = 0_usize;
    while !set.is_finished() {
        if count == CERTIFICATES {
            return Err(InvalidToken::TooLong);
        }
        count += 1;
        found.extend(Certificate::from_der(whole(set)?).ok());
    }
    Ok(found)
}

/// Seconds, thousandths and millionths of a second.
fn accuracy(fields: &mut SliceReader<'_>) -> Result<Duration, InvalidToken> {
    let seconds = accuracy_part(fields, Tag::Integer)?;
    let thousandths = accuracy_part(fields, primitive(0))?;
    let millionths = accuracy_part(fields, primitive(1))?;
    fields.clone().finish()?;
    Ok(Duration::from_secs(seconds)
        + Duration::from_millis(thousandths)
        + Duration::from_micros(millionths))
}

/// A number that may be absent; more than three bytes no accuracy has.
fn accuracy_part(fields: &mut SliceReader<'_>, tag: Tag) -> Result<u64, InvalidToken> {
    if !next_is(fields, tag) {
        return Ok(0);
    }
    let bytes = trimmed(value(fields, tag)?);
    if bytes.len() > 3 {
        return Err(InvalidToken::Der);
    }
    Ok(bytes
        .iter()
        .fold(0_u64, |number, byte| number << 8 | u64::from(*byte)))
}

fn refuse_critical(list: &[u8]) -> Result<(), InvalidToken> {
    let mut list = SliceReader::new(list)?;
    while !list.is_finished() {
        let mut one = expect(&mut list, Tag::Sequence)?;
        let id = ObjectIdentifier::decode(&mut one)?;
        if next_is(&one, Tag::Boolean) && bool::decode(&mut one)? {
            return Err(InvalidToken::Critical(id));
        }
    }
    Ok(())
}

impl SignerInfo {
    /// `None` for a signer of another form than is accepted.
    fn read(set: &mut SliceReader<'_>) -> Result<Option<Self>, InvalidToken> {
        let mut info = expect(set, Tag::Sequence)?;
        if value(&mut info, Tag::Integer)? != [1] || !next_is(&info, Tag::Sequence) {
            return Ok(None);
        }
        let mut sid = expect(&mut info, Tag::Sequence)?;
        let issuer = whole(&mut sid)?.to_vec();
        let serial = trimmed(value(&mut sid, Tag::Integer)?).to_vec();
        sid.finish()?;
        let hash = HashFunction::from_oid(AlgorithmIdentifierOwned::decode(&mut info)?.oid);
        if !next_is(&info, context(0)) {
            return Ok(None);
        }
        // RFC 5652 §5.4: signed as a SET OF, sent with a tag of its own.
        let mut attributes = whole(&mut info)?.to_vec();
        if let Some(tag) = attributes.first_mut() {
            *tag = 0x31;
        }
        let algorithm = AlgorithmIdentifierOwned::decode(&mut info)?;
        let signature = <&OctetStringRef>::decode(&mut info)?.as_bytes().to_vec();
        let scheme = hash.and_then(|hash| signature_algorithm::scheme(&algorithm, Some(hash)));
        Ok(Some(Self {
            issuer,
            serial,
            hash,
            attributes,
            scheme,
            signature,
        }))
    }

    fn verify<'a>(
        &self,
        content: &[u8],
        certificates: &'a [Certificate],
    ) -> Result<Option<TokenSigner<'a>>, InvalidToken> {
        let (Some(hash), Some(scheme)) = (self.hash, self.scheme) else {
            return Ok(None);
        };
        let attributes = Attributes::read(&self.attributes)?;
        let named = certificates.iter().find(|certificate| {
            certificate.issuer_der() == self.issuer
                && certificate.serial_number() == self.serial
                && attributes.certificate.names(certificate)
        });
        let Some(certificate) = named else {
            return Ok(None);
        };
        if attributes.message_digest != hash.digest(content)
            || !signature_algorithm::is_signed_by(
                certificate.public_key(),
                scheme,
                &self.attributes,
                &self.signature,
            )
        {
            return Ok(None);
        }
        Ok(Some(TokenSigner {
            certificate,
            signing_time: attributes.signing_time,
        }))
    }
}

/// The signed attributes that count.
struct Attributes {
    message_digest: Vec<u8>,
    certificate: CertificateHash,
    signing_time: Option<Timestamp>,
}

impl Attributes {
    fn read(set: &[u8]) -> Result<Self, InvalidToken> {
        let mut set = only(set, Tag::Set)?;
        let (mut content_type, mut message_digest, mut certificate, mut signing_time) =
            (None, None, None, None);
        while !set.is_finished() {
            let mut attribute = expect(&mut set, Tag::Sequence)?;
            let id = ObjectIdentifier::decode(&mut attribute)?;
            let mut values = expect(&mut attribute, Tag::Set)?;
            attribute.finish()?;
            let seen = match id {
                CONTENT_TYPE => content_type
                    .replace(ObjectIdentifier::decode(&mut values)?)
                    .is_some(),
                MESSAGE_DIGEST => message_digest
                    .replace(<&OctetStringRef>::decode(&mut values)?.as_bytes().to_vec())
                    .is_some(),
                SIGNING_CERTIFICATE_V2 => certificate
                    .replace(CertificateHash::read(&mut values)?)
                    .is_some(),
                SIGNING_TIME => signing_time
                    .replace(der_reader::time(&mut values)?)
                    .is_some(),
                _ => continue,
            };
            if seen {
                return Err(InvalidToken::Der);
            }
            values.finish()?;
        }
        match (content_type, message_digest, certificate) {
            (Some(TST_INFO), Some(message_digest), Some(certificate)) => Ok(Self {
                message_digest,
                certificate,
                signing_time,
            }),
            _ => Err(InvalidToken::Der),
        }
    }
}

/// The first `ESSCertIDv2` of a signing certificate attribute.
struct CertificateHash {
    hash: HashFunction,
    digest: Vec<u8>,
    /// The DER of the issuer's names and the serial number, where they are given.
    issuer_serial: Option<(Vec<u8>, Vec<u8>)>,
}

impl CertificateHash {
    fn read(values: &mut SliceReader<'_>) -> Result<Self, InvalidToken> {
        let mut attribute = expect(values, Tag::Sequence)?;
        let mut list = expect(&mut attribute, Tag::Sequence)?;
        let mut id = expect(&mut list, Tag::Sequence)?;
        let hash = if next_is(&id, Tag::Sequence) {
            let algorithm = AlgorithmIdentifierOwned::decode(&mut id)?;
            HashFunction::from_oid(algorithm.oid).ok_or(InvalidToken::Hash)?
        } else {
            HashFunction::Sha256
        };
        let digest = <&OctetStringRef>::decode(&mut id)?.as_bytes().to_vec();
        let issuer_serial = match optional(&mut id, Tag::Sequence)? {
            Some(mut fields) => {
                let mut names = expect(&mut fields, Tag::Sequence)?;
                let mut name = expect(&mut names, context(4))?;
                let issuer = whole(&mut name)?.to_vec();
                Some((issuer, trimmed(value(&mut fields, Tag::Integer)?).to_vec()))
            }
            None => None,
        };
        Ok(Self {
            hash,
            digest,
            issuer_serial,
        })
    }

    fn names(&self, certificate: &Certificate) -> bool {
        let issuer_serial = self.issuer_serial.as_ref();
        self.digest == self.hash.digest(certificate.der())
            && issuer_serial.is_none_or(|(issuer, serial)| {
                certificate.issuer_der() == *issuer && certificate.serial_number() == serial
            })
    }
}
