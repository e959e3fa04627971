//! Keeps a sandbox up and prints the environment to export; ends on interrupt, when its standard input
//! closes, or after `--for SECONDS`.

use std::{
    io::{self, Write as _},
    time::Duration,
};

use acr_sandbox::{Identity, KeyKind, Options, Sandbox};
use tokio::io::AsyncReadExt as _;

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let limit = match arguments.as_slice() {
        [] => None,
        [flag, seconds] if flag == "--for" => Some(
            seconds
                .parse()
                .map(Duration::from_secs)
                .map_err(io::Error::other)?,
        ),
        _ => return Err(io::Error::other("usage: acr-sandbox [--for SECONDS]")),
    };
    let sandbox = Sandbox::start(Options::default())?;
    let digest = furnish(&sandbox);
    io::stdout().write_all(exports(&sandbox, &digest).as_bytes())?;
    io::stdout().flush()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(wait(limit));
    runtime.shutdown_background();
    Ok(())
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
    variables.push(("SSL_CERT_FILE".into(), ca));
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
    let input_closed = async {
        let mut byte = [0];
        while !matches!(tokio::io::stdin().read(&mut byte).await, Ok(0) | Err(_)) {}
    };
    tokio::select! {
        () = over => {}
        () = input_closed => {}
        _ = tokio::signal::ctrl_c() => {}
        () = terminated() => {}
    }
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
