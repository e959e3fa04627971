//! Canonical JSON as notary signs it, and the form in which Go writes it to the wire.
//!
//! Signatures are over the canonical form of what was parsed, made once, so no second parser can read
//! anything else out of the same bytes (T26). Refused: duplicate names, numbers with a fraction or beyond
//! 2^53 (Go passes them through a 64-bit float), lone surrogates, invalid UTF-8, text after the value, and
//! whatever is nested or split up so far that memory would pay for it.

/// How deep lists and objects may be nested.
const DEPTH: usize = 64;
/// How many values one document may hold; 64 MiB of real trust data hold fewer than 3 million.
const VALUES: usize = 4_000_000;
/// The largest magnitude that a 64-bit float holds with all smaller integers.
const LARGEST: i64 = 1 << 53;

/// A JSON value.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Value {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number written as an integer.
    Integer(i64),
    /// A whole number written with a point or an exponent (`1.0`, `1e3`): printed as an integer, but no
    /// reader takes it where it wants one, as in Go.
    Whole(i64),
    /// A string, unescaped.
    String(String),
    /// A list.
    Array(Vec<Self>),
    /// An object.
    Object(Object),
}

/// The members of an object, in the order of their names' UTF-8 bytes, each name once. A sorted list,
/// because 60,000 tags as maps of maps would need five times the memory.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Object(Vec<(String, Value)>);

/// Why bytes are no JSON that this program reads.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum InvalidJson {
    /// Not UTF-8.
    #[error("not UTF-8 at byte {0}")]
    Utf8(usize),
    /// Not the grammar of JSON.
    #[error("no JSON at byte {0}")]
    Syntax(usize),
    /// One name twice in an object.
    #[error("the name `{0}` twice in one object")]
    Duplicate(String),
    /// A number with a fraction, or too large to be the same for every reader.
    #[error("a number that is no integer of at most 2^53 at byte {0}")]
    Number(usize),
    /// Lists and objects nested too deep.
    #[error("nested deeper than {DEPTH} levels")]
    Depth,
    /// More values than any trust data holds.
    #[error("more than {VALUES} values")]
    Values,
}

/// Reads one JSON document.
pub fn parse(bytes: &[u8]) -> Result<Value, InvalidJson> {
    let text = str::from_utf8(bytes).map_err(|error| InvalidJson::Utf8(error.valid_up_to()))?;
    let mut reader = Reader { text, at: 0, depth: 0, values: 0 };
    reader.skip_space();
    let value = reader.value()?;
    reader.skip_space();
    if reader.at == text.len() { Ok(value) } else { Err(reader.syntax()) }
}

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

