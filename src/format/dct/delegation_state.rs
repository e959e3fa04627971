//! How a delegated role stands: in use, or in which way it does not count.

use std::fmt;

use super::name::RoleName;
use crate::reason::Reason;

/// What is known of a role that is delegated.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DelegationState {
    /// Verified and in use.
    Loaded,
    /// Past its end.
    Expired,
    /// Signed by too few of its keys.
    BelowThreshold,
    /// Not in the snapshot: never published, or hidden.
    Absent,
    /// In the snapshot, and its file was not offered yet.
    NotLoaded,
}

impl DelegationState {
    /// The stable reason for not counting such a role.
    pub fn reason(self) -> Reason {
        match self {
            Self::Expired => Reason::Expired,
            Self::BelowThreshold => Reason::ThresholdNotMet,
            Self::Absent => Reason::Unsigned,
            Self::Loaded | Self::NotLoaded => Reason::AnswerInvalid,
        }
    }
}

impl fmt::Display for DelegationState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Loaded => "loaded",
            Self::Expired => "expired",
            Self::BelowThreshold => "below its threshold",
            Self::Absent => "absent from the snapshot (never published, or hidden)",
            Self::NotLoaded => "not loaded",
        })
    }
}

/// A delegation that a pull trusts, and that is not there in a valid form (T29, T30).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Withheld {
    /// The role.
    pub role: RoleName,
    /// In which way it is not valid.
    pub state: DelegationState,
}
