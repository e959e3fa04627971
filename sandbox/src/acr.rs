//! What Azure Container Registry adds: token exchange, and a token service with scopes by role.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use serde_json::{Value, json};

use crate::{
    exchange::{Request, Response},
    registry::error,
    token::Issuer,
};

/// A role on the registry.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Role {
    /// Reads images, metadata and trust data.
    AcrPull,
    /// Reads and writes images.
    AcrPush,
    /// Writes trust data.
    AcrImageSigner,
}

/// The token service of a registry.
#[derive(Debug)]
pub struct Acr {
    host: String,
    tenant: String,
    issuer: Arc<Issuer>,
    roles: Mutex<BTreeMap<String, Vec<Role>>>,
    users: Mutex<BTreeMap<String, String>>,
    anonymous_pull: AtomicBool,
    arm_tokens: AtomicBool,
}

impl Acr {
    pub(crate) fn new(host: &str, tenant: &str, issuer: Arc<Issuer>) -> Self {
        Self {
            host: host.to_owned(),
            tenant: tenant.to_owned(),
            issuer,
            roles: Mutex::default(),
            users: Mutex::default(),
            anonymous_pull: AtomicBool::new(false),
            arm_tokens: AtomicBool::new(true),
        }
    }

    /// Gives a client exactly these roles.
    pub fn grant(&self, client: &str, roles: &[Role]) {
        self.roles
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(client.to_owned(), roles.to_vec());
    }

    /// Adds a user with a password, such as the admin account or a repository-scoped token. Such users can
    /// push and pull, and never touch trust data.
    pub fn add_user(&self, user: &str, password: &str) {
        self.users
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(user.to_owned(), password.to_owned());
    }

    /// Lets anybody pull.
    pub fn set_anonymous_pull(&self, on: bool) {
        self.anonymous_pull.store(on, Ordering::SeqCst);
    }

    /// Whether tokens for Azure Resource Manager are exchanged, too.
    pub fn set_arm_tokens(&self, on: bool) {
        self.arm_tokens.store(on, Ordering::SeqCst);
    }

    /// The refusal, unless the request carries a token that covers the scope.
    pub(crate) fn refuse(
        &self,
        request: &Request,
        scope: Option<(&str, &str)>,
    ) -> Option<Response> {
        let claims = request.bearer().and_then(|token| self.issuer.check(token));
        let claims = claims.filter(|claims| {
            claims["aud"] == self.host.as_str() && claims["grant_type"] == "access_token"
        });
        let granted = match (&claims, scope) {
            (Some(_), None) => true,
            (Some(claims), Some((name, actions))) => actions
                .split(',')
                .all(|action| covers(claims, name, action)),
            (None, _) => self.basic_is_good(request),
        };
        if granted {
            return None;
        }
        let scope = scope
            .map(|(name, actions)| format!(",scope=\"{name}:{actions}\""))
            .unwrap_or_default();
        let wrong = if claims.is_some() {
            ",error=\"insufficient_scope\""
        } else {
            ""
        };
        let challenge = format!(
            "Bearer realm=\"https://{}/oauth2/token\",service=\"{}\"{scope}{wrong}",
            request.authority, self.host
        );
        let body = error(
            401,
            "UNAUTHORIZED",
            "authentication required, visit https://aka.ms/acr/authorization for more information.",
        );
        Some(body.header("www-authenticate", challenge))
    }

    fn basic_is_good(&self, request: &Request) -> bool {
        request
            .basic()
            .is_some_and(|(user, password)| self.user_is(&user, &password))
    }

    fn user_is(&self, user: &str, password: &str) -> bool {
        self.users
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(user)
            .is_some_and(|known| known == password)
    }

    pub(crate) fn oauth2(&self, request: &Request) -> Response {
        match (request.method.as_str(), request.path.as_str()) {
            ("POST", "/oauth2/exchange") => self.exchange(request),
            ("POST", "/oauth2/token") => self.post_token(request),
            ("GET", "/oauth2/token") => self.get_token(request),
            _ => error(404, "UNSUPPORTED", "no such route"),
        }
    }

    fn exchange(&self, request: &Request) -> Response {
        let field = |name| request.field(name).unwrap_or_default();
        let claims = self.issuer.check(&field("access_token"));
        let audience = claims
            .as_ref()
            .and_then(|claims| claims["aud"].as_str())
            .unwrap_or_default()
            .trim_end_matches('/');
        let accepted = match audience {
            "https://containerregistry.azure.net" => true,
            "https://management.azure.com" => self.arm_tokens.load(Ordering::SeqCst),
            _ => false,
        };
        let tenant_fits = claims
            .as_ref()
            .is_some_and(|claims| claims["tid"] == self.tenant.as_str());
        let service_fits = field("service") == self.host || field("service") == request.authority;
        if field("grant_type") != "access_token" || !accepted || !tenant_fits || !service_fits {
            return error(
                401,
                "UNAUTHORIZED",
                "the token is not one that can be exchanged",
            );
        }
        let client = claims
            .map(|claims| claims["appid"].clone())
            .unwrap_or_default();
        let token = self.issuer.issue(json!({"aud": self.host, "iss": "Azure Container Registry", "sub": client, "tenant": self.tenant, "grant_type": "refresh_token"}));
        Response::json(200, &json!({"refresh_token": token}))
    }

