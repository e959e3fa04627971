//! Certificate revocation lists (RFC 5280 §5): read in place, since one may have 32 MiB. What a
//! list means for a certificate is the format's to say.

use std::sync::OnceLock;

use bytes::Bytes;
use der::{Decode as _, Reader as _, SliceReader, Tag, asn1::ObjectIdentifier};
use spki::AlgorithmIdentifierOwned;
use x509_cert::ext::pkix::CrlDistributionPoints;

use super::{
    Certificate, Scheme,
    der_reader::{
        self, context, expect, next_is, only, optional, primitive, trimmed, value, whole,
    },
    distribution_point::{self, InvalidPoint, ListAddress},
    signature_algorithm,
};
use crate::timestamp::Timestamp;

const NUMBER: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.20");
const REASON: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.21");
const INVALIDITY_DATE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.24");
const DELTA_INDICATOR: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.27");
const ISSUING_POINT: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.28");
const FRESHEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.46");

/// The largest list that is read: about a million entries. The largest lists of public CAs have
/// some MiB.
pub const CRL_LIMIT: usize = 32 * 1024 * 1024;

/// A certificate revocation list that was read, and not yet checked.
#[derive(Debug)]
pub struct Crl {
    message: Bytes,
    scheme: Option<Scheme>,
    signature: Vec<u8>,
    issuer: Vec<u8>,
    /// When it was made.
    pub this_update: Timestamp,
    /// When the next one is due.
    pub next_update: Option<Timestamp>,
    entries: Bytes,
    /// Its number, big-endian without leading zeros.
    pub number: Option<Vec<u8>>,
    /// The number of the list that it amends, if it is a delta.
    pub base_number: Option<Vec<u8>>,
    /// Which certificates it covers, if not all of its issuer.
    pub scope: CrlScope,
    /// Where deltas to it lie.
    pub deltas: Vec<ListAddress>,
    checked: OnceLock<[u8; 32]>,
}

/// What the issuing distribution point restricts a list to.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "the flags of RFC 5280 §5.2.5"
)]
pub struct CrlScope {
    /// Certificates of users only.
    pub user_certificates: bool,
    /// Certificates of CAs only.
    pub ca_certificates: bool,
    /// Attribute certificates only.
    pub attribute_certificates: bool,
    /// Some reasons only.
    pub some_reasons: bool,
    /// Certificates of other issuers too.
    pub indirect: bool,
    /// The names of its distribution point, each as the DER of a `GeneralName`.
    names: Option<Vec<Vec<u8>>>,
}

/// What a list says of one certificate.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RevokedEntry {
    /// When it was revoked.
    pub at: Timestamp,
    /// The code of the reason, if one is given.
    pub reason: Option<u8>,
    /// Since when it is not to be trusted, if that is given.
    pub invalid_since: Option<Timestamp>,
}

/// The bytes are not a CRL that this program reads.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum InvalidCrl {
    /// Longer than is read.
    #[error("it has more than {CRL_LIMIT} bytes")]
    TooLong,
    /// Not the DER of a CRL.
    #[error("it is not a certificate revocation list in DER")]
    Der,
    /// Where its deltas are is not understood.
    #[error("it names its deltas by {0}")]
    Point(#[from] InvalidPoint),
    /// An extension whose meaning must be known, and is not.
    #[error("it has the critical extension {0}, which is not known")]
    Critical(ObjectIdentifier),
}

impl From<der::Error> for InvalidCrl {
    fn from(_: der::Error) -> Self {
        Self::Der
    }
}

#[derive(Default)]
struct Extensions {
    number: Option<Vec<u8>>,
    base_number: Option<Vec<u8>>,
    scope: CrlScope,
    deltas: Vec<ListAddress>,
}

impl Crl {
    /// From DER. Refuses what is too long, and critical extensions other than issuing distribution
    /// point and delta indicator.
    pub fn parse(der: &Bytes) -> Result<Self, InvalidCrl> {
        if der.len() > CRL_LIMIT {
            return Err(InvalidCrl::TooLong);
        }
        let mut list = only(der, Tag::Sequence)?;
        let message = whole(&mut list)?;
        let algorithm = AlgorithmIdentifierOwned::decode(&mut list)?;
        let signature = der_reader::bits(&mut list)?.to_vec();
        list.finish()?;

        let mut body = only(message, Tag::Sequence)?;
        if next_is(&body, Tag::Integer) && value(&mut body, Tag::Integer)? != [1] {
            return Err(InvalidCrl::Der);
        }
        let inner = AlgorithmIdentifierOwned::decode(&mut body)?;
        let issuer = whole(&mut body)?.to_vec();
        let this_update = der_reader::time(&mut body)?;
        let has_next = next_is(&body, Tag::UtcTime) || next_is(&body, Tag::GeneralizedTime);
        let next_update = if has_next {
            Some(der_reader::time(&mut body)?)
        } else {
            None
        };
        let entries = if next_is(&body, Tag::Sequence) {
            value(&mut body, Tag::Sequence)?
        } else {
            &[]
        };
        let extensions = match optional(&mut body, context(0))? {
            Some(mut reader) => {
                let found = Extensions::read(&mut reader)?;
                reader.finish()?;
                found
            }
            None => Extensions::default(),
        };
        body.finish()?;
        Ok(Self {
            scheme: signature_algorithm::scheme(&algorithm, None).filter(|_| inner == algorithm),
            message: der.slice_ref(message),
            entries: if entries.is_empty() {
                Bytes::new()
            } else {
                der.slice_ref(entries)
            },
            signature,
            issuer,
            this_update,
            next_update,
            number: extensions.number,
            base_number: extensions.base_number,
            scope: extensions.scope,
            deltas: extensions.deltas,
            checked: OnceLock::new(),
        })
    }

