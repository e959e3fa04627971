//! A point in time, as metadata and certificates state it. Pure: the clock is read by `main`'s side only.

use std::{fmt, str::FromStr, time::Duration};

use time::{OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};

/// A point in time with nanoseconds, UTC.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Timestamp(OffsetDateTime);

/// The text is no RFC 3339 time.
#[derive(Debug, thiserror::Error)]
#[error("`{text}` is not an RFC 3339 time")]
pub struct InvalidTimestamp {
    text: String,
}

impl Timestamp {
    /// The end of the year 9999, the latest time that certificates and RFC 3339 can state.
    pub const LATEST: Self = Self(time::macros::datetime!(9999-12-31 23:59:59 UTC));

    /// From seconds since 1970; `None` outside the years 1 to 9999.
    pub fn from_unix(seconds: i64) -> Option<Self> {
        OffsetDateTime::from_unix_timestamp(seconds).ok().map(Self)
    }

    /// Seconds since 1970.
    pub fn unix(self) -> i64 {
        self.0.unix_timestamp()
    }

    /// This time plus a duration; stays at the latest expressible time when it would pass it.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        let delta = time::Duration::try_from(duration).unwrap_or(time::Duration::MAX);
        self.0
            .checked_add(delta)
            .map_or(Self::LATEST, |sum| Self(sum).min(Self::LATEST))
    }

    /// This time less a duration; `None` where that would be before the year 1.
    pub fn minus(self, duration: Duration) -> Option<Self> {
        let delta = time::Duration::try_from(duration).ok()?;
        self.0.checked_sub(delta).map(Self)
    }

    /// The same time without the fraction of a second.
    #[must_use]
    pub fn whole_seconds(self) -> Self {
        Self(self.0.replace_nanosecond(0).unwrap_or(self.0))
    }

    /// The calendar form, UTC.
    pub fn date_time(self) -> OffsetDateTime {
        self.0
    }
}

impl From<OffsetDateTime> for Timestamp {
    fn from(value: OffsetDateTime) -> Self {
        Self(value.to_offset(UtcOffset::UTC))
    }
}

impl FromStr for Timestamp {
    type Err = InvalidTimestamp;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        OffsetDateTime::parse(text, &Rfc3339)
            .map(Self::from)
            .map_err(|_| InvalidTimestamp {
                text: text.to_owned(),
            })
    }
}

/// RFC 3339 as Go prints it: no trailing zeros in the fraction, no fraction when zero, `Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.format(&Rfc3339).map_err(|_| fmt::Error)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_as_go_does() {
        for (given, printed) in [
            ("2029-01-02T03:04:05Z", "2029-01-02T03:04:05Z"),
            ("2029-01-02T03:04:05.120Z", "2029-01-02T03:04:05.12Z"),
            ("2029-01-02T03:04:05.000Z", "2029-01-02T03:04:05Z"),
            (
                "2029-01-02T03:04:05.123456789+05:30",
                "2029-01-01T21:34:05.123456789Z",
            ),
        ] {
            assert_eq!(given.parse::<Timestamp>().unwrap().to_string(), printed);
        }
        assert!("yesterday".parse::<Timestamp>().is_err());
    }
}
