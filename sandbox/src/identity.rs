//! Managed-identity endpoints: App Service's, and IMDS of a virtual machine.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use serde_json::json;

use crate::{
    entra::Entra,
    exchange::{Request, Response},
    token::Issuer,
};

/// The secret header of the App Service endpoint.
pub(crate) const IDENTITY_HEADER: &str = "sandbox-identity-header";

/// Both endpoints, over the same identities.
#[derive(Debug)]
pub struct ManagedIdentity {
    entra: Arc<Entra>,
    issuer: Arc<Issuer>,
    /// Client IDs of the identities assigned; the first one answers when none is named and it is the only one.
    assigned: Mutex<Vec<String>>,
    imds: AtomicBool,
}

impl ManagedIdentity {
    pub(crate) fn new(entra: Arc<Entra>, issuer: Arc<Issuer>, client: &str) -> Self {
        Self {
            entra,
            issuer,
            assigned: Mutex::new(vec![client.to_owned()]),
            imds: AtomicBool::new(true),
        }
    }

    /// Assigns these user-assigned identities; with several, one must be named.
    pub fn assign(&self, clients: &[&str]) {
        *self.assigned.lock().unwrap_or_else(PoisonError::into_inner) =
            clients.iter().map(|&client| client.to_owned()).collect();
    }

    pub(crate) fn app_service(&self, request: &Request) -> Response {
        if request.header("x-identity-header") != Some(IDENTITY_HEADER) {
            return Response::json(
                401,
                &json!({"statusCode": 401, "message": "the identity header is missing or wrong"}),
            );
        }
        self.token(request)
    }

    pub(crate) fn imds(&self, request: &Request) -> Response {
        if !self.imds.load(Ordering::SeqCst) || request.path != "/metadata/identity/oauth2/token" {
            return Response::new(404);
        }
        if request.header("metadata") != Some("true") || request.header("x-forwarded-for").is_some()
        {
            return refused("bad_request_102", "Required metadata header not specified");
        }
        self.token(request)
    }

    fn token(&self, request: &Request) -> Response {
        let Some(resource) = request.query("resource") else {
            return refused("invalid_request", "resource is missing");
        };
        let assigned = self.assigned.lock().unwrap_or_else(PoisonError::into_inner);
        let client = match (request.query("client_id"), assigned.as_slice()) {
            (Some(named), all) if all.iter().any(|one| one == named) => named.to_owned(),
            (None, [only]) => only.clone(),
            (None, [_, ..]) => {
                return refused(
                    "invalid_request",
                    "Multiple user assigned identities exist, please specify the clientId / resourceId of the identity in the token request",
                );
            }
            _ => return refused("invalid_request", "Identity not found"),
        };
        let expires = time::OffsetDateTime::now_utc().unix_timestamp() + self.issuer.life();
        Response::json(
            200,
            &json!({
                "access_token": self.entra.access_token(&client, resource), "client_id": client, "refresh_token": "",
                "expires_in": self.issuer.life().to_string(), "expires_on": expires.to_string(),
                "not_before": "0", "resource": resource, "token_type": "Bearer",
            }),
        )
    }
}

fn refused(error: &str, description: &str) -> Response {
    Response::json(
        400,
        &json!({"error": error, "error_description": description}),
    )
}
