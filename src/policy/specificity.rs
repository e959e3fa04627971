//! Of several reasons, which to show first: what points at an attack or at one thing to mend says more than that
//! something is not there.

use crate::reason::Reason;

/// The most specific first; what is not listed ranks in the middle.
const FIRST: &[Reason] = &[
    Reason::Rollback,
    Reason::DigestMismatch,
    Reason::SignatureInvalid,
    Reason::Malformed,
    Reason::RoleWithheld,
    Reason::Expired,
    Reason::NotYetValid,
    Reason::CertificateUnsuitable,
    Reason::ThresholdNotMet,
];

/// The least specific last.
const LAST: &[Reason] = &[
    Reason::UntrustedRoot,
    Reason::UntrustedKey,
    Reason::KeyNotDelegated,
    Reason::Unsigned,
];

/// A lower number is more specific.
pub(super) fn rank(reason: Reason) -> usize {
    let at = |list: &[Reason]| list.iter().position(|one| *one == reason);
    let after_first = FIRST.len() + 1;
    at(FIRST)
        .or_else(|| at(LAST).map(|place| after_first + place))
        .unwrap_or(FIRST.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_says_more_than_what_is_missing() {
        for (more, less) in [
            (Reason::Rollback, Reason::DigestMismatch),
            (Reason::DigestMismatch, Reason::Expired),
            (Reason::Expired, Reason::UntrustedKey),
            (Reason::ThresholdNotMet, Reason::UntrustedRoot),
            (Reason::UntrustedKey, Reason::Unsigned),
            (Reason::KeyNotDelegated, Reason::Unsigned),
            // One that is in no list.
            (Reason::ThresholdNotMet, Reason::Timeout),
            (Reason::Timeout, Reason::UntrustedRoot),
        ] {
            assert!(rank(more) < rank(less), "{more} {less}");
        }
    }
}
