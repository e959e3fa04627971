//! One notary server (with its signer) and one docker registry on loopback, with or without bearer tokens.
//! Started by `notary-up.sh`, stopped when dropped. Nothing is shared between two stacks.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::command::run;
use crate::port::free_port;

/// The account that may do everything, where tokens are wanted.
pub(crate) const PUBLISHER: (&str, &str) = ("publisher", "publisher-password");
/// The account that may read only.
pub(crate) const READER: (&str, &str) = ("reader", "reader-password");

/// Whether the servers want tokens.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Access {
    /// Everybody may do everything.
    Open,
    /// Docker's bearer tokens, from `token-issuer.py`.
    Tokens,
}

/// An image that was pushed.
pub(crate) struct Pushed {
    /// `sha256:…`
    pub(crate) digest: String,
    /// The manifest as the registry serves it.
    pub(crate) manifest: String,
}

impl Pushed {
    /// The digest without its algorithm.
    pub(crate) fn hex(&self) -> &str {
        self.digest
            .strip_prefix("sha256:")
            .expect("crane prints sha256 digests")
    }
}

/// The running servers.
pub(crate) struct Stack {
    folder: tempfile::TempDir,
    issuer: Option<Issuer>,
    pub(crate) trust_server: String,
    pub(crate) registry: String,
}

struct Issuer {
    child: Child,
    host: String,
}

impl Drop for Stack {
    fn drop(&mut self) {
        let mut down = Command::new(script("notary-down.sh"));
        down.arg(self.folder.path().join("state")).arg("--purge");
        run(down);
        if let Some(issuer) = &mut self.issuer {
            let _ = issuer.child.kill();
            let _ = issuer.child.wait();
        }
    }
}

impl Stack {
    /// Starts both servers.
    pub(crate) fn start(access: Access) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut up = Command::new(script("notary-up.sh"));
        up.arg(folder.path().join("state"))
            .env("PATH", peers_first());
        for server in ["NOTARY_PORT", "SIGNER_PORT", "REGISTRY_PORT"] {
            up.env(server, free_port().to_string());
        }
        let issuer = (access == Access::Tokens).then(|| Issuer::start(folder.path()));
        if let Some(issuer) = &issuer {
            up.env("NOTARY_AUTH", "token")
                .env(
                    "NOTARY_AUTH_REALM",
                    format!("https://{}/token", issuer.host),
                )
                .env("NOTARY_AUTH_BUNDLE", folder.path().join("token.crt"));
        }
        let printed = run(up).ok().stdout;
        let value = |name: &str| {
            let line = printed
                .lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
            line.unwrap_or_else(|| panic!("no {name} in:\n{printed}"))
                .to_owned()
        };
        let stack = Self {
            issuer,
            trust_server: value("NOTARY_URL"),
            registry: value("REGISTRY_HOST"),
            folder,
        };
        stack.write_docker_config("docker", PUBLISHER);
        stack.write_docker_config("docker-reader", READER);
        stack
    }

    /// The folder of this stack; goes away with it.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The certificate of the authority that issued both servers' certificates.
    pub(crate) fn ca_file(&self) -> PathBuf {
        self.folder().join("state/ca.crt")
    }

    /// `host[:port]` of the trust server.
    pub(crate) fn trust_host(&self) -> &str {
        self.trust_server
            .strip_prefix("https://")
            .expect("the trust server speaks https")
    }

    /// `host:port` of the token endpoint, where tokens are wanted.
    pub(crate) fn token_host(&self) -> Option<&str> {
        self.issuer.as_ref().map(|issuer| issuer.host.as_str())
    }

    /// The full name of a repository in the registry.
    pub(crate) fn repository(&self, path: &str) -> String {
        format!("{}/{path}", self.registry)
    }

    /// Pushes an image of one layer; other `content` makes another digest.
    pub(crate) fn push(&self, repository: &str, tag: &str, content: &str) -> Pushed {
        let layer = self.layer(content);
        let name = format!("{repository}:{tag}");
        let mut append = self.crane("append");
        append
            .arg("--new_layer")
            .arg(layer)
            .args(["--new_tag", &name]);
        run(append).ok();
        self.pushed(&name)
    }

    /// Pushes an index of two images.
    pub(crate) fn push_index(&self, repository: &str, tag: &str) -> Pushed {
        let name = format!("{repository}:{tag}");
        let mut append = self.crane("index");
        append.args(["append", "--tag", &name]);
        for platform in ["amd64", "arm64"] {
            let part = self.push(repository, &format!("{tag}-{platform}"), platform);
            append.args(["--manifest", &format!("{repository}@{}", part.digest)]);
        }
        run(append).ok();
        self.pushed(&name)
    }

    fn pushed(&self, name: &str) -> Pushed {
        let mut digest = self.crane("digest");
        digest.arg(name);
        let mut manifest = self.crane("manifest");
        manifest.arg(name);
        Pushed {
            digest: run(digest).ok().stdout.trim().to_owned(),
            manifest: run(manifest).ok().stdout,
        }
    }

    fn layer(&self, content: &str) -> PathBuf {
        let folder = tempfile::tempdir_in(self.folder())
            .expect("a temporary folder")
            .keep();
        std::fs::write(folder.join("content"), content).expect("the folder is ours");
        let layer = folder.join("layer.tar");
        let mut tar = Command::new("tar");
        tar.args(["--create", "--mtime=@0", "--file"])
            .arg(&layer)
            .arg("-C")
            .arg(&folder)
            .arg("content");
        run(tar).ok();
        layer
    }

    fn crane(&self, verb: &str) -> Command {
        let mut crane = Command::new(peer("crane"));
        crane
            .arg(verb)
            .env("SSL_CERT_FILE", self.ca_file())
            .env("DOCKER_CONFIG", self.docker_config());
        crane
    }

    /// The folder that holds docker's configuration, with the publisher's login for this registry.
    pub(crate) fn docker_config(&self) -> PathBuf {
        self.folder().join("docker")
    }

    /// The same with the reader's login.
    pub(crate) fn reader_docker_config(&self) -> PathBuf {
        self.folder().join("docker-reader")
    }

    fn write_docker_config(&self, name: &str, (user, password): (&str, &str)) {
        let folder = self.folder().join(name);
        let roots = folder.join("tls").join(self.trust_host());
        std::fs::create_dir_all(&roots).expect("the folder is ours");
        std::fs::copy(self.ca_file(), roots.join("ca.crt")).expect("notary-up.sh wrote it");
        let auth = basic(user, password);
        let config = serde_json::json!({ "auths": { &self.registry: { "auth": auth } } });
        std::fs::write(folder.join("config.json"), config.to_string()).expect("the folder is ours");
    }
}

