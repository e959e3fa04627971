//! Test keys, and a trust server that accepts publications as notary's does: it re-serialises what
//! it parsed before it hashes, so a file that is not in the exact form breaks the collection for
//! every reader.

use std::cell::RefCell;

use acr_sign::{
    crypto::{PublicKey, Scheme, Signature},
    format::dct::{
        Draft, DraftError, Gun, Key, KeyId, Publication, Rejection, RootTrust, SignerName, Step,
        TrustedSet,
        init::{self, NewCollection, SnapshotKey},
    },
    oci::Digest,
    timestamp::Timestamp,
};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use p256::ecdsa::signature::Signer as _;
use ring::{rand::SystemRandom, signature as rsa};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256, Sha512};

use super::server::{Server, at, fixture, gun, load};

pub const NOW: &str = "2027-01-02T03:04:05.678Z";

/// A private key in memory.
pub enum TestKey {
    Ec(Box<p256::ecdsa::SigningKey>),
    Rsa(Box<rsa::RsaKeyPair>),
}

impl TestKey {
    pub fn ec(seed: u8) -> Self {
        Self::Ec(Box::new(
            p256::ecdsa::SigningKey::from_slice(&[seed; 32]).unwrap(),
        ))
    }

    pub fn rsa() -> Self {
        let text = std::fs::read_to_string(fixture("b-delegations/keys/bob-key.pem")).unwrap();
        let block = pem::parse(text).unwrap();
        let key = match block.tag() {
            "PRIVATE KEY" => rsa::RsaKeyPair::from_pkcs8(block.contents()),
            _ => rsa::RsaKeyPair::from_der(block.contents()),
        };
        Self::Rsa(Box::new(key.unwrap()))
    }

    pub fn public(&self) -> PublicKey {
        match self {
            Self::Ec(key) => {
                let point = key.verifying_key().to_sec1_point(false);
                PublicKey::from_ec_coordinates(
                    acr_sign::crypto::KeyKind::EcP256,
                    point.x().unwrap(),
                    point.y().unwrap(),
                )
                .unwrap()
            }
            Self::Rsa(key) => {
                let public = rsa::RsaPublicKeyComponents::<Vec<u8>>::from(key.public());
                PublicKey::from_rsa_components(&public.n, &public.e).unwrap()
            }
        }
    }

    /// As role files list it.
    pub fn listed(&self) -> Key {
        Key::from_public_key(&self.public())
    }

    pub fn sign(&self, scheme: Scheme, message: &[u8]) -> Signature {
        match (self, scheme) {
            (Self::Ec(key), Scheme::EcdsaSha256) => {
                let signature: p256::ecdsa::Signature = key.sign(message);
                Signature(signature.to_bytes().to_vec())
            }
            (Self::Rsa(key), Scheme::RsaPssSha256) => {
                rsa_signature(key, &rsa::RSA_PSS_SHA256, message)
            }
            (Self::Rsa(key), Scheme::RsaPkcs1Sha256) => {
                rsa_signature(key, &rsa::RSA_PKCS1_SHA256, message)
            }
            _ => panic!("a scheme of another key"),
        }
    }
}

fn rsa_signature(
    key: &rsa::RsaKeyPair,
    padding: &'static dyn rsa::RsaEncoding,
    message: &[u8],
) -> Signature {
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(padding, &SystemRandom::new(), message, &mut signature)
        .unwrap();
    Signature(signature)
}

pub fn publics(keys: &[&TestKey]) -> Vec<PublicKey> {
    keys.iter().map(|key| key.public()).collect()
}

/// Answers every request of a draft, and counts them.
pub fn complete(draft: Draft, keys: &[&TestKey]) -> Result<(Publication, usize), DraftError> {
    let mut count = 0;
    let mut next = draft.step(None)?;
    loop {
        match next {
            (draft, Step::Sign(request)) => {
                let key = keys
                    .iter()
                    .find(|key| key.public() == request.key)
                    .expect("a key that is held");
                count += 1;
                next = draft.step(Some(key.sign(request.scheme, &request.message)))?;
            }
            (_, Step::Done(publication)) => return Ok((publication, count)),
        }
    }
}

/// A trust server with its own snapshot and timestamp keys.
pub struct TrustServer {
    pub gun: Gun,
    pub server: Server,
    pub pin: KeyId,
    pub snapshot_key: TestKey,
    pub timestamp_key: TestKey,
}

