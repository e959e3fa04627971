//! What is worth saying about trust data that is valid.

use std::{fmt, time::Duration};

use super::{delegation_state::DelegationState, name::RoleName, trusted_set::TrustedSet};
use crate::timestamp::Timestamp;

/// Owners are told this long before a role they sign expires, as notary does.
const SOON: Duration = Duration::from_secs(183 * 24 * 60 * 60);

/// One thing that is worth saying.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Warning {
    /// A role that the owner signs expires soon.
    EndsSoon {
        /// The role.
        role: RoleName,
        /// Its last moment of validity.
        expires: Timestamp,
    },
    /// A delegation is not valid and does not count (T29).
    Skipped {
        /// The role.
        role: RoleName,
        /// In which way it is not valid.
        state: DelegationState,
    },
    /// The role that a pull trusts is not valid, so the entries of `targets` are not used.
    Withheld {
        /// The role.
        role: RoleName,
        /// In which way it is not valid.
        state: DelegationState,
    },
}

impl TrustedSet {
    /// What is worth saying about the files that are loaded.
    pub fn warnings(&self) -> Vec<Warning> {
        let targets = self
            .loaded()
            .into_iter()
            .filter_map(|role| Some((role.clone(), self.targets(&role)?.expires)));
        let soon = [(RoleName::ROOT, self.root().expires)]
            .into_iter()
            .chain(
                self.snapshot()
                    .map(|snapshot| (RoleName::SNAPSHOT, snapshot.expires)),
            )
            .chain(targets)
            .filter(|(_, expires)| *expires <= self.now().plus(SOON))
            .map(|(role, expires)| Warning::EndsSoon { role, expires });
        self.skipped().into_iter().chain(soon).collect()
    }

    /// The roles of loaded files that do not count (T29).
    pub fn skipped(&self) -> Vec<Warning> {
        let withheld = self.withheld();
        let skipped = self.delegated().into_iter().filter_map(|role| {
            let state = self.delegation(&role)?;
            let invalid = matches!(
                state,
                DelegationState::Expired | DelegationState::BelowThreshold
            );
            (invalid && role != RoleName::RELEASES).then_some(Warning::Skipped { role, state })
        });
        let withheld = withheld.map(|withheld| Warning::Withheld {
            role: withheld.role,
            state: withheld.state,
        });
        withheld.into_iter().chain(skipped).collect()
    }
}

impl Warning {
    /// The role that it is about.
    pub fn role(&self) -> &RoleName {
        match self {
            Self::EndsSoon { role, .. }
            | Self::Skipped { role, .. }
            | Self::Withheld { role, .. } => role,
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EndsSoon { role, expires } => write!(f, "`{role}` expires at {expires}"),
            Self::Skipped { role, state } => write!(f, "`{role}` is {state} and is not used"),
            Self::Withheld { role, state } => {
                write!(
                    f,
                    "`{role}` is {state}, so the entries of `targets` are not used"
                )
            }
        }
    }
}
