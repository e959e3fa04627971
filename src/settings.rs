//! Flags and environment become typed settings, once. Every value is parsed here or by the noun it becomes;
//! the first that does not fit ends the run with what is wrong with it (exit 2).

use std::{fs, io::Read as _, path::Path, time::Duration};

use url::Url;

use crate::{
    azure, cli,
    crypto::{Certificate, Secret},
    format::{
        Format,
        dct::{KeyId, RoleName, RootTrust},
    },
    keys::KeyReference,
    net::{self, Cloud, ConnectTo, Hosts},
    oci::{Digest, Reference, Repository},
    process::{Environment, Process},
    reason::{Explain, Reason},
    registry,
    timestamp::Timestamp,
};

/// What a flag, variable or file that it names got wrong.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct SettingError {
    message: String,
    hint: Option<String>,
    reason: Reason,
    #[source]
    cause: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Explain for SettingError {
    fn reason(&self) -> Reason {
        self.reason
    }

    fn hint(&self) -> Option<String> {
        self.hint.clone()
    }
}

impl SettingError {
    /// A wrong command line.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None, reason: Reason::Usage, cause: None }
    }

    /// What to do about it.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Under another reason than `usage`.
    #[must_use]
    pub(crate) fn reason(mut self, reason: Reason) -> Self {
        self.reason = reason;
        self
    }

    fn cause(mut self, cause: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.cause = Some(Box::new(cause));
        self
    }
}

/// What every command is set up with.
#[derive(Debug)]
pub(crate) struct Settings {
    /// The network edge.
    pub(crate) net: net::Options,
    /// The Azure identity to pick.
    pub(crate) identity: azure::Setting,
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
}

impl Settings {
    /// From the shared flags and the process.
    pub(crate) fn new(shared: &cli::Shared, process: &mut Process) -> Result<Self, SettingError> {
        let environment = process.environment.clone();
        let network = &shared.network;
        let cloud = match shared.identity.cloud {
            cli::CloudName::Public => Cloud::Public,
            cli::CloudName::Usgov => Cloud::UsGov,
            cli::CloudName::China => Cloud::China,
        };
        let timeout = duration("--timeout", &network.timeout)?;
        let hosts = Hosts {
            cloud,
            allowed: parse_each("--allow-host", &network.allow_host)?,
            private: parse_each("--allow-private", &network.allow_private)?,
            plain_http: parse_each("--plain-http", &network.plain_http)?,
        };
        let net = net::Options {
            hosts,
            ca_pem: ca_files(network, &environment)?,
            connect_to: connect_to(network, &environment)?,
            retries: network.retries,
            deadline: std::time::Instant::now() + timeout,
        };
        let trust_server = network.trust_server.as_deref().or(environment.get("DOCKER_CONTENT_TRUST_SERVER"));
        let docker_config = environment
            .get("DOCKER_CONFIG")
            .map(Into::into)
            .or_else(|| Some(Path::new(environment.get("HOME").or(environment.get("USERPROFILE"))?).join(".docker")));
        Ok(Self {
            net,
            identity: identity(&shared.identity, &environment),
            registry_auth: registry_auth(shared.identity.registry_auth),
            password: password(&shared.identity, process)?,
            docker_config,
            trust_server: trust_server.map(trust_server_url).transpose()?,
            concurrency: usize::from(network.concurrency),
            timeout: network.timeout.clone(),
            environment,
        })
    }
}

fn identity(flags: &cli::Identity, environment: &Environment) -> azure::Setting {
    azure::Setting {
        auth: match flags.auth {
            cli::Auth::Auto => azure::Auth::Auto,
            cli::Auth::Oidc => azure::Auth::Oidc,
            cli::Auth::ServiceConnection => azure::Auth::ServiceConnection,
            cli::Auth::WorkloadIdentity => azure::Auth::WorkloadIdentity,
            cli::Auth::ManagedIdentity => azure::Auth::ManagedIdentity,
            cli::Auth::Environment => azure::Auth::Environment,
            cli::Auth::AzureCli => azure::Auth::AzureCli,
            cli::Auth::None => azure::Auth::None,
        },
        client_id: flags.client_id.clone(),
        tenant_id: flags.tenant_id.clone(),
        service_connection_id: flags.service_connection_id.clone(),
        environment: environment.clone(),
    }
}

