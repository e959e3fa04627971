//! Flags that several commands share.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::{
    azure::Auth,
    net::{Cloud, Concurrency},
    process::Environment,
    registry::RegistryAuth,
};

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
    /// The file whose `sign.root` it is, where no flag is given.
    #[arg(skip)]
    pub(crate) file: Option<String>,
}

impl Pin {
    /// Whether none of the flags is given.
    pub(crate) fn is_empty(&self) -> bool {
        self.flags().iter().all(|(_, given)| !given)
    }

    /// Where the pin was given, for a person who is told that it does not fit.
    pub(crate) fn origin(&self) -> String {
        match (&self.file, &self.root_ca) {
            (Some(file), _) => format!("`sign.root` of `{file}`"),
            (None, Some(_)) => "`--root-ca`".to_owned(),
            (None, None) => "`--root`".to_owned(),
        }
    }

    /// Its flags, and whether each is given.
    pub(crate) fn flags(&self) -> [(&'static str, bool); 3] {
        [
            ("--root", !self.root.is_empty()),
            ("--root-ca", self.root_ca.is_some()),
            ("--trust-on-first-use", self.trust_on_first_use),
        ]
    }
}

/// The names of the flags that are given.
pub(super) fn given(flags: impl Iterator<Item = (&'static str, bool)>) -> Vec<&'static str> {
    flags
        .filter_map(|(flag, given)| given.then_some(flag))
        .collect()
}

/// Deployment manifests that name images.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct ManifestFiles {
    /// Deployment manifests whose images are checked: files, folders, `-` for standard input. Kubernetes, compose,
    /// Kustomize, rendered Helm, ARM JSON
    #[arg(long, value_name = "PATH", num_args = 1.., conflicts_with = "images", help_heading = "Manifests")]
    pub(crate) manifests: Vec<PathBuf>,
    /// Values of an ARM template's parameters (JSON)
    #[arg(
        long,
        value_name = "FILE",
        requires = "manifests",
        help_heading = "Manifests"
    )]
    pub(crate) parameters: Option<PathBuf>,
}

/// Where names for keys and defaults come from.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Config {
    /// The `acr-sign.yaml` whose names for keys and defaults count, instead of the one in the working directory
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
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
    pub(crate) identity: Identity,
    #[command(flatten)]
    pub(crate) network: Network,
    #[command(flatten)]
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
    #[arg(long, value_enum, value_name = "CLOUD", default_value_t = Cloud::Public)]
    pub(crate) cloud: Cloud,
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
    /// How many requests may be in flight at once; `auto` finds out for each host
    #[arg(long, value_name = "N|auto", default_value_t = Concurrency::Auto)]
    pub(crate) concurrency: Concurrency,
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
    /// Write what does not hold as SARIF 2.1.0 to a file, for code scanning
    #[arg(long, value_name = "FILE")]
    pub(crate) sarif: Option<PathBuf>,
    /// Write the result as `JUnit` XML to a file, one test case per image
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,
    /// Append the step summary (Markdown) to a file
    #[arg(long, value_name = "FILE")]
    pub(crate) summary: Option<PathBuf>,
    /// Colour on standard error; `auto` is a terminal that takes colours, less `NO_COLOR`, or `CLICOLOR_FORCE`
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = Colour::Auto)]
    pub(crate) color: Colour,
    /// Say more on standard error (-vv: every request)
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Say nothing on standard error but errors
    #[arg(short, long, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
}

/// `--output`
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Form {
    /// For people
    Text,
    /// For programs; has a schemaVersion
    Json,
}

/// `--color`
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Colour {
    /// On a terminal
    Auto,
    /// Also into files and pipes
    Always,
    /// None
    Never,
}

impl Colour {
    /// Whether to colour: the flag, then `NO_COLOR`, then `CLICOLOR_FORCE`, then whether it is a terminal that can.
    pub(crate) fn is_on(self, environment: &Environment, terminal: bool) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto if environment.get("NO_COLOR").is_some() => false,
            Self::Auto => {
                let forced = environment.get("CLICOLOR_FORCE");
                forced.is_some_and(|value| value != "0")
                    || (terminal && environment.get("TERM") != Some("dumb"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_is_for_those_who_want_it() {
        for (colour, variables, terminal, on) in [
            (Colour::Auto, [("A", "")], true, true),
            (Colour::Auto, [("A", "")], false, false),
            (Colour::Auto, [("NO_COLOR", "1")], true, false),
            (Colour::Auto, [("NO_COLOR", "")], true, true),
            (Colour::Auto, [("CLICOLOR_FORCE", "1")], false, true),
            (Colour::Auto, [("CLICOLOR_FORCE", "0")], false, false),
            (Colour::Auto, [("TERM", "dumb")], true, false),
            (Colour::Always, [("NO_COLOR", "1")], false, true),
            (Colour::Never, [("CLICOLOR_FORCE", "1")], true, false),
        ] {
            let environment = variables.into_iter().collect();
            assert_eq!(colour.is_on(&environment, terminal), on, "{variables:?}");
        }
    }
}
