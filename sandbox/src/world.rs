//! All services of one sandbox, and which of them a request is for.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use serde_json::Value;

use crate::{
    acr::{Acr, Role},
    blobs::STORAGE,
    clock::Clock,
    entra::{Entra, Federation},
    exchange::{Request, Response},
    fault::Script,
    github::GitHubApi,
    identity::ManagedIdentity,
    load::Load,
    log::{Log, Service},
    metadata::Metadata,
    oidc::{GITHUB_ISSUER, GITHUB_SUBJECT, Oidc, PIPELINES_ISSUER, pipelines_subject},
    options::{CLIENT_SECRET, CLUSTER_ISSUER, CLUSTER_SUBJECT, CONNECTION, Options},
    registry::Registry,
    token::Issuer,
    trust::TrustServer,
    vault::Vault,
};

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) options: Options,
    pub(crate) log: Log,
    pub(crate) load: Load,
    pub(crate) script: Script,
    pub(crate) clock: Arc<Clock>,
    pub(crate) issuer: Arc<Issuer>,
    pub(crate) entra: Arc<Entra>,
    pub(crate) identity: ManagedIdentity,
    pub(crate) oidc: Oidc,
    pub(crate) github: GitHubApi,
    pub(crate) vault: Vault,
    pub(crate) registry: Arc<Registry>,
    pub(crate) acr: Acr,
    metadata: Metadata,
    pub(crate) trust: TrustServer,
    latency_ms: AtomicU64,
}

impl World {
    pub(crate) fn new(options: Options) -> Self {
        let clock = Arc::new(Clock::default());
        let issuer = Arc::new(Issuer::new(clock.clone()));
        let entra = Arc::new(Entra::new(issuer.clone(), &options.tenant));
        entra.set_secret(&options.client, CLIENT_SECRET);
        for (from, subject, audience) in [
            (
                GITHUB_ISSUER.to_owned(),
                GITHUB_SUBJECT.to_owned(),
                "api://AzureADTokenExchange",
            ),
            (
                PIPELINES_ISSUER.to_owned(),
                pipelines_subject(CONNECTION),
                "api://AzureADTokenExchange",
            ),
            (
                CLUSTER_ISSUER.to_owned(),
                CLUSTER_SUBJECT.to_owned(),
                "api://AzureADTokenExchange",
            ),
        ] {
            entra.federate(
                &options.client,
                Federation {
                    issuer: from,
                    subject,
                    audience: audience.to_owned(),
                },
            );
        }
        let registry = Arc::new(Registry::new(options.referrers_api));
        let acr = Acr::new(&options.registry, &options.tenant, issuer.clone());
        acr.grant(&options.client, &[Role::AcrPush, Role::AcrImageSigner]);
        Self {
            log: Log::new(),
            load: Load::new(),
            script: Script::default(),
            identity: ManagedIdentity::new(entra.clone(), issuer.clone(), &options.client),
            oidc: Oidc::new(issuer.clone()),
            github: GitHubApi::new(),
            vault: Vault::new(
                &options.vault,
                &options.tenant,
                issuer.clone(),
                clock.clone(),
            ),
            metadata: Metadata::new(&options.registry, registry.clone()),
            trust: TrustServer::new(clock.clone()),
            latency_ms: AtomicU64::new(0),
            options,
            clock,
            issuer,
            entra,
            registry,
            acr,
        }
    }

    pub(crate) fn set_latency(&self, latency: Duration) {
        self.latency_ms.store(
            u64::try_from(latency.as_millis()).unwrap_or(u64::MAX),
            Ordering::SeqCst,
        );
    }

    pub(crate) fn latency(&self) -> Option<Duration> {
        Some(self.latency_ms.load(Ordering::SeqCst))
            .filter(|ms| *ms > 0)
            .map(Duration::from_millis)
    }

