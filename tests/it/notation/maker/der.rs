//! DER, item by item.

use acr_sign::timestamp::Timestamp;

pub fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut out = vec![tag];
    match length {
        0..0x80 => out.push(length as u8),
        0x80..0x100 => out.extend([0x81, length as u8]),
        _ => out.extend([0x82, (length >> 8) as u8, length as u8]),
    }
    out.extend_from_slice(content);
    out
}

pub fn seq(items: &[Vec<u8>]) -> Vec<u8> {
    tlv(0x30, &items.concat())
}

pub fn set(items: &[Vec<u8>]) -> Vec<u8> {
    tlv(0x31, &items.concat())
}

pub fn bits(content: &[u8]) -> Vec<u8> {
    tlv(3, &[&[0], content].concat())
}

pub fn octets(content: &[u8]) -> Vec<u8> {
    tlv(4, content)
}

pub fn oid(text: &str) -> Vec<u8> {
    tlv(6, spki::ObjectIdentifier::new_unwrap(text).as_bytes())
}

pub fn integer(number: u64) -> Vec<u8> {
    let bytes = number.to_be_bytes();
    let start = bytes.iter().position(|byte| *byte != 0).unwrap_or(7);
    let digits = &bytes[start..];
    if digits[0] < 0x80 {
        tlv(2, digits)
    } else {
        tlv(2, &[&[0], digits].concat())
    }
}

fn stamp(at: &str) -> String {
    at.parse::<Timestamp>()
        .unwrap()
        .to_string()
        .replace(['-', ':', 'T'], "")
}

/// `UTCTime` until 2049, then `GeneralizedTime`.
pub fn time(at: &str) -> Vec<u8> {
    let text = stamp(at);
    if text.as_str() < "2050" {
        tlv(0x17, &text.as_bytes()[2..])
    } else {
        tlv(0x18, text.as_bytes())
    }
}

pub fn generalized(at: &str) -> Vec<u8> {
    tlv(0x18, stamp(at).as_bytes())
}
