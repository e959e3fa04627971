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
