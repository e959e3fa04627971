//! How an image or a signature ended, in one stable word.

/// How an image ended.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Status {
    /// Signed in this run.
    Signed,
    /// Signed before, left alone.
    AlreadySigned,
    /// Checked, and not signed for a reason of its own.
    Refused,
    /// Could not be signed.
    Failed,
    /// Would be signed (`--dry-run`).
    Planned,
    /// The signature holds.
    Verified,
    /// Not checked, by a written exemption.
    Exempt,
    /// Checked, and not good enough.
    Rejected,
    /// Could not find out.
    Undecided,
    /// Shown, not judged (`inspect` without a pin).
    Shown,
    /// Taken out of the roles named.
    Revoked,
    /// Changed as asked.
    Changed,
    /// Already as asked.
    Unchanged,
}

impl Status {
    /// The stable word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Signed => "signed",
            Self::AlreadySigned => "already-signed",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Planned => "planned",
            Self::Verified => "verified",
            Self::Exempt => "exempt",
            Self::Rejected => "rejected",
            Self::Undecided => "undecided",
            Self::Shown => "shown",
            Self::Revoked => "revoked",
            Self::Changed => "changed",
            Self::Unchanged => "unchanged",
        }
    }

    /// Whether the image is signed now, or was found to be.
    pub fn counts(self) -> bool {
        matches!(self, Self::Signed | Self::AlreadySigned | Self::Verified)
    }

    /// Whether the image ended as asked.
    pub fn is_good(self) -> bool {
        match self {
            Self::Signed
            | Self::AlreadySigned
            | Self::Planned
            | Self::Verified
            | Self::Exempt
            | Self::Shown
            | Self::Revoked
            | Self::Changed
            | Self::Unchanged => true,
            Self::Refused | Self::Failed | Self::Rejected | Self::Undecided => false,
        }
    }
}
