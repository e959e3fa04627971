//! The names of trust data: collection, role, key ID, version, threshold.
//!
//! Each is parsed once and cannot hold what its grammar forbids; matching is linear in the length
//! (T17), and none of them ever becomes a file path (T16).

use std::{
    borrow::Cow,
    fmt,
    num::{NonZeroU32, NonZeroU64},
    str::FromStr,
};

use sha2::{Digest as _, Sha256};

use crate::oci::Repository;

/// The name of a trusted collection: the full repository name with its registry host, without a
/// tag.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Gun(Box<str>);

impl Gun {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&Repository> for Gun {
    fn from(repository: &Repository) -> Self {
        Self(repository.to_string().into())
    }
}

impl fmt::Display for Gun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of a role: one of the four base roles, or a delegation below `targets/`.
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct RoleName(Cow<'static, str>);

/// The text is not a role name.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("`{text}` is not a role name")]
pub struct InvalidRoleName {
    text: String,
}

impl RoleName {
    /// `root`, which lists the keys of the base roles.
    pub const ROOT: Self = Self(Cow::Borrowed("root"));
    /// `targets`, which holds tags and lists the delegations.
    pub const TARGETS: Self = Self(Cow::Borrowed("targets"));
    /// `snapshot`, which holds the hashes of all other files but the timestamp.
    pub const SNAPSHOT: Self = Self(Cow::Borrowed("snapshot"));
    /// `timestamp`, which holds the hash of the snapshot.
    pub const TIMESTAMP: Self = Self(Cow::Borrowed("timestamp"));
    /// `targets/releases`, the delegation that a trusting pull searches first.
    pub const RELEASES: Self = Self(Cow::Borrowed("targets/releases"));
    /// The base roles, which every root lists.
    pub const BASE: [Self; 4] = [Self::ROOT, Self::TARGETS, Self::SNAPSHOT, Self::TIMESTAMP];

    /// A signer as people name it: `targets` is the base role, `NAME` is `targets/NAME`, a full
    /// path stands for itself.
    pub fn signer(name: &str) -> Result<Self, InvalidRoleName> {
        if name == "targets" || name.starts_with("targets/") {
            return name.parse();
        }
        if name.contains('/') {
            return Err(InvalidRoleName::of(name));
        }
        format!("targets/{name}").parse()
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is a delegation, so not one of the base roles.
    pub fn is_delegation(&self) -> bool {
        self.0.contains('/')
    }

    /// The role that may delegate to this one; `None` for base roles.
    pub fn parent(&self) -> Option<Self> {
        let (parent, _) = self.0.rsplit_once('/')?;
        Some(Self(Cow::Owned(parent.to_owned())))
    }

    /// Whether this role lies anywhere below `other`.
    pub fn is_below(&self, other: &Self) -> bool {
        self.0
            .strip_prefix(other.as_str())
            .is_some_and(|rest| rest.starts_with('/'))
    }

    /// The most bytes that a file of this role may have. Root and timestamp hold keys and one hash;
    /// 64 MiB hold half a million tags.
    pub fn size_limit(&self) -> u64 {
        if *self == Self::ROOT || *self == Self::TIMESTAMP {
            1 << 20
        } else {
            64 << 20
        }
    }
}

impl InvalidRoleName {
    fn of(text: &str) -> Self {
        Self {
            text: text.chars().take(100).collect(),
        }
    }
}

impl FromStr for RoleName {
    type Err = InvalidRoleName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(base) = Self::BASE.into_iter().find(|base| base.as_str() == text) {
            return Ok(base);
        }
        let clean = text.len() < 256
            && text.starts_with("targets/")
            && text
                .bytes()
                .all(|byte| matches!(byte, b'-' | b'_' | b'/' | b'a'..=b'z' | b'0'..=b'9'))
            && text.split('/').all(|segment| !segment.is_empty());
        if clean {
            Ok(Self(Cow::Owned(text.to_owned())))
        } else {
            Err(InvalidRoleName::of(text))
        }
    }
}

impl fmt::Display for RoleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for RoleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The ID of a key: SHA-256 of its canonical description, 64 lower-case hex digits.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct KeyId([u8; 32]);

/// The text is not a key ID.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("`{text}` is not a key ID (64 lower-case hex digits)")]
pub struct InvalidKeyId {
    text: String,
}

impl KeyId {
    /// The ID of the key whose canonical description these bytes are.
    pub fn of(description: &[u8]) -> Self {
        Self(Sha256::digest(description).into())
    }
}

impl InvalidKeyId {
    fn of(text: &str) -> Self {
        Self {
            text: text.chars().take(100).collect(),
        }
    }
}

/// The value of a lower-case hexadecimal digit.
fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    }
}

