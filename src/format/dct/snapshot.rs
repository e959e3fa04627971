//! The snapshot and timestamp files: the hashes that tie one publication together (T24).

use std::collections::BTreeMap;

use super::{
    document::{Members, object},
    file_meta::FileMeta,
    name::{RoleName, Version},
    rejection::Rejection,
    root::version_value,
    signed::{Header, RoleBody},
};
use crate::{format::json::Value, timestamp::Timestamp};

/// The body of a snapshot file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Snapshot {
    /// The version.
    pub version: Version,
    /// The expiry.
    pub expires: Timestamp,
    /// What root, targets and each published delegation are, by role name.
    pub meta: BTreeMap<String, FileMeta>,
}

impl Snapshot {
    /// What the file of `role` is; `None` when it was never published.
    pub fn meta(&self, role: &RoleName) -> Option<&FileMeta> {
        self.meta.get(role.as_str())
    }

    /// The body as files hold it.
    pub fn value(&self) -> Value {
        object([
            ("_type", Value::String(Self::TYPE.to_owned())),
            ("expires", Value::String(self.expires.to_string())),
            (
                "meta",
                object(
                    self.meta
                        .iter()
                        .map(|(name, meta)| (name.as_str(), meta.value())),
                ),
            ),
            ("version", version_value(self.version)),
        ])
    }
}

impl RoleBody for Snapshot {
    const TYPE: &'static str = "Snapshot";

    fn read(members: &mut Members<'_>, header: Header) -> Result<Self, Rejection> {
        let meta = FileMeta::read_all(members)?;
        for role in [RoleName::ROOT, RoleName::TARGETS] {
            if !meta.contains_key(role.as_str()) {
                return Err(Rejection::HashMissing {
                    role: RoleName::SNAPSHOT,
                    described: role.to_string(),
                });
            }
        }
        Ok(Self {
            version: header.version,
            expires: header.expires,
            meta,
        })
    }

    fn header(&self) -> Header {
        Header {
            version: self.version,
            expires: self.expires,
        }
    }
}

/// The body of a timestamp file. Only the server writes it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TimestampFile {
    /// The version.
    pub version: Version,
    /// The expiry.
    pub expires: Timestamp,
    /// What the snapshot file is.
    pub snapshot: FileMeta,
}

impl RoleBody for TimestampFile {
    const TYPE: &'static str = "Timestamp";

    fn read(members: &mut Members<'_>, header: Header) -> Result<Self, Rejection> {
        let snapshot = FileMeta::read_all(members)?
            .remove(RoleName::SNAPSHOT.as_str())
            .ok_or_else(|| Rejection::HashMissing {
                role: RoleName::TIMESTAMP,
                described: RoleName::SNAPSHOT.to_string(),
            })?;
        Ok(Self {
            version: header.version,
            expires: header.expires,
            snapshot,
        })
    }

    fn header(&self) -> Header {
        Header {
            version: self.version,
            expires: self.expires,
        }
    }
}
