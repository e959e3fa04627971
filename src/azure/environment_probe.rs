//! What the environment offers as an identity, method by method; nothing is asked here. Each method is absent, whole
//! or incomplete: half an identity is an error and never replaced by another one, since whoever can use the key is
//! the signer (K07).

use url::Url;

use super::{
    Application, IdentityError, IdentityOptions, IdentitySource, endpoint,
    pipeline_host::{GITHUB_ADVICE, PipelineHost},
};
use crate::{
    crypto::Secret,
    net::{Client, HostNotAllowed},
};

/// What the environment offers, method by method.
pub(super) struct EnvironmentProbe<'a> {
    pub(super) options: &'a IdentityOptions,
    pub(super) client: &'a Client,
}

/// Variables of logins that Microsoft's SDKs know and this program does not.
const UNSUPPORTED: [(&str, &str); 3] = [
    ("AZURE_CLIENT_CERTIFICATE_PATH", "a client certificate"),
    ("AZURE_PASSWORD", "a login by user name and password"),
    ("AZURE_USERNAME", "a login by user name and password"),
];

impl EnvironmentProbe<'_> {
    pub(super) fn env(&self, name: &str) -> Option<&str> {
        self.options.environment.get(name)
    }

    /// Whether the variable is there at all. A set and empty one is a secret that a pipeline does not have.
    fn is_set(&self, name: &str) -> bool {
        let mut variables = self.options.environment.iter();
        variables.any(|(found, _)| found == name)
    }

    /// `NAME` as missing: not set, or set and empty.
    fn lack(&self, name: &str) -> String {
        if self.is_set(name) {
            format!("`{name}`, which is empty")
        } else {
            format!("`{name}`, which is not set")
        }
    }

    pub(super) fn host(&self) -> PipelineHost {
        PipelineHost::of(&self.options.environment)
    }

    pub(super) fn client_id(&self) -> Option<String> {
        let flag = self.options.client_id.clone();
        flag.or_else(|| self.env("AZURE_CLIENT_ID").map(ToOwned::to_owned))
    }

    fn tenant_id(&self) -> Option<String> {
        let flag = self.options.tenant_id.clone();
        flag.or_else(|| self.env("AZURE_TENANT_ID").map(ToOwned::to_owned))
    }

    /// Whether anything names an application, also in vain.
    fn names_an_application(&self) -> bool {
        self.client_id().is_some()
            || self.tenant_id().is_some()
            || self.is_set("AZURE_CLIENT_ID")
            || self.is_set("AZURE_TENANT_ID")
    }

    /// The application that what was `found` belongs to.
    fn application(&self, found: &str) -> Result<Application, IdentityError> {
        match (self.client_id(), self.tenant_id()) {
            (Some(id), Some(tenant)) => self.application_of(tenant, id),
            (id, tenant) => {
                let mut missing = Vec::new();
                let mut hint = Vec::new();
                if id.is_none() {
                    missing.push(self.lack("AZURE_CLIENT_ID"));
                    hint.push("`--client-id` (of the application: `az ad app list --query \"[].{name:displayName,clientId:appId}\" --output table`)");
                }
                if tenant.is_none() {
                    missing.push(self.lack("AZURE_TENANT_ID"));
                    hint.push("`--tenant-id` (`az account show --query tenantId --output tsv` prints yours)");
                }
                Err(IdentityError::Incomplete {
                    found: found.to_owned(),
                    missing: missing.join(", and "),
                    hint: format!("set it, or give {}; {OTHER}", hint.join(" and ")),
                })
            }
        }
    }

    pub(super) fn application_of(
        &self,
        tenant: String,
        id: String,
    ) -> Result<Application, IdentityError> {
        // Both become parts of addresses and of commands.
        let well_formed = |text: &str| {
            !text.is_empty()
                && text
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.'))
        };
        if !well_formed(&tenant) {
            return Err(IdentityError::Malformed {
                what: "the tenant ID".to_owned(),
                expected: "a GUID or a domain",
            });
        }
        if !well_formed(&id) {
            return Err(IdentityError::Malformed {
                what: "the client ID".to_owned(),
                expected: "a GUID",
            });
        }
        Ok(Application {
            tenant,
            id,
            authority: self.authority()?,
        })
    }

    fn authority(&self) -> Result<Url, IdentityError> {
        let hosts = self.client.hosts();
        let default = hosts.cloud.authorities().first().copied();
        let named = self.env("AZURE_AUTHORITY_HOST");
        let text = named.or(default).unwrap_or_default();
        // Microsoft's SDK for Python takes a bare host name as well.
        let text = if text.contains("://") {
            text.to_owned()
        } else {
            format!("https://{text}")
        };
        self.address("AZURE_AUTHORITY_HOST", &text, |url| {
            hosts.check_authority(url)
        })
    }

    pub(super) fn address(
        &self,
        variable: &'static str,
        text: &str,
        check: impl Fn(&Url) -> Result<(), HostNotAllowed>,
    ) -> Result<Url, IdentityError> {
        let url: Url = text.parse().map_err(|_| IdentityError::Malformed {
            what: format!("`{variable}`"),
            expected: "an address",
        })?;
        check(&url).map_err(|cause| IdentityError::Host { variable, cause })?;
        Ok(url)
    }

    /// GitHub's ID token. The host offers one to every step of a job with the permission, so an application must be
    /// named as well; the other way round, an application without the permission is half an identity.
    pub(super) fn github(&self) -> Result<Option<IdentitySource>, IdentityError> {
        const URL: &str = "ACTIONS_ID_TOKEN_REQUEST_URL";
        const TOKEN: &str = "ACTIONS_ID_TOKEN_REQUEST_TOKEN";
        let (url, bearer) = match (self.env(URL), self.env(TOKEN)) {
            (Some(url), Some(bearer)) => (url, bearer),
            (None, None) => return self.no_github_permission().map_or(Ok(None), Err),
            (Some(_), None) => return Err(self.half_of_github(URL, TOKEN)),
            (None, Some(_)) => return Err(self.half_of_github(TOKEN, URL)),
        };
        if !self.names_an_application() {
            return Ok(None);
        }
        let client = self.application("the job's ID token")?;
        let url = self.address(URL, url, |url| self.client.hosts().check_github_oidc(url))?;
        Ok(Some(IdentitySource::GitHub {
            client,
            url,
            bearer: Secret::new(bearer.to_owned()),
        }))
    }

    fn half_of_github(&self, found: &str, missing: &str) -> IdentityError {
        IdentityError::Incomplete {
            found: format!("`{found}`"),
            missing: self.lack(missing),
            hint: format!("pass both variables of the job on to the step, or neither; {OTHER}"),
        }
    }

    /// Client and tenant are named on GitHub, and nothing else proves to be that application. On GitHub's own
    /// machines a client alone is enough, as it cannot be a managed identity's there.
    fn no_github_permission(&self) -> Option<IdentityError> {
        let PipelineHost::GitHub { hosted } = self.host() else {
            return None;
        };
        let client = self.client_id().is_some();
        let named = client && (hosted || self.tenant_id().is_some());
        let proof = [
            "AZURE_CLIENT_SECRET",
            "AZURE_FEDERATED_TOKEN_FILE",
            "AZURE_CLIENT_CERTIFICATE_PATH",
            "AZURE_PASSWORD",
            "IDENTITY_HEADER",
        ];
        if !named || proof.iter().any(|name| self.env(name).is_some()) {
            return None;
        }
        let mut missing = "an ID token, which this job does not get".to_owned();
        if self.tenant_id().is_none() {
            missing = format!("{missing}, and {}", self.lack("AZURE_TENANT_ID"));
        }
        Some(IdentityError::Incomplete {
            found: "the client ID".to_owned(),
            missing,
            hint: format!("{GITHUB_ADVICE}; {OTHER}"),
        })
    }

    /// A client secret.
    pub(super) fn secret(&self) -> Result<Option<IdentitySource>, IdentityError> {
        const SECRET: &str = "AZURE_CLIENT_SECRET";
        if let Some(secret) = self.env(SECRET) {
            let secret = Secret::new(secret.to_owned());
            let client = self.application(&format!("`{SECRET}`"))?;
            return Ok(Some(IdentitySource::Secret {
                client,
                secret,
                method: "environment",
            }));
        }
        for (name, identity) in UNSUPPORTED {
            if self.env(name).is_some() {
                return Err(IdentityError::Unsupported {
                    found: format!("`{name}`"),
                    identity,
                });
            }
        }
        // A pipeline without the secret hands over an empty one.
        let named = self.client_id().is_some() && self.tenant_id().is_some();
        if named && self.is_set(SECRET) {
            return Err(IdentityError::Incomplete {
                found: "the client ID".to_owned(),
                missing: self.lack(SECRET),
                hint: format!(
                    "give the step the secret's value, or leave the variable out; {OTHER}"
                ),
            });
        }
        Ok(None)
    }

    /// A token file, as Kubernetes writes it.
    pub(super) fn workload(&self) -> Result<Option<IdentitySource>, IdentityError> {
        const FILE: &str = "AZURE_FEDERATED_TOKEN_FILE";
        let Some(path) = self.env(FILE) else {
            return Ok(None);
        };
        let client = self.application(&format!("`{FILE}`"))?;
        Ok(Some(IdentitySource::File {
            client,
            path: path.into(),
        }))
    }

    /// App Service's endpoint. The same variables in other company belong to endpoints that speak otherwise.
    pub(super) fn app_service(&self) -> Result<Option<IdentitySource>, IdentityError> {
        const ENDPOINT: &str = "IDENTITY_ENDPOINT";
        const HEADER: &str = "IDENTITY_HEADER";
        let unsupported = |found: &str, identity| {
            Err(IdentityError::Unsupported {
                found: format!("`{found}`"),
                identity,
            })
        };
        let (endpoint, header) = match (self.env(ENDPOINT), self.env(HEADER)) {
            (None, None) => {
                return match (self.env("MSI_ENDPOINT"), self.env("MSI_SECRET")) {
                    (Some(_), Some(_)) => {
                        unsupported("MSI_SECRET", "Azure Machine Learning's managed identity")
                    }
                    _ => Ok(None),
                };
            }
            (Some(_), Some(_)) if self.env("IDENTITY_SERVER_THUMBPRINT").is_some() => {
                return unsupported(
                    "IDENTITY_SERVER_THUMBPRINT",
                    "Service Fabric's managed identity",
                );
            }
            (Some(endpoint), Some(header)) => (endpoint, header),
            (Some(_), None) if self.env("IMDS_ENDPOINT").is_some() => {
                return unsupported("IMDS_ENDPOINT", "Azure Arc's managed identity");
            }
            (Some(_), None) => return Err(self.half_of_app_service(ENDPOINT, HEADER)),
            (None, Some(_)) => return Err(self.half_of_app_service(HEADER, ENDPOINT)),
        };
        let hosts = self.client.hosts();
        let local = |url: &Url| {
            if hosts.is_identity_endpoint(url) || (hosts.is_allowed(url) && url.scheme() == "https")
            {
                Ok(())
            } else {
                Err(HostNotAllowed {
                    host: url.host_str().unwrap_or_default().to_owned(),
                    wanted: "on loopback or link-local, where identity endpoints are",
                })
            }
        };
        let endpoint = self.address(ENDPOINT, endpoint, local)?;
        Ok(Some(IdentitySource::AppService {
            endpoint,
            header: Secret::new(header.to_owned()),
            client_id: self.client_id(),
        }))
    }

    fn half_of_app_service(&self, found: &str, missing: &str) -> IdentityError {
        IdentityError::Incomplete {
            found: format!("`{found}`"),
            missing: self.lack(missing),
            hint: format!("pass both variables of the app on to the process, or neither; {OTHER}"),
        }
    }

    pub(super) fn imds(&self) -> IdentitySource {
        IdentitySource::Imds {
            client_id: self.client_id(),
        }
    }

    pub(super) fn azure_cli(&self) -> IdentitySource {
        IdentitySource::AzureCli {
            tenant_id: self.options.tenant_id.clone(),
            host: self.host(),
        }
    }

    /// The secrets of every identity that the environment describes, whichever is picked: a service may send any of
    /// them back.
    pub(super) fn announce_secrets(&self) {
        const NAMES: [&str; 7] = [
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
            "AZURE_CLIENT_SECRET",
            "AZURE_CLIENT_CERTIFICATE_PASSWORD",
            "AZURE_PASSWORD",
            "IDENTITY_HEADER",
            "MSI_SECRET",
            "SYSTEM_ACCESSTOKEN",
        ];
        for name in NAMES {
            if let Some(secret) = self.env(name) {
                self.client.announce(secret);
            }
        }
        for secret in endpoint::secrets(&self.options.environment) {
            self.client.announce(&secret);
        }
    }
}

/// The way out for whoever means another identity than the one that is there in part.
const OTHER: &str = "if another identity is meant, name it with `--auth`";
