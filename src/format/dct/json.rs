//! JSON values as trust data has them.

use super::json_reader::InvalidJson;

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
pub struct Object(pub(super) Vec<(String, Value)>);

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
