//! What a step does: sign or verify.

/// The two commands that a step runs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verb {
    /// Sign what was pushed.
    Sign,
    /// The gate.
    Verify,
}

impl Verb {
    /// As typed.
    pub fn word(self) -> &'static str {
        match self {
            Self::Sign => "sign",
            Self::Verify => "verify",
        }
    }
}
