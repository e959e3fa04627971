//! The targets file, of the base role and of every delegation: tags, and who may sign below.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    authority::Authority,
    document::{Members, object},
    file_meta::FileMeta,
    key::Key,
    name::{KeyId, RoleName, Threshold, Version},
    rejection::Rejection,
    root::{key_ids_value, keys_value, read_keys, require_keys, version_value},
    signed::{Header, RoleBody},
};
use crate::{format::json::Value, timestamp::Timestamp};

/// The most delegations that one file may list, and that are loaded from one collection. Each is a
/// file to fetch, of up to 64 MiB; docker makes one for each signer, and a hundred signers of one
/// image are rare.
pub const DELEGATION_LIMIT: usize = 100;

/// The body of a targets file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Targets {
    /// The version.
    pub version: Version,
    /// The expiry.
    pub expires: Timestamp,
    /// What each tag is; `None` is written as `null` and means no tags.
    pub targets: Option<BTreeMap<String, FileMeta>>,
    /// The keys of the delegations; `None` is written as `null`.
    pub delegation_keys: Option<BTreeMap<KeyId, Key>>,
    /// The delegations, in the order of the walk; `None` is written as `null`.
    pub delegations: Option<Vec<Delegation>>,
}

/// Who may sign a role below, and for which names.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Delegation {
    /// The role.
    pub name: RoleName,
    /// The IDs of its keys; `None` is written as `null` and means none.
    pub key_ids: Option<Vec<KeyId>>,
    /// The prefixes of the names that it may sign; none is written as absent.
    pub paths: Vec<String>,
    /// How many distinct keys must sign.
    pub threshold: Threshold,
}

impl Targets {
    /// What `tag` is, whatever the paths of the role allow.
    pub fn target(&self, tag: &str) -> Option<&FileMeta> {
        self.targets.as_ref()?.get(tag)
    }

    /// All tags with what they are, whatever the paths of the role allow.
    pub fn all(&self) -> impl Iterator<Item = (&str, &FileMeta)> {
        self.targets
            .iter()
            .flatten()
            .map(|(tag, meta)| (tag.as_str(), meta))
    }

    /// The delegations in the order of the walk.
    pub fn delegations(&self) -> &[Delegation] {
        self.delegations.as_deref().unwrap_or_default()
    }

    /// The delegation to `role`.
    pub fn delegation(&self, role: &RoleName) -> Option<&Delegation> {
        self.delegations()
            .iter()
            .find(|delegation| delegation.name == *role)
    }

    /// The keys of a delegation, each once however often it is listed (T06).
    pub fn keys_of(&self, delegation: &Delegation) -> Vec<&Key> {
        let mut listed = BTreeSet::new();
        let ids = delegation
            .key_ids
            .iter()
            .flatten()
            .filter(|id| listed.insert(**id));
        ids.filter_map(|id| self.delegation_keys.as_ref()?.get(id))
            .collect()
    }

    /// Who may sign the role of a delegation.
    pub(super) fn authority(&self, delegation: &Delegation) -> Authority {
        Authority::new(
            &delegation.name,
            delegation.threshold,
            self.keys_of(delegation).into_iter().cloned(),
        )
    }

    /// The body as files hold it.
    pub fn value(&self) -> Value {
        object([
            ("_type", Value::String(Self::TYPE.to_owned())),
            (
                "delegations",
                object([
                    (
                        "keys",
                        self.delegation_keys
                            .as_ref()
                            .map_or(Value::Null, keys_value),
                    ),
                    (
                        "roles",
                        self.delegations.as_deref().map_or(Value::Null, roles_value),
                    ),
                ]),
            ),
            ("expires", Value::String(self.expires.to_string())),
            (
                "targets",
                self.targets.as_ref().map_or(Value::Null, targets_value),
            ),
            ("version", version_value(self.version)),
        ])
    }
}

fn targets_value(targets: &BTreeMap<String, FileMeta>) -> Value {
    object(
        targets
            .iter()
            .map(|(tag, meta)| (tag.as_str(), meta.value())),
    )
}

fn roles_value(roles: &[Delegation]) -> Value {
    Value::Array(roles.iter().map(Delegation::value).collect())
}

impl Delegation {
    fn value(&self) -> Value {
        let paths = (!self.paths.is_empty())
            .then(|| Value::Array(self.paths.iter().cloned().map(Value::String).collect()));
        let members = [
            ("keyids", key_ids_value(self.key_ids.as_deref())),
            ("name", Value::String(self.name.to_string())),
            ("threshold", Value::Integer(self.threshold.get().into())),
        ];
        object(
            members
                .into_iter()
                .chain(paths.map(|paths| ("paths", paths))),
        )
    }
}

impl RoleBody for Targets {
    const TYPE: &'static str = "Targets";

    fn read(members: &mut Members<'_>, header: Header) -> Result<Self, Rejection> {
        let role = members.at().role().clone();
        let (delegation_keys, delegations) = match members.optional("delegations") {
            None => (None, None),
            Some(value) => {
                let mut listed = Members::of(value, members.at().member("delegations"))?;
                let keys = read_keys(&mut listed)?;
                let delegations = read_delegations(&role, &mut listed, keys.as_ref())?;
                (keys, delegations)
            }
        };
        let entries = members.entries("targets")?;
        let at = members.at().member("targets");
        let targets = entries
            .map(|entries| {
                entries
                    .into_iter()
                    .map(|(tag, value)| Ok((tag.clone(), FileMeta::read(value, at.member(&tag))?)))
                    .collect::<Result<_, Rejection>>()
            })
            .transpose()?;
        Ok(Self {
            version: header.version,
            expires: header.expires,
            targets,
            delegation_keys,
            delegations,
        })
    }

    fn header(&self) -> Header {
        Header {
            version: self.version,
            expires: self.expires,
        }
    }
}

fn read_delegations(
    role: &RoleName,
    listed: &mut Members<'_>,
    keys: Option<&BTreeMap<KeyId, Key>>,
) -> Result<Option<Vec<Delegation>>, Rejection> {
    let Some(values) = listed.list("roles")? else {
        return Ok(None);
    };
    if values.len() > DELEGATION_LIMIT {
        return Err(Rejection::TooManyDelegations {
            role: role.clone(),
            limit: DELEGATION_LIMIT,
        });
    }
    let none = BTreeMap::new();
    let at = listed.at().member("roles");
    let mut seen = BTreeSet::new();
    let mut delegations = Vec::new();
    for value in values {
        let mut members = Members::of(value, at)?;
        let text = members.text("name")?;
        let child = text
            .parse::<RoleName>()
            .ok()
            .filter(|name| name.parent().as_ref() == Some(role));
        let Some(name) = child else {
            let delegate = text.chars().take(100).collect();
            return Err(Rejection::NotAChild {
                role: role.clone(),
                delegate,
            });
        };
        if !seen.insert(name.clone()) {
            return Err(Rejection::DelegatedTwice {
                role: role.clone(),
                delegate: name,
            });
        }
        let threshold = members.threshold("threshold", &name)?;
        let key_ids = members.key_ids("keyids")?;
        require_keys(role, &name, key_ids.as_deref(), keys.unwrap_or(&none))?;
        let paths = members.texts("paths")?.unwrap_or_default();
        delegations.push(Delegation {
            name,
            key_ids,
            paths,
            threshold,
        });
    }
    Ok(Some(delegations))
}
