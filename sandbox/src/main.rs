//! Keeps a sandbox up and says in which environment other programs reach it.

use std::{
    fs,
    io::{self, IsTerminal as _, Write as _},
    path::{Path, PathBuf},
    time::Duration,
};

use acr_sandbox::{Identity, KeyKind, Options, Sandbox};
use tokio::io::AsyncReadExt as _;

const HELP: &str = "\
A loopback Azure for acr-sign: registry, trust server, Key Vault, Entra and identity endpoints.

Usage: acr-sandbox [--env-file FILE] [--for SECONDS]

It prints the environment to export on standard output once it is up, and runs until it is
interrupted or terminated, or until the program that started it closes its standard input.

Options:
      --env-file FILE  Write the environment into this file instead; the file appears
                       when the sandbox is up, and is complete then
      --for SECONDS    Stop after so many seconds
  -h, --help           Print help

Example:
  acr-sandbox --env-file sandbox.env &
  until [ -e sandbox.env ]; do sleep 0.1; done
  . ./sandbox.env
  acr-sign sign contoso.azurecr.io/shop/web:1.0 --format notation \\
    --key akv:contoso/certificates/image-signing

`az` does not reach it. Programs that take their CA certificates from SSL_CERT_FILE, such as
notation, oras and cosign, get the file that SANDBOX_CA_FILE names; docker finds the registry
at the address in SANDBOX_REGISTRY.
";

/// A standard input that is at its end as soon as this was none.
const NO_INPUT: Duration = Duration::from_secs(1);

/// The command line.
#[derive(Debug, Default)]
struct Arguments {
    env_file: Option<PathBuf>,
    limit: Option<Duration>,
    help: bool,
}

fn main() -> io::Result<()> {
    let arguments = match arguments(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(wrong) => {
            writeln!(io::stderr(), "error: {wrong}\n\n{HELP}")?;
            std::process::exit(2);
        }
    };
    if arguments.help {
        return io::stdout().write_all(HELP.as_bytes());
    }
    let sandbox = Sandbox::start(Options::default())?;
    let digest = furnish(&sandbox);
    let exports = exports(&sandbox, &digest);
    if let Some(file) = &arguments.env_file {
        write_whole(file, &exports)?;
    } else {
        io::stdout().write_all(exports.as_bytes())?;
        io::stdout().flush()?;
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(wait(arguments.limit));
    runtime.shutdown_background();
    Ok(())
}

fn arguments(mut given: impl Iterator<Item = String>) -> Result<Arguments, String> {
    let mut arguments = Arguments::default();
    while let Some(flag) = given.next() {
        let mut value = || given.next().ok_or(format!("`{flag}` requires a value"));
        match flag.as_str() {
            "-h" | "--help" => arguments.help = true,
            "--env-file" => arguments.env_file = Some(value()?.into()),
            "--for" => {
                let text = value()?;
                let seconds = text
                    .parse()
                    .map_err(|_| format!("`{text}` is not a number of seconds"))?;
                arguments.limit = Some(Duration::from_secs(seconds));
            }
            other => return Err(format!("unexpected argument `{other}`")),
        }
    }
    Ok(arguments)
}

/// Whoever waits for the file finds all of it.
fn write_whole(file: &Path, text: &str) -> io::Result<()> {
    let mut part = file.as_os_str().to_owned();
    part.push(".part");
    fs::write(&part, text)?;
    fs::rename(&part, file)
}

/// Keys to sign with, certificates (one without the parts that trusted identities name), a secret, and images: one under three tags, whose digest is returned, and
/// one under another.
fn furnish(sandbox: &Sandbox) -> String {
    for name in ["root", "targets", "ci", "release"] {
        sandbox.vault().create_key(name, KeyKind::P256);
    }
    sandbox.vault().create_certificate(
        "release-certificate",
        KeyKind::P256,
        "CN=release,O=Contoso,C=US",
    );
    sandbox.vault().create_certificate(
        "image-signing",
        KeyKind::P256,
        "CN=image-signing,O=Contoso,ST=WA,C=US",
    );
    sandbox.vault().create_pem_secret("release-pem");
    let registry = sandbox.registry();
    let image = registry.push_index("shop/web", "1.0", "the sandbox's image");
    for tag in ["1", "latest"] {
        registry.retag("shop/web", &image.digest, tag);
    }
    registry.push_index("shop/web", "edge", "another image");
    sandbox.acr().add_user("sandbox", "sandbox");
    image.digest
}

fn exports(sandbox: &Sandbox, digest: &str) -> String {
    let ca = sandbox.ca_file().display().to_string();
    let mut variables = sandbox.environment(Identity::ManagedIdentityAppService);
    variables.push(("ACR_SIGN_CONNECT_TO".into(), sandbox.connect_to().join(";")));
    variables.push(("ACR_SIGN_CA_FILE".into(), ca.clone()));
    variables.push(("SANDBOX_CA_FILE".into(), ca));
    variables.push(("SANDBOX_REGISTRY".into(), sandbox.localhost_registry()));
    variables.push(("SANDBOX_DIGEST".into(), digest.to_owned()));
    variables.push(("SANDBOX_TLS_PORT".into(), sandbox.tls_port().to_string()));
    variables.push((
        "SANDBOX_PLAIN_PORT".into(),
        sandbox.plain_port().to_string(),
    ));
    // What a step has where it runs as somebody else: to be given to it under the names without the prefix.
    for identity in [
        Identity::ClientSecret,
        Identity::GitHubOidc,
        Identity::AzurePipelines,
    ] {
        for (name, value) in sandbox.environment(identity) {
            let variable = (format!("SANDBOX_{name}"), value);
            if !variables.contains(&variable) {
                variables.push(variable);
            }
        }
    }
    variables
        .iter()
        .map(|(name, value)| format!("export {name}='{value}'\n"))
        .collect()
}

async fn wait(limit: Option<Duration>) {
    let over = async {
        match limit {
            Some(limit) => tokio::time::sleep(limit).await,
            None => std::future::pending().await,
        }
    };
    let started = tokio::time::Instant::now();
    let input_closed = async {
        if is_held() {
            let mut byte = [0];
            while !matches!(tokio::io::stdin().read(&mut byte).await, Ok(0) | Err(_)) {}
            if started.elapsed() >= NO_INPUT {
                return;
            }
        }
        std::future::pending().await
    };
    tokio::select! {
        () = over => {}
        () = input_closed => {}
        _ = tokio::signal::ctrl_c() => {}
        () = terminated() => {}
    }
}

/// Whether another program holds the other end of standard input: it is a pipe or a socket, and not a terminal, a
/// file or the null device.
#[cfg(unix)]
fn is_held() -> bool {
    use std::os::{fd::AsFd as _, unix::fs::FileTypeExt as _};
    let input = io::stdin();
    let file = input.as_fd().try_clone_to_owned().map(fs::File::from);
    let kind = file
        .and_then(|file| file.metadata())
        .map(|metadata| metadata.file_type());
    !input.is_terminal() && kind.is_ok_and(|kind| kind.is_fifo() || kind.is_socket())
}

#[cfg(not(unix))]
fn is_held() -> bool {
    !io::stdin().is_terminal()
}

#[cfg(unix)]
async fn terminated() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut signal) => drop(signal.recv().await),
        Err(_) => std::future::pending().await,
    }
}

#[cfg(not(unix))]
async fn terminated() {
    std::future::pending().await
}