pub struct Owner {
    pub root: TestKey,
    pub targets: TestKey,
}

pub fn owner() -> Owner {
    Owner {
        root: TestKey::ec(1),
        targets: TestKey::ec(2),
    }
}

impl TrustServer {
    pub fn new() -> Self {
        Self::named("contoso.azurecr.io/web/app")
    }

    pub fn named(name: &str) -> Self {
        Self {
            gun: gun(name),
            server: Server {
                files: [].into(),
                ignore_hashes: false,
                asked: RefCell::default(),
            },
            pin: KeyId::of(b""),
            snapshot_key: TestKey::ec(101),
            timestamp_key: TestKey::ec(102),
        }
    }

    /// With a collection that has these signers.
    pub fn founded(owner: &Owner, signers: &[(&str, &TestKey)]) -> Self {
        let mut server = Self::new();
        let new = server.collection(owner, signers);
        server.found(new, &[&owner.root, &owner.targets]);
        server
    }

    pub fn collection(&self, owner: &Owner, signers: &[(&str, &TestKey)]) -> NewCollection {
        let signer = |(name, key): &(&str, &TestKey)| {
            (name.parse::<SignerName>().unwrap(), vec![key.public()])
        };
        NewCollection {
            gun: self.gun.clone(),
            root_key: owner.root.public(),
            targets_key: owner.targets.public(),
            signers: signers.iter().map(signer).collect(),
            snapshot: SnapshotKey::Server(answered_key("snapshot", &self.snapshot_key)),
            timestamp: answered_key("timestamp", &self.timestamp_key),
            serial: *b"\xff123456789abcdef",
        }
    }

    pub fn found(&mut self, new: NewCollection, keys: &[&TestKey]) -> Publication {
        let mut next = init::prepare(new, at(NOW)).unwrap().step(None).unwrap();
        loop {
            match next {
                (draft, Step::Sign(request)) => {
                    let key = keys.iter().find(|key| key.public() == request.key).unwrap();
                    next = draft
                        .step(Some(key.sign(request.scheme, &request.message)))
                        .unwrap();
                }
                (draft, Step::Done(publication)) => {
                    self.pin = draft.root_key_id().unwrap();
                    self.publish(&publication);
                    return publication;
                }
            }
        }
    }

    /// Takes a publication, and makes snapshot and timestamp as the server does.
    pub fn publish(&mut self, publication: &Publication) {
        for (role, bytes) in &publication.files {
            let name = role.as_str();
            let version = version(bytes);
            if let Some(stored) = self.server.files.get(&format!("{name}.json")) {
                assert!(
                    version > self::version(stored),
                    "VERSION conflict of {name}"
                );
            }
            assert_eq!(
                String::from_utf8(bytes.clone()).unwrap(),
                as_go_writes_it(bytes),
                "exact form of {name}"
            );
            self.store(name, version, bytes.clone());
        }
        if !publication
            .files
            .iter()
            .any(|(role, _)| role.as_str() == "snapshot")
        {
            self.make_snapshot("2030-01-01T00:00:00Z");
        }
        self.make_timestamp();
    }

    pub fn store(&mut self, name: &str, version: u64, bytes: Vec<u8>) {
        self.server.files.insert(
            format!("{name}.{}.json", Digest::sha256(&bytes).hex()),
            bytes.clone(),
        );
        self.server
            .files
            .insert(format!("{version}.{name}.json"), bytes.clone());
        self.server.files.insert(format!("{name}.json"), bytes);
    }

    pub fn make_snapshot(&mut self, expires: &str) {
        let current = |(name, bytes): (&String, &Vec<u8>)| {
            let role = name.strip_suffix(".json")?;
            let listed = !role.contains('.') && role != "snapshot" && role != "timestamp";
            listed.then(|| (role.to_owned(), meta(bytes)))
        };
        let all: serde_json::Map<String, Value> =
            self.server.files.iter().filter_map(current).collect();
        let version = self
            .server
            .files
            .get("snapshot.json")
            .map_or(1, |bytes| version(bytes) + 1);
        let signed =
            json!({ "_type": "Snapshot", "expires": expires, "meta": all, "version": version });
        let bytes = signed_by(&signed.to_string(), &[&self.snapshot_key]);
        self.store("snapshot", version, bytes);
    }

