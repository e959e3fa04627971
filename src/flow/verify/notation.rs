//! What Notary Project signatures are held against: pins given by flags, or notation's own policy and stores.

use std::collections::BTreeMap;

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
        /// Metadata that is demanded besides.
        metadata: Metadata,
    },
}

/// What counts for one repository.
pub(super) enum Applied<'a> {
    /// This trust.
    Trust(Box<Trust>),
    /// A statement that demands nothing.
    Skip(&'a str),
    /// A statement that looks at no signature, although metadata is demanded besides.
    Unlooked(&'a str),
    /// No statement is about it.
    Nothing,
}

impl NotationTrust {
    pub(super) fn for_repository(&self, repository: &Repository) -> Applied<'_> {
        match self {
            Self::Pinned(trust) => Applied::Trust(trust.clone()),
            Self::Policy {
                policy,
                stores,
                metadata,
            } => match policy.statement(repository) {
                None => Applied::Nothing,
                Some(statement) => match statement.trust(stores) {
                    Some(trust) => {
                        Applied::Trust(Box::new(trust.require_metadata(metadata.clone())))
                    }
                    None if metadata.is_empty() => Applied::Skip(statement.name()),
                    None => Applied::Unlooked(statement.name()),
                },
            },
        }
    }
}
