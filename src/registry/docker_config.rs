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

/// How long a credential helper may take: some ask a person, most a keyring.
const HELPER_TIME: Duration = Duration::from_secs(20);
/// Bytes of the file, and of a helper's answer: a file with a login for every registry of a company has a few KiB.
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
    /// A helper is not installed.
    #[error("the credential helper `docker-credential-{helper}` that `{path}` names is not installed", path = path.display())]
    NoHelper {
        /// Its name.
        helper: String,
        /// The file.
        path: PathBuf,
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

/// As docker reads it: `null` is the same as nothing, in every place.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct File {
    auths: Option<BTreeMap<String, Option<Auth>>>,
    creds_store: Option<String>,
    cred_helpers: Option<BTreeMap<String, Option<String>>>,
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
        let helpers = file.cred_helpers.unwrap_or_default();
        let helper = helpers.get(host).cloned().flatten().or(file.creds_store);
        if let Some(helper) = helper.filter(|helper| !helper.is_empty()) {
            return match ask(&helper, host).await {
                Err(DockerConfigError::Helper { helper, cause })
                    if cause.kind() == std::io::ErrorKind::NotFound =>
                {
                    let path = self.path();
                    Err(DockerConfigError::NoHelper { helper, path })
                }
                answer => answer,
            };
        }
        let auths = file.auths.unwrap_or_default();
        // The exact name first, then any address of the host.
        let entry = auths.get(host).or_else(|| {
            let mut entries = auths.iter();
            entries
                .find(|(key, _)| host_of(key) == host)
                .map(|(_, auth)| auth)
        });
        Ok(entry.and_then(Option::as_ref).and_then(stored))
    }

    fn path(&self) -> PathBuf {
        self.folder.join("config.json")
    }

    async fn read(&self) -> Result<Option<File>, DockerConfigError> {
        let path = self.path();
        let Ok(file) = tokio::fs::File::open(&path).await else {
            return Ok(None);
        };
        let mut bytes = Vec::new();
        if file.take(LIMIT).read_to_end(&mut bytes).await.is_err() {
            return Ok(None);
        }
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Ok(None);
        }
        serde_json::from_slice::<Option<File>>(&bytes)
            .map_err(|cause| DockerConfigError::Form { path, cause })
    }
}

/// The host in a key of `auths`: docker compares keys without scheme and path.
fn host_of(key: &str) -> &str {
    let rest = key
        .strip_prefix("https://")
        .or_else(|| key.strip_prefix("http://"))
        .unwrap_or(key);
    rest.split('/').next().unwrap_or(rest)
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
    async fn what_docker_takes_for_nothing_is_nothing() {
        for nothing in [
            "",
            " \n",
            "{}",
            "null",
            r#"{"auths":null,"credHelpers":null,"credsStore":null}"#,
            r#"{"auths":{"a.io":null},"credHelpers":{"a.io":null}}"#,
            r#"{"auths":{"a.io":{"auth":null,"username":null}},"credsStore":""}"#,
            r#"{"auths":{"a.io":{}},"credHelpers":{"a.io":""}}"#,
        ] {
            assert!(read(nothing, "a.io").await.is_none(), "{nothing}");
        }
        let other = r#"{"auths":{"b.io":null,"a.io":{"auth":"dTpw"}},"credHelpers":null,"credsStore":null}"#;
        assert!(read(other, "a.io").await.is_some());
    }

    #[tokio::test]
    async fn keys_are_compared_by_host() {
        for key in [
            "a.io",
            "http://a.io",
            "https://a.io",
            "a.io/",
            "https://a.io/v1/",
            "https://a.io/v2/",
            "http://a.io/any/path",
            "a.io/v2/",
        ] {
            let config = format!(r#"{{"auths":{{"{key}":{{"auth":"dTpw"}}}}}}"#);
            assert!(read(&config, "a.io").await.is_some(), "{key}");
            for other in ["b.io", "a.io:443", "x.a.io", "io", "a.i"] {
                assert!(read(&config, other).await.is_none(), "{key} for {other}");
            }
        }
        let both = r#"{"auths":{"http://a.io":{"auth":"dTpw"},"a.io":{"auth":"dXNlcjpwYXNz"}}}"#;
        let login = read(both, "a.io").await;
        assert!(matches!(login, Some(StoredLogin::Basic { user, .. }) if user == "user"));
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
            let missing = matches!(error, DockerConfigError::NoHelper { .. });
            assert_eq!(missing, helper == "no-such-helper-here", "{error}");
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
