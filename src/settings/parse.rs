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
        format!("`{flag} {}` is not valid", without_login(value))
    })
}

/// An address as it may be repeated: without a login and without a query, which may hold a signature.
pub(super) fn without_login(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else {
        return text.to_owned();
    };
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    match rest.rsplit_once('@') {
        // A path may hold the sign, too; more is hidden then, never less.
        Some((_, host)) => format!("{scheme}://***@{host}"),
        None => format!("{scheme}://{rest}"),
    }
}

#[cfg(test)]
mod tests {
    use super::without_login;

    #[test]
    fn addresses_are_repeated_without_login_and_query() {
        for (text, shown) in [
            ("https://u:p@h/x?sig=s#f", "https://***@h/x"),
            ("https://u:p/q@h/x", "https://***@h/x"),
            ("https://h:1/x", "https://h:1/x"),
            ("r.azurecr.io/a@sha256:0", "r.azurecr.io/a@sha256:0"),
        ] {
            assert_eq!(without_login(text), shown);
        }
    }
}
