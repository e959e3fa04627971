//! Which identity: picked once, by what the environment offers, in one fixed order. There is no second try after a
//! real failure (K07).

use super::{
    Auth, IdentityError, IdentitySource, azure_cli::AzureCli, environment_probe::EnvironmentProbe,
    managed_identity, pipeline_host::PipelineHost,
};

/// What came of looking for an identity.
#[derive(Debug)]
pub(super) enum Choice {
    /// This one.
    Source(Box<IdentitySource>),
    /// None is there.
    Nothing(Search),
}

fn source(found: IdentitySource) -> Choice {
    Choice::Source(Box::new(found))
}

/// What was looked for in vain, and what to do about it.
#[derive(Clone, Debug)]
pub(super) struct Search {
    looked_for: String,
    hint: String,
}

impl Search {
    /// As the error of whoever needs an identity.
    pub(super) fn error(&self) -> IdentityError {
        IdentityError::Unavailable {
            looked_for: self.looked_for.clone(),
            hint: self.hint.clone(),
        }
    }
}

/// Picks the identity that `--auth` names, or the first that is there.
pub(super) async fn choose(probe: &EnvironmentProbe<'_>) -> Result<Choice, IdentityError> {
    let found = match probe.options.auth {
        Auth::Auto => return automatic(probe).await,
        Auth::None => {
            return Ok(Choice::Nothing(Search {
                looked_for: "nothing, as `--auth none` says".to_owned(),
                hint: "leave `--auth` at `auto`, or name an identity with it".to_owned(),
            }));
        }
        Auth::Oidc => probe.github()?,
        Auth::ServiceConnection => probe.pipelines()?,
        Auth::Environment => probe.secret()?,
        Auth::WorkloadIdentity => probe.workload()?,
        Auth::ManagedIdentity => managed(probe).await?,
        Auth::AzureCli => {
            let az = AzureCli::look(&probe.options.environment).await;
            (az == AzureCli::LoggedIn).then(|| probe.azure_cli())
        }
    };
    found
        .map(source)
        .ok_or_else(|| missing(probe.options.auth, probe.host()))
}

/// The first whose variables are there.
async fn automatic(probe: &EnvironmentProbe<'_>) -> Result<Choice, IdentityError> {
    // One after the other: a variable of a method that is not reached must not end the run.
    for method in [
        EnvironmentProbe::github,
        EnvironmentProbe::pipelines,
        EnvironmentProbe::secret,
        EnvironmentProbe::workload,
    ] {
        if let Some(found) = method(probe)? {
            return Ok(source(found));
        }
    }
    if let Some(found) = managed(probe).await? {
        return Ok(source(found));
    }
    let az = AzureCli::look(&probe.options.environment).await;
    if az == AzureCli::LoggedIn {
        return Ok(source(probe.azure_cli()));
    }
    Ok(Choice::Nothing(in_vain(probe, az)))
}

async fn managed(probe: &EnvironmentProbe<'_>) -> Result<Option<IdentitySource>, IdentityError> {
    if let Some(found) = probe.app_service()? {
        return Ok(Some(found));
    }
    // Asked for a token, an address that nothing answers at would be tried for minutes.
    let answers = !probe.host().is_hosted() && managed_identity::imds_answers(probe.client).await;
    Ok(answers.then(|| probe.imds()))
}

/// The list of what was looked for, in order, each with why it was not used.
fn in_vain(probe: &EnvironmentProbe<'_>, az: AzureCli) -> Search {
    let unset = |name: &str| format!("{name} is not set");
    let github = if probe.env("ACTIONS_ID_TOKEN_REQUEST_URL").is_some() {
        unset("AZURE_CLIENT_ID")
    } else {
        unset("ACTIONS_ID_TOKEN_REQUEST_URL")
    };
    let machine = if probe.host().is_hosted() {
        "this machine belongs to the pipeline host"
    } else {
        "Azure's metadata service does not answer"
    };
    let looked_for = [
        format!("GitHub's ID token ({github})"),
        format!(
            "a service connection ({})",
            unset("AZURESUBSCRIPTION_SERVICE_CONNECTION_ID")
        ),
        format!("a client secret ({})", unset("AZURE_CLIENT_SECRET")),
        format!(
            "workload identity ({})",
            unset("AZURE_FEDERATED_TOKEN_FILE")
        ),
        format!(
            "a managed identity ({}, and {machine})",
            unset("IDENTITY_ENDPOINT")
        ),
        az.finding().to_owned(),
    ];
    let hint = match (probe.host(), az) {
        (PipelineHost::None, AzureCli::Absent) => {
            "install the Azure CLI and run `az login`; a machine in Azure can have a managed identity".to_owned()
        }
        (host, _) => host.advice().to_owned(),
    };
    Search {
        looked_for: looked_for.join(", "),
        hint,
    }
}

/// The method that `--auth` names is not there.
fn missing(auth: Auth, host: PipelineHost) -> IdentityError {
    let (method, missing, hint) = match auth {
        Auth::Oidc => (
            "oidc",
            "ACTIONS_ID_TOKEN_REQUEST_URL and ACTIONS_ID_TOKEN_REQUEST_TOKEN, and client and tenant ID",
            PipelineHost::GitHub { hosted: false }.advice(),
        ),
        Auth::ServiceConnection => (
            "service-connection",
            "a service connection, and none is named",
            "name it with `--service-connection-id`, or run this in AzureCLI@2",
        ),
        Auth::Environment => (
            "environment",
            "AZURE_CLIENT_SECRET with AZURE_CLIENT_ID and AZURE_TENANT_ID",
            "set them, or choose another `--auth`",
        ),
        Auth::WorkloadIdentity => (
            "workload-identity",
            "AZURE_FEDERATED_TOKEN_FILE with AZURE_CLIENT_ID and AZURE_TENANT_ID",
            "give the pod the label `azure.workload.identity/use: \"true\"` and a service account of that identity",
        ),
        Auth::ManagedIdentity if host.is_hosted() => (
            "managed-identity",
            "a machine of yours, and this one belongs to the pipeline host",
            host.advice(),
        ),
        Auth::ManagedIdentity => (
            "managed-identity",
            "IDENTITY_ENDPOINT and IDENTITY_HEADER, or Azure's metadata service at 169.254.169.254, which does not answer",
            "run this on a machine in Azure that has an identity, or choose another `--auth`",
        ),
        Auth::AzureCli | Auth::Auto | Auth::None => (
            "azure-cli",
            "an `az` on the PATH that is logged in",
            "`az login`",
        ),
    };
    IdentityError::Missing {
        method,
        missing: missing.to_owned(),
        hint: hint.to_owned(),
    }
}
