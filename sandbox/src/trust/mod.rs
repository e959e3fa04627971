//! A Notary v1 trust server: current, hashed and versioned files, server-held snapshot and timestamp keys, and
//! publication with the checks of the real one, its re-serialisation trap included.

mod check;
mod form;
mod server_key;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::Bytes;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256, Sha512};
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};

use self::server_key::ServerKey;
use crate::{
    clock::Clock,
    exchange::{Request, Response},
    registry::hex,
};

/// A trust server.
#[derive(Debug)]
pub struct TrustServer {
    clock: Arc<Clock>,
    enabled: AtomicBool,
    collections: Mutex<BTreeMap<String, Collection>>,
}

/// The trust data of one repository.
#[derive(Clone, Debug, Default)]
struct Collection {
    /// Every version of every role, oldest first.
    files: BTreeMap<String, Vec<Stored>>,
    keys: BTreeMap<String, ServerKey>,
    /// Serve any hash with the current file, as a hostile server does.
    ignore_hashes: bool,
}

#[derive(Clone, Debug)]
struct Stored {
    version: i64,
    bytes: Bytes,
}

impl TrustServer {
    pub(crate) fn new(clock: Arc<Clock>) -> Self {
        Self {
            clock,
            enabled: AtomicBool::new(true),
            collections: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Collection>> {
        self.collections
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Turns content trust on or off for the whole registry.
    pub fn set_enabled(&self, on: bool) {
        self.enabled.store(on, Ordering::SeqCst);
    }

    /// The current file of a role.
    pub fn current(&self, gun: &str, role: &str) -> Option<Vec<u8>> {
        Some(
            self.lock()
                .get(gun)?
                .files
                .get(role)?
                .last()?
                .bytes
                .to_vec(),
        )
    }

    /// The current version of every role.
    pub fn versions(&self, gun: &str) -> BTreeMap<String, i64> {
        let collections = self.lock();
        let files = collections.get(gun).map(|collection| &collection.files);
        files
            .into_iter()
            .flatten()
            .filter_map(|(role, all)| Some((role.clone(), all.last()?.version)))
            .collect()
    }

    /// Serves exactly these files (role to bytes; older roots as `N.root`), whatever hash is asked for.
    pub fn load(&self, gun: &str, files: impl IntoIterator<Item = (String, Vec<u8>)>) {
        let mut collection = Collection {
            ignore_hashes: true,
            ..Collection::default()
        };
        for (name, bytes) in files {
            let (role, version) = match name.split_once('.') {
                Some((number, role)) if number.bytes().all(|b| b.is_ascii_digit()) => {
                    (role.to_owned(), number.parse().unwrap_or(0))
                }
                _ => (name, i64::MAX),
            };
            collection.files.entry(role).or_default().push(Stored {
                version,
                bytes: bytes.into(),
            });
        }
        collection
            .files
            .values_mut()
            .for_each(|all| all.sort_by_key(|stored| stored.version));
        self.lock().insert(gun.to_owned(), collection);
    }

    /// Puts a file in place of the current one of its role, unchecked.
    pub fn put_raw(&self, gun: &str, role: &str, bytes: &[u8]) {
        let mut collections = self.lock();
        let all = collections
            .entry(gun.to_owned())
            .or_default()
            .files
            .entry(role.to_owned())
            .or_default();
        all.push(Stored {
            version: version(&parse(bytes)),
            bytes: Bytes::copy_from_slice(bytes),
        });
    }

    /// Takes the trust data of a repository away.
    pub fn remove(&self, gun: &str) {
        self.lock().remove(gun);
    }

    /// A copy of everything, to put back later: how a test shows that a server lies about the past.
    pub fn keep(&self) -> impl FnOnce(&Self) + use<> {
        let kept = self.lock().clone();
        move |server: &Self| *server.lock() = kept
    }

    /// GUN, and the actions that a request needs.
    pub(crate) fn scope(request: &Request) -> Option<(String, &'static str)> {
        let (gun, file) = split(&request.path)?;
        let actions = match (request.method.as_str(), file.ends_with(".key")) {
            ("GET", false) => "pull",
            ("GET", true) => "push,pull",
            ("POST", false) => "push,pull",
            _ => "*",
        };
        Some((format!("repository:{gun}"), actions))
    }

    pub(crate) fn handle(&self, request: &Request) -> Response {
        if request.path == "/_notary_server/health" {
            return Response::json(200, &json!({}));
        }
        if !self.enabled.load(Ordering::SeqCst) {
            return error(
                405,
                "UNSUPPORTED",
                "the operation is unsupported: content trust is not enabled",
                None,
            );
        }
        let Some((gun, file)) = split(&request.path) else {
            return not_found();
        };
        match (request.method.as_str(), file) {
            ("GET", file) if file.ends_with(".key") => {
                self.get_key(gun, file.trim_end_matches(".key"), false)
            }
            ("POST", file) if file.ends_with(".key") => {
                self.get_key(gun, file.trim_end_matches(".key"), true)
            }
            ("GET", file) => self.get_file(gun, file),
            ("POST", "") => self.publish(gun, request),
            ("DELETE", "") => {
                self.remove(gun);
                Response::new(200)
            }
            _ => not_found(),
        }
    }

    fn get_key(&self, gun: &str, role: &str, rotate: bool) -> Response {
        if role != "snapshot" && role != "timestamp" {
            return error(
                400,
                "INVALID_ROLE",
                "The role is not one that the server holds keys for.",
                None,
            );
        }
        let mut collections = self.lock();
        let keys = &mut collections.entry(gun.to_owned()).or_default().keys;
        if rotate {
            keys.insert(role.to_owned(), ServerKey::generate());
        }
        let key = keys
            .entry(role.to_owned())
            .or_insert_with(ServerKey::generate);
        Response::json(200, &key.public())
    }

    fn get_file(&self, gun: &str, file: &str) -> Response {
        let Some(name) = file.strip_suffix(".json") else {
            return not_found();
        };
        let now = self.clock.now();
        let mut collections = self.lock();
        let Some(collection) = collections.get_mut(gun) else {
            return not_found();
        };
        let found = match (name.split_once('.'), name.rsplit_once('.')) {
            (Some((number, role)), _) if number.bytes().all(|b| b.is_ascii_digit()) => {
                let wanted: i64 = number.parse().unwrap_or(-1);
                collection
                    .files
                    .get(role)
                    .and_then(|all| all.iter().find(|one| one.version == wanted))
            }
            (_, Some((role, hash))) if collection.ignore_hashes && hash.len() == 64 => {
                collection.files.get(role).and_then(|all| all.last())
            }
            (_, Some((_, hash))) if hash.len() == 64 => collection
                .files
                .values()
                .flatten()
                .find(|one| hex(&Sha256::digest(&one.bytes)) == hash),
            _ => {
                if matches!(name, "timestamp" | "snapshot") && !collection.ignore_hashes {
                    collection.renew(now);
                }
                collection.files.get(name).and_then(|all| all.last())
            }
        };
        match found {
            Some(stored) => Response::new(200)
                .header("content-type", "text/plain")
                .header("cache-control", "public, max-age=300")
                .body(stored.bytes.clone()),
            None => not_found(),
        }
    }

    fn publish(&self, gun: &str, request: &Request) -> Response {
        let Some(parts) = multipart(request) else {
            return error(
                400,
                "MALFORMED_UPLOAD",
                "The body of your request is malformed.",
                None,
            );
        };
        let now = self.clock.now();
        let mut collections = self.lock();
        let mut next = collections.get(gun).cloned().unwrap_or_default();
        match next.apply(gun, parts, now) {
            Ok(()) => {
                collections.insert(gun.to_owned(), next);
                Response::new(200)
            }
            Err(response) => response,
        }
    }
}

impl Collection {
    fn current(&self, role: &str) -> Value {
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
    fn apply(
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
        key.cloned().ok_or_else(|| {
            (
                "ErrBadHierarchy",
                format!("the server does not hold the {role} key that the root names"),
            )
        })
    }

    /// Signs an expired timestamp, or an expired snapshot it holds the key for, again.
    fn renew(&mut self, now: OffsetDateTime) {
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

fn split(path: &str) -> Option<(&str, &str)> {
    path.strip_prefix("/v2/")?.split_once("/_trust/tuf/")
}

fn parse(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap_or_default()
}

fn version(document: &Value) -> i64 {
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

/// The parts of a `multipart/form-data` body: role from the file name, bytes. `None` if the framing is broken.
fn multipart(request: &Request) -> Option<Vec<(String, Vec<u8>)>> {
    let boundary = request
        .header("content-type")?
        .split("boundary=")
        .nth(1)?
        .trim_matches('"')
        .to_owned();
    let delimiter = format!("--{boundary}");
    let mut rest = request.body.strip_prefix(delimiter.as_bytes())?;
    let mut parts = Vec::new();
    loop {
        if rest.starts_with(b"--") {
            return Some(parts);
        }
        rest = rest.strip_prefix(b"\r\n")?;
        let head_end = find(rest, b"\r\n\r\n")?;
        let head = String::from_utf8(rest.get(..head_end)?.to_vec()).ok()?;
        let name = head.split("filename=\"").nth(1)?.split('"').next()?;
        rest = rest.get(head_end + 4..)?;
        let next = format!("\r\n{delimiter}");
        let body_end = find(rest, next.as_bytes())?;
        parts.push((
            name.trim_end_matches(".json").to_owned(),
            rest.get(..body_end)?.to_vec(),
        ));
        rest = rest.get(body_end + next.len()..)?;
    }
}

fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}

fn not_found() -> Response {
    error(
        404,
        "METADATA_NOT_FOUND",
        "You have requested metadata that does not exist.",
        None,
    )
}

#[expect(clippy::needless_pass_by_value, reason = "made for the answer")]
fn error(status: u16, code: &str, message: &str, detail: Option<Value>) -> Response {
    Response::json(
        status,
        &json!({"errors": [{"code": code, "message": message, "detail": detail}]}),
    )
}
