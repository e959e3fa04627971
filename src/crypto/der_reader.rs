//! Small steps through DER of foreign make, where a type of its own per structure would be more
//! than is needed.

use der::{
    Decode as _, Header, Reader as _, SliceReader, Tag, TagNumber,
    asn1::{AnyRef, BitStringRef, ObjectIdentifier, OctetStringRef},
};
use x509_cert::time::Time;

use crate::timestamp::Timestamp;

/// A context-specific tag of a constructed value.
pub(super) const fn context(number: u32) -> Tag {
    Tag::ContextSpecific {
        constructed: true,
        number: TagNumber(number),
    }
}

/// A context-specific tag of a primitive value.
pub(super) const fn primitive(number: u32) -> Tag {
    Tag::ContextSpecific {
        constructed: false,
        number: TagNumber(number),
    }
}

/// The content of the one value that `bytes` are, which must have the tag.
pub(super) fn only(bytes: &[u8], tag: Tag) -> der::Result<SliceReader<'_>> {
    let mut reader = SliceReader::new(bytes)?;
    let content = expect(&mut reader, tag)?;
    reader.finish()?;
    Ok(content)
}

/// The content of the next value, which must have the tag.
pub(super) fn expect<'a>(reader: &mut SliceReader<'a>, tag: Tag) -> der::Result<SliceReader<'a>> {
    SliceReader::new(value(reader, tag)?)
}

/// The content of the next value, if it has the tag.
pub(super) fn optional<'a>(
    reader: &mut SliceReader<'a>,
    tag: Tag,
) -> der::Result<Option<SliceReader<'a>>> {
    if !next_is(reader, tag) {
        return Ok(None);
    }
    expect(reader, tag).map(Some)
}

/// The bytes inside the next value, which must have the tag.
pub(super) fn value<'a>(reader: &mut SliceReader<'a>, tag: Tag) -> der::Result<&'a [u8]> {
    let any = AnyRef::decode(reader)?;
    any.header().tag().assert_eq(tag)?;
    Ok(any.value())
}

/// The bytes of an integer without leading zeros, as serial numbers are compared here.
pub(super) fn trimmed(integer: &[u8]) -> &[u8] {
    let zeros = integer.iter().take_while(|byte| **byte == 0).count();
    integer.get(zeros..).unwrap_or_default()
}

/// Whether the next value has the tag.
pub(super) fn next_is(reader: &SliceReader<'_>, tag: Tag) -> bool {
    !reader.is_finished() && Header::peek(reader).is_ok_and(|header| header.tag() == tag)
}

/// The bytes of the next value with its header.
pub(super) fn whole<'a>(reader: &mut SliceReader<'a>) -> der::Result<&'a [u8]> {
    reader.tlv_bytes()
}

/// An extension of a CRL, an entry or an answer: what it is, whether it is critical, and its
/// content.
pub(super) struct RawExtension<'a> {
    pub(super) id: ObjectIdentifier,
    pub(super) critical: bool,
    pub(super) value: &'a [u8],
}

/// The extensions inside a `SEQUENCE OF Extension`, each of which may be there once.
pub(super) fn extensions<'a>(reader: &mut SliceReader<'a>) -> der::Result<Vec<RawExtension<'a>>> {
    let mut list = expect(reader, Tag::Sequence)?;
    let mut found = Vec::<RawExtension<'a>>::new();
    while !list.is_finished() {
        let mut one = expect(&mut list, Tag::Sequence)?;
        let id = ObjectIdentifier::decode(&mut one)?;
        let critical = next_is(&one, Tag::Boolean) && bool::decode(&mut one)?;
        let value = <&OctetStringRef>::decode(&mut one)?.as_bytes();
        one.finish()?;
        if found.iter().any(|other| other.id == id) {
            return Err(der::ErrorKind::Failed.into());
        }
        found.push(RawExtension {
            id,
            critical,
            value,
        });
    }
    Ok(found)
}

/// The bytes of the next bit string, which has no unused bits.
pub(super) fn bits<'a>(reader: &mut SliceReader<'a>) -> der::Result<&'a [u8]> {
    BitStringRef::decode(reader)?
        .as_bytes()
        .ok_or_else(|| der::ErrorKind::Failed.into())
}

/// The next `UTCTime` or `GeneralizedTime`, without fractions.
pub(super) fn time(reader: &mut SliceReader<'_>) -> der::Result<Timestamp> {
    let seconds = i64::try_from(Time::decode(reader)?.to_unix_duration().as_secs());
    seconds
        .ok()
        .and_then(Timestamp::from_unix)
        .ok_or_else(|| der::ErrorKind::DateTime.into())
}

/// A `GeneralizedTime` in UTC that may have a fraction of a second, as timestamp tokens have it
/// (RFC 3161 §2.4.2).
pub(super) fn generalized_time(reader: &mut SliceReader<'_>) -> der::Result<Timestamp> {
    let text =
        std::str::from_utf8(value(reader, Tag::GeneralizedTime)?).map_err(|_| not_a_time())?;
    let digits = text.strip_suffix('Z').ok_or_else(not_a_time)?;
    let (whole, fraction) = digits
        .split_once('.')
        .map_or((digits, None), |(whole, rest)| (whole, Some(rest)));
    let (date, clock) = whole
        .split_at_checked(8)
        .filter(|(_, clock)| clock.len() == 6)
        .ok_or_else(not_a_time)?;
    if !whole
        .bytes()
        .chain(fraction.unwrap_or("0").bytes())
        .all(|byte| byte.is_ascii_digit())
    {
        return Err(not_a_time());
    }
    let fraction = match fraction {
        None => "0",
        Some(digits) if (1..=9).contains(&digits.len()) => digits,
        Some(_) => return Err(not_a_time()),
    };
    let (year, day) = date.split_at(4);
    let (month, day) = day.split_at(2);
    let (hour, second) = clock.split_at(2);
    let (minute, second) = second.split_at(2);
    format!("{year}-{month}-{day}T{hour}:{minute}:{second}.{fraction}Z")
        .parse()
        .map_err(|_| not_a_time())
}

fn not_a_time() -> der::Error {
    der::ErrorKind::DateTime.into()
}
