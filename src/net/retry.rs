//! When a request is sent again, and how long to wait before.

use std::time::Duration;

use http::StatusCode;

use super::{Request, Response, Retry};
use crate::timestamp::Timestamp;

/// The wait before the first retry: short, since most failures are single ones.
const FIRST: Duration = Duration::from_millis(200);
/// The longest wait that is chosen here, so that a service that is back is noticed; a service may ask for a longer
/// one.
const LONGEST: Duration = Duration::from_secs(20);

/// Whether an answer of this status is worth asking again.
pub(super) fn again(request: &Request, status: StatusCode) -> bool {
    let refused = matches!(
        status,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
    );
    let broken = matches!(
        status,
        StatusCode::REQUEST_TIMEOUT
            | StatusCode::INTERNAL_SERVER_ERROR
            | StatusCode::BAD_GATEWAY
            | StatusCode::GATEWAY_TIMEOUT
    );
    match request.retry {
        Retry::Safe => refused || broken,
        Retry::Refused => refused,
        Retry::Never => false,
    }
}

/// The wait before attempt `attempt` + 1: doubled each time, with half of it random; longer if asked for.
pub(super) fn wait(attempt: u32, asked: Option<Duration>) -> Duration {
    let chosen = FIRST.saturating_mul(1 << attempt.min(10)).min(LONGEST);
    let chosen = chosen / 2 + jitter(chosen / 2);
    asked.map_or(chosen, |asked| asked.max(chosen))
}

/// A random time up to `most`.
pub fn jitter(most: Duration) -> Duration {
    let mut bytes = [0; 2];
    // Without randomness every client waits the same, which is only slower.
    let _ = getrandom::fill(&mut bytes);
    most.mul_f64(f64::from(u16::from_be_bytes(bytes)) / f64::from(u16::MAX))
}

/// `Retry-After`: seconds, or a date counted from the answer's own `Date`.
pub(super) fn retry_after(response: &Response) -> Option<Duration> {
    let value = response.header("retry-after")?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = |text: &str| {
        time::OffsetDateTime::parse(
            &text.replace("GMT", "+0000"),
            &time::format_description::well_known::Rfc2822,
        )
        .ok()
    };
    let (until, from) = (date(value)?, date(response.header("date")?)?);
    Some(Duration::try_from(until - from).unwrap_or_default())
}

/// The answer's own clock, for telling a person that theirs is wrong.
pub(super) fn date(response: &Response) -> Option<Timestamp> {
    let text = response.header("date")?.replace("GMT", "+0000");
    time::OffsetDateTime::parse(&text, &time::format_description::well_known::Rfc2822)
        .ok()
        .map(Timestamp::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(headers: &[(&'static str, &'static str)]) -> Response {
        let headers = headers.iter().map(|(name, value)| {
            (
                http::HeaderName::from_static(name),
                http::HeaderValue::from_static(value),
            )
        });
        let url = "https://host/".parse().unwrap();
        Response {
            status: StatusCode::TOO_MANY_REQUESTS,
            headers: headers.collect(),
            body: bytes::Bytes::new(),
            url,
        }
    }

    #[test]
    fn k04_retry_after_in_both_forms() {
        assert_eq!(
            retry_after(&answer(&[("retry-after", "7")])),
            Some(Duration::from_secs(7))
        );
        let dates = [
            ("retry-after", "Sun, 06 Nov 1994 08:49:47 GMT"),
            ("date", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ];
        assert_eq!(retry_after(&answer(&dates)), Some(Duration::from_secs(10)));
        assert_eq!(retry_after(&answer(&[("retry-after", "soon")])), None);
        assert_eq!(retry_after(&answer(&[])), None);
    }

    #[test]
    fn waits_grow_and_what_is_asked_for_is_honoured() {
        for attempt in 0..12 {
            let chosen = wait(attempt, None);
            let most = FIRST.saturating_mul(1 << attempt.min(10)).min(LONGEST);
            assert!(chosen >= most / 2 && chosen <= most);
            assert_eq!(
                wait(attempt, Some(Duration::from_secs(60))),
                Duration::from_secs(60)
            );
        }
    }
}
