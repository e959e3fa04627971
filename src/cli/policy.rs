//! `policy`: what a policy file says.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{ManifestFiles, Output, Shared, examples};

/// `policy …`
#[derive(Debug, Subcommand)]
pub(crate) enum Policy {
    /// Validate a policy and say what it demands of images; asks no server
    ///
    /// Every file that the policy names is read, too. Exit 1 if an image is denied whatever signs it: no rule is about
    /// it, or its exemption has ended.
    #[command(after_help = examples::POLICY_CHECK)]
    Check(PolicyCheck),
    /// Look at images and write a policy that demands what signs them now, for you to confirm
    ///
    /// Each pin says what it is, and is trusted on first use until somebody compares it with its owner. Images that
    /// nothing signs get no rule, and the exit code is 1.
    #[command(after_help = examples::POLICY_INIT)]
    Init(Box<PolicyInit>),
}

/// `policy check`
#[derive(Args, Debug)]
pub(crate) struct PolicyCheck {
    /// Images to find the rule of; without any, every rule is shown
    #[arg(value_name = "IMAGE")]
    pub(crate) images: Vec<String>,
    #[command(flatten)]
    pub(crate) files: ManifestFiles,
    /// The policy; without it the `acr-sign.yaml` in the working directory
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// `policy init`
#[derive(Args, Debug)]
pub(crate) struct PolicyInit {
    /// Images to look at; short names are read as docker reads them
    #[arg(value_name = "IMAGE", required = true)]
    pub(crate) images: Vec<String>,
    /// Write the policy to a file, not to standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) to: Option<PathBuf>,
    /// Folder for the certificates that the policy pins, as seen from the policy; with --to `certificates` if not given
    #[arg(long, value_name = "FOLDER")]
    pub(crate) certificates: Option<PathBuf>,
    /// Root certificate (PEM) of a timestamp authority that may have stamped signatures (repeatable); timestamps that bring
    /// their root along need none
    #[arg(long, value_name = "PEM")]
    pub(crate) timestamp_root_cert: Vec<PathBuf>,
    /// Write the file even if it is there already
    #[arg(long, requires = "to")]
    pub(crate) overwrite: bool,
    #[command(flatten)]
    pub(crate) shared: Shared,
}
