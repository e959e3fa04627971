//! Entra's token endpoint, with the discovery documents that Microsoft's SDKs read first.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use serde_json::{Value, json};

use crate::{
    exchange::{Request, Response},
    token::Issuer,
};

/// What an application or managed identity proves itself with.
#[derive(Clone, Debug)]
pub struct Federation {
    /// The issuer of the assertion.
    pub issuer: String,
    /// Its subject.
    pub subject: String,
    /// Its audience.
    pub audience: String,
}

/// The token service of one tenant.
#[derive(Debug)]
pub struct Entra {
    issuer: Arc<Issuer>,
    tenant: String,
    clients: Mutex<HashMap<String, Client>>,
}

#[derive(Debug, Default)]
struct Client {
    secret: Option<String>,
    federations: Vec<Federation>,
}

impl Entra {
    pub(crate) fn new(issuer: Arc<Issuer>, tenant: &str) -> Self {
        Self {
            issuer,
            tenant: tenant.to_owned(),
            clients: Mutex::default(),
        }
    }

    /// Lets a client prove itself with a secret.
    pub fn set_secret(&self, client: &str, secret: &str) {
        self.with(client, |entry| entry.secret = Some(secret.to_owned()));
    }

    /// Lets a client prove itself with an assertion of another issuer.
    pub fn federate(&self, client: &str, federation: Federation) {
        self.with(client, |entry| entry.federations.push(federation));
    }

    /// Takes all federated credentials of a client away.
    pub fn forget_federations(&self, client: &str) {
        self.with(client, |entry| entry.federations.clear());
    }

    fn with(&self, client: &str, change: impl FnOnce(&mut Client)) {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        change(clients.entry(client.to_owned()).or_default());
    }

    /// An access token for `resource`, as Entra would issue it to `client`.
    pub fn access_token(&self, client: &str, resource: &str) -> String {
        self.issuer.issue(json!({
            "iss": format!("https://sts.windows.net/{}/", self.tenant), "aud": resource, "tid": self.tenant,
            "appid": client, "oid": format!("oid-{client}"), "sub": format!("oid-{client}"), "ver": "1.0",
        }))
    }

    pub(crate) fn handle(&self, request: &Request) -> Response {
        let segments: Vec<&str> = request.path.trim_matches('/').split('/').collect();
        match segments.as_slice() {
            ["common", "discovery", "instance"] => self.instance(request),
            [tenant, "v2.0", ".well-known", "openid-configuration"] => {
                self.configuration(request, tenant)
            }
            [tenant, "oauth2", "v2.0", "token"] if request.method == http::Method::POST => {
                self.token(request, tenant)
            }
            _ => Response::new(404),
        }
    }

    fn configuration(&self, request: &Request, tenant: &str) -> Response {
        let base = format!("https://{}/{tenant}", request.authority);
        Response::json(
            200,
            &json!({
                "token_endpoint": format!("{base}/oauth2/v2.0/token"),
                "authorization_endpoint": format!("{base}/oauth2/v2.0/authorize"),
                "issuer": format!("{base}/v2.0"),
                "jwks_uri": format!("{base}/discovery/v2.0/keys"),
                "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
                "response_types_supported": ["code"], "subject_types_supported": ["pairwise"],
                "tenant_region_scope": "EU", "cloud_instance_name": "microsoftonline.com",
            }),
        )
    }

    fn instance(&self, request: &Request) -> Response {
        Response::json(
            200,
            &json!({
                "tenant_discovery_endpoint": format!("https://{}/{}/v2.0/.well-known/openid-configuration", request.authority, self.tenant),
                "api-version": "1.1",
                "metadata": [{"preferred_network": request.host, "preferred_cache": request.host, "aliases": [request.host]}],
            }),
        )
    }

    fn token(&self, request: &Request, tenant: &str) -> Response {
        let field = |name| request.field(name).unwrap_or_default();
        if tenant != self.tenant {
            return refused(
                400,
                "invalid_request",
                90002,
                &format!("Tenant '{tenant}' not found."),
            );
        }
        let Some(resource) = field("scope")
            .strip_suffix("/.default")
            .map(ToOwned::to_owned)
        else {
            return refused(
                400,
                "invalid_scope",
                1_002_012,
                "The provided value for scope is not valid: it must end in /.default.",
            );
        };
        let client = field("client_id");
        if let Err(refusal) =
            self.proven(&client, &field("client_secret"), &field("client_assertion"))
        {
            return refusal;
        }
        let token = self.access_token(&client, &resource);
        let life = self.issuer.life();
        Response::json(
            200,
            &json!({"token_type": "Bearer", "expires_in": life, "ext_expires_in": life, "access_token": token}),
        )
    }

    fn proven(&self, client: &str, secret: &str, assertion: &str) -> Result<(), Response> {
        let clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(entry) = clients.get(client) else {
            return Err(refused(
                400,
                "unauthorized_client",
                700_016,
                &format!("Application with identifier '{client}' was not found in the directory."),
            ));
        };
        if !secret.is_empty() {
            let good = entry.secret.as_deref() == Some(secret);
            return if good {
                Ok(())
            } else {
                Err(refused(
                    401,
                    "invalid_client",
                    7_000_215,
                    "Invalid client secret provided.",
                ))
            };
        }
        let Some(claims) = self.issuer.check(assertion) else {
            return Err(refused(
                401,
                "invalid_client",
                700_024,
                "Client assertion is not within its valid time range.",
            ));
        };
        let text = |name: &str| claims[name].as_str().unwrap_or_default().to_owned();
        let (issuer, subject, audience) = (text("iss"), text("sub"), text("aud"));
        let known = |one: &Federation| {
            one.issuer == issuer && one.subject == subject && one.audience == audience
        };
        if entry.federations.iter().any(known) {
            return Ok(());
        }
        let message = format!(
            "No matching federated identity record found for presented assertion subject '{subject}'. Please check your \
             federated identity credential Subject, Audience and Issuer against the presented assertion."
        );
        Err(refused(400, "invalid_client", 700_213, &message))
    }
}

fn refused(status: u16, error: &str, code: u32, message: &str) -> Response {
    let body: Value = json!({
        "error": error,
        "error_description": format!("AADSTS{code}: {message} Trace ID: 0\r\nCorrelation ID: 1\r\nTimestamp: 2026-11-01 00:00:00Z"),
        "error_codes": [code], "timestamp": "2026-11-01 00:00:00Z", "trace_id": "0", "correlation_id": "1",
        "error_uri": format!("https://login.microsoftonline.com/error?code={code}"),
    });
    Response::json(status, &body)
}
