//! What one format must show of an image, with every file and key that it names read: the one value that flags and
//! policy files become.

use super::notation_trust::NotationTrust;
use crate::format::dct::{Requirement, RootTrust};

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
