//! Objects of a vault by name: as messages, the service's own IDs and `az` write them.

use std::fmt;

use url::Url;

use super::shell::word;

/// The kinds of object in a vault.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum VaultObject {
    /// A key.
    Key,
    /// A certificate with its key.
    Certificate,
    /// A secret that holds a private key.
    Secret,
}

impl VaultObject {
    /// As addresses have it.
    pub fn plural(self) -> &'static str {
        match self {
            Self::Key => "keys",
            Self::Certificate => "certificates",
            Self::Secret => "secrets",
        }
    }

    /// As commands of az have it.
    pub(super) fn noun(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Certificate => "certificate",
            Self::Secret => "secret",
        }
    }
}

/// One object of one vault. Displayed without its version, as messages name it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ObjectId {
    /// The vault's host.
    pub host: String,
    /// The kind.
    pub kind: VaultObject,
    /// The name.
    pub name: String,
    /// The version, where one is known.
    pub version: Option<String>,
}

impl ObjectId {
    /// The object that an ID of the service names.
    pub(super) fn parse(id: &str) -> Option<Self> {
        let url: Url = id.parse().ok()?;
        let mut parts = url.path_segments()?;
        let kind = [
            VaultObject::Key,
            VaultObject::Certificate,
            VaultObject::Secret,
        ];
        let plural = parts.next()?;
        let kind = kind.into_iter().find(|kind| kind.plural() == plural)?;
        let name = parts.next()?.to_owned();
        let version = parts.next().filter(|version| is_version(version))?;
        let host = url.host_str()?;
        Some(Self {
            host: url
                .port()
                .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")),
            kind,
            name,
            version: Some(version.to_owned()),
        })
    }

    /// Whether an ID names this object, whatever its version. A vault compares names without regard to case. Only a
    /// vault of the cloud must name itself: behind a private name it knows itself by its public one.
    pub(super) fn is_named_by(&self, id: &Self, of_the_cloud: bool) -> bool {
        let same_host = self.host.eq_ignore_ascii_case(&id.host);
        let same_name = self.name.eq_ignore_ascii_case(&id.name);
        (same_host || !of_the_cloud) && self.kind == id.kind && same_name
    }

    pub(super) fn with_version(mut self, version: &str) -> Self {
        self.version = Some(version.to_owned());
        self
    }

    /// The same name as an object of another kind: a certificate shares name and versions with its key.
    pub(super) fn as_kind(&self, kind: VaultObject) -> Self {
        Self {
            kind,
            ..self.clone()
        }
    }

    /// Whether it is in a Managed HSM, which has roles of its own and no certificates.
    pub(super) fn is_in_hsm(&self) -> bool {
        self.host.contains(".managedhsm.")
    }

    /// The vault's short name.
    pub(super) fn vault(&self) -> &str {
        self.host.split('.').next().unwrap_or(&self.host)
    }

    /// `--vault-name NAME`, or `--hsm-name NAME`.
    pub(super) fn vault_flag(&self) -> String {
        let flag = if self.is_in_hsm() { "hsm" } else { "vault" };
        format!("--{flag}-name {}", word(self.vault()))
    }

    /// `az keyvault KIND VERB --id ID`: the object itself, in the version that is known.
    pub(super) fn az(&self, verb: &str) -> String {
        let version = self.version.as_ref().map(|version| format!("/{version}"));
        format!(
            "az keyvault {} {verb} --id https://{}/{}/{}{}",
            self.kind.noun(),
            self.host,
            self.kind.plural(),
            word(&self.name),
            version.unwrap_or_default(),
        )
    }

    /// `az keyvault KIND VERB --vault-name VAULT --name NAME`: the object whatever its versions.
    pub(super) fn az_by_name(&self, verb: &str) -> String {
        format!(
            "az keyvault {} {verb} {} --name {}",
            self.kind.noun(),
            self.vault_flag(),
            word(&self.name)
        )
    }

    /// The command that makes a certificate, without its policy: a new version of the one that is there, or one beside a
    /// bare key, whose name is taken in the vault.
    pub fn az_create_certificate(&self, certified: bool) -> String {
        let mut object = self.as_kind(VaultObject::Certificate);
        if !certified {
            object.name.push_str("-certificate");
        }
        object.az_by_name("create")
    }

    /// The command that makes a key which serves every format, beside this one.
    pub fn az_create_p256(&self) -> String {
        let name = format!("{}-p256", self.name);
        format!(
            "az keyvault key create {} --name {} --kty EC --curve P-256 --ops sign verify",
            self.vault_flag(),
            word(&name)
        )
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.host, self.kind.plural(), self.name)
    }
}

/// 32 hex digits.
pub(super) fn is_version(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERSION: &str = "0123456789abcdef0123456789abcdef";

    fn key() -> ObjectId {
        ObjectId {
            host: "contoso.vault.azure.net".into(),
            kind: VaultObject::Key,
            name: "release".into(),
            version: None,
        }
    }

    #[test]
    fn k02_an_id_names_vault_kind_name_and_version() {
        let named = |id: &str, of_the_cloud| {
            ObjectId::parse(id).is_some_and(|id| key().is_named_by(&id, of_the_cloud))
        };
        let own = format!("https://contoso.vault.azure.net/keys/release/{VERSION}");
        assert!(named(&own, true));
        assert!(named(&own.replace("release", "Release"), true));
        for other in [
            format!("https://fabrikam.vault.azure.net/keys/release/{VERSION}"),
            format!("https://contoso.vault.azure.net.evil.example/keys/release/{VERSION}"),
        ] {
            assert!(!named(&other, true), "{other}");
            assert!(named(&other, false), "{other}");
        }
        for other in [
            format!("https://contoso.vault.azure.net/keys/other/{VERSION}"),
            format!("https://contoso.vault.azure.net/certificates/release/{VERSION}"),
            "https://contoso.vault.azure.net/keys/release".to_owned(),
            "https://contoso.vault.azure.net/keys/release/1".to_owned(),
            VERSION.to_owned(),
            String::new(),
        ] {
            assert!(!named(&other, false), "{other}");
        }
    }

    #[test]
    fn commands_name_vault_and_object() {
        let key = key();
        assert_eq!(
            key.clone().with_version(VERSION).az("show"),
            format!(
                "az keyvault key show --id https://contoso.vault.azure.net/keys/release/{VERSION}"
            )
        );
        assert_eq!(
            key.as_kind(VaultObject::Certificate)
                .az_by_name("pending show"),
            "az keyvault certificate pending show --vault-name contoso --name release"
        );
        let hsm = ObjectId {
            host: "contoso.managedhsm.azure.net".into(),
            ..key
        };
        assert_eq!(
            hsm.az_create_p256(),
            "az keyvault key create --hsm-name contoso --name release-p256 --kty EC --curve P-256 --ops sign verify"
        );
    }
}