/// The wire form of canonical bytes. The five characters stand in strings only, so no parsing is needed.
pub(super) fn wire(canonical: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(canonical.len() + 256);
    let mut rest = canonical;
    loop {
        let plain = rest.iter().take_while(|byte| !matches!(byte, b'<' | b'>' | b'&' | 0xe2)).count();
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
        Value::Object(Object(members)) => {
            let mut separator = '{';
            for (name, value) in members {
                out.push(separator);
                write_string(name, out);
                out.push(':');
                write(value, out);
                separator = ',';
            }
            out.push_str(if members.is_empty() { "{}" } else { "}" });
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

impl Object {
    /// Takes a member out.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        let at = self.0.binary_search_by(|(other, _)| other.as_str().cmp(name)).ok()?;
        Some(self.0.remove(at).1)
    }

    /// A member.
    pub fn get(&self, name: &str) -> Option<&Value> {
        let at = self.0.binary_search_by(|(other, _)| other.as_str().cmp(name)).ok()?;
        self.0.get(at).map(|(_, value)| value)
    }

    /// The names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    fn sorted(mut members: Vec<(String, Value)>) -> Result<Self, InvalidJson> {
        if !members.is_sorted_by(|(one, _), (next, _)| one < next) {
            members.sort_by(|(one, _), (next, _)| one.cmp(next));
            let twice = members.iter().zip(members.iter().skip(1)).find(|((one, _), (next, _))| one == next);
            if let Some(((name, _), _)) = twice {
                return Err(InvalidJson::Duplicate(name.chars().take(100).collect()));
            }
        }
        members.shrink_to_fit();
        Ok(Self(members))
    }
}

/// Of members in any order; of a name given twice the last one counts.
impl FromIterator<(String, Value)> for Object {
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(members: I) -> Self {
        let mut members: Vec<_> = members.into_iter().collect();
        if !members.is_sorted_by(|(one, _), (next, _)| one < next) {
            members.reverse();
            members.sort_by(|(one, _), (next, _)| one.cmp(next));
            members.dedup_by(|(one, _), (next, _)| one == next);
        }
        Self(members)
    }
}

impl IntoIterator for Object {
    type Item = (String, Value);
    type IntoIter = std::vec::IntoIter<(String, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    values: usize,
}

impl<'a> Reader<'a> {
    fn value(&mut self) -> Result<Value, InvalidJson> {
        self.values += 1;
        if self.values > VALUES {
            return Err(InvalidJson::Values);
        }
        match self.peek() {
            Some(b'{') => self.nested(Self::object),
            Some(b'[') => self.nested(Self::array),
            Some(b'"') => self.string().map(Value::String),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b'n') => self.word("null", Value::Null),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(_) | None => Err(self.syntax()),
        }
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<Value, InvalidJson>) -> Result<Value, InvalidJson> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(InvalidJson::Depth);
        }
        self.at += 1;
        self.skip_space();
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }

    fn object(&mut self) -> Result<Value, InvalidJson> {
        let mut members = Vec::new();
        if !self.take(b'}') {
            loop {
                if self.peek() != Some(b'"') {
                    return Err(self.syntax());
                }
                let name = self.string()?;
                self.skip_space();
                self.expect(b':')?;
                self.skip_space();
                members.push((name, self.value()?));
                self.skip_space();
                if self.take(b'}') {
                    break;
                }
                self.expect(b',')?;
                self.skip_space();
            }
        }
        Object::sorted(members).map(Value::Object)
    }

    fn array(&mut self) -> Result<Value, InvalidJson> {
        let mut list = Vec::new();
        if !self.take(b']') {
            loop {
                list.push(self.value()?);
                self.skip_space();
                if self.take(b']') {
                    break;
                }
                self.expect(b',')?;
                self.skip_space();
            }
        }
        list.shrink_to_fit();
        Ok(Value::Array(list))
    }

    fn string(&mut self) -> Result<String, InvalidJson> {
        self.at += 1;
        let mut text = String::new();
        loop {
            let rest = self.rest();
            let plain = rest.bytes().take_while(|byte| !matches!(byte, b'"' | b'\\' | 0..=0x1f)).count();
            let (before, special) = rest.split_at(plain);
            text.push_str(before);
            self.at += plain;
            match special.bytes().next() {
                Some(b'"') => {
                    self.at += 1;
                    text.shrink_to_fit();
                    return Ok(text);
                }
                Some(b'\\') => {
                    self.at += 1;
                    text.push(self.escape()?);
                }
                Some(_) | None => return Err(self.syntax()),
            }
        }
    }

    fn escape(&mut self) -> Result<char, InvalidJson> {
        let letter = self.peek().ok_or_else(|| self.syntax())?;
        self.at += 1;
        match letter {
            b'"' | b'\\' | b'/' => Ok(char::from(letter)),
            b'b' => Ok('\u{8}'),
            b'f' => Ok('\u{c}'),
            b'n' => Ok('\n'),
            b'r' => Ok('\r'),
            b't' => Ok('\t'),
            b'u' => self.unicode(),
            _ => Err(InvalidJson::Syntax(self.at - 1)),
        }
    }

    /// A `\u` escape, with its second half where it is a surrogate. Go makes U+FFFD of a lone surrogate; that
    /// is another text than was written, so it is refused.
    fn unicode(&mut self) -> Result<char, InvalidJson> {
        let start = self.at;
        let lone = || InvalidJson::Syntax(start);
        let first = self.hex4()?;
        let code = match first {
            0xd800..=0xdbff => {
                self.expect(b'\\')?;
                self.expect(b'u')?;
                let second = self.hex4()?.checked_sub(0xdc00).filter(|low| *low < 0x400).ok_or_else(lone)?;
                0x1_0000 + ((first - 0xd800) << 10) + second
            }
            _ => first,
        };
        char::from_u32(code).ok_or_else(lone)
    }

    fn hex4(&mut self) -> Result<u32, InvalidJson> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16)).ok_or_else(|| self.syntax())?;
            code = code << 4 | digit;
            self.at += 1;
        }
        Ok(code)
    }

    fn number(&mut self) -> Result<Value, InvalidJson> {
        let start = self.at;
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        let integer = self.at;
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _signed = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        let text = self.text.get(start..self.at).ok_or_else(|| self.syntax())?;
        let small = |number: &i64| number.unsigned_abs() <= LARGEST.unsigned_abs();
        let number = if self.at == integer {
            text.parse().ok().filter(small).map(Value::Integer)
        } else {
            whole(text).filter(small).map(Value::Whole)
        };
        number.ok_or(InvalidJson::Number(start))
    }

    fn digits(&mut self) -> Result<(), InvalidJson> {
        let count = self.rest().bytes().take_while(u8::is_ascii_digit).count();
        self.at += count;
        if count == 0 { Err(self.syntax()) } else { Ok(()) }
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, InvalidJson> {
        if !self.rest().starts_with(word) {
            return Err(self.syntax());
        }
        self.at += word.len();
        Ok(value)
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, byte: u8) -> Result<(), InvalidJson> {
        if self.take(byte) { Ok(()) } else { Err(self.syntax()) }
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn syntax(&self) -> InvalidJson {
        InvalidJson::Syntax(self.at)
    }
}

/// The value of a number with a point or an exponent, when it is whole. Decimal arithmetic: a float would
/// call `1.00000000000000001` whole.
fn whole(text: &str) -> Option<i64> {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (units, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let fraction = fraction.trim_end_matches('0');
    let digits = format!("{units}{fraction}");
    let significant = digits.trim_end_matches('0');
    if significant.is_empty() || significant == "-" {
        return Some(0);
    }
    let zeros = i64::try_from(digits.len() - significant.len()).ok()?;
    let scale = exponent.parse::<i64>().ok()?.checked_sub(i64::try_from(fraction.len()).ok()?)?.checked_add(zeros)?;
    let scale = u32::try_from(scale).ok()?;
    significant.parse::<i64>().ok()?.checked_mul(10_i64.checked_pow(scale)?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn vectors_of_notary() {
        let bytes = include_bytes!("../../../tests/fixtures/dct/vectors.json");
        let vectors: serde_json::Value = serde_json::from_slice(bytes).unwrap();
        for vector in vectors["canonical_json"].as_array().unwrap() {
            let text = |name: &str| vector[name].as_str().unwrap();
            let value = parse(text("json").as_bytes()).unwrap();
            assert_eq!(String::from_utf8(canonical(&value)).unwrap(), text("canonical"), "{}", text("name"));
            assert_eq!(String::from_utf8(go_form(&value)).unwrap(), text("wire_signed"), "{}", text("name"));
        }
    }

    #[test]
    fn t26_tricky_documents_that_are_read() {
        for (given, form) in [
            (r#"{"b":1,"a":2,"A":3,"_":4,"aa":5}"#, r#"{"A":3,"_":4,"a":2,"aa":5,"b":1}"#),
            (r#"{"\u0062":1,"a":2}"#, r#"{"a":2,"b":1}"#),
            ("{\"\\uffff\":1,\"\\ud83d\\ude00\":2}", "{\"\u{ffff}\":1,\"\u{1f600}\":2}"),
            (r#""\/\b""#, "\"/\u{8}\""),
            (r#""\\\"""#, r#""\\\"""#),
            (r"[1.0,1e3,1E+2,100e-2,-0,0.0e9,12.50e1,-1.0]", "[1,1000,100,1,0,0,125,-1]"),
            ("[9007199254740992,-9007199254740992]", "[9007199254740992,-9007199254740992]"),
            (" [ { } , [ ] , null , true , false ]\r\n\t", "[{},[],null,true,false]"),
            (r#"{"":{"":""}}"#, r#"{"":{"":""}}"#),
            ("\"\u{7f}\u{2028}<>&\"", "\"\u{7f}\u{2028}<>&\""),
        ] {
            assert_eq!(String::from_utf8(canonical(&parse(given.as_bytes()).unwrap())).unwrap(), form, "{given}");
        }
    }

    #[test]
    fn t26_tricky_documents_that_are_refused() {
        let syntax = [
            "",
            " ",
            "{",
            "[1,]",
            r#"{"a":1,}"#,
            "{a:1}",
            "{'a':1}",
            "01",
            "-",
            "1.",
            ".5",
            "+1",
            "1e",
            "NaN",
            "Infinity",
            "nul",
            "[1 2]",
            "{}{}",
            "null x",
            "\u{feff}{}",
            "\"\n\"",
            "\"\0\"",
            r#""\x""#,
            r#""\u12""#,
            r#""\ud800""#,
            r#""\ud800\u0041""#,
            r#""\udc00""#,
            r#"{"a" 1}"#,
            r#"{"a":1 "b":2}"#,
            "\"open",
            "[1]]",
            "// note\n1",
            "0x10",
            "\u{a0}1",
        ];
        for given in syntax {
            assert!(
                matches!(parse(given.as_bytes()), Err(InvalidJson::Syntax(_))),
                "{given:?} {:?}",
                parse(given.as_bytes())
            );
        }
        for given in [
            "1.5",
            "1e-1",
            "1.00000000000000001",
            "9007199254740993",
            "-9007199254740993",
            "1e16",
            "1e400",
            "99999999999999999999",
            "1e99999999999999999999",
            "0.1e0",
            "5e-324",
        ] {
            assert_eq!(parse(given.as_bytes()), Err(InvalidJson::Number(0)), "{given}");
        }
        for given in [r#"{"a":1,"a":1}"#, r#"{"a":1,"b":2,"\u0061":3}"#, r#"{"b":1,"a":2,"a":3,"c":4}"#] {
            assert_eq!(parse(given.as_bytes()), Err(InvalidJson::Duplicate("a".into())), "{given}");
        }
        assert_eq!(parse(b"\"\xff\""), Err(InvalidJson::Utf8(1)));
        assert_eq!(parse(b"\"\xed\xa0\x80\""), Err(InvalidJson::Utf8(1)));
    }

    #[test]
    fn t26_a_whole_number_that_is_no_integer_is_kept_apart() {
        assert_eq!(parse(b"1.0"), Ok(Value::Whole(1)));
        assert_eq!(parse(b"1"), Ok(Value::Integer(1)));
    }

    #[test]
    fn depth_and_number_of_values_are_bounded() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(parse(nested(DEPTH).as_bytes()).is_ok());
        assert_eq!(parse(nested(DEPTH + 1).as_bytes()), Err(InvalidJson::Depth));
        assert_eq!(parse("{\"a\":".repeat(1_000_000).as_bytes()), Err(InvalidJson::Depth));
        let many = format!("[{}0]", "0,".repeat(VALUES));
        assert_eq!(parse(many.as_bytes()), Err(InvalidJson::Values));
    }

    #[test]
    fn an_object_finds_its_members() {
        let Value::Object(mut object) = parse(br#"{"c":3,"a":1,"b":2}"#).unwrap() else { panic!("no object") };
        assert_eq!(object.names().collect::<Vec<_>>(), ["a", "b", "c"]);
        assert_eq!(object.get("b"), Some(&Value::Integer(2)));
        assert_eq!(object.remove("b"), Some(Value::Integer(2)));
        assert_eq!(object.remove("b"), None);
        assert_eq!(object.into_iter().count(), 2);
        let twice =
            ["b", "a", "b"].into_iter().zip(1..).map(|(name, number)| (name.to_owned(), Value::Integer(number)));
        let object: Object = twice.collect();
        assert_eq!(canonical(&Value::Object(object)), br#"{"a":2,"b":3}"#);
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
            prop_assert_eq!(parse(&canonical(&value)).unwrap(), value.clone());
            prop_assert_eq!(parse(&go_form(&value)).unwrap(), value);
        }

        #[test]
        fn canonical_form_is_its_own_canonical_form(value in values()) {
            let once = canonical(&value);
            prop_assert_eq!(canonical(&parse(&once).unwrap()), once);
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&bytes);
        }

        #[test]
        fn arbitrary_json_like_text_never_panics(text in r#"[\[\]{}:,"\\u0-9a-f.eE+\- ]{0,60}"#) {
            let _ = parse(text.as_bytes());
        }
    }
}
