//! A key as role files hold it, with its ID, and the signature methods that fit it.
//!
//! The key decides the algorithm; a signature's `method` must fit the key's type (T02). Nothing is
//! read from the key's bytes before it is needed, so a file full of keys costs nothing; what does
//! not read then is an error and never skipped (T14).

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};

use super::{
    canonical::canonical,
    document::{At, Members, object},
    fault::InvalidRoleKey,
    name::KeyId,
    rejection::Rejection,
};
use crate::{
    crypto::{Certificate, KeyKind, PublicKey, Scheme},
    format::json::Value,
};

/// A key of a role: its type, its public bytes as that type has them, and its ID.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Key {
    key_type: Box<str>,
    public: Box<[u8]>,
    id: KeyId,
}

impl Key {
    /// A key from its type and public bytes.
    pub fn new(key_type: &str, public: &[u8]) -> Self {
        let id = KeyId::of(&canonical(&description(key_type, public)));
        Self {
            key_type: key_type.into(),
            public: public.into(),
            id,
        }
    }

    /// The bare form of a public key.
    pub fn from_public_key(key: &PublicKey) -> Self {
        match key.kind() {
            KeyKind::EcP256 | KeyKind::EcP384 | KeyKind::EcP521 => {
                Self::new("ecdsa", key.spki_der())
            }
            KeyKind::Rsa { .. } => Self::new("rsa", key.spki_der()),
            KeyKind::Ed25519 => Self::new("ed25519", &key.ed25519().unwrap_or_default()),
        }
    }

    /// The ID under which files list the key.
    pub fn key_id(&self) -> KeyId {
        self.id
    }

    /// The ID of the bare key: for a certificate that of its public key, else the key ID.
    pub fn canonical_id(&self) -> KeyId {
        if !self.is_certificate() {
            return self.id;
        }
        self.public_key()
            .map_or(self.id, |key| Self::from_public_key(&key).id)
    }

    /// The key type as the file states it.
    pub fn key_type(&self) -> &str {
        &self.key_type
    }

    /// Whether the key is given as a certificate.
    pub fn is_certificate(&self) -> bool {
        self.key_type.ends_with("-x509")
    }

    /// The certificates, leaf first; empty for a bare key.
    pub fn certificates(&self) -> Result<Vec<Certificate>, InvalidRoleKey> {
        if !self.is_certificate() {
            return Ok(Vec::new());
        }
        let text = str::from_utf8(&self.public).map_err(|_| InvalidRoleKey::NotText)?;
        Ok(Certificate::chain_from_pem(text)?)
    }

    /// The public key, for a certificate that of the leaf.
    pub fn public_key(&self) -> Result<PublicKey, InvalidRoleKey> {
        let key = match &*self.key_type {
            "ecdsa" | "rsa" => PublicKey::from_spki_der(&self.public)?,
            "ed25519" => PublicKey::from_ed25519(&self.public)?,
            "ecdsa-x509" | "rsa-x509" => self.leaf()?.public_key().clone(),
            other => {
                return Err(InvalidRoleKey::UnknownType {
                    key_type: other.to_owned(),
                });
            }
        };
        let fits = match key.kind() {
            KeyKind::EcP256 | KeyKind::EcP384 | KeyKind::EcP521 => {
                self.key_type.starts_with("ecdsa")
            }
            KeyKind::Rsa { .. } => self.key_type.starts_with("rsa"),
            KeyKind::Ed25519 => &*self.key_type == "ed25519",
        };
        if fits {
            Ok(key)
        } else {
            Err(InvalidRoleKey::OtherKind {
                key_type: self.key_type.to_string(),
                kind: key.kind(),
            })
        }
    }

    /// The first certificate, under the rules for keys of every role: dates are not
    /// compared with the clock.
    fn leaf(&self) -> Result<Certificate, InvalidRoleKey> {
        let leaf = self
            .certificates()?
            .into_iter()
            .next()
            .ok_or(InvalidRoleKey::NotText)?;
        if leaf.not_before() > leaf.not_after() {
            return Err(InvalidRoleKey::EmptyPeriod {
                from: leaf.not_before(),
                until: leaf.not_after(),
            });
        }
        if leaf.signed_with_sha1() {
            Err(InvalidRoleKey::Sha1)
        } else {
            Ok(leaf)
        }
    }

    /// The scheme that a signature method means for this key; `None` when the method does not fit
    /// the type (T02).
    pub fn scheme(&self, method: &str) -> Option<Scheme> {
        match (&*self.key_type, &*method.to_ascii_lowercase()) {
            ("ecdsa" | "ecdsa-x509", "ecdsa") => Some(Scheme::EcdsaSha256),
            ("rsa" | "rsa-x509", "rsapss") => Some(Scheme::RsaPssSha256),
            ("rsa" | "rsa-x509", "rsapkcs1v15") => Some(Scheme::RsaPkcs1Sha256),
            ("ed25519", "eddsa") => Some(Scheme::Ed25519),
            _ => None,
        }
    }

    /// The method that writers state for signatures of this key; `None` for an unknown type.
    pub fn method(&self) -> Option<&'static str> {
        match &*self.key_type {
            "ecdsa" | "ecdsa-x509" => Some("ecdsa"),
            "rsa" | "rsa-x509" => Some("rsapss"),
            "ed25519" => Some("eddsa"),
            _ => None,
        }
    }

    /// The key as files hold it.
    pub fn value(&self) -> Value {
        description(&self.key_type, &self.public)
    }

    /// Reads a key of a file.
    pub(super) fn read(value: Value, at: At<'_>) -> Result<Self, Rejection> {
        let mut members = Members::of(value, at)?;
        let key_type = members.text("keytype")?;
        let mut content = members.members("keyval")?;
        Ok(Self::new(&key_type, &content.bytes("public")?))
    }
}

fn description(key_type: &str, public: &[u8]) -> Value {
    object([
        ("keytype", Value::String(key_type.to_owned())),
        (
            "keyval",
            object([
                ("private", Value::Null),
                ("public", Value::String(BASE64.encode(public))),
            ]),
        ),
    ])
}
