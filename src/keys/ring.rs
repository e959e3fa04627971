//! Opens key references: each once per run, through the vault, a file or the environment.

use std::{collections::HashMap, path::PathBuf, sync::Arc};

use tokio::sync::Mutex;
use zeroize::Zeroizing;

use super::{KeyFile, KeyFileError, KeyReference, LocalSigner, VaultReference, read};
use crate::{
    azure::{Identities, ObjectId, Vault, VaultError, VaultObject, VaultSigner},
    crypto::{Certificate, InvalidKey, PublicKey, Secret, Signer},
    process::Environment,
    reason::{Explain, Reason},
    timestamp::Timestamp,
};

/// Bytes of a key file.
const FILE_LIMIT: u64 = 1 << 20;

/// A key could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The vault did not give it.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The file cannot be read.
    #[error("key file `{path}` cannot be read", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// A variable is not set.
    #[error("`{name}` is not set")]
    Variable {
        /// The variable.
        name: String,
    },
    /// A public key that nothing here can verify with.
    #[error("`{key}` is not a usable public key")]
    Public {
        /// The key.
        key: String,
        /// Why.
        #[source]
        cause: InvalidKey,
    },
    /// The content is not a usable key.
    #[error("`{key}` is not a usable key")]
    Content {
        /// The key.
        key: String,
        /// Why.
        #[source]
        cause: KeyFileError,
    },
}

impl Explain for KeyError {
    fn reason(&self) -> Reason {
        match self {
            Self::Vault(error) => error.reason(),
            Self::File { .. } | Self::Variable { .. } => Reason::ConfigInvalid,
            Self::Public { .. } => Reason::KeyUnsuitable,
            Self::Content { cause, .. } => cause.reason(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Vault(error) => error.hint(),
            Self::File { .. } => Some("check path and permissions".into()),
            Self::Variable { .. } => None,
            Self::Public { .. } => Some(
                "keys on P-256, P-384 and P-521, RSA keys of at least 2048 bits and Ed25519 keys are read; the `.pub` \
                 file of another key that signed may be meant"
                    .into(),
            ),
            Self::Content { cause, .. } => cause.hint(),
        }
    }
}

/// The public part of a key.
#[derive(Clone, Debug)]
pub struct PublicPart {
    /// The keys that count: the newest version first, then older enabled ones where none was named.
    pub keys: Vec<PublicKey>,
    /// The certificates, if the reference leads to one: the newest version first, then older enabled ones.
    pub certificates: Vec<Certificate>,
    /// Whether the private key stays in a vault.
    pub in_vault: bool,
    /// Why the vault does not sign with the newest version now, if so.
    pub unusable: Option<Arc<VaultError>>,
    /// Where the newest version is, if that is a vault.
    pub object: Option<ObjectId>,
}

/// The keys of one run.
#[derive(Debug)]
pub struct KeyRing {
    identities: Identities,
    environment: Environment,
    now: Timestamp,
    vaults: Mutex<HashMap<String, Vault>>,
    opened: Mutex<HashMap<KeyReference, Arc<dyn Signer>>>,
}

impl KeyRing {
    /// Opens nothing yet.
    pub fn new(identities: Identities, environment: Environment, now: Timestamp) -> Self {
        Self {
            identities,
            environment,
            now,
            vaults: Mutex::default(),
            opened: Mutex::default(),
        }
    }

    /// A signer for the newest version, or the one named.
    pub async fn open(&self, reference: &KeyReference) -> Result<Arc<dyn Signer>, KeyError> {
        let mut opened = self.opened.lock().await;
        if let Some(signer) = opened.get(reference) {
            return Ok(signer.clone());
        }
        let signer: Arc<dyn Signer> = match reference {
            KeyReference::Vault(key) if key.object != VaultObject::Secret => {
                Arc::new(self.vault_signer(key).await?)
            }
            _ => {
                let file = self.private(reference).await?;
                Arc::new(LocalSigner::new(
                    reference.to_string(),
                    file.key,
                    file.certificates,
                ))
            }
        };
        opened.insert(reference.clone(), signer.clone());
        Ok(signer)
    }

