//! Durations as people write them: `90s`, `8760h`.

use std::time::Duration;

/// A century: as good as for ever, and adding it to a clock cannot overflow.
const LONGEST: u64 = 100 * 365 * 86_400_000;

/// The text is no duration.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("`{text}` is not a duration (an integer and ms, s, m, h or d: 90s, 10m)")]
pub(crate) struct InvalidDuration {
    text: String,
}

/// An integer above 0 and `ms`, `s`, `m`, `h` or `d`.
pub(crate) fn parse(text: &str) -> Result<Duration, InvalidDuration> {
    let wrong = || InvalidDuration {
        text: text.chars().take(50).collect(),
    };
    let digits = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let milliseconds = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(wrong()),
    };
    let milliseconds = number
        .checked_mul(milliseconds)
        .ok_or_else(wrong)?
        .min(LONGEST);
    if milliseconds == 0 {
        Err(wrong())
    } else {
        Ok(Duration::from_millis(milliseconds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, milliseconds) in [
            ("1ms", 1),
            ("90s", 90_000),
            ("10m", 600_000),
            ("2h", 7_200_000),
            ("1d", 86_400_000),
        ] {
            assert_eq!(parse(text).unwrap(), Duration::from_millis(milliseconds));
        }
        for wrong in [
            "",
            "10",
            "m",
            "1.5h",
            "-1s",
            "0s",
            "1w",
            "10 m",
            "99999999999999999999s",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
