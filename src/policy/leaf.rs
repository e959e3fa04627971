//! One demand on signatures, as a policy file states it.

use std::{collections::BTreeMap, fmt};

use super::error::Located;
use crate::format::dct::{KeyId, RoleName, Version};

/// A demand in one format.
#[derive(Clone, Debug)]
pub enum Leaf {
    /// Docker Content Trust.
    Dct(DctLeaf),
}

/// A demand on trust data.
#[derive(Clone, Debug)]
pub struct DctLeaf {
    /// Trust in the root.
    pub root: RootPin,
    /// The roles that must have signed; none: what a trusting pull takes.
    pub signers: Vec<RoleName>,
    /// The lowest version that each of these roles may have.
    pub minimum_versions: BTreeMap<RoleName, Version>,
}

/// How trust in a root begins, before any file is read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum RootPin {
    /// Any of these keys.
    Keys(Vec<KeyId>),
    /// A file of CA certificates.
    Ca(Located),
    /// Whatever the server shows.
    FirstUse,
}

impl fmt::Display for Leaf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dct(leaf) => write!(f, "dct: {leaf}"),
        }
    }
}

impl fmt::Display for DctLeaf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.root {
            RootPin::Keys(ids) => {
                let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
                write!(f, "root {}", ids.join(" or "))?;
            }
            RootPin::Ca(file) => write!(f, "root of the CA `{}`", file.text)?,
            RootPin::FirstUse => f.write_str("whatever root the trust server shows (trust on first use)")?,
        }
        if self.signers.is_empty() {
            f.write_str(", released as a trusting pull takes it")?;
        }
        for signer in &self.signers {
            write!(f, ", signed by `{signer}`")?;
        }
        for (role, version) in &self.minimum_versions {
            write!(f, ", `{role}` of version {version} at least")?;
        }
        Ok(())
    }
}
