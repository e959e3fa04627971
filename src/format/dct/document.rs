//! Typed access to the members of a role file. Each fault names the role, the member and what was
//! found; members nobody asks for are left alone.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};

use super::{
    name::{KeyId, RoleName, Threshold, Version},
    rejection::Rejection,
};
use crate::{
    format::json::{Object, Value},
    timestamp::Timestamp,
};

/// A place in a role file.
#[derive(Clone, Copy)]
pub(super) enum At<'a> {
    /// The file of this role.
    File(&'a RoleName),
    /// A member of an object.
    Member(&'a Self, &'a str),
}

impl<'a> At<'a> {
    /// The member `name` of this place.
    pub(super) fn member(&'a self, name: &'a str) -> Self {
        Self::Member(self, name)
    }

    /// The role whose file it is.
    pub(super) fn role(&self) -> &RoleName {
        match self {
            Self::File(role) => role,
            Self::Member(parent, _) => parent.role(),
        }
    }

    fn path(&self) -> String {
        match self {
            Self::File(_) => "the file".to_owned(),
            Self::Member(Self::File(_), name) => (*name).to_owned(),
            Self::Member(parent, name) => format!("{}.{name}", parent.path()),
        }
    }

    /// That this place holds something else than it must.
    pub(super) fn malformed(&self, expected: &'static str, found: &Value) -> Rejection {
        self.malformed_text(expected, describe(found))
    }

    /// The same, where what was found is best said in words.
    pub(super) fn malformed_text(&self, expected: &'static str, found: String) -> Rejection {
        Rejection::Malformed {
            role: self.role().clone(),
            member: self.path(),
            expected,
            found,
        }
    }
}

/// The members of an object that were not taken yet.
pub(super) struct Members<'a> {
    at: At<'a>,
    members: Object,
}

impl<'a> Members<'a> {
    /// The members of `value`, which must be an object.
    pub(super) fn of(value: Value, at: At<'a>) -> Result<Self, Rejection> {
        match value {
            Value::Object(members) => Ok(Self { at, members }),
            other => Err(at.malformed("an object", &other)),
        }
    }

