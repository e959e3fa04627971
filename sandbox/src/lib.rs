//! A loopback Azure for acr-sign: registry with trust server, Key Vault, Entra, managed identity, and the
//! pipeline hosts' token services. Real protocols, real keys, real TLS; nothing of acr-sign is in it, so that
//! an error on one side is not repeated on the other. It can be told to misbehave, and counts requests.

#![expect(
    clippy::indexing_slicing,
    reason = "into JSON only, where a missing member is null"
)]

mod acr;
mod blobs;
mod ca;
mod clock;
mod entra;
mod exchange;
mod fault;
mod github;
mod identity;
mod listing;
mod load;
mod log;
mod metadata;
mod oidc;
mod options;
mod referrers;
mod registry;
mod server;
mod token;
mod trust;
mod vault;
mod world;

use std::{
    fs, io,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use serde_json::json;
use tokio_rustls::TlsAcceptor;

pub use acr::{Acr, Role};
pub use clock::Clock;
pub use entra::{Entra, Federation};
pub use fault::{Action, Fault};
pub use github::{GITHUB_RUN, GITHUB_TOKEN, GitHubApi};
pub use identity::ManagedIdentity;
pub use listing::Referrers;
pub use log::{Entry, Service};
pub use oidc::{GITHUB_ISSUER, GITHUB_SUBJECT, Oidc};
pub use options::{CLIENT_SECRET, CONNECTION, Options};
pub use registry::{Pushed, Registry};
pub use token::Issuer;
pub use trust::TrustServer;
pub use vault::{CALLER, Denial, KeyKind, Operation, Vault};

use crate::{
    options::{CLUSTER_ISSUER, CLUSTER_SUBJECT},
    world::World,
};

/// Where a step runs, which decides the environment it has.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Identity {
    /// App Service, Functions, Container Apps, or an agent that offers the same endpoint.
    ManagedIdentityAppService,
    /// A virtual machine.
    Imds,
    /// A GitHub Actions job with `id-token: write`.
    GitHubOidc,
    /// An Azure Pipelines script step with a federated service connection.
    AzurePipelines,
    /// A pod with workload identity.
    WorkloadIdentity,
    /// A client secret in the environment.
    ClientSecret,
}

/// A running sandbox; it stops when dropped.
#[derive(Debug)]
pub struct Sandbox {
    world: Arc<World>,
    runtime: Option<tokio::runtime::Runtime>,
    folder: PathBuf,
    ca_file: PathBuf,
    tls_port: u16,
    plain_port: u16,
}

impl Sandbox {
    /// Starts on free loopback ports, in threads of its own.
    pub fn start(options: Options) -> io::Result<Self> {
        let names = names(&options);
        let authority = ca::Authority::new(names, options.http2, options.certificate_days)?;
        let folder = new_folder()?;
        let ca_file = folder.join("ca.pem");
        fs::write(&ca_file, &authority.pem)?;
        let world = Arc::new(World::new(options));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        let listen = || -> io::Result<TcpListener> {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
            listener.set_nonblocking(true)?;
            Ok(listener)
        };
        let (tls, plain) = (listen()?, listen()?);
        let (tls_port, plain_port) = (tls.local_addr()?.port(), plain.local_addr()?.port());
        let guard = runtime.enter();
        let (tls, plain) = (
            tokio::net::TcpListener::from_std(tls)?,
            tokio::net::TcpListener::from_std(plain)?,
        );
        runtime.spawn(server::serve(
            tls,
            Some(TlsAcceptor::from(authority.tls)),
            world.clone(),
        ));
        runtime.spawn(server::serve(plain, None, world.clone()));
        drop(guard);
        Ok(Self {
            world,
            runtime: Some(runtime),
            folder,
            ca_file,
            tls_port,
            plain_port,
        })
    }

    /// `HOST[:PORT]=ADDR:PORT` for every name that the sandbox answers for.
    pub fn connect_to(&self) -> Vec<String> {
        let tls = names(&self.world.options)
            .into_iter()
            .filter(|name| !name.starts_with('*') && name.contains('.') && *name != "127.0.0.1");
        let mut all: Vec<String> = tls
            .map(|name| format!("{name}=127.0.0.1:{}", self.tls_port))
            .collect();
        all.push(format!("169.254.169.254:80=127.0.0.1:{}", self.plain_port));
        all
    }

    /// The CA certificate, PEM.
    pub fn ca_file(&self) -> &Path {
        &self.ca_file
    }

    /// The registry as other programs on this machine reach it.
    pub fn localhost_registry(&self) -> String {
        format!("localhost:{}", self.tls_port)
    }

    /// The port of the TLS listener.
    pub fn tls_port(&self) -> u16 {
        self.tls_port
    }

    /// The port of the plain listener.
    pub fn plain_port(&self) -> u16 {
        self.plain_port
    }

    /// What no output of a program may hold: the head that every token begins with, and the fixed secrets.
    pub fn secrets(&self) -> Vec<String> {
        let token = self.world.issuer.issue(json!({}));
        let head = token.split('.').next().unwrap_or_default();
        let fixed = [
            CLIENT_SECRET,
            identity::IDENTITY_HEADER,
            oidc::GITHUB_BEARER,
            oidc::PIPELINES_BEARER,
        ];
        std::iter::once(head)
            .chain(fixed)
            .chain([blobs::STORAGE_SIGNATURE])
            .map(ToOwned::to_owned)
            .collect()
    }

