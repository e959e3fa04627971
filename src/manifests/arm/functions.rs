//! Functions of ARM whose value follows from their arguments alone.

use super::{
    parameters::Literal,
    scope::{Scope, Value},
    syntax::Expression,
};
use crate::manifests::tree::Node;

/// Characters of one value.
const LENGTH: usize = 4096;

/// Functions that come to a text, number or boolean in every case.
const SCALAR: &[&str] = &[
    "add",
    "and",
    "base64",
    "base64tostring",
    "bool",
    "copyindex",
    "datetimeadd",
    "div",
    "empty",
    "endswith",
    "equals",
    "extensionresourceid",
    "format",
    "greater",
    "greaterorequals",
    "guid",
    "indexof",
    "int",
    "join",
    "lastindexof",
    "length",
    "less",
    "lessorequals",
    "managementgroupresourceid",
    "max",
    "min",
    "mod",
    "mul",
    "newguid",
    "not",
    "or",
    "padleft",
    "replace",
    "resourceid",
    "startswith",
    "string",
    "sub",
    "subscriptionresourceid",
    "substring",
    "tenantresourceid",
    "tolower",
    "toupper",
    "trim",
    "uniquestring",
    "uri",
    "uricomponent",
    "uricomponenttostring",
    "utcnow",
    "true",
    "false",
];

/// Whether a call comes to no object, whatever it is given.
pub(super) fn gives_scalar(name: &str) -> bool {
    SCALAR.contains(&name)
}

/// The value of a call; `None` where it is not known.
pub(super) fn call<'a>(
    name: &str,
    arguments: &[Expression],
    scope: &'a Scope<'a>,
    depth: usize,
) -> Option<Value<'a>> {
    // Only what is chosen is worked out.
    match (name, arguments) {
        ("if", [condition, then, or]) => {
            return match scope.expression(condition, depth + 1)? {
                Value::Boolean(true) => scope.expression(then, depth + 1),
                Value::Boolean(false) => scope.expression(or, depth + 1),
                _ => None,
            };
        }
        ("coalesce", all) => {
            for one in all {
                match scope.expression(one, depth + 1)? {
                    Value::Null => {}
                    value => return Some(value),
                }
            }
            return Some(Value::Null);
        }
        _ => {}
    }
    let values: Option<Vec<Value<'a>>> = arguments
        .iter()
        .map(|argument| scope.expression(argument, depth + 1))
        .collect();
    let value = of_values(name, &values?, depth + 1)?;
    match &value {
        Value::Text(text) if text.len() > LENGTH => None,
        _ => Some(value),
    }
}

fn of_values<'a>(name: &str, values: &[Value<'a>], depth: usize) -> Option<Value<'a>> {
    use Value::{Boolean, List, Null, Text};
    Some(match (name, values) {
        ("null", []) => Null,
        ("true", []) => Boolean(true),
        ("false", []) => Boolean(false),
        ("concat", parts) => Text(parts.iter().map(text).collect::<Option<String>>()?),
        ("format", [Text(pattern), values @ ..]) => Text(filled(pattern, values)?),
        ("string", [value]) => Text(text(value)?),
        ("tolower", [Text(text)]) => Text(ascii(text)?.to_ascii_lowercase()),
        ("toupper", [Text(text)]) => Text(ascii(text)?.to_ascii_uppercase()),
        ("trim", [Text(text)]) => Text(text.trim().to_owned()),
        ("replace", [Text(text), Text(old), Text(new)]) if !old.is_empty() => {
            // Where case would matter it is not known which way.
            let same = text.to_lowercase().matches(&old.to_lowercase()).count();
            if same != text.matches(old.as_str()).count() {
                return None;
            }
            Text(text.replace(old.as_str(), new))
        }
        ("join", [list, Text(between)]) => {
            let items: Option<Vec<String>> = items(list, depth)?.iter().map(text).collect();
            Text(items?.join(between))
        }
        ("split", [Text(text), Text(between)]) if !between.is_empty() => List(
            text.split(between.as_str())
                .map(|part| Text(part.to_owned()))
                .collect(),
        ),
        ("createarray", items) => List(items.to_vec()),
        ("first", [list]) => items(list, depth)?.into_iter().next()?,
        ("last", [list]) => items(list, depth)?.into_iter().next_back()?,
        ("equals", [one, other]) => Boolean(equal(one, other)?),
        ("not", [Boolean(value)]) => Boolean(!value),
        ("and", all) => Boolean(booleans(all)?.iter().all(|value| *value)),
        ("or", all) => Boolean(booleans(all)?.iter().any(|value| *value)),
        ("empty", [value]) => Boolean(match value {
            Null => true,
            Text(text) => text.is_empty(),
            Value::Node(Node::Mapping(mapping), _) => mapping.entries.is_empty(),
            Value::Literal(Literal::Object(members)) => members.is_empty(),
            value => items(value, depth)?.is_empty(),
        }),
        _ => return None,
    })
}

/// A value as text, as `concat` and `string` write it.
fn text(value: &Value<'_>) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn items<'a>(list: &Value<'a>, depth: usize) -> Option<Vec<Value<'a>>> {
    match list {
        Value::List(items) => Some(items.clone()),
        Value::Node(Node::Sequence(sequence), scope) => {
            let items = sequence.items.iter();
            items.map(|item| scope.node(item, depth + 1)).collect()
        }
        Value::Literal(Literal::List(items)) => items.iter().map(Value::of_literal).collect(),
        _ => None,
    }
}

fn equal(one: &Value<'_>, other: &Value<'_>) -> Option<bool> {
    match (one, other) {
        (Value::Text(one), Value::Text(other)) => {
            // Equal but for their case: it is not known which way that goes.
            (one == other || one.to_lowercase() != other.to_lowercase()).then_some(one == other)
        }
        (Value::Number(one), Value::Number(other)) => Some(one == other),
        (Value::Boolean(one), Value::Boolean(other)) => Some(one == other),
        (Value::Null, Value::Null) => Some(true),
        (Value::Null, Value::Text(_) | Value::Number(_) | Value::Boolean(_))
        | (Value::Text(_) | Value::Number(_) | Value::Boolean(_), Value::Null) => Some(false),
        _ => None,
    }
}

fn booleans(values: &[Value<'_>]) -> Option<Vec<bool>> {
    let values = values.iter();
    values
        .map(|value| match value {
            Value::Boolean(value) => Some(*value),
            _ => None,
        })
        .collect()
}

fn ascii(text: &str) -> Option<&str> {
    text.is_ascii().then_some(text)
}

/// `{0}` and so on replaced; anything else in braces is not known.
fn filled(pattern: &str, values: &[Value<'_>]) -> Option<String> {
    let mut out = String::new();
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once('{') {
        let (number, after) = after.split_once('}')?;
        if before.contains('}') {
            return None;
        }
        out.push_str(before);
        out.push_str(&text(values.get(number.parse::<usize>().ok()?)?)?);
        rest = after;
    }
    if rest.contains('}') {
        return None;
    }
    out.push_str(rest);
    (out.len() <= LENGTH).then_some(out)
}
