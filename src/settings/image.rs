//! Images, and what narrows them.

use super::{SettingError, parse, parse::without_login, parse_each};
use crate::{
    format::dct::RoleName,
    oci::{Digest, Reference, Repository},
    reason::Reason,
    timestamp::Timestamp,
};

/// Images named on a command line that signs: the registry must be named.
pub(crate) fn named_images(values: &[String]) -> Result<Vec<Reference>, SettingError> {
    images(values, Reference::named)
}

/// Images named on a command line that reads: docker's short names are fine.
pub(crate) fn familiar_images(values: &[String]) -> Result<Vec<Reference>, SettingError> {
    images(values, Reference::familiar)
}

fn images<E: std::error::Error + Send + Sync + 'static>(
    values: &[String],
    parse: impl Fn(&str) -> Result<Reference, E>,
) -> Result<Vec<Reference>, SettingError> {
    if values.is_empty() {
        return Err(SettingError::usage("no image was named")
            .reason(Reason::NoImages)
            .hint("registry/repository:tag"));
    }
    values
        .iter()
        .map(|value| parse(value).map_err(|error| not_a_name(value, "image", error)))
        .collect()
}

/// A repository with its registry.
pub(crate) fn repository(value: &str) -> Result<Repository, SettingError> {
    Repository::named(value).map_err(|error| not_a_name(value, "repository", error))
}

/// An address in the place of a name may hold a login, which the cause would repeat.
fn not_a_name(
    value: &str,
    what: &str,
    cause: impl std::error::Error + Send + Sync + 'static,
) -> SettingError {
    let shown = without_login(value);
    let error = SettingError::usage(format!("`{shown}` is not a valid {what} name"));
    if shown == value {
        error.cause(cause)
    } else {
        error.hint("a name has neither scheme nor login: registry/repository:tag")
    }
}

/// `--at`, or the run's own time.
pub(crate) fn at(value: Option<&str>, now: Timestamp) -> Result<Timestamp, SettingError> {
    value.map_or(Ok(now), |value| parse("--at", value))
}

/// `--digest`.
pub(crate) fn digest(value: Option<&str>) -> Result<Option<Digest>, SettingError> {
    value.map(|value| parse("--digest", value)).transpose()
}

/// `--role`.
pub(crate) fn roles(values: &[String]) -> Result<Vec<RoleName>, SettingError> {
    parse_each("--role", values)
}
