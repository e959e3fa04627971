//! Stable reason codes and the exit code each one leads to.
//!
//! One enum for every ending that is not "done": rejected, usage and undecided stay apart by their
//! exit code. `docs/reasons.md` lists the same codes with cause and fix; a test holds the two together.

use std::fmt;

/// How a run ends, as the process exit code.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Exit {
    /// Everything signed, verified or done.
    Done,
    /// Looked at, and rejected.
    Rejected,
    /// Usage or configuration is wrong.
    Usage,
    /// Could not find out or finish.
    Undecided,
    /// Interrupted by the user.
    Interrupted,
}

impl Exit {
    /// The process exit code.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Rejected => 1,
            Self::Usage => 2,
            Self::Undecided => 3,
            Self::Interrupted => 130,
        }
    }

    /// The worse of two endings: interrupted over 2 over 3 over 1 over 0.
    #[must_use]
    pub fn worst(self, other: Self) -> Self {
        let rank = |exit| match exit {
            Self::Done => 0,
            Self::Rejected => 1,
            Self::Undecided => 2,
            Self::Usage => 3,
            Self::Interrupted => 4,
        };
        if rank(other) > rank(self) {
            other
        } else {
            self
        }
    }
}

macro_rules! reasons {
    ($($exit:ident { $($(#[$doc:meta])* $variant:ident = $code:literal,)* })*) => {
        /// Why an image or a run did not end well; the code is stable and appears in JSON, SARIF and docs.
        #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Ord, PartialOrd)]
        pub enum Reason { $($($(#[$doc])* $variant,)*)* }

        impl Reason {
            /// Every reason, in the order of the table in `docs/reasons.md`.
            pub const ALL: &'static [Self] = &[$($(Self::$variant,)*)*];

            /// The stable kebab-case code.
            pub fn code(self) -> &'static str {
                match self { $($(Self::$variant => $code,)*)* }
            }

            /// The exit code this reason leads to.
            pub fn exit(self) -> Exit {
                match self { $($(Self::$variant => Exit::$exit,)*)* }
            }
        }
    };
}

reasons! {
    Rejected {
        /// No signature counts for this image.
        Unsigned = "unsigned",
        /// Signed, by a key that is not trusted.
        UntrustedKey = "untrusted-key",
        /// The root of the trust data does not lead from the pin.
        UntrustedRoot = "untrusted-root",
        /// Signed by an identity that is not trusted.
        UntrustedIdentity = "untrusted-identity",
        /// The digest differs from what was signed or named.
        DigestMismatch = "digest-mismatch",
        /// The signature is about another image.
        SubjectMismatch = "subject-mismatch",
        /// Trust data or signature is past its end.
        Expired = "expired",
        /// Trust data or certificate is not valid yet.
        NotYetValid = "not-yet-valid",
        /// A certificate was revoked.
        Revoked = "revoked",
        /// Older than what was seen before or is demanded.
        Rollback = "rollback",
        /// Too few valid signatures of distinct keys.
        ThresholdNotMet = "threshold-not-met",
        /// A delegation that a pull trusts is delegated but not served in a valid form.
        RoleWithheld = "role-withheld",
        /// A signature does not verify.
        SignatureInvalid = "signature-invalid",
        /// Looked at, and not of the form its specification demands.
        Malformed = "malformed",
        /// A certificate breaks the rules of its use.
        CertificateUnsuitable = "certificate-unsuitable",
        /// A timestamp is missing or proves nothing.
        TimestampInvalid = "timestamp-invalid",
        /// The signature demands something that is not known here.
        CriticalUnknown = "critical-unknown",
        /// Signed metadata is not what was demanded.
        MetadataMismatch = "metadata-mismatch",
        /// No rule of the policy is about this image.
        NoRule = "no-rule",
        /// The exemption of this image has ended.
        ExemptionEnded = "exemption-ended",
        /// No role of the collection lists the signing key.
        KeyNotDelegated = "key-not-delegated",
    }
    Usage {
        /// The command line is wrong.
        Usage = "usage",
        /// A policy breaks the rules of its format.
        PolicyInvalid = "policy-invalid",
        /// Nothing says what must be signed.
        PolicyMissing = "policy-missing",
        /// The environment or a setting is wrong.
        ConfigInvalid = "config-invalid",
        /// A deployment manifest cannot be read, or names an image that cannot be known.
        ManifestInvalid = "manifest-invalid",
        /// No image was named or found.
        NoImages = "no-images",
        /// Trust in a root was not given.
        RootNotPinned = "root-not-pinned",
        /// The key cannot be used for this format.
        KeyUnsuitable = "key-unsuitable",
        /// A host is not among those that may be asked.
        HostNotAllowed = "host-not-allowed",
        /// No Azure identity is there.
        IdentityUnavailable = "identity-unavailable",
    }
    Undecided {
        /// The Azure identity was refused or could not be reached.
        IdentityFailed = "identity-failed",
        /// The registry does not accept the login.
        RegistryUnauthorized = "registry-unauthorized",
        /// The registry forbids the operation.
        RegistryForbidden = "registry-forbidden",
        /// The registry asks to slow down, and the run's time is over.
        RegistryThrottled = "registry-throttled",
        /// The registry cannot be reached.
        RegistryUnreachable = "registry-unreachable",
        /// An answer is not of the form its protocol demands.
        AnswerInvalid = "answer-invalid",
        /// The image or repository is not there.
        NotFound = "not-found",
        /// A redirect or continuation leads where none may.
        RedirectRefused = "redirect-refused",
        /// A limit on work or size was reached.
        LimitReached = "limit-reached",
        /// The registry does not offer content trust.
        ContentTrustDisabled = "content-trust-disabled",
        /// The login may push but not sign.
        SignerRoleMissing = "signer-role-missing",
        /// Other writers published first, again and again.
        RaceLost = "race-lost",
        /// The vault forbids the operation.
        VaultForbidden = "vault-forbidden",
        /// The vault asks to slow down, and the run's time is over.
        VaultThrottled = "vault-throttled",
        /// The vault cannot be reached.
        VaultUnreachable = "vault-unreachable",
        /// The vault answered with another key, form or version.
        VaultAnswerInvalid = "vault-answer-invalid",
        /// The key is not there.
        KeyNotFound = "key-not-found",
        /// The key is disabled.
        KeyDisabled = "key-disabled",
        /// The key is outside its period of validity.
        KeyExpired = "key-expired",
        /// Whether a certificate was revoked could not be found out.
        RevocationUnknown = "revocation-unknown",
        /// The timestamp authority gave no timestamp.
        TimestampUnavailable = "timestamp-unavailable",
        /// The run's deadline passed.
        Timeout = "timeout",
    }
    Interrupted {
        /// The run was interrupted.
        Interrupted = "interrupted",
    }
}

/// The table of `docs/reasons.md`: code, exit code, cause, fix.
const TABLE: &str = include_str!("../docs/reasons.md");

impl Reason {
    /// What leads to this reason, in words.
    pub fn cause(self) -> &'static str {
        self.cell(3)
    }

    /// What to do about it in general, where the error itself has no better hint.
    pub fn fix(self) -> &'static str {
        self.cell(4)
    }

    /// The address of the page that says more about it.
    pub fn page(self) -> String {
        format!(
            "https://github.com/org/acr-sign/blob/main/docs/reasons.md#{}",
            self.code()
        )
    }

    /// What that page says of it, as Markdown.
    pub fn details(self) -> &'static str {
        let title = format!("\n### {}\n", self.code());
        let after = TABLE.split_once(&title).map_or("", |(_, after)| after);
        after.split("\n### ").next().unwrap_or_default().trim()
    }

    fn cell(self, number: usize) -> &'static str {
        let row = TABLE.lines().find(|line| {
            line.strip_prefix("| `")
                .and_then(|rest| rest.strip_prefix(self.code()))
                .is_some_and(|rest| rest.starts_with('`'))
        });
        row.and_then(|row| row.split('|').nth(number))
            .unwrap_or_default()
            .trim()
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// An error that a person is told about: its reason, and what to do.
pub trait Explain: std::error::Error {
    /// The stable reason code.
    fn reason(&self) -> Reason;

    /// What to do about it, when there is something to say.
    fn hint(&self) -> Option<String> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn worst_ending_applies() {
        assert_eq!(Exit::Rejected.worst(Exit::Undecided), Exit::Undecided);
        assert_eq!(Exit::Usage.worst(Exit::Undecided), Exit::Usage);
        assert_eq!(Exit::Done.worst(Exit::Rejected), Exit::Rejected);
    }

    #[test]
    fn every_reason_has_a_cause_and_a_fix() {
        for reason in Reason::ALL {
            assert!(
                reason.cause().len() > 10 && reason.fix().len() > 5,
                "{reason}"
            );
        }
        assert_eq!(Reason::Timeout.fix(), "raise `--timeout`");
    }

    #[test]
    fn codes_are_distinct_and_kebab_case() {
        let mut codes: Vec<_> = Reason::ALL.iter().map(|reason| reason.code()).collect();
        assert!(
            codes
                .iter()
                .all(|code| code.bytes().all(|b| b == b'-' || b.is_ascii_lowercase()))
        );
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), Reason::ALL.len());
    }
}