    fn post_token(&self, request: &Request) -> Response {
        let field = |name| request.field(name).unwrap_or_default();
        let scopes: Vec<String> = request
            .form()
            .into_iter()
            .filter(|(key, _)| key == "scope")
            .map(|(_, value)| value)
            .collect();
        match field("grant_type").as_str() {
            "refresh_token" => match self.refresh(&field("refresh_token")) {
                Some(client) => self.access(&client, &scopes, false),
                None => error(401, "UNAUTHORIZED", "the refresh token is not valid"),
            },
            "password" => self.with_password(&field("username"), &field("password"), &scopes),
            _ => error(400, "UNSUPPORTED", "grant_type"),
        }
    }

    fn get_token(&self, request: &Request) -> Response {
        let scopes: Vec<String> = request
            .query
            .iter()
            .filter(|(key, _)| key == "scope")
            .map(|(_, value)| value.clone())
            .collect();
        let (user, password) = request.basic().unwrap_or_default();
        self.with_password(&user, &password, &scopes)
    }

    fn with_password(&self, user: &str, password: &str, scopes: &[String]) -> Response {
        if user.is_empty() && password.is_empty() {
            let client = if self.anonymous_pull.load(Ordering::SeqCst) {
                "anonymous"
            } else {
                "nobody"
            };
            return self.access(client, scopes, true);
        }
        if user == "00000000-0000-0000-0000-000000000000"
            && let Some(client) = self.refresh(password)
        {
            return self.access(&client, scopes, false);
        }
        if self.user_is(user, password) {
            self.access(user, scopes, true)
        } else {
            error(401, "UNAUTHORIZED", "user or password is wrong")
        }
    }

    fn refresh(&self, token: &str) -> Option<String> {
        let claims = self.issuer.check(token)?;
        let fits = claims["aud"] == self.host.as_str() && claims["grant_type"] == "refresh_token";
        fits.then(|| claims["sub"].as_str().unwrap_or_default().to_owned())
    }

    /// An access token for as much of the scopes as the client's roles allow; a missing action is no error here.
    fn access(&self, client: &str, scopes: &[String], local: bool) -> Response {
        let access: Vec<Value> = scopes
            .iter()
            .flat_map(|scope| scope.split(' '))
            .filter_map(|scope| {
                let (name, actions) = scope.rsplit_once(':')?;
                let (kind, name) = name.split_once(':')?;
                let actions: Vec<&str> = actions
                    .split(',')
                    .filter(|action| self.may(client, kind, name, action, local))
                    .collect();
                (!actions.is_empty())
                    .then(|| json!({"type": kind, "name": name, "actions": actions}))
            })
            .collect();
        let token = self.issuer.issue(json!({"aud": self.host, "iss": "Azure Container Registry", "sub": client, "grant_type": "access_token", "access": access}));
        Response::json(200, &json!({"access_token": token}))
    }

    fn may(&self, client: &str, kind: &str, name: &str, action: &str, local: bool) -> bool {
        let trust = name.starts_with(&format!("{}/", self.host));
        if local {
            // The admin account and repository-scoped tokens never reach trust data.
            let anonymous = client == "anonymous" || client == "nobody";
            let pull = action == "pull" && (!anonymous || client == "anonymous");
            return if trust {
                client == "anonymous" && action == "pull"
            } else {
                pull || (!anonymous && action != "*")
            };
        }
        let roles = self
            .roles
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(client)
            .cloned()
            .unwrap_or_default();
        let has = |role| roles.contains(&role);
        match (kind, action) {
            ("registry", _) => !roles.is_empty(),
            (_, "pull" | "metadata_read") => has(Role::AcrPull) || has(Role::AcrPush),
            // ACR grants push on a trust name to pushers, and refuses the publishing request itself.
            (_, "push" | "metadata_write") => has(Role::AcrPush),
            (_, "*") => has(Role::AcrImageSigner),
            _ => false,
        }
    }

    /// Whether the bearer of this request may write trust data.
    pub(crate) fn may_sign(&self, request: &Request) -> bool {
        let claims = request.bearer().and_then(|token| self.issuer.check(token));
        let client = claims
            .and_then(|claims| claims["sub"].as_str().map(ToOwned::to_owned))
            .unwrap_or_default();
        let roles = self.roles.lock().unwrap_or_else(PoisonError::into_inner);
        roles
            .get(&client)
            .is_some_and(|roles| roles.contains(&Role::AcrImageSigner))
    }
}

/// Whether the token's claims grant the action on the name.
fn covers(claims: &Value, name: &str, action: &str) -> bool {
    let Some((kind, name)) = name.split_once(':') else {
        return false;
    };
    let entries = claims["access"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    entries.iter().any(|entry| {
        let actions = entry["actions"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        entry["type"] == kind
            && entry["name"] == name
            && actions.iter().any(|granted| granted == action)
    })
}
