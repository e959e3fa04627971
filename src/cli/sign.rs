//! `sign`.

use std::{collections::BTreeMap, path::PathBuf};

use clap::Args;

use super::{Config, DryRun, Pin, Shared, shared::given};
use crate::{
    format::{Format, notation::EnvelopeKind},
    registry::ReferrersMode,
};

/// `sign`
#[derive(Args, Clone, Debug)]
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
    /// Signature format: dct (Docker Content Trust), notation (Notary Project); several sign in each. There is no
    /// default: a signature that nobody checks protects nothing
    #[arg(long, value_name = "FORMAT", value_enum, value_delimiter = ',')]
    pub(crate) format: Vec<Format>,
    /// The signing key, or FORMAT=KEY: `https://VAULT.vault.azure.net/keys/NAME[/VERSION]`,
    /// `akv:VAULT/keys/NAME`, `akv:VAULT/certificates/NAME`, `akv:VAULT/secrets/NAME`, `file:PATH`, `env:NAME`, or a
    /// name of `keys` in `acr-sign.yaml`, as wherever a KEY stands
    #[arg(long, value_name = "KEY")]
    pub(crate) key: Vec<String>,
    /// The digest that was built; an image whose tag resolves to another one is refused
    #[arg(long, value_name = "sha256:…")]
    pub(crate) digest: Option<String>,
    /// Sign this role instead of the ones that list the key: targets, targets/releases, …
    #[arg(long, value_name = "ROLE")]
    pub(crate) role: Vec<String>,
    /// The key that signs the snapshot, where the trust server does not hold it (`dct`)
    #[arg(long, value_name = "KEY")]
    pub(crate) snapshot_key: Option<String>,
    /// Sign again what this key has signed already
    #[arg(long)]
    pub(crate) force: bool,
    /// Signed metadata (`notation`)
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) annotation: Vec<String>,
    /// What a pipeline says of itself, to be signed, too
    #[arg(skip)]
    pub(crate) provenance: BTreeMap<String, String>,
    /// Sign the children of an index, too (`notation`)
    #[arg(long)]
    pub(crate) recursive: bool,
    #[command(flatten)]
    pub(crate) config: Config,
    #[command(flatten)]
    pub(crate) dry_run: DryRun,
    #[command(flatten)]
    pub(crate) notation: SignNotation,
    #[command(flatten)]
    pub(crate) pin: Pin,
    #[command(flatten)]
    pub(crate) shared: Shared,
}

impl Sign {
    /// The flags that were given of those that only some formats take.
    pub(crate) fn given(&self) -> Vec<&'static str> {
        let own = &self.notation;
        let flags = [
            ("--role", !self.role.is_empty()),
            ("--snapshot-key", self.snapshot_key.is_some()),
            ("--annotation", !self.annotation.is_empty()),
            ("--recursive", self.recursive),
            ("--envelope", own.envelope.is_some()),
            ("--certificate-chain", own.certificate_chain.is_some()),
            ("--expiry", own.expiry.is_some()),
            ("--timestamp-url", own.timestamp_url.is_some()),
            ("--referrers", own.referrers.is_some()),
        ];
        given(flags.into_iter().chain(self.pin.flags()))
    }
}

/// How Notary Project signatures are made.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Notary Project")]
pub(crate) struct SignNotation {
    /// Kind of envelope
    #[arg(long, value_enum, value_name = "KIND")]
    pub(crate) envelope: Option<EnvelopeKind>,
    /// Certificates (PEM) of the key, its issuers and their root, where the key does not bring them
    #[arg(long, value_name = "PEM")]
    pub(crate) certificate_chain: Option<PathBuf>,
    /// How long the signature holds: an integer and s, m, h or d; without it as long as its certificate
    #[arg(long, value_name = "DURATION")]
    pub(crate) expiry: Option<String>,
    /// Timestamp authority (RFC 3161) that says when it was signed
    #[arg(long, value_name = "URL", requires = "timestamp_root_cert")]
    pub(crate) timestamp_url: Option<String>,
    /// The root certificate (PEM) of the timestamp authority
    #[arg(long, value_name = "PEM", requires = "timestamp_url")]
    pub(crate) timestamp_root_cert: Option<PathBuf>,
    /// Where the registry lists signatures
    #[arg(long, value_enum, value_name = "WHERE")]
    pub(crate) referrers: Option<ReferrersMode>,
}
