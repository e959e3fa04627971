//! Values of parameters: those of a file, as they stand there.

use std::collections::BTreeMap;

use super::{comments::without_comments, member::member};
use crate::manifests::{
    ManifestError, Problem,
    at::At,
    scalar::Typed,
    tree::{Mapping, Node, Scalar},
    work::Work,
    yaml,
};

/// Values of `--parameters FILE` by name in lower case.
#[derive(Clone, Debug, Default)]
pub struct Parameters(pub(super) BTreeMap<String, Literal>);

/// A value of JSON.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Literal {
    Text(String),
    Number(i64),
    Boolean(bool),
    Null,
    List(Vec<Self>),
    /// By names in lower case.
    Object(BTreeMap<String, Self>),
    /// Known to be there only: a secret's reference, a fraction.
    Unknown,
}

impl Parameters {
    /// Reads a parameter file.
    pub fn read(file: &str, text: &str) -> Result<Self, ManifestError> {
        let wrong = |problem| ManifestError::new(file, problem);
        let bare = without_comments(text);
        let work = Work::new(&|| false);
        let documents = yaml::parse(bare.as_deref().unwrap_or(text), &work).map_err(wrong)?;
        let [Node::Mapping(root)] = documents.as_slice() else {
            let start = At { line: 1, column: 1 };
            let problem = Problem::new(start, "a parameter file is one JSON object");
            return Err(wrong(problem));
        };
        match member(root, "parameters").map_err(wrong)? {
            Some(Node::Mapping(parameters)) => Ok(Self(
                parameters
                    .entries
                    .iter()
                    .map(|(name, node)| (name.to_lowercase(), given(node)))
                    .collect(),
            )),
            _ => Err(wrong(Problem::new(
                root.at,
                "the parameter file has no `parameters`",
            ))),
        }
    }
}

fn given(node: &Node) -> Literal {
    let value = match node {
        Node::Mapping(parameter) => member(parameter, "value").ok().flatten(),
        _ => None,
    };
    value.map_or(Literal::Unknown, Literal::of)
}

impl Literal {
    pub(super) fn of(node: &Node) -> Self {
        match node {
            Node::Scalar(scalar) => Self::of_scalar(scalar),
            Node::Sequence(sequence) => Self::List(sequence.items.iter().map(Self::of).collect()),
            Node::Mapping(mapping) => Self::Object(Self::members(mapping)),
        }
    }

    fn members(mapping: &Mapping) -> BTreeMap<String, Self> {
        let entries = mapping.entries.iter();
        entries
            .map(|(name, node)| (name.to_lowercase(), Self::of(node)))
            .collect()
    }

    /// In JSON, what has no quotes is not text.
    pub(super) fn of_scalar(scalar: &Scalar) -> Self {
        if scalar.tagged {
            return Self::Unknown;
        }
        if !scalar.plain {
            return Self::Text(scalar.value.clone());
        }
        match (Typed::of(&scalar.value), scalar.value.as_str()) {
            (Typed::Null, _) => Self::Null,
            (_, "true") => Self::Boolean(true),
            (_, "false") => Self::Boolean(false),
            (_, text) => text.parse().map_or(Self::Unknown, Self::Number),
        }
    }
}
