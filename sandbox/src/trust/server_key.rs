//! The keys that a trust server holds: P-256, one per collection and role.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use p256::{
    ecdsa::{Signature, SigningKey, signature::Signer as _},
    elliptic_curve::Generate as _,
    pkcs8::EncodePublicKey as _,
};
use serde_json::{Value, json};

use super::{
    check::key_id,
    form::{canonical, go_form},
};

/// A key of the server.
#[derive(Clone)]
pub(super) struct ServerKey(p256::SecretKey);

impl ServerKey {
    pub(super) fn generate() -> Self {
        Self(p256::SecretKey::generate())
    }

    /// The key object, as `.key` answers it.
    pub(super) fn public(&self) -> Value {
        let spki = self
            .0
            .public_key()
            .to_public_key_der()
            .map(|der| der.as_bytes().to_vec())
            .unwrap_or_default();
        json!({"keytype": "ecdsa", "keyval": {"public": BASE64_STANDARD.encode(spki), "private": null}})
    }

    /// The key ID.
    pub(super) fn id(&self) -> String {
        key_id(&self.public()).unwrap_or_default()
    }

    /// A whole file around these signed members.
    pub(super) fn sign(&self, signed: &Value) -> Vec<u8> {
        let signature: Signature =
            SigningKey::from(&self.0).sign(canonical(signed).unwrap_or_default().as_bytes());
        let signature = BASE64_STANDARD.encode(signature.to_bytes());
        let signed = go_form(signed).unwrap_or_default();
        format!(
            r#"{{"signed":{signed},"signatures":[{{"keyid":"{}","method":"ecdsa","sig":"{signature}"}}]}}"#,
            self.id()
        )
        .into_bytes()
    }
}

impl std::fmt::Debug for ServerKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ServerKey({})", self.id())
    }
}
