//! What is fuzzed: each parser of foreign bytes, with what must hold of every input. Plain
//! functions, so that `cargo test` runs them over the seeds.

#![allow(
    dead_code,
    reason = "each target is a program of its own, which runs one of them"
)]

use std::sync::OnceLock;

use acr_sign::{
    format::{
        dct::{
            Memory, RoleName, RootStep, RootTrust, RootWalk, TrustedSet,
            canonical::{canonical as canonical_form, go_form},
            lookup,
        },
        json::{InvalidJson, parse_exact},
    },
    keys,
    manifests::{Options, Parameters, pin, read},
    oci::{Reference, Repository},
    registry::Challenge,
};
use serde_json::{Value, json};

use self::collection::{Collection, described};

#[path = "../benches/collection/mod.rs"]
pub mod collection;
#[path = "notation.rs"]
pub mod notation;

/// Canonical JSON: no panic, its own fixed point, and never another reading than `serde_json`'s.
pub fn canonical(bytes: &[u8]) {
    let theirs = serde_json::from_slice::<Value>(bytes);
    match parse_exact(bytes) {
        Ok(value) => {
            let once = canonical_form(&value);
            let raw = once.iter().any(|byte| *byte < 0x20);
            if !raw {
                // A control character stands in a string as it is, which is no JSON any more.
                assert_eq!(
                    parse_exact(&once).map(|again| canonical_form(&again)),
                    Ok(once.clone())
                );
                assert_eq!(
                    parse_exact(&go_form(&value)).map(|again| canonical_form(&again)),
                    Ok(once.clone())
                );
                let reread: Value = serde_json::from_slice(&once).expect("canonical JSON is JSON");
                assert_eq!(
                    as_floats(reread),
                    as_floats(theirs.as_ref().expect("what we read is JSON").clone())
                );
            }
            assert!(theirs.is_ok());
        }
        // Ours alone: what two readers could take for different things, and what is bounded.
        Err(
            InvalidJson::Duplicate(_)
            | InvalidJson::Number(_)
            | InvalidJson::NotAnObject
            | InvalidJson::Depth
            | InvalidJson::Values,
        ) => {}
        Err(InvalidJson::Syntax(_) | InvalidJson::Utf8(_)) => assert!(theirs.is_err()),
    }
}

/// `1.0` and `1` are one number.
fn as_floats(value: Value) -> Value {
    match value {
        Value::Number(number) => json!(number.as_f64()),
        Value::Array(list) => list.into_iter().map(as_floats).collect(),
        Value::Object(members) => members
            .into_iter()
            .map(|(name, value)| (name, as_floats(value)))
            .collect(),
        other => other,
    }
}

/// The memory between runs: no panic, and what is read is written so that it is read as the same.
pub fn memory(bytes: &[u8]) {
    if let Ok(memory) = Memory::parse(bytes) {
        let text = memory.to_json().expect("what was read fits");
        assert_eq!(
            Memory::parse(text.as_bytes()).expect("our own form"),
            memory
        );
    }
}

/// A small collection of our own, made once.
fn known() -> Option<&'static Collection> {
    static KNOWN: OnceLock<Option<Collection>> = OnceLock::new();
    KNOWN.get_or_init(|| Collection::new(3)).as_ref()
}

fn root() -> Option<TrustedSet> {
    let known = known()?;
    let mut walk = RootWalk::new(
        known.gun.clone(),
        RootTrust::Keys(vec![known.pin]),
        None,
        known.now,
    );
    match walk.offer(known.files.get("root")?).ok()? {
        RootStep::Trusted(set) => Some(*set),
        RootStep::Fetch(_) => None,
    }
}

/// A role document: the first byte says of which role. It is vouched for by a rightly signed
/// snapshot and timestamp, so that nothing but its own content is in its way.
pub fn role(bytes: &[u8]) {
    let (Some((which, file)), Some(known)) = (bytes.split_first(), known()) else {
        return;
    };
    match which % 4 {
        0 => {
            let trusts = [RootTrust::FirstUse, RootTrust::Keys(vec![known.pin])];
            for trust in trusts {
                let genuine = known.files.get("root").is_some_and(|root| root == file);
                let result = RootWalk::new(known.gun.clone(), trust, None, known.now).offer(file);
                assert!(!genuine || matches!(result, Ok(RootStep::Trusted(_))));
            }
        }
        1 => {
            let _ = root().map(|mut set| set.update_timestamp(file));
        }
        2 => drop(snapshot(known, file)),
        _ => {
            let listed = json!({
                "_type": "Snapshot", "expires": "2029-01-01T00:00:00Z", "version": 7,
                "meta": { "root": described(known.files.get("root").map_or(&[], Vec::as_slice)), "targets": described(file) },
            });
            let Some(mut set) = known
                .signed(&listed)
                .and_then(|bytes| snapshot(known, &bytes))
            else {
                return;
            };
            if set.update_targets(file).is_ok() {
                // Signed by the key of `targets`, so the genuine file up to its spelling.
                assert!(lookup::pull(&set, "v1.0").is_ok());
                assert!(lookup::pull(&set, "evil").is_err());
            }
        }
    }
}

