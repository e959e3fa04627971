//! An address that can be printed: without user-info and without the values of its query.

use std::fmt;

use url::Url;

/// A URL whose `Display` and `Debug` hide what could be a secret.
#[derive(Clone, Eq, PartialEq)]
pub struct SafeUrl(Url);

impl SafeUrl {
    /// Wraps an address.
    pub fn new(url: Url) -> Self {
        Self(url)
    }

    /// The address itself.
    pub fn url(&self) -> &Url {
        &self.0
    }
}

impl fmt::Display for SafeUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}://{}",
            self.0.scheme(),
            self.0.host_str().unwrap_or_default()
        )?;
        if let Some(port) = self.0.port() {
            write!(f, ":{port}")?;
        }
        f.write_str(self.0.path())?;
        if self.0.query().is_some() {
            f.write_str("?…")?;
        }
        Ok(())
    }
}

impl fmt::Debug for SafeUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p06_credentials_do_not_print() {
        let url = SafeUrl::new(
            "https://user:canary@host:8443/path?sig=canary#canary"
                .parse()
                .unwrap(),
        );
        assert_eq!(
            format!("{url} {url:?}"),
            "https://host:8443/path?… https://host:8443/path?…"
        );
    }
}
