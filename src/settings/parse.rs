//! Values of flags.

use std::time::Duration;

use super::SettingError;

/// Parses each value of a repeatable flag.
pub(crate) fn parse_each<T>(flag: &str, values: &[String]) -> Result<Vec<T>, SettingError>
where
    T: std::str::FromStr,
    T::Err: std::error::Error + Send + Sync + 'static,
{
    values.iter().map(|value| parse(flag, value)).collect()
}

/// Parses one value of a flag.
pub(crate) fn parse<T>(flag: &str, value: &str) -> Result<T, SettingError>
where
    T: std::str::FromStr,
    T::Err: std::error::Error + Send + Sync + 'static,
{
    value.parse().map_err(|error| SettingError::usage(format!("`{flag} {value}` is not usable")).cause(error))
}

/// An integer and `ms`, `s`, `m`, `h` or `d`.
pub(crate) fn duration(flag: &str, text: &str) -> Result<Duration, SettingError> {
    let wrong = || {
        SettingError::usage(format!("`{flag} {text}` is no duration")).hint("an integer and ms, s, m, h or d: 90s, 10m")
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
    // A century is as good as for ever, and adding it to the clock cannot overflow.
    let milliseconds = number.checked_mul(milliseconds).ok_or_else(wrong)?.min(100 * 365 * 86_400_000);
    if milliseconds == 0 { Err(wrong()) } else { Ok(Duration::from_millis(milliseconds)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reason::Reason;

    #[test]
    fn durations() {
        for (text, milliseconds) in
            [("1ms", 1), ("90s", 90_000), ("10m", 600_000), ("2h", 7_200_000), ("1d", 86_400_000)]
        {
            assert_eq!(duration("--timeout", text).unwrap(), Duration::from_millis(milliseconds));
        }
        for wrong in ["", "10", "m", "1.5h", "-1s", "0s", "1w", "10 m", "99999999999999999999s"] {
            assert_eq!(duration("--timeout", wrong).unwrap_err().reason, Reason::Usage, "{wrong}");
        }
    }
}
