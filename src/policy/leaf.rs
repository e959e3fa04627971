//! One requirement on signatures, as a policy file states it.

use std::{collections::BTreeMap, fmt};

use super::error::Located;
use crate::format::{
    dct::{KeyId, RoleName, Version},
    notation::{Action, Level, Metadata, TrustedIdentities, TrustedIdentity},
};

/// A requirement in one format.
#[derive(Clone, Debug)]
pub enum Leaf {
    /// Docker Content Trust.
    Dct(DctLeaf),
    /// Notary Project.
    Notation(NotationLeaf),
}

/// A requirement on trust data.
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

/// A requirement on signatures by certificate.
#[derive(Clone, Debug)]
pub enum NotationLeaf {
    /// Trust as the file itself states it.
    Pinned(Box<NotationPins>),
    /// notation's own policy and stores.
    Policy {
        /// The file `trustpolicy.json`.
        trust_policy: Located,
        /// The folder that holds `x509`.
        trust_store: Located,
        /// Signed metadata that is required besides.
        metadata: Metadata,
    },
}

/// Trust in signers by certificate, whose certificates are not read yet.
#[derive(Clone, Debug)]
pub struct NotationPins {
    /// Names of keys, key references and PEM files, any of: leaves, or CAs.
    pub certificates: Vec<Located>,
    /// Whom a CA is trusted for.
    pub identities: Option<TrustedIdentities>,
    /// Which checks decide.
    pub level: Level,
    /// Signed metadata that is required.
    pub metadata: Metadata,
    /// PEM files with the roots of timestamp authorities; none: timestamps are not checked.
    pub timestamp_roots: Vec<Located>,
}

impl fmt::Display for Leaf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dct(leaf) => write!(f, "dct: {leaf}"),
            Self::Notation(leaf) => write!(f, "notation: {leaf}"),
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
            RootPin::FirstUse => {
                f.write_str("any root that the trust server shows (trust on first use)")?;
            }
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

impl fmt::Display for NotationLeaf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let metadata = match self {
            Self::Pinned(pins) => {
                write!(f, "{pins}")?;
                &pins.metadata
            }
            Self::Policy {
                trust_policy,
                trust_store,
                metadata,
            } => {
                write!(
                    f,
                    "trust policy `{}`, trust store `{}`",
                    trust_policy.text, trust_store.text
                )?;
                metadata
            }
        };
        metadata
            .iter()
            .try_for_each(|(name, value)| write!(f, ", with `{name}={value}`"))
    }
}

impl fmt::Display for NotationPins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "certificate {}", any_of(&self.certificates))?;
        if let Some(TrustedIdentities::Listed(listed)) = &self.identities {
            let names: Vec<String> = listed.iter().map(identity).collect();
            write!(f, ", signer {}", names.join(" or "))?;
        }
        if self.level.name() != "strict" {
            write!(f, ", level {}", self.level.name())?;
        }
        match self.level.weaker_revocation() {
            Some(Action::Skip) => f.write_str(", revocation not looked up")?,
            Some(Action::Log) => f.write_str(", revocation only recorded")?,
            Some(Action::Enforce) | None => {}
        }
        if !self.timestamp_roots.is_empty() {
            write!(
                f,
                ", timestamp under a root in {}",
                any_of(&self.timestamp_roots)
            )?;
        }
        Ok(())
    }
}

fn any_of(named: &[Located]) -> String {
    named
        .iter()
        .map(|one| format!("`{}`", one.text))
        .collect::<Vec<_>>()
        .join(" or ")
}

fn identity(identity: &TrustedIdentity) -> String {
    match identity {
        TrustedIdentity::Subject(name) => format!("`{name}`"),
        TrustedIdentity::Other(text) => format!("`{text}`"),
    }
}
