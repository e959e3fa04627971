//! `key`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Config, Shared, examples};

/// `key …`
#[derive(Debug, Subcommand)]
pub(crate) enum Key {
    /// Show a key as each format sees it: key IDs, thumbprint, PEM, and what is wrong with it for signing
    #[command(after_help = examples::KEY_SHOW)]
    Show(KeyShow),
}

/// `key show`
#[derive(Args, Debug)]
pub(crate) struct KeyShow {
    /// The key
    #[arg(value_name = "KEY")]
    pub(crate) key: String,
    /// Show the key IDs that this certificate (PEM file) of the key has, too
    #[arg(long, value_name = "PEM")]
    pub(crate) certificate: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) config: Config,
    #[command(flatten)]
    pub(crate) shared: Shared,
}
