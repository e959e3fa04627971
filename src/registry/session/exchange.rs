//! ACR's exchange: an identity's token for the registry's own refresh token.
#![expect(
    clippy::indexing_slicing,
    reason = "into JSON only, where a missing member is null"
)]

use http::StatusCode;
use serde_json::Value;
use url::Url;

use super::{Host, Session, token::principal_of};
use crate::{
    crypto::Secret,
    net::{Purpose, Request},
    registry::Error,
};

/// The scope of ACR's exchange, in every cloud.
const ACR_SCOPE: &str = "https://containerregistry.azure.net/.default";

impl Session {
    /// The registry's refresh token for the Entra identity: asked for once per registry.
    pub(super) async fn refresh_token(
        &self,
        host: &Host,
        realm: &Url,
        service: &str,
        renew: bool,
    ) -> Result<Secret, Error> {
        let mut known = self.refresh.lock().await;
        if let Some(token) = known.get(&host.name).filter(|_| !renew) {
            return Ok(token.clone());
        }
        let hosts = self.client.hosts();
        // A token for Azure Resource Manager opens more than a registry: it goes to Azure's registries only.
        let arm = hosts
            .is_cloud_registry(&host.registry)
            .then(|| hosts.cloud.arm_scope());
        let mut refused = None;
        for scope in std::iter::once(ACR_SCOPE).chain(arm) {
            let entra = self.logins.entra.renewed_token(scope, renew).await;
            let entra = entra.map_err(|cause| Error::Identity {
                host: host.name.clone(),
                cause,
            })?;
            *self.principal.lock().await = principal_of(entra.expose());
            let mut url = realm.clone();
            url.set_path("/oauth2/exchange");
            url.set_query(None);
            let form = [
                ("grant_type", "access_token"),
                ("service", service),
                ("access_token", entra.expose()),
            ];
            let request = Request::post_form(
                Purpose::Registry,
                format!("the login exchange of `{}`", host.name),
                url,
                &form,
            );
            let response = self.pass(host, &request).await?;
            if response.status.is_success() {
                let document: Value = serde_json::from_slice(&response.body).unwrap_or_default();
                let token = document["refresh_token"]
                    .as_str()
                    .filter(|token| !token.is_empty());
                let token = token.ok_or_else(|| Error::NoToken {
                    host: host.name.clone(),
                })?;
                self.client.announce(token);
                let token = Secret::new(token.to_owned());
                known.insert(host.name.clone(), token.clone());
                return Ok(token);
            }
            if refused.is_none() {
                refused = Some(self.refusal(host, request.what, &response, false).await);
            }
            if response.status != StatusCode::UNAUTHORIZED {
                break;
            }
        }
        Err(refused.unwrap_or_else(|| Error::NoToken {
            host: host.name.clone(),
        }))
    }
}
