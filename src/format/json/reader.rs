//! Reading JSON strictly, so that no second parser can read anything else out of the same bytes
//! (T26).
//!
//! Refused: duplicate names, lone surrogates, invalid UTF-8, text after the value, and whatever is
//! nested or split up so far that memory would pay for it. [`parse_exact`] refuses numbers with a
//! fraction or beyond 2^53 as well: trust data is signed in a form that is written anew from what
//! was read.

use super::value::{DEPTH, InvalidJson, LARGEST, Object, VALUES, Value};

/// Reads one document. A number that is not an integer of at most 2^53 is kept as [`Value::Other`].
pub fn parse(bytes: &[u8]) -> Result<Value, InvalidJson> {
    document(bytes, Numbers::Any)
}

/// Reads one document whose numbers are all integers of at most 2^53 and so the same for every
/// reader.
pub fn parse_exact(bytes: &[u8]) -> Result<Value, InvalidJson> {
    document(bytes, Numbers::Exact)
}

/// Reads one document that is an object, as [`parse`] does.
pub fn parse_object(bytes: &[u8]) -> Result<Object, InvalidJson> {
    match parse(bytes)? {
        Value::Object(members) => Ok(members),
        _ => Err(InvalidJson::NotAnObject),
    }
}

fn document(bytes: &[u8], numbers: Numbers) -> Result<Value, InvalidJson> {
    let text = str::from_utf8(bytes).map_err(|error| InvalidJson::Utf8(error.valid_up_to()))?;
    let mut reader = Reader {
        text,
        numbers,
        at: 0,
        depth: 0,
        values: 0,
    };
    reader.skip_space();
    let value = reader.value()?;
    reader.skip_space();
    if reader.at == text.len() {
        Ok(value)
    } else {
        Err(reader.syntax())
    }
}

/// Which numbers a document may hold.
#[derive(Clone, Copy)]
enum Numbers {
    Any,
    Exact,
}

