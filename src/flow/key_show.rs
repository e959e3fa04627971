//! `key show`: a key as each format sees it. Reads the public part only, unless the key is a local file.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::{
    crypto::{Certificate, KeyKind, PublicKey},
    format::dct::Key,
    report::plain,
};

/// A key, ready to be shown.
#[derive(Debug)]
pub struct KeyView {
    /// The key as named.
    pub name: String,
    /// The public key.
    pub key: PublicKey,
    /// Its certificate, from the vault or given.
    pub certificate: Option<Certificate>,
    /// Whether the private key stays in a vault.
    pub in_vault: bool,
}

impl KeyView {
    /// Why the key cannot sign `dct`, if so.
    fn unsuitable(&self) -> Option<&'static str> {
        match (self.key.kind(), self.in_vault) {
            (KeyKind::EcP384 | KeyKind::EcP521, true) => Some(
                "content trust hashes with SHA-256 on every curve, and a vault signs P-384 with SHA-384 and P-521 with \
                 SHA-512 only: use a P-256 or RSA key",
            ),
            (KeyKind::EcP256 | KeyKind::EcP384 | KeyKind::EcP521 | KeyKind::Rsa { .. } | KeyKind::Ed25519, _) => None,
        }
    }

    /// The key IDs under which metadata may list the key.
    fn ids(&self) -> (String, Option<String>) {
        let bare = Key::from_public_key(&self.key).key_id().to_string();
        let key_type = if matches!(self.key.kind(), KeyKind::Rsa { .. }) { "rsa-x509" } else { "ecdsa-x509" };
        let listed = self
            .certificate
            .as_ref()
            .map(|certificate| Key::new(key_type, certificate.pem().as_bytes()).key_id().to_string());
        (bare, listed)
    }

    /// For programs.
    pub fn json(&self) -> Value {
        let (bare, certified) = self.ids();
        json!({
            "schemaVersion": 1,
            "command": "key show",
            "key": self.name,
            "kind": self.key.kind().to_string(),
            "inVault": self.in_vault,
            "dct": { "keyId": bare, "certificateKeyId": certified, "unsuitable": self.unsuitable() },
            "thumbprint": self.certificate.as_ref().map(Certificate::thumbprint_sha1),
            "publicKey": self.key.pem(),
        })
    }

    /// For people.
    pub fn text(&self) -> String {
        let (bare, certified) = self.ids();
        let mut text = String::new();
        let place = if self.in_vault { "stays in the vault" } else { "local" };
        let _ = writeln!(text, "key           {} ({}, {place})", plain(&self.name), self.key.kind());
        let _ = writeln!(text, "dct key id    {bare}   (bare key; the canonical ID)");
        if let Some(id) = certified {
            let _ = writeln!(text, "dct key id    {id}   (as this certificate)");
        }
        if let Some(why) = self.unsuitable() {
            let _ = writeln!(text, "dct           not usable: {why}");
            let _ = writeln!(
                text,
                "              az keyvault key create --vault-name VAULT --name NAME --kty EC --curve P-256 --ops sign verify"
            );
        }
        if let Some(certificate) = &self.certificate {
            let _ = writeln!(text, "certificate   {}", plain(&certificate.subject()));
            let _ = writeln!(text, "thumbprint    {}", certificate.thumbprint_sha1());
            let _ = writeln!(text, "valid         {} to {}", certificate.not_before(), certificate.not_after());
        }
        text.push_str(&self.key.pem());
        text
    }
}
