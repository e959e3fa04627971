//! Notary's JSON: the canonical form that signatures cover, and the re-serialised form that the server hashes.

use std::fmt::Write as _;

use serde_json::{Map, Value};

/// Canonical text: keys sorted, no blanks, only `"` and `\` escaped; `None` for fractions.
pub(super) fn canonical(value: &Value) -> Option<String> {
    let mut text = String::new();
    write(value, &mut text, false)?;
    Some(text)
}

/// The same with the five escapes that Go's encoder adds.
pub(super) fn go_form(value: &Value) -> Option<String> {
    let mut text = String::new();
    write(value, &mut text, true)?;
    Some(text)
}

fn write(value: &Value, text: &mut String, escape: bool) -> Option<()> {
    match value {
        Value::Null => text.push_str("null"),
        Value::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
        Value::Number(number) => {
            let integer = number.as_i64().or_else(|| {
                number
                    .as_f64()
                    .filter(|n| n.fract() == 0.0)
                    .and_then(|n| format!("{n:.0}").parse().ok())
            });
            let _ = write!(text, "{}", integer?);
        }
        Value::String(string) => write_string(string, text, escape),
        Value::Array(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write(item, text, escape)?;
            }
            text.push(']');
        }
        Value::Object(map) => {
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort_unstable();
            text.push('{');
            for (index, key) in keys.into_iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write_string(key, text, escape);
                text.push(':');
                write(map.get(key)?, text, escape)?;
            }
            text.push('}');
        }
    }
    Some(())
}

fn write_string(string: &str, text: &mut String, escape: bool) {
    text.push('"');
    for c in string.chars() {
        match c {
            '"' | '\\' => {
                text.push('\\');
                text.push(c);
            }
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' if escape => {
                let _ = write!(text, "\\u{:04x}", u32::from(c));
            }
            _ => text.push(c),
        }
    }
    text.push('"');
}

/// What the server makes of an uploaded file before it hashes it: the members it knows, in Go's form. An
/// uploaded file that differs from this breaks the repository for every reader, as on the real server.
pub(super) fn reserialised(role: &str, bytes: &[u8]) -> Option<Vec<u8>> {
    let document: Value = serde_json::from_slice(bytes).ok()?;
    let signed = &document["signed"];
    let known = match role {
        "root" => root(signed),
        "snapshot" | "timestamp" => pick(signed, &["_type", "expires", "meta", "version"]),
        _ => targets(signed),
    };
    let mut text = String::from("{\"signed\":");
    text.push_str(&go_form(&known)?);
    text.push_str(",\"signatures\":[");
    for (index, signature) in document["signatures"].as_array()?.iter().enumerate() {
        let field = |name: &str| signature[name].as_str().unwrap_or_default().to_owned();
        let comma = if index > 0 { "," } else { "" };
        let method = field("method").to_lowercase();
        let _ = write!(
            text,
            "{comma}{{\"keyid\":\"{}\",\"method\":\"{method}\",\"sig\":\"{}\"}}",
            field("keyid"),
            field("sig")
        );
    }
    text.push_str("]}");
    Some(text.into_bytes())
}

fn pick(value: &Value, names: &[&str]) -> Value {
    let mut picked: Map<String, Value> = names
        .iter()
        .map(|name| {
            (
                (*name).to_owned(),
                value.get(name).cloned().unwrap_or(Value::Null),
            )
        })
        .collect();
    if let Some(Value::String(expires)) = picked.get_mut("expires") {
        *expires = go_time(expires);
    }
    Value::Object(picked)
}

fn key(value: &Value) -> Value {
    let mut value_part = pick(&value["keyval"], &["private", "public"]);
    value_part["private"] = Value::Null;
    let mut key = pick(value, &["keytype"]);
    key["keyval"] = value_part;
    key
}

fn keys(value: &Value) -> Value {
    match value.as_object() {
        Some(map) => Value::Object(
            map.iter()
                .map(|(id, value)| (id.clone(), key(value)))
                .collect(),
        ),
        None => Value::Null,
    }
}

fn root(signed: &Value) -> Value {
    let mut root = pick(
        signed,
        &[
            "_type",
            "consistent_snapshot",
            "expires",
            "keys",
            "roles",
            "version",
        ],
    );
    root["keys"] = keys(&signed["keys"]);
    if let Some(roles) = signed["roles"].as_object() {
        let roles = roles
            .iter()
            .map(|(name, role)| (name.clone(), pick(role, &["keyids", "threshold"])));
        root["roles"] = Value::Object(roles.collect());
    }
    root
}

fn targets(signed: &Value) -> Value {
    let mut out = pick(
        signed,
        &["_type", "delegations", "expires", "targets", "version"],
    );
    let delegations = &signed["delegations"];
    let roles = delegations["roles"]
        .as_array()
        .map(|roles| roles.iter().map(delegation).collect::<Vec<_>>());
    out["delegations"] = serde_json::json!({"keys": keys(&delegations["keys"]), "roles": roles});
    if let Some(entries) = signed["targets"].as_object() {
        let entries = entries.iter().map(|(name, entry)| {
            let mut known = pick(entry, &["hashes", "length"]);
            if let Some(custom) = entry.get("custom").filter(|custom| !custom.is_null()) {
                known["custom"] = custom.clone();
            }
            (name.clone(), known)
        });
        out["targets"] = Value::Object(entries.collect());
    }
    out
}

fn delegation(role: &Value) -> Value {
    let mut known = pick(role, &["keyids", "name", "threshold"]);
    if role["paths"]
        .as_array()
        .is_some_and(|paths| !paths.is_empty())
    {
        known["paths"] = role["paths"].clone();
    }
    known
}

/// A time as Go prints it after reading it.
fn go_time(text: &str) -> String {
    use time::{OffsetDateTime, format_description::well_known::Rfc3339};
    match OffsetDateTime::parse(text, &Rfc3339) {
        Ok(at) => at.format(&Rfc3339).unwrap_or_default(),
        Err(_) => text.to_owned(),
    }
}