/// The set after a snapshot that the timestamp vouches for.
fn snapshot(known: &Collection, file: &[u8]) -> Option<TrustedSet> {
    let stamp = json!({
        "_type": "Timestamp", "expires": "2029-01-01T00:00:00Z", "version": 7, "meta": { "snapshot": described(file) },
    });
    let mut set = root()?;
    set.update_timestamp(&known.signed(&stamp)?).ok()?;
    set.update_snapshot(file).ok()?;
    Some(set)
}

/// Every file that a server could show, in the order that a client asks for them, parted by zero
/// bytes.
pub fn walk(bytes: &[u8]) {
    let Some(known) = known() else { return };
    for trust in [RootTrust::Keys(vec![known.pin]), RootTrust::FirstUse] {
        let mut files = bytes.split(|byte| *byte == 0);
        let mut walk = RootWalk::new(known.gun.clone(), trust, None, known.now);
        let mut offered = 0_u64;
        let set = loop {
            let Some(file) = files.next() else { break None };
            offered += 1;
            match walk.offer(file) {
                Ok(RootStep::Fetch(version)) => assert!(version > 0 && offered <= 257),
                Ok(RootStep::Trusted(set)) => break Some(set),
                Err(_) => break None,
            }
        };
        let Some(mut set) = set else { continue };
        let loaded = files
            .next()
            .is_some_and(|file| set.update_timestamp(file).is_ok())
            && files
                .next()
                .is_some_and(|file| set.update_snapshot(file).is_ok())
            && files
                .next()
                .is_some_and(|file| set.update_targets(file).is_ok());
        if loaded {
            assert!(lookup::pull(&set, "evil").is_err());
            for file in files {
                let _ = set.update_delegation(&RoleName::RELEASES, file);
            }
        }
    }
}

/// `WWW-Authenticate`.
pub fn challenge(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else {
        return;
    };
    if let Ok(Challenge::Bearer { realm, .. }) = Challenge::parse(text) {
        assert!(!realm.scheme().is_empty());
    }
}

/// Names of images: what is read is written so that it is read as the same.
pub fn reference(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else {
        return;
    };
    for read in [Reference::named(text), Reference::familiar(text)]
        .into_iter()
        .flatten()
    {
        assert_eq!(
            Reference::named(&read.to_string()),
            Ok(read.clone()),
            "{text}"
        );
        let host = read.repository.registry().as_str();
        assert!(!host.contains(['@', '/', '\\', ' ']), "{text}");
    }
    if let Ok(repository) = Repository::named(text) {
        assert_eq!(Repository::named(&repository.to_string()), Ok(repository));
    }
}

/// Key files in every form, with and without a passphrase.
pub fn key_file(bytes: &[u8]) {
    let _ = keys::read(bytes, None);
    // Key derivation as slow as a file asks for is not what is fuzzed.
    if bytes.len() < 64 {
        let passphrase = acr_sign::crypto::Secret::new("passphrase".to_owned());
        let _ = keys::read(bytes, Some(&passphrase));
    }
}

/// A manifest of any kind, the first byte says which: no panic, and with digests it names the same
/// images.
pub fn manifest(bytes: &[u8]) {
    let Some((which, text)) = bytes.split_first() else {
        return;
    };
    let Ok(text) = std::str::from_utf8(text) else {
        return;
    };
    let file = if which % 2 == 0 {
        "x.yaml"
    } else {
        "kustomization.yaml"
    };
    let parameters = Parameters::default();
    let options = Options::new(&parameters);
    let Ok(reading) = read(file, text, &options) else {
        return;
    };
    let Ok(digest) = format!("sha256:{}", "0f".repeat(32)).parse::<acr_sign::oci::Digest>() else {
        return;
    };
    let Ok(pinned) = pin(file, text, &options, |_| Some(digest.clone())) else {
        return;
    };
    let again = read(file, &pinned, &options).expect("what was pinned is read again");
    assert_eq!(again.found.len(), reading.found.len());
    assert!(again.found.iter().all(|one| one.image.digest.is_some()));
}