    /// Where the object is.
    pub(super) fn at(&self) -> &At<'a> {
        &self.at
    }

    /// A member that may be absent; `null` is the same.
    pub(super) fn optional(&mut self, name: &str) -> Option<Value> {
        self.members
            .remove(name)
            .filter(|value| *value != Value::Null)
    }

    /// A member that must be there.
    pub(super) fn value(&mut self, name: &str) -> Result<Value, Rejection> {
        self.members.remove(name).ok_or_else(|| {
            self.at
                .member(name)
                .malformed_text("present", "absent".to_owned())
        })
    }

    /// A text.
    pub(super) fn text(&mut self, name: &str) -> Result<String, Rejection> {
        match self.value(name)? {
            Value::String(text) => Ok(text),
            other => Err(self.at.member(name).malformed("a string", &other)),
        }
    }

    /// Bytes in standard base64 with padding.
    pub(super) fn bytes(&mut self, name: &str) -> Result<Vec<u8>, Rejection> {
        let text = self.text(name)?;
        decode(&text, &self.at.member(name))
    }

    /// A boolean; absent is `false`.
    pub(super) fn flag(&mut self, name: &str) -> Result<bool, Rejection> {
        match self.optional(name) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(flag),
            Some(other) => Err(self.at.member(name).malformed("a boolean", &other)),
        }
    }

    /// A length: an integer that is not negative.
    pub(super) fn length(&mut self, name: &str) -> Result<u64, Rejection> {
        let value = self.value(name)?;
        unsigned(&value).ok_or_else(|| {
            self.at
                .member(name)
                .malformed("an integer of at least 0", &value)
        })
    }

    /// A version.
    pub(super) fn version(&mut self, name: &str) -> Result<Version, Rejection> {
        let value = self.value(name)?;
        unsigned(&value)
            .and_then(Version::new)
            .ok_or_else(|| Rejection::InvalidVersion {
                role: self.at.role().clone(),
                found: describe(&value),
            })
    }

    /// A threshold, set for `delegate`.
    pub(super) fn threshold(
        &mut self,
        name: &str,
        delegate: &RoleName,
    ) -> Result<Threshold, Rejection> {
        let value = self.value(name)?;
        let number = unsigned(&value).and_then(|number| u32::try_from(number).ok());
        number
            .and_then(Threshold::new)
            .ok_or_else(|| Rejection::InvalidThreshold {
                role: self.at.role().clone(),
                delegate: delegate.clone(),
                found: describe(&value),
            })
    }

    /// A point in time.
    pub(super) fn time(&mut self, name: &str) -> Result<Timestamp, Rejection> {
        let text = self.text(name)?;
        text.parse().map_err(|_| {
            self.at
                .member(name)
                .malformed("an RFC 3339 time", &Value::String(text))
        })
    }

    /// A list; `None` when absent or `null`.
    pub(super) fn list(&mut self, name: &str) -> Result<Option<Vec<Value>>, Rejection> {
        match self.optional(name) {
            None => Ok(None),
            Some(Value::Array(list)) => Ok(Some(list)),
            Some(other) => Err(self.at.member(name).malformed("a list", &other)),
        }
    }

    /// A list of texts; `None` when absent or `null`.
    pub(super) fn texts(&mut self, name: &str) -> Result<Option<Vec<String>>, Rejection> {
        let Some(list) = self.list(name)? else {
            return Ok(None);
        };
        list.into_iter()
            .map(|value| match value {
                Value::String(text) => Ok(text),
                other => Err(self.at.member(name).malformed("a list of strings", &other)),
            })
            .collect::<Result<_, _>>()
            .map(Some)
    }

    /// A list of key IDs; `None` when absent or `null`.
    pub(super) fn key_ids(&mut self, name: &str) -> Result<Option<Vec<KeyId>>, Rejection> {
        let Some(texts) = self.texts(name)? else {
            return Ok(None);
        };
        let at = self.at.member(name);
        texts
            .into_iter()
            .map(|text| {
                text.parse()
                    .map_err(|_| at.malformed("a list of key IDs", &Value::String(text)))
            })
            .collect::<Result<_, _>>()
            .map(Some)
    }

    /// An object that must be there.
    pub(super) fn members<'b>(&'b mut self, name: &'b str) -> Result<Members<'b>, Rejection> {
        let value = self.value(name)?;
        Members::of(value, self.at.member(name))
    }

    /// The members of an object; `None` when absent or `null`.
    pub(super) fn entries(&mut self, name: &str) -> Result<Option<Object>, Rejection> {
        match self.optional(name) {
            None => Ok(None),
            Some(Value::Object(members)) => Ok(Some(members)),
            Some(other) => Err(self.at.member(name).malformed("an object", &other)),
        }
    }
}

/// Standard base64 with padding.
pub(super) fn decode(text: &str, at: &At<'_>) -> Result<Vec<u8>, Rejection> {
    BASE64
        .decode(text)
        .map_err(|_| at.malformed("base64", &Value::String(text.to_owned())))
}

/// An object of the given members.
pub(super) fn object<'a>(members: impl IntoIterator<Item = (&'a str, Value)>) -> Value {
    Value::Object(
        members
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
    )
}

fn unsigned(value: &Value) -> Option<u64> {
    match value {
        Value::Integer(number) => u64::try_from(*number).ok(),
        _ => None,
    }
}

/// What a value is, short enough for an error.
fn describe(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Integer(number) => number.to_string(),
        Value::Whole(number) => format!("{number} written with a point or an exponent"),
        Value::Other(number) => number.chars().take(80).collect(),
        Value::String(text) => format!("`{}`", text.chars().take(80).collect::<String>()),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}