    /// The variables that a step of this kind has.
    pub fn environment(&self, identity: Identity) -> Vec<(String, String)> {
        let options = &self.world.options;
        let own = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let client = || {
            vec![
                own("AZURE_CLIENT_ID", &options.client),
                own("AZURE_TENANT_ID", &options.tenant),
            ]
        };
        let mut variables = Vec::new();
        match identity {
            Identity::ManagedIdentityAppService => {
                variables.push(own(
                    "IDENTITY_ENDPOINT",
                    &format!("http://127.0.0.1:{}/msi/token", self.plain_port),
                ));
                variables.push(own("IDENTITY_HEADER", identity::IDENTITY_HEADER));
            }
            Identity::Imds => {}
            Identity::GitHubOidc => {
                variables.extend(client());
                variables.push(own(
                    "ACTIONS_ID_TOKEN_REQUEST_URL",
                    "https://pipelines.actions.githubusercontent.com/sandbox/_apis/token?api-version=2.0",
                ));
                variables.push(own("ACTIONS_ID_TOKEN_REQUEST_TOKEN", oidc::GITHUB_BEARER));
            }
            Identity::AzurePipelines => {
                variables.push(own(
                    "SYSTEM_OIDCREQUESTURI",
                    "https://dev.azure.com/contoso/shop/_apis/distributedtask/hubs/build/plans/1/jobs/1/oidctoken",
                ));
                variables.push(own("SYSTEM_ACCESSTOKEN", oidc::PIPELINES_BEARER));
                variables.push(own("AZURESUBSCRIPTION_CLIENT_ID", &options.client));
                variables.push(own("AZURESUBSCRIPTION_TENANT_ID", &options.tenant));
                variables.push(own("AZURESUBSCRIPTION_SERVICE_CONNECTION_ID", CONNECTION));
            }
            Identity::WorkloadIdentity => {
                let file = self.folder.join("azure-identity-token");
                let token = self
                    .world
                    .issuer
                    .issue(json!({"iss": CLUSTER_ISSUER, "sub": CLUSTER_SUBJECT, "aud": "api://AzureADTokenExchange"}));
                // A file that cannot be written shows as a missing token in the test that wanted it.
                let _ = fs::write(&file, token);
                variables.extend(client());
                variables.push(own(
                    "AZURE_FEDERATED_TOKEN_FILE",
                    &file.display().to_string(),
                ));
            }
            Identity::ClientSecret => {
                variables.extend(client());
                variables.push(own("AZURE_CLIENT_SECRET", CLIENT_SECRET));
            }
        }
        variables
    }

    /// Adds a fault to the script.
    pub fn fault(&self, fault: Fault) {
        self.world.script.add(fault);
    }

    /// Takes all faults away.
    pub fn clear_faults(&self) {
        self.world.script.clear();
    }

    /// Answers every request so much later.
    pub fn set_latency(&self, latency: Duration) {
        self.world.set_latency(latency);
    }

    /// The registry works on so many requests at once, and the others wait for their turn; each takes `latency`.
    pub fn set_capacity(&self, requests: usize, latency: Duration) {
        self.world.load.set_capacity(requests, latency);
    }

    /// The registry answers 429 to a request that comes while more than so many are not answered.
    pub fn throttle_above(&self, requests: usize) {
        self.world.load.throttle_above(requests);
    }

    /// Every request so far.
    pub fn log(&self) -> Vec<Entry> {
        self.world.log.entries()
    }

    /// Forgets the requests so far.
    pub fn clear_log(&self) {
        self.world.log.clear();
    }

    /// How many requests a service had.
    pub fn count(&self, service: Service) -> usize {
        self.log()
            .iter()
            .filter(|entry| entry.service == service)
            .count()
    }

    /// The registry's contents.
    pub fn registry(&self) -> &Registry {
        &self.world.registry
    }

    /// The registry's roles and users.
    pub fn acr(&self) -> &Acr {
        &self.world.acr
    }

    /// The trust server.
    pub fn trust(&self) -> &TrustServer {
        &self.world.trust
    }

    /// The vault.
    pub fn vault(&self) -> &Vault {
        &self.world.vault
    }

    /// The token service.
    pub fn entra(&self) -> &Entra {
        &self.world.entra
    }

    /// GitHub's REST API.
    pub fn github(&self) -> &GitHubApi {
        &self.world.github
    }

    /// The token services of the pipeline hosts.
    pub fn oidc(&self) -> &Oidc {
        &self.world.oidc
    }

    /// The managed-identity endpoints.
    pub fn managed_identity(&self) -> &ManagedIdentity {
        &self.world.identity
    }

    /// What issues tokens.
    pub fn issuer(&self) -> &Issuer {
        &self.world.issuer
    }

    /// The clock of all services.
    pub fn clock(&self) -> &Clock {
        &self.world.clock
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The names of the TLS certificate.
fn names(options: &Options) -> Vec<String> {
    let mut names: Vec<String> = [
        "localhost",
        "127.0.0.1",
        "login.microsoftonline.com",
        "pipelines.actions.githubusercontent.com",
        "dev.azure.com",
        "api.github.com",
        "evil.example",
        blobs::STORAGE,
        "*.vault.azure.net",
        "*.azurecr.io",
    ]
    .map(ToOwned::to_owned)
    .to_vec();
    names.extend([options.registry.clone(), options.vault.clone()]);
    names
}

fn new_folder() -> io::Result<PathBuf> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    let folder = std::env::temp_dir().join(format!("acr-sandbox-{}", registry::hex(&random)));
    fs::create_dir(&folder)?;
    Ok(folder)
}
