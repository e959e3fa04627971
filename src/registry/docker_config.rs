//! Logins that docker stored: `auths`, credential helpers, and the credential store.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::Deserialize;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::crypto::Secret;

/// How long a credential helper may take.
const HELPER_TIME: Duration = Duration::from_secs(20);
/// Bytes that a credential helper or the file may have.
const LIMIT: u64 = 1 << 20;

/// Docker's configuration folder.
#[derive(Clone, Debug)]
pub struct DockerConfig {
    folder: PathBuf,
}

/// A stored login.
#[derive(Clone, Debug)]
pub enum StoredLogin {
    /// User and password.
    Basic {
        /// The user.
        user: String,
        /// The password.
        password: Secret,
    },
    /// A refresh token of the registry.
    IdentityToken(Secret),
}

/// Docker's configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DockerConfigError {
    /// The file is not of docker's form.
    #[error("`{path}` is not docker's configuration", path = path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: serde_json::Error,
    },
    /// A helper failed.
    #[error("the credential helper `docker-credential-{helper}` failed")]
    Helper {
        /// Its name.
        helper: String,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct File {
    auths: BTreeMap<String, Auth>,
    creds_store: Option<String>,
    cred_helpers: BTreeMap<String, String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Auth {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
    identitytoken: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct HelperAnswer {
    username: String,
    secret: String,
}

impl DockerConfig {
    /// The folder that holds `config.json`.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// The login stored for exactly this host; `None` where there is none.
    pub async fn login(&self, host: &str) -> Result<Option<StoredLogin>, DockerConfigError> {
        let Some(file) = self.read().await? else {
            return Ok(None);
        };
        let helper = file.cred_helpers.get(host).or(file.creds_store.as_ref());
        if let Some(helper) = helper.filter(|helper| !helper.is_empty()) {
            return ask(helper, host).await;
        }
        let names = [
            host.to_owned(),
            format!("https://{host}"),
            format!("https://{host}/"),
            format!("https://{host}/v1/"),
            format!("https://{host}/v2/"),
        ];
        Ok(names
            .iter()
            .find_map(|name| file.auths.get(name))
            .and_then(stored))
    }

    async fn read(&self) -> Result<Option<File>, DockerConfigError> {
        let path = self.folder.join("config.json");
        let Ok(file) = tokio::fs::File::open(&path).await else {
            return Ok(None);
        };
        let mut bytes = Vec::new();
        if file.take(LIMIT).read_to_end(&mut bytes).await.is_err() {
            return Ok(None);
        }
        serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|cause| DockerConfigError::Form { path, cause })
    }
}

fn stored(auth: &Auth) -> Option<StoredLogin> {
    if let Some(token) = auth
        .identitytoken
        .as_ref()
        .filter(|token| !token.is_empty())
    {
        return Some(StoredLogin::IdentityToken(Secret::new(token.clone())));
    }
    let pair = match (&auth.auth, &auth.username, &auth.password) {
        (Some(encoded), ..) if !encoded.is_empty() => {
            let text = String::from_utf8(BASE64_STANDARD.decode(encoded).ok()?).ok()?;
            let (user, password) = text.split_once(':')?;
            (user.to_owned(), password.trim_end_matches('\0').to_owned())
        }
        (_, Some(user), Some(password)) => (user.clone(), password.clone()),
        _ => return None,
    };
    Some(login(pair.0, pair.1))
}

fn login(user: String, password: String) -> StoredLogin {
    // The nil GUID is how ACR's logins say that the password is a refresh token.
    if user == "<token>" || user == "00000000-0000-0000-0000-000000000000" {
        return StoredLogin::IdentityToken(Secret::new(password));
    }
    StoredLogin::Basic {
        user,
        password: Secret::new(password),
    }
}

/// Asks a credential helper: the host goes to its standard input, JSON comes back.
async fn ask(helper: &str, host: &str) -> Result<Option<StoredLogin>, DockerConfigError> {
    let failed = |cause| DockerConfigError::Helper {
        helper: helper.to_owned(),
        cause,
    };
    if !helper
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
        || Path::new(helper).components().count() != 1
    {
        return Err(failed(std::io::Error::other(
            "its name is not the name of a program",
        )));
    }
    let run = async {
        let mut child = tokio::process::Command::new(format!("docker-credential-{helper}"))
            .arg("get")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(host.as_bytes()).await?;
        }
        let mut output = Vec::new();
        if let Some(stdout) = child.stdout.take() {
            stdout.take(LIMIT).read_to_end(&mut output).await?;
        }
        let status = child.wait().await?;
        std::io::Result::Ok((status.success(), output))
    };
    let (success, output) = match tokio::time::timeout(HELPER_TIME, run).await {
        Ok(outcome) => outcome.map_err(failed)?,
        Err(_) => return Err(failed(std::io::Error::other("it did not end within 20 s"))),
    };
    if !success {
        let text = String::from_utf8_lossy(&output);
        if text.contains("credentials not found") {
            return Ok(None);
        }
        return Err(failed(std::io::Error::other("it ended with an error")));
    }
    let answer: HelperAnswer = serde_json::from_slice(&output)
        .map_err(|_| failed(std::io::Error::other("its answer is not a login")))?;
    Ok(Some(login(answer.username, answer.secret)))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(config: &str, host: &str) -> Option<StoredLogin> {
        let folder = tempfile::tempdir().unwrap();
        tokio::fs::write(folder.path().join("config.json"), config)
            .await
            .unwrap();
        DockerConfig::new(folder.path().to_owned())
            .login(host)
            .await
            .unwrap()
    }

    #[tokio::test]
    async fn logins_as_docker_stores_them() {
        let config = r#"{"auths":{"a.io":{"auth":"dXNlcjpwYXNz"},"https://b.io":{"auth":"MDAwMDAwMDAtMDAwMC0wMDAwLTAwMDAtMDAwMDAwMDAwMDAwOng=","identitytoken":"t"},"c.io":{}}}"#;
        assert!(
            matches!(read(config, "a.io").await, Some(StoredLogin::Basic { user, password }) if user == "user" && password.expose() == "pass")
        );
        assert!(
            matches!(read(config, "b.io").await, Some(StoredLogin::IdentityToken(token)) if token.expose() == "t")
        );
        assert!(read(config, "c.io").await.is_none());
        assert!(read(config, "x.a.io").await.is_none());
        assert!(read("{}", "a.io").await.is_none());
    }

    #[tokio::test]
    async fn a_helper_that_is_not_there_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        for helper in ["no-such-helper-here", "../evil"] {
            let config = format!(r#"{{"credHelpers":{{"a.io":"{helper}"}}}}"#);
            tokio::fs::write(folder.path().join("config.json"), config)
                .await
                .unwrap();
            let error = DockerConfig::new(folder.path().to_owned())
                .login("a.io")
                .await
                .unwrap_err();
            assert!(matches!(error, DockerConfigError::Helper { .. }));
        }
        tokio::fs::write(folder.path().join("config.json"), "[")
            .await
            .unwrap();
        let error = DockerConfig::new(folder.path().to_owned())
            .login("a.io")
            .await
            .unwrap_err();
        assert!(matches!(error, DockerConfigError::Form { .. }));
    }
}
