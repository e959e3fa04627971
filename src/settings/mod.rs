//! Flags and environment become typed settings, once. Every value is parsed here or by the noun it becomes;
//! the first that does not fit ends the run with what is wrong with it (exit 2).

mod certificate;
mod config;
mod config_files;
mod error;
mod format_flags;
mod image;
mod key;
mod manifest_files;
mod manifests;
mod parse;
mod pin;
mod run_config;
mod state;
mod trust;
mod trust_store;

use std::{fs, io::Read as _, path::Path};

use url::Url;

pub(crate) use self::{
    certificate::{annotations, certificates, only_certificate, service_url},
    config::ConfigFile,
    error::SettingError,
    format_flags::{formats, refuse_unused},
    image::{at, digest, familiar_images, named_images, repository, roles},
    key::key_for,
    manifest_files::Limits,
    manifests::{Manifests, manifest_input},
    parse::{duration, parse, parse_each},
    pin::{pin, pin_for, required_pin},
    run_config::RunConfig,
    state::StateFile,
    trust::by_flags,
    trust_store::trust_policy,
};
use crate::{
    azure, cli,
    crypto::Secret,
    net::{self, ConnectTo, Hosts},
    process::{Environment, Process},
    reason::Reason,
    registry,
};

/// What every command is set up with.
#[derive(Debug)]
pub(crate) struct Settings {
    /// The network edge.
    pub(crate) net: net::Options,
    /// The Azure identity to pick.
    pub(crate) identity: azure::IdentityOptions,
    /// The registry login to pick.
    pub(crate) registry_auth: registry::RegistryAuth,
    /// `--username` and the password.
    pub(crate) password: Option<(String, Secret)>,
    /// Where docker keeps its logins.
    pub(crate) docker_config: Option<std::path::PathBuf>,
    /// The trust server, if not the registry.
    pub(crate) trust_server: Option<Url>,
    /// How much is in flight at once.
    pub(crate) concurrency: usize,
    /// The deadline as given, for messages.
    pub(crate) timeout: String,
    /// Captured environment, for key references.
    pub(crate) environment: Environment,
    /// Where `acr-sign.yaml` is looked for.
    pub(crate) folder: std::path::PathBuf,
}

impl Settings {
    /// From the shared flags and the process.
    pub(crate) fn new(shared: &cli::Shared, process: &mut Process) -> Result<Self, SettingError> {
        let environment = process.environment.clone();
        let network = &shared.network;
        let timeout = duration("--timeout", &network.timeout)?;
        let hosts = Hosts {
            cloud: shared.identity.cloud,
            allowed: parse_each("--allow-host", &network.allow_host)?,
            private: parse_each("--allow-private", &network.allow_private)?,
            plain_http: parse_each("--plain-http", &network.plain_http)?,
        };
        let net = net::Options {
            hosts,
            ca_pem: ca_files(network, &environment)?,
            connect_to: connect_to(network, &environment)?,
            retries: network.retries,
            concurrency: network.concurrency,
            deadline: std::time::Instant::now() + timeout,
            mask: process.mask.clone(),
        };
        let trust_server = network
            .trust_server
            .as_deref()
            .or(environment.get("DOCKER_CONTENT_TRUST_SERVER"));
        let docker_config = environment
            .get("DOCKER_CONFIG")
            .map(Into::into)
            .or_else(|| {
                Some(
                    Path::new(environment.get("HOME").or(environment.get("USERPROFILE"))?)
                        .join(".docker"),
                )
            });
        Ok(Self {
            net,
            identity: identity(&shared.identity, &environment),
            registry_auth: shared.identity.registry_auth,
            password: password(&shared.identity, process)?,
            docker_config,
            trust_server: trust_server.map(trust_server_url).transpose()?,
            concurrency: network.concurrency.most(),
            timeout: network.timeout.clone(),
            environment,
            folder: process.folder.clone(),
        })
    }
}

fn identity(flags: &cli::Identity, environment: &Environment) -> azure::IdentityOptions {
    azure::IdentityOptions {
        auth: flags.auth,
        client_id: flags.client_id.clone(),
        tenant_id: flags.tenant_id.clone(),
        service_connection_id: flags.service_connection_id.clone(),
        environment: environment.clone(),
    }
}

/// The password of `--username`, from standard input, without the line end.
fn password(
    flags: &cli::Identity,
    process: &mut Process,
) -> Result<Option<(String, Secret)>, SettingError> {
    let Some(user) = &flags.username else {
        return Ok(None);
    };
    let mut text = String::new();
    process
        .stdin
        .by_ref()
        .take(64 << 10)
        .read_to_string(&mut text)
        .map_err(|error| {
            SettingError::usage("the password could not be read from standard input").cause(error)
        })?;
    text.truncate(text.trim_end_matches(['\r', '\n']).len());
    if text.is_empty() {
        return Err(SettingError::usage("standard input contains no password")
            .hint("pipe it in: `… | acr-sign … --password-stdin`"));
    }
    process.mask.announce(&text);
    Ok(Some((user.clone(), Secret::new(text))))
}

fn connect_to(
    flags: &cli::Network,
    environment: &Environment,
) -> Result<Vec<ConnectTo>, SettingError> {
    let planted = environment.get("ACR_SIGN_CONNECT_TO").unwrap_or_default();
    let planted: Vec<String> = planted
        .split(';')
        .filter(|part| !part.is_empty())
        .map(ToOwned::to_owned)
        .collect();
    let mut all = parse_each("--connect-to", &flags.connect_to)?;
    all.extend(parse_each("ACR_SIGN_CONNECT_TO", &planted)?);
    Ok(all)
}

fn ca_files(flags: &cli::Network, environment: &Environment) -> Result<Vec<Vec<u8>>, SettingError> {
    let named = ["ACR_SIGN_CA_FILE", "SSL_CERT_FILE"]
        .into_iter()
        .filter_map(|name| environment.get(name))
        .map(Path::new);
    flags
        .ca_file
        .iter()
        .map(std::path::PathBuf::as_path)
        .chain(named)
        .map(|path| read(path, "CA file"))
        .collect()
}

/// Reads a file that a flag names.
#[expect(
    clippy::disallowed_methods,
    reason = "settings are where named files become values"
)]
pub(crate) fn read(path: &Path, what: &str) -> Result<Vec<u8>, SettingError> {
    fs::read(path).map_err(|error| {
        SettingError::usage(format!("{what} `{}` cannot be read", path.display()))
            .reason(Reason::ConfigInvalid)
            .cause(error)
    })
}

fn trust_server_url(text: &str) -> Result<Url, SettingError> {
    let wrong = || {
        SettingError::usage(format!(
            "`{}` is not the address of a trust server",
            parse::without_login(text)
        ))
        .reason(Reason::ConfigInvalid)
        .hint("an https URL with a host and no path, such as https://notary.example.com")
    };
    let url: Url = text.parse().map_err(|_| wrong())?;
    let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    let no_user = url.username().is_empty() && url.password().is_none();
    if matches!(url.scheme(), "https" | "http") && url.has_host() && bare && no_user {
        Ok(url)
    } else {
        Err(wrong())
    }
}
