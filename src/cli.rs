//! The command line: definitions only, no behaviour. What is not built is not here.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

/// Sign container images in Azure Container Registry with keys that stay in Azure Key Vault, and block
/// unsigned ones.
#[derive(Debug, Parser)]
#[command(name = "acr-sign", version, propagate_version = true, max_term_width = 100)]
#[command(after_help = "Exit codes: 0 done or verified, 1 rejected, 2 usage or configuration, 3 could not find out, \
                        130 interrupted.")]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Sign what was pushed
    Sign(Sign),
    /// The gate: exit 0 only if every image is signed as the trust given by flags demands
    Verify(Verify),
    /// Show everything that signs an image or a repository, with roles, keys and expiry
    Inspect(Inspect),
    /// Administer a repository's trust data
    #[command(subcommand)]
    Trust(Trust),
    /// Look at keys
    #[command(subcommand)]
    Key(Key),
    /// Print a completion script for a shell
    Completions {
        /// The shell to complete in
        shell: Shell,
    },
}

/// `trust …`
#[derive(Debug, Subcommand)]
pub(crate) enum Trust {
    /// Create trust data for a repository and print the root key ID to pin
    Init(TrustInit),
    /// Show roots, roles, keys and signed tags as the trust server has them
    Status(TrustStatus),
    /// Administer who may sign
    #[command(subcommand)]
    Signer(Signer),
    /// Take tags out of every role that the key may write
    Revoke(TrustRevoke),
}

/// `trust signer …`
#[derive(Debug, Subcommand)]
pub(crate) enum Signer {
    /// Let a key sign tags under a name
    Add(SignerAdd),
}

/// `key …`
#[derive(Debug, Subcommand)]
pub(crate) enum Key {
    /// Show a key as each format sees it: key IDs, thumbprint, PEM, and what is wrong with it for signing
    Show(KeyShow),
}

