//! The secrets of a run: every one is announced the moment it exists, and hidden in whatever leaves the program.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use zeroize::Zeroizing;

use super::{Secret, spelling::Spelling};

/// A word as short as this says little, and would be replaced all over the text.
const SHORT: usize = 4;
/// A line of a longer secret is hidden by itself from this length on: the last line of a PEM file may be a few
/// characters that stand in any text.
const LINE: usize = 16;

/// Every secret of a run. Clones share what they know.
///
/// A pipeline host masks secrets literally, and a service may send one back in another spelling. So whoever makes
/// a secret announces it here, and whoever writes text passes it through [`Mask::hide`].
#[derive(Clone, Default)]
pub struct Mask {
    host: Option<Arc<Host>>,
    known: Arc<Mutex<Vec<Known>>>,
}

/// What tells the pipeline host.
type Host = dyn Fn(&str) + Send + Sync;

/// A secret, and how it is found.
struct Known {
    secret: Secret,
    spelling: Spelling,
}

impl Mask {
    /// Passes every announced secret on to `host`.
    pub fn new(host: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self {
            host: Some(Arc::new(host)),
            known: Arc::default(),
        }
    }

    /// Announces a secret: the pipeline host learns of it, and it is hidden from now on.
    pub fn announce(&self, secret: &str) {
        if let Some(host) = &self.host {
            host(secret);
        }
        self.remember(&Secret::new(secret.to_owned()));
    }

    /// Hides a secret from now on without telling the host, such as a form of one that the host already knows.
    pub fn remember(&self, secret: &Secret) {
        self.insert(secret.expose(), SHORT);
        if secret.expose().trim().contains(['\n', '\r']) {
            for line in secret.expose().lines().map(str::trim) {
                // Every PEM file has these.
                if !line.starts_with("-----") {
                    self.insert(line, LINE);
                }
            }
        }
    }

    fn insert(&self, text: &str, shortest: usize) {
        if text.len() < shortest {
            return;
        }
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.iter().any(|one| one.secret.expose() == text) {
            return;
        }
        // The longest first: a shorter one may be a part of it.
        let place = known.partition_point(|one| one.secret.expose().len() >= text.len());
        let new = Known {
            secret: Secret::new(text.to_owned()),
            spelling: Spelling::new(text),
        };
        known.insert(place, new);
    }

    /// `bytes` with `***` in place of every secret, in every spelling in which it may come back: as it is, escaped
    /// for JSON (up to twice), percent-encoded, as a form, as HTML, in base64 and in hexadecimal.
    pub fn hide(&self, bytes: Vec<u8>) -> Vec<u8> {
        self.known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .fold(bytes, |bytes, known| known.spelling.replace(bytes))
    }

    /// The same for text.
    pub fn hide_text(&self, text: &str) -> String {
        let hidden = Zeroizing::new(self.hide(text.as_bytes().to_vec()));
        // Whole characters are replaced, so what was text is text.
        String::from_utf8_lossy(&hidden).into_owned()
    }
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

    fn hidden(secrets: &[&str], text: &str) -> String {
        let mask = Mask::default();
        for secret in secrets {
            mask.announce(secret);
        }
        mask.hide_text(text)
    }

    #[test]
    fn p06_what_was_announced_is_hidden() {
        assert_eq!(
            hidden(
                &["canary", "c\"1\"", "abc", ""],
                "canarycanary, canar c\"1\" abc"
            ),
            "******, canar *** abc"
        );
    }

    #[test]
    fn p06_a_secret_within_another_leaves_nothing_of_it() {
        assert_eq!(
            hidden(&["word", "password-1"], "password-1 word"),
            "*** ***"
        );
    }

    #[test]
    fn p06_the_lines_of_a_key_file_are_hidden_by_themselves() {
        let file = "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49\r\nAwEHBG0wawIBAQQg\nabc=\n-----END PRIVATE KEY-----\n";
        assert_eq!(
            hidden(
                &[file],
                "x MIGHAgEAMBMGByqGSM49AgEGCCqGSM49 AwEHBG0wawIBAQQg abc="
            ),
            "x *** *** abc="
        );
        assert_eq!(
            hidden(&[file], "-----BEGIN PRIVATE KEY-----"),
            "-----BEGIN PRIVATE KEY-----"
        );
    }

    #[test]
    fn p06_every_announced_secret_reaches_the_host() {
        let told = Arc::new(Mutex::new(Vec::new()));
        let host = told.clone();
        let mask = Mask::new(move |secret| host.lock().unwrap().push(secret.to_owned()));
        mask.announce("one-secret");
        mask.remember(&Secret::new("another-form".into()));
        assert_eq!(*told.lock().unwrap(), ["one-secret"]);
        assert_eq!(mask.hide_text("one-secret another-form"), "*** ***");
    }
}
