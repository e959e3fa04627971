//! Requests to one registry or trust server with the token each needs: answers the 401 challenge, keeps tokens
//! per host and scope, and renews them once when they are refused (G08).

mod exchange;
mod scope;
mod token;

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use http::{StatusCode, header};
use tokio::sync::Mutex;
use url::Url;

use self::{
    scope::{narrower, same_name},
    token::{MARGIN, token_of},
};
use super::{Challenge, Error, Logins, Peer, Principal, login::Login};
use crate::{
    crypto::Secret,
    net::{self, Authorization, Client, Purpose, Redirects, Request, Response},
};

/// A host as requests and tokens name it.
#[derive(Clone, Debug)]
pub(super) struct Host {
    /// The base address.
    pub(super) url: Url,
    /// The registry whose login is used.
    pub(super) registry: Url,
    /// The registry's name in references.
    pub(super) name: String,
}

/// A token is for one host and one scope (G08).
type HostAndScope = (String, String);

/// Tokens and challenges of all hosts.
#[derive(Debug)]
pub(super) struct Session {
    client: Client,
    logins: Arc<Logins>,
    tokens: Mutex<BTreeMap<HostAndScope, Arc<Mutex<CachedToken>>>>,
    /// The registries' own refresh tokens, by registry.
    refresh: Mutex<BTreeMap<String, Secret>>,
    /// When a refresh token was last dropped after a 401, by registry.
    renewed: Mutex<BTreeMap<String, Instant>>,
    /// The Entra identity behind the exchanges.
    principal: Mutex<Option<Principal>>,
}

/// What is known for one host and scope.
#[derive(Debug, Default)]
struct CachedToken {
    /// Answered without a login.
    open: bool,
    challenge: Option<Challenge>,
    token: Option<(Authorization, Instant)>,
    /// When a token was last replaced after a 401.
    renewed: Option<Instant>,
}

