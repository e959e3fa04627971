//! The spellings in which a secret may come back: what was sent in a form, quoted in JSON, put into an address or
//! a page, or encoded. Each character is compared in all its spellings, so that a text that mixes them is found as
//! well.

use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD},
};
use zeroize::Zeroizing;

/// An encoding of fewer characters than this is not searched: it would stand in other words.
const SHORTEST_ENCODING: usize = 6;

/// How one secret is found.
pub(super) struct Spelling {
    /// The secret itself, and what base64 makes of it.
    literal: Vec<Literal>,
    /// Its bytes in lower-case hexadecimal.
    hex: Zeroizing<String>,
}

/// A text of which each character may be escaped.
struct Literal {
    text: Zeroizing<String>,
    /// In base64: what follows the last whole character belongs to the secret, and so does the padding.
    encoded: bool,
}

impl Spelling {
    pub(super) fn new(secret: &str) -> Self {
        let mut literal = vec![Literal {
            text: Zeroizing::new(secret.to_owned()),
            encoded: false,
        }];
        for alignment in 0..3 {
            for text in base64_cores(secret, alignment) {
                if text.len() >= SHORTEST_ENCODING && literal.iter().all(|one| *one.text != *text) {
                    literal.push(Literal {
                        text,
                        encoded: true,
                    });
                }
            }
        }
        let hex = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
        Self {
            literal,
            hex: Zeroizing::new(hex),
        }
    }

    /// `bytes` with `***` wherever the secret stands.
    pub(super) fn replace(&self, bytes: Vec<u8>) -> Vec<u8> {
        let mut out = Vec::new();
        let mut kept = 0;
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            let Some(length) = self.length_at(rest) else {
                at += 1;
                continue;
            };
            out.extend_from_slice(bytes.get(kept..at).unwrap_or_default());
            out.extend_from_slice(b"***");
            at += length;
            kept = at;
        }
        if kept == 0 {
            return bytes;
        }
        out.extend_from_slice(bytes.get(kept..).unwrap_or_default());
        out
    }

    /// How many bytes at the beginning of `text` are the secret, in the spelling that takes most.
    fn length_at(&self, text: &[u8]) -> Option<usize> {
        let literal = self.literal.iter().filter_map(|one| one.length_at(text));
        let hex = text
            .get(..self.hex.len())
            .filter(|part| {
                self.hex.len() >= SHORTEST_ENCODING
                    && part.eq_ignore_ascii_case(self.hex.as_bytes())
            })
            .map(<[u8]>::len);
        literal.chain(hex).max()
    }
}

impl Literal {
    /// The longest spelling: `&` may stand for itself, or begin `&amp;`, so all readings are followed.
    fn length_at(&self, text: &[u8]) -> Option<usize> {
        let mut ends = vec![0];
        for c in self.text.chars() {
            let mut next = Vec::new();
            for end in ends {
                let rest = text.get(end..).unwrap_or_default();
                next.extend(spellings(c, rest).into_iter().map(|length| end + length));
            }
            next.sort_unstable();
            next.dedup();
            ends = next;
            if ends.is_empty() {
                return None;
            }
        }
        let mut end = ends.last().copied()?;
        if self.encoded {
            let rest = text.get(end..).unwrap_or_default();
            let is_partial = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/-_".contains(byte);
            end += usize::from(rest.first().is_some_and(is_partial));
            let padding = text.get(end..).unwrap_or_default().iter();
            end += padding.take_while(|byte| **byte == b'=').take(2).count();
        }
        Some(end)
    }
}

/// The characters of base64 that depend on the secret alone where `alignment` bytes stand before it, in both
/// alphabets.
fn base64_cores(secret: &str, alignment: usize) -> [Zeroizing<String>; 2] {
    let mut bytes = Zeroizing::new(vec![0; alignment]);
    bytes.extend_from_slice(secret.as_bytes());
    // Six bits a character: the first ones belong to what stands before, the last to what follows.
    let (from, to) = ((alignment * 8).div_ceil(6), bytes.len() * 8 / 6);
    [BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD].map(|engine| {
        let encoded = Zeroizing::new(engine.encode(&*bytes));
        Zeroizing::new(encoded.get(from..to).unwrap_or_default().to_owned())
    })
}

