//! Signatures that notation and an independent generator made, held against what must be said of
//! them: the outcome, and the step at which a bad one is rejected.

use std::{collections::BTreeMap, fs, path::PathBuf};

use acr_sign::{
    crypto::Certificate,
    format::notation::{
        Check, Envelope, EnvelopeKind, Level, Pins, SignatureManifest, StoreName, Trust,
        TrustPolicy, Verdict, VerificationStep, VerifyTimestamp, trust_store, verify,
    },
    oci::{Descriptor, MediaType, Reference},
    timestamp::Timestamp,
};
use serde_json::Value;

/// A set of recorded signatures.
pub struct Set {
    folder: PathBuf,
    pub index: Value,
}

pub fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/notation")
        .join(name)
}

pub fn descriptor(value: &Value) -> Descriptor {
    Descriptor {
        media_type: MediaType::new(value["mediaType"].as_str().unwrap()),
        digest: value["digest"].as_str().unwrap().parse().unwrap(),
        size: value["size"].as_u64().unwrap(),
    }
}

fn metadata(value: &Value) -> BTreeMap<String, String> {
    let pairs = value.as_object().into_iter().flatten();
    pairs
        .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
        .collect()
}

impl Set {
    pub fn read(name: &str) -> Self {
        let folder = folder(name);
        let index =
            serde_json::from_slice(&fs::read(folder.join("vectors.json")).unwrap()).unwrap();
        Self { folder, index }
    }

    pub fn file(&self, name: &str) -> Vec<u8> {
        fs::read(self.folder.join(name)).unwrap()
    }

    pub fn vectors(&self) -> &[Value] {
        self.index["vectors"].as_array().unwrap()
    }

    pub fn subject(&self, vector: &Value) -> Descriptor {
        let named = vector["subject"]
            .as_str()
            .map(|name| &self.index["subjects"][name]);
        descriptor(named.unwrap_or(&self.index["subject"]))
    }

    /// The trust that one of the set's policies gives, with stores of the set's certificates.
    pub fn trust(&self, policy: &str) -> Trust {
        let policy = TrustPolicy::parse(&self.file(&format!("policies/{policy}"))).unwrap();
        let image = Reference::named(self.index["registryReference"].as_str().unwrap()).unwrap();
        let statement = policy.statement(&image.repository).unwrap();
        let stores = statement.stores().iter().map(|store| {
            let files = self.index["trustStores"][store.to_string()]
                .as_array()
                .unwrap();
            let files: Vec<_> = files
                .iter()
                .map(|file| {
                    (
                        file.as_str().unwrap().to_owned(),
                        self.file(file.as_str().unwrap()).into(),
                    )
                })
                .collect();
            (store.clone(), trust_store(store, &files))
        });
        statement.trust(&stores.collect()).unwrap()
    }

    pub fn envelope(&self, vector: &Value) -> (MediaType, Vec<u8>) {
        let media_type = MediaType::new(vector["mediaType"].as_str().unwrap());
        (media_type, self.file(vector["file"].as_str().unwrap()))
    }

    pub fn judge(&self, vector: &Value, trust: &Trust, now: Timestamp) -> Verdict {
        let (media_type, bytes) = self.envelope(vector);
        match verify(&self.subject(vector), &media_type, &bytes, trust, now) {
            VerificationStep::Done(outcome) => outcome,
            VerificationStep::Revocation(more) => {
                panic!("{}: asks for {:?}", vector["id"], more.requests())
            }
        }
    }
}

pub fn now() -> Timestamp {
    "2026-11-25T12:00:00Z".parse().unwrap()
}

/// The outcome in the words of the set.
pub fn words(outcome: &Verdict) -> String {
    match outcome {
        Verdict::Verified(_) | Verdict::Exempt(_) => "accept".to_owned(),
        Verdict::Rejected(rejection) => {
            let step = match rejection.step() {
                Check::Manifest => "manifest",
                Check::Integrity => "integrity",
                Check::Plugin => "plugin",
                Check::Payload => "payload",
                Check::Authenticity => "authenticity",
                Check::Metadata => "metadata",
                Check::Expiry => "expiry",
                Check::AuthenticTimestamp => "authenticTimestamp",
                Check::Revocation => "revocation",
            };
            format!("reject:{step}")
        }
    }
}

fn names<'a>(vector: &'a Value, list: &str) -> impl Iterator<Item = &'a str> {
    vector[list]
        .as_array()
        .into_iter()
        .flatten()
        .map(|name| name.as_str().unwrap())
}