    pub fn make_timestamp(&mut self) {
        let version = self
            .server
            .files
            .get("timestamp.json")
            .map_or(1, |bytes| version(bytes) + 1);
        let all = json!({ "snapshot": meta(&self.server.files["snapshot.json"]) });
        let signed = json!({ "_type": "Timestamp", "expires": "2030-01-01T00:00:00Z", "meta": all, "version": version });
        let bytes = signed_by(&signed.to_string(), &[&self.timestamp_key]);
        self.store("timestamp", version, bytes);
    }

    /// Replaces the file of a role by one that another writer made, and republishes.
    pub fn replace(&mut self, role: &str, signed: &str, keys: &[&TestKey]) {
        let bytes = signed_by(signed, keys);
        self.store(role, version(&bytes), bytes);
        self.make_snapshot("2030-01-01T00:00:00Z");
        self.make_timestamp();
    }

    pub fn try_load(&self, now: Timestamp) -> Result<TrustedSet, Rejection> {
        load(
            &self.server,
            &self.gun,
            RootTrust::Keys(vec![self.pin]),
            None,
            now,
        )
    }

    pub fn load(&self) -> TrustedSet {
        self.try_load(at(NOW)).unwrap()
    }

    pub fn signed(&self, role: &str) -> Value {
        let file: Value =
            serde_json::from_slice(&self.server.files[&format!("{role}.json")]).unwrap();
        file["signed"].clone()
    }
}

/// The key as a `.key` answer has it: members in another order than anywhere else.
fn answered_key(role: &str, key: &TestKey) -> Key {
    let answer = format!(
        r#"{{"keytype":"ecdsa","keyval":{{"public":"{}","private":null}}}}"#,
        BASE64.encode(key.public().spki_der())
    );
    init::server_key(&role.parse().unwrap(), answer.as_bytes()).unwrap()
}

/// A key as files hold it.
pub fn key_text(key: &Key) -> String {
    String::from_utf8(acr_sign::format::dct::canonical::canonical(&key.value())).unwrap()
}

pub fn version(bytes: &[u8]) -> u64 {
    let file: Value = serde_json::from_slice(bytes).unwrap();
    file["signed"]["version"].as_u64().unwrap()
}

/// A file with a body that is in canonical form already.
pub fn signed_by(canonical: &str, keys: &[&TestKey]) -> Vec<u8> {
    let signers: Vec<_> = keys
        .iter()
        .map(|key| (key.listed().key_id(), *key))
        .collect();
    signed_under(canonical, &signers)
}

/// The same, with each signature under an ID of its own.
pub fn signed_under(canonical: &str, signers: &[(KeyId, &TestKey)]) -> Vec<u8> {
    let signature = |(key_id, key): &(KeyId, &TestKey)| {
        let (scheme, method) = match key {
            TestKey::Ec(_) => (Scheme::EcdsaSha256, "ecdsa"),
            TestKey::Rsa(_) => (Scheme::RsaPssSha256, "rsapss"),
        };
        let sig = BASE64.encode(key.sign(scheme, canonical.as_bytes()).0);
        json!({ "keyid": key_id.to_string(), "method": method, "sig": sig })
    };
    with_signatures(canonical, signers.iter().map(signature).collect())
}

/// The same, with any signatures.
pub fn with_signatures(canonical: &str, signatures: Vec<Value>) -> Vec<u8> {
    format!(
        "{{\"signed\":{},\"signatures\":{}}}",
        escaped(canonical),
        Value::Array(signatures)
    )
    .into_bytes()
}

pub fn meta(bytes: &[u8]) -> Value {
    let hashes = json!({ "sha256": BASE64.encode(Sha256::digest(bytes)), "sha512": BASE64.encode(Sha512::digest(bytes)) });
    json!({ "hashes": hashes, "length": bytes.len() })
}

fn escaped(text: &str) -> String {
    let pairs = [
        ("<", "\\u003c"),
        (">", "\\u003e"),
        ("&", "\\u0026"),
        ("\u{2028}", "\\u2028"),
        ("\u{2029}", "\\u2029"),
    ];
    pairs
        .iter()
        .fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

/// What notary-server hashes: the file parsed and written again by Go.
pub fn as_go_writes_it(bytes: &[u8]) -> String {
    let file: Value = serde_json::from_slice(bytes).unwrap();
    assert_eq!(file.as_object().unwrap().len(), 2);
    escaped(&format!(
        "{{\"signed\":{},\"signatures\":{}}}",
        file["signed"], file["signatures"]
    ))
}
