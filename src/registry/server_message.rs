//! What an answer that refuses something says about it.

use crate::net::Response;

/// The longest text that is shown of a body of no known form.
const EXCERPT: usize = 200;

/// What an error body says: its code and message, or its beginning.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ServerMessage {
    code: String,
    text: String,
}

impl ServerMessage {
    /// The first error in the body, in the form of registries and trust servers: `{"errors":[{"code","message",
    /// "detail"}]}` (OCI distribution specification, "Error Codes").
    pub fn of(response: &Response) -> Self {
        let document: serde_json::Value =
            serde_json::from_slice(&response.body).unwrap_or_default();
        let member = |pointer: &str| {
            let value = document
                .pointer(pointer)
                .and_then(serde_json::Value::as_str);
            value.unwrap_or_default().to_owned()
        };
        let code = member("/errors/0/code");
        if code.is_empty() {
            let start: String = String::from_utf8_lossy(&response.body)
                .chars()
                .take(EXCERPT)
                .collect();
            let text = format!("{} {start}", response.status).trim().to_owned();
            return Self { code, text };
        }
        // Notary says in the detail what is wrong with an update.
        let detail = match member("/errors/0/detail/Error/Msg") {
            detail if detail.is_empty() => String::new(),
            detail => format!(" ({detail})"),
        };
        let text = format!("{code}: {}{detail}", member("/errors/0/message"));
        Self { code, text }
    }

    /// The code of the error, if the body is of the known form.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// Whether the text contains `part`.
    pub fn has(&self, part: &str) -> bool {
        self.text.contains(part)
    }

    /// Whether the registry says that what it was asked to do is locked: writing, reading, or all of a repository or
    /// image.
    pub fn says_locked(&self) -> bool {
        self.code == "REGISTRY_DISALLOWED_OPERATION"
            || self.has("disallowed on this registry, repository or image")
            || self.has("not allowed on this repository")
    }
}

impl std::fmt::Display for ServerMessage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for ServerMessage {}
