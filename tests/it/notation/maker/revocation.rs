//! What says that a certificate was revoked: lists and OCSP answers.

use acr_sign::crypto::Certificate;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use super::{
    certificate::ext,
    der::{bits, generalized, integer, octets, oid, seq, time, tlv},
    key::Key,
};

/// A certificate revocation list.
#[derive(Clone)]
pub struct List {
    pub issuer: Vec<u8>,
    pub from: &'static str,
    pub next: Option<&'static str>,
    /// Serial number, date, extensions.
    pub entries: Vec<(u64, &'static str, Vec<Vec<u8>>)>,
    pub extensions: Vec<Vec<u8>>,
}

impl List {
    pub fn of(issuer: &Certificate) -> Self {
        Self {
            issuer: issuer.subject_der(),
            from: "2026-06-01T00:00:00Z",
            next: Some("2026-12-01T00:00:00Z"),
            entries: Vec::new(),
            extensions: vec![ext("2.5.29.20", false, &integer(5))],
        }
    }

    pub fn listing(mut self, serial: u64, at: &'static str, extensions: Vec<Vec<u8>>) -> Self {
        self.entries.push((serial, at, extensions));
        self
    }

    pub fn with(mut self, extension: Vec<u8>) -> Self {
        self.extensions.push(extension);
        self
    }

    pub fn sign(&self, key: &Key) -> Vec<u8> {
        let entries: Vec<_> = self
            .entries
            .iter()
            .map(|(serial, at, extensions)| {
                let extensions = if extensions.is_empty() {
                    Vec::new()
                } else {
                    seq(extensions)
                };
                seq(&[integer(*serial), time(at), extensions])
            })
            .collect();
        let body = seq(&[
            integer(1),
            key.sign_x509(b"").0,
            self.issuer.clone(),
            time(self.from),
            self.next.map(time).unwrap_or_default(),
            if entries.is_empty() {
                Vec::new()
            } else {
                seq(&entries)
            },
            if self.extensions.is_empty() {
                Vec::new()
            } else {
                tlv(0xa0, &seq(&self.extensions))
            },
        ]);
        let (algorithm, signature) = key.sign_x509(&body);
        seq(&[body, algorithm, bits(&signature)])
    }
}

/// The reason extension of a list's entry.
pub fn reason(code: u8) -> Vec<u8> {
    ext("2.5.29.21", false, &tlv(10, &[code]))
}

pub fn invalid_since(at: &str) -> Vec<u8> {
    ext("2.5.29.24", false, &generalized(at))
}

/// An OCSP answer.
#[derive(Clone)]
pub struct Answer {
    pub status: u8,
    pub responder: Vec<u8>,
    pub serial: u64,
    /// `[0]` good, `[1]` revoked, `[2]` unknown.
    pub verdict: Vec<u8>,
    pub from: &'static str,
    pub next: Option<&'static str>,
    pub single_extensions: Vec<Vec<u8>>,
    pub extensions: Vec<Vec<u8>>,
    pub certificates: Vec<Vec<u8>>,
    /// Other statements in the same answer, in front of and behind the one that these members make.
    pub before: Vec<Vec<u8>>,
    pub behind: Vec<Vec<u8>>,
}

pub fn good() -> Vec<u8> {
    vec![0x80, 0]
}

pub fn revoked(at: &str) -> Vec<u8> {
    tlv(0xa1, &[generalized(at), tlv(0xa0, &tlv(10, &[1]))].concat())
}

fn extensions(list: &[Vec<u8>]) -> Vec<u8> {
    if list.is_empty() {
        Vec::new()
    } else {
        tlv(0xa1, &seq(list))
    }
}

impl Answer {
    /// By the issuer, named by its subject.
    pub fn by(responder: &Certificate, verdict: Vec<u8>) -> Self {
        Self {
            status: 0,
            responder: tlv(0xa1, &responder.subject_der()),
            serial: 0x1234,
            verdict,
            from: "2026-06-01T00:00:00Z",
            next: Some("2026-12-01T00:00:00Z"),
            single_extensions: Vec::new(),
            extensions: Vec::new(),
            certificates: Vec::new(),
            before: Vec::new(),
            behind: Vec::new(),
        }
    }

    /// The statement about the certificate, which is named by SHA-1 or, if `wide`, by SHA-256.
    pub fn single(&self, issuer: &Certificate, wide: bool) -> Vec<u8> {
        let hash = |bytes: &[u8]| {
            if wide {
                Sha256::digest(bytes).to_vec()
            } else {
                Sha1::digest(bytes).to_vec()
            }
        };
        let algorithm = if wide {
            "2.16.840.1.101.3.4.2.1"
        } else {
            "1.3.14.3.2.26"
        };
        let id = seq(&[
            seq(&[oid(algorithm), vec![5, 0]]),
            octets(&hash(&issuer.subject_der())),
            octets(&hash(issuer.public_key_bits())),
            integer(self.serial),
        ]);
        seq(&[
            id,
            self.verdict.clone(),
            generalized(self.from),
            self.next
                .map(|next| tlv(0xa0, &generalized(next)))
                .unwrap_or_default(),
            extensions(&self.single_extensions),
        ])
    }

    /// About a certificate of `issuer`, signed by `key`.
    pub fn sign(&self, issuer: &Certificate, key: &Key) -> Vec<u8> {
        let mut singles = self.before.clone();
        singles.push(self.single(issuer, false));
        singles.extend(self.behind.clone());
        let body = seq(&[
            self.responder.clone(),
            generalized(self.from),
            seq(&singles),
            extensions(&self.extensions),
        ]);
        let (algorithm, signature) = key.sign_x509(&body);
        let certificates = if self.certificates.is_empty() {
            Vec::new()
        } else {
            tlv(0xa0, &seq(&self.certificates))
        };
        let basic = seq(&[body, algorithm, bits(&signature), certificates]);
        let inner = seq(&[oid("1.3.6.1.5.5.7.48.1.1"), octets(&basic)]);
        if self.status != 0 {
            return seq(&[tlv(10, &[self.status])]);
        }
        seq(&[tlv(10, &[0]), tlv(0xa0, &inner)])
    }
}
