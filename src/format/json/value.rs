//! JSON values, and why bytes are not JSON that is read here.

use std::collections::BTreeMap;

/// How deep lists and objects may be nested. Reading recurses once a level; no document of the
/// three formats has more than ten.
pub(super) const DEPTH: usize = 64;
/// How many values one document may hold. 64 MiB of real trust data, the largest file that is read,
/// hold fewer than 3 million; without the limit as many bytes of `[],[],…` would take gigabytes of
/// memory.
pub(super) const VALUES: usize = 4_000_000;
/// The largest magnitude that a 64-bit float holds with all smaller integers. Go reads numbers of
/// unknown members as such floats, and writes them back so into what is signed.
pub(in crate::format) const LARGEST: i64 = 1 << 53;

/// Why bytes are not JSON that this program reads.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum InvalidJson {
    /// Not UTF-8.
    #[error("it is not UTF-8 at byte {0}")]
    Utf8(usize),
    /// Not the grammar of JSON.
    #[error("a syntax error at byte {0}")]
    Syntax(usize),
    /// One name twice in an object.
    #[error("the name `{0}` appears twice in one object")]
    Duplicate(String),
    /// A number with a fraction, or too large to be the same for every reader, where only others
    /// are taken.
    #[error("the number at byte {0} is not an integer of at most 2^53")]
    Number(usize),
    /// A document of another kind than was expected.
    #[error("it is not an object")]
    NotAnObject,
    /// Lists and objects nested too deep.
    #[error("it is nested deeper than {DEPTH} levels")]
    Depth,
    /// More values than any real document has.
    #[error("it has more than {VALUES} values")]
    Values,
}

/// A JSON value.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Value {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number written as an integer.
    Integer(i64),
    /// A whole number written with a point or an exponent (`1.0`, `1e3`): printed as an integer,
    /// but no reader takes it where it wants one, as in Go.
    Whole(i64),
    /// A number of another kind, as it is written.
    Other(Box<str>),
    /// A string, unescaped.
    String(String),
    /// A list.
    Array(Vec<Self>),
    /// An object.
    Object(Object),
}

impl Value {
    /// The text, if it is a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The strings, if it is a list of nothing else.
    pub fn strings(&self) -> Option<Vec<String>> {
        match self {
            Self::Array(items) => items
                .iter()
                .map(|item| item.as_str().map(str::to_owned))
                .collect(),
            _ => None,
        }
    }

    /// The members, if it is an object of strings.
    pub fn string_map(&self) -> Option<BTreeMap<String, String>> {
        match self {
            Self::Object(members) => members
                .iter()
                .map(|(name, value)| Some((name.to_owned(), value.as_str()?.to_owned())))
                .collect(),
            _ => None,
        }
    }
}

/// The members of an object, in the order of their names' UTF-8 bytes, each name once. A sorted
/// list, because 60,000 tags as maps of maps would need five times the memory.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Object(Vec<(String, Value)>);

impl Object {
    /// Takes a member out.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        let at = self
            .0
            .binary_search_by(|(other, _)| other.as_str().cmp(name))
            .ok()?;
        Some(self.0.remove(at).1)
    }

    /// A member.
    pub fn get(&self, name: &str) -> Option<&Value> {
        let at = self
            .0
            .binary_search_by(|(other, _)| other.as_str().cmp(name))
            .ok()?;
        self.0.get(at).map(|(_, value)| value)
    }

    /// Whether there is a member of this name.
    pub fn contains(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The members, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// The names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// Of members in any order; refuses a name given twice.
    pub(super) fn sorted(mut members: Vec<(String, Value)>) -> Result<Self, InvalidJson> {
        if !members.is_sorted_by(|(one, _), (next, _)| one < next) {
            members.sort_by(|(one, _), (next, _)| one.cmp(next));
            let twice = members
                .iter()
                .zip(members.iter().skip(1))
                .find(|((one, _), (next, _))| one == next);
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
