//! A service connection of Azure Pipelines as messages name it, with what lets a job use it.

use super::IdentityError;

/// A connection by its ID, and what named it.
#[derive(Clone, Debug)]
pub struct ServiceConnection {
    /// The ID.
    pub id: String,
    /// What named it.
    pub named_by: NamedBy,
    /// Where its settings are, if the job says so.
    pub settings: Option<String>,
}

/// What names a connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NamedBy {
    /// `--service-connection-id`.
    Flag,
    /// The task's input.
    Input,
    /// AzureCLI@2 around the step.
    Variable,
}

impl std::fmt::Display for ServiceConnection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let by = match self.named_by {
            NamedBy::Flag => "`--service-connection-id`",
            NamedBy::Input => "input `azureSubscription`",
            NamedBy::Variable => "`AZURESUBSCRIPTION_SERVICE_CONNECTION_ID`",
        };
        write!(f, "service connection `{}` ({by})", self.id)
    }
}

impl ServiceConnection {
    /// What lets the job use the connection, when the host refuses it an ID token.
    pub(super) fn permit(&self) -> String {
        let place = self.settings.as_ref().map_or_else(
            || "the project's settings, Service connections".to_owned(),
            |url| format!("`{url}`"),
        );
        let named = match self.named_by {
            NamedBy::Flag => {
                "; check the ID as well, it is the `resourceId` in that page's address"
            }
            NamedBy::Input => "; check the name in `azureSubscription` as well",
            NamedBy::Variable => "",
        };
        format!("permit the pipeline to use the connection: {place}, ⋮, Security{named}")
    }

    /// How the job's own token gets to the step. A task has it from the agent.
    pub(super) fn access_token(&self) -> &'static str {
        match self.named_by {
            NamedBy::Input => {
                "the agent hands the task the job's token: use the task as it was published, and the job's own agent"
            }
            NamedBy::Flag | NamedBy::Variable => {
                "add `env: { SYSTEM_ACCESSTOKEN: $(System.AccessToken) }` to the step"
            }
        }
    }

    pub(super) fn fault(&self, fault: impl Into<String>, hint: impl Into<String>) -> IdentityError {
        IdentityError::Connection {
            connection: self.to_string(),
            fault: fault.into(),
            hint: hint.into(),
        }
    }
}