/// How many bytes at the beginning of `text` spell this character: each way in which they can be read.
fn spellings(c: char, text: &[u8]) -> Vec<usize> {
    let mut buffer = [0; 4];
    let utf8 = c.encode_utf8(&mut buffer).as_bytes();
    let mut found = Vec::new();
    if text.starts_with(utf8) {
        found.push(utf8.len());
    }
    match text.first() {
        Some(b'\\') => backslashes(c, text, &mut found),
        Some(b'%') => found.extend(percent(utf8, text)),
        Some(b'&') => found.extend(html(c, text)),
        // In a form a space is a plus sign.
        Some(b'+') if c == ' ' => found.push(1),
        // A line break may have got a carriage return.
        Some(b'\r') if c == '\n' && text.starts_with(b"\r\n") => found.push(2),
        _ => {}
    }
    found
}

/// The escapes of JSON, written once or twice: `\n`, `\/`, `\u002f`, each with one to three backslashes.
fn backslashes(c: char, text: &[u8], found: &mut Vec<usize>) {
    let count = text.iter().take_while(|byte| **byte == b'\\').count();
    let short = match c {
        '\n' => Some(b'n'),
        '\r' => Some(b'r'),
        '\t' => Some(b't'),
        '\u{8}' => Some(b'b'),
        '\u{c}' => Some(b'f'),
        '"' => Some(b'"'),
        '/' => Some(b'/'),
        // One backslash is two in JSON, and four in JSON within JSON.
        '\\' => {
            found.extend([2, 4].into_iter().filter(|length| *length <= count));
            None
        }
        _ => None,
    };
    if count <= 3 && short.is_some() && text.get(count) == short.as_ref() {
        found.push(count + 1);
    }
    found.extend(by_number(c, count, text));
}

/// `\uXXXX`, in one or two units of UTF-16, the digits in any case.
fn by_number(c: char, count: usize, text: &[u8]) -> Option<usize> {
    let mut units = [0; 2];
    let mut at = 0;
    for unit in c.encode_utf16(&mut units) {
        let backslashes = text.get(at..at + count)?;
        if count == 0 || count > 3 || backslashes.iter().any(|byte| *byte != b'\\') {
            return None;
        }
        at += count;
        let escape = format!("u{unit:04x}");
        let found = text.get(at..at + escape.len())?;
        if !found.eq_ignore_ascii_case(escape.as_bytes()) {
            return None;
        }
        at += escape.len();
    }
    Some(at)
}

/// `%2B`, and `%252B` where it was encoded once more.
fn percent(utf8: &[u8], text: &[u8]) -> Option<usize> {
    let mut at = 0;
    for byte in utf8 {
        let rest = text.get(at..)?;
        let length = ["%", "%25"].into_iter().find_map(|mark| {
            let escape = format!("{mark}{byte:02x}");
            let found = rest.get(..escape.len())?;
            found
                .eq_ignore_ascii_case(escape.as_bytes())
                .then_some(escape.len())
        })?;
        at += length;
    }
    Some(at)
}

/// `&amp;`, `&#38;`, `&#x26;` and the like.
fn html(c: char, text: &[u8]) -> Option<usize> {
    let names: &[&str] = match c {
        '&' => &["amp"],
        '<' => &["lt"],
        '>' => &["gt"],
        '"' => &["quot"],
        '\'' => &["apos"],
        '+' => &["plus"],
        '/' => &["sol"],
        '=' => &["equals"],
        _ => &[],
    };
    let end = text.iter().take(12).position(|byte| *byte == b';')?;
    let inner = std::str::from_utf8(text.get(1..end)?).ok()?;
    let number = match inner.strip_prefix('#') {
        Some(number) => match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok(),
            None => number.parse().ok(),
        },
        None => None,
    };
    (number == Some(c.into()) || names.contains(&inner)).then_some(end + 1)
}

