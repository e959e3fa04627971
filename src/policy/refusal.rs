//! Why a policy denies an image, where no signature is to blame.

use crate::reason::{Explain, Reason};

/// What a policy has against an image.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Refusal {
    /// No rule of the policy matches the image.
    #[error("no rule of the policy matches `{image}`")]
    NoRule {
        /// The image as named.
        image: String,
    },
    /// The exemption that matches the image has expired.
    #[error("the exemption of `{image}` ({why}) expired after {until}")]
    ExemptionExpired {
        /// The image as named.
        image: String,
        /// Its last day.
        until: String,
        /// What it was for.
        why: String,
    },
    /// Signatures are valid, but not by as many distinct keys as are required.
    #[error("the valid signatures of `{image}` are not by as many distinct keys as required")]
    TooFewKeys {
        /// The image as named.
        image: String,
        /// The reason that the policy gave.
        reason: Reason,
    },
    /// No statement of notation's trust policy matches the repository.
    #[error("no statement of the trust policy matches `{repository}`")]
    NoStatement {
        /// The repository.
        repository: String,
    },
    /// A statement of notation's trust policy lets the image pass, which proves nothing.
    #[error(
        "nothing proves who signed `{image}`: the statement `{statement}` of the trust policy allows it without proof"
    )]
    NotAuthentic {
        /// The image.
        image: String,
        /// The statement.
        statement: String,
    },
    /// Metadata is required, and a statement of notation's trust policy has no signature checked.
    #[error(
        "nothing shows that `{image}` carries the required metadata: the statement `{statement}` skips its signatures"
    )]
    Unchecked {
        /// The image.
        image: String,
        /// The statement.
        statement: String,
    },
}

impl Explain for Refusal {
    fn reason(&self) -> Reason {
        match self {
            Self::NoRule { .. } | Self::NoStatement { .. } => Reason::NoRule,
            Self::ExemptionExpired { .. } => Reason::ExemptionEnded,
            Self::TooFewKeys { reason, .. } => *reason,
            Self::NotAuthentic { .. } => Reason::UntrustedKey,
            Self::Unchecked { .. } => Reason::MetadataMismatch,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NoRule { .. } => "images that no rule matches are denied: add a rule for it",
            Self::ExemptionExpired { .. } => {
                "have the image signed, or set a later `until` with a reason"
            }
            Self::TooFewKeys { .. } => "a key counts once, in whatever formats it signed",
            Self::NoStatement { .. } => {
                "add its name to `registryScopes` of a statement, host and port included"
            }
            Self::NotAuthentic { .. } => "if it is meant to pass, write an exemption into the rule",
            Self::Unchecked { .. } => {
                "give the statement a level that checks signatures, or require no metadata"
            }
        };
        Some(hint.to_owned())
    }
}
