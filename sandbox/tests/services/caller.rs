//! A client that trusts the sandbox's CA and connects to it for every name; it follows no redirect.

use std::net::SocketAddr;

use acr_sandbox::{Options, Sandbox};
use reqwest::{Client, Method, Response, StatusCode};
use serde_json::Value;

/// The registry.
pub(crate) const REGISTRY: &str = "https://contoso.azurecr.io";
/// The vault.
pub(crate) const VAULT: &str = "https://contoso.vault.azure.net";
/// The user of the registry.
const USER: (&str, &str) = ("shop", "sandbox-user-password");

/// A sandbox and its client.
pub(crate) struct Caller {
    pub(crate) sandbox: Sandbox,
    http: Client,
    client_id: String,
}

impl Caller {
    pub(crate) fn new() -> Self {
        // Every test does so; the first one has its way.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let options = Options::default();
        let client_id = options.client.clone();
        let sandbox = Sandbox::start(options).unwrap();
        sandbox.acr().add_user(USER.0, USER.1);
        let ca =
            reqwest::Certificate::from_pem(&std::fs::read(sandbox.ca_file()).unwrap()).unwrap();
        let mut http = Client::builder()
            .tls_certs_only([ca])
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy();
        for entry in sandbox.connect_to() {
            let (name, address) = entry.split_once('=').unwrap();
            http = http.resolve(name, address.parse::<SocketAddr>().unwrap());
        }
        Self {
            sandbox,
            http: http.build().unwrap(),
            client_id,
        }
    }

    /// An answer and its body, read to the end.
    pub(crate) async fn ask(
        &self,
        method: Method,
        url: &str,
        bearer: Option<&str>,
        body: &str,
    ) -> reqwest::Result<Answer> {
        let mut request = self.http.request(method, url).body(body.to_owned());
        if let Some(bearer) = bearer {
            request = request.bearer_auth(bearer);
        }
        Answer::read(request.send().await?).await
    }

    pub(crate) async fn get(&self, url: &str, bearer: &str) -> Answer {
        self.ask(Method::GET, url, Some(bearer), "").await.unwrap()
    }

    /// A registry token for these scopes, by the whole exchange.
    pub(crate) async fn registry_token(&self, scopes: &str) -> String {
        let entra = self
            .sandbox
            .entra()
            .access_token(&self.client_id, "https://containerregistry.azure.net");
        let form =
            format!("grant_type=access_token&service=contoso.azurecr.io&access_token={entra}");
        let exchanged = self
            .form(&format!("{REGISTRY}/oauth2/exchange"), form)
            .await;
        let refresh = exchanged.json()["refresh_token"]
            .as_str()
            .unwrap()
            .to_owned();
        let form = format!(
            "grant_type=refresh_token&service=contoso.azurecr.io&scope={scopes}&refresh_token={refresh}"
        );
        let granted = self.form(&format!("{REGISTRY}/oauth2/token"), form).await;
        granted.json()["access_token"].as_str().unwrap().to_owned()
    }

    /// A token for the vault.
    pub(crate) fn vault_token(&self) -> String {
        self.sandbox
            .entra()
            .access_token(&self.client_id, "https://vault.azure.net")
    }

    async fn form(&self, url: &str, form: String) -> Answer {
        let request = self
            .http
            .post(url)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form);
        Answer::read(request.send().await.unwrap()).await.unwrap()
    }
}

/// An answer, read to the end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    headers: reqwest::header::HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    async fn read(mut response: Response) -> reqwest::Result<Self> {
        let (status, headers) = (response.status(), response.headers().clone());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            body.extend_from_slice(&chunk);
        }
        Ok(Self {
            status,
            headers,
            body,
        })
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The address of the next page, as `Link` names it: relative.
    pub(crate) fn next(&self) -> Option<&str> {
        let (address, relation) = self.header("link")?.split_once('>')?;
        assert_eq!(relation, "; rel=\"next\"");
        address.strip_prefix('<')
    }
}
