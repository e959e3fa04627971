//! The command line: definitions only, no behaviour. What is not built is not here.

mod key;
mod policy;
mod shared;
mod sign;
mod trust;
mod verify;

use clap::{Parser, Subcommand};
use clap_complete::Shell;

pub(crate) use self::{
    key::{Key, KeyShow},
    policy::{Policy, PolicyCheck, PolicyInit},
    shared::{
        Auth, CloudName, Config, DryRun, Form, Identity, ManifestFiles, Network, Output, Pin,
        RegistryAuth, Shared,
    },
    sign::Sign,
    trust::{Signer, SignerAdd, Trust, TrustInit, TrustRevoke, TrustStatus},
    verify::{Inspect, Verify},
};

/// Sign container images in Azure Container Registry with keys that stay in Azure Key Vault, and block
/// unsigned ones.
#[derive(Debug, Parser)]
#[command(
    name = "acr-sign",
    version,
    propagate_version = true,
    max_term_width = 100
)]
#[command(
    after_help = "Exit codes: 0 done or verified, 1 rejected, 2 usage or configuration, 3 could not find out, \
                        130 interrupted."
)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Sign what was pushed
    Sign(Box<Sign>),
    /// The gate: exit 0 only if every image is signed as the policy or the trust flags demand
    Verify(Box<Verify>),
    /// Show everything that signs an image or a repository, with roles, keys and expiry
    Inspect(Inspect),
    /// Validate, explain and write policies
    #[command(subcommand)]
    Policy(Policy),
    /// Administer a repository's trust data
    #[command(subcommand)]
    Trust(Trust),
    /// Look at keys
    #[command(subcommand)]
    Key(Key),
    /// Run a step of GitHub Actions or Azure Pipelines, with inputs from its environment
    Ci,
    /// Print a completion script for a shell
    Completions {
        /// The shell to complete in
        shell: Shell,
    },
}

impl Command {
    /// The command as typed.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Sign(_) => "sign",
            Self::Verify(_) => "verify",
            Self::Inspect(_) => "inspect",
            Self::Policy(Policy::Check(_)) => "policy check",
            Self::Policy(Policy::Init(_)) => "policy init",
            Self::Trust(Trust::Init(_)) => "trust init",
            Self::Trust(Trust::Status(_)) => "trust status",
            Self::Trust(Trust::Signer(Signer::Add(_))) => "trust signer add",
            Self::Trust(Trust::Revoke(_)) => "trust revoke",
            Self::Key(Key::Show(_)) => "key show",
            Self::Ci => "ci",
            Self::Completions { .. } => "completions",
        }
    }

    /// The flags that say what is told, and where.
    pub(crate) fn output(&self) -> &Output {
        match self {
            Self::Policy(Policy::Check(arguments)) => &arguments.output,
            _ => &self.shared().output,
        }
    }

    /// The flags that commands share which ask servers.
    pub(crate) fn shared(&self) -> &Shared {
        match self {
            Self::Sign(arguments) => &arguments.shared,
            Self::Verify(arguments) => &arguments.shared,
            Self::Inspect(arguments) => &arguments.shared,
            Self::Policy(Policy::Init(arguments)) => &arguments.shared,
            Self::Trust(Trust::Init(arguments)) => &arguments.shared,
            Self::Trust(Trust::Status(arguments)) => &arguments.shared,
            Self::Trust(Trust::Signer(Signer::Add(arguments))) => &arguments.shared,
            Self::Trust(Trust::Revoke(arguments)) => &arguments.shared,
            Self::Key(Key::Show(arguments)) => &arguments.shared,
            Self::Policy(Policy::Check(_)) | Self::Ci | Self::Completions { .. } => {
                unreachable!("they end before anything is set up")
            }
        }
    }
}
