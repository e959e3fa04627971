//! Canonical JSON as notary signs it, and the form in which Go writes it to the wire.
//!
//! Signatures are over the canonical form of what was parsed, made once.

use crate::format::json::Value;

/// The bytes that are signed: sorted, compact, only `"` and `\` escaped.
pub fn canonical(value: &Value) -> Vec<u8> {
    let mut out = String::new();
    write(value, &mut out);
    out.into_bytes()
}

/// The bytes that go over the wire: the canonical form with Go's five escapes.
pub fn go_form(value: &Value) -> Vec<u8> {
    wire(&canonical(value))
}

/// The wire form of canonical bytes. The five characters stand in strings only, so no parsing is
/// needed.
pub(super) fn wire(canonical: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(canonical.len() + 256);
    let mut rest = canonical;
    loop {
        let plain = rest
            .iter()
            .take_while(|byte| !matches!(byte, b'<' | b'>' | b'&' | 0xe2))
            .count();
        let (before, special) = rest.split_at(plain);
        out.extend_from_slice(before);
        let (escape, length): (&[u8], usize) = match special {
            [b'<', ..] => (b"\\u003c", 1),
            [b'>', ..] => (b"\\u003e", 1),
            [b'&', ..] => (b"\\u0026", 1),
            [0xe2, 0x80, 0xa8, ..] => (b"\\u2028", 3),
            [0xe2, 0x80, 0xa9, ..] => (b"\\u2029", 3),
            [_, ..] => (special.split_at(1).0, 1),
            [] => return out,
        };
        out.extend_from_slice(escape);
        rest = special.split_at(length).1;
    }
}

fn write(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Integer(number) | Value::Whole(number) => out.push_str(&number.to_string()),
        // Trust data is read by `parse_exact`, which leaves no such number.
        Value::Other(text) => out.push_str(text),
        Value::String(text) => write_string(text, out),
        Value::Array(list) => {
            let mut separator = '[';
            for value in list {
                out.push(separator);
                write(value, out);
                separator = ',';
            }
            out.push_str(if list.is_empty() { "[]" } else { "]" });
        }
        Value::Object(members) => {
            let mut separator = '{';
            for (name, value) in members.iter() {
                out.push(separator);
                write_string(name, out);
                out.push(':');
                write(value, out);
                separator = ',';
            }
            out.push_str(if separator == '{' { "{}" } else { "}" });
        }
    }
}

fn write_string(text: &str, out: &mut String) {
    out.push('"');
    for part in text.split_inclusive(['"', '\\']) {
        match part.strip_suffix(['"', '\\']) {
            Some(plain) => {
                out.push_str(plain);
                out.push('\\');
                out.push_str(part.split_at(plain.len()).1);
            }
            None => out.push_str(part),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::format::json::{LARGEST, parse_exact};

    #[test]
    fn vectors_of_notary() {
        let bytes = include_bytes!("../../../tests/fixtures/dct/vectors.json");
        let vectors: serde_json::Value = serde_json::from_slice(bytes).unwrap();
        for vector in vectors["canonical_json"].as_array().unwrap() {
            let text = |name: &str| vector[name].as_str().unwrap();
            let value = parse_exact(text("json").as_bytes()).unwrap();
            assert_eq!(
                String::from_utf8(canonical(&value)).unwrap(),
                text("canonical"),
                "{}",
                text("name")
            );
            assert_eq!(
                String::from_utf8(go_form(&value)).unwrap(),
                text("wire_signed"),
                "{}",
                text("name")
            );
        }
    }

    fn values() -> impl Strategy<Value = Value> {
        let text = "[^\\p{Cc}]{0,8}|[<>&\"\\\\/\u{2028}\u{2029}]{0,5}";
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            (-LARGEST..=LARGEST).prop_map(Value::Integer),
            text.prop_map(Value::String),
        ];
        leaf.prop_recursive(5, 60, 8, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..8).prop_map(Value::Array),
                prop::collection::vec((text, inner), 0..8)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn t26_what_is_printed_is_parsed_to_the_same(value in values()) {
            prop_assert_eq!(parse_exact(&canonical(&value)).unwrap(), value.clone());
            prop_assert_eq!(parse_exact(&go_form(&value)).unwrap(), value);
        }

        #[test]
        fn canonical_form_is_its_own_canonical_form(value in values()) {
            let once = canonical(&value);
            prop_assert_eq!(canonical(&parse_exact(&once).unwrap()), once);
        }
    }
}
