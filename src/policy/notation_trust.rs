//! What Notary Project signatures are held against: pins given by flags, or notation's own policy and stores.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    crypto::Certificate,
    format::notation::{Metadata, StoreFault, StoreName, Trust, TrustPolicy},
    oci::Repository,
};

/// Trust in signers by certificate.
#[derive(Clone, Debug)]
pub enum NotationTrust {
    /// Certificates that were named.
    Pinned(Box<Trust>),
    /// A trust policy of notation: its statements say which repository wants what.
    Policy {
        /// The document.
        policy: TrustPolicy,
        /// The stores that it names.
        stores: BTreeMap<StoreName, Result<Vec<Certificate>, StoreFault>>,
        /// Metadata that is required besides.
        metadata: Metadata,
    },
}

/// What is trusted for one repository.
#[derive(Debug)]
pub enum RepositoryTrust<'a> {
    /// This trust.
    Trust(Box<Trust>),
    /// A statement that demands nothing.
    Skip(&'a str),
    /// A statement that looks at no signature, although metadata is required besides.
    Unlooked(&'a str),
    /// No statement is about it.
    Nothing,
}

impl NotationTrust {
    /// What counts for one repository.
    pub fn for_repository(&self, repository: &Repository) -> RepositoryTrust<'_> {
        match self {
            Self::Pinned(trust) => RepositoryTrust::Trust(trust.clone()),
            Self::Policy {
                policy,
                stores,
                metadata,
            } => match policy.statement(repository) {
                None => RepositoryTrust::Nothing,
                Some(statement) => match statement.trust(stores) {
                    Some(trust) => {
                        RepositoryTrust::Trust(Box::new(trust.require_metadata(metadata.clone())))
                    }
                    None if metadata.is_empty() => RepositoryTrust::Skip(statement.name()),
                    None => RepositoryTrust::Unlooked(statement.name()),
                },
            },
        }
    }

    /// The thumbprints that signatures may claim here; `None` where no signature is checked.
    pub fn thumbprints(&self, repository: &Repository) -> Option<BTreeSet<String>> {
        match self.for_repository(repository) {
            RepositoryTrust::Trust(trust) => Some(trust.thumbprints()),
            RepositoryTrust::Skip(_) | RepositoryTrust::Unlooked(_) | RepositoryTrust::Nothing => {
                None
            }
        }
    }
}