impl FromStr for KeyId {
    type Err = InvalidKeyId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut id = [0; 32];
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        if pairs.len() != id.len() || !rest.is_empty() {
            return Err(InvalidKeyId::of(text));
        }
        for (byte, [high, low]) in id.iter_mut().zip(pairs) {
            *byte = digit(*high)
                .zip(digit(*low))
                .map(|(high, low)| high << 4 | low)
                .ok_or_else(|| InvalidKeyId::of(text))?;
        }
        Ok(Self(id))
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The version of a role file, at least 1.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Version(NonZeroU64);

impl Version {
    /// The first version of a file.
    pub const FIRST: Self = Self(NonZeroU64::MIN);

    /// From a number; `None` for zero.
    pub fn new(number: u64) -> Option<Self> {
        NonZeroU64::new(number).map(Self)
    }

    /// The number.
    pub fn get(self) -> u64 {
        self.0.get()
    }

    /// The version after this one; `None` where numbers end.
    pub fn next(self) -> Option<Self> {
        self.0.checked_add(1).map(Self)
    }

    /// The version before this one; `None` for the first.
    pub fn previous(self) -> Option<Self> {
        Self::new(self.get() - 1)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How many distinct keys must have signed; zero cannot be expressed (T13).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Threshold(NonZeroU32);

impl Threshold {
    /// One key is enough.
    pub const ONE: Self = Self(NonZeroU32::MIN);

    /// From a number; `None` for zero.
    pub fn new(number: u32) -> Option<Self> {
        NonZeroU32::new(number).map(Self)
    }

    /// The number.
    pub fn get(self) -> u32 {
        self.0.get()
    }

    /// Whether `count` keys are enough.
    pub fn is_met_by(self, count: usize) -> bool {
        u32::try_from(count).unwrap_or(u32::MAX) >= self.get()
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t16_role_names_never_hold_a_path() {
        for good in ["root", "targets", "targets/releases", "targets/a/b-c_9"] {
            assert_eq!(good.parse::<RoleName>().unwrap().as_str(), good);
        }
        let long = format!("targets/{}", "a".repeat(248));
        for bad in [
            "",
            "Root",
            "releases",
            "targets/",
            "targets//a",
            "targets/a/",
            "targets/../root",
            "targets/.",
            "targets/A",
            "targets/a.b",
            "targets/a\\b",
            "targets/a\0",
            "targets/é",
            "root/a",
            "mirrors",
            &long,
        ] {
            assert!(bad.parse::<RoleName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn t17_a_long_delegation_name_is_refused_in_linear_time() {
        let name = format!("targets/{}", "a/".repeat(32 * 1024));
        let refused = name.parse::<RoleName>().unwrap_err();
        assert!(refused.to_string().len() < 150);
    }

    #[test]
    fn signer_names() {
        assert_eq!(RoleName::signer("targets").unwrap(), RoleName::TARGETS);
        assert_eq!(RoleName::signer("releases").unwrap(), RoleName::RELEASES);
        assert_eq!(
            RoleName::signer("targets/a/b").unwrap().as_str(),
            "targets/a/b"
        );
        for bad in ["a/b", "", "root/x", "Alice", "../x"] {
            assert!(RoleName::signer(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn parents_and_descent() {
        let nested: RoleName = "targets/a/b".parse().unwrap();
        assert_eq!(nested.parent().unwrap().as_str(), "targets/a");
        assert!(nested.is_below(&RoleName::TARGETS));
        assert!(
            !"targets/ab"
                .parse::<RoleName>()
                .unwrap()
                .is_below(&"targets/a".parse().unwrap())
        );
        assert_eq!(RoleName::TARGETS.parent(), None);
    }

    #[test]
    fn key_ids_are_lower_case_hex() {
        let text = "0de83a32ad7972bdbe1d297861a0befae1b12136e9031b1deaf5fd0ae33ac4ee";
        assert_eq!(text.parse::<KeyId>().unwrap().to_string(), text);
        for bad in [
            &text.to_uppercase(),
            &text[1..],
            "",
            &format!("{text}0"),
            &format!("{text}00"),
            &text.replace('0', "é"),
        ] {
            assert!(bad.parse::<KeyId>().is_err(), "{bad}");
        }
    }
}
