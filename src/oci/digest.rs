//! A content address: algorithm and hash. Refuses upper case, other lengths and unknown algorithms
//! (G12).

use std::{fmt, str::FromStr};

use sha2::{Digest as _, Sha256, Sha512};

/// The hash functions that a digest may use.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum DigestAlgorithm {
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

/// A repository's content address: `sha256` or `sha512`, lower-case hex, exact length.
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Digest {
    algorithm: DigestAlgorithm,
    hex: Box<str>,
}

/// The text is not a digest.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("`{text}` is not a digest (`sha256:` and 64, or `sha512:` and 128, lower-case hex digits)")]
pub struct InvalidDigest {
    text: String,
}

impl Digest {
    /// The SHA-256 digest of `bytes`.
    pub fn sha256(bytes: &[u8]) -> Self {
        Self {
            algorithm: DigestAlgorithm::Sha256,
            hex: hex(&Sha256::digest(bytes)),
        }
    }

    /// The SHA-512 digest of `bytes`.
    pub fn sha512(bytes: &[u8]) -> Self {
        Self::from_sha512(&Sha512::digest(bytes).into())
    }

    /// From the 64 bytes of a SHA-512 hash.
    pub fn from_sha512(hash: &[u8; 64]) -> Self {
        Self {
            algorithm: DigestAlgorithm::Sha512,
            hex: hex(hash),
        }
    }

    /// From the 32 bytes of a SHA-256 hash.
    pub fn from_sha256(hash: &[u8; 32]) -> Self {
        Self {
            algorithm: DigestAlgorithm::Sha256,
            hex: hex(hash),
        }
    }

    /// Whether `bytes` have this digest.
    pub fn matches(&self, bytes: &[u8]) -> bool {
        match self.algorithm {
            DigestAlgorithm::Sha256 => hex(&Sha256::digest(bytes)) == self.hex,
            DigestAlgorithm::Sha512 => hex(&Sha512::digest(bytes)) == self.hex,
        }
    }

    /// The hash function.
    pub fn algorithm(&self) -> DigestAlgorithm {
        self.algorithm
    }

    /// The 32 bytes of a SHA-256 hash; `None` for another hash function.
    pub fn sha256_bytes(&self) -> Option<[u8; 32]> {
        if self.algorithm != DigestAlgorithm::Sha256 {
            return None;
        }
        let (pairs, _) = self.hex.as_bytes().as_chunks::<2>();
        pairs
            .iter()
            .map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?))
            .collect::<Option<Vec<u8>>>()?
            .try_into()
            .ok()
    }

    /// The hash as lower-case hex.
    pub fn hex(&self) -> &str {
        &self.hex
    }
}

impl InvalidDigest {
    fn of(text: &str) -> Self {
        Self {
            text: text.chars().take(200).collect(),
        }
    }
}

fn digit(byte: u8) -> Option<u8> {
    u8::try_from(char::from(byte).to_digit(16)?).ok()
}

fn hex(bytes: &[u8]) -> Box<str> {
    bytes
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect::<String>()
        .into()
}

impl FromStr for Digest {
    type Err = InvalidDigest;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, hex) = text
            .split_once(':')
            .ok_or_else(|| InvalidDigest::of(text))?;
        let (algorithm, length) = match name {
            "sha256" => (DigestAlgorithm::Sha256, 64),
            "sha512" => (DigestAlgorithm::Sha512, 128),
            _ => return Err(InvalidDigest::of(text)),
        };
        if hex.len() != length
            || !hex
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        {
            return Err(InvalidDigest::of(text));
        }
        Ok(Self {
            algorithm,
            hex: hex.into(),
        })
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.algorithm {
            DigestAlgorithm::Sha256 => "sha256",
            DigestAlgorithm::Sha512 => "sha512",
        };
        write!(f, "{name}:{}", self.hex)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g12_digest_forms() {
        let good = "a".repeat(64);
        assert_eq!(
            format!("sha256:{good}").parse::<Digest>().unwrap().hex(),
            good
        );
        assert!(
            format!("sha512:{}", "0".repeat(128))
                .parse::<Digest>()
                .is_ok()
        );
        for bad in [
            String::new(),
            good.clone(),
            format!("sha256:{}", "A".repeat(64)),
            format!("sha256:{}", "a".repeat(63)),
            format!("sha256:{}/..", "a".repeat(61)),
            format!("sha512:{good}"),
            format!("md5:{}", "a".repeat(32)),
            format!("SHA256:{good}"),
            format!("sha256:{good}\n"),
        ] {
            assert!(bad.parse::<Digest>().is_err(), "{bad}");
        }
    }

    #[test]
    fn matches_what_it_was_made_of() {
        let digest = Digest::sha256(b"x");
        assert!(digest.matches(b"x"));
        assert_eq!(Digest::from_sha256(&digest.sha256_bytes().unwrap()), digest);
        assert!(!digest.matches(b"y"));
        assert_eq!(
            digest.to_string(),
            "sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
        );
    }
}
