//! The root file: which keys sign the four base roles.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    authority::Authority,
    document::{At, Members, object},
    key::Key,
    name::{KeyId, RoleName, Threshold, Version},
    rejection::Rejection,
    signed::{Header, RoleBody},
};
use crate::{format::json::Value, timestamp::Timestamp};

/// The body of a root file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Root {
    /// The version.
    pub version: Version,
    /// The expiry.
    pub expires: Timestamp,
    /// A member without meaning, kept as it is.
    pub consistent_snapshot: bool,
    /// All keys, also those that no role lists any more.
    pub keys: BTreeMap<KeyId, Key>,
    /// The keys and threshold of each base role.
    pub roles: BTreeMap<RoleName, RoleKeys>,
}

/// Which keys sign a base role, and how many must.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RoleKeys {
    /// The IDs; `None` is written as `null` and means none.
    pub key_ids: Option<Vec<KeyId>>,
    /// How many distinct keys must sign.
    pub threshold: Threshold,
}

impl RoleKeys {
    fn value(&self) -> Value {
        object([
            ("keyids", key_ids_value(self.key_ids.as_deref())),
            ("threshold", Value::Integer(self.threshold.get().into())),
        ])
    }
}

impl Root {
    /// The key IDs that `role` lists.
    pub fn key_ids(&self, role: &RoleName) -> &[KeyId] {
        self.roles
            .get(role)
            .and_then(|keys| keys.key_ids.as_deref())
            .unwrap_or_default()
    }

    /// The threshold of `role`, a base role.
    pub fn threshold(&self, role: &RoleName) -> Option<Threshold> {
        self.roles.get(role).map(|keys| keys.threshold)
    }

    /// The keys that `role` lists, each once however often it is listed (T06).
    pub fn keys_of(&self, role: &RoleName) -> Vec<&Key> {
        let mut listed = BTreeSet::new();
        let ids = self.key_ids(role).iter().filter(|id| listed.insert(**id));
        ids.filter_map(|id| self.keys.get(id)).collect()
    }

    /// Who may sign the base role `role`.
    pub(super) fn authority(&self, role: &RoleName) -> Authority {
        let threshold = self.threshold(role).unwrap_or(Threshold::ONE);
        Authority::new(role, threshold, self.keys_of(role).into_iter().cloned())
    }

    /// The body as files hold it.
    pub fn value(&self) -> Value {
        object([
            ("_type", Value::String(Self::TYPE.to_owned())),
            ("consistent_snapshot", Value::Bool(self.consistent_snapshot)),
            ("expires", Value::String(self.expires.to_string())),
            ("keys", keys_value(&self.keys)),
            (
                "roles",
                object(
                    self.roles
                        .iter()
                        .map(|(name, keys)| (name.as_str(), keys.value())),
                ),
            ),
            ("version", version_value(self.version)),
        ])
    }
}

impl RoleBody for Root {
    const TYPE: &'static str = "Root";

    fn read(members: &mut Members<'_>, header: Header) -> Result<Self, Rejection> {
        let keys = read_keys(members)?.unwrap_or_default();
        let mut listed = members.members("roles")?;
        let mut roles = BTreeMap::new();
        for role in RoleName::BASE {
            let Some(value) = listed.optional(role.as_str()) else {
                return Err(Rejection::BaseRoleMissing { missing: role });
            };
            let mut entry = Members::of(value, listed.at().member(role.as_str()))?;
            let threshold = entry.threshold("threshold", &role)?;
            let key_ids = entry.key_ids("keyids")?;
            require_keys(&RoleName::ROOT, &role, key_ids.as_deref(), &keys)?;
            roles.insert(role, RoleKeys { key_ids, threshold });
        }
        let consistent_snapshot = members.flag("consistent_snapshot")?;
        Ok(Self {
            version: header.version,
            expires: header.expires,
            consistent_snapshot,
            keys,
            roles,
        })
    }

    fn header(&self) -> Header {
        Header {
            version: self.version,
            expires: self.expires,
        }
    }
}

/// Reads a `keys` member; each key must be filed under its own ID.
pub(super) fn read_keys(
    members: &mut Members<'_>,
) -> Result<Option<BTreeMap<KeyId, Key>>, Rejection> {
    let Some(entries) = members.entries("keys")? else {
        return Ok(None);
    };
    let at = members.at().member("keys");
    entries
        .into_iter()
        .map(|(text, value)| read_key(&text, value, at.member(&text)))
        .collect::<Result<_, _>>()
        .map(Some)
}

/// One key, filed under its ID.
fn read_key(text: &str, value: Value, at: At<'_>) -> Result<(KeyId, Key), Rejection> {
    let listed = text
        .parse::<KeyId>()
        .map_err(|_| at.malformed_text("filed under a key ID", format!("`{text}`")))?;
    let key = Key::read(value, at)?;
    let computed = key.key_id();
    if computed != listed {
        return Err(Rejection::KeyIdMismatch {
            role: at.role().clone(),
            listed,
            computed,
        });
    }
    Ok((listed, key))
}

/// Every key that a role lists must be there.
pub(super) fn require_keys(
    role: &RoleName,
    delegate: &RoleName,
    listed: Option<&[KeyId]>,
    keys: &BTreeMap<KeyId, Key>,
) -> Result<(), Rejection> {
    match listed
        .unwrap_or_default()
        .iter()
        .find(|id| !keys.contains_key(id))
    {
        None => Ok(()),
        Some(&key_id) => Err(Rejection::KeyMissing {
            role: role.clone(),
            delegate: delegate.clone(),
            key_id,
        }),
    }
}

pub(super) fn keys_value(keys: &BTreeMap<KeyId, Key>) -> Value {
    Value::Object(
        keys.iter()
            .map(|(id, key)| (id.to_string(), key.value()))
            .collect(),
    )
}

pub(super) fn key_ids_value(key_ids: Option<&[KeyId]>) -> Value {
    key_ids.map_or(Value::Null, |ids| {
        Value::Array(ids.iter().map(|id| Value::String(id.to_string())).collect())
    })
}

pub(super) fn version_value(version: Version) -> Value {
    integer(version.get())
}

/// A number that a file holds. Files state at most 2^63 - 1, so nothing is cut.
pub(super) fn integer(number: u64) -> Value {
    Value::Integer(i64::try_from(number).unwrap_or(i64::MAX))
}
