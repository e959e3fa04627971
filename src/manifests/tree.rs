//! YAML and JSON as a tree in which every scalar knows how it is written and where.

use std::{ops::Range, rc::Rc};

use super::{Problem, at::At, scalar::Typed};

/// A node; aliases share what they name.
#[derive(Clone, Debug)]
pub(super) enum Node {
    Scalar(Rc<Scalar>),
    Sequence(Rc<Sequence>),
    Mapping(Rc<Mapping>),
}

/// A scalar: its value, how it is written, and where.
#[derive(Debug)]
pub(super) struct Scalar {
    pub(super) value: String,
    /// Written without quotes and tag, so that `null` and `1.10` are not text.
    pub(super) plain: bool,
    /// Has a tag other than `!!str`.
    pub(super) tagged: bool,
    pub(super) range: Range<usize>,
    pub(super) at: At,
}

#[derive(Debug)]
pub(super) struct Sequence {
    pub(super) items: Vec<Node>,
    pub(super) tagged: bool,
    pub(super) at: At,
}

#[derive(Debug)]
pub(super) struct Mapping {
    /// Keys as written with their values; what merge keys (`<<`) bring comes last.
    pub(super) entries: Vec<(String, Node)>,
    /// A merge key brings a name that is given behind it, and readers differ in which they take.
    pub(super) overridden: bool,
    pub(super) tagged: bool,
    pub(super) at: At,
}

impl Node {
    pub(super) fn at(&self) -> At {
        match self {
            Self::Scalar(scalar) => scalar.at,
            Self::Sequence(sequence) => sequence.at,
            Self::Mapping(mapping) => mapping.at,
        }
    }

    pub(super) fn as_scalar(&self) -> Option<&Scalar> {
        if let Self::Scalar(scalar) = self {
            Some(scalar)
        } else {
            None
        }
    }

    /// A text; anything else is an error that names the member.
    pub(super) fn text(&self, name: &str) -> Result<&str, Problem> {
        match self {
            Self::Scalar(scalar) => scalar.text(name),
            other => Err(Problem::not_text(name, other.at())),
        }
    }

    pub(super) fn mapping(&self, name: &str) -> Result<&Mapping, Problem> {
        match self {
            Self::Mapping(mapping) if !mapping.tagged => Ok(mapping),
            other => Err(Problem::new(
                other.at(),
                format!("`{name}` is not a mapping"),
            )),
        }
    }

    /// The items of a list; null is an empty one.
    pub(super) fn items(&self, name: &str) -> Result<&[Self], Problem> {
        match self {
            Self::Sequence(sequence) if !sequence.tagged => Ok(&sequence.items),
            Self::Scalar(scalar) if scalar.is_null() => Ok(&[]),
            other => Err(Problem::new(other.at(), format!("`{name}` is not a list"))),
        }
    }

    /// Null, or a text, list or mapping with nothing in it.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Scalar(scalar) => scalar.is_null() || (!scalar.tagged && scalar.value.is_empty()),
            Self::Sequence(sequence) => sequence.items.is_empty() && !sequence.tagged,
            Self::Mapping(mapping) => mapping.entries.is_empty() && !mapping.tagged,
        }
    }
}

impl Scalar {
    /// Whether it stands for nothing.
    pub(super) fn is_null(&self) -> bool {
        self.plain && Typed::of(&self.value) == Typed::Null
    }

    /// The text, where every reader sees this text and nothing else.
    pub(super) fn text(&self, name: &str) -> Result<&str, Problem> {
        if self.tagged {
            return Err(Problem::not_text(name, self.at));
        }
        match Typed::of(&self.value) {
            Typed::Text => Ok(&self.value),
            _ if !self.plain => Ok(&self.value),
            Typed::Null => Err(Problem::not_text(name, self.at)),
            typed => Err(Problem::new(
                self.at,
                format!(
                    "`{name}` is {typed} to some readers, which write `{}` in another way: put it in quotes",
                    super::error::short(&self.value)
                ),
            )),
        }
    }
}

impl Mapping {
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        self.entries
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, node)| node)
    }

    /// A member that holds something.
    pub(super) fn filled(&self, key: &str) -> Option<&Node> {
        self.get(key).filter(|node| !node.is_empty())
    }

    /// The text of a member that is a scalar, whatever a reader makes of it.
    pub(super) fn raw(&self, key: &str) -> Option<&str> {
        Some(self.get(key)?.as_scalar()?.value.as_str())
    }
}
