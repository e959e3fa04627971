//! How a user names a key. Never holds a secret, so it can be printed.

use std::{fmt, path::PathBuf, str::FromStr};

use url::Url;

use crate::azure::VaultObject;

/// A key by its name.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum KeyReference {
    /// An object of a vault.
    Vault(VaultReference),
    /// A file.
    File {
        /// The file.
        path: PathBuf,
        /// The variable that holds its passphrase.
        passphrase_env: Option<String>,
    },
    /// A variable that holds the key.
    Env {
        /// The variable.
        name: String,
        /// The variable that holds its passphrase.
        passphrase_env: Option<String>,
    },
}

/// An object of a vault.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct VaultReference {
    /// The vault's host, or its short name, which the chosen cloud completes.
    pub vault: String,
    /// The kind of object.
    pub object: VaultObject,
    /// Its name.
    pub name: String,
    /// Its version; the newest if none.
    pub version: Option<String>,
    /// The secret that holds the passphrase of a secret.
    pub passphrase: Option<Box<Self>>,
}

/// The text does not name a key.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("`{text}` names no key: {why}")]
pub struct InvalidKeyReference {
    text: String,
    why: &'static str,
}

impl FromStr for KeyReference {
    type Err = InvalidKeyReference;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (body, query) = text
            .split_once('?')
            .map_or((text, None), |(body, query)| (body, Some(query)));
        // The query may name a passphrase, and what is no reference may be a key that was pasted: neither is repeated.
        let invalid = |why| InvalidKeyReference {
            text: if Self::is_meant(body) && !body.contains('@') {
                body.to_owned()
            } else {
                "what was given".to_owned()
            },
            why,
        };
        let options = query
            .map(|query| {
                url::form_urlencoded::parse(query.as_bytes())
                    .into_owned()
                    .collect::<Vec<_>>()
            })
            .unwrap_or_default();
        let option = |wanted: &str| {
            options
                .iter()
                .find(|(name, _)| name == wanted)
                .map(|(_, value)| value.clone())
        };
        let allowed: &[&str] = if body.starts_with("file:") || body.starts_with("env:") {
            &["passphrase-env"]
        } else {
            &["passphrase"]
        };
        if options
            .iter()
            .any(|(name, _)| !allowed.contains(&name.as_str()))
            || options.len() > 1
        {
            return Err(invalid(
                "after `?` comes passphrase-env=NAME (file, env) or passphrase=akv:VAULT/secrets/NAME (secrets)",
            ));
        }
        if let Some(path) = body.strip_prefix("file:") {
            let path = if path.is_empty() {
                return Err(invalid("no path after `file:`"));
            } else {
                path.into()
            };
            return Ok(Self::File {
                path,
                passphrase_env: option("passphrase-env"),
            });
        }
        if let Some(name) = body.strip_prefix("env:") {
            let name = if name.is_empty() {
                return Err(invalid("no variable after `env:`"));
            } else {
                name.to_owned()
            };
            return Ok(Self::Env {
                name,
                passphrase_env: option("passphrase-env"),
            });
        }
        let mut vault = vault(body).map_err(invalid)?;
        if let Some(passphrase) = option("passphrase") {
            let Ok(Self::Vault(secret)) = passphrase.parse() else {
                return Err(invalid("the passphrase is named as akv:VAULT/secrets/NAME"));
            };
            if vault.object != VaultObject::Secret || secret.object != VaultObject::Secret {
                return Err(invalid("a passphrase belongs to a secret, and is a secret"));
            }
            vault.passphrase = Some(Box::new(secret));
        }
        Ok(Self::Vault(vault))
    }
}

impl KeyReference {
    /// Whether a text is meant as a reference and not as the path of a file, by how it begins.
    pub fn is_meant(text: &str) -> bool {
        ["akv:", "https://", "azurekms://", "file:", "env:"]
            .iter()
            .any(|scheme| text.starts_with(scheme))
    }
}

fn vault(text: &str) -> Result<VaultReference, &'static str> {
    if let Some(rest) = text.strip_prefix("akv:") {
        let (vault, rest) = rest.split_once('/').ok_or("akv:VAULT/keys/NAME")?;
        let label = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        let valid = vault.bytes().all(label) && (3..=24).contains(&vault.len());
        return if valid {
            object(vault, rest)
        } else {
            Err("a vault's name has 3 to 24 letters, digits and dashes")
        };
    }
    if let Some(rest) = text.strip_prefix("azurekms://") {
        let (host, rest) = rest
            .split_once('/')
            .ok_or("azurekms://HOST/NAME[/VERSION]")?;
        return object(
            &host_of(&format!("https://{host}/"))?,
            &format!("keys/{rest}"),
        );
    }
    if text.starts_with("https://") {
        let (_, path) = text
            .strip_prefix("https://")
            .and_then(|rest| rest.split_once('/'))
            .ok_or("https://VAULT.vault.azure.net/keys/NAME")?;
        return object(&host_of(text)?, path);
    }
    Err("it must begin with akv:, https://, azurekms://, file: or env:")
}

