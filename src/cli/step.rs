//! What a pipeline step may say: its inputs are turned into one of these two commands.

use clap::{Parser, Subcommand};

use super::{Sign, Verify};

/// The command line of a step.
#[derive(Debug, Parser)]
#[command(name = "acr-sign")]
pub(crate) struct Step {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: StepCommand,
}

/// The commands of a step.
#[derive(Debug, Subcommand)]
pub(crate) enum StepCommand {
    /// `sign`
    Sign(Box<Sign>),
    /// `verify`
    Verify(Box<Verify>),
}
