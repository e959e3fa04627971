//! ARM templates (JSON): the images of container groups, container apps, web apps and whatever else has one.
//!
//! Expressions are worked out as far as images need: parameters, variables, `concat`, `format`, texts. Anything else in
//! an image is an error.

use std::{cell::Cell, collections::BTreeMap};

use super::{
    Finder, Found, ManifestError, Mapping, Node, Place, Problem, Scalar, in_parts, reference, yaml,
};

/// Expressions inside of expressions, variables and nested templates.
const DEPTH: usize = 16;
/// Calls worked out in one template, and characters of one value: variables can double each other.
const CALLS: usize = 100_000;
const LENGTH: usize = 10_000;
/// Members that are objects or lists and may hold an image: what an expression puts there cannot be seen.
const OBJECTS: &[&str] = &[
    "resources",
    "properties",
    "template",
    "siteconfig",
    "configuration",
    "containers",
    "initcontainers",
    "containerimagenames",
    "containersettings",
    "containerconfiguration",
    "virtualmachineconfiguration",
    "customcontainer",
    "container",
    "spec",
    "input",
];
/// Members whose text is `DOCKER|image` where a web app runs one.
const FX_VERSIONS: &[&str] = &["linuxfxversion", "windowsfxversion"];

/// Values of `--parameters FILE`: text by name. What is no text, or a secret's reference, is known to be there only.
#[derive(Clone, Debug, Default)]
pub struct Parameters(BTreeMap<String, Option<String>>);

impl Parameters {
    /// Reads a parameter file.
    pub fn read(file: &str, text: &str) -> Result<Self, ManifestError> {
        let wrong = |problem| ManifestError::new(file, problem);
        let documents = yaml::parse(text).map_err(wrong)?;
        let [Node::Mapping(root)] = documents.as_slice() else {
            return Err(wrong(Problem::new(
                1,
                1,
                "a parameter file is one JSON object",
            )));
        };
        match root.get("parameters") {
            Some(Node::Mapping(parameters)) => Ok(Self::of(parameters)),
            _ => Err(wrong(Problem::new(
                root.line,
                root.column,
                "the parameter file has no `parameters`",
            ))),
        }
    }

    fn of(parameters: &Mapping) -> Self {
        let value = |node: &Node| match node {
            Node::Mapping(member) => member
                .get("value")
                .and_then(Node::as_scalar)
                .map(|scalar| scalar.value.clone()),
            _ => None,
        };
        Self(
            parameters
                .entries
                .iter()
                .map(|(name, node)| (name.to_lowercase(), value(node)))
                .collect(),
        )
    }
}

/// What names mean in a template.
struct Scope<'a> {
    given: &'a Parameters,
    root: &'a Mapping,
    calls: &'a Cell<usize>,
}

impl Finder {
    pub(super) fn arm(&mut self, root: &Mapping, given: &Parameters) -> Result<(), Problem> {
        let calls = Cell::new(0);
        let scope = Scope {
            given,
            root,
            calls: &calls,
        };
        match member(root, "resources")? {
            Some(resources) => self.arm_part("resources", resources, &scope),
            None => Err(Problem::new(
                root.line,
                root.column,
                "a template without `resources`",
            )),
        }
    }

    fn arm_node(&mut self, node: &Node, scope: &Scope<'_>) -> Result<(), Problem> {
        self.step()?;
        self.depth += 1;
        let walked = match node {
            Node::Scalar(_) => Ok(()),
            Node::Sequence(sequence) => sequence
                .items
                .iter()
                .try_for_each(|item| self.arm_node(item, scope)),
            Node::Mapping(mapping) => self.arm_mapping(mapping, scope),
        };
        self.depth -= 1;
        walked
    }

    /// A member or, of a list, its items: where objects are expected, no expression may stand for one.
    fn arm_part(&mut self, name: &str, node: &Node, scope: &Scope<'_>) -> Result<(), Problem> {
        let hidden = |node: &Node| {
            node.as_scalar()
                .is_some_and(|scalar| is_expression(&scalar.value))
        };
        let hides = OBJECTS.contains(&name)
            && match node {
                Node::Sequence(sequence) => sequence.items.iter().any(hidden),
                node => hidden(node),
            };
        if hides {
            let message = format!("what `{name}` holds is an expression, which may bring an image");
            return Err(Problem::new(node.line(), node.column(), message));
        }
        self.arm_node(node, scope)
    }

