//! Texts to trees: YAML, JSON, and JSON objects one behind the other. Duplicate keys, keys that are no scalars and
//! undefined aliases are errors; nodes and depth are bounded while they are read.

use std::{collections::HashMap, ops::Range, rc::Rc};

use granit_parser::{Event, Parser, ScalarStyle, Span, Tag};
use serde::de::IgnoredAny;

use super::{
    Problem,
    at::At,
    tree::{Mapping, Node, Scalar, Sequence},
    work::{DEPTH, Work},
};

/// Nodes of one file.
const NODES: usize = 500_000;

/// Every document of a text.
pub(super) fn parse(text: &str, work: &Work<'_>) -> Result<Vec<Node>, Problem> {
    // Line breaks to readers of YAML 1.1 and text to others.
    if let Some(at) = text.find(['\u{85}', '\u{2028}', '\u{2029}']) {
        let line = text.get(..at).unwrap_or_default().matches('\n').count() + 1;
        return Err(Problem::new(
            place(line, 0),
            "a character that only some readers take for a line break",
        ));
    }
    separators(text)?;
    let mut builder = Builder {
        text,
        work,
        start: 0,
        origin: At { line: 1, column: 1 },
        open: Vec::new(),
        anchors: HashMap::new(),
        documents: Vec::new(),
        nodes: 0,
    };
    for range in objects(text) {
        builder.origin = origin(text, builder.start, builder.origin, range.start);
        builder.start = range.start;
        builder.read(text.get(range).unwrap_or_default())?;
    }
    Ok(builder.documents)
}

/// Refuses text behind `---` on the same line: some readers drop it, and split where others see a text that goes on.
fn separators(text: &str) -> Result<(), Problem> {
    let mut line = 0;
    for part in text.split('\n') {
        line += 1;
        let Some(rest) = part.strip_prefix("---") else {
            continue;
        };
        let is_comment = rest.starts_with([' ', '\t']) && rest.trim_start().starts_with('#');
        if !(rest.trim_end_matches('\r').trim().is_empty() || is_comment)
            || rest.trim().contains('\r')
        {
            let message =
                "`---` with something behind it, which only some readers take for a new document";
            return Err(Problem::new(place(line, 0), message));
        }
    }
    // As a mark of the second file where files were joined.
    match text.char_indices().skip(1).find(|(_, c)| *c == '\u{feff}') {
        Some((at, _)) => Err(Problem::new(
            origin(text, 0, At { line: 1, column: 1 }, at),
            "a byte order mark inside of the text",
        )),
        None => Ok(()),
    }
}

/// Whether a text is one JSON value, where a line break may stand in a string.
pub(super) fn is_json(text: &str) -> bool {
    let mut in_string = false;
    let mut escaped = false;
    let one_line: String = text
        .trim_start_matches('\u{feff}')
        .chars()
        .map(|c| {
            let ends = in_string && c == '"' && !escaped;
            let begins = !in_string && c == '"';
            escaped = in_string && c == '\\' && !escaped;
            in_string = (in_string || begins) && !ends;
            if in_string && c.is_ascii_control() {
                ' '
            } else {
                c
            }
        })
        .collect();
    serde_json::from_str::<IgnoredAny>(&one_line).is_ok()
}

/// The JSON objects of a text that is nothing else than several of them, as `kubectl` reads a stream; else the whole.
fn objects(text: &str) -> Vec<Range<usize>> {
    let json = text.trim_start_matches('\u{feff}');
    let skipped = text.len() - json.len();
    let mut ranges = Vec::new();
    if json.trim_start().starts_with('{') {
        let mut stream = serde_json::Deserializer::from_str(json).into_iter::<IgnoredAny>();
        let mut start = skipped;
        while let Some(value) = stream.next() {
            if value.is_err() {
                ranges.clear();
                break;
            }
            let end = skipped + stream.byte_offset();
            ranges.push(start..end);
            start = end;
        }
    }
    if ranges.len() > 1 {
        ranges
    } else {
        std::iter::once(0..text.len()).collect()
    }
}

/// The place of a byte of the text, from a byte before it whose place is known.
fn origin(text: &str, from: usize, at: At, to: usize) -> At {
    let between = text.get(from..to).unwrap_or_default();
    match between.rsplit_once('\n') {
        None => At {
            line: at.line,
            column: at.column + number(between.chars().count()),
        },
        Some((before, rest)) => At {
            line: at.line + number(before.matches('\n').count()) + 1,
            column: number(rest.chars().count()) + 1,
        },
    }
}

fn number(value: usize) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}

/// From a line that counts from 1 and a column that counts from 0.
fn place(line: usize, column: usize) -> At {
    At {
        line: number(line.max(1)),
        column: number(column).saturating_add(1),
    }
}

/// A collection that is not closed yet.
enum Open {
    Sequence {
        items: Vec<Node>,
        anchor: usize,
        tagged: bool,
        at: At,
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
    tagged: bool,
    at: At,
}

struct Builder<'a> {
    text: &'a str,
    work: &'a Work<'a>,
    /// Where the part that is read begins.
    start: usize,
    origin: At,
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    documents: Vec<Node>,
    nodes: usize,
}