fn registry_auth(auth: cli::RegistryAuth) -> registry::RegistryAuth {
    match auth {
        cli::RegistryAuth::Auto => registry::RegistryAuth::Auto,
        cli::RegistryAuth::Entra => registry::RegistryAuth::Entra,
        cli::RegistryAuth::DockerConfig => registry::RegistryAuth::DockerConfig,
        cli::RegistryAuth::Anonymous => registry::RegistryAuth::Anonymous,
    }
}

/// The password of `--username`, from standard input, without the line end.
fn password(flags: &cli::Identity, process: &mut Process) -> Result<Option<(String, Secret)>, SettingError> {
    let Some(user) = &flags.username else { return Ok(None) };
    let mut text = String::new();
    process
        .stdin
        .by_ref()
        .take(64 << 10)
        .read_to_string(&mut text)
        .map_err(|error| SettingError::usage("the password could not be read from standard input").cause(error))?;
    text.truncate(text.trim_end_matches(['\r', '\n']).len());
    if text.is_empty() {
        return Err(SettingError::usage("standard input holds no password")
            .hint("pipe it in: `… | acr-sign … --password-stdin`"));
    }
    Ok(Some((user.clone(), Secret::new(text))))
}

fn connect_to(flags: &cli::Network, environment: &Environment) -> Result<Vec<ConnectTo>, SettingError> {
    let planted = environment.get("ACR_SIGN_CONNECT_TO").unwrap_or_default();
    let planted: Vec<String> = planted.split(';').filter(|part| !part.is_empty()).map(ToOwned::to_owned).collect();
    let mut all = parse_each("--connect-to", &flags.connect_to)?;
    all.extend(parse_each("ACR_SIGN_CONNECT_TO", &planted)?);
    Ok(all)
}

fn ca_files(flags: &cli::Network, environment: &Environment) -> Result<Vec<Vec<u8>>, SettingError> {
    let named =
        ["ACR_SIGN_CA_FILE", "SSL_CERT_FILE"].into_iter().filter_map(|name| environment.get(name)).map(Path::new);
    flags.ca_file.iter().map(std::path::PathBuf::as_path).chain(named).map(|path| read(path, "CA file")).collect()
}

/// Reads a file that a flag names.
#[allow(clippy::disallowed_methods, reason = "settings are where named files become values")]
pub(crate) fn read(path: &Path, what: &str) -> Result<Vec<u8>, SettingError> {
    fs::read(path).map_err(|error| {
        SettingError::usage(format!("{what} `{}` cannot be read", path.display()))
            .reason(Reason::ConfigInvalid)
            .cause(error)
    })
}

fn trust_server_url(text: &str) -> Result<Url, SettingError> {
    let wrong = || {
        SettingError::usage(format!("`{text}` is no address of a trust server"))
            .reason(Reason::ConfigInvalid)
            .hint("an https URL with a host and no path, such as https://notary.example.com")
    };
    let url: Url = text.parse().map_err(|_| wrong())?;
    let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    let no_user = url.username().is_empty() && url.password().is_none();
    if matches!(url.scheme(), "https" | "http") && url.has_host() && bare && no_user { Ok(url) } else { Err(wrong()) }
}

/// Parses each value of a repeatable flag.
pub(crate) fn parse_each<T>(flag: &str, values: &[String]) -> Result<Vec<T>, SettingError>
where
    T: std::str::FromStr,
    T::Err: std::error::Error + Send + Sync + 'static,
{
    values.iter().map(|value| parse(flag, value)).collect()
}

