//! The name of a signer: what docker takes, so that docker can work with what we make.

use std::{fmt, str::FromStr};

use super::name::RoleName;

/// A signer's name: lower-case letters, digits, `_` and `-`, beginning with a letter or digit.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct SignerName(RoleName);

/// The text is not a name for a signer.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum InvalidSignerName {
    /// The name of the role that all signers share.
    #[error("`releases` is the role that all signers share, not the name of one")]
    Reserved,
    /// Not of the form that docker takes.
    #[error("`{text}` is not a valid signer name (lower-case letters, digits, `_`, `-`)")]
    Form {
        /// The text, shortened.
        text: String,
    },
}

impl SignerName {
    /// The role that only this signer signs.
    pub fn role(&self) -> &RoleName {
        &self.0
    }
}

impl FromStr for SignerName {
    type Err = InvalidSignerName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "releases" {
            return Err(InvalidSignerName::Reserved);
        }
        let fits = !text.starts_with(['_', '-'])
            && text
                .bytes()
                .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'));
        let role = format!("targets/{text}").parse().ok().filter(|_| fits);
        role.map(Self).ok_or_else(|| InvalidSignerName::Form {
            text: text.chars().take(100).collect(),
        })
    }
}

impl fmt::Display for SignerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().strip_prefix("targets/").unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_as_docker_takes_them() {
        for good in ["alice", "ci-bot", "0", "a_b", "targets", "a--"] {
            let name: SignerName = good.parse().unwrap();
            assert_eq!(name.to_string(), good);
            assert_eq!(name.role().as_str(), format!("targets/{good}"));
        }
        assert_eq!(
            "releases".parse::<SignerName>(),
            Err(InvalidSignerName::Reserved)
        );
        let long = "a".repeat(300);
        for bad in [
            "",
            "-a",
            "_a",
            "Alice",
            "a.b",
            "a/b",
            "a b",
            "é",
            "a\n",
            "../a",
            long.as_str(),
        ] {
            assert!(
                matches!(
                    bad.parse::<SignerName>(),
                    Err(InvalidSignerName::Form { .. })
                ),
                "{bad}"
            );
        }
    }
}