    /// The public part: a file may hold a public key or certificate only.
    pub async fn public(
        &self,
        reference: &KeyReference,
        older: bool,
    ) -> Result<PublicPart, KeyError> {
        match reference {
            KeyReference::Vault(key) if key.object == VaultObject::Secret => {
                self.public_of_private(reference).await
            }
            KeyReference::Vault(key) => self.vault_public(key, older).await,
            KeyReference::File { path, .. } => {
                let bytes = read_file(path).await?;
                match public_of_pem(reference, &bytes)? {
                    Some(part) => Ok(part),
                    None => self.public_of_private(reference).await,
                }
            }
            KeyReference::Env { name, .. } => {
                let text = self.environment.get(name).unwrap_or_default();
                match public_of_pem(reference, text.as_bytes())? {
                    Some(part) => Ok(part),
                    None => self.public_of_private(reference).await,
                }
            }
        }
    }

    async fn public_of_private(&self, reference: &KeyReference) -> Result<PublicPart, KeyError> {
        let signer = self.open(reference).await?;
        let leaf = signer.certificates().first().cloned();
        let keys = vec![signer.public_key().clone()];
        Ok(PublicPart {
            keys,
            certificates: leaf.into_iter().collect(),
            in_vault: false,
            unusable: None,
            object: None,
        })
    }

    async fn vault(&self, reference: &VaultReference) -> Result<Vault, KeyError> {
        let host = reference.host(self.identities.client().hosts().cloud.vault_suffix());
        let mut vaults = self.vaults.lock().await;
        if let Some(vault) = vaults.get(&host) {
            return Ok(vault.clone());
        }
        let vault = Vault::new(&self.identities, &host)?;
        vaults.insert(host, vault.clone());
        Ok(vault)
    }

    async fn vault_signer(&self, reference: &VaultReference) -> Result<VaultSigner, KeyError> {
        let vault = self.vault(reference).await?;
        let (name, version) = (&reference.name, reference.version.as_deref());
        let (key, certificates) = if reference.object == VaultObject::Certificate {
            let found = vault.certificate(name, version, self.now).await?;
            (found.key, vec![found.certificate])
        } else {
            (vault.key(name, version, self.now).await?, Vec::new())
        };
        Ok(VaultSigner::new(vault, key, certificates)?)
    }

    async fn vault_public(
        &self,
        reference: &VaultReference,
        older: bool,
    ) -> Result<PublicPart, KeyError> {
        let vault = self.vault(reference).await?;
        let (name, version) = (&reference.name, reference.version.as_deref());
        let older = older && version.is_none();
        let (mut keys, mut certificates) = (Vec::new(), Vec::new());
        let (unusable, object);
        if reference.object == VaultObject::Certificate {
            let newest = vault.certificate(name, version, self.now).await?;
            (unusable, object) = (newest.key.unusable(), newest.key.object.clone());
            certificates.push(newest.certificate);
            if older {
                let versions = vault
                    .certificate_versions(name, &newest.key.version, self.now)
                    .await;
                certificates.extend(
                    or_none_if_forbidden(versions)?
                        .into_iter()
                        .map(|found| found.certificate),
                );
            }
            keys.extend(
                certificates
                    .iter()
                    .map(|certificate| certificate.public_key().clone()),
            );
        } else {
            let newest = vault.key(name, version, self.now).await?;
            (unusable, object) = (newest.unusable(), newest.object.clone());
            keys.push(newest.key);
            if older {
                let versions = vault.key_versions(name, &newest.version, self.now).await;
                keys.extend(
                    or_none_if_forbidden(versions)?
                        .into_iter()
                        .map(|found| found.key),
                );
            }
        }
        without_repeats(&mut keys);
        without_repeats(&mut certificates);
        Ok(PublicPart {
            keys,
            certificates,
            in_vault: true,
            unusable: unusable.map(Arc::new),
            object: Some(object),
        })
    }

