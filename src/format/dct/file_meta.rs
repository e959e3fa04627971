//! Length and hashes by which one file vouches for another, or for an image.
//!
//! SHA-256 decides; SHA-512 must match where it is stated; other algorithms are kept and ignored.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use sha2::{Digest as _, Sha256, Sha512};

use super::{
    document::{At, Members, decode, object},
    name::RoleName,
    rejection::Rejection,
    root::integer,
};
use crate::{format::json::Value, oci::Digest};

/// What a file or an image must be.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FileMeta {
    /// The length in bytes.
    pub length: u64,
    /// The hashes.
    pub hashes: Hashes,
    /// What the writer added, if anything.
    pub custom: Option<Box<Value>>,
}

/// Hashes by algorithm.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Hashes {
    /// SHA-256.
    pub sha256: Option<[u8; 32]>,
    /// SHA-512.
    pub sha512: Option<Box<[u8; 64]>>,
    /// Hashes of other names, which are kept when a file is written again.
    pub other: Vec<(String, Vec<u8>)>,
}

impl FileMeta {
    /// The SHA-256 digest, where it is stated.
    pub fn digest(&self) -> Option<Digest> {
        self.hashes.sha256.as_ref().map(Digest::from_sha256)
    }

    /// What describes `bytes`, with both hashes.
    pub fn describing(bytes: &[u8]) -> Self {
        let hashes = Hashes {
            sha256: Some(Sha256::digest(bytes).into()),
            sha512: Some(Box::new(Sha512::digest(bytes).into())),
            other: Vec::new(),
        };
        Self {
            length: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
            hashes,
            custom: None,
        }
    }

    /// Whether `bytes`, the file of `role`, are what is described here. A stated length bounds the
    /// file; the hash pins every byte of it.
    pub(super) fn check(&self, role: &RoleName, bytes: &[u8]) -> Result<(), Rejection> {
        let found = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if found > self.length {
            return Err(Rejection::TooLong {
                role: role.clone(),
                limit: self.length,
                found,
            });
        }
        if let Some(expected) = &self.hashes.sha256 {
            compare(role, expected, &Sha256::digest(bytes))?;
        }
        match &self.hashes.sha512 {
            Some(expected) => compare(role, expected.as_slice(), &Sha512::digest(bytes)),
            None => Ok(()),
        }
    }

    /// Reads one description; without SHA-256 it describes nothing we could use, which is for the
    /// caller to judge.
    pub(super) fn read(value: Value, at: At<'_>) -> Result<Self, Rejection> {
        let mut members = Members::of(value, at)?;
        let length = members.length("length")?;
        let custom = members.optional("custom").map(Box::new);
        let mut hashes = Hashes::default();
        let stated = members.entries("hashes")?.unwrap_or_default();
        let at = members.at().member("hashes");
        for (name, value) in stated {
            let at = at.member(&name);
            let Value::String(text) = &value else {
                return Err(at.malformed("base64", &value));
            };
            let hash = decode(text, &at)?;
            let wrong = |_| at.malformed("a hash of its algorithm's length", &value);
            match name.as_str() {
                "sha256" => hashes.sha256 = Some(hash.try_into().map_err(wrong)?),
                "sha512" => hashes.sha512 = Some(Box::new(hash.try_into().map_err(wrong)?)),
                _ => hashes.other.push((name, hash)),
            }
        }
        Ok(Self {
            length,
            hashes,
            custom,
        })
    }

    /// Reads a `meta` member of snapshot or timestamp, where every description needs its SHA-256.
    pub(super) fn read_all(members: &mut Members<'_>) -> Result<BTreeMap<String, Self>, Rejection> {
        let entries = members.entries("meta")?.unwrap_or_default();
        let at = members.at().member("meta");
        let mut all = BTreeMap::new();
        for (name, value) in entries {
            let meta = Self::read(value, at.member(&name))?;
            if meta.hashes.sha256.is_none() {
                return Err(Rejection::HashMissing {
                    role: at.role().clone(),
                    described: name,
                });
            }
            all.insert(name, meta);
        }
        Ok(all)
    }

    /// The description as files hold it.
    pub fn value(&self) -> Value {
        let sha256 = self
            .hashes
            .sha256
            .iter()
            .map(|hash| ("sha256", base64(hash)));
        let sha512 = self
            .hashes
            .sha512
            .iter()
            .map(|hash| ("sha512", base64(hash.as_slice())));
        let other = self
            .hashes
            .other
            .iter()
            .map(|(name, hash)| (name.as_str(), base64(hash)));
        let custom = self
            .custom
            .iter()
            .map(|custom| ("custom", Value::clone(custom)));
        let hashes = object(sha256.chain(sha512).chain(other));
        object(
            [("hashes", hashes), ("length", integer(self.length))]
                .into_iter()
                .chain(custom),
        )
    }
}

fn compare(role: &RoleName, expected: &[u8], found: &[u8]) -> Result<(), Rejection> {
    if expected == found {
        return Ok(());
    }
    Err(Rejection::HashMismatch {
        role: role.clone(),
        expected: hex(expected),
        found: hex(found),
    })
}

fn base64(hash: &[u8]) -> Value {
    Value::String(BASE64.encode(hash))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
