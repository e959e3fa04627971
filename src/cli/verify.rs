//! `verify` and `inspect`.

use std::path::PathBuf;

use clap::Args;

use super::{Config, ManifestFiles, Pin, Shared, shared::given};
use crate::{format::Format, registry::ReferrersMode};

/// `verify`
#[derive(Args, Debug)]
pub(crate) struct Verify {
    /// Images to check; short names are read as docker reads them
    #[arg(value_name = "IMAGE")]
    pub(crate) images: Vec<String>,
    /// Where a pipeline step found them, if not here
    #[arg(skip)]
    pub(crate) source: Option<&'static str>,
    #[command(flatten)]
    pub(crate) files: ManifestFiles,
    /// Write the digests that were checked into the manifests, and change nothing else in them; only when all images
    /// are allowed
    #[arg(long = "pin", requires = "manifests", help_heading = "Manifests")]
    pub(crate) pin_digests: bool,
    /// The same into another file, for one manifest
    #[arg(
        long,
        value_name = "FILE",
        requires = "manifests",
        conflicts_with = "pin_digests",
        help_heading = "Manifests"
    )]
    pub(crate) pin_to: Option<PathBuf>,
    /// The policy: an `acr-sign.yaml` whose `verify` part says what must be signed by whom. Without it and without
    /// trust flags the one in the working directory counts
    #[arg(long, value_name = "FILE", conflicts_with = "config")]
    pub(crate) policy: Option<PathBuf>,
    /// Signature format that must hold: dct, notation; each of those named
    #[arg(long, value_name = "FORMAT", value_enum, value_delimiter = ',')]
    pub(crate) format: Vec<Format>,
    /// A signer that must have signed this tag and digest (role targets/NAME; `targets` is the base role)
    #[arg(long, value_name = "NAME")]
    pub(crate) signer: Vec<String>,
    /// A signer's key that must have signed this tag and digest: any of those given
    #[arg(long, value_name = "KEY")]
    pub(crate) key: Vec<String>,
    /// Metadata that the signature must carry (`notation`)
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) annotation: Vec<String>,
    /// Remember between runs what was verified (`dct`), and reject older trust data from then on; written only when
    /// all images are allowed
    #[arg(long, value_name = "FILE", conflicts_with = "at")]
    pub(crate) state: Option<PathBuf>,
    /// Answer as of this time (RFC 3339), for audits and tests
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<String>,
    #[command(flatten)]
    pub(crate) config: Config,
    #[command(flatten)]
    pub(crate) notation: VerifyNotation,
    #[command(flatten)]
    pub(crate) pin: Pin,
    #[command(flatten)]
    pub(crate) shared: Shared,
}

impl Verify {
    /// The flags that were given of those that only some formats take.
    pub(crate) fn given(&self) -> Vec<&'static str> {
        let own = &self.notation;
        let flags = [
            ("--signer", !self.signer.is_empty()),
            ("--key", !self.key.is_empty()),
            ("--annotation", !self.annotation.is_empty()),
            ("--referrers", own.referrers.is_some()),
            ("--certificate", !own.certificate.is_empty()),
            ("--trust-policy", own.trust_policy.is_some()),
        ];
        given(flags.into_iter().chain(self.pin.flags()))
    }

    /// Whether flags say what is trusted; then no policy is looked for (P13).
    pub(crate) fn names_trust(&self) -> bool {
        let Self {
            format,
            signer,
            key,
            pin,
            annotation,
            notation,
            ..
        } = self;
        let by_certificate = !notation.certificate.is_empty()
            || !notation.identity.is_empty()
            || !notation.timestamp_root_cert.is_empty()
            || notation.trust_policy.is_some()
            || notation.trust_store.is_some();
        by_certificate
            || !(format.is_empty()
                && signer.is_empty()
                && key.is_empty()
                && pin.is_empty()
                && annotation.is_empty())
    }
}

/// `inspect`
#[derive(Args, Debug)]
pub(crate) struct Inspect {
    /// An image, or a repository for all its signed tags
    #[arg(value_name = "IMAGE|REPOSITORY")]
    pub(crate) image: String,
    #[command(flatten)]
    pub(crate) pin: Pin,
    #[command(flatten)]
    pub(crate) shared: Shared,
}

/// Whose Notary Project signatures count.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Notary Project")]
pub(crate) struct VerifyNotation {
    /// Where the registry lists signatures
    #[arg(long, value_enum, value_name = "WHERE")]
    pub(crate) referrers: Option<ReferrersMode>,
    /// Certificate to trust, PEM file, `akv:VAULT/certificates/NAME` or a name of `keys` (repeatable: any of): a
    /// signer's own, or a CA together with --identity
    #[arg(long, value_name = "PEM|KEY")]
    pub(crate) certificate: Vec<String>,
    /// Whom a CA is trusted for (repeatable: any of): `x509.subject: C=US, ST=WA, O=Contoso`
    #[arg(long, value_name = "IDENTITY", requires = "certificate")]
    pub(crate) identity: Vec<String>,
    /// Root certificate (PEM) of timestamp authorities; with it each signature must have a timestamp
    #[arg(long, value_name = "PEM", requires = "certificate")]
    pub(crate) timestamp_root_cert: Vec<PathBuf>,
    /// notation's own trust policy, with --trust-store
    #[arg(
        long,
        value_name = "FILE",
        requires = "trust_store",
        conflicts_with = "certificate"
    )]
    pub(crate) trust_policy: Option<PathBuf>,
    /// notation's own trust store: the folder that holds `x509`
    #[arg(long, value_name = "DIR", requires = "trust_policy")]
    pub(crate) trust_store: Option<PathBuf>,
}
