//! The token services of the pipeline hosts: GitHub Actions and Azure Pipelines.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::json;

use crate::{
    exchange::{Request, Response},
    token::Issuer,
};

/// GitHub's issuer.
pub const GITHUB_ISSUER: &str = "https://token.actions.githubusercontent.com";
/// The subject of the job's ID token.
pub const GITHUB_SUBJECT: &str = "repo:contoso/shop:ref:refs/heads/main";
/// The bearer of GitHub's request.
pub(crate) const GITHUB_BEARER: &str = "sandbox-github-request-token";
/// Azure Pipelines' issuer.
pub(crate) const PIPELINES_ISSUER: &str =
    "https://vstoken.dev.azure.com/00000000-0000-0000-0000-00000000c0de";
/// The bearer of Azure Pipelines' request.
pub(crate) const PIPELINES_BEARER: &str = "sandbox-system-access-token";

/// Both hosts' token services.
#[derive(Debug)]
pub struct Oidc {
    issuer: Arc<Issuer>,
    github_subject: Mutex<String>,
    /// Service connections that the pipeline may use.
    permitted: Mutex<Vec<String>>,
}

/// The subject of a service connection's ID token.
pub(crate) fn pipelines_subject(connection: &str) -> String {
    format!("sc://contoso/shop/{connection}")
}

impl Oidc {
    pub(crate) fn new(issuer: Arc<Issuer>) -> Self {
        Self {
            issuer,
            github_subject: Mutex::new(GITHUB_SUBJECT.to_owned()),
            permitted: Mutex::new(vec![crate::CONNECTION.to_owned()]),
        }
    }

    /// Sets the subject of GitHub's ID tokens.
    pub fn set_github_subject(&self, subject: &str) {
        let mut own = self
            .github_subject
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        subject.clone_into(&mut own);
    }

    /// Lets the pipeline use these service connections, and no others.
    pub fn permit_connections(&self, connections: &[&str]) {
        *self
            .permitted
            .lock()
            .unwrap_or_else(PoisonError::into_inner) =
            connections.iter().map(|&id| id.to_owned()).collect();
    }

    pub(crate) fn github(&self, request: &Request) -> Response {
        if request.bearer() != Some(GITHUB_BEARER) {
            return Response::json(401, &json!({"message": "bad credentials"}));
        }
        let audience = request
            .query("audience")
            .unwrap_or("https://github.com/contoso");
        let subject = self
            .github_subject
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let token = self
            .issuer
            .issue(json!({"iss": GITHUB_ISSUER, "sub": *subject, "aud": audience, "repository": "contoso/shop"}));
        Response::json(200, &json!({"count": token.len(), "value": token}))
    }

    pub(crate) fn pipelines(&self, request: &Request) -> Response {
        if request.bearer() != Some(PIPELINES_BEARER) {
            // Without this header the host answers with its sign-in page.
            return match request.header("x-tfs-fedauthredirect") {
                Some("Suppress") => Response::new(401),
                _ => Response::new(302)
                    .header("location", "https://login.microsoftonline.com/signin")
                    .body("<html>sign in</html>"),
            };
        }
        let Some(connection) = request.query("serviceConnectionId") else {
            return Response::json(400, &json!({"message": "serviceConnectionId is missing"}));
        };
        if request.method != http::Method::POST {
            return Response::new(405);
        }
        let permitted = self
            .permitted
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if !permitted.iter().any(|id| id == connection) {
            let message = format!(
                "Service connection with ID {connection} does not exist or the job is not authorized to use it."
            );
            return Response::json(
                403,
                &json!({"$id": "1", "message": message, "errorCode": 0}),
            );
        }
        let token = self.issuer.issue(json!({
            "iss": PIPELINES_ISSUER, "sub": pipelines_subject(connection), "aud": "api://AzureADTokenExchange",
        }));
        Response::json(200, &json!({"oidcToken": token}))
    }
}
