//! The envelope of every role file: a signed body and its signatures.
//!
//! Signatures are over the canonical form of the body, made once from what was parsed and never
//! from the served bytes (T26). Reading decides nothing about trust; see `authority`.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};

use super::{
    canonical::{canonical, wire},
    document::{At, Members},
    name::{RoleName, Version},
    rejection::Rejection,
};
use crate::{
    format::json::{Value, parse_exact},
    timestamp::Timestamp,
};

/// What the files of all roles have in common.
pub(super) trait RoleBody: Sized {
    /// The type that the file must state.
    const TYPE: &'static str;

    /// Reads the members of this kind of role.
    fn read(members: &mut Members<'_>, header: Header) -> Result<Self, Rejection>;

    /// The members common to all roles.
    fn header(&self) -> Header;
}

/// Version and end of a role file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Header {
    pub(super) version: Version,
    pub(super) expires: Timestamp,
}

/// One signature of a role file, as it is stated: neither key nor method are checked yet.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RoleSignature {
    /// The ID of the key that is said to have signed.
    pub key_id: String,
    /// The method that is said to have been used.
    pub method: String,
    /// The signature.
    pub signature: Vec<u8>,
}

/// A role file that was read and is not trusted yet.
#[derive(Debug)]
pub(super) struct SignedFile<T> {
    pub(super) body: T,
    pub(super) signatures: Vec<RoleSignature>,
    message: Vec<u8>,
}

impl<T: RoleBody> SignedFile<T> {
    /// Reads the file of `role`. Rejects what is not the exact structure of such a role.
    pub(super) fn parse(role: &RoleName, bytes: &[u8]) -> Result<Self, Rejection> {
        let limit = role.size_limit();
        let found = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if found > limit {
            return Err(Rejection::TooLong {
                role: role.clone(),
                limit,
                found,
            });
        }
        let value = parse_exact(bytes).map_err(|cause| Rejection::InvalidJson {
            role: role.clone(),
            cause,
        })?;
        let at = At::File(role);
        let mut file = Members::of(value, at)?;
        let signatures = file
            .list("signatures")?
            .unwrap_or_default()
            .into_iter()
            .map(|value| read_signature(value, at.member("signatures")))
            .collect::<Result<_, _>>()?;
        let signed = file.value("signed")?;
        let message = canonical(&signed);
        let at = at.member("signed");
        let mut members = Members::of(signed, at)?;
        let stated = members.text("_type")?;
        if stated != T::TYPE {
            return Err(Rejection::WrongType {
                role: role.clone(),
                expected: T::TYPE,
                found: stated,
            });
        }
        let header = Header {
            version: members.version("version")?,
            expires: members.time("expires")?,
        };
        Ok(Self {
            body: T::read(&mut members, header)?,
            signatures,
            message,
        })
    }
}

impl<T> SignedFile<T> {
    /// The bytes that the signatures are over.
    pub(super) fn message(&self) -> &[u8] {
        &self.message
    }
}

fn read_signature(value: Value, at: At<'_>) -> Result<RoleSignature, Rejection> {
    let mut members = Members::of(value, at)?;
    Ok(RoleSignature {
        key_id: members.text("keyid")?,
        method: members.text("method")?,
        signature: members.bytes("sig")?,
    })
}

/// The file of a signed message and its signatures. The server stores the message as it came, but
/// writes the file anew with Go's encoder when it serves it, so these bytes must be the ones that
/// Go writes.
pub(super) fn file_bytes(message: &[u8], signatures: &[RoleSignature]) -> Vec<u8> {
    let mut bytes = b"{\"signed\":".to_vec();
    bytes.append(&mut wire(message));
    bytes.extend(b",\"signatures\":[");
    let mut separator: &[u8] = b"";
    for signature in signatures {
        // Not through an object, which would put the members in another order.
        let sig = BASE64.encode(&signature.signature);
        let text = format!(
            r#"{{"keyid":"{}","method":"{}","sig":"{sig}"}}"#,
            signature.key_id, signature.method
        );
        bytes.extend(separator);
        bytes.extend(text.as_bytes());
        separator = b",";
    }
    bytes.extend(b"]}");
    bytes
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the fixtures are files")]
mod tests {
    use std::{fs, path::Path};

    use super::*;
    use crate::format::dct::{Root, Snapshot, Targets, TimestampFile};

    fn files(folder: &Path, all: &mut Vec<std::path::PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                files(&path, all);
            } else {
                all.push(path);
            }
        }
    }

    /// The file as we would write it, with the signatures it has.
    fn rewritten<T: RoleBody>(
        role: &str,
        bytes: &[u8],
        value: impl Fn(&T) -> Option<Value>,
    ) -> Vec<u8> {
        let file = SignedFile::<T>::parse(&role.parse().unwrap(), bytes).unwrap();
        let message =
            value(&file.body).map_or_else(|| file.message.clone(), |body| canonical(&body));
        file_bytes(&message, &file.signatures)
    }

    #[test]
    fn every_file_that_notary_wrote_is_written_again_byte_for_byte() {
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/dct");
        let mut count = 0;
        for case in [
            "a-simple",
            "b-delegations",
            "c-rotations",
            "d-many",
            "f-docker",
        ] {
            let served = fixtures.join(case).join("served");
            let mut all = Vec::new();
            files(&served, &mut all);
            for path in all {
                let bytes = fs::read(&path).unwrap();
                let name = path.strip_prefix(&served).unwrap().to_str().unwrap();
                let (_, role) = name.strip_suffix(".json").unwrap().split_once('.').unwrap();
                let written = match role {
                    "root" => rewritten(role, &bytes, |root: &Root| Some(root.value())),
                    "snapshot" => rewritten(role, &bytes, |file: &Snapshot| Some(file.value())),
                    "timestamp" => rewritten(role, &bytes, |_: &TimestampFile| None),
                    _ => rewritten(role, &bytes, |file: &Targets| Some(file.value())),
                };
                assert_eq!(
                    String::from_utf8(written).unwrap(),
                    String::from_utf8(bytes).unwrap(),
                    "{case} {name}"
                );
                count += 1;
            }
        }
        assert!(count > 80, "{count}");
    }
}
