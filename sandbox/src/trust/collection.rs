//! The trust data of one repository, and what a publication changes in it: the checks of the real server, in its
//! order.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256, Sha512};
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};

use super::{check, form, refusal::error, server_key::ServerKey};
use crate::exchange::Response;

/// The trust data of one repository.
#[derive(Clone, Debug, Default)]
pub(super) struct Collection {
    /// Every version of every role, oldest first.
    pub(super) files: BTreeMap<String, Vec<Stored>>,
    pub(super) keys: BTreeMap<String, ServerKey>,
    /// Serve any hash with the current file, as a hostile server does.
    pub(super) ignore_hashes: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub(super) version: i64,
    pub(super) bytes: Bytes,
}

impl Collection {
    pub(super) fn current(&self, role: &str) -> Value {
        self.files
            .get(role)
            .and_then(|all| all.last())
            .map(|stored| parse(&stored.bytes))
            .unwrap_or_default()
    }

    fn store(&mut self, role: &str, bytes: Vec<u8>) {
        let version = version(&parse(&bytes));
        self.files.entry(role.to_owned()).or_default().push(Stored {
            version,
            bytes: bytes.into(),
        });
    }

    /// The checks of the real server, in its order; then everything is stored at once.
    pub(super) fn apply(
        &mut self,
        gun: &str,
        mut parts: Vec<(String, Vec<u8>)>,
        now: OffsetDateTime,
    ) -> Result<(), Response> {
        parts.retain(|(role, _)| role != "timestamp");
        let invalid = |(name, message): check::Refusal| {
            error(
                400,
                "INVALID_UPDATE",
                "Update sent by the client is invalid.",
                Some(json!({"Name": name, "Error": {"Msg": message}})),
            )
        };
        for (role, bytes) in &parts {
            if serde_json::from_slice::<Value>(bytes).is_err() {
                return Err(error(
                    400,
                    "MALFORMED_JSON",
                    "JSON sent by the client could not be parsed.",
                    None,
                ));
            }
            let stored = self
                .files
                .get(role)
                .and_then(|all| all.last())
                .map_or(0, |stored| stored.version);
            if version(&parse(bytes)) <= stored {
                return Err(error(
                    400,
                    "VERSION",
                    "A newer version of metadata is already available.",
                    None,
                ));
            }
        }
        let first = !self.files.contains_key("root");
        let sent = |name: &str| {
            parts
                .iter()
                .find(|(role, _)| role == name)
                .map(|(_, bytes)| parse(bytes))
        };
        let root = match sent("root") {
            Some(root) => self.checked_root(gun, root, first, now).map_err(invalid)?,
            None if first => {
                return Err(invalid((
                    "ErrValidation",
                    "no pre-existing root and no root provided in update.".into(),
                )));
            }
            None => self.current("root"),
        };
        let mut documents: BTreeMap<String, Value> = BTreeMap::new();
        let mut roles: Vec<&(String, Vec<u8>)> = parts
            .iter()
            .filter(|(role, _)| role.starts_with("targets"))
            .collect();
        roles.sort_by_key(|(role, _)| role.matches('/').count());
        for (role, bytes) in roles {
            let document = parse(bytes);
            self.check_targets(role, &document, &root, &documents, now)
                .map_err(invalid)?;
            documents.insert(role.clone(), document);
        }
        if first && !documents.contains_key("targets") {
            return Err(invalid(("ErrBadHierarchy", "targets is missing".into())));
        }
        let snapshot_sent = sent("snapshot");
        for (role, bytes) in parts {
            self.store(&role, bytes);
        }
        match snapshot_sent {
            Some(snapshot) => self
                .check_snapshot(&snapshot, &root, now)
                .map_err(invalid)?,
            None => self.make_snapshot(&root, now).map_err(invalid)?,
        }
        self.make_timestamp(&root, now).map_err(invalid)
    }

    fn checked_root(
        &self,
        gun: &str,
        root: Value,
        first: bool,
        now: OffsetDateTime,
    ) -> Result<Value, check::Refusal> {
        let signed = &root["signed"];
        for role in ["root", "targets", "snapshot", "timestamp"] {
            if signed["roles"][role].is_null() {
                return Err((
                    "ErrBadRoot",
                    format!("root type metadata invalid: missing {role} role specification"),
                ));
            }
        }
        check::structure("root", &root, now)?;
        check::root_certificates(&root, gun, now)?;
        check::signatures("root", &root, &signed["keys"], &signed["roles"]["root"])?;
        if !first {
            let old = self.current("root");
            check::signatures(
                "root",
                &root,
                &old["signed"]["keys"],
                &old["signed"]["roles"]["root"],
            )?;
            if version(&root) != version(&old) + 1 {
                return Err((
                    "ErrBadRoot",
                    "the new root's version is not the next one".into(),
                ));
            }
        } else if version(&root) > 2 {
            return Err((
                "ErrBadRoot",
                "the first root's version is neither 1 nor 2".into(),
            ));
        }
        Ok(root)
    }

