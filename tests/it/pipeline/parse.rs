//! What the hosts make of a step's output: their own parsers, written again from their rules
//! (actions/runner `ActionCommand`, `FileCommandManager`; azure-pipelines-agent `CommandManager`).

use std::collections::BTreeMap;

/// A command that a host would carry out.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Command {
    pub name: String,
    pub properties: BTreeMap<String, String>,
    pub message: String,
}

impl Command {
    pub fn property(&self, name: &str) -> &str {
        self.properties
            .get(name)
            .map(String::as_str)
            .unwrap_or_default()
    }
}

/// Leaves out what a comparison by language rules ignores.
fn visible(line: &str) -> String {
    line.chars()
        .filter(|c| {
            !matches!(
                c,
                '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}'
            )
        })
        .collect()
}

/// The host reads a stream by lines; CR alone ends one, too.
fn lines(text: &str) -> Vec<String> {
    text.split(['\n', '\r']).map(visible).collect()
}

/// Workflow commands: `::name properties::message` where a trimmed line starts so, and the older `##[name
/// properties]message` anywhere in a line.
pub fn github(text: &str) -> Vec<Command> {
    lines(text)
        .iter()
        .filter_map(|line| github_v2(line).or_else(|| github_v1(line)))
        .collect()
}

fn github_v2(line: &str) -> Option<Command> {
    let rest = line.trim_start().strip_prefix("::")?;
    let (head, message) = rest.split_once("::")?;
    let (name, properties) = head.split_once(' ').unwrap_or((head, ""));
    let unescape = |text: &str, property: bool| {
        let text = text.replace("%0D", "\r").replace("%0A", "\n");
        let text = if property {
            text.replace("%3A", ":").replace("%2C", ",")
        } else {
            text
        };
        text.replace("%25", "%")
    };
    let properties = properties
        .split(',')
        .filter_map(|pair| pair.split_once('='));
    let properties = properties
        .map(|(key, value)| (key.trim().to_owned(), unescape(value, true)))
        .collect();
    Some(Command {
        name: name.to_owned(),
        properties,
        message: unescape(message, false),
    })
}

fn github_v1(line: &str) -> Option<Command> {
    let (_, rest) = line.split_once("##[")?;
    let (head, message) = rest.split_once(']')?;
    let (name, properties) = head.split_once(' ').unwrap_or((head, ""));
    let properties = properties
        .split(';')
        .filter_map(|pair| pair.split_once('='));
    let properties = properties
        .map(|(key, value)| (key.trim().to_owned(), value.to_owned()))
        .collect();
    Some(Command {
        name: name.to_owned(),
        properties,
        message: message.to_owned(),
    })
}

/// Logging commands: `##vso[area.action properties]message` anywhere in a line.
pub fn azure(text: &str) -> Vec<Command> {
    lines(text)
        .iter()
        .filter_map(|line| azure_line(line))
        .collect()
}

fn azure_line(line: &str) -> Option<Command> {
    let (_, rest) = line.split_once("##vso[")?;
    let (head, message) = rest.split_once(']')?;
    let (name, properties) = head.split_once(' ').unwrap_or((head, ""));
    let unescape = |text: &str, property: bool| {
        let text = if property {
            text.replace("%3B", ";").replace("%5D", "]")
        } else {
            text.to_owned()
        };
        text.replace("%0D", "\r")
            .replace("%0A", "\n")
            .replace("%AZP25", "%")
    };
    let properties = properties
        .split(';')
        .filter_map(|pair| pair.split_once('='));
    let properties = properties
        .map(|(key, value)| (key.trim().to_owned(), unescape(value, true)))
        .collect();
    Some(Command {
        name: name.to_owned(),
        properties,
        message: unescape(message, false),
    })
}

/// `GITHUB_OUTPUT`: `name=value`, or `name<<DELIMITER`, lines, `DELIMITER`.
pub fn github_outputs(file: &str) -> BTreeMap<String, String> {
    let mut outputs = BTreeMap::new();
    let mut lines = file.split('\n');
    while let Some(line) = lines.next() {
        if line.is_empty() {
            continue;
        }
        let (equals, heredoc) = (line.find('='), line.find("<<"));
        match (equals, heredoc) {
            (Some(at), heredoc) if heredoc.is_none_or(|other| at < other) => {
                outputs.insert(line[..at].to_owned(), line[at + 1..].to_owned());
            }
            (_, Some(at)) => {
                let (name, delimiter) = (&line[..at], &line[at + 2..]);
                assert!(!name.is_empty() && !delimiter.is_empty(), "{line}");
                let mut value: Vec<&str> = Vec::new();
                loop {
                    let line = lines.next().unwrap_or_else(|| panic!("no end of {name}"));
                    if line == delimiter {
                        break;
                    }
                    value.push(line);
                }
                outputs.insert(name.to_owned(), value.join("\n"));
            }
            _ => panic!("the host fails the step on `{line}`"),
        }
    }
    outputs
}

/// Output variables, by their names.
pub fn azure_outputs(text: &str) -> BTreeMap<String, String> {
    let sets = azure(text)
        .into_iter()
        .filter(|command| command.name == "task.setvariable");
    sets.map(|command| {
        assert_eq!(command.property("isOutput"), "true");
        (command.property("variable").to_owned(), command.message)
    })
    .collect()
}