struct Reader<'a> {
    text: &'a str,
    numbers: Numbers,
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

    fn nested(
        &mut self,
        read: fn(&mut Self) -> Result<Value, InvalidJson>,
    ) -> Result<Value, InvalidJson> {
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
            let plain = rest
                .bytes()
                .take_while(|byte| !matches!(byte, b'"' | b'\\' | 0..=0x1f))
                .count();
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

    /// A `\u` escape, with its second half where it is a surrogate. Go makes U+FFFD of a lone
    /// surrogate; that is another text than was written, so it is refused.
    fn unicode(&mut self) -> Result<char, InvalidJson> {
        let start = self.at;
        let first = self.hex4()?;
        let code = match first {
            0xd800..=0xdbff => {
                self.expect(b'\\')?;
                self.expect(b'u')?;
                let second = self
                    .hex4()?
                    .checked_sub(0xdc00)
                    .filter(|low| *low < 0x400)
                    .ok_or(InvalidJson::Syntax(start))?;
                0x1_0000 + ((first - 0xd800) << 10) + second
            }
            _ => first,
        };
        char::from_u32(code).ok_or(InvalidJson::Syntax(start))
    }

    fn hex4(&mut self) -> Result<u32, InvalidJson> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self
                .peek()
                .and_then(|byte| char::from(byte).to_digit(16))
                .ok_or_else(|| self.syntax())?;
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
        let number = if self.at == integer {
            text.parse()
                .ok()
                .filter(|number| is_exact(*number))
                .map(Value::Integer)
        } else {
            whole(text)
                .filter(|number| is_exact(*number))
                .map(Value::Whole)
        };
        match (number, self.numbers) {
            (Some(number), _) => Ok(number),
            (None, Numbers::Any) => Ok(Value::Other(text.into())),
            (None, Numbers::Exact) => Err(InvalidJson::Number(start)),
        }
    }

    fn digits(&mut self) -> Result<(), InvalidJson> {
        let count = self.rest().bytes().take_while(u8::is_ascii_digit).count();
        self.at += count;
        if count == 0 {
            Err(self.syntax())
        } else {
            Ok(())
        }
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
        if self.take(byte) {
            Ok(())
        } else {
            Err(self.syntax())
        }
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

fn is_exact(number: i64) -> bool {
    number.unsigned_abs() <= LARGEST.unsigned_abs()
}

/// The value of a number with a point or an exponent, when it is whole. Decimal arithmetic: a float
/// would call `1.00000000000000001` whole.
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
    let scale = exponent
        .parse::<i64>()
        .ok()?
        .checked_sub(i64::try_from(fraction.len()).ok()?)?
        .checked_add(zeros)?;
    let scale = u32::try_from(scale).ok()?;
    significant
        .parse::<i64>()
        .ok()?
        .checked_mul(10_i64.checked_pow(scale)?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::super::dct::canonical::canonical, *};

    #[test]
    fn t26_tricky_documents_that_are_read() {
        for (given, form) in [
            (
                r#"{"b":1,"a":2,"A":3,"_":4,"aa":5}"#,
                r#"{"A":3,"_":4,"a":2,"aa":5,"b":1}"#,
            ),
            (r#"{"\u0062":1,"a":2}"#, r#"{"a":2,"b":1}"#),
            (
                "{\"\\uffff\":1,\"\\ud83d\\ude00\":2}",
                "{\"\u{ffff}\":1,\"\u{1f600}\":2}",
            ),
            (r#""\/\b""#, "\"/\u{8}\""),
            (r#""\\\"""#, r#""\\\"""#),
            (
                r"[1.0,1e3,1E+2,100e-2,-0,0.0e9,12.50e1,-1.0]",
                "[1,1000,100,1,0,0,125,-1]",
            ),
            (
                "[9007199254740992,-9007199254740992]",
                "[9007199254740992,-9007199254740992]",
            ),
            (
                " [ { } , [ ] , null , true , false ]\r\n\t",
                "[{},[],null,true,false]",
            ),
            (r#"{"":{"":""}}"#, r#"{"":{"":""}}"#),
            ("\"\u{7f}\u{2028}<>&\"", "\"\u{7f}\u{2028}<>&\""),
        ] {
            assert_eq!(
                String::from_utf8(canonical(&parse_exact(given.as_bytes()).unwrap())).unwrap(),
                form,
                "{given}"
            );
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
                matches!(parse_exact(given.as_bytes()), Err(InvalidJson::Syntax(_))),
                "{given:?} {:?}",
                parse_exact(given.as_bytes())
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
            assert_eq!(
                parse_exact(given.as_bytes()),
                Err(InvalidJson::Number(0)),
                "{given}"
            );
        }
        for given in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"b":2,"\u0061":3}"#,
            r#"{"b":1,"a":2,"a":3,"c":4}"#,
        ] {
            assert_eq!(
                parse_exact(given.as_bytes()),
                Err(InvalidJson::Duplicate("a".into())),
                "{given}"
            );
        }
        assert_eq!(parse_exact(b"\"\xff\""), Err(InvalidJson::Utf8(1)));
        assert_eq!(parse_exact(b"\"\xed\xa0\x80\""), Err(InvalidJson::Utf8(1)));
    }

    #[test]
    fn t26_a_whole_number_that_is_no_integer_is_kept_apart() {
        assert_eq!(parse_exact(b"1.0"), Ok(Value::Whole(1)));
        assert_eq!(parse_exact(b"1"), Ok(Value::Integer(1)));
    }

    #[test]
    fn n08_documents_that_are_not_signed_anew_may_hold_any_number() {
        for number in ["1.5", "1e-1", "9007199254740993", "1e400", "-0.5"] {
            assert_eq!(parse(number.as_bytes()), Ok(Value::Other(number.into())));
        }
        assert_eq!(parse(b"1.0"), Ok(Value::Whole(1)));
        assert_eq!(parse(b"12"), Ok(Value::Integer(12)));
        for wrong in ["01", "1.", "1e", "--1", "1.5.5", "Infinity"] {
            let read = parse(wrong.as_bytes());
            assert!(
                matches!(read, Err(InvalidJson::Syntax(_))),
                "{wrong} {read:?}"
            );
        }
        let twice = br#"{"a":1.5,"\u0061":2.5}"#;
        assert_eq!(parse(twice), Err(InvalidJson::Duplicate("a".into())));
        assert_eq!(parse(b"1.5 1.5"), Err(InvalidJson::Syntax(4)));
    }

    #[test]
    fn n08_only_an_object_is_an_object() {
        assert_eq!(
            parse_object(br#"{"a":[]}"#)
                .unwrap()
                .names()
                .collect::<Vec<_>>(),
            ["a"]
        );
        for other in ["[]", "null", "\"{}\"", "1", "true"] {
            assert_eq!(
                parse_object(other.as_bytes()),
                Err(InvalidJson::NotAnObject)
            );
        }
        assert_eq!(parse_object(b"{}x"), Err(InvalidJson::Syntax(2)));
    }

    #[test]
    fn depth_and_number_of_values_are_bounded() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(parse_exact(nested(DEPTH).as_bytes()).is_ok());
        assert_eq!(
            parse_exact(nested(DEPTH + 1).as_bytes()),
            Err(InvalidJson::Depth)
        );
        assert_eq!(
            parse_exact("{\"a\":".repeat(1_000_000).as_bytes()),
            Err(InvalidJson::Depth)
        );
        let many = format!("[{}0]", "0,".repeat(VALUES));
        assert_eq!(parse_exact(many.as_bytes()), Err(InvalidJson::Values));
    }

    #[test]
    fn an_object_finds_its_members() {
        let Value::Object(mut object) = parse_exact(br#"{"c":3,"a":1,"b":2}"#).unwrap() else {
            panic!("no object")
        };
        assert_eq!(object.names().collect::<Vec<_>>(), ["a", "b", "c"]);
        assert_eq!(object.get("b"), Some(&Value::Integer(2)));
        assert_eq!(object.remove("b"), Some(Value::Integer(2)));
        assert_eq!(object.remove("b"), None);
        assert_eq!(object.into_iter().count(), 2);
        let twice = ["b", "a", "b"]
            .into_iter()
            .zip(1..)
            .map(|(name, number)| (name.to_owned(), Value::Integer(number)));
        let object: Object = twice.collect();
        assert_eq!(canonical(&Value::Object(object)), br#"{"a":2,"b":3}"#);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse_exact(&bytes);
        }

        #[test]
        fn arbitrary_json_like_text_never_panics(text in r#"[\[\]{}:,"\\u0-9a-f.eE+\- ]{0,60}"#) {
            let _ = parse_exact(text.as_bytes());
        }
    }
}
