//! A Key Vault: keys that sign, certificates and secrets, behind the service's challenge and refusals.

mod certificate;
mod key;
mod refusal;
mod version;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use serde_json::{Map, Value, json};
use sha2::Digest as _;

pub use self::{
    key::KeyKind,
    refusal::{CALLER, Denial, Operation},
};
use self::{
    key::PrivateKey,
    refusal::{error, not_found},
    version::Version,
};
use crate::{
    clock::Clock,
    exchange::{Request, Response},
    token::Issuer,
};

/// One vault.
#[derive(Debug)]
pub struct Vault {
    name: String,
    host: String,
    tenant: String,
    issuer: Arc<Issuer>,
    clock: Arc<Clock>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    keys: BTreeMap<String, Vec<Version>>,
    secrets: BTreeMap<String, (String, String, String)>,
    denials: Vec<(Operation, Denial)>,
    resource: Option<String>,
}

impl Vault {
    pub(crate) fn new(host: &str, tenant: &str, issuer: Arc<Issuer>, clock: Arc<Clock>) -> Self {
        let name = host.split('.').next().unwrap_or(host).to_owned();
        Self {
            name,
            host: host.to_owned(),
            tenant: tenant.to_owned(),
            issuer,
            clock,
            state: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Creates a key, or a new version of it; returns the version.
    pub fn create_key(&self, name: &str, kind: KeyKind) -> String {
        self.add(name, PrivateKey::generate(kind), None)
    }

    /// Imports an unencrypted PKCS #8 PEM as a key; returns the version, or `None` if it is no such key.
    pub fn import_pem(&self, name: &str, pem: &str) -> Option<String> {
        Some(self.add(name, PrivateKey::from_pem(pem)?, None))
    }

    /// Creates a self-signed certificate with its key; returns the version.
    pub fn create_certificate(&self, name: &str, kind: KeyKind, subject: &str) -> Option<String> {
        let key = PrivateKey::generate(kind);
        let certificate = certificate::self_signed(&key, subject, 365)?;
        Some(self.add(name, key, Some(certificate)))
    }

    /// Stores a secret.
    pub fn set_secret(&self, name: &str, value: &str, content_type: &str) {
        let entry = (version(), value.to_owned(), content_type.to_owned());
        self.state().secrets.insert(name.to_owned(), entry);
    }

    /// Stores a new unencrypted P-256 key as a PEM secret.
    pub fn create_pem_secret(&self, name: &str) {
        self.set_secret(name, &PrivateKey::new_pem(), "application/x-pem-file");
    }

    /// Refuses an operation from now on.
    pub fn deny(&self, operation: Operation, denial: Denial) {
        self.state().denials.push((operation, denial));
    }

    /// Gives a role on an object, as `az role assignment create` does; false if that changes nothing.
    pub fn assign_role(&self, caller: &str, role: &str, scope: &str) -> bool {
        let names: Vec<String> = self.state().keys.keys().cloned().collect();
        self.lift(caller, |operation, denial| {
            let mut scopes = names
                .iter()
                .map(|name| operation.resource(&self.name, name));
            denial == Denial::Rbac
                && operation.is_granted_by(role)
                && scopes.any(|own| own == scope)
        })
    }

    /// Sets an access policy, such as `keys sign`, as `az keyvault set-policy` does; false if that changes nothing.
    pub fn set_policy(&self, caller: &str, permissions: &[String]) -> bool {
        self.lift(caller, |operation, denial| {
            denial == Denial::AccessPolicy
                && permissions
                    .iter()
                    .any(|permission| operation.is_allowed_by(permission))
        })
    }

    /// Lets the one address in that this sandbox ever sees; false if that changes nothing.
    pub fn allow_address(&self, address: &str) -> bool {
        address == refusal::ADDRESS && self.lift(CALLER.1, |_, denial| denial == Denial::Firewall)
    }

    fn lift(&self, caller: &str, granted: impl Fn(Operation, Denial) -> bool) -> bool {
        let mut state = self.state();
        let before = state.denials.len();
        if caller == CALLER.1 {
            state
                .denials
                .retain(|(operation, denial)| !granted(*operation, *denial));
        }
        state.denials.len() < before
    }

    /// Leaves a certificate as it is between its request and the answer of its authority, or completes it.
    pub fn set_pending(&self, name: &str, pending: bool) {
        for version in self.state().keys.entry(name.to_owned()).or_default() {
            (version.pending, version.enabled) = (pending, !pending);
        }
    }

    /// Enables or disables every version of a key.
    pub fn set_enabled(&self, name: &str, enabled: bool) {
        self.state()
            .keys
            .entry(name.to_owned())
            .or_default()
            .iter_mut()
            .for_each(|version| version.enabled = enabled);
    }

    /// Sets the period of validity of every version of a key, seconds since 1970.
    pub fn set_period(&self, name: &str, not_before: Option<i64>, expires: Option<i64>) {
        for version in self.state().keys.entry(name.to_owned()).or_default() {
            (version.not_before, version.expires) = (not_before, expires);
        }
    }

    /// Names another resource in the challenge, as a hostile host would.
    pub fn challenge_with(&self, resource: &str) {
        self.state().resource = Some(resource.to_owned());
    }

    /// The newest certificate, DER.
    pub fn certificate(&self, name: &str) -> Option<Vec<u8>> {
        self.state().keys.get(name)?.last()?.certificate.clone()
    }

    /// The newest public key, DER.
    pub fn public_key(&self, name: &str) -> Option<Vec<u8>> {
        self.state()
            .keys
            .get(name)?
            .last()
            .map(|version| version.key.spki())
    }

    fn add(&self, name: &str, key: PrivateKey, certificate: Option<Vec<u8>>) -> String {
        let id = version();
        let created = self.clock.now().unix_timestamp();
        let entry = Version {
            id: id.clone(),
            key,
            certificate,
            enabled: true,
            pending: false,
            not_before: None,
            expires: None,
            created,
        };
        self.state()
            .keys
            .entry(name.to_owned())
            .or_default()
            .push(entry);
        id
    }

    pub(crate) fn handle(&self, request: &Request) -> Response {
        if let Some(refusal) = self.unauthorised(request) {
            return refusal;
        }
        if request.query("api-version").is_none() {
            return error(
                400,
                "BadParameter",
                "The api-version query parameter is missing.",
                None,
            );
        }
        let segments: Vec<&str> = request.path.split('/').skip(1).collect();
        match (request.method.as_str(), segments.as_slice()) {
            ("GET", [kind @ ("keys" | "certificates"), name, "versions"]) => {
                self.versions(request, kind, name)
            }
            ("GET", ["keys", name]) => self.key(name, ""),
            ("GET", ["keys", name, version]) => self.key(name, version),
            ("PUT", ["keys", name]) => self.import(name, request),
            ("POST", ["keys", name, "create"]) => self.create(name, request),
            ("POST", ["keys", name, version, "sign"]) => self.sign(name, version, request),
            ("GET", ["certificates", name]) => self.get_certificate(name, ""),
            ("GET", ["certificates", name, version]) => self.get_certificate(name, version),
            ("GET", ["secrets", name]) => self.secret(name, ""),
            ("GET", ["secrets", name, version]) => self.secret(name, version),
            _ => error(404, "NotFound", "no such operation in the sandbox", None),
        }
    }

    /// The challenge, unless the token is one of this tenant for this service.
    fn unauthorised(&self, request: &Request) -> Option<Response> {
        let claims = request.bearer().and_then(|token| self.issuer.check(token));
        let wanted = self.resource();
        let why = match claims {
            None if request.bearer().is_none() => {
                "AKV10000: Request is missing a Bearer or PoP token."
            }
            None => "AKV10000: the token is expired or was not issued here.",
            Some(claims) if claims["tid"] != self.tenant.as_str() => "AKV10032: Invalid issuer.",
            Some(claims)
                if claims["aud"].as_str().map(|aud| aud.trim_end_matches('/')) != Some(wanted) =>
            {
                "AKV10022: Invalid audience."
            }
            Some(_) => return None,
        };
        let state = self.state();
        let resource = state.resource.as_deref().unwrap_or(wanted);
        let challenge = format!(
            r#"Bearer authorization="https://login.microsoftonline.com/{}", resource="{resource}""#,
            self.tenant
        );
        Some(error(401, "Unauthorized", why, None).header("www-authenticate", challenge))
    }

    fn resource(&self) -> &'static str {
        if self.host.ends_with(".managedhsm.azure.net") {
            "https://managedhsm.azure.net"
        } else {
            "https://vault.azure.net"
        }
    }

    fn denied(&self, operation: Operation, name: &str) -> Option<Response> {
        let denials = self.state().denials.clone();
        let (_, denial) = denials
            .into_iter()
            .find(|(denied, _)| *denied == operation)?;
        Some(refusal::denied(
            &self.tenant,
            &self.name,
            operation,
            denial,
            name,
        ))
    }

    fn find(&self, name: &str, version: &str) -> Option<Version> {
        let state = self.state();
        let versions = state.keys.get(name)?;
        if version.is_empty() {
            versions.last().cloned()
        } else {
            versions.iter().find(|one| one.id == version).cloned()
        }
    }

    fn kid(&self, name: &str, version: &str) -> String {
        format!("https://{}/keys/{name}/{version}", self.host)
    }

    fn key(&self, name: &str, version: &str) -> Response {
        if let Some(denied) = self.denied(Operation::KeyGet, name) {
            return denied;
        }
        match self.find(name, version) {
            Some(found) => Response::json(200, &self.bundle(name, &found)),
            None => not_found("Key", "key", name),
        }
    }

    fn bundle(&self, name: &str, version: &Version) -> Value {
        let mut jwk = version.key.jwk();
        jwk["kid"] = json!(self.kid(name, &version.id));
        let mut bundle = json!({"key": jwk, "attributes": attributes(version), "tags": {}});
        if version.certificate.is_some() {
            bundle["managed"] = json!(true);
        }
        bundle
    }

    fn versions(&self, request: &Request, kind: &str, name: &str) -> Response {
        let of_keys = kind == "keys";
        let list = if of_keys {
            Operation::KeyList
        } else {
            Operation::CertificateList
        };
        if let Some(denied) = self.denied(list, name) {
            return denied;
        }
        let page: usize = request
            .query("maxresults")
            .and_then(|text| text.parse().ok())
            .unwrap_or(25);
        let skip: usize = request
            .query("$skiptoken")
            .and_then(|text| text.parse().ok())
            .unwrap_or(0);
        let state = self.state();
        let all = state.keys.get(name).into_iter().flatten();
        let all: Vec<&Version> = all
            .filter(|version| of_keys || version.certificate.is_some())
            .collect();
        if all.is_empty() {
            let title = if of_keys { "Key" } else { "Certificate" };
            return not_found(title, kind.trim_end_matches('s'), name);
        }
        let id = if of_keys { "kid" } else { "id" };
        let entry = |version: &&Version| {
            let url = format!("https://{}/{kind}/{name}/{}", self.host, version.id);
            json!({id: url, "attributes": attributes(version)})
        };
        let value: Vec<Value> = all.iter().skip(skip).take(page).map(entry).collect();
        let next = (skip + page < all.len()).then(|| {
            format!(
                "https://{}/{kind}/{name}/versions?api-version=2025-07-01&$skiptoken={}&maxresults={page}",
                self.host,
                skip + page
            )
        });
        Response::json(200, &json!({"value": value, "nextLink": next}))
    }

    fn import(&self, name: &str, request: &Request) -> Response {
        match PrivateKey::from_jwk(&request.json()["key"]) {
            Some(key) => {
                let version = self.add(name, key, None);
                self.key(name, &version)
            }
            None => error(
                400,
                "BadParameter",
                "Property key is not a private EC or RSA key.",
                None,
            ),
        }
    }

    fn create(&self, name: &str, request: &Request) -> Response {
        let body = request.json();
        let kind = match (
            body["kty"].as_str(),
            body["crv"].as_str(),
            body["key_size"].as_u64(),
        ) {
            (Some("EC" | "EC-HSM"), Some("P-256") | None, _) => KeyKind::P256,
            (Some("EC" | "EC-HSM"), Some("P-384"), _) => KeyKind::P384,
            (Some("EC" | "EC-HSM"), Some("P-521"), _) => KeyKind::P521,
            (Some("RSA" | "RSA-HSM"), _, None | Some(2048)) => KeyKind::Rsa(2048),
            (Some("RSA" | "RSA-HSM"), _, Some(3072)) => KeyKind::Rsa(3072),
            (Some("RSA" | "RSA-HSM"), _, Some(4096)) => KeyKind::Rsa(4096),
            _ => {
                return error(
                    400,
                    "BadParameter",
                    "Property kty, crv or key_size has an invalid value.",
                    None,
                );
            }
        };
        let version = self.create_key(name, kind);
        self.key(name, &version)
    }

    fn sign(&self, name: &str, version: &str, request: &Request) -> Response {
        if let Some(denied) = self.denied(Operation::Sign, name) {
            return denied;
        }
        let Some(found) = self.find(name, version) else {
            return not_found("Key", "key", name);
        };
        if let Some(refusal) = refusal::unusable(&found, self.clock.now().unix_timestamp()) {
            return refusal;
        }
        let body = request.json();
        let digest = body["value"]
            .as_str()
            .and_then(|text| BASE64_URL_SAFE_NO_PAD.decode(text).ok());
        let (Some(algorithm), Some(digest)) = (body["alg"].as_str(), digest) else {
            return error(
                400,
                "BadParameter",
                "Property alg or value is missing.",
                None,
            );
        };
        match found.key.sign(algorithm, &digest) {
            Ok(signature) => {
                let value = BASE64_URL_SAFE_NO_PAD.encode(signature);
                Response::json(
                    200,
                    &json!({"kid": self.kid(name, &found.id), "value": value}),
                )
            }
            Err(text) => error(400, "BadParameter", &text, None),
        }
    }

    fn get_certificate(&self, name: &str, version: &str) -> Response {
        if let Some(denied) = self.denied(Operation::CertificateGet, name) {
            return denied;
        }
        // The service answers an unknown version with the newest one.
        let found = self.find(name, version).or_else(|| self.find(name, ""));
        let Some((found, certificate)) = found.and_then(|found| {
            found
                .certificate
                .clone()
                .map(|certificate| (found, certificate))
        }) else {
            return not_found("Certificate", "certificate", name);
        };
        let id = |kind: &str| format!("https://{}/{kind}/{name}/{}", self.host, found.id);
        let mut policy = Map::new();
        policy.insert(
            "key_props".into(),
            json!({"exportable": false, "kty": "EC", "reuse_key": false}),
        );
        policy.insert(
            "secret_props".into(),
            json!({"contentType": "application/x-pkcs12"}),
        );
        let mut bundle = json!({
                "id": id("certificates"), "kid": id("keys"), "sid": id("secrets"),
                "x5t": BASE64_URL_SAFE_NO_PAD.encode(sha1::Sha1::digest(&certificate)), "cer": BASE64_STANDARD.encode(certificate),
                "attributes": attributes(&found), "policy": policy,
        });
        if let (true, Some(members)) = (found.pending, bundle.as_object_mut()) {
            members.remove("cer");
            members.remove("x5t");
        }
        Response::json(200, &bundle)
    }

    fn secret(&self, name: &str, wanted: &str) -> Response {
        if let Some(denied) = self.denied(Operation::SecretGet, name) {
            return denied;
        }
        let state = self.state();
        match state.secrets.get(name) {
            Some((version, value, content_type)) if wanted.is_empty() || wanted == version => {
                Response::json(
                    200,
                    &json!({
                        "value": value, "contentType": content_type, "attributes": {"enabled": true},
                        "id": format!("https://{}/secrets/{name}/{version}", self.host),
                    }),
                )
            }
            _ => not_found("Secret", "secret", name),
        }
    }
}

fn attributes(version: &Version) -> Value {
    let mut attributes = json!({"enabled": version.enabled, "created": version.created, "updated": version.created, "recoveryLevel": "Recoverable", "recoverableDays": 90});
    if let Some(start) = version.not_before {
        attributes["nbf"] = json!(start);
    }
    if let Some(end) = version.expires {
        attributes["exp"] = json!(end);
    }
    attributes
}

/// 32 hex digits, as versions are.
fn version() -> String {
    let mut bytes = [0; 16];
    let _ = getrandom::fill(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
