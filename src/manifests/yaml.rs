//! YAML and JSON as a tree in which every scalar knows its bytes. Duplicate keys, keys that are no scalars and
//! undefined aliases are errors; size and depth are bounded by the parser and by the count of nodes.

use std::{collections::HashMap, ops::Range, rc::Rc};

use granit_parser::{Event, Parser, ScalarStyle, Span};

use super::{DEPTH, Problem};

/// Nodes of one file.
const NODES: usize = 500_000;

/// A node; aliases share what they name.
#[derive(Clone, Debug)]
pub(super) enum Node {
    Scalar(Rc<Scalar>),
    Sequence(Rc<Sequence>),
    Mapping(Rc<Mapping>),
}

/// A scalar: its value, and where it stands.
#[derive(Debug)]
pub(super) struct Scalar {
    pub(super) value: String,
    /// Written without quotes, so that `null` and `1.0` are not text.
    plain: bool,
    /// Has a tag other than `!!str`.
    tagged: bool,
    pub(super) range: Range<usize>,
    pub(super) line: u64,
    pub(super) column: u64,
}

#[derive(Debug)]
pub(super) struct Sequence {
    pub(super) items: Vec<Node>,
    pub(super) line: u64,
    pub(super) column: u64,
}

#[derive(Debug)]
pub(super) struct Mapping {
    /// Keys as written with their values; what merge keys (`<<`) bring comes last.
    pub(super) entries: Vec<(String, Node)>,
    /// A merge key brings a name that is given behind it, and readers differ in which they take.
    pub(super) overridden: bool,
    pub(super) line: u64,
    pub(super) column: u64,
}

impl Node {
    pub(super) fn line(&self) -> u64 {
        match self {
            Self::Scalar(scalar) => scalar.line,
            Self::Sequence(sequence) => sequence.line,
            Self::Mapping(mapping) => mapping.line,
        }
    }

    pub(super) fn column(&self) -> u64 {
        match self {
            Self::Scalar(scalar) => scalar.column,
            Self::Sequence(sequence) => sequence.column,
            Self::Mapping(mapping) => mapping.column,
        }
    }

    pub(super) fn as_scalar(&self) -> Option<&Scalar> {
        if let Self::Scalar(scalar) = self {
            Some(scalar)
        } else {
            None
        }
    }
}

impl Scalar {
    /// Whether it stands for nothing.
    pub(super) fn is_null(&self) -> bool {
        self.plain && matches!(self.value.as_str(), "" | "~" | "null" | "Null" | "NULL")
    }

    /// The text; a tag of its own may mean anything.
    pub(super) fn string(&self) -> Result<&str, Problem> {
        if self.tagged || self.is_null() {
            return Err(Problem::not_text("image", self.line, self.column));
        }
        Ok(&self.value)
    }
}

impl Mapping {
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        self.entries
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, node)| node)
    }

    /// The text of a member that is a scalar.
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        Some(self.get(key)?.as_scalar()?.value.as_str())
    }
}

/// Every document of a text.
pub(super) fn parse(text: &str) -> Result<Vec<Node>, Problem> {
    // Line breaks to readers of YAML 1.1 and text to others.
    if let Some(at) = text.find(['\u{85}', '\u{2028}', '\u{2029}']) {
        let line = text.get(..at).unwrap_or_default().matches('\n').count() + 1;
        let (line, column) = place(line, 0);
        return Err(Problem::new(
            line,
            column,
            "a character that only some readers take for a line break",
        ));
    }
    let templated = text.contains("{{");
    let mut builder = Builder {
        text,
        open: Vec::new(),
        anchors: HashMap::new(),
        documents: Vec::new(),
        nodes: 0,
    };
    let options = granit_parser::options! { emit_comments: false };
    for event in Parser::new_from_str_with_options(text, options) {
        let (event, span) = event.map_err(|error| {
            let (line, column) = place(error.marker().line(), error.marker().col());
            Problem::no_yaml(line, column, &error.info(), templated)
        })?;
        builder.take(event, span)?;
    }
    Ok(builder.documents)
}

/// Lines from 1, columns from 1.
fn place(line: usize, column: usize) -> (u64, u64) {
    let number = |value: usize| u64::try_from(value).unwrap_or(u64::MAX);
    (number(line.max(1)), number(column).saturating_add(1))
}

/// A collection that is not closed yet.
enum Open {
    Sequence {
        items: Vec<Node>,
        anchor: usize,
        at: (u64, u64),
    },
    Mapping(Box<OpenMapping>),
}

struct OpenMapping {
    entries: Vec<(String, Node)>,
    /// Names, with the place of their entry.
    names: HashMap<String, usize>,
    /// What merge keys name, with the count of entries before each.
    merges: Vec<(Node, usize)>,
    overridden: bool,
    key: Option<Rc<Scalar>>,
    anchor: usize,
    at: (u64, u64),
}

struct Builder<'a> {
    text: &'a str,
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    documents: Vec<Node>,
    nodes: usize,
}

