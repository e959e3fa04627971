//! A service connection as the agent hands it to a task: one variable for each part, and all parts as JSON.

use serde_json::Value;

use crate::process::Environment;

/// The variables of one connection. They hold its secrets, so this does not print.
pub(super) struct Endpoint<'a> {
    environment: &'a Environment,
    id: &'a str,
}

impl<'a> Endpoint<'a> {
    pub(super) fn new(environment: &'a Environment, id: &'a str) -> Self {
        Self { environment, id }
    }

    /// Whether the agent hands anything of this connection to the process.
    pub(super) fn is_described(&self) -> bool {
        let mark = format!("_{}", self.id.to_ascii_uppercase());
        self.environment.iter().any(|(name, value)| {
            let name = name.to_ascii_uppercase();
            !value.is_empty() && name.starts_with("ENDPOINT_") && name.contains(&mark)
        })
    }

    /// The scheme in lower case; empty where none is named.
    pub(super) fn scheme(&self) -> String {
        let alone = self.variable("AUTH_SCHEME", None).map(ToOwned::to_owned);
        let scheme = alone.or_else(|| text(&self.document("AUTH"), "scheme"));
        scheme.unwrap_or_default().to_ascii_lowercase()
    }

    /// A parameter of the login, by its name in capitals.
    pub(super) fn parameter(&self, name: &str) -> Option<String> {
        let alone = self
            .variable("AUTH_PARAMETER", Some(name))
            .map(ToOwned::to_owned);
        alone.or_else(|| text(member(&self.document("AUTH"), "parameters")?, name))
    }

    /// What is known beside the login, by its name in capitals.
    pub(super) fn data(&self, name: &str) -> Option<String> {
        let alone = self.variable("DATA", Some(name)).map(ToOwned::to_owned);
        alone.or_else(|| text(&self.document("DATA"), name))
    }

    /// All parts at once. What cannot be read lacks every part, which is then named as missing.
    fn document(&self, kind: &str) -> Value {
        self.variable(kind, None)
            .and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default()
    }

    /// The agent writes the names of connections in either case.
    fn variable(&self, kind: &str, part: Option<&str>) -> Option<&'a str> {
        let part = part.map(|part| format!("_{part}")).unwrap_or_default();
        let name = format!("ENDPOINT_{kind}_{}{part}", self.id);
        self.environment.get(&name).or_else(|| {
            let mut variables = self.environment.iter();
            variables
                .find(|(found, value)| found.eq_ignore_ascii_case(&name) && !value.is_empty())
                .map(|(_, value)| value)
        })
    }
}

/// The secrets of all connections that the agent hands to the process.
pub(super) fn secrets(environment: &Environment) -> Vec<String> {
    let mut found = Vec::new();
    for (name, value) in environment.iter() {
        let name = name.to_ascii_uppercase();
        let Some(rest) = name.strip_prefix("ENDPOINT_AUTH_") else {
            continue;
        };
        if rest.starts_with("PARAMETER_") {
            if holds_a_secret(rest) {
                found.push(value.to_owned());
            }
        } else if let Ok(document) = serde_json::from_str::<Value>(value)
            && let Some(Value::Object(parameters)) = member(&document, "parameters")
        {
            let secrets = parameters
                .iter()
                .filter(|(name, _)| holds_a_secret(&name.to_ascii_uppercase()));
            found.extend(secrets.filter_map(|(_, value)| Some(value.as_str()?.to_owned())));
        }
    }
    found.retain(|secret| !secret.is_empty());
    found
}

/// Names of parameters end in what they are: `SERVICEPRINCIPALKEY`, `ACCESSTOKEN`, `APITOKEN`, `PASSWORD`.
fn holds_a_secret(parameter: &str) -> bool {
    ["KEY", "TOKEN", "PASSWORD", "SECRET", "CERTIFICATE"]
        .iter()
        .any(|word| parameter.ends_with(word))
}

/// A member of either case, as single variables lose theirs.
fn member<'a>(document: &'a Value, name: &str) -> Option<&'a Value> {
    document
        .as_object()?
        .iter()
        .find(|(found, _)| found.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

fn text(document: &Value, name: &str) -> Option<String> {
    member(document, name)?
        .as_str()
        .filter(|text| !text.is_empty())
        .map(ToOwned::to_owned)
}
