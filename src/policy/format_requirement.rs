//! What one format must show of an image, with every file and key that it names read: the one value that flags and
//! policy files become.

use std::collections::BTreeSet;

use super::notation_trust::{NotationTrust, RepositoryTrust};
use crate::{
    format::dct::{Requirement, RootTrust},
    oci::Repository,
};

/// One requirement on signatures, ready to be checked.
#[derive(Clone, Debug)]
pub struct FormatRequirement {
    /// The requirement in words, for reports.
    pub words: String,
    /// Whose signatures are trusted.
    pub trust: FormatTrust,
}

/// Trust in signatures of one format.
#[derive(Clone, Debug)]
pub enum FormatTrust {
    /// Docker Content Trust: trust in the root, and what must hold under it.
    Dct {
        /// Trust in the root.
        root: RootTrust,
        /// What must have signed.
        requirement: Requirement,
    },
    /// Notary Project: whose signatures count.
    Notation(Box<NotationTrust>),
}

impl FormatRequirement {
    /// The thumbprints that signatures by certificate may claim here; `None` where none is looked at.
    pub fn thumbprints(&self, repository: &Repository) -> Option<BTreeSet<String>> {
        let FormatTrust::Notation(trust) = &self.trust else {
            return None;
        };
        match trust.for_repository(repository) {
            RepositoryTrust::Trust(trust) => Some(trust.thumbprints()),
            RepositoryTrust::Skip(_) | RepositoryTrust::Unlooked(_) | RepositoryTrust::Nothing => {
                None
            }
        }
    }

    /// The switch by which this is not as strict as it can be, and what that means for a repository whose trust data an
    /// earlier run saw or did not see (P09).
    pub fn lax(&self, repository: &Repository, remembered: bool) -> Option<(String, String)> {
        let meaning = match &self.trust {
            FormatTrust::Dct {
                root: RootTrust::FirstUse,
                ..
            } if remembered => {
                "no root is pinned, so the one counts that an earlier run was shown, as the state file remembers it"
            }
            FormatTrust::Dct {
                root: RootTrust::FirstUse,
                ..
            } => "whatever root the trust server showed was trusted, as nothing was pinned",
            FormatTrust::Dct {
                root: RootTrust::Keys(_) | RootTrust::Ca(_),
                ..
            }
            | FormatTrust::Notation(_) => return None,
        };
        Some((
            "--trust-on-first-use".to_owned(),
            format!("trust on first use of `{repository}`: {meaning}"),
        ))
    }
}
