//! The tokens that the sandbox issues and checks: JWTs signed with one P-256 key.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use p256::ecdsa::{
    Signature, SigningKey, VerifyingKey, signature::Signer as _, signature::Verifier as _,
};
use serde_json::{Value, json};

use crate::clock::Clock;

/// Issues and checks tokens.
#[derive(Debug)]
pub struct Issuer {
    key: SigningKey,
    clock: Arc<Clock>,
    serial: AtomicU64,
    refused_up_to: AtomicU64,
    life: AtomicI64,
    /// Tokens whose signature was found good: a token comes with every request, and checking it costs more than the rest.
    checked: Mutex<BTreeSet<String>>,
}

impl Issuer {
    pub(crate) fn new(clock: Arc<Clock>) -> Self {
        use p256::elliptic_curve::Generate as _;
        Self {
            key: SigningKey::from(p256::SecretKey::generate()),
            clock,
            serial: AtomicU64::new(1),
            refused_up_to: AtomicU64::new(0),
            life: AtomicI64::new(3599),
            checked: Mutex::default(),
        }
    }

    /// How many seconds tokens issued from now on are valid.
    pub fn set_life(&self, seconds: i64) {
        self.life.store(seconds, Ordering::SeqCst);
    }

    /// How many seconds tokens are valid.
    pub fn life(&self) -> i64 {
        self.life.load(Ordering::SeqCst)
    }

    /// Refuses every token issued so far.
    pub fn refuse_issued(&self) {
        self.refused_up_to
            .store(self.serial.load(Ordering::SeqCst), Ordering::SeqCst);
    }

    /// A token with these claims, valid from now for the set life.
    pub fn issue(&self, mut claims: Value) -> String {
        let now = self.clock.now().unix_timestamp();
        if let Some(claims) = claims.as_object_mut() {
            claims.insert("iat".into(), json!(now));
            claims.insert("nbf".into(), json!(now - 5));
            claims
                .entry("exp")
                .or_insert_with(|| json!(now + self.life()));
            claims.insert(
                "jti".into(),
                json!(self.serial.fetch_add(1, Ordering::SeqCst) + 1),
            );
        }
        let head = BASE64_URL_SAFE_NO_PAD
            .encode(json!({"typ": "JWT", "alg": "ES256", "kid": "sandbox"}).to_string());
        let body = BASE64_URL_SAFE_NO_PAD.encode(claims.to_string());
        let message = format!("{head}.{body}");
        let signature: Signature = self.key.sign(message.as_bytes());
        format!(
            "{message}.{}",
            BASE64_URL_SAFE_NO_PAD.encode(signature.to_bytes())
        )
    }

    /// The claims, if the token is ours, in its time, and not refused.
    pub fn check(&self, token: &str) -> Option<Value> {
        let (message, signature) = token.rsplit_once('.')?;
        let mut checked = self.checked.lock().unwrap_or_else(PoisonError::into_inner);
        if !checked.contains(token) {
            let signature =
                Signature::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(signature).ok()?).ok()?;
            VerifyingKey::from(&self.key)
                .verify(message.as_bytes(), &signature)
                .ok()?;
            checked.insert(token.to_owned());
        }
        let (_, body) = message.split_once('.')?;
        let claims: Value =
            serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(body).ok()?).ok()?;
        let now = self.clock.now().unix_timestamp();
        let in_time = claims["nbf"].as_i64()? <= now && now < claims["exp"].as_i64()?;
        let refused = claims["jti"].as_u64()? <= self.refused_up_to.load(Ordering::SeqCst);
        (in_time && !refused).then_some(claims)
    }
}
