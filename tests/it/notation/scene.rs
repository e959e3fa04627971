//! A root, a leaf, an image, and what is said of a signature under trust in that root.

use std::collections::BTreeMap;

use acr_sign::{
    crypto::{Certificate, Scheme},
    format::notation::{
        Level, Pins, Rejection, Trust, TrustedIdentities, Verdict, VerificationStep,
        VerifyTimestamp, verify,
    },
    oci::{Descriptor, Digest, MediaType, manifest::OCI_MANIFEST},
    timestamp::Timestamp,
};
use serde_json::Value;

use super::maker::{Key, Spec, cbor, cose_chain, cose_header, cose_of, header, jws_of, p256};

pub fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

pub fn now() -> Timestamp {
    at("2026-07-01T00:00:00Z")
}

pub fn subject() -> Descriptor {
    Descriptor {
        media_type: MediaType::new(OCI_MANIFEST),
        digest: Digest::sha256(b"image"),
        size: 5,
    }
}

pub fn payload() -> Vec<u8> {
    let digest = subject().digest;
    format!(
        r#"{{"targetArtifact":{{"mediaType":"{OCI_MANIFEST}","digest":"{digest}","size":5,"annotations":{{"build":"42"}}}}}}"#
    )
    .into_bytes()
}

/// A signer with a root of its own.
pub struct Scene {
    pub root_key: Key,
    pub root: Certificate,
    pub leaf_key: Key,
    pub leaf: Certificate,
}

impl Scene {
    pub fn new() -> Self {
        Self::with_leaf(&Spec::leaf("signer", "root"))
    }

    pub fn with_leaf(leaf: &Spec) -> Self {
        let (root_key, leaf_key) = (p256(1), p256(2));
        let root = Spec::ca("root", "root").issue(&root_key, &root_key);
        let leaf = leaf.issue(&leaf_key, &root_key);
        Self {
            root_key,
            root,
            leaf_key,
            leaf,
        }
    }

    pub fn chain(&self) -> Vec<Certificate> {
        vec![self.leaf.clone(), self.root.clone()]
    }

    pub fn pins(&self) -> Pins {
        pins(vec![self.root.clone()])
    }

    pub fn trust(&self) -> Trust {
        Trust::pinned(self.pins()).unwrap()
    }

    pub fn jws(&self, header: &Value) -> Value {
        jws_of(
            &header.to_string(),
            &payload(),
            &self.chain(),
            &self.leaf_key,
            Scheme::EcdsaSha256,
        )
    }

    /// A JWS envelope with nothing wrong.
    pub fn good_jws(&self) -> Vec<u8> {
        self.jws(&header()).to_string().into_bytes()
    }

    /// A COSE envelope with nothing wrong.
    pub fn good_cose(&self) -> Vec<u8> {
        let chain = cose_chain(&self.chain());
        cose_of(
            &cbor::map(&cose_header()),
            &cbor::map(&chain),
            &payload(),
            &self.leaf_key,
        )
    }
}

pub fn pins(certificates: Vec<Certificate>) -> Pins {
    Pins {
        certificates,
        identities: Some(TrustedIdentities::Any),
        level: Level::STRICT,
        timestamp_roots: Vec::new(),
        verify_timestamp: VerifyTimestamp::Always,
        metadata: BTreeMap::new(),
    }
}

pub fn step_of(bytes: &[u8], trust: &Trust, now: Timestamp) -> VerificationStep {
    let kind = if bytes.first() == Some(&b'{') {
        "application/jose+json"
    } else {
        "application/cose"
    };
    verify(&subject(), &MediaType::new(kind), bytes, trust, now)
}

pub fn outcome_of(bytes: &[u8], trust: &Trust, now: Timestamp) -> Verdict {
    match step_of(bytes, trust, now) {
        VerificationStep::Done(outcome) => outcome,
        VerificationStep::Revocation(more) => panic!("asks for {:?}", more.requests()),
    }
}

pub fn rejection(outcome: Verdict) -> Option<Rejection> {
    match outcome {
        Verdict::Rejected(rejection) => Some(*rejection),
        Verdict::Verified(_) | Verdict::Exempt(_) => None,
    }
}

/// The outcome as text: `verified`, `exempt`, or the rejection as the compiler derives it.
pub fn verdict(bytes: &[u8], trust: &Trust) -> String {
    match outcome_of(bytes, trust, now()) {
        Verdict::Verified(_) => "verified".to_owned(),
        Verdict::Exempt(_) => "exempt".to_owned(),
        Verdict::Rejected(rejection) => format!("{rejection:?}"),
    }
}