    fn arm_mapping(&mut self, mapping: &Mapping, scope: &Scope<'_>) -> Result<(), Problem> {
        let kind = member(mapping, "type")?
            .and_then(Node::as_scalar)
            .and_then(|kind| scope.value(&kind.value, 0));
        let deployment =
            kind.is_some_and(|kind| kind.eq_ignore_ascii_case("Microsoft.Resources/deployments"));
        if deployment && let Some(Node::Mapping(properties)) = member(mapping, "properties")? {
            return self.nested(properties, scope);
        }
        for (name, node) in &mapping.entries {
            match (name.to_lowercase().as_str(), node) {
                ("image", Node::Scalar(scalar)) if scalar.is_null() => {}
                ("image", Node::Scalar(scalar)) => self.arm_image(scalar, "", scope)?,
                ("image", Node::Mapping(parts)) if in_parts(parts).is_some() => {
                    return Err(Problem::not_text("image", parts.line, parts.column));
                }
                ("templatelink", link) => {
                    return Err(Problem::elsewhere(
                        "a linked template",
                        link.line(),
                        link.column(),
                    ));
                }
                ("containerimagenames", Node::Sequence(names)) => {
                    for name in &names.items {
                        let scalar = name.as_scalar();
                        let scalar = scalar.ok_or_else(|| {
                            Problem::not_text("containerImageNames", name.line(), name.column())
                        })?;
                        self.arm_image(scalar, "", scope)?;
                    }
                }
                (name, Node::Scalar(scalar)) if FX_VERSIONS.contains(&name) => {
                    self.web_app(scalar, scope)?
                }
                (name, node) => self.arm_part(name, node, scope)?,
            }
        }
        Ok(())
    }

    /// A template in a template, with parameters of its own or those around it.
    fn nested(&mut self, properties: &Mapping, scope: &Scope<'_>) -> Result<(), Problem> {
        if let Some(link) = member(properties, "templateLink")? {
            return Err(Problem::elsewhere(
                "a linked template",
                link.line(),
                link.column(),
            ));
        }
        let unclear = |node: &Node| {
            Problem::new(
                node.line(),
                node.column(),
                "a nested template that cannot be seen",
            )
        };
        let template = match member(properties, "template")? {
            None => return Ok(()),
            Some(Node::Mapping(template)) => template,
            Some(other) => return Err(unclear(other)),
        };
        let options = match member(properties, "expressionEvaluationOptions")? {
            None => None,
            Some(Node::Mapping(options)) => member(options, "scope")?,
            Some(other) => return Err(unclear(other)),
        };
        let inner = match options {
            None => false,
            Some(Node::Scalar(scope)) if scope.value.eq_ignore_ascii_case("inner") => true,
            Some(Node::Scalar(scope)) if scope.value.eq_ignore_ascii_case("outer") => false,
            Some(other) => return Err(unclear(other)),
        };
        let Some(resources) = member(template, "resources")? else {
            return Ok(());
        };
        if !inner {
            return self.arm_part("resources", resources, scope);
        }
        let mut given = match member(properties, "parameters")? {
            None => Parameters::default(),
            Some(Node::Mapping(parameters)) => Parameters::of(parameters),
            Some(other) => return Err(unclear(other)),
        };
        for value in given.0.values_mut() {
            *value = value.take().and_then(|text| scope.value(&text, 0));
        }
        self.arm_part(
            "resources",
            resources,
            &Scope {
                given: &given,
                root: template,
                calls: scope.calls,
            },
        )
    }

    fn web_app(&mut self, scalar: &Scalar, scope: &Scope<'_>) -> Result<(), Problem> {
        let value = scope.value(&scalar.value, 0);
        let value =
            value.ok_or_else(|| Problem::unresolved(&scalar.value, scalar.line, scalar.column))?;
        match value.split_once('|') {
            Some((kind, _)) if kind.eq_ignore_ascii_case("docker") => {
                self.arm_image(scalar, "|", scope)
            }
            Some((kind, _))
                if kind.eq_ignore_ascii_case("compose") || kind.eq_ignore_ascii_case("kube") =>
            {
                Err(Problem::elsewhere(
                    "a compose file in a web app",
                    scalar.line,
                    scalar.column,
                ))
            }
            _ => Ok(()),
        }
    }

    fn arm_image(
        &mut self,
        scalar: &Scalar,
        after: &str,
        scope: &Scope<'_>,
    ) -> Result<(), Problem> {
        let value = scope.value(scalar.string()?, 0);
        let value =
            value.ok_or_else(|| Problem::unresolved(&scalar.value, scalar.line, scalar.column))?;
        let text = if after.is_empty() {
            value.as_str()
        } else {
            value.split_once(after).map_or("", |(_, rest)| rest)
        };
        let image = reference(text, scalar)?;
        let place = if scalar.value == value {
            Place::Text {
                range: scalar.range.clone(),
                text: text.to_owned(),
            }
        } else {
            Place::Parts
        };
        self.push(Found {
            image,
            line: scalar.line,
            column: scalar.column,
            place,
        });
        Ok(())
    }
}

