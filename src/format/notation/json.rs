//! JSON of foreign make, read strictly: exact names, each name once, nothing after the value. Depth is bounded
//! by the parser (128), size by who reads the bytes.

use std::{collections::BTreeMap, fmt};

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// A JSON value whose objects have distinct names.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Null,
    Bool(bool),
    /// A whole number that is not negative.
    Number(u64),
    /// A number of another kind; nothing here takes one.
    OtherNumber,
    String(String),
    Array(Vec<Self>),
    Object(Object),
}

/// The members of an object.
pub(super) type Object = BTreeMap<String, Value>;

/// Why bytes are no JSON that is read here.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct InvalidJson(serde_json::Error);

/// Reads one document that is an object.
pub(super) fn object(bytes: &[u8]) -> Result<Object, InvalidJson> {
    match serde_json::from_slice(bytes).map_err(InvalidJson)? {
        Value::Object(members) => Ok(members),
        _ => Err(InvalidJson(Error::custom("not an object"))),
    }
}

impl Value {
    /// The text, if it is a string.
    pub(super) fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The strings, if it is a list of nothing else.
    pub(super) fn strings(&self) -> Option<Vec<String>> {
        match self {
            Self::Array(items) => items
                .iter()
                .map(|item| item.as_str().map(str::to_owned))
                .collect(),
            _ => None,
        }
    }

    /// The members, if it is an object of strings.
    pub(super) fn string_map(&self) -> Option<BTreeMap<String, String>> {
        match self {
            Self::Object(members) => members
                .iter()
                .map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
                .collect(),
            _ => None,
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Value, E> {
        Ok(Value::OtherNumber)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Value, E> {
        Ok(Value::OtherNumber)
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut found = Vec::new();
        while let Some(item) = items.next_element()? {
            found.push(item);
        }
        Ok(Value::Array(found))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut found = Object::new();
        while let Some((name, value)) = members.next_entry::<String, Value>()? {
            if found.contains_key(&name) {
                return Err(Error::custom(format_args!(
                    "the name `{name}` twice in one object"
                )));
            }
            found.insert(name, value);
        }
        Ok(Value::Object(found))
    }
}
