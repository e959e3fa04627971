//! Keys and certificates as a vault describes them: which version, whether it may sign now, and its public part.

use azure_security_keyvault_certificates::models::CertificateAttributes;
use azure_security_keyvault_keys::models::{CurveName, JsonWebKey, KeyAttributes, KeyType};
use time::OffsetDateTime;

use super::VaultError;
use crate::{
    crypto::{Certificate, KeyKind, PublicKey},
    timestamp::Timestamp,
};

/// A key of a vault: its public part, and which version that is.
#[derive(Clone, Debug)]
pub struct VaultKey {
    /// `host/keys/name`, as messages name it.
    pub name: String,
    /// The version.
    pub version: String,
    /// The public key.
    pub key: PublicKey,
    /// Whether it may sign now, and why not.
    pub(super) usable: Result<(), Unusable>,
}

#[derive(Clone, Debug)]
pub(super) enum Unusable {
    Disabled,
    Period(String),
}

/// A certificate of a vault and the version that it shares with its key.
#[derive(Clone, Debug)]
pub struct VaultCertificate {
    /// The leaf.
    pub certificate: Certificate,
    /// Its key, which shares name, version and period: reading it needs no permission on keys.
    pub key: VaultKey,
}

pub(super) fn public_key(name: &str, jwk: &JsonWebKey) -> Result<PublicKey, VaultError> {
    let lacking = || answer_without(name, "a key that lacks a part");
    let unsuitable = |kind: String| VaultError::Unsuitable {
        key: name.to_owned(),
        kind,
        why: "signs nothing that this program makes",
    };
    let parsed = match (&jwk.kty, &jwk.crv) {
        (Some(KeyType::Ec | KeyType::EcHsm), Some(curve)) => {
            let kind = match curve {
                CurveName::P256 => KeyKind::EcP256,
                CurveName::P384 => KeyKind::EcP384,
                CurveName::P521 => KeyKind::EcP521,
                other => return Err(unsuitable(format!("{other:?}"))),
            };
            PublicKey::from_ec_coordinates(
                kind,
                jwk.x.as_deref().ok_or_else(lacking)?,
                jwk.y.as_deref().ok_or_else(lacking)?,
            )
        }
        (Some(KeyType::Rsa | KeyType::RsaHsm), _) => PublicKey::from_rsa_components(
            jwk.n.as_deref().ok_or_else(lacking)?,
            jwk.e.as_deref().ok_or_else(lacking)?,
        ),
        (kind, _) => return Err(unsuitable(format!("{kind:?}"))),
    };
    parsed.map_err(|cause| VaultError::Sdk {
        key: name.to_owned(),
        cause: Box::new(cause),
    })
}

pub(super) fn usable(attributes: &KeyAttributes, now: Timestamp) -> Result<(), Unusable> {
    within(
        attributes.enabled,
        attributes.not_before,
        attributes.expires,
        now,
    )
}

pub(super) fn certificate_usable(
    attributes: &CertificateAttributes,
    now: Timestamp,
) -> Result<(), Unusable> {
    within(
        attributes.enabled,
        attributes.not_before,
        attributes.expires,
        now,
    )
}

fn within(
    enabled: Option<bool>,
    not_before: Option<OffsetDateTime>,
    expires: Option<OffsetDateTime>,
    now: Timestamp,
) -> Result<(), Unusable> {
    if enabled == Some(false) {
        return Err(Unusable::Disabled);
    }
    match (
        not_before.map(Timestamp::from),
        expires.map(Timestamp::from),
    ) {
        (Some(start), _) if now < start => Err(Unusable::Period(format!("from {start}"))),
        (_, Some(end)) if end <= now => Err(Unusable::Period(format!("until {end}"))),
        _ => Ok(()),
    }
}

/// The last part of an ID, if it is a version.
pub(super) fn version_of(id: &str) -> Option<&str> {
    let version = id.rsplit('/').next()?;
    (version.len() == 32 && version.bytes().all(|b| b.is_ascii_hexdigit())).then_some(version)
}

pub(super) fn answer_without(name: &str, what: &str) -> VaultError {
    VaultError::Answer {
        key: name.to_owned(),
        what: what.to_owned(),
    }
}
