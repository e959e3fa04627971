//! A Notary v1 trust server: current, hashed and versioned files, server-held snapshot and timestamp keys, and
//! publication with the checks of the real one, its re-serialisation trap included.

mod check;
mod collection;
mod form;
mod refusal;
mod server_key;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::Bytes;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use self::{
    collection::{Collection, Stored, parse, version},
    refusal::error,
    server_key::ServerKey,
};
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

fn split(path: &str) -> Option<(&str, &str)> {
    path.strip_prefix("/v2/")?.split_once("/_trust/tuf/")
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
