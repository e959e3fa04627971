//! Text and bytes that must never be printed, and are wiped when dropped.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

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

    /// `bytes` with `***` in its place, also where it stands as JSON writes it.
    pub fn hide(&self, bytes: Vec<u8>) -> Vec<u8> {
        let json = Zeroizing::new(serde_json::Value::from(self.expose()).to_string());
        let inner = json
            .get(1..json.len().saturating_sub(1))
            .unwrap_or_default();
        [self.expose(), inner]
            .into_iter()
            .fold(bytes, |bytes, form| without(bytes, form.as_bytes()))
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

/// Told of every secret the moment it exists, so that a pipeline host can mask it, and that nothing shows it that a service
/// sends back.
#[derive(Clone, Default)]
pub struct Mask {
    host: Option<Arc<Host>>,
    told: Arc<Mutex<Vec<Secret>>>,
}

/// What masks secrets.
type Host = dyn Fn(&str) + Send + Sync;

impl Mask {
    /// Tells `host`.
    pub fn new(host: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self {
            host: Some(Arc::new(host)),
            told: Arc::default(),
        }
    }

    /// Tells of a secret.
    pub fn announce(&self, secret: &str) {
        if let Some(host) = &self.host {
            host(secret);
        }
        self.remember(Secret::new(secret.to_owned()));
    }

    /// Takes note of a secret that the host is not told of, such as another form of one that it knows.
    pub fn remember(&self, secret: Secret) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if !told.contains(&secret) {
            told.push(secret);
        }
    }

    /// `bytes` without all of these secrets. Hosts look for the secret itself, and what is printed of an answer is
    /// not that any more where it was escaped.
    pub fn hide(&self, bytes: Vec<u8>) -> Vec<u8> {
        self.told
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .fold(bytes, |bytes, secret| secret.hide(bytes))
    }
}

/// A word as short as this says little, and would be replaced all over the text.
const SHORT: usize = 4;

fn without(bytes: Vec<u8>, secret: &[u8]) -> Vec<u8> {
    if secret.len() < SHORT || !bytes.windows(secret.len()).any(|part| part == secret) {
        return bytes;
    }
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes.as_slice();
    while let Some((first, more)) = rest.split_first() {
        if let Some(after) = rest.strip_prefix(secret) {
            out.extend_from_slice(b"***");
            rest = after;
        } else {
            out.push(*first);
            rest = more;
        }
    }
    out
}

impl fmt::Debug for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.host.is_some() {
            "Mask(host)"
        } else {
            "Mask(none)"
        })
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

    #[test]
    fn p06_what_was_told_of_is_hidden() {
        let mask = Mask::default();
        for secret in ["canary", "c\"1\"", "abc", ""] {
            mask.announce(secret);
        }
        let hidden = |text: &str| String::from_utf8(mask.hide(text.into())).unwrap();
        assert_eq!(
            hidden("canarycanary, canar c\"1\" abc"),
            "******, canar *** abc"
        );
        assert_eq!(
            hidden(r#"{"a":"c\"1\"","b":"x"}"#),
            r#"{"a":"***","b":"x"}"#
        );
    }
}