    fn check_targets(
        &self,
        role: &str,
        document: &Value,
        root: &Value,
        sent: &BTreeMap<String, Value>,
        now: OffsetDateTime,
    ) -> Result<(), check::Refusal> {
        check::structure(role, document, now)?;
        let Some((parent, _)) = role.rsplit_once('/') else {
            return check::signatures(
                role,
                document,
                &root["signed"]["keys"],
                &root["signed"]["roles"]["targets"],
            );
        };
        let parent = sent
            .get(parent)
            .cloned()
            .unwrap_or_else(|| self.current(parent));
        let delegations = &parent["signed"]["delegations"];
        let listed = delegations["roles"]
            .as_array()
            .and_then(|roles| roles.iter().find(|one| one["name"] == role));
        let Some(listed) = listed else {
            return Err(("ErrBadHierarchy", format!("{role} is not delegated")));
        };
        check::signatures(role, document, &delegations["keys"], listed)
    }

    fn check_snapshot(
        &self,
        snapshot: &Value,
        root: &Value,
        now: OffsetDateTime,
    ) -> Result<(), check::Refusal> {
        check::structure("snapshot", snapshot, now)?;
        check::signatures(
            "snapshot",
            snapshot,
            &root["signed"]["keys"],
            &root["signed"]["roles"]["snapshot"],
        )?;
        for (role, meta) in snapshot["signed"]["meta"].as_object().into_iter().flatten() {
            let stored = self.files.get(role).and_then(|all| all.last());
            if stored.is_some_and(|stored| {
                meta["hashes"]["sha256"] != meta_of(&stored.bytes)["hashes"]["sha256"]
            }) {
                return Err((
                    "ErrBadSnapshot",
                    format!("the snapshot's hash of {role} is not that of the file"),
                ));
            }
        }
        Ok(())
    }

    /// A snapshot with the server's key. Its hashes are of the *re-serialised* files.
    fn make_snapshot(&mut self, root: &Value, now: OffsetDateTime) -> Result<(), check::Refusal> {
        let key = self.held("snapshot", root)?;
        let mut meta = serde_json::Map::new();
        for (role, all) in &self.files {
            if role == "root" || role.starts_with("targets") {
                let stored = all
                    .last()
                    .and_then(|stored| form::reserialised(role, &stored.bytes));
                meta.insert(role.clone(), meta_of(&stored.unwrap_or_default()));
            }
        }
        let version = version(&self.current("snapshot")) + 1;
        let signed = json!({"_type": "Snapshot", "expires": ends(now, 3 * 365), "meta": meta, "version": version});
        self.store("snapshot", key.sign(&signed));
        Ok(())
    }

    fn make_timestamp(&mut self, root: &Value, now: OffsetDateTime) -> Result<(), check::Refusal> {
        let key = self.held("timestamp", root)?;
        let snapshot = self
            .files
            .get("snapshot")
            .and_then(|all| all.last())
            .map(|stored| meta_of(&stored.bytes));
        let version = version(&self.current("timestamp")) + 1;
        let signed = json!({"_type": "Timestamp", "expires": ends(now, 14), "meta": {"snapshot": snapshot}, "version": version});
        self.store("timestamp", key.sign(&signed));
        Ok(())
    }

    fn held(&self, role: &str, root: &Value) -> Result<ServerKey, check::Refusal> {
        let listed = root["signed"]["roles"][role]["keyids"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        let key = self
            .keys
            .get(role)
            .filter(|key| listed.iter().any(|id| *id == key.id().as_str()));
        // A notary server names the first key that it lacks.
        let missing = listed.first().and_then(Value::as_str).unwrap_or_default();
        key.cloned()
            .ok_or_else(|| ("ErrBadHierarchy", format!("key {missing} not found")))
    }

    /// Signs an expired timestamp, or an expired snapshot it holds the key for, again.
    pub(super) fn renew(&mut self, now: OffsetDateTime) {
        let root = self.current("root");
        let expired = |document: &Value| {
            let end = document["signed"]["expires"]
                .as_str()
                .and_then(|text| OffsetDateTime::parse(text, &Rfc3339).ok());
            end.is_some_and(|end| end <= now)
        };
        let mut renewed = false;
        if expired(&self.current("snapshot")) {
            renewed = self.make_snapshot(&root, now).is_ok();
        }
        if renewed || expired(&self.current("timestamp")) {
            // A server that cannot renew serves what it has; readers see that it is expired.
            let _ = self.make_timestamp(&root, now);
        }
    }
}

pub(super) fn parse(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap_or_default()
}

pub(super) fn version(document: &Value) -> i64 {
    document["signed"]["version"].as_i64().unwrap_or(0)
}

fn ends(now: OffsetDateTime, days: i64) -> String {
    (now + Duration::days(days))
        .format(&Rfc3339)
        .unwrap_or_default()
}

fn meta_of(bytes: &[u8]) -> Value {
    use base64::{Engine as _, prelude::BASE64_STANDARD};
    json!({
        "hashes": {"sha256": BASE64_STANDARD.encode(Sha256::digest(bytes)), "sha512": BASE64_STANDARD.encode(Sha512::digest(bytes))},
        "length": bytes.len(),
    })
}
