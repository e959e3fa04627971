//! `policy`: what a policy file says.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{ManifestFiles, Output};

/// `policy …`
#[derive(Debug, Subcommand)]
pub(crate) enum Policy {
    /// Validate a policy and say what it demands of images; asks no server
    ///
    /// Every file that the policy names is read, too. Exit 1 if an image is denied whatever signs it: no rule is about
    /// it, or its exemption has ended.
    Check(PolicyCheck),
}

/// `policy check`
#[derive(Args, Debug)]
pub(crate) struct PolicyCheck {
    /// Images to find the rule of; without any, every rule is shown
    #[arg(value_name = "IMAGE")]
    pub(crate) images: Vec<String>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub(crate) files: ManifestFiles,
    /// The policy; without it the `acr-sign.yaml` in the working directory
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub(crate) output: Output,
}
