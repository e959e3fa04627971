//! A collection of any size whose every key is the same one: what the benches, the memory test and the fuzz
//! targets load.

use std::collections::BTreeMap;

use acr_sign::{
    crypto::{KeyKind, PublicKey, Signature},
    format::dct::{
        Draft, Gun, Key, KeyId, Publication, RoleName, RootStep, RootTrust, RootWalk, Step,
        TrustedSet,
        init::{self, NewCollection, SnapshotKey},
        lookup::ImageHashes,
        sign::{Change, prepare},
    },
    oci::{Digest, Repository},
    timestamp::Timestamp,
};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use p256::ecdsa::{SigningKey, signature::Signer as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// A collection whose every key is the same one, and all its files.
pub struct Collection {
    key: SigningKey,
    pub gun: Gun,
    pub pin: KeyId,
    pub now: Timestamp,
    pub files: BTreeMap<String, Vec<u8>>,
}

fn tags(count: u32) -> Change {
    let entry = |number: u32| ImageHashes {
        digest: Digest::sha256(&number.to_be_bytes()),
        length: 1367,
        sha512: None,
    };
    let set = (0..count)
        .filter_map(|number| Some((format!("v1.{number}").parse().ok()?, entry(number))))
        .collect();
    Change {
        set,
        ..Change::default()
    }
}

impl Collection {
    /// With that many tags in `targets`.
    pub fn new(count: u32) -> Option<Self> {
        let key = SigningKey::from_slice(&[7; 32]).ok()?;
        let repository = Repository::named("contoso.azurecr.io/web/app").ok()?;
        let now = Timestamp::from_unix(1_800_000_000)?;
        let pin = KeyId::of(b"");
        let mut collection = Self {
            key,
            gun: Gun::from(&repository),
            pin,
            now,
            files: BTreeMap::new(),
        };
        let public = collection.public()?;
        let new = NewCollection {
            gun: collection.gun.clone(),
            root_key: public.clone(),
            targets_key: public.clone(),
            signers: Vec::new(),
            snapshot: SnapshotKey::Held(public.clone()),
            timestamp: Key::from_public_key(&public),
            serial: [1; 16],
        };
        let draft = collection.publish(init::prepare(new, now).ok()?)?;
        collection.pin = draft.root_key_id()?;
        let set = collection.load()?;
        let draft = prepare(&set, &tags(count), &[RoleName::TARGETS], &[public], now).ok()?;
        collection.publish(draft)?;
        Some(collection)
    }

    fn public(&self) -> Option<PublicKey> {
        let point = self.key.verifying_key().to_sec1_point(false);
        PublicKey::from_ec_coordinates(KeyKind::EcP256, point.x()?, point.y()?).ok()
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let signature: p256::ecdsa::Signature = self.key.sign(message);
        signature.to_bytes().to_vec()
    }

    fn answered(&self, draft: Draft) -> Option<(Draft, Publication)> {
        let mut next = draft.step(None).ok()?;
        loop {
            match next {
                (draft, Step::Sign(request)) => {
                    next = draft
                        .step(Some(Signature(self.sign(&request.message))))
                        .ok()?;
                }
                (draft, Step::Done(publication)) => return Some((draft, publication)),
            }
        }
    }

    fn publish(&mut self, draft: Draft) -> Option<Draft> {
        let (draft, publication) = self.answered(draft)?;
        self.files.extend(
            publication
                .files
                .into_iter()
                .map(|(role, bytes)| (role.to_string(), bytes)),
        );
        self.stamp()?;
        Some(draft)
    }

    /// A new timestamp over the snapshot.
    pub fn stamp(&mut self) -> Option<()> {
        let signed = json!({
            "_type": "Timestamp", "expires": "2027-02-01T00:00:00Z", "version": 1,
            "meta": { "snapshot": described(self.files.get("snapshot")?) },
        });
        self.files
            .insert("timestamp".to_owned(), self.signed(&signed)?);
        Some(())
    }

    /// A file with that body, signed.
    pub fn signed(&self, body: &Value) -> Option<Vec<u8>> {
        let key_id = Key::from_public_key(&self.public()?).key_id().to_string();
        let sig = BASE64.encode(self.sign(body.to_string().as_bytes()));
        let signatures: Value = json!([{ "keyid": key_id, "method": "ecdsa", "sig": sig }]);
        Some(
            json!({ "signed": body, "signatures": signatures })
                .to_string()
                .into_bytes(),
        )
    }

    /// Verifies all of it.
    pub fn load(&self) -> Option<TrustedSet> {
        let mut walk = RootWalk::new(
            self.gun.clone(),
            RootTrust::Keys(vec![self.pin]),
            None,
            self.now,
        );
        let RootStep::Trusted(mut set) = walk.offer(self.files.get("root")?).ok()? else {
            return None;
        };
        set.update_timestamp(self.files.get("timestamp")?).ok()?;
        set.update_snapshot(self.files.get("snapshot")?).ok()?;
        set.update_targets(self.files.get("targets")?).ok()?;
        Some(*set)
    }

    /// Verifies, and signs another tag.
    pub fn sign_one_more(&self) -> Option<usize> {
        let set = self.load()?;
        let change = Change {
            set: vec![(
                "latest".parse().ok()?,
                ImageHashes {
                    digest: Digest::sha256(b"latest"),
                    length: 1,
                    sha512: None,
                },
            )],
            ..Change::default()
        };
        let draft = prepare(
            &set,
            &change,
            &[RoleName::TARGETS],
            &[self.public()?],
            self.now,
        )
        .ok()?;
        Some(self.answered(draft)?.1.files.len())
    }
}

/// What vouches for a file.
pub fn described(bytes: &[u8]) -> Value {
    json!({ "hashes": { "sha256": BASE64.encode(Sha256::digest(bytes)) }, "length": bytes.len() })
}