    /// The service that a request is for, by its host, and on loopback by its path.
    pub(crate) fn service(&self, request: &Request) -> Service {
        let loopback = matches!(request.host.as_str(), "localhost" | "127.0.0.1");
        match request.host.as_str() {
            host if host == self.options.registry
                || (loopback && is_registry_path(&request.path)) =>
            {
                if is_trust_path(&request.path) {
                    Service::TrustServer
                } else {
                    Service::Registry
                }
            }
            host if host == self.options.vault => Service::Vault,
            "login.microsoftonline.com" => Service::Entra,
            "169.254.169.254" => Service::ManagedIdentity,
            _ if loopback && request.path == "/msi/token" => Service::ManagedIdentity,
            host if host.ends_with(".actions.githubusercontent.com") || host == "dev.azure.com" => {
                Service::Oidc
            }
            _ => Service::Other,
        }
    }

    /// The good answer.
    pub(crate) fn handle(&self, request: &Request) -> Response {
        match self.service(request) {
            Service::Registry => self.handle_registry(request),
            Service::TrustServer => self.handle_trust(request),
            Service::Vault if request.secure => self.vault.handle(request),
            Service::Entra if request.secure => self.entra.handle(request),
            Service::ManagedIdentity if request.host == "169.254.169.254" => {
                self.identity.imds(request)
            }
            Service::ManagedIdentity => self.identity.app_service(request),
            Service::Oidc if request.secure && request.host == "dev.azure.com" => {
                self.oidc.pipelines(request)
            }
            Service::Oidc if request.secure => self.oidc.github(request),
            Service::Other if request.secure && request.host == "api.github.com" => {
                self.github.handle(request)
            }
            Service::Other if request.secure && request.host == STORAGE => {
                self.registry.storage(request)
            }
            Service::Vault | Service::Entra | Service::Oidc | Service::Other => Response::new(404),
        }
    }

    fn handle_registry(&self, request: &Request) -> Response {
        if request.path.starts_with("/oauth2/") {
            return self.acr.oauth2(request);
        }
        let scope = if request.path.starts_with("/acr/") {
            Metadata::scope(request)
        } else {
            Registry::scope(request)
        };
        let scope = scope
            .as_ref()
            .map(|(name, actions)| (name.as_str(), *actions));
        if let Some(refusal) = self.acr.refuse(request, scope) {
            return refusal;
        }
        if request.path.starts_with("/acr/") {
            self.metadata.handle(request)
        } else {
            self.registry.handle(request)
        }
    }

    fn handle_trust(&self, request: &Request) -> Response {
        let scope = TrustServer::scope(request);
        let scope = scope
            .as_ref()
            .map(|(name, actions)| (name.as_str(), *actions));
        if let Some(refusal) = self.acr.refuse(request, scope) {
            return refusal;
        }
        let publishes =
            request.method == http::Method::POST && request.path.ends_with("/_trust/tuf/");
        if publishes && !self.acr.may_sign(request) {
            // ACR hands out the token, and refuses the publication itself.
            let scope = scope
                .map(|(name, actions)| format!(",scope=\"{name}:{actions}\""))
                .unwrap_or_default();
            let challenge = format!(
                "Bearer realm=\"https://{}/oauth2/token\",service=\"{}\"{scope}",
                request.authority, self.options.registry
            );
            return crate::registry::error(401, "UNAUTHORIZED", "authentication required")
                .header("www-authenticate", challenge);
        }
        self.trust.handle(request)
    }

    /// A vault's answer under the `kid` of a version that does not exist.
    pub(crate) fn with_wrong_kid(&self, response: Response) -> Response {
        let mut body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
        if let Some(kid) = body["kid"].as_str().map(ToOwned::to_owned) {
            let name = kid.rsplit_once('/').map_or(kid.as_str(), |(name, _)| name);
            body["kid"] = Value::String(format!("{name}/{}", "0".repeat(32)));
        }
        response.body(body.to_string())
    }
}

fn is_registry_path(path: &str) -> bool {
    ["/v2/", "/oauth2/", "/acr/", "/_notary_server/"]
        .iter()
        .any(|prefix| path.starts_with(prefix))
}

fn is_trust_path(path: &str) -> bool {
    path.contains("/_trust/") || path.starts_with("/_notary_server/")
}
