//! Names of images: registry, repository, tag and digest. Parsed once, strictly; a registry host
//! holds no user-info, no path, no upper case, no trailing dot and not the port that it has anyway
//! (G01, G13).

use std::{fmt, str::FromStr};

use super::Digest;

/// The registry that docker means when none is named.
const DOCKER_HUB: &str = "docker.io";

/// Characters of a repository's path. docker and the registries that follow it allow 255, whatever
/// the host's length.
const PATH_LIMIT: usize = 255;

/// A registry's host, with a port if one was named. Lower case.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct RegistryHost(Box<str>);

/// A repository with its registry: `contoso.azurecr.io/web/app`.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Repository {
    registry: RegistryHost,
    path: Box<str>,
}

/// A tag: at most 128 letters, digits, `_`, `.` and `-`, not beginning with `.` or `-`.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Tag(Box<str>);

/// An image as named: `registry/repository[:tag][@digest]`.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Reference {
    /// The repository.
    pub repository: Repository,
    /// The tag, if named.
    pub tag: Option<Tag>,
    /// The digest, if named.
    pub digest: Option<Digest>,
}

/// Why a name is none.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum InvalidReference {
    /// No registry, where one must be named.
    #[error("names no registry: write it in full, such as `contoso.azurecr.io/web/app:1.0`")]
    NoRegistry,
    /// The ID of an image, which names no repository.
    #[error(
        "`{0}` is an image ID, not a name: it runs an image that the machine already has, \
         whatever its name"
    )]
    ImageId(String),
    /// The host breaks its grammar.
    #[error("`{0}` is not a registry host")]
    Host(String),
    /// The port that https has anyway: a second name for one registry, under which rules and
    /// signatures are not found.
    #[error("names port 443, which is the default for https: write `{0}` without it")]
    DefaultPort(String),
    /// The repository path breaks its grammar.
    #[error(
        "`{0}` is not a repository name: lower-case letters, digits, and single `.`, `_`, `__`, `-` \
         or `/` between them"
    )]
    Path(String),
    /// The repository path is too long.
    #[error("the repository has {0} characters, more than {PATH_LIMIT}")]
    PathTooLong(usize),
    /// The tag breaks its grammar.
    #[error("`{0}` is not a tag")]
    Tag(String),
    /// The digest breaks its grammar.
    #[error(transparent)]
    Digest(#[from] super::InvalidDigest),
    /// A repository was wanted, and a tag or digest was named.
    #[error("names a tag or digest, but a repository is expected")]
    NotARepository,
}

impl InvalidReference {
    fn host(text: &str) -> Self {
        Self::Host(shortened(text))
    }
}

/// Short enough for an error.
fn shortened(text: &str) -> String {
    text.chars().take(300).collect()
}

impl RegistryHost {
    /// `host[:port]`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The host without its port.
    pub fn host(&self) -> &str {
        match self.0.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
            _ => &self.0,
        }
    }

    /// The port, if one was named.
    pub fn port(&self) -> Option<u16> {
        self.0.get(self.host().len() + 1..)?.parse().ok()
    }
}

impl FromStr for RegistryHost {
    type Err = InvalidReference;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let lower = text.to_ascii_lowercase();
        let (host, port) = match lower.rsplit_once(':') {
            Some((host, port)) if !lower.ends_with(']') => (host, Some(port)),
            _ => (lower.as_str(), None),
        };
        if let Some(port) = port
            && (port.starts_with('0')
                || !port.bytes().all(|b| b.is_ascii_digit())
                || port.parse::<u16>().is_err())
        {
            return Err(InvalidReference::host(text));
        }
        let bracketed = host
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        let valid = match bracketed {
            Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
            None => host.len() <= 253 && host.split('.').all(is_label),
        };
        match (valid, port) {
            (false, _) => Err(InvalidReference::host(text)),
            (true, Some("443")) => Err(InvalidReference::DefaultPort(host.to_owned())),
            (true, _) => Ok(Self(lower.into())),
        }
    }
}