impl Builder<'_> {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Problem> {
        let at = place(span.start.line(), span.start.col());
        match event {
            Event::Scalar(value, style, anchor, tag) => {
                if tag.is_some()
                    && matches!(self.open.last(), Some(Open::Mapping(open)) if open.key.is_none())
                {
                    return Err(Problem::new(at.0, at.1, "a key with a tag"));
                }
                let range = span
                    .byte_range()
                    .filter(|range| self.text.get(range.clone()).is_some());
                let range =
                    range.ok_or_else(|| Problem::new(at.0, at.1, "has no place in the text"))?;
                let scalar = Scalar {
                    value: value.into_owned(),
                    plain: style == ScalarStyle::Plain && tag.is_none(),
                    tagged: tag.is_some_and(|tag| !tag.is_yaml_core_schema_tag("str")),
                    range,
                    line: at.0,
                    column: at.1,
                };
                self.add(Node::Scalar(Rc::new(scalar)), anchor, at)
            }
            Event::Alias(anchor) => {
                let node = self.anchors.get(&anchor).cloned();
                let node =
                    node.ok_or_else(|| Problem::new(at.0, at.1, "an alias to what it is part of"))?;
                self.add(node, 0, at)
            }
            Event::SequenceStart(_, anchor, _) => self.begin(Open::Sequence {
                items: Vec::new(),
                anchor,
                at,
            }),
            Event::MappingStart(_, anchor, _) => {
                let (entries, names, merges) = (Vec::new(), HashMap::new(), Vec::new());
                self.begin(Open::Mapping(Box::new(OpenMapping {
                    entries,
                    names,
                    merges,
                    overridden: false,
                    key: None,
                    anchor,
                    at,
                })))
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::DocumentEnd => {
                self.anchors.clear();
                Ok(())
            }
            // Stream and document starts; comments and unresolved aliases are not asked for.
            _ => Ok(()),
        }
    }

    fn begin(&mut self, open: Open) -> Result<(), Problem> {
        if self.open.len() >= DEPTH {
            return Err(Problem::too_large());
        }
        self.open.push(open);
        Ok(())
    }

    fn end(&mut self) -> Result<(), Problem> {
        match self.open.pop() {
            Some(Open::Sequence { items, anchor, at }) => {
                let sequence = Sequence {
                    items,
                    line: at.0,
                    column: at.1,
                };
                self.add(Node::Sequence(Rc::new(sequence)), anchor, at)
            }
            Some(Open::Mapping(mut open)) => {
                let own = open.entries.len();
                for (merged, before) in std::mem::take(&mut open.merges) {
                    let brought = open.entries.len();
                    self.merge(&mut open, &merged, &(before..own), brought)?;
                }
                let mapping = Mapping {
                    entries: open.entries,
                    overridden: open.overridden,
                    line: open.at.0,
                    column: open.at.1,
                };
                self.add(Node::Mapping(Rc::new(mapping)), open.anchor, open.at)
            }
            None => Ok(()),
        }
    }

    /// Puts a finished node where it belongs: into the innermost open collection, or beside the documents.
    fn add(&mut self, node: Node, anchor: usize, at: (u64, u64)) -> Result<(), Problem> {
        self.nodes += 1;
        if self.nodes > NODES {
            return Err(Problem::too_large());
        }
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut() {
            None => self.documents.push(node),
            Some(Open::Sequence { items, .. }) => items.push(node),
            Some(Open::Mapping(open)) => match (open.key.take(), node) {
                (None, Node::Scalar(scalar)) if !scalar.tagged => open.key = Some(scalar),
                (None, _) => return Err(Problem::new(at.0, at.1, "a key that is no text")),
                (Some(name), node) if name.value == "<<" && name.plain => {
                    open.merges.push((node, open.entries.len()))
                }
                (Some(name), node) => {
                    if open
                        .names
                        .insert(name.value.clone(), open.entries.len())
                        .is_some()
                    {
                        return Err(Problem::duplicate(&name.value, name.line, name.column));
                    }
                    open.entries.push((name.value.clone(), node));
                }
            },
        }
        Ok(())
    }

    /// Adds what a merge key names, as far as the mapping does not say otherwise behind it (entries `later`). A name
    /// given before it, or by the merge key before it (entries up to `brought`), is an error.
    fn merge(
        &mut self,
        open: &mut OpenMapping,
        merged: &Node,
        later: &Range<usize>,
        brought: usize,
    ) -> Result<(), Problem> {
        match merged {
            Node::Mapping(mapping) => {
                self.nodes += mapping.entries.len();
                if self.nodes > NODES {
                    return Err(Problem::too_large());
                }
                for (name, node) in &mapping.entries {
                    match open.names.get(name) {
                        None => {
                            open.names.insert(name.clone(), open.entries.len());
                            open.entries.push((name.clone(), node.clone()));
                        }
                        Some(at) if later.contains(at) => open.overridden = true,
                        Some(at) if *at < brought => {
                            return Err(Problem::duplicate(name, open.at.0, open.at.1));
                        }
                        Some(_) => {}
                    }
                }
                Ok(())
            }
            Node::Sequence(sequence) => sequence.items.iter().try_for_each(|item| match item {
                Node::Mapping(_) => self.merge(open, item, later, brought),
                other => Err(Problem::not_text("<<", other.line(), other.column())),
            }),
            Node::Scalar(scalar) => Err(Problem::not_text("<<", scalar.line, scalar.column)),
        }
    }
}
