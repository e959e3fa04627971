//! Values of flags.

use std::time::Duration;

use super::SettingError;
use crate::{cli::may_hold_secret, duration};

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
    value
        .parse()
        .map_err(|error| not_valid(flag, value).cause(error))
}

/// An integer and `ms`, `s`, `m`, `h` or `d`.
pub(crate) fn duration(flag: &str, text: &str) -> Result<Duration, SettingError> {
    duration::parse(text).map_err(|error| not_valid(flag, text).cause(error))
}

/// A value that cannot be used; one that may hold a secret is not repeated.
fn not_valid(flag: &str, value: &str) -> SettingError {
    SettingError::usage(if may_hold_secret(flag) {
        format!("the value of `{flag}` is not valid")
    } else {
        format!("`{flag} {value}` is not valid")
    })
}