    /// Whether `issuer` made it: the names match and the signature verifies. Remembered, since the
    /// hash of a large list takes time.
    pub fn is_issued_by(&self, issuer: &Certificate) -> bool {
        let thumbprint = issuer.thumbprint();
        if self.checked.get() == Some(&thumbprint) {
            return true;
        }
        let may_sign = issuer
            .key_usage_extension()
            .is_ok_and(|usage| usage.is_none_or(|usage| usage.value.crl_sign()));
        let verifies = may_sign
            && self.issuer == issuer.subject_der()
            && self.scheme.is_some_and(|scheme| {
                signature_algorithm::is_signed_by(
                    issuer.public_key(),
                    scheme,
                    &self.message,
                    &self.signature,
                )
            });
        if verifies {
            // Set once: a second issuer of the same name and key is checked each time.
            let _already = self.checked.set(thumbprint);
        }
        verifies
    }

    /// Whether it is a list of the distribution point that the address belongs to, and not another
    /// part of what its issuer revoked (N14).
    pub fn is_of_point(&self, address: &ListAddress) -> bool {
        address.has_any_of(self.scope.names.as_deref())
    }

    /// Whether it has the same part of its issuer's certificates as `other` (RFC 5280 §6.3.3
    /// (c)(2)).
    pub fn is_of_same_point(&self, other: &Self) -> bool {
        self.scope.names.is_some() && self.scope.names == other.scope.names
    }

    /// Whether its signature was found good, so that it may be kept for the rest of a run.
    pub fn is_checked(&self) -> bool {
        self.checked.get().is_some()
    }

    /// What it says of the certificate with this serial number, in the order of the list.
    pub fn entries(&self, serial: &[u8]) -> Result<Vec<RevokedEntry>, InvalidCrl> {
        let mut found = Vec::new();
        let mut reader = SliceReader::new(&self.entries)?;
        while !reader.is_finished() {
            let mut entry = expect(&mut reader, Tag::Sequence)?;
            if trimmed(value(&mut entry, Tag::Integer)?) == serial {
                found.push(RevokedEntry::read(&mut entry)?);
            }
        }
        Ok(found)
    }
}

impl RevokedEntry {
    fn read(entry: &mut SliceReader<'_>) -> Result<Self, InvalidCrl> {
        let mut revoked = Self {
            at: der_reader::time(entry)?,
            reason: None,
            invalid_since: None,
        };
        if entry.is_finished() {
            return Ok(revoked);
        }
        for extension in der_reader::extensions(entry)? {
            match extension.id {
                REASON => revoked.reason = Some(reason(extension.value)?),
                INVALIDITY_DATE => {
                    let mut reader = SliceReader::new(extension.value)?;
                    revoked.invalid_since = Some(der_reader::time(&mut reader)?);
                    reader.finish()?;
                }
                id if extension.critical => return Err(InvalidCrl::Critical(id)),
                _ => {}
            }
        }
        entry.clone().finish()?;
        Ok(revoked)
    }
}

/// A `CRLReason`.
pub(super) fn reason(der: &[u8]) -> der::Result<u8> {
    let mut reader = SliceReader::new(der)?;
    let code = value(&mut reader, Tag::Enumerated)?;
    reader.finish()?;
    match code {
        [code] => Ok(*code),
        _ => Err(der::ErrorKind::Failed.into()),
    }
}

impl Extensions {
    fn read(reader: &mut SliceReader<'_>) -> Result<Self, InvalidCrl> {
        let mut found = Self::default();
        for extension in der_reader::extensions(reader)? {
            match extension.id {
                NUMBER => found.number = Some(integer(extension.value)?),
                DELTA_INDICATOR => found.base_number = Some(integer(extension.value)?),
                ISSUING_POINT => found.scope = CrlScope::read(extension.value)?,
                FRESHEST => {
                    let points = CrlDistributionPoints::from_der(extension.value)?;
                    found.deltas = ListAddress::all(&points)?;
                }
                id if extension.critical => return Err(InvalidCrl::Critical(id)),
                _ => {}
            }
        }
        Ok(found)
    }
}

impl CrlScope {
    fn read(der: &[u8]) -> der::Result<Self> {
        let mut point = only(der, Tag::Sequence)?;
        let names = distribution_point::names(&mut point)?;
        let (user_certificates, ca_certificates) = (flag(&mut point, 1)?, flag(&mut point, 2)?);
        let some_reasons = next_is(&point, primitive(3));
        if some_reasons {
            whole(&mut point)?;
        }
        let (indirect, attribute_certificates) = (flag(&mut point, 4)?, flag(&mut point, 5)?);
        point.finish()?;
        Ok(Self {
            user_certificates,
            ca_certificates,
            attribute_certificates,
            some_reasons,
            indirect,
            names,
        })
    }
}

/// An optional `[n] BOOLEAN DEFAULT FALSE`.
fn flag(reader: &mut SliceReader<'_>, number: u32) -> der::Result<bool> {
    Ok(next_is(reader, primitive(number)) && value(reader, primitive(number))? != [0])
}

/// A number that is not negative, without leading zeros.
fn integer(der: &[u8]) -> der::Result<Vec<u8>> {
    Ok(der::asn1::UintRef::from_der(der)?.as_bytes().to_vec())
}