/// `sign`
#[derive(Args, Debug)]
pub(crate) struct Sign {
    /// Images to sign: registry/repository:tag[@sha256:…]
    #[arg(value_name = "IMAGE")]
    pub(crate) images: Vec<String>,
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

/// `verify`
#[derive(Args, Debug)]
pub(crate) struct Verify {
    /// Images to check; short names are read as docker reads them
    #[arg(value_name = "IMAGE")]
    pub(crate) images: Vec<String>,
    /// Signature format that must hold: dct
    #[arg(long, value_name = "FORMAT", value_delimiter = ',')]
    pub(crate) format: Vec<String>,
    /// A signer that must have signed this tag and digest (role targets/NAME; `targets` is the base role)
    #[arg(long, value_name = "NAME")]
    pub(crate) signer: Vec<String>,
    /// A signer's key that must have signed this tag and digest: any of those given
    #[arg(long, value_name = "KEY")]
    pub(crate) key: Vec<String>,
    /// Answer as of this time (RFC 3339), for audits and tests
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<String>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub(crate) pin: Pin,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub(crate) shared: Shared,
}

/// `inspect`
#[derive(Args, Debug)]
pub(crate) struct Inspect {
    /// An image, or a repository for all its signed tags
    #[arg(value_name = "IMAGE|REPOSITORY")]
    pub(crate) image: String,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub(crate) pin: Pin,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub(crate) shared: Shared,
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
    #[allow(missing_docs)]
    pub(crate) dry_run: DryRun,
    #[command(flatten)]
    #[allow(missing_docs)]
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
    #[allow(missing_docs)]
    pub(crate) pin: Pin,
    #[command(flatten)]
    #[allow(missing_docs)]
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

/// `trust revoke`
#[derive(Args, Debug)]
pub(crate) struct TrustRevoke {
    /// The tags to revoke
    #[arg(value_name = "IMAGE", required = true)]
    pub(crate) images: Vec<String>,
    /// A key of the roles to take the tag out of
    #[arg(long, value_name = "KEY", required = true)]
    pub(crate) key: Vec<String>,
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
    #[allow(missing_docs)]
    pub(crate) shared: Shared,
}

/// Trust in the root of a repository's trust data.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Root pin")]
pub(crate) struct Pin {
    /// Root key ID to trust (repeatable: any of); `trust status` shows it
    #[arg(long, value_name = "KEYID")]
    pub(crate) root: Vec<String>,
    /// CA certificates (PEM) that the root certificate must chain to; its name must be the repository
    #[arg(long, value_name = "PEM")]
    pub(crate) root_ca: Option<PathBuf>,
    /// Trust whatever root the server shows, as docker does on a fresh machine; said in every report
    #[arg(long)]
    pub(crate) trust_on_first_use: bool,
}

/// Whether anything is changed.
#[derive(Args, Clone, Copy, Debug, Default)]
pub(crate) struct DryRun {
    /// Do everything except signing in the vault and writing to the registry, and print the plan
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// Flags that most commands share.
#[derive(Args, Clone, Debug)]
pub(crate) struct Shared {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub(crate) identity: Identity,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub(crate) network: Network,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub(crate) output: Output,
}

/// Who is asking.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Identity")]
pub(crate) struct Identity {
    /// The Azure identity
    #[arg(long, value_enum, value_name = "METHOD", default_value_t = Auth::Auto)]
    pub(crate) auth: Auth,
    /// The registry login
    #[arg(long, value_enum, value_name = "METHOD", default_value_t = RegistryAuth::Auto)]
    pub(crate) registry_auth: RegistryAuth,
    /// User name for the registry, with --password-stdin
    #[arg(long, value_name = "NAME", requires = "password_stdin")]
    pub(crate) username: Option<String>,
    /// Read the registry password from standard input
    #[arg(long, requires = "username")]
    pub(crate) password_stdin: bool,
    /// Client ID of the identity
    #[arg(long, value_name = "GUID")]
    pub(crate) client_id: Option<String>,
    /// Tenant of the identity
    #[arg(long, value_name = "GUID")]
    pub(crate) tenant_id: Option<String>,
    /// Azure Pipelines service connection to use
    #[arg(long, value_name = "GUID")]
    pub(crate) service_connection_id: Option<String>,
    /// The Azure cloud
    #[arg(long, value_enum, value_name = "CLOUD", default_value_t = CloudName::Public)]
    pub(crate) cloud: CloudName,
}

/// Where requests may go, and how long they may take.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Network")]
pub(crate) struct Network {
    /// A further host that credentials may go to (private cloud, tests)
    #[arg(long, value_name = "HOST[:PORT]")]
    pub(crate) allow_host: Vec<String>,
    /// A private address that redirects may lead to; gives no credentials to anyone
    #[arg(long, value_name = "HOST[:PORT]")]
    pub(crate) allow_private: Vec<String>,
    /// Further CA certificates (PEM) for TLS; also `ACR_SIGN_CA_FILE` and `SSL_CERT_FILE`
    #[arg(long, value_name = "PEM")]
    pub(crate) ca_file: Vec<PathBuf>,
    /// Speak plain HTTP with this host
    #[arg(long, value_name = "HOST[:PORT]")]
    pub(crate) plain_http: Vec<String>,
    /// Connect elsewhere for a host name; also `ACR_SIGN_CONNECT_TO` (`;`-separated)
    #[arg(long, value_name = "HOST[:PORT]=ADDR:PORT")]
    pub(crate) connect_to: Vec<String>,
    /// The trust server, if not the registry itself; also `DOCKER_CONTENT_TRUST_SERVER`
    #[arg(long, value_name = "URL")]
    pub(crate) trust_server: Option<String>,
    /// How much is in flight at once
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) concurrency: u16,
    /// Deadline of the whole run: an integer and ms, s, m, h or d
    #[arg(long, value_name = "DURATION", default_value = "10m")]
    pub(crate) timeout: String,
    /// How often a failed request is tried again
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(0..=20))]
    pub(crate) retries: u32,
}

/// What is told, and where.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Output")]
pub(crate) struct Output {
    /// Form of the result on standard output
    #[arg(long, value_enum, value_name = "FORM", default_value_t = Form::Text)]
    pub(crate) output: Form,
    /// Write the report (JSON) to a file
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// Append the step summary (Markdown) to a file
    #[arg(long, value_name = "FILE")]
    pub(crate) summary: Option<PathBuf>,
    /// Say more on standard error (-vv: every request)
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Say nothing on standard error but errors
    #[arg(short, long, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
}

/// `--auth`
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Auth {
    /// One of the others, by what the environment offers
    Auto,
    /// GitHub Actions OIDC
    Oidc,
    /// Azure Pipelines service connection
    ServiceConnection,
    /// Kubernetes workload identity
    WorkloadIdentity,
    /// Managed identity of the machine
    ManagedIdentity,
    /// `AZURE_CLIENT_ID`, `AZURE_TENANT_ID` and `AZURE_CLIENT_SECRET`
    Environment,
    /// az, logged in
    AzureCli,
    /// No Azure identity
    None,
}

/// `--registry-auth`
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum RegistryAuth {
    /// The first of the others that is there
    Auto,
    /// The Azure identity
    Entra,
    /// What `docker login` stored
    DockerConfig,
    /// No login
    Anonymous,
}

/// `--cloud`
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum CloudName {
    /// Azure
    Public,
    /// Azure US Government
    Usgov,
    /// Azure operated by 21Vianet
    China,
}

/// `--output`
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Form {
    /// For people
    Text,
    /// For programs; has a schemaVersion
    Json,
}
