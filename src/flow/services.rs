//! What a command talks to, opened once per run.

use std::sync::Arc;

use tokio::time::Instant;

use super::{Collection, Revocations};
use crate::{
    azure::Identities,
    keys::KeyRing,
    net,
    oci::Repository,
    process::Environment,
    registry::{DockerConfig, Logins, Registry, TrustServer},
    report::{Failure, Report, Requests},
    settings::Settings,
    timestamp::Timestamp,
};

/// The clients of one run, and its one time.
#[derive(Clone, Debug)]
pub struct Services {
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
    /// The run's time.
    pub now: Timestamp,
    /// The environment of the run.
    pub environment: Environment,
    /// How many repositories or images are worked on at once.
    pub concurrency: usize,
    /// What standard input held, where a manifest comes from there.
    pub stdin: Option<Arc<[u8]>>,
    /// Where `acr-sign.yaml` is looked for.
    pub(crate) folder: std::path::PathBuf,
    identities: Identities,
    logins: Arc<Logins>,
}

impl Services {
    /// Opens everything and asks nothing; gives the end of the run, too.
    pub(crate) fn open(settings: Settings, now: Timestamp) -> Result<(Self, Instant), Failure> {
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
        let keys = Arc::new(KeyRing::new(
            identities.clone(),
            settings.environment.clone(),
            now,
        ));
        let trust = TrustServer::new(registry.clone(), settings.trust_server);
        let revocations = Revocations::new(client.clone());
        let deadline = client.deadline();
        let (environment, concurrency, folder) =
            (settings.environment, settings.concurrency, settings.folder);
        Ok((
            Self {
                client,
                registry,
                trust,
                revocations,
                keys,
                now,
                environment,
                concurrency,
                stdin: None,
                folder,
                identities,
                logins,
            },
            deadline,
        ))
    }

    /// The same services at another time, for `--at`.
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
        report.weakened.extend(
            self.client
                .hosts()
                .plain_http
                .iter()
                .map(|host| format!("--plain-http {host}")),
        );
        for variable in ["SSL_CERT_FILE", "SSL_CERT_DIR"] {
            if let Some(path) = self.environment.get(variable) {
                report.warnings.push(format!(
                    "TLS trusts the CA certificates of {variable} (`{path}`)"
                ));
            }
        }
        let skew = self.client.skew_seconds();
        if skew.abs() > 300 {
            let direction = if skew > 0 { "behind" } else { "ahead of" };
            report.warnings.push(format!(
                "this machine's clock is {} s {direction} that of the services",
                skew.abs()
            ));
        }
    }
}
