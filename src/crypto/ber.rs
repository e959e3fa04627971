//! From BER to DER, as far as timestamp authorities need it: indefinite lengths, and octet strings
//! in pieces.

use der::{Reader as _, SliceReader, Tag};

use super::der_reader::{trimmed, value};

/// How deep values may be nested.
const DEPTH: usize = 32;
const OCTET_STRING: u8 = 0x04;
const CONSTRUCTED: u8 = 0x20;

/// The same value with definite lengths, and octet strings in one piece: what DER has of BER's
/// freedoms that timestamp authorities use. `None` if it is no single value, or nested too deep.
pub(super) fn definite(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(bytes.len());
    let rest = convert(bytes, &mut out, 0)?;
    rest.is_empty().then_some(out)
}

/// Converts the first value of `bytes`, and gives what follows it.
fn convert<'a>(bytes: &'a [u8], out: &mut Vec<u8>, depth: usize) -> Option<&'a [u8]> {
    let (&tag, rest) = bytes.split_first()?;
    if depth > DEPTH || tag & 0x1f == 0x1f {
        return None;
    }
    let (length, rest) = length(rest)?;
    let (content, after) = match length {
        Some(length) => rest
            .split_at_checked(length)
            .map(|(content, after)| (content, Some(after)))?,
        None if tag & CONSTRUCTED != 0 => (rest, None),
        None => return None,
    };
    if tag & CONSTRUCTED == 0 {
        write(tag, content, out)?;
        return after;
    }
    let mut inner = Vec::new();
    let mut left = content;
    let after = loop {
        match (after, left) {
            (Some(after), []) => break after,
            (None, [0, 0, after @ ..]) => break after,
            _ => left = convert(left, &mut inner, depth + 1)?,
        }
    };
    if tag == OCTET_STRING | CONSTRUCTED {
        let mut whole = Vec::new();
        let mut reader = SliceReader::new(&inner).ok()?;
        while !reader.is_finished() {
            whole.extend_from_slice(value(&mut reader, Tag::OctetString).ok()?);
        }
        write(OCTET_STRING, &whole, out)?;
    } else {
        write(tag, &inner, out)?;
    }
    Some(after)
}

/// A length, `None` inside for the indefinite one, and what follows it.
fn length(bytes: &[u8]) -> Option<(Option<usize>, &[u8])> {
    let (&first, rest) = bytes.split_first()?;
    match first {
        0..0x80 => Some((Some(usize::from(first)), rest)),
        0x80 => Some((None, rest)),
        0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            Some((
                Some(
                    digits
                        .iter()
                        .fold(0, |number, byte| number << 8 | usize::from(*byte)),
                ),
                rest,
            ))
        }
        _ => None,
    }
}

fn write(tag: u8, content: &[u8], out: &mut Vec<u8>) -> Option<()> {
    out.push(tag);
    let length = u32::try_from(content.len()).ok()?;
    if let Ok(short @ 0..0x80) = u8::try_from(length) {
        out.push(short);
    } else {
        let bytes = length.to_be_bytes();
        let digits = trimmed(&bytes);
        out.push(0x80 | u8::try_from(digits.len()).ok()?);
        out.extend_from_slice(digits);
    }
    out.extend_from_slice(content);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indefinite_lengths_and_pieces_become_definite() {
        // SEQUENCE { [0] { OCTET STRING in two pieces }, INTEGER } with three indefinite lengths.
        let ber = [
            0x30, 0x80, 0xa0, 0x80, 0x24, 0x80, 4, 1, 7, 4, 2, 8, 9, 0, 0, 0, 0, 2, 0x81, 1, 5, 0,
            0,
        ];
        let der = [0x30, 10, 0xa0, 5, 4, 3, 7, 8, 9, 2, 1, 5];
        assert_eq!(definite(&ber).unwrap(), der);
        assert_eq!(definite(&der).unwrap(), der);
        for (index, _) in ber.iter().enumerate() {
            assert_eq!(definite(&ber[..index]), None, "cut at {index}");
        }
        assert_eq!(definite(&[&ber[..], &[0]].concat()), None);
        assert_eq!(definite(&[0x04, 0x80, 0, 0]), None);
        assert_eq!(
            definite(&[[0x30, 0x80].repeat(100), vec![0; 200]].concat()),
            None
        );
    }

    #[test]
    fn long_lengths_are_written_as_der_has_them() {
        let content = vec![1; 300];
        let ber = [&[0x04, 0x84, 0, 0, 1, 0x2c][..], &content].concat();
        assert_eq!(
            definite(&ber).unwrap(),
            [&[0x04, 0x82, 1, 0x2c][..], &content].concat()
        );
    }
}