impl Builder<'_> {
    fn read(&mut self, part: &str) -> Result<(), Problem> {
        let options = granit_parser::options! { emit_comments: false };
        for event in Parser::new_from_str_with_options(part, options) {
            let (event, span) = event.map_err(|error| {
                let at = self.place(error.marker().line(), error.marker().col());
                Problem::not_yaml(at, &error.info(), self.text.contains("{{"))
            })?;
            self.take(event, span)?;
        }
        Ok(())
    }

    fn place(&self, line: usize, column: usize) -> At {
        let at = place(line, column);
        if at.line == 1 {
            At {
                line: self.origin.line,
                column: self.origin.column + at.column - 1,
            }
        } else {
            At {
                line: self.origin.line + at.line - 1,
                column: at.column,
            }
        }
    }

    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Problem> {
        let at = self.place(span.start.line(), span.start.col());
        match event {
            Event::Scalar(value, style, anchor, tag) => {
                if tag.is_some() && self.awaits_key() {
                    return Err(Problem::new(at, "a key with a tag"));
                }
                let range = span
                    .byte_range()
                    .map(|range| range.start + self.start..range.end + self.start)
                    .filter(|range| self.text.get(range.clone()).is_some())
                    .ok_or_else(|| Problem::new(at, "has no place in the text"))?;
                let scalar = Scalar {
                    value: value.into_owned(),
                    plain: style == ScalarStyle::Plain && tag.is_none(),
                    tagged: tag.is_some_and(|tag| !tag.is_yaml_core_schema_tag("str")),
                    range,
                    at,
                };
                self.add(Node::Scalar(Rc::new(scalar)), anchor, at)
            }
            Event::Alias(anchor) => {
                if self.awaits_key() {
                    return Err(Problem::new(at, "an alias as a key"));
                }
                let node = self.anchors.get(&anchor).cloned();
                let node =
                    node.ok_or_else(|| Problem::new(at, "an alias to what it is part of"))?;
                self.add(node, 0, at)
            }
            Event::SequenceStart(_, anchor, tag) => self.begin(
                Open::Sequence {
                    items: Vec::new(),
                    anchor,
                    tagged: is_foreign(tag.as_deref(), "seq"),
                    at,
                },
                at,
            ),
            Event::MappingStart(_, anchor, tag) => {
                let open = OpenMapping {
                    entries: Vec::new(),
                    names: HashMap::new(),
                    merges: Vec::new(),
                    overridden: false,
                    key: None,
                    anchor,
                    tagged: is_foreign(tag.as_deref(), "map"),
                    at,
                };
                self.begin(Open::Mapping(Box::new(open)), at)
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

    fn awaits_key(&self) -> bool {
        matches!(self.open.last(), Some(Open::Mapping(open)) if open.key.is_none())
    }

    fn begin(&mut self, open: Open, at: At) -> Result<(), Problem> {
        if self.open.len() >= DEPTH {
            return Err(Problem::too_large(at));
        }
        self.open.push(open);
        Ok(())
    }

    fn end(&mut self) -> Result<(), Problem> {
        match self.open.pop() {
            Some(Open::Sequence {
                items,
                anchor,
                tagged,
                at,
            }) => {
                let sequence = Sequence { items, tagged, at };
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
                    tagged: open.tagged,
                    at: open.at,
                };
                self.add(Node::Mapping(Rc::new(mapping)), open.anchor, open.at)
            }
            None => Ok(()),
        }
    }

    fn count(&mut self, nodes: usize, at: At) -> Result<(), Problem> {
        self.nodes += nodes;
        if self.nodes > NODES {
            return Err(Problem::too_large(at));
        }
        self.work.steps_of(nodes, at)
    }

    /// Puts a finished node where it belongs: into the innermost open collection, or beside the documents.
    fn add(&mut self, node: Node, anchor: usize, at: At) -> Result<(), Problem> {
        self.count(1, at)?;
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut() {
            None => self.documents.push(node),
            Some(Open::Sequence { items, .. }) => items.push(node),
            Some(Open::Mapping(open)) => match (open.key.take(), node) {
                (None, Node::Scalar(scalar)) if !scalar.tagged => open.key = Some(scalar),
                (None, _) => return Err(Problem::new(at, "a key that is not text")),
                (Some(name), node) if name.value == "<<" => {
                    if !name.plain {
                        return Err(Problem::new(
                            name.at,
                            "a `<<` in quotes, which only some readers take for a merge key",
                        ));
                    }
                    open.merges.push((node, open.entries.len()));
                }
                (Some(name), node) => {
                    if open
                        .names
                        .insert(name.value.clone(), open.entries.len())
                        .is_some()
                    {
                        return Err(Problem::duplicate(&name.value, name.at));
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
            Node::Mapping(mapping) if !mapping.tagged => {
                self.count(mapping.entries.len(), open.at)?;
                for (name, node) in &mapping.entries {
                    match open.names.get(name) {
                        None => {
                            open.names.insert(name.clone(), open.entries.len());
                            open.entries.push((name.clone(), node.clone()));
                        }
                        Some(at) if later.contains(at) => open.overridden = true,
                        Some(at) if *at < brought => {
                            return Err(Problem::duplicate(name, open.at));
                        }
                        Some(_) => {}
                    }
                }
                Ok(())
            }
            Node::Sequence(sequence) => sequence.items.iter().try_for_each(|item| match item {
                Node::Mapping(_) => self.merge(open, item, later, brought),
                other => Err(Problem::not_text("<<", other.at())),
            }),
            other => Err(Problem::not_text("<<", other.at())),
        }
    }
}

/// A tag other than the one that a collection has anyway.
fn is_foreign(tag: Option<&Tag>, own: &str) -> bool {
    tag.is_some_and(|tag| !tag.is_yaml_core_schema_tag(own))
}
