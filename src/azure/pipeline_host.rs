//! The pipeline host whose step this is, as far as identities and advice differ.

use crate::process::Environment;

/// The pipeline host that the run is a step of, as far as its advice differs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PipelineHost {
    /// GitHub Actions.
    GitHub {
        /// On a machine of GitHub's.
        hosted: bool,
    },
    /// Azure Pipelines.
    Azure {
        /// On a machine of Microsoft's.
        hosted: bool,
    },
    /// None that is known.
    None,
}

impl PipelineHost {
    /// From the variables that each host sets in every step.
    pub(super) fn of(environment: &Environment) -> Self {
        let github = environment.get("RUNNER_ENVIRONMENT");
        let azure = environment.get("AGENT_ISSELFHOSTED");
        if github.is_some() || environment.get("GITHUB_ACTIONS").is_some() {
            Self::GitHub {
                hosted: github == Some("github-hosted"),
            }
        } else if azure.is_some() || environment.get("TF_BUILD").is_some() {
            Self::Azure {
                hosted: azure == Some("0"),
            }
        } else {
            Self::None
        }
    }

    /// Whether the machine belongs to the host: its metadata service answers for an identity that is not the user's.
    pub(super) fn is_hosted(self) -> bool {
        matches!(
            self,
            Self::GitHub { hosted: true } | Self::Azure { hosted: true }
        )
    }

    /// How a step gets an identity there.
    pub(super) fn advice(self) -> &'static str {
        match self {
            Self::GitHub { .. } => GITHUB_ADVICE,
            Self::Azure { .. } => {
                "give the task its service connection (`azureSubscription`), or run the script in AzureCLI@2 with \
                 `env: { SYSTEM_ACCESSTOKEN: $(System.AccessToken) }`"
            }
            Self::None => "`az login`",
        }
    }
}

/// The block to add, in YAML's flow style so that it is one line.
pub(super) const GITHUB_ADVICE: &str = "add `permissions: { contents: read, id-token: write }` to the job (pull requests from \
    forks never get an ID token), and give this step the client and the tenant ID (`--client-id`, `--tenant-id`, or \
    AZURE_CLIENT_ID and AZURE_TENANT_ID)";
