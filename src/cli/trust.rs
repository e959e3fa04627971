//! `trust`: administration of trust data.

use clap::{Args, Subcommand};

use super::{Config, DryRun, Pin, Shared, examples};

/// `trust …`
#[derive(Debug, Subcommand)]
pub(crate) enum Trust {
    /// Create trust data for a repository and print the root key ID to pin
    #[command(after_help = examples::TRUST_INIT)]
    Init(TrustInit),
    /// Show roots, roles, keys and signed tags as the trust server has them
    #[command(after_help = examples::TRUST_STATUS)]
    Status(TrustStatus),
    /// Administer who may sign
    #[command(subcommand)]
    Signer(Signer),
    /// Take tags out of every role that the key may write
    #[command(after_help = examples::TRUST_REVOKE)]
    Revoke(TrustRevoke),
}

/// `trust signer …`
#[derive(Debug, Subcommand)]
pub(crate) enum Signer {
    /// Let a key sign tags under a name
    #[command(after_help = examples::SIGNER_ADD)]
    Add(SignerAdd),
}

/// `trust init`
#[derive(Args, Debug)]
pub(crate) struct TrustInit {
    /// The repository, with its registry
    #[arg(value_name = "REPOSITORY")]
    pub(crate) repository: String,
    /// The root key: signs who holds the other roles, needed again only to rotate keys
    #[arg(long, value_name = "KEY")]
    pub(crate) root_key: String,
    /// The targets key: signs who the signers are
    #[arg(long, value_name = "KEY")]
    pub(crate) targets_key: String,
    /// A signer and its key (a public key is enough)
    #[arg(long, value_name = "NAME=KEY")]
    pub(crate) signer: Vec<String>,
    /// Who holds the snapshot key
    #[arg(long, value_name = "server|KEY", default_value = "server")]
    pub(crate) snapshot_key: String,
    #[command(flatten)]
    pub(crate) config: Config,
    #[command(flatten)]
    pub(crate) dry_run: DryRun,
    #[command(flatten)]
    pub(crate) shared: Shared,
}

/// `trust status`
#[derive(Args, Debug)]
pub(crate) struct TrustStatus {
    /// The repository, with its registry
    #[arg(value_name = "REPOSITORY")]
    pub(crate) repository: String,
    /// Answer as of this time (RFC 3339)
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<String>,
    #[command(flatten)]
    pub(crate) pin: Pin,
    #[command(flatten)]
    pub(crate) shared: Shared,
}

/// `trust signer add`
#[derive(Args, Debug)]
pub(crate) struct SignerAdd {
    /// The signer's name: lower-case letters, digits, `-` and `_`
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// The repositories to sign in
    #[arg(value_name = "REPOSITORY", required = true)]
    pub(crate) repositories: Vec<String>,
    /// The signer's key (a public key is enough)
    #[arg(long, value_name = "KEY", required = true)]
    pub(crate) signer_key: Vec<String>,
    /// The repository's targets key
    #[arg(long, value_name = "KEY")]
    pub(crate) targets_key: String,
    /// The key that signs the snapshot, where the trust server does not hold it
    #[arg(long, value_name = "KEY")]
    pub(crate) snapshot_key: Option<String>,
    #[command(flatten)]
    pub(crate) config: Config,
    #[command(flatten)]
    pub(crate) dry_run: DryRun,
    #[command(flatten)]
    pub(crate) pin: Pin,
    #[command(flatten)]
    pub(crate) shared: Shared,
}

/// `trust revoke`
#[derive(Args, Debug)]
pub(crate) struct TrustRevoke {
    /// The tags to revoke
    #[arg(value_name = "IMAGE", required = true)]
    pub(crate) images: Vec<String>,
    /// A key of the roles to take the tag out of
    #[arg(long, value_name = "KEY", required = true)]
    pub(crate) key: Vec<String>,
    /// The key that signs the snapshot, where the trust server does not hold it
    #[arg(long, value_name = "KEY")]
    pub(crate) snapshot_key: Option<String>,
    #[command(flatten)]
    pub(crate) config: Config,
    #[command(flatten)]
    pub(crate) dry_run: DryRun,
    #[command(flatten)]
    pub(crate) pin: Pin,
    #[command(flatten)]
    pub(crate) shared: Shared,
}