/// The host of an address without user-info (K01).
fn host_of(text: &str) -> Result<String, &'static str> {
    let url: Url = text.parse().map_err(|_| "not an address")?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("a vault's address has no user name");
    }
    let host = url.host_str().ok_or("no host")?;
    Ok(url
        .port()
        .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}

fn object(vault: &str, rest: &str) -> Result<VaultReference, &'static str> {
    let mut parts = rest.split('/');
    let object = match parts.next() {
        Some("keys") => VaultObject::Key,
        Some("certificates") => VaultObject::Certificate,
        Some("secrets") => VaultObject::Secret,
        _ => return Err("after the vault comes keys/NAME, certificates/NAME or secrets/NAME"),
    };
    let label = |text: &&str| {
        !text.is_empty()
            && text.len() <= 127
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let name = parts
        .next()
        .filter(label)
        .ok_or("a name has letters, digits and dashes")?
        .to_owned();
    let version = parts.next().map(|version| {
        let valid = version.len() == 32 && version.bytes().all(|b| b.is_ascii_hexdigit());
        if valid {
            Ok(version.to_ascii_lowercase())
        } else {
            Err("a version has 32 hex digits")
        }
    });
    if parts.next().is_some() {
        return Err("too many parts");
    }
    Ok(VaultReference {
        vault: vault.to_owned(),
        object,
        name,
        version: version.transpose()?,
        passphrase: None,
    })
}

impl VaultReference {
    /// The vault's host: a short name is completed with the cloud's suffix.
    pub fn host(&self, suffix: &str) -> String {
        if self.vault.contains('.') || self.vault.contains(':') {
            self.vault.clone()
        } else {
            format!("{}{suffix}", self.vault)
        }
    }
}

impl fmt::Display for KeyReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, .. } => write!(f, "file:{}", path.display()),
            Self::Env { name, .. } => write!(f, "env:{name}"),
            Self::Vault(reference) => {
                let object = reference.object.plural();
                write!(f, "{}/{object}/{}", reference.vault, reference.name)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> VaultReference {
        match text.parse().unwrap() {
            KeyReference::Vault(reference) => reference,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_form() {
        let version = "0123456789abcdef0123456789ABCDEF";
        let key = of(&format!(
            "https://kv.vault.azure.net/keys/release/{version}"
        ));
        assert_eq!(
            (key.vault.as_str(), key.object, key.name.as_str()),
            ("kv.vault.azure.net", VaultObject::Key, "release")
        );
        assert_eq!(
            key.version.as_deref(),
            Some("0123456789abcdef0123456789abcdef")
        );
        assert_eq!(
            of("akv:contoso/certificates/c").host(".vault.azure.net"),
            "contoso.vault.azure.net"
        );
        assert_eq!(
            of("azurekms://kv.vault.azure.net/release").object,
            VaultObject::Key
        );
        let secret = of("akv:contoso/secrets/k?passphrase=akv:contoso/secrets/p");
        assert_eq!(secret.passphrase.unwrap().name, "p");
        assert_eq!(
            "file:a/b.pem?passphrase-env=P".parse(),
            Ok(KeyReference::File {
                path: "a/b.pem".into(),
                passphrase_env: Some("P".into())
            })
        );
        assert_eq!(
            "env:KEY".parse(),
            Ok(KeyReference::Env {
                name: "KEY".into(),
                passphrase_env: None
            })
        );
    }

    #[test]
    fn what_is_no_key() {
        for wrong in [
            "",
            "release",
            "akv:contoso",
            "akv:c/keys/k",
            "akv:contoso/keys",
            "akv:contoso/keys/a b",
            "akv:contoso/keys/k/1",
            "akv:con.toso/keys/k",
            "https://user:pw@kv.vault.azure.net/keys/k",
            "https://kv.vault.azure.net/",
            "https://kv.vault.azure.net/keys/k/x/y",
            "http://kv.vault.azure.net/keys/k",
            "file:",
            "env:",
            "file:k?passphrase=x",
            "akv:contoso/keys/k?passphrase=akv:contoso/secrets/p",
            "akv:contoso/secrets/k?passphrase=hunter2",
            "akv:contoso/secrets/k?passphrase-env=P",
        ] {
            let error = wrong.parse::<KeyReference>().unwrap_err().to_string();
            assert!(
                !error.contains("hunter2") && !error.contains("passphrase=x"),
                "{error}"
            );
        }
    }
}
