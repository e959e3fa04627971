//! How many requests may be in flight at once, as `--concurrency` says it.

use std::{fmt, num::NonZeroU16, str::FromStr};

/// The most that a number may say: more connections than this only wait for each other.
const MOST: u16 = 256;

/// `--concurrency`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Concurrency {
    /// Found out for each host: more while answers come as fast as before, fewer where the host throttles.
    #[default]
    Auto,
    /// So many, over all hosts.
    Fixed(NonZeroU16),
}

/// The text is neither `auto` nor a number that is allowed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected `auto` or a number from 1 to {MOST}")]
pub struct InvalidConcurrency;

impl Concurrency {
    /// Where `auto` begins with a host: what registries bear from one client without complaint.
    pub(super) const START: usize = 8;
    /// Where `auto` ends: a registry that is as fast with this many has no more to give to one client.
    pub(super) const CEILING: usize = 64;

    /// The most requests that can be in flight with one host.
    pub fn most(self) -> usize {
        match self {
            Self::Auto => Self::CEILING,
            Self::Fixed(number) => usize::from(number.get()),
        }
    }
}

impl FromStr for Concurrency {
    type Err = InvalidConcurrency;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "auto" {
            return Ok(Self::Auto);
        }
        let number: NonZeroU16 = text.parse().map_err(|_| InvalidConcurrency)?;
        if number.get() <= MOST {
            Ok(Self::Fixed(number))
        } else {
            Err(InvalidConcurrency)
        }
    }
}

impl fmt::Display for Concurrency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Fixed(number) => number.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn auto_or_a_number() {
        for text in ["auto", "1", "8", "256"] {
            assert_eq!(text.parse::<Concurrency>().unwrap().to_string(), text);
        }
        for wrong in ["", "0", "257", "-1", "Auto", "8.0", " 8", "99999"] {
            assert_eq!(
                wrong.parse::<Concurrency>(),
                Err(InvalidConcurrency),
                "{wrong}"
            );
        }
        assert_eq!(Concurrency::default().most(), 64);
    }
}
