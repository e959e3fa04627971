//! Which login a registry gets: decided once per host and never widened by what a server says. `--username` first,
//! then an Azure identity other than the Azure CLI's, then docker's stored login, then the Azure CLI's, else none.

use std::collections::BTreeMap;

use tokio::sync::Mutex;
use url::Url;

use super::{DockerConfig, DockerConfigError, Error, StoredLogin};
use crate::{
    azure::{Identities, IdentityKind},
    crypto::Secret,
    net::Client,
};

/// `--registry-auth`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum RegistryAuth {
    /// The first that is there.
    #[default]
    Auto,
    /// The Azure identity.
    Entra,
    /// What docker stored.
    DockerConfig,
    /// None.
    Anonymous,
}

/// A login that was picked.
#[derive(Clone, Debug)]
pub(super) enum Login {
    Anonymous,
    Basic { user: String, password: Secret },
    IdentityToken(Secret),
    Entra,
}

impl Login {
    /// As the report names it.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::Basic { .. } => "user and password",
            Self::IdentityToken(_) => "docker-config",
            Self::Entra => "entra",
        }
    }
}

/// Picks logins.
#[derive(Debug)]
pub struct Logins {
    auth: RegistryAuth,
    password: Option<(String, Secret)>,
    docker: Option<DockerConfig>,
    pub(super) entra: Identities,
    picked: Mutex<BTreeMap<String, Login>>,
    warnings: Mutex<Vec<String>>,
}

impl Logins {
    /// From the settings and the identity.
    pub fn new(
        auth: RegistryAuth,
        password: Option<(String, Secret)>,
        docker: Option<DockerConfig>,
        entra: Identities,
    ) -> Self {
        Self {
            auth,
            password,
            docker,
            entra,
            picked: Mutex::default(),
            warnings: Mutex::default(),
        }
    }

    /// Which stored logins could not be read.
    pub async fn warnings(&self) -> Vec<String> {
        self.warnings.lock().await.clone()
    }

    /// The login methods that were picked, per host.
    pub async fn report(&self) -> Vec<(String, String)> {
        self.picked
            .lock()
            .await
            .iter()
            .map(|(host, login)| (host.clone(), login.name().to_owned()))
            .collect()
    }

    /// The login for a registry; `name` is its name in references, which docker stores logins under.
    pub(super) async fn pick(
        &self,
        client: &Client,
        registry: &Url,
        name: &str,
    ) -> Result<Login, Error> {
        let mut picked = self.picked.lock().await;
        if let Some(login) = picked.get(name) {
            return Ok(login.clone());
        }
        let login = self.choose(client, registry, name).await?;
        tracing::debug!(registry = name, login = login.name(), "login");
        picked.insert(name.to_owned(), login.clone());
        Ok(login)
    }

    async fn choose(&self, client: &Client, registry: &Url, name: &str) -> Result<Login, Error> {
        if let Some((user, password)) = &self.password {
            return Ok(Login::Basic {
                user: user.clone(),
                password: password.clone(),
            });
        }
        // Entra tokens go to registries of the chosen cloud and to allowed hosts, and nowhere else (G01).
        let exchanges =
            client.hosts().is_cloud_registry(registry) || client.hosts().is_allowed(registry);
        let no_login = |asked| Error::NoLogin {
            asked,
            host: name.to_owned(),
        };
        match self.auth {
            RegistryAuth::Anonymous => Ok(Login::Anonymous),
            RegistryAuth::DockerConfig => self
                .stored(name)
                .await?
                .ok_or_else(|| no_login("docker-config")),
            RegistryAuth::Entra if !exchanges => Err(no_login("entra")),
            RegistryAuth::Entra => match self.kind(name).await? {
                Some(_) => Ok(Login::Entra),
                None => Err(no_login("entra")),
            },
            RegistryAuth::Auto => {
                let kind = if exchanges {
                    self.kind(name).await?
                } else {
                    None
                };
                if kind == Some(IdentityKind::Identity) {
                    return Ok(Login::Entra);
                }
                let stored = match self.stored(name).await {
                    // Docker goes on without a login as well, and the registry may need none.
                    Err(Error::DockerConfig {
                        cause: cause @ DockerConfigError::NoHelper { .. },
                        ..
                    }) => {
                        let warning = format!("no stored login for `{name}` is used: {cause}");
                        self.warnings.lock().await.push(warning);
                        None
                    }
                    stored => stored?,
                };
                match (stored, kind) {
                    (Some(login), _) => Ok(login),
                    (None, Some(_)) => Ok(Login::Entra),
                    (None, None) => Ok(Login::Anonymous),
                }
            }
        }
    }

    /// A registry of Azure refused whoever comes without a login: fails if an identity was looked for and not found,
    /// as that is what is wrong.
    pub(super) fn had_none(
        &self,
        client: &Client,
        registry: &Url,
        name: &str,
    ) -> Result<(), Error> {
        let exchanges =
            client.hosts().is_cloud_registry(registry) || client.hosts().is_allowed(registry);
        match self.entra.looked_in_vain() {
            Some(cause) if exchanges && self.auth == RegistryAuth::Auto => Err(Error::Identity {
                host: name.to_owned(),
                cause,
            }),
            _ => Ok(()),
        }
    }

    async fn kind(&self, name: &str) -> Result<Option<IdentityKind>, Error> {
        self.entra.kind().await.map_err(|cause| Error::Identity {
            host: name.to_owned(),
            cause,
        })
    }

    async fn stored(&self, name: &str) -> Result<Option<Login>, Error> {
        let Some(docker) = &self.docker else {
            return Ok(None);
        };
        // Docker stores the public registry's login under an address of its own.
        let key = if name == "docker.io" {
            "index.docker.io"
        } else {
            name
        };
        let stored = docker
            .login(key)
            .await
            .map_err(|cause| Error::DockerConfig {
                host: name.to_owned(),
                cause,
            })?;
        if let Some(
            StoredLogin::Basic {
                password: secret, ..
            }
            | StoredLogin::IdentityToken(secret),
        ) = &stored
        {
            self.entra.client().announce(secret.expose());
        }
        Ok(stored.map(|stored| match stored {
            StoredLogin::Basic { user, password } => Login::Basic { user, password },
            StoredLogin::IdentityToken(token) => Login::IdentityToken(token),
        }))
    }
}
