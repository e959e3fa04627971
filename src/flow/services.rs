//! What a run talks to, and what one request of it has.

use std::{ops::Deref, sync::Arc};

use tokio::time::Instant;

use super::{Collection, Revocations};
use crate::{
    azure::Identities,
    keys::KeyRing,
    net,
    oci::Repository,
    process::Environment,
    progress::Progress,
    registry::{DockerConfig, Logins, Registry, TrustServer},
    report::{Failure, Report, Requests},
    settings::Settings,
    timestamp::Timestamp,
};

/// Seconds by which this machine's clock may differ from the servers': tokens and certificates are made with that in mind.
const SKEW: i64 = 300;

/// What a run talks to, whatever it is asked: opened once, and shared by all its requests.
#[derive(Debug)]
pub struct Clients {
    /// The network edge, for its counters.
    pub client: net::Client,
    /// Registries.
    pub registry: Registry,
    /// Trust servers.
    pub trust: TrustServer,
    /// Revocation and timestamp services.
    pub revocations: Revocations,
    /// Keys.
    pub keys: Arc<KeyRing>,
    /// The environment of the run.
    pub environment: Environment,
    /// How far it is.
    pub progress: Progress,
    /// How many repositories or images are worked on at once.
    pub concurrency: usize,
    /// Where `acr-sign.yaml` is looked for.
    pub(crate) folder: std::path::PathBuf,
    identities: Identities,
    logins: Arc<Logins>,
}

/// What one request has: the clients of its run, and a time, an end and an input of its own. A command is one request.
#[derive(Clone, Debug)]
pub struct Services {
    clients: Arc<Clients>,
    /// The time that everything is judged at.
    pub now: Timestamp,
    /// When it must be answered.
    pub deadline: Instant,
    /// What standard input held, where a manifest comes from there.
    pub stdin: Option<Arc<[u8]>>,
}

impl Deref for Services {
    type Target = Clients;

    fn deref(&self) -> &Clients {
        &self.clients
    }
}

impl Clients {
    /// Opens everything and asks nothing.
    fn open(settings: Settings, now: Timestamp) -> Result<Self, Failure> {
        let client = net::Client::new(settings.net)?;
        let identities = Identities::new(client.clone(), settings.identity);
        let docker = settings.docker_config.map(DockerConfig::new);
        let logins = Arc::new(Logins::new(
            settings.registry_auth,
            settings.password,
            docker,
            identities.clone(),
        ));
        let registry = Registry::new(client.clone(), logins.clone());
        let keys = KeyRing::new(identities.clone(), settings.environment.clone(), now);
        Ok(Self {
            trust: TrustServer::new(registry.clone(), settings.trust_server),
            revocations: Revocations::new(client.clone()),
            keys: Arc::new(keys),
            environment: settings.environment,
            progress: Progress::default(),
            concurrency: settings.concurrency,
            folder: settings.folder,
            client,
            registry,
            identities,
            logins,
        })
    }
}

impl Services {
    /// The only request of a run.
    pub(crate) fn open(settings: Settings, now: Timestamp) -> Result<Self, Failure> {
        let clients = Clients::open(settings, now)?;
        Ok(Self {
            deadline: clients.client.deadline(),
            clients: Arc::new(clients),
            now,
            stdin: None,
        })
    }

    /// The same request at another time, for `--at`.
    #[must_use]
    pub fn at(&self, now: Timestamp) -> Self {
        Self {
            now,
            ..self.clone()
        }
    }

    /// The trust data of a repository.
    pub fn collection(&self, repository: &Repository) -> Collection {
        Collection::new(self.trust.clone(), repository.clone())
    }

    /// Writes into the report who asked, and how often.
    pub async fn account(&self, report: &mut Report) {
        let counts = self.client.counts();
        report.requests = Requests {
            registry: counts.registry,
            trust_server: counts.trust_server,
            vault: counts.vault,
            entra: counts.entra,
            other: counts.other,
        };
        report.auth.azure = self.identities.report();
        report.auth.registries = self.logins.report().await;
        for warning in self.logins.warnings().await {
            report.warn(warning);
        }
        report.weakened.extend(
            self.client
                .hosts()
                .plain_http
                .iter()
                .map(|host| format!("--plain-http {host}")),
        );
        for variable in ["SSL_CERT_FILE", "SSL_CERT_DIR"] {
            if let Some(path) = self.environment.get(variable) {
                report.warn(format!(
                    "TLS trusts the CA certificates of {variable} (`{path}`)"
                ));
            }
        }
        let skew = self.client.skew_seconds();
        if skew.abs() > SKEW {
            let direction = if skew > 0 { "behind" } else { "ahead of" };
            let much = roughly(skew.unsigned_abs());
            report.warn(format!(
                "this machine's clock is {much} {direction} the servers"
            ));
        }
    }
}

/// The largest whole unit of so many seconds.
fn roughly(seconds: u64) -> String {
    let (count, unit) = match seconds {
        0..7_200 => (seconds / 60, "minutes"),
        7_200..172_800 => (seconds / 3_600, "hours"),
        _ => (seconds / 86_400, "days"),
    };
    format!("{count} {unit}")
}
