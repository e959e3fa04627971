//! Verification levels: which checks decide, and which are only recorded (Notary Project,
//! "Signature Verification Level").

/// What happens when a check fails.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Action {
    /// The signature is rejected.
    Enforce,
    /// The failure is recorded, and the signature may still pass.
    Log,
    /// The check is not made.
    Skip,
}

/// The steps of verification, in the order in which they are made (those of the specification, with
/// payload before trust and revocation last, so that nothing a certificate names is contacted
/// before).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Check {
    /// The signature manifest and its subject.
    Manifest,
    /// Envelope, headers, certificate rules and signature.
    Integrity,
    /// A plug-in that the signature requires.
    Plugin,
    /// What is signed is this image.
    Payload,
    /// The signer is trusted.
    Authenticity,
    /// The user metadata that was required.
    Metadata,
    /// The signature's own expiry.
    Expiry,
    /// It was made while the certificates were valid.
    AuthenticTimestamp,
    /// No certificate is revoked.
    Revocation,
}

/// A level with its overrides.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Level {
    name: &'static str,
    pub(super) authenticity: Action,
    pub(super) authentic_timestamp: Action,
    pub(super) expiry: Action,
    pub(super) revocation: Action,
}

impl Level {
    /// Every check decides.
    pub const STRICT: Self = Self {
        name: "strict",
        authenticity: Action::Enforce,
        authentic_timestamp: Action::Enforce,
        expiry: Action::Enforce,
        revocation: Action::Enforce,
    };
    /// Integrity and authenticity decide; time and revocation are recorded (N04).
    pub const PERMISSIVE: Self = Self {
        name: "permissive",
        authenticity: Action::Enforce,
        authentic_timestamp: Action::Log,
        expiry: Action::Log,
        revocation: Action::Log,
    };
    /// Integrity decides; everything else is recorded.
    pub const AUDIT: Self = Self {
        name: "audit",
        authenticity: Action::Log,
        authentic_timestamp: Action::Log,
        expiry: Action::Log,
        revocation: Action::Log,
    };

    /// The level's name; `custom` once a trust policy overrides a check.
    pub fn name(self) -> &'static str {
        self.name
    }

    /// The same level with another action for revocation.
    #[must_use]
    pub fn with_revocation(self, revocation: Action) -> Self {
        Self { revocation, ..self }
    }

    /// What happens to revocation, where it is less than the level's name says.
    pub fn weaker_revocation(self) -> Option<Action> {
        let usual = Self::from_name(self.name).map_or(Action::Enforce, |level| level.revocation);
        (self.revocation != Action::Enforce && self.revocation != usual).then_some(self.revocation)
    }

    /// The level of a name in a trust policy; `None` for `skip` and unknown names.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        [Self::STRICT, Self::PERMISSIVE, Self::AUDIT]
            .into_iter()
            .find(|level| level.name == name)
    }

    /// Overrides a check as a trust policy may: `None` where it may not.
    pub(super) fn overridden(mut self, check: &str, action: &str) -> Option<Self> {
        let action = match (action, check) {
            ("enforce", _) => Action::Enforce,
            ("log", _) => Action::Log,
            ("skip", "revocation") => Action::Skip,
            _ => return None,
        };
        match check {
            "authenticity" => self.authenticity = action,
            "authenticTimestamp" => self.authentic_timestamp = action,
            "expiry" => self.expiry = action,
            "revocation" => self.revocation = action,
            _ => return None,
        }
        Some(Self {
            name: "custom",
            ..self
        })
    }

    /// What happens when a check fails. Integrity and what belongs to it always decides.
    pub fn action(self, check: Check) -> Action {
        match check {
            Check::Manifest
            | Check::Integrity
            | Check::Plugin
            | Check::Payload
            | Check::Metadata => Action::Enforce,
            Check::Authenticity => self.authenticity,
            Check::Expiry => self.expiry,
            Check::AuthenticTimestamp => self.authentic_timestamp,
            Check::Revocation => self.revocation,
        }
    }
}
