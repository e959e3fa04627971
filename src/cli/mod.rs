//! The command line: definitions only, no behaviour. What is not built is not here.

mod error;
mod examples;
mod invocation;
mod key;
mod policy;
mod shared;
mod sign;
mod step;
mod trust;
mod verify;
mod words;

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use clap_complete::Shell;

use crate::reason::Reason;

pub(crate) use self::{
    error::{UsageError, may_hold_secret},
    invocation::{Invocation, Local, Online},
    key::{Key, KeyShow},
    policy::{Policy, PolicyCheck, PolicyInit},
    shared::{Colour, Config, DryRun, Form, Identity, ManifestFiles, Network, Output, Pin, Shared},
    sign::Sign,
    step::{Step, StepCommand},
    trust::{Signer, SignerAdd, Trust, TrustInit, TrustRevoke, TrustStatus},
    verify::{Inspect, Verify},
};

/// Sign container images in Azure Container Registry with keys that stay in Azure Key Vault, and block
/// unsigned ones.
#[derive(Debug, Parser)]
#[command(name = "acr-sign", version, propagate_version = true)]
#[command(
    after_help = "Exit codes: 0 done or verified, 1 rejected, 2 usage or configuration, 3 could not be determined, \
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
    #[command(after_help = examples::SIGN)]
    Sign(Box<Sign>),
    /// The gate: exit 0 only if every image is signed as the policy or the trust flags demand
    #[command(after_help = examples::VERIFY)]
    Verify(Box<Verify>),
    /// Show everything that signs an image or a repository, with roles, keys and expiry
    #[command(after_help = examples::INSPECT)]
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
    #[command(after_help = examples::CI)]
    Ci,
    /// Explain a reason code, such as `unsigned`: what leads to it, and how to fix it
    #[command(after_help = examples::EXPLAIN)]
    Explain {
        /// The code, as in `error[CODE]`
        #[arg(value_enum, value_name = "CODE", hide_possible_values = true)]
        code: Reason,
    },
    /// Write a manual page for each command into a folder, for those who package this program
    #[command(hide = true)]
    Man {
        /// The folder, which must exist
        #[arg(value_name = "FOLDER")]
        folder: PathBuf,
    },
    /// Print a completion script for a shell
    #[command(after_help = examples::COMPLETIONS)]
    Completions {
        /// The shell to complete in
        shell: Shell,
    },
}