/// Parses one value of a flag.
pub(crate) fn parse<T>(flag: &str, value: &str) -> Result<T, SettingError>
where
    T: std::str::FromStr,
    T::Err: std::error::Error + Send + Sync + 'static,
{
    value.parse().map_err(|error| SettingError::usage(format!("`{flag} {value}` is not usable")).cause(error))
}

/// An integer and `ms`, `s`, `m`, `h` or `d`.
pub(crate) fn duration(flag: &str, text: &str) -> Result<Duration, SettingError> {
    let wrong = || {
        SettingError::usage(format!("`{flag} {text}` is no duration")).hint("an integer and ms, s, m, h or d: 90s, 10m")
    };
    let digits = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let milliseconds = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(wrong()),
    };
    // A century is as good as for ever, and adding it to the clock cannot overflow.
    let milliseconds = number.checked_mul(milliseconds).ok_or_else(wrong)?.min(100 * 365 * 86_400_000);
    if milliseconds == 0 { Err(wrong()) } else { Ok(Duration::from_millis(milliseconds)) }
}

/// `--format`: at least one, each known, each once.
pub(crate) fn formats(values: &[String]) -> Result<Vec<Format>, SettingError> {
    let which = "the formats are: dct (Docker Content Trust, what content trust in ACR means)";
    if values.is_empty() {
        return Err(SettingError::usage("no `--format` was given")
            .hint(format!("a signature in the wrong format is a false comfort, so there is no default; {which}")));
    }
    let mut formats: Vec<Format> = Vec::new();
    for value in values {
        let format =
            value.parse().map_err(|_| SettingError::usage(format!("`--format {value}` is not known")).hint(which))?;
        if !formats.contains(&format) {
            formats.push(format);
        }
    }
    Ok(formats)
}

/// The one `--key` that serves `format`: `KEY`, or `FORMAT=KEY`.
pub(crate) fn key_for(values: &[String], format: Format) -> Result<KeyReference, SettingError> {
    let prefix = format!("{format}=");
    let own = values.iter().filter_map(|value| value.strip_prefix(&prefix));
    let bare = values.iter().filter(|value| !names_format(value)).map(String::as_str);
    let mut keys = own.chain(bare);
    match (keys.next(), keys.next()) {
        (Some(key), None) => parse("--key", key),
        (None, _) => Err(SettingError::usage(format!("no `--key` was given for `{format}`"))
            .hint("akv:VAULT/keys/NAME, https://VAULT.vault.azure.net/keys/NAME or file:PATH")),
        (Some(_), Some(_)) => Err(SettingError::usage(format!("more than one `--key` was given for `{format}`"))),
    }
}

fn names_format(value: &str) -> bool {
    value.split_once('=').is_some_and(|(name, _)| name.parse::<Format>().is_ok())
}

/// The root pin, or `None` where none was given.
pub(crate) fn pin(flags: &cli::Pin) -> Result<Option<RootTrust>, SettingError> {
    let given = usize::from(!flags.root.is_empty())
        + usize::from(flags.root_ca.is_some())
        + usize::from(flags.trust_on_first_use);
    if given > 1 {
        return Err(SettingError::usage(
            "`--root`, `--root-ca` and `--trust-on-first-use` are three ways to trust: give one",
        ));
    }
    if let Some(path) = &flags.root_ca {
        let pem = read(path, "CA file")?;
        let chain = Certificate::chain_from_pem(&String::from_utf8_lossy(&pem)).map_err(|error| {
            SettingError::usage(format!("`--root-ca {}` is not usable", path.display()))
                .reason(Reason::ConfigInvalid)
                .cause(error)
        })?;
        return Ok(Some(RootTrust::Ca(chain)));
    }
    if flags.trust_on_first_use {
        return Ok(Some(RootTrust::FirstUse));
    }
    if flags.root.is_empty() {
        return Ok(None);
    }
    Ok(Some(RootTrust::Keys(parse_each::<KeyId>("--root", &flags.root)?)))
}