/// A member, by its name in any case; twice is an error.
fn member<'a>(mapping: &'a Mapping, name: &str) -> Result<Option<&'a Node>, Problem> {
    let mut all = mapping
        .entries
        .iter()
        .filter(|(known, _)| known.eq_ignore_ascii_case(name))
        .map(|(_, node)| node);
    match (all.next(), all.next()) {
        (_, Some(second)) => Err(Problem::duplicate(name, second.line(), second.column())),
        (first, None) => Ok(first),
    }
}

/// Whether the whole text is an expression.
fn is_expression(text: &str) -> bool {
    text.starts_with('[') && !text.starts_with("[[") && text.ends_with(']')
}

impl Scope<'_> {
    /// The text that a value comes to; `None` where that is not known.
    fn value(&self, text: &str, depth: usize) -> Option<String> {
        if text.starts_with("[[") {
            return text.get(1..).map(ToOwned::to_owned);
        }
        match text
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            None => Some(text.to_owned()),
            Some(expression) => {
                let mut reader = Reader { rest: expression };
                let value = self.expression(&mut reader, depth)?;
                reader.rest.trim().is_empty().then_some(value)
            }
        }
    }

    fn expression(&self, reader: &mut Reader<'_>, depth: usize) -> Option<String> {
        self.calls.set(self.calls.get() + 1);
        if depth > DEPTH || self.calls.get() > CALLS {
            return None;
        }
        if let Some(text) = reader.text() {
            return Some(text);
        }
        let name = reader.name()?.to_lowercase();
        let mut arguments = Vec::new();
        reader.sign('(')?;
        while reader.sign(')').is_none() {
            arguments.push(self.expression(reader, depth + 1)?);
            // Between arguments a comma, after the last one the end.
            if reader.sign(',').is_none() {
                reader.sign(')')?;
                break;
            }
        }
        match (name.as_str(), arguments.as_slice()) {
            ("parameters", [name]) => self.parameter(name, depth),
            ("variables", [name]) => self.variable(name, depth),
            ("concat", parts) => Some(parts.concat()).filter(|text| text.len() <= LENGTH),
            ("string", [text]) => Some(text.clone()),
            ("tolower", [text]) => Some(text.to_lowercase()),
            ("format", [pattern, values @ ..]) => filled(pattern, values),
            _ => None,
        }
    }

    fn parameter(&self, name: &str, depth: usize) -> Option<String> {
        let name = name.to_lowercase();
        if let Some(given) = self.given.0.get(&name) {
            return given.clone();
        }
        let Some(Node::Mapping(declared)) = member(self.root, "parameters").ok()? else {
            return None;
        };
        let (_, node) = declared
            .entries
            .iter()
            .find(|(known, _)| known.to_lowercase() == name)?;
        let Node::Mapping(parameter) = node else {
            return None;
        };
        self.value(parameter.text("defaultValue")?, depth + 1)
    }

    fn variable(&self, name: &str, depth: usize) -> Option<String> {
        let Some(Node::Mapping(variables)) = member(self.root, "variables").ok()? else {
            return None;
        };
        let (_, node) = variables
            .entries
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        self.value(&node.as_scalar()?.value, depth + 1)
    }
}

/// `{0}` and so on replaced; anything else in braces is not known.
fn filled(pattern: &str, values: &[String]) -> Option<String> {
    let mut out = String::new();
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once('{') {
        let (number, after) = after.split_once('}')?;
        out.push_str(before);
        out.push_str(values.get(number.parse::<usize>().ok()?)?);
        rest = after;
    }
    if rest.contains('}') || out.len() > LENGTH {
        return None;
    }
    out.push_str(rest);
    Some(out)
}

/// The text of an expression, read from its beginning.
struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn sign(&mut self, sign: char) -> Option<()> {
        self.rest = self.rest.trim_start().strip_prefix(sign)?;
        Some(())
    }

    fn name(&mut self) -> Option<String> {
        let rest = self.rest.trim_start();
        let end = rest
            .find(|c: char| !c.is_ascii_alphanumeric())
            .unwrap_or(rest.len());
        let (name, rest) = rest.split_at(end);
        self.rest = rest;
        (!name.is_empty()).then(|| name.to_owned())
    }

    /// A text in single quotes; two of them stand for one.
    fn text(&mut self) -> Option<String> {
        let mut out = String::new();
        let mut rest = self.rest.trim_start().strip_prefix('\'')?;
        loop {
            let (part, after) = rest.split_once('\'')?;
            out.push_str(part);
            let Some(more) = after.strip_prefix('\'') else {
                self.rest = after;
                return Some(out);
            };
            out.push('\'');
            rest = more;
        }
    }
}