#[cfg(test)]
mod tests {
    use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE};

    use super::*;

    const SECRET: &str = "id+token/Canary \"ä\\€😀\"&<0123>\n==";

    fn hidden(secret: &str, text: &str) -> String {
        String::from_utf8(Spelling::new(secret).replace(text.into())).unwrap()
    }

    fn json(text: &str) -> String {
        let quoted = serde_json::Value::from(text).to_string();
        quoted[1..quoted.len() - 1].to_owned()
    }

    fn escaped(text: &str, upper: bool) -> String {
        let unit = |unit| {
            if upper {
                format!("\\u{unit:04X}")
            } else {
                format!("\\u{unit:04x}")
            }
        };
        text.encode_utf16().map(unit).collect()
    }

    fn percent_encoded(text: &str, upper: bool) -> String {
        let byte = |byte| {
            if upper {
                format!("%{byte:02X}")
            } else {
                format!("%{byte:02x}")
            }
        };
        text.bytes().map(byte).collect()
    }

    #[test]
    fn p06_every_spelling_of_a_secret_is_found() {
        let form: String = url::form_urlencoded::byte_serialize(SECRET.as_bytes()).collect();
        let page = SECRET
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
            .replace('"', "&quot;");
        let numbers: String = SECRET
            .chars()
            .map(|c| format!("&#{};", u32::from(c)))
            .collect();
        let hex: String = SECRET.bytes().map(|byte| format!("{byte:02x}")).collect();
        for spelling in [
            SECRET.to_owned(),
            json(SECRET),
            json(&json(SECRET)),
            json(SECRET).replace('/', "\\/"),
            json(&json(SECRET).replace('/', "\\/")),
            escaped(SECRET, true),
            escaped(SECRET, false),
            json(&escaped(SECRET, false)),
            form.to_lowercase().replace("canary", "Canary"),
            form.clone(),
            form.replace('%', "%25"),
            percent_encoded(SECRET, true),
            percent_encoded(SECRET, false),
            page,
            numbers,
            hex.to_uppercase(),
            hex,
        ] {
            assert_eq!(
                hidden(SECRET, &format!("a {spelling} b")),
                "a *** b",
                "{spelling}"
            );
        }
    }

    #[test]
    fn p06_base64_is_found_wherever_in_a_text_the_secret_stood() {
        for secret in [
            "secret-canary-01",
            "secret-canary-012",
            "secret-canary-0123",
            SECRET,
        ] {
            for before in ["", "u", "us", "user:"] {
                for after in ["", "x", "xy", "xyz"] {
                    let text = format!("{before}{secret}{after}");
                    for encoded in [
                        BASE64_STANDARD.encode(&text),
                        BASE64_STANDARD_NO_PAD.encode(&text),
                        BASE64_URL_SAFE.encode(&text),
                        BASE64_URL_SAFE_NO_PAD.encode(&text),
                    ] {
                        let left = hidden(secret, &encoded);
                        assert!(left.contains("***"), "{encoded}: {left}");
                        assert!(
                            left.len() <= 3 + before.len() * 2 + after.len() * 2 + 4,
                            "{left}"
                        );
                    }
                }
            }
        }
        let all = BASE64_STANDARD.encode("secret-canary-01");
        assert_eq!(hidden("secret-canary-01", &format!("{all}.")), "***.");
        // The alphabet's own characters may be escaped once more.
        let slashes = BASE64_STANDARD.encode("??>??>secret??>");
        assert_eq!(
            hidden("??>??>secret??>", &slashes.replace('/', "\\/")),
            "***"
        );
        assert_eq!(
            hidden("??>??>secret??>", &slashes.replace('/', "%2F")),
            "***"
        );
    }

    #[test]
    fn p06_what_is_not_the_secret_stays() {
        for text in [
            "id+token/Canar",
            "canary",
            "",
            "\\",
            "%",
            "&#;",
            "\\u00",
            "Y2FuYXI=",
        ] {
            assert_eq!(hidden("canary-1", text), text);
        }
        assert_eq!(hidden("canary", "a%63anary"), "a***");
        // What looks like an escape may be the secret itself.
        for secret in ["a&amp;b%41c\\n\\u0041", "\\\\\\\"x"] {
            assert_eq!(hidden(secret, secret), "***");
            assert_eq!(hidden(secret, &json(secret)), "***");
        }
        assert_eq!(hidden("canary", "\u{e4}canary\u{e4}"), "\u{e4}***\u{e4}");
    }

    #[test]
    fn p06_bytes_that_are_no_text_are_searched_as_well() {
        let bytes = [&[0xff, 0xfe][..], b"canary", &[0xff]].concat();
        assert_eq!(
            Spelling::new("canary").replace(bytes),
            [&[0xff, 0xfe][..], b"***", &[0xff]].concat()
        );
    }
}
