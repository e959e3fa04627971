//! What users wait for with large collections: canonical JSON, verification, and signing one more tag.

use std::{collections::BTreeMap, hint::black_box};

use acr_sign::{
    crypto::{KeyKind, PublicKey, Signature},
    format::dct::{
        Draft, Gun, Key, KeyId, Publication, RoleName, RootStep, RootTrust, RootWalk, Step, TrustedSet, canonical,
        init::{self, NewCollection, SnapshotKey},
        lookup::Entry,
        sign::{Change, prepare},
    },
    oci::{Digest, Repository},
    timestamp::Timestamp,
};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use criterion::{Criterion, criterion_group, criterion_main};
use p256::ecdsa::{SigningKey, signature::Signer as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// A collection whose every key is the same one, and all its files.
struct Collection {
    key: SigningKey,
    gun: Gun,
    pin: KeyId,
    now: Timestamp,
    files: BTreeMap<String, Vec<u8>>,
}

fn tags(count: u32) -> Change {
    let entry = |number: u32| Entry { digest: Digest::sha256(&number.to_be_bytes()), length: 1367 };
    let set = (0..count).filter_map(|number| Some((format!("v1.{number}").parse().ok()?, entry(number)))).collect();
    Change { set, ..Change::default() }
}

impl Collection {
    fn new(count: u32) -> Option<Self> {
        let key = SigningKey::from_slice(&[7; 32]).ok()?;
        let repository = Repository::named("contoso.azurecr.io/web/app").ok()?;
        let now = Timestamp::from_unix(1_800_000_000)?;
        let pin = KeyId::of(b"");
        let mut collection = Self { key, gun: Gun::from(&repository), pin, now, files: BTreeMap::new() };
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
                    next = draft.step(Some(Signature(self.sign(&request.message)))).ok()?;
                }
                (draft, Step::Done(publication)) => return Some((draft, publication)),
            }
        }
    }

    fn publish(&mut self, draft: Draft) -> Option<Draft> {
        let (draft, publication) = self.answered(draft)?;
        self.files.extend(publication.files.into_iter().map(|(role, bytes)| (role.to_string(), bytes)));
        let snapshot = self.files.get("snapshot")?;
        let meta = json!({ "snapshot": {
            "hashes": { "sha256": BASE64.encode(Sha256::digest(snapshot)) },
            "length": snapshot.len(),
        }});
        let expires = "2027-02-01T00:00:00Z";
        let signed = json!({ "_type": "Timestamp", "expires": expires, "meta": meta, "version": 1 });
        let key_id = Key::from_public_key(&self.public()?).key_id().to_string();
        let sig = BASE64.encode(self.sign(signed.to_string().as_bytes()));
        let signatures: Value = json!([{ "keyid": key_id, "method": "ecdsa", "sig": sig }]);
        let file = json!({ "signed": signed, "signatures": signatures });
        self.files.insert("timestamp".to_owned(), file.to_string().into_bytes());
        Some(draft)
    }

    fn load(&self) -> Option<TrustedSet> {
        let mut walk = RootWalk::new(self.gun.clone(), RootTrust::Keys(vec![self.pin]), None, self.now);
        let RootStep::Trusted(mut set) = walk.offer(self.files.get("root")?).ok()? else { return None };
        set.update_timestamp(self.files.get("timestamp")?).ok()?;
        set.update_snapshot(self.files.get("snapshot")?).ok()?;
        set.update_targets(self.files.get("targets")?).ok()?;
        Some(*set)
    }

    fn sign_one_more(&self) -> Option<usize> {
        let set = self.load()?;
        let change = Change {
            set: vec![("latest".parse().ok()?, Entry { digest: Digest::sha256(b"latest"), length: 1 })],
            ..Change::default()
        };
        let draft = prepare(&set, &change, &[RoleName::TARGETS], &[self.public()?], self.now).ok()?;
        Some(self.answered(draft)?.1.files.len())
    }
}

fn large_collections(criterion: &mut Criterion) {
    for count in [2_000, 60_000] {
        let Some(collection) = Collection::new(count) else { continue };
        let Some(bytes) = collection.files.get("targets") else { continue };
        let mut group = criterion.benchmark_group(format!("{count} tags"));
        group.sample_size(10);
        group.bench_function("canonical JSON", |bench| {
            bench.iter(|| canonical::parse(black_box(bytes)).map(|value| canonical::canonical(&value).len()));
        });
        group.bench_function("verify", |bench| bench.iter(|| black_box(collection.load()).is_some()));
        group.bench_function("sign one more tag", |bench| bench.iter(|| black_box(collection.sign_one_more())));
        group.finish();
    }
}

criterion_group!(benches, large_collections);
criterion_main!(benches);
