//! `sign`.

use clap::Args;

use super::{DryRun, Pin, Shared};

/// `sign`
#[derive(Args, Debug)]
pub(crate) struct Sign {
    /// Images to sign: registry/repository:tag[@sha256:…]
    #[arg(value_name = "IMAGE")]
    pub(crate) images: Vec<String>,
    /// Where a pipeline step found them, if not here
    #[arg(skip)]
    pub(crate) source: Option<&'static str>,
    /// Metadata of buildx or bake, as JSON or a file: sign what it says was pushed, under those digests
    #[arg(long, value_name = "FILE|JSON", conflicts_with = "images")]
    pub(crate) metadata: Option<String>,
    /// Sign what was pushed since then: an RFC 3339 time, a duration (30m), or `run`, the start of this pipeline run
    #[arg(long, value_name = "TIME|DURATION|run", requires = "repository", conflicts_with_all = ["images", "metadata"])]
    pub(crate) fresh_since: Option<String>,
    /// With --fresh-since, repositories to look in: `*` within a part of the path, `**` for any number of parts
    #[arg(long, value_name = "GLOB", requires = "fresh_since")]
    pub(crate) repository: Vec<String>,
    /// Signature format: dct (Docker Content Trust). There is no default: a signature in the wrong format is a
    /// false comfort
    #[arg(long, value_name = "FORMAT", value_delimiter = ',')]
    pub(crate) format: Vec<String>,
    /// The signing key, or FORMAT=KEY: `https://VAULT.vault.azure.net/keys/NAME[/VERSION]`,
    /// `akv:VAULT/keys/NAME`, `akv:VAULT/certificates/NAME`, `akv:VAULT/secrets/NAME`, `file:PATH`, `env:NAME`
    #[arg(long, value_name = "KEY")]
    pub(crate) key: Vec<String>,
    /// The digest that was built; an image whose tag resolves to another one is refused
    #[arg(long, value_name = "sha256:…")]
    pub(crate) digest: Option<String>,
    /// Sign this role instead of the ones that list the key: targets, targets/releases, …
    #[arg(long, value_name = "ROLE")]
    pub(crate) role: Vec<String>,
    /// Sign again what this key has signed already
    #[arg(long)]
    pub(crate) force: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub(crate) pin: Pin,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub(crate) dry_run: DryRun,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub(crate) shared: Shared,
}
