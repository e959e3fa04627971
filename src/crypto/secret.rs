//! Text and bytes that must never be printed, and are wiped when dropped.

use std::fmt;

use zeroize::Zeroizing;

/// A token, password or passphrase. No `Display`, no `Serialize`; `Debug` prints `[redacted]`.
#[derive(Clone, Eq, PartialEq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the text over; the caller's other copies are the caller's to wipe.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text itself, for the one place that sends or uses it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Private key material. No `Clone`; `Debug` prints `[redacted]`.
pub struct SecretBytes(Zeroizing<Vec<u8>>);

impl SecretBytes {
    /// Takes the bytes over.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes themselves.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p06_debug_hides_the_text() {
        assert_eq!(format!("{:?}", Secret::new("canary".into())), "[redacted]");
        assert_eq!(
            format!("{:?}", SecretBytes::new(b"canary".to_vec())),
            "[redacted]"
        );
    }
}