impl Session {
    pub(super) fn new(client: Client, logins: Arc<Logins>) -> Self {
        Self {
            client,
            logins,
            tokens: Mutex::default(),
            refresh: Mutex::default(),
            renewed: Mutex::default(),
            principal: Mutex::default(),
        }
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// Who answers, and how it is logged in, for messages.
    pub(super) async fn peer(&self, host: &Host) -> Peer {
        let login = Box::pin(self.login(host)).await;
        let login = login.map_or("none", |login| login.name());
        let principal = match login {
            "entra" => self.principal.lock().await.clone(),
            _ => None,
        };
        let hosts = self.client.hosts();
        Peer {
            host: host.name.clone(),
            acr: hosts
                .cloud_registry_name(&host.registry)
                .map(ToOwned::to_owned),
            login,
            principal,
        }
    }

    /// Sends a request as it is. A host that asks to wait longer than the run may last throttles this login.
    async fn pass(&self, host: &Host, request: &Request) -> Result<Response, Error> {
        match self.client.send(request).await {
            Err(net::Error::Throttled { what, wait, .. }) => Err(Error::Throttled {
                what: format!("{what} (to be asked for again in {} s)", wait.as_secs()),
                peer: Box::new(self.peer(host).await),
                message: None,
            }),
            answer => Ok(answer?),
        }
    }

    /// Sends a request with the token for `scope`; a 401 is answered once by a login or a new token.
    pub(super) async fn send(
        &self,
        host: &Host,
        scope: &str,
        request: Request,
    ) -> Result<Response, Error> {
        // The whole login is in it: without a box it would be a part of every caller's future.
        let response = Box::pin(self.send_with_login(host, scope, request)).await?;
        if response.status == StatusCode::UNAUTHORIZED {
            Box::pin(self.check_for_login(host)).await?;
        }
        Ok(response)
    }

    /// Whoever was refused without a login is told what was looked for, as that is what is missing.
    async fn check_for_login(&self, host: &Host) -> Result<(), Error> {
        match self.login(host).await? {
            Login::Anonymous => self
                .logins
                .had_none(&self.client, &host.registry, &host.name),
            _ => Ok(()),
        }
    }

    async fn send_with_login(
        &self,
        host: &Host,
        scope: &str,
        mut request: Request,
    ) -> Result<Response, Error> {
        let held = self
            .tokens
            .lock()
            .await
            .entry((host.url.to_string(), scope.to_owned()))
            .or_default()
            .clone();
        // The first request of a scope goes alone, so that one challenge and one token serve the others.
        let mut first = held.lock().await;
        if first.open {
            // Open to everyone, as far as we know: nobody needs to wait for anybody.
            drop(first);
            let response = self.pass(host, &request).await?;
            if response.status != StatusCode::UNAUTHORIZED {
                return Ok(response);
            }
            first = held.lock().await;
            first.open = false;
            first.challenge = Some(self.challenge(host, &request, &response)?);
        } else if first.challenge.is_none() {
            let response = self.pass(host, &request).await?;
            if response.status != StatusCode::UNAUTHORIZED {
                first.open = true;
                return Ok(response);
            }
            first.challenge = Some(self.challenge(host, &request, &response)?);
        }
        let authorization = self.authorization(host, scope, &mut first).await?;
        drop(first);
        request.authorization.clone_from(&authorization);
        if authorization.is_some() && request.redirects == Redirects::Https {
            // A redirect would lead where the credential does not go, so the answer there says nothing about the image.
            request.redirects = Redirects::Refuse;
        }
        let response = self.pass(host, &request).await?;
        if response.status != StatusCode::UNAUTHORIZED || authorization.is_none() {
            return Ok(response);
        }
        // The token expired or was revoked: one new one, then the answer stands.
        let mut again = held.lock().await;
        let used = authorization.as_ref();
        if again.token.as_ref().map(|(token, _)| token) == used {
            if again.renewed.is_some_and(is_recent) {
                return Ok(response);
            }
            again.renewed = Some(Instant::now());
            again.token = None;
            self.drop_refresh_token(host).await;
        }
        if let Ok(challenge) = Challenge::of(&response.headers) {
            self.check_realm(host, &request, &challenge)?;
            again.challenge = Some(challenge);
        }
        request.authorization = self.authorization(host, scope, &mut again).await?;
        drop(again);
        self.pass(host, &request).await
    }

    /// The registry refused the token that it gave for its refresh token: the login is exchanged again, once for all
    /// of its requests and not for each that is refused.
    async fn drop_refresh_token(&self, host: &Host) {
        let mut renewed = self.renewed.lock().await;
        if renewed.get(&host.name).copied().is_some_and(is_recent) {
            return;
        }
        renewed.insert(host.name.clone(), Instant::now());
        self.refresh.lock().await.remove(&host.name);
    }

    fn challenge(
        &self,
        host: &Host,
        request: &Request,
        response: &Response,
    ) -> Result<Challenge, Error> {
        let challenge = Challenge::of(&response.headers).map_err(|cause| Error::Challenge {
            what: request.what.clone(),
            host: host.name.clone(),
            cause,
        })?;
        self.check_realm(host, request, &challenge)?;
        Ok(challenge)
    }

    /// Where the challenge sends credentials: decided before a byte goes there.
    fn check_realm(
        &self,
        host: &Host,
        request: &Request,
        challenge: &Challenge,
    ) -> Result<(), Error> {
        let Challenge::Bearer { realm, .. } = challenge else {
            return Ok(());
        };
        let hosts = self.client.hosts();
        let allowed = hosts.check_realm(&host.url, realm).or_else(|refusal| {
            // A trust server of the registry's own may point back to it.
            let trusted = hosts.trust_server_may_get_tokens(&host.registry, &host.url);
            if trusted && hosts.check_realm(&host.registry, realm).is_ok() {
                Ok(())
            } else {
                Err(refusal)
            }
        });
        allowed.map_err(|cause| Error::Host {
            what: request.what.clone(),
            registry: host.name.clone(),
            cause,
        })
    }

    async fn authorization(
        &self,
        host: &Host,
        scope: &str,
        held: &mut CachedToken,
    ) -> Result<Option<Authorization>, Error> {
        if let Some((authorization, end)) = &held.token
            && Instant::now() + MARGIN < *end
        {
            return Ok(Some(authorization.clone()));
        }
        let login = self.login(host).await?;
        let (realm, service, asked) = match (&held.challenge, &login) {
            (
                Some(Challenge::Bearer {
                    realm,
                    service,
                    scope,
                }),
                _,
            ) => (realm.clone(), service.clone(), scope.clone()),
            (Some(Challenge::Basic), Login::Basic { user, password }) => {
                let authorization = Authorization::Basic {
                    user: user.clone(),
                    password: password.clone(),
                };
                return Ok(Some(authorization));
            }
            (Some(Challenge::Basic) | None, _) => return Ok(None),
        };
        let service = service.unwrap_or_else(|| host.name.clone());
        // The challenge's scope is used if it is about the same name; it must not widen what is asked for.
        let scope = asked
            .filter(|asked| same_name(asked, scope))
            .map_or_else(|| scope.to_owned(), |asked| narrower(&asked, scope));
        let response = self.ask(host, &login, &realm, &service, &scope).await?;
        let (token, life) = token_of(&response).ok_or_else(|| Error::NoToken {
            host: host.name.clone(),
        })?;
        self.client.announce(token.expose());
        let authorization = Authorization::Bearer(token);
        held.token = Some((authorization.clone(), Instant::now() + life));
        Ok(Some(authorization))
    }

    /// The login, if this host may see it at all.
    async fn login(&self, host: &Host) -> Result<Login, Error> {
        if !self
            .client
            .hosts()
            .trust_server_may_get_tokens(&host.registry, &host.url)
        {
            return Ok(Login::Anonymous);
        }
        self.logins
            .pick(&self.client, &host.registry, &host.name)
            .await
    }

    async fn ask(
        &self,
        host: &Host,
        login: &Login,
        realm: &Url,
        service: &str,
        scope: &str,
    ) -> Result<Response, Error> {
        let what = format!("a token for `{}`", host.name);
        let get = |authorization| {
            let mut url = realm.clone();
            url.query_pairs_mut()
                .append_pair("service", service)
                .append_pair("scope", scope)
                .append_pair("client_id", "acr-sign");
            Request::get(Purpose::Registry, what.clone(), url, 64 << 10)
                .with_authorization(authorization)
        };
        let refresh = |token: &Secret| {
            let form = [
                ("grant_type", "refresh_token"),
                ("service", service),
                ("client_id", "acr-sign"),
                ("scope", scope),
                ("refresh_token", token.expose()),
            ];
            Request::post_form(Purpose::Registry, what.clone(), realm.clone(), &form)
        };
        let request = match login {
            Login::Anonymous => get(None),
            Login::Basic { user, password } => get(Some(Authorization::Basic {
                user: user.clone(),
                password: password.clone(),
            })),
            Login::IdentityToken(token) => refresh(token),
            Login::Entra => refresh(&self.refresh_token(host, realm, service, false).await?),
        };
        let mut response = self.pass(host, &request).await?;
        if response.status == StatusCode::UNAUTHORIZED && matches!(login, Login::Entra) {
            // The registry no longer takes its own refresh token: one new one, from a new identity token.
            let request = refresh(&self.refresh_token(host, realm, service, true).await?);
            response = self.pass(host, &request).await?;
        }
        if response.status.is_success() {
            return Ok(response);
        }
        if response.status == StatusCode::UNAUTHORIZED {
            self.check_for_login(host).await?;
        }
        let writes = scope.contains("push");
        Err(self.refusal(host, request.what, &response, writes).await)
    }
}

/// How long a login that was renewed after a 401 is not renewed for another one: what is refused with a token as new as
/// this is refused for lack of a permission.
const RECENT: Duration = Duration::from_secs(600);

fn is_recent(time: Instant) -> bool {
    time.elapsed() < RECENT
}

/// `Cache-Control: no-cache`, for files that proxies keep for minutes.
pub(super) fn fresh(request: Request) -> Request {
    request.with_header(header::CACHE_CONTROL, "no-cache")
}
