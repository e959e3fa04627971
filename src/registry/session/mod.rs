//! Requests to one registry or trust server with the token each needs: answers the 401 challenge, keeps tokens
//! per host and scope, and renews them once when they are refused (G08).

mod exchange;
mod scope;
mod token;

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use http::{StatusCode, header};
use tokio::sync::Mutex;
use url::Url;

use self::{
    scope::{narrower, same_name},
    token::{MARGIN, token_of},
};
use super::{Challenge, Error, Logins, error::ServerMessage, login::Login};
use crate::{
    crypto::Secret,
    net::{Authorization, Client, Purpose, Redirects, Request, Response},
};

/// A host as requests and tokens name it.
#[derive(Clone, Debug)]
pub(super) struct Host {
    /// The base address.
    pub(super) url: Url,
    /// The registry whose login counts.
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
    refresh: Mutex<BTreeMap<String, Secret>>,
}

/// What is known for one host and scope.
#[derive(Debug, Default)]
struct CachedToken {
    /// Answered without a login.
    open: bool,
    challenge: Option<Challenge>,
    token: Option<(Authorization, Instant)>,
}

impl Session {
    pub(super) fn new(client: Client, logins: Arc<Logins>) -> Self {
        Self {
            client,
            logins,
            tokens: Mutex::default(),
            refresh: Mutex::default(),
        }
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// How the host is logged in, as messages name it.
    pub(super) async fn login_name(&self, host: &Host) -> &'static str {
        self.logins
            .pick(&self.client, &host.registry, &host.name)
            .await
            .map_or("none", |login| login.name())
    }

    /// Sends a request with the token for `scope`; a 401 is answered once by a login or a new token.
    pub(super) async fn send(
        &self,
        host: &Host,
        scope: &str,
        request: Request,
    ) -> Result<Response, Error> {
        let response = self.send_with_login(host, scope, request).await?;
        if response.status == StatusCode::UNAUTHORIZED {
            self.check_for_login(host).await?;
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
            let response = self.client.send(&request).await?;
            if response.status != StatusCode::UNAUTHORIZED {
                return Ok(response);
            }
            first = held.lock().await;
            first.open = false;
            first.challenge = Some(self.challenge(host, &request, &response)?);
        } else if first.challenge.is_none() {
            let response = self.client.send(&request).await?;
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
            // A manifest that is asked for with a credential is not redirected (design §2).
            request.redirects = Redirects::Refuse;
        }
        let response = self.client.send(&request).await?;
        if response.status != StatusCode::UNAUTHORIZED || authorization.is_none() {
            return Ok(response);
        }
        // The token ended, or was taken back: one new one, then the answer stands.
        let mut again = held.lock().await;
        again.token = None;
        self.refresh.lock().await.remove(&host.name);
        if let Some(challenge) = response
            .header("www-authenticate")
            .and_then(|header| Challenge::parse(header).ok())
        {
            self.check_realm(host, &request, &challenge)?;
            again.challenge = Some(challenge);
        }
        request.authorization = self.authorization(host, scope, &mut again).await?;
        drop(again);
        Ok(self.client.send(&request).await?)
    }

    fn challenge(
        &self,
        host: &Host,
        request: &Request,
        response: &Response,
    ) -> Result<Challenge, Error> {
        let header = response.header("www-authenticate").unwrap_or_default();
        let challenge = Challenge::parse(header);
        let challenge = challenge.map_err(|cause| Error::Challenge {
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
        // The challenge's scope counts where it is about the same name; it may not widen what is asked for.
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
        let mut response = self.client.send(&request).await?;
        if response.status == StatusCode::UNAUTHORIZED && matches!(login, Login::Entra) {
            // The registry no longer takes its own refresh token: one new one, from a new identity token.
            let request = refresh(&self.refresh_token(host, realm, service, true).await?);
            response = self.client.send(&request).await?;
        }
        if response.status.is_success() {
            return Ok(response);
        }
        if response.status == StatusCode::UNAUTHORIZED {
            self.check_for_login(host).await?;
        }
        Err(refusal(host, login, request.what, &response))
    }
}

fn refusal(host: &Host, login: &Login, what: String, response: &Response) -> Error {
    let (host, said) = (host.name.clone(), ServerMessage::of(response));
    match response.status {
        StatusCode::UNAUTHORIZED => Error::Unauthorized {
            what,
            host,
            login: login.name().to_owned(),
            said,
        },
        StatusCode::FORBIDDEN => Error::Forbidden { what, host, said },
        StatusCode::TOO_MANY_REQUESTS => Error::Throttled { what, host },
        status => Error::Refused {
            what,
            host,
            status,
            said,
        },
    }
}

/// `Cache-Control: no-cache`, for files that proxies keep for minutes.
pub(super) fn fresh(request: Request) -> Request {
    request.with_header(header::CACHE_CONTROL, "no-cache")
}