fn every_vector(set: &Set) -> usize {
    let mut verdicts = 0;
    let mut check = |vector: &Value, trust: &Trust, at: Timestamp, expected: &str| {
        let outcome = set.judge(vector, trust, at);
        assert_eq!(words(&outcome), expected, "{}: {outcome:?}", vector["id"]);
        verdicts += 1;
        outcome
    };
    for vector in set.vectors() {
        let policy = vector["policy"].as_str().unwrap();
        check(
            vector,
            &set.trust(policy),
            now(),
            vector["expect"].as_str().unwrap(),
        );
        for other in names(vector, "alsoAccept") {
            check(vector, &set.trust(other), now(), "accept");
        }
        for other in names(vector, "alsoReject") {
            let outcome = set.judge(vector, &set.trust(other), now());
            assert!(
                matches!(outcome, Verdict::Rejected(_)),
                "{} under {other}",
                vector["id"]
            );
        }
        if let Some(at) = vector["acceptAt"].as_str() {
            check(vector, &set.trust(policy), at.parse().unwrap(), "accept");
        }
        if vector["requireMetadata"].is_object() {
            let trust = set.trust(policy);
            let with = |name: &str| trust.clone().require_metadata(metadata(&vector[name]));
            check(vector, &with("requireMetadata"), now(), "accept");
            check(vector, &with("failMetadata"), now(), "reject:metadata");
        }
    }
    verdicts
}

#[test]
fn every_vector_of_the_generator_has_its_outcome_and_step() {
    let set = Set::read("vectors");
    assert_eq!((set.vectors().len(), every_vector(&set)), (31, 38));
}

#[test]
fn every_signature_of_notation_has_its_outcome_and_step() {
    let set = Set::read("made-by-notation");
    assert_eq!((set.vectors().len(), every_vector(&set)), (46, 77));
}

#[test]
fn every_signature_of_notation_verifies_with_its_leaf_pinned() {
    let set = Set::read("made-by-notation");
    for vector in set.vectors() {
        let (media_type, bytes) = set.envelope(vector);
        let envelope = Envelope::read(&media_type, &bytes).unwrap();
        let trust = Trust::pinned(Pins {
            certificates: vec![envelope.leaf().unwrap().clone()],
            identities: None,
            level: Level::STRICT,
            timestamp_roots: Vec::new(),
            verify_timestamp: VerifyTimestamp::Always,
            metadata: BTreeMap::new(),
        });
        let at = vector["facts"]["signingTime"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap();
        let Verdict::Verified(accepted) = set.judge(vector, &trust.unwrap(), at) else {
            panic!("{}", vector["id"])
        };
        assert_eq!(accepted.verified.subject(), &set.subject(vector).digest);
        let [signed] = accepted.verified.signers() else {
            panic!("one signer")
        };
        assert_eq!(signed.key, *envelope.leaf().unwrap().public_key());
        assert_eq!(signed.signed_at, Some(at));
    }
}

#[test]
fn envelopes_and_manifests_of_notation_say_what_notation_says() {
    let set = Set::read("made-by-notation");
    for vector in set.vectors() {
        let (id, facts) = (&vector["id"], &vector["facts"]);
        let (media_type, bytes) = set.envelope(vector);
        let envelope = Envelope::read(&media_type, &bytes).unwrap();
        let attributes = envelope.attributes();
        let algorithm = attributes.algorithm;
        match envelope.kind() {
            EnvelopeKind::Jws => assert_eq!(facts["alg"], algorithm.name(), "{id}"),
            EnvelopeKind::Cose => assert_eq!(facts["alg"], algorithm.number(), "{id}"),
        }
        assert_eq!(
            facts["signingTime"],
            attributes.signing_time.to_string(),
            "{id}"
        );
        assert_eq!(
            facts["expiry"].as_str().map(str::to_owned),
            attributes.expiry.map(|at| at.to_string()),
            "{id}"
        );
        assert_eq!(facts["signingAgent"].as_str(), envelope.agent(), "{id}");
        assert_eq!(
            facts["tokenSize"].as_u64(),
            envelope.token().map(|token| token.len() as u64),
            "{id}"
        );
        let thumbprints: Vec<_> = envelope
            .chain()
            .iter()
            .map(Certificate::thumbprint_sha256)
            .collect();
        assert_eq!(facts["thumbprints"], serde_json::json!(thumbprints), "{id}");

        let manifest = set.file(vector["manifest"].as_str().unwrap());
        let manifest = SignatureManifest::read(&manifest, &set.subject(vector)).unwrap();
        assert!(
            manifest.envelope.digest.matches(&bytes)
                && manifest.envelope.size == bytes.len() as u64,
            "{id}"
        );
        assert_eq!(
            (manifest.kind, manifest.thumbprints),
            (envelope.kind(), thumbprints),
            "{id}"
        );
        assert_eq!(manifest.created, Some(attributes.signing_time), "{id}");
    }
}

#[test]
fn stores_of_the_wrong_kind_trust_nothing() {
    let set = Set::read("vectors");
    let vector = set
        .vectors()
        .iter()
        .find(|vector| vector["id"] == "jws-ok-signing-authority")
        .unwrap();
    let outcome = set.judge(vector, &set.trust("strict-ca.json"), now());
    assert_eq!(words(&outcome), "reject:authenticity");
    assert!("ca:vectors".parse::<StoreName>().is_ok());
}
