//! What a leaf demands, with every file that it names read.

use std::collections::BTreeSet;

use super::notation::{Applied, NotationTrust};
use crate::{
    format::dct::{Requirement, RootTrust},
    oci::Repository,
};

/// One demand on signatures, ready to be checked.
#[derive(Clone, Debug)]
pub struct Trust {
    /// The demand in words, for reports.
    pub words: String,
    /// The demand.
    pub demand: Demanded,
}

/// A demand in one format.
#[derive(Clone, Debug)]
pub enum Demanded {
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

impl Trust {
    /// The thumbprints that signatures by certificate may claim here; `None` where none is looked at.
    pub(super) fn thumbprints(&self, repository: &Repository) -> Option<BTreeSet<String>> {
        let Demanded::Notation(trust) = &self.demand else {
            return None;
        };
        match trust.for_repository(repository) {
            Applied::Trust(trust) => Some(trust.thumbprints()),
            Applied::Skip(_) | Applied::Unlooked(_) | Applied::Nothing => None,
        }
    }

    /// The switch by which this is not as strict as it can be, and what that means for a repository whose trust data an
    /// earlier run saw or did not see (P09).
    pub(super) fn lax(
        &self,
        repository: &Repository,
        remembered: bool,
    ) -> Option<(String, String)> {
        let meaning = match &self.demand {
            Demanded::Dct {
                root: RootTrust::FirstUse,
                ..
            } if remembered => {
                "no root is pinned, so the one counts that an earlier run was shown, as the state file remembers it"
            }
            Demanded::Dct {
                root: RootTrust::FirstUse,
                ..
            } => "whatever root the trust server showed was trusted, as nothing was pinned",
            Demanded::Dct {
                root: RootTrust::Keys(_) | RootTrust::Ca(_),
                ..
            }
            | Demanded::Notation(_) => return None,
        };
        Some((
            "--trust-on-first-use".to_owned(),
            format!("trust on first use of `{repository}`: {meaning}"),
        ))
    }
}
