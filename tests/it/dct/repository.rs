//! Collections as an attacker or a careless owner would make them: any body, signed by whoever a
//! test says.

use acr_sign::format::dct::{
    Key, KeyId, Rejection, RoleName, RootTrust, Seen, TrustedSet, init::NewCollection,
};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::{
    publisher::{NOW, Owner, TestKey, TrustServer, key_text, owner, signed_under, version},
    server::{at, load},
};

/// A delegation as a file lists it.
pub struct Delegated<'a> {
    pub name: &'a str,
    pub keys: Vec<Key>,
    pub threshold: Value,
    pub paths: &'a [&'a str],
}

/// The usual delegation: one signature, any name.
pub fn delegated<'a>(name: &'a str, keys: &[&TestKey]) -> Delegated<'a> {
    Delegated {
        name,
        keys: keys.iter().map(|key| key.listed()).collect(),
        threshold: json!(1),
        paths: &[""],
    }
}

/// The body of a targets file.
pub fn targets(version: u64, tags: &[(&str, &str)], delegations: &[Delegated<'_>]) -> Value {
    let described = |content: &str| json!({ "hashes": { "sha256": BASE64.encode(Sha256::digest(content)) }, "length": 7 });
    let entries: Map<String, Value> = tags
        .iter()
        .map(|(tag, content)| ((*tag).to_owned(), described(content)))
        .collect();
    let all = delegations.iter().flat_map(|delegation| &delegation.keys);
    let keys: Map<String, Value> = all
        .map(|key| (key.key_id().to_string(), listed(key)))
        .collect();
    let role = |delegation: &Delegated<'_>| {
        let ids: Vec<String> = delegation
            .keys
            .iter()
            .map(|key| key.key_id().to_string())
            .collect();
        let (name, threshold, paths) = (delegation.name, &delegation.threshold, delegation.paths);
        json!({ "keyids": ids, "name": name, "paths": paths, "threshold": threshold })
    };
    let roles: Vec<Value> = delegations.iter().map(role).collect();
    json!({
        "_type": "Targets", "delegations": { "keys": keys, "roles": roles },
        "expires": "2029-01-02T03:04:05Z", "targets": entries, "version": version,
    })
}

/// A key as a `keys` member holds it.
pub fn listed(key: &Key) -> Value {
    serde_json::from_str(&key_text(key)).unwrap()
}

/// A root key of that seed, with a certificate for the collection.
pub fn root_key(name: &str, seed: u8, serial: u8) -> Key {
    let owner = Owner {
        root: TestKey::ec(seed),
        targets: TestKey::ec(2),
    };
    let mut server = TrustServer::named(name);
    let new = NewCollection {
        serial: [serial; 16],
        ..server.collection(&owner, &[])
    };
    server.found(new, &[&owner.root, &owner.targets]);
    server.load().root().keys_of(&RoleName::ROOT)[0].clone()
}

impl TrustServer {
    /// A collection with `targets` as given; `targets/alice` and `targets/releases` are signed by
    /// their key.
    pub fn with(delegations: &[Delegated<'_>], tags: &[(&str, &str)]) -> Self {
        let owner = owner();
        let mut server = Self::founded(&owner, &[]);
        server.replace(
            "targets",
            &targets(2, tags, delegations).to_string(),
            &[&owner.targets],
        );
        server
    }

    /// Publishes a file of a delegation.
    pub fn add(&mut self, role: &str, tags: &[(&str, &str)], keys: &[&TestKey]) {
        let next = self
            .server
            .files
            .get(&format!("{role}.json"))
            .map_or(1, |bytes| version(bytes) + 1);
        self.replace(role, &targets(next, tags, &[]).to_string(), keys);
    }

    /// Publishes the next version of a file, as `edit` leaves it.
    pub fn edit(&mut self, role: &str, keys: &[&TestKey], edit: impl FnOnce(&mut Value)) {
        let mut body = self.signed(role);
        body["version"] = json!(body["version"].as_u64().unwrap() + 1);
        edit(&mut body);
        self.replace(role, &body.to_string(), keys);
    }

    /// Publishes a root as it stands here, signed under these IDs.
    pub fn put_root(&mut self, body: &Value, signers: &[(KeyId, &TestKey)]) {
        let bytes = signed_under(&body.to_string(), signers);
        self.store("root", body["version"].as_u64().unwrap(), bytes);
        self.make_snapshot("2030-01-01T00:00:00Z");
        self.make_timestamp();
    }

    /// The body of the next root, whose root role is of these keys.
    pub fn next_root(&self, keys: &[Key], threshold: u64) -> Value {
        let mut body = self.signed("root");
        body["version"] = json!(body["version"].as_u64().unwrap() + 1);
        let ids: Vec<String> = keys.iter().map(|key| key.key_id().to_string()).collect();
        body["roles"]["root"] = json!({ "keyids": ids, "threshold": threshold });
        for key in keys {
            body["keys"][key.key_id().to_string()] = listed(key);
        }
        body
    }

    /// Loads under the pin of the first root, with a memory.
    pub fn load_after(&self, seen: &Seen) -> Result<TrustedSet, Rejection> {
        load(
            &self.server,
            &self.gun,
            RootTrust::Keys(vec![self.pin]),
            Some(seen.clone()),
            at(NOW),
        )
    }

    /// Loads under some trust, at the usual time.
    pub fn load_under(&self, trust: RootTrust) -> Result<TrustedSet, Rejection> {
        load(&self.server, &self.gun, trust, None, at(NOW))
    }
}
