//! `key show`: a key as each format sees it. Reads the public part only, unless the key is a local file.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{Problem, plain};
use crate::{
    crypto::{Certificate, KeyKind, PublicKey},
    format::{
        dct::Key,
        notation::{Algorithm, check_signing_leaf},
    },
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
    /// Why the vault does not sign with this version now, if so.
    pub unusable: Option<Problem>,
    /// The commands that make what serves in its place.
    pub commands: KeyCommands,
}

/// Commands that make a key or a certificate which serves every format, with the names of the vault where they are known.
#[derive(Clone, Debug)]
pub struct KeyCommands {
    /// A key.
    pub key: String,
    /// A certificate, without its policy.
    pub certificate: String,
}

impl KeyView {
    /// Why the key cannot sign `dct`, if so.
    fn unsuitable(&self) -> Option<&'static str> {
        match (self.key.kind(), self.in_vault) {
            (KeyKind::EcP384 | KeyKind::EcP521, true) => Some(
                "content trust hashes with SHA-256 on every curve, and a vault signs P-384 with SHA-384 and P-521 with \
                 SHA-512 only: use a P-256 or RSA key",
            ),
            (
                KeyKind::EcP256
                | KeyKind::EcP384
                | KeyKind::EcP521
                | KeyKind::Rsa { .. }
                | KeyKind::Ed25519,
                _,
            ) => None,
        }
    }

    /// What keeps the key from signing with Notary Project, if anything; then what is missing besides.
    fn notation(&self) -> (Option<String>, Vec<String>) {
        if Algorithm::of(self.key.kind()).is_none() {
            return (
                Some(
                    "use RSA of 2048, 3072 or 4096 bits, or an EC key on P-256, P-384 or P-521"
                        .into(),
                ),
                Vec::new(),
            );
        }
        let Some(certificate) = &self.certificate else {
            return (
                Some(
                    "a Notary Project signature needs a certificate, and this is a bare key".into(),
                ),
                Vec::new(),
            );
        };
        let mut missing = Vec::new();
        if !certificate.is_self_signed() {
            let issuer = certificate.issuer();
            missing.push(format!(
                "issued by `{issuer}`: give its chain with `--certificate-chain`"
            ));
        }
        let subject = certificate.subject();
        if ["C=", "ST=", "O="]
            .iter()
            .any(|name| !subject.split(',').any(|part| part.trim().starts_with(name)))
        {
            missing.push(format!(
                "the subject `{subject}` lacks C, ST or O, which trusted identities name"
            ));
        }
        (
            check_signing_leaf(certificate)
                .err()
                .map(|fault| format!("the certificate {fault}")),
            missing,
        )
    }

    /// The policy of a certificate that can sign, for `az keyvault certificate create --policy`.
    fn certificate_policy(&self) -> Value {
        let (key_type, curve, size) = match self.key.kind() {
            KeyKind::EcP256 | KeyKind::Ed25519 => ("EC", Some("P-256"), None),
            KeyKind::EcP384 => ("EC", Some("P-384"), None),
            KeyKind::EcP521 => ("EC", Some("P-521"), None),
            KeyKind::Rsa {
                bits: bits @ (3072 | 4096),
            } => ("RSA", None, Some(bits)),
            KeyKind::Rsa { .. } => ("RSA", None, Some(2048)),
        };
        json!({
            "issuerParameters": {"name": "Self"},
            "keyProperties": {"curve": curve, "exportable": false, "keySize": size, "keyType": key_type, "reuseKey": true},
            "secretProperties": {"contentType": "application/x-pem-file"},
            "x509CertificateProperties": {
                "ekus": ["1.3.6.1.5.5.7.3.3"], "keyUsage": ["digitalSignature"],
                "subject": "CN=NAME,O=ORGANISATION,ST=STATE,C=US", "validityInMonths": 12,
            },
        })
    }

    /// The key IDs under which metadata may list the key.
    fn ids(&self) -> (String, Option<String>) {
        let bare = Key::from_public_key(&self.key).key_id().to_string();
        let key_type = if matches!(self.key.kind(), KeyKind::Rsa { .. }) {
            "rsa-x509"
        } else {
            "ecdsa-x509"
        };
        let listed = self.certificate.as_ref().map(|certificate| {
            Key::new(key_type, certificate.pem().as_bytes())
                .key_id()
                .to_string()
        });
        (bare, listed)
    }

    /// For programs.
    pub fn json(&self) -> Value {
        let (bare, certified) = self.ids();
        let (unsuitable, missing) = self.notation();
        let policy = unsuitable.as_ref().map(|_| self.certificate_policy());
        json!({
            "schemaVersion": 1,
            "command": "key show",
            "key": self.name,
            "kind": self.key.kind().to_string(),
            "inVault": self.in_vault,
            "dct": { "keyId": bare, "certificateKeyId": certified, "unsuitable": self.unsuitable() },
            "notation": { "unsuitable": unsuitable, "missing": missing, "certificatePolicy": policy },
            "thumbprint": self.certificate.as_ref().map(Certificate::thumbprint_sha1),
            "publicKey": self.key.pem(),
            "unusable": self.unusable.as_ref().map(|problem| json!({
                "reason": problem.reason.code(), "message": problem.message, "hint": problem.hint,
            })),
        })
    }

    /// For people.
    pub fn text(&self) -> String {
        let (bare, certified) = self.ids();
        let mut text = String::new();
        let place = if self.in_vault {
            "stays in the vault"
        } else {
            "local"
        };
        let _ = writeln!(
            text,
            "key           {} ({}, {place})",
            plain(&self.name),
            self.key.kind()
        );
        if let Some(problem) = &self.unusable {
            let _ = writeln!(text, "state         {}", plain(&problem.message));
            if let Some(hint) = &problem.hint {
                let _ = writeln!(text, "              {}", plain(hint));
            }
        }
        let _ = writeln!(text, "dct key id    {bare}   (bare key; the canonical ID)");
        if let Some(id) = certified {
            let _ = writeln!(text, "dct key id    {id}   (as this certificate)");
        }
        if let Some(why) = self.unsuitable() {
            let _ = writeln!(text, "dct           not usable: {why}");
            let _ = writeln!(text, "              {}", self.commands.key);
        }
        if let Some(certificate) = &self.certificate {
            let _ = writeln!(text, "certificate   {}", plain(&certificate.subject()));
            let _ = writeln!(text, "thumbprint    {}", certificate.thumbprint_sha1());
            let _ = writeln!(
                text,
                "valid         {} to {}",
                certificate.not_before(),
                certificate.not_after()
            );
        }
        let (unsuitable, missing) = self.notation();
        match unsuitable {
            None => text.push_str("notation      can sign\n"),
            Some(why) => {
                let _ = writeln!(text, "notation      not usable: {}", plain(&why));
                let _ = writeln!(
                    text,
                    "              {} --policy @policy.json",
                    self.commands.certificate
                );
                let _ = writeln!(
                    text,
                    "              with policy.json: {}",
                    self.certificate_policy()
                );
            }
        }
        for what in missing {
            let _ = writeln!(text, "notation      {}", plain(&what));
        }
        text.push_str(&self.key.pem());
        text
    }
}
