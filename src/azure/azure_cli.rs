//! The az CLI: a program on the PATH that prints tokens of whoever is logged in.

use std::time::Duration;

use azure_identity::{AzureCliCredential, AzureCliCredentialOptions};

use super::{
    IdentityError,
    entra::{self, Refusal},
    pipeline_host::PipelineHost,
    sdk::{ask, own_error},
    shell::word,
};
use crate::{crypto::Secret, process::Environment};

/// How long az may take: it starts a Python interpreter, which takes seconds on a busy machine.
const TIME: Duration = Duration::from_secs(30);

/// Whether az can be asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum AzureCli {
    /// No `az` on the PATH.
    Absent,
    /// `az` has no account.
    LoggedOut,
    /// `az` has an account.
    LoggedIn,
}

impl AzureCli {
    /// Asks az for its account, which needs no network.
    pub(super) async fn look(environment: &Environment) -> Self {
        let Some(path) = environment.get("PATH") else {
            return Self::Absent;
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
            return Self::Absent;
        };
        match tokio::time::timeout(TIME, child.wait()).await {
            Ok(Ok(status)) if status.success() => Self::LoggedIn,
            _ => Self::LoggedOut,
        }
    }

    /// As it stands in the list of what was looked for.
    pub(super) fn finding(self) -> &'static str {
        match self {
            Self::Absent => "az (not on the PATH)",
            Self::LoggedOut => "az (not logged in)",
            Self::LoggedIn => "az",
        }
    }
}

/// A token for a scope.
pub(super) async fn token(
    tenant_id: Option<String>,
    scope: &str,
    host: PipelineHost,
) -> Result<(Secret, Duration), IdentityError> {
    let options = AzureCliCredentialOptions {
        tenant_id: tenant_id.clone(),
        ..AzureCliCredentialOptions::default()
    };
    let credential =
        AzureCliCredential::new(Some(options)).map_err(|error| own_error("az", error))?;
    let Ok(outcome) = tokio::time::timeout(TIME, ask(&*credential, "az", scope)).await else {
        return Err(IdentityError::Local {
            what: "az".into(),
            cause: format!("it did not end within {} s", TIME.as_secs()).into(),
        });
    };
    outcome.map_err(|error| match error {
        IdentityError::Local { cause, .. } => {
            refusal(&cause.to_string(), tenant_id.as_deref(), scope, host)
        }
        other => other,
    })
}

/// What az printed instead of a token, with what to do about it.
fn refusal(text: &str, tenant: Option<&str>, scope: &str, host: PipelineHost) -> IdentityError {
    let said = first_error(text);
    let code = entra::code(&said).or_else(|| entra::code(text));
    let tenant = tenant.map(|tenant| format!(" --tenant {}", word(tenant)));
    let login = format!("`az login{} --scope {scope}`", tenant.unwrap_or_default());
    let hint = match code.unwrap_or_default() {
        // az keeps the ID token that it was logged in with, which lives for minutes: for another service, or later in
        // the job, it is too old.
        700_024 => match host {
            PipelineHost::GitHub { .. } => {
                "az was logged in with an ID token that has expired since: give the job `permissions: id-token: write`, \
                 and this step the client and the tenant ID (`--client-id`, `--tenant-id`), so that it gets tokens \
                 itself; or run `azure/login` again right before it"
                    .to_owned()
            }
            PipelineHost::Azure { .. } => {
                "az was logged in with an ID token that has expired since: map \
                 `SYSTEM_ACCESSTOKEN: $(System.AccessToken)` into the step's `env`, so that it gets tokens itself; or \
                 run it as the first command of AzureCLI@2"
                    .to_owned()
            }
            PipelineHost::None => format!("az was logged in with an ID token that has expired: {login}"),
        },
        // Refresh tokens that expired, were revoked, or belong to an old password.
        700_082 | 700_084 | 70043 | 70044 | 50173 | 50132 | 50133 => {
            format!("the login of az has expired: {login}")
        }
        // More proof is asked for: a second factor, a registered device, consent.
        50076 | 50078 | 50079 | 50072 | 50074 | 50158 | 65001 | 16000 | 50058 => {
            format!("Entra asks for more than az has, such as a second factor: {login}")
        }
        50020 | 50034 | 90072 | 90002 | 500_011 => {
            "the account of az is not one of the tenant that was asked: `az account show --query tenantId --output tsv` \
             prints the tenant of its login, `az login --tenant TENANT` changes it; `--tenant-id` names another one"
                .to_owned()
        }
        0 => login,
        code => {
            let refusal = Refusal {
                code,
                ..Refusal::default()
            };
            match code {
                53003 | 530_003 => refusal.hint(),
                _ => login,
            }
        }
    };
    IdentityError::Refused {
        from: "az".to_owned(),
        said,
        hint,
    }
}

/// The line that says why, on its own: az prints advice, traces and warnings around it.
fn first_error(text: &str) -> String {
    // What comes through the SDK may hold line ends in their escaped form.
    let text = text.replace("\\r", "").replace("\\n", "\n");
    let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty());
    let telling = lines()
        .find(|line| line.contains("AADSTS"))
        .or_else(|| lines().find(|line| line.contains("ERROR:")))
        .or_else(|| lines().next())
        .unwrap_or("it printed no token");
    let from = telling
        .find("AADSTS")
        .or_else(|| telling.find("ERROR:").map(|at| at + "ERROR:".len()));
    let said = telling.get(from.unwrap_or_default()..).unwrap_or(telling);
    said.trim().chars().take(400).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_says_why() {
        for (text, said) in [
            (
                "ERROR: AADSTS700024: Client\nadvice\naz login",
                "AADSTS700024: Client",
            ),
            (
                "x failed. WARNING: w\\nERROR: AADSTS50076: MFA\\n",
                "AADSTS50076: MFA",
            ),
            (
                "WARNING: w\nERROR: Please run 'az login'",
                "Please run 'az login'",
            ),
            ("something", "something"),
            ("\n \n", "it printed no token"),
        ] {
            assert_eq!(first_error(text), said, "{text}");
        }
    }
}