fn is_label(label: &str) -> bool {
    !label.is_empty()
        && label.len() <= 63
        && label.bytes().all(|b| is_lower_alphanumeric(b) || b == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

fn is_lower_alphanumeric(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

impl Repository {
    /// A repository whose registry is named.
    pub fn named(text: &str) -> Result<Self, InvalidReference> {
        Reference::named(text)?.only_repository()
    }

    /// A repository, with docker's short names.
    pub fn familiar(text: &str) -> Result<Self, InvalidReference> {
        Reference::familiar(text)?.only_repository()
    }

    /// The registry.
    pub fn registry(&self) -> &RegistryHost {
        &self.registry
    }

    /// The path below the registry.
    pub fn path(&self) -> &str {
        &self.path
    }

    fn new(registry: RegistryHost, path: &str) -> Result<Self, InvalidReference> {
        if !path.split('/').all(is_component) {
            return Err(InvalidReference::Path(shortened(path)));
        }
        if path.len() > PATH_LIMIT {
            return Err(InvalidReference::PathTooLong(path.len()));
        }
        Ok(Self {
            registry,
            path: path.into(),
        })
    }
}

/// Letters and digits, with `.`, `_`, `__` or any number of `-` between them.
fn is_component(text: &str) -> bool {
    let mut separator = 0_usize;
    let mut previous = 0;
    for byte in text.bytes() {
        if is_lower_alphanumeric(byte) {
            separator = 0;
        } else {
            separator += 1;
            let fits = match byte {
                b'.' => separator == 1,
                b'_' => separator == 1 || (separator == 2 && previous == b'_'),
                b'-' => separator == 1 || previous == b'-',
                _ => false,
            };
            if !fits {
                return false;
            }
        }
        previous = byte;
    }
    text.bytes().next().is_some_and(is_lower_alphanumeric) && separator == 0
}

impl Tag {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Tag {
    type Err = InvalidReference;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let valid = !text.starts_with(['.', '-'])
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'));
        if valid && (1..=128).contains(&text.len()) {
            Ok(Self(text.into()))
        } else {
            Err(InvalidReference::Tag(shortened(text)))
        }
    }
}

impl Reference {
    /// An image whose registry is named: the first part has a `.` or `:`, or is `localhost`.
    pub fn named(text: &str) -> Result<Self, InvalidReference> {
        refuse_image_id(text)?;
        match split_registry(text) {
            Some((registry, rest)) => Self::new(registry.parse()?, rest),
            None => Err(InvalidReference::NoRegistry),
        }
    }

    /// An image as docker reads it: without a registry it lies on Docker Hub, one word below
    /// `library`.
    pub fn familiar(text: &str) -> Result<Self, InvalidReference> {
        refuse_image_id(text)?;
        let (registry, rest) = split_registry(text).unwrap_or((DOCKER_HUB, text));
        let mut registry: RegistryHost = registry.parse()?;
        if registry.as_str() == "index.docker.io" {
            registry = DOCKER_HUB.parse()?;
        }
        if registry.as_str() == DOCKER_HUB
            && !rest
                .split('@')
                .next()
                .is_some_and(|name| name.contains('/'))
        {
            return Self::new(registry, &format!("library/{rest}"));
        }
        Self::new(registry, rest)
    }

    fn new(registry: RegistryHost, rest: &str) -> Result<Self, InvalidReference> {
        if !is_host(registry.as_str()) {
            // Known by its capitals alone; written in lower case it would be a path on Docker Hub.
            return Err(InvalidReference::Host(registry.to_string()));
        }
        let (name, digest) = match rest.split_once('@') {
            Some((name, digest)) => (name, Some(digest.parse()?)),
            None => (rest, None),
        };
        let (path, tag) = match name.split_once(':') {
            Some((path, tag)) => (path, Some(tag.parse()?)),
            None => (name, None),
        };
        Ok(Self {
            repository: Repository::new(registry, path)?,
            tag,
            digest,
        })
    }

    /// The tag, or docker's default.
    pub fn tag_or_latest(&self) -> Tag {
        self.tag.clone().unwrap_or_else(|| Tag("latest".into()))
    }

    fn only_repository(self) -> Result<Repository, InvalidReference> {
        if self.tag.is_none() && self.digest.is_none() {
            Ok(self.repository)
        } else {
            Err(InvalidReference::NotARepository)
        }
    }
}

/// Docker takes 64 hexadecimal digits, alone or behind `sha256:`, for the ID of an image that is
/// there already, whatever its name. As a name they would be `docker.io/library/sha256` with a tag,
/// which is not what would run. A digest behind them does not make a name of them.
fn refuse_image_id(text: &str) -> Result<(), InvalidReference> {
    let name = text.split('@').next().unwrap_or_default();
    let digits = match name.split_once(':') {
        Some((algorithm, digits)) if algorithm.eq_ignore_ascii_case("sha256") => digits,
        Some(_) | None => name,
    };
    if digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(InvalidReference::ImageId(shortened(text)));
    }
    Ok(())
}

fn split_registry(text: &str) -> Option<(&str, &str)> {
    let (first, rest) = text.split_once('/')?;
    (is_host(first) || first.bytes().any(|b| b.is_ascii_uppercase())).then_some((first, rest))
}

/// What docker takes for a host and not for a path.
fn is_host(first: &str) -> bool {
    first.contains(['.', ':']) || first == "localhost"
}

impl fmt::Display for RegistryHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.path)
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g13_names_as_docker_reads_them() {
        let digest = format!("sha256:{}", "a".repeat(64));
        for (given, full) in [
            ("alpine".to_owned(), "docker.io/library/alpine".to_owned()),
            ("alpine:3.20".into(), "docker.io/library/alpine:3.20".into()),
            ("docker.io/alpine".into(), "docker.io/library/alpine".into()),
            ("Docker.io/alpine".into(), "docker.io/library/alpine".into()),
            (
                "INDEX.docker.io/alpine:1".into(),
                "docker.io/library/alpine:1".into(),
            ),
            (
                "index.docker.io/library/alpine".into(),
                "docker.io/library/alpine".into(),
            ),
            ("org/app".into(), "docker.io/org/app".into()),
            ("localhost/app:1".into(), "localhost/app:1".into()),
            ("localhost:5000/app".into(), "localhost:5000/app".into()),
            (
                "Contoso.AzureCR.io/web/app:V1".into(),
                "contoso.azurecr.io/web/app:V1".into(),
            ),
            (
                format!("a.azurecr.io/x:t@{digest}"),
                format!("a.azurecr.io/x:t@{digest}"),
            ),
            ("[::1]:5000/app".into(), "[::1]:5000/app".into()),
            (
                "a.azurecr.io/a__b/c---d/e.f_g".into(),
                "a.azurecr.io/a__b/c---d/e.f_g".into(),
            ),
        ] {
            assert_eq!(
                Reference::familiar(&given).unwrap().to_string(),
                full,
                "{given}"
            );
            assert_eq!(
                Reference::familiar(&full).unwrap().to_string(),
                full,
                "read again"
            );
        }
    }

    #[test]
    fn g13_what_is_no_name() {
        for wrong in [
            "",
            "/",
            "a.azurecr.io/",
            "a.azurecr.io/App",
            "a.azurecr.io/x:",
            "a.azurecr.io/x:-t",
            "a.azurecr.io/x@sha256:12",
            "user:secret@a.azurecr.io/x",
            "a.azurecr.io./x",
            ".azurecr.io/x",
            "a..b/x",
            "K/x",
            "a.azurecr.io:0/x",
            "a.azurecr.io:99999/x",
            "a.azurecr.io:443x/x",
            "a.azurecr.io:443/x",
            "A.AzureCR.io:443/x:t",
            "docker.io:443/alpine",
            "localhost:443/x",
            "[::1]:443/x",
            "á.azurecr.io/x",
            "a.azurecr.io/x/../y",
            "a.azurecr.io/x//y",
            "a.azurecr.io/x:t:u",
            "a.azurecr.io/-x",
            "a.azurecr.io/x-",
            "a.azurecr.io/x.",
            "a.azurecr.io/a___b",
            "a.azurecr.io/a._b",
            "a.azurecr.io/x y",
            "https://a.azurecr.io/x",
            "a.azurecr.io/x\n",
            "-a.azurecr.io/x",
            "::1/x",
        ] {
            assert!(
                Reference::familiar(wrong).is_err(),
                "{wrong:?} {:?}",
                Reference::familiar(wrong)
            );
        }
    }

    #[test]
    fn g13_an_image_id_is_not_a_name() {
        let digits = "5f".repeat(32);
        let digest = format!("sha256:{}", "a".repeat(64));
        for id in [
            digits.clone(),
            format!("sha256:{digits}"),
            format!("sha256:{}", digits.to_uppercase()),
            format!("SHA256:{digits}"),
            "0".repeat(64),
            "a".repeat(64),
            digits.to_uppercase(),
            format!("{digits}@{digest}"),
            format!("sha256:{digits}@{digest}"),
        ] {
            let wrong = InvalidReference::ImageId(id.clone());
            assert_eq!(Reference::familiar(&id), Err(wrong.clone()), "{id}");
            assert_eq!(Reference::named(&id), Err(wrong.clone()), "{id}");
            assert_eq!(Repository::familiar(&id), Err(wrong.clone()), "{id}");
            assert_eq!(Repository::named(&id), Err(wrong), "{id}");
        }
        for name in [
            digits.get(1..).unwrap().to_owned(),
            format!("{digits}0"),
            format!("sha256:{}", digits.get(1..).unwrap()),
            format!("sha512:{digits}"),
            format!("library/{digits}"),
            format!("docker.io/library/sha256:{digits}"),
            format!("contoso.azurecr.io/sha256:{digits}"),
            format!("contoso.azurecr.io/{digits}"),
            format!("contoso.azurecr.io/web@sha256:{digits}"),
            format!("{}g", digits.get(1..).unwrap()),
        ] {
            assert!(Reference::familiar(&name).is_ok(), "{name}");
        }
    }

    #[test]
    fn a_repository_may_have_255_characters_whatever_its_host() {
        let hosts = [
            "a.azurecr.io",
            "localhost:5000",
            &format!("{}.azurecr.io", vec!["a".repeat(60); 3].join(".")),
        ];
        for host in hosts {
            for (path, length) in [("a".repeat(255), 255), ("a/".repeat(127) + "a", 255)] {
                assert_eq!(path.len(), length);
                let name = format!("{host}/{path}:1.0");
                assert_eq!(Reference::named(&name).unwrap().to_string(), name);
                let longer = format!("{host}/{path}a:1.0");
                assert_eq!(
                    Reference::named(&longer),
                    Err(InvalidReference::PathTooLong(256))
                );
            }
            let error = Reference::named(&format!("{host}/{}", "a".repeat(300))).unwrap_err();
            assert_eq!(
                error.to_string(),
                "the repository has 300 characters, more than 255"
            );
        }
        // What is wrong with its letters is said first.
        let wrong = format!("a.azurecr.io/{}", "A".repeat(300));
        assert!(matches!(
            Reference::named(&wrong),
            Err(InvalidReference::Path(_))
        ));
    }

    #[test]
    fn signing_wants_the_registry() {
        assert_eq!(
            Reference::named("web/app:1"),
            Err(InvalidReference::NoRegistry)
        );
        assert_eq!(
            Reference::named("alpine"),
            Err(InvalidReference::NoRegistry)
        );
        assert!(Reference::named("contoso.azurecr.io/web/app:1").is_ok());
        assert_eq!(
            Repository::named("contoso.azurecr.io/web:1"),
            Err(InvalidReference::NotARepository)
        );
    }

    #[test]
    fn a_registry_has_one_name() {
        let error = Reference::named("Contoso.AzureCR.io:443/web/app:1").unwrap_err();
        assert_eq!(
            error.to_string(),
            "names port 443, which is the default for https: write `contoso.azurecr.io` without it"
        );
        for other in [
            "contoso.azurecr.io:80/web/app",
            "contoso.azurecr.io:4430/web/app",
            "contoso.azurecr.io/443/app",
        ] {
            assert_eq!(Reference::named(other).unwrap().to_string(), other);
        }
    }

    #[test]
    fn host_and_port() {
        let host: RegistryHost = "localhost:5000".parse().unwrap();
        assert_eq!((host.host(), host.port()), ("localhost", Some(5000)));
        let host: RegistryHost = "a.azurecr.io".parse().unwrap();
        assert_eq!((host.host(), host.port()), ("a.azurecr.io", None));
        let host: RegistryHost = "[::1]:5000".parse().unwrap();
        assert_eq!((host.host(), host.port()), ("[::1]", Some(5000)));
    }
}
