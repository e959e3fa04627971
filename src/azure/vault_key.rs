//! Keys and certificates as a vault describes them: which version, whether it may sign now, and its public part.

use azure_security_keyvault_keys::models::{CurveName, JsonWebKey, KeyType};
use time::OffsetDateTime;

use super::{ObjectId, VaultError, VaultObject};
use crate::{
    crypto::{Certificate, KeyKind, PublicKey},
    timestamp::Timestamp,
};

/// A key of a vault: its public part, and which version that is.
#[derive(Clone, Debug)]
pub struct VaultKey {
    /// Vault, name and version.
    pub object: ObjectId,
    /// The version.
    pub version: String,
    /// The public key.
    pub key: PublicKey,
    /// Whether it may sign now.
    pub(super) state: KeyState,
    /// Whether it was read as a certificate, whose attributes decide.
    pub(super) certified: bool,
}

/// Whether a version may be used now.
#[derive(Clone, Debug)]
pub(super) enum KeyState {
    Usable,
    Disabled,
    Expired { expired: Timestamp, now: Timestamp },
    NotYetValid { start: Timestamp, now: Timestamp },
}

impl VaultKey {
    /// Why the version may not sign now, if so.
    pub fn unusable(&self) -> Option<VaultError> {
        let kind = if self.certified {
            VaultObject::Certificate
        } else {
            VaultObject::Key
        };
        let object = self.object.as_kind(kind);
        match &self.state {
            KeyState::Usable => None,
            KeyState::Disabled => Some(VaultError::Disabled { object }),
            KeyState::Expired { expired, now } => Some(VaultError::Expired {
                object,
                expired: *expired,
                now: *now,
            }),
            KeyState::NotYetValid { start, now } => Some(VaultError::NotYetValid {
                object,
                start: *start,
                now: *now,
            }),
        }
    }
}

/// A certificate of a vault and the version that it shares with its key.
#[derive(Clone, Debug)]
pub struct VaultCertificate {
    /// The leaf.
    pub certificate: Certificate,
    /// Its key, which shares name, version and period: reading it needs no permission on keys.
    pub key: VaultKey,
}

/// The public key out of the vault's JSON Web Key.
pub(super) fn public_key(object: &ObjectId, jwk: &JsonWebKey) -> Result<PublicKey, VaultError> {
    let part = |bytes: &Option<Vec<u8>>| {
        bytes
            .clone()
            .ok_or_else(|| answer(object, "a key that lacks a part"))
    };
    let parsed = match (&jwk.kty, &jwk.crv) {
        (Some(KeyType::Ec | KeyType::EcHsm), Some(curve)) => {
            let kind = match curve {
                CurveName::P256 => KeyKind::EcP256,
                CurveName::P384 => KeyKind::EcP384,
                CurveName::P521 => KeyKind::EcP521,
                other => return Err(unsuitable(object, format!("EC on {other:?}"))),
            };
            PublicKey::from_ec_coordinates(kind, &part(&jwk.x)?, &part(&jwk.y)?)
        }
        (Some(KeyType::Rsa | KeyType::RsaHsm), _) => {
            PublicKey::from_rsa_components(&part(&jwk.n)?, &part(&jwk.e)?)
        }
        (kind, _) => return Err(unsuitable(object, format!("{kind:?}"))),
    };
    parsed.map_err(|cause| VaultError::sdk(object.to_string(), cause))
}

fn unsuitable(object: &ObjectId, kind: String) -> VaultError {
    VaultError::Unsuitable {
        object: object.clone(),
        kind,
        why: "signs nothing that this program makes",
    }
}

/// What the attributes of a version say about its use at a time.
pub(super) fn state(
    enabled: Option<bool>,
    not_before: Option<OffsetDateTime>,
    expires: Option<OffsetDateTime>,
    now: Timestamp,
) -> KeyState {
    if enabled == Some(false) {
        return KeyState::Disabled;
    }
    match (
        not_before.map(Timestamp::from),
        expires.map(Timestamp::from),
    ) {
        (Some(start), _) if now < start => KeyState::NotYetValid {
            start,
            now: now.whole_seconds(),
        },
        (_, Some(expired)) if expired <= now => KeyState::Expired {
            expired,
            now: now.whole_seconds(),
        },
        _ => KeyState::Usable,
    }
}

/// The version that an ID names, where the ID is of this object and of the version that was asked for (K02). An
/// unknown version may be answered with the newest one.
pub(super) fn version_of(
    object: &ObjectId,
    id: Option<&str>,
    of_the_cloud: bool,
) -> Result<String, VaultError> {
    let found = id.and_then(ObjectId::parse);
    let found = found.ok_or_else(|| answer(object, "an ID without a version"))?;
    if !object.is_named_by(&found, of_the_cloud) {
        return Err(answer(object, &format!("another object, `{found}`")));
    }
    let version = found.version.unwrap_or_default();
    if object
        .version
        .as_ref()
        .is_some_and(|asked| *asked != version)
    {
        return Err(answer(object, "another version"));
    }
    Ok(version)
}

/// An answer that is not about what was asked, or lacks a part.
pub(super) fn answer(object: &ObjectId, what: &str) -> VaultError {
    VaultError::Answer {
        object: object.clone(),
        what: what.to_owned(),
    }
}
