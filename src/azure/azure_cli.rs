//! The az CLI: a program on the PATH that prints tokens of whoever is logged in.

use std::time::Duration;

use azure_identity::{AzureCliCredential, AzureCliCredentialOptions};

use super::{
    IdentityError,
    token::{ask, sdk},
};
use crate::{crypto::Secret, process::Environment};

/// How long the az CLI may take.
const CLI_TIME: Duration = Duration::from_secs(30);

pub(super) async fn token(
    tenant_id: Option<String>,
    scope: &str,
) -> Result<(Secret, Duration), IdentityError> {
    let options = AzureCliCredentialOptions {
        tenant_id,
        ..AzureCliCredentialOptions::default()
    };
    let credential = AzureCliCredential::new(Some(options)).map_err(|error| sdk("az", error))?;
    match tokio::time::timeout(CLI_TIME, ask(&*credential, "az", scope)).await {
        Ok(outcome) => outcome,
        Err(_) => Err(IdentityError::Local {
            what: "az".into(),
            cause: "it did not end within 30 s".into(),
        }),
    }
}

/// Whether az is on the path and has an account.
pub(super) async fn is_logged_in(environment: &Environment) -> bool {
    let Some(path) = environment.get("PATH") else {
        return false;
    };
    let mut command = tokio::process::Command::new(if cfg!(windows) { "az.cmd" } else { "az" });
    command
        .args(["account", "show", "--output", "none"])
        .env("PATH", path)
        .kill_on_drop(true);
    command
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null());
    let Ok(mut child) = command.spawn() else {
        return false;
    };
    matches!(tokio::time::timeout(CLI_TIME, child.wait()).await, Ok(Ok(status)) if status.success())
}