/// The root pin of a command that cannot do without (T23, T32).
pub(crate) fn required_pin(flags: &cli::Pin, repository: &Repository) -> Result<RootTrust, SettingError> {
    pin(flags)?.ok_or_else(|| {
        SettingError::usage(format!("no root is pinned for `{repository}`")).reason(Reason::RootNotPinned).hint(format!(
            "run `acr-sign trust status {repository}`, compare the root key IDs with what the owner of the root key \
             says, and give one with `--root KEYID`"
        ))
    })
}

/// Images named on a command line that signs: the registry must be named.
pub(crate) fn named_images(values: &[String]) -> Result<Vec<Reference>, SettingError> {
    images(values, Reference::named)
}

/// Images named on a command line that reads: docker's short names are fine.
pub(crate) fn familiar_images(values: &[String]) -> Result<Vec<Reference>, SettingError> {
    images(values, Reference::familiar)
}

fn images<E: std::error::Error + Send + Sync + 'static>(
    values: &[String],
    parse: impl Fn(&str) -> Result<Reference, E>,
) -> Result<Vec<Reference>, SettingError> {
    if values.is_empty() {
        return Err(SettingError::usage("no image was named").reason(Reason::NoImages).hint("registry/repository:tag"));
    }
    values
        .iter()
        .map(|value| {
            parse(value).map_err(|error| SettingError::usage(format!("`{value}` is no image name")).cause(error))
        })
        .collect()
}

/// A repository with its registry.
pub(crate) fn repository(value: &str) -> Result<Repository, SettingError> {
    Repository::named(value)
        .map_err(|error| SettingError::usage(format!("`{value}` is no repository name")).cause(error))
}

/// `--at`, or the run's own time.
pub(crate) fn at(value: Option<&str>, now: Timestamp) -> Result<Timestamp, SettingError> {
    value.map_or(Ok(now), |value| parse("--at", value))
}

/// `--digest`.
pub(crate) fn digest(value: Option<&str>) -> Result<Option<Digest>, SettingError> {
    value.map(|value| parse("--digest", value)).transpose()
}

/// `--role`.
pub(crate) fn roles(values: &[String]) -> Result<Vec<RoleName>, SettingError> {
    parse_each("--role", values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, milliseconds) in
            [("1ms", 1), ("90s", 90_000), ("10m", 600_000), ("2h", 7_200_000), ("1d", 86_400_000)]
        {
            assert_eq!(duration("--timeout", text).unwrap(), Duration::from_millis(milliseconds));
        }
        for wrong in ["", "10", "m", "1.5h", "-1s", "0s", "1w", "10 m", "99999999999999999999s"] {
            assert_eq!(duration("--timeout", wrong).unwrap_err().reason, Reason::Usage, "{wrong}");
        }
    }

    #[test]
    fn format_has_no_default() {
        let error = formats(&[]).unwrap_err();
        assert!(error.hint.unwrap().contains("dct"));
        assert_eq!(formats(&["dct".into(), "dct".into()]).unwrap().len(), 1);
        assert!(formats(&["notary".into()]).is_err());
    }

    #[test]
    fn t23_no_pin_is_a_usage_error() {
        let repository = Repository::named("contoso.azurecr.io/web").unwrap();
        let error = required_pin(&cli::Pin::default(), &repository).unwrap_err();
        assert_eq!(error.reason, Reason::RootNotPinned);
        assert!(error.hint.unwrap().contains("acr-sign trust status contoso.azurecr.io/web"));
        let both = cli::Pin { root: vec!["a".repeat(64)], trust_on_first_use: true, root_ca: None };
        assert_eq!(required_pin(&both, &repository).unwrap_err().reason, Reason::Usage);
    }

    #[test]
    fn keys_per_format() {
        let bare = vec!["file:a.pem".to_owned()];
        assert!(key_for(&bare, Format::Dct).is_ok());
        let own = vec!["dct=file:a.pem".to_owned()];
        assert!(key_for(&own, Format::Dct).is_ok());
        assert!(key_for(&[], Format::Dct).is_err());
        assert!(key_for(&["file:a".to_owned(), "file:b".to_owned()], Format::Dct).is_err());
    }
}
