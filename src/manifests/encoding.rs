//! Bytes of a manifest as text: UTF-8, or UTF-16 with a byte order mark, as `Out-File` of Windows PowerShell writes it.

/// How a file is encoded, so that it can be written back the same way.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Encoding {
    /// With or without a mark, which is part of the text.
    Utf8,
    /// Little endian, with a mark.
    Utf16Le,
    /// Big endian, with a mark.
    Utf16Be,
}

/// Bytes that are not text in any of the encodings.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("neither UTF-8 nor UTF-16 with a byte order mark")]
pub struct NotText;

impl Encoding {
    /// The text of a file, and how it is encoded.
    pub fn decode(bytes: Vec<u8>) -> Result<(String, Self), NotText> {
        let (encoding, units) = match bytes.as_slice() {
            // UTF-32, which begins as UTF-16 does.
            [0xff, 0xfe, 0, 0, ..] => return Err(NotText),
            [0xff, 0xfe, units @ ..] => (Self::Utf16Le, units),
            [0xfe, 0xff, units @ ..] => (Self::Utf16Be, units),
            _ => {
                let text = String::from_utf8(bytes).map_err(|_| NotText)?;
                return Ok((text, Self::Utf8));
            }
        };
        let (pairs, rest) = units.as_chunks::<2>();
        // Readers that split bytes at lines would see a document of its own behind it.
        let splits = units.windows(4).any(|bytes| bytes == b"\n---");
        if !rest.is_empty() || splits {
            return Err(NotText);
        }
        let units = pairs.iter().map(|pair| match encoding {
            Self::Utf16Be => u16::from_be_bytes(*pair),
            Self::Utf16Le | Self::Utf8 => u16::from_le_bytes(*pair),
        });
        let text: Result<String, _> = char::decode_utf16(units).collect();
        Ok((text.map_err(|_| NotText)?, encoding))
    }

    /// The bytes of a text.
    pub fn encode(self, text: &str) -> Vec<u8> {
        let marked = |mark: [u8; 2], bytes: fn(u16) -> [u8; 2]| {
            let units = text.encode_utf16().flat_map(bytes);
            mark.into_iter().chain(units).collect()
        };
        match self {
            Self::Utf8 => text.as_bytes().to_vec(),
            Self::Utf16Le => marked([0xff, 0xfe], u16::to_le_bytes),
            Self::Utf16Be => marked([0xfe, 0xff], u16::to_be_bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_encoding_comes_back_as_it_was() {
        for encoding in [Encoding::Utf8, Encoding::Utf16Le, Encoding::Utf16Be] {
            for text in ["", "a: 1\r\n", "ä: \u{1f680}\n"] {
                let bytes = encoding.encode(text);
                let decoded = Encoding::decode(bytes.clone()).unwrap();
                assert_eq!(decoded, (text.to_owned(), encoding));
            }
        }
    }

    #[test]
    fn what_is_not_text() {
        for bytes in [
            b"a: \xe4\n".as_slice(),
            &[0xff, 0xfe, 0x41],
            &[0xff, 0xfe, 0x00, 0xd8],
            &[0xfe, 0xff, 0xdc, 0x00],
            &[0xff, 0xfe, 0, 0, 0x41, 0, 0, 0],
            b"\xff\xfe#\0\n---\n\na: b",
        ] {
            assert_eq!(Encoding::decode(bytes.to_vec()), Err(NotText));
        }
    }
}