impl Issuer {
    fn start(folder: &Path) -> Self {
        let (key, certificate, users) = (
            folder.join("token.key"),
            folder.join("token.crt"),
            folder.join("users.json"),
        );
        let mut openssl = Command::new("openssl");
        openssl.args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
        ]);
        openssl
            .args(["-subj", "/CN=token issuer", "-keyout"])
            .arg(&key)
            .arg("-out")
            .arg(&certificate);
        run(openssl).ok();
        let grants = serde_json::json!({
            PUBLISHER.0: { "password": PUBLISHER.1, "grants": { "*": ["pull", "push", "*"] } },
            // notary reads as nobody, whatever login it is given.
            "": { "password": "", "grants": { "*": ["pull"] } },
            READER.0: { "password": READER.1, "grants": { "*": ["pull"] } },
        });
        std::fs::write(&users, grants.to_string()).expect("the folder is ours");

        let mut command = Command::new("python3");
        command
            .arg(script("token-issuer.py"))
            .arg("--key")
            .arg(key)
            .arg("--cert")
            .arg(certificate);
        // Both servers' certificate, which notary-up.sh makes before anybody asks for a token.
        for (flag, file) in [
            ("--tls-cert", "state/tls.crt"),
            ("--tls-key", "state/tls.key"),
        ] {
            command.arg(flag).arg(folder.join(file));
        }
        command
            .arg("--users")
            .arg(users)
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        let mut child = command.spawn().expect("python3 is there");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("it is piped");
        BufReader::new(stdout)
            .read_line(&mut line)
            .expect("the issuer prints its address");
        let host = line
            .trim()
            .strip_prefix("TOKEN_REALM=https://")
            .and_then(|rest| rest.strip_suffix("/token"));
        let host = host
            .unwrap_or_else(|| panic!("token-issuer.py said `{line}`"))
            .to_owned();
        Self { child, host }
    }
}

/// `user:password` in base64.
pub(crate) fn basic(user: &str, password: &str) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"))
}

/// The program of a peer; where it is missing, the case fails and says what brings it.
pub(crate) fn peer(name: &str) -> PathBuf {
    let program = peers().join("bin").join(name);
    assert!(
        program.is_file(),
        "no {}: run tests/interop/install",
        program.display()
    );
    program
}

/// The folder that `tests/interop/install` filled.
pub(crate) fn peers() -> PathBuf {
    let folder = std::env::var_os("ACR_SIGN_PEERS");
    PathBuf::from(
        folder.expect("ACR_SIGN_PEERS names the folder that tests/interop/install filled"),
    )
}

fn peers_first() -> std::ffi::OsString {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(peers().join("bin")).chain(std::env::split_paths(&path));
    std::env::join_paths(folders).expect("PATH had no colon inside of a folder's name")
}

/// A script of this folder.
pub(crate) fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/interop")
        .join(name)
}