    /// A private key that is read into memory.
    async fn private(&self, reference: &KeyReference) -> Result<KeyFile, KeyError> {
        let content = |cause| KeyError::Content {
            key: reference.to_string(),
            cause,
        };
        let variable = |name: &str| {
            let value = self
                .environment
                .get(name)
                .ok_or_else(|| KeyError::Variable {
                    name: name.to_owned(),
                })?;
            self.identities.client().announce(value);
            Ok::<_, KeyError>(Secret::new(value.to_owned()))
        };
        let (bytes, passphrase) = match reference {
            KeyReference::File {
                path,
                passphrase_env,
            } => (
                read_file(path).await?,
                passphrase_env.as_deref().map(variable).transpose()?,
            ),
            KeyReference::Env {
                name,
                passphrase_env,
            } => {
                let text = variable(name)?;
                (
                    Zeroizing::new(text.expose().as_bytes().to_vec()),
                    passphrase_env.as_deref().map(variable).transpose()?,
                )
            }
            KeyReference::Vault(secret) => {
                let value = self
                    .vault(secret)
                    .await?
                    .secret(&secret.name, secret.version.as_deref())
                    .await?;
                let passphrase = match &secret.passphrase {
                    Some(other) => Some(
                        self.vault(other)
                            .await?
                            .secret(&other.name, other.version.as_deref())
                            .await?,
                    ),
                    None => None,
                };
                for secret in [Some(&value), passphrase.as_ref()].into_iter().flatten() {
                    self.identities.client().announce(secret.expose());
                }
                (
                    Zeroizing::new(value.expose().as_bytes().to_vec()),
                    passphrase,
                )
            }
        };
        read(&bytes, passphrase.as_ref()).map_err(content)
    }
}

/// The public part of PEM text that begins with one; `None` for anything else, such as a private key.
fn public_of_pem(reference: &KeyReference, bytes: &[u8]) -> Result<Option<PublicPart>, KeyError> {
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    let is_public = pem::parse(text)
        .is_ok_and(|block| matches!(block.tag(), "PUBLIC KEY" | "RSA PUBLIC KEY" | "CERTIFICATE"));
    if !is_public {
        return Ok(None);
    }
    let key = PublicKey::from_pem(text).map_err(|cause| KeyError::Public {
        key: reference.to_string(),
        cause,
    })?;
    let leaf = Certificate::chain_from_pem(text)
        .ok()
        .and_then(|chain| chain.into_iter().next());
    Ok(Some(PublicPart {
        keys: vec![key],
        certificates: leaf.into_iter().collect(),
        in_vault: false,
        unusable: None,
        object: None,
    }))
}

/// Whoever may read a key but not list its versions has it checked with the newest one alone.
fn or_none_if_forbidden<T>(versions: Result<Vec<T>, VaultError>) -> Result<Vec<T>, VaultError> {
    match versions {
        Err(error) if error.reason() == Reason::VaultForbidden => Ok(Vec::new()),
        versions => versions,
    }
}

fn without_repeats<T: PartialEq>(values: &mut Vec<T>) {
    let all = std::mem::take(values);
    for value in all {
        if !values.contains(&value) {
            values.push(value);
        }
    }
}

async fn read_file(path: &std::path::Path) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    use tokio::io::AsyncReadExt as _;
    let failed = |cause| KeyError::File {
        path: path.to_owned(),
        cause,
    };
    let file = tokio::fs::File::open(path).await.map_err(failed)?;
    let mut bytes = Zeroizing::new(Vec::new());
    file.take(FILE_LIMIT)
        .read_to_end(&mut bytes)
        .await
        .map_err(failed)?;
    Ok(bytes)
}
