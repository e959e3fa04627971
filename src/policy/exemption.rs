//! A written exemption: let an image pass without looking at it, for a reason and until a day.

use time::{Date, macros::format_description};

use crate::timestamp::Timestamp;

/// Days that an exemption may hold on before it is told that it does not end soon: a year, and a day for leap years.
const LONG: i64 = 366;

/// An exemption with reason and end.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Exemption {
    reason: String,
    until: Date,
}

impl Exemption {
    /// From the text of a file; `Err` says what is wrong with it.
    pub(super) fn new(reason: &str, until: &str) -> Result<Self, String> {
        if reason.trim().is_empty() {
            return Err("an exemption requires a reason".to_owned());
        }
        let until = Date::parse(until, format_description!("[year]-[month]-[day]"))
            .map_err(|_| format!("`{until}` is not a day (YYYY-MM-DD)"))?;
        Ok(Self {
            reason: reason.to_owned(),
            until,
        })
    }

    /// Why.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// The last day on which it holds, UTC.
    pub fn until(&self) -> Date {
        self.until
    }

    /// How many days it holds after this one, UTC: 0 on the last, below 0 when it has ended.
    pub fn days_left(&self, now: Timestamp) -> i64 {
        (self.until - now.date_time().date()).whole_days()
    }

    /// That the exemption holds on for more than a year, in words: nobody will look at it again before, and a reason alone
    /// does not make it temporary.
    pub fn is_long(&self, now: Timestamp) -> Option<String> {
        let (until, days) = (self.until, self.days_left(now));
        (days > LONG)
            .then(|| format!("its exemption expires only after {until}, in {days} days: more than a year is not temporary"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Allowed;

    #[test]
    fn an_exemption_holds_through_its_day() {
        let exemption = Exemption::new("vendor base images", "2027-06-30").unwrap();
        for (now, holds) in [
            ("2026-01-01T00:00:00Z", true),
            ("2027-06-30T00:00:00Z", true),
            ("2027-06-30T23:59:59.999Z", true),
            ("2027-07-01T00:00:00Z", false),
            // Still the 30th there, already the 1st here.
            ("2027-06-30T23:30:00-01:00", false),
            ("2028-01-01T00:00:00Z", false),
        ] {
            let now = now.parse().unwrap();
            assert_eq!(exemption.days_left(now) >= 0, holds, "{now}");
            let allowed = Allowed::exempt(&exemption, now);
            assert_eq!(allowed.is_some(), holds, "{now}");
            if let Some(allowed) = allowed {
                assert_eq!(allowed.exemption(), Some(&exemption));
                assert!(allowed.signatures().is_empty());
            }
        }
    }

    #[test]
    fn what_holds_for_more_than_a_year_is_long() {
        let exemption = Exemption::new("vendor base images", "2027-06-30").unwrap();
        for (now, long) in [
            ("2026-06-28T23:59:59Z", true),
            ("2026-06-29T00:00:00Z", false),
            ("2027-06-30T00:00:00Z", false),
            ("2028-01-01T00:00:00Z", false),
        ] {
            assert_eq!(
                exemption.is_long(now.parse().unwrap()).is_some(),
                long,
                "{now}"
            );
        }
        let forever = Exemption::new("x", "9999-12-31").unwrap();
        assert!(
            forever
                .is_long("2026-01-01T00:00:00Z".parse().unwrap())
                .unwrap()
                .contains("only after 9999-12-31")
        );
    }

    #[test]
    fn an_exemption_needs_a_reason_and_a_day() {
        for (reason, until) in [
            ("", "2027-06-30"),
            (" \n", "2027-06-30"),
            ("x", ""),
            ("x", "2027-02-29"),
            ("x", "2027-13-01"),
            ("x", "30.06.2027"),
            ("x", "2027-06-30T00:00:00Z"),
            ("x", "2027-6-30"),
        ] {
            assert!(Exemption::new(reason, until).is_err(), "{reason:?} {until}");
        }
    }
}
