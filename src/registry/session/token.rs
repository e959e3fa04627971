//! Tokens in the answers of token services, and how long they live.
#![expect(
    clippy::indexing_slicing,
    reason = "into JSON only, where a missing member is null"
)]

use std::time::Duration;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::Value;

use crate::{crypto::Secret, net::Response, registry::Principal};

/// The life of a token whose answer does not say; the protocol's default.
const DEFAULT_LIFE: Duration = Duration::from_secs(60);
/// Tokens are renewed this long before they end.
pub(super) const MARGIN: Duration = Duration::from_secs(20);
/// No token is kept longer, whatever its answer says: no run lasts that long.
const LONGEST_LIFE: Duration = Duration::from_secs(24 * 60 * 60);

/// Token and remaining life, from the answer or the token's own `exp`.
pub(super) fn token_of(response: &Response) -> Option<(Secret, Duration)> {
    let document: Value = serde_json::from_slice(&response.body).ok()?;
    let text = |name: &str| {
        document[name]
            .as_str()
            .filter(|text| !text.is_empty())
            .map(ToOwned::to_owned)
    };
    let token = text("access_token").or_else(|| text("token"))?;
    let stated = document["expires_in"].as_u64().map(Duration::from_secs);
    let life = stated
        .or_else(|| life_of(&token))
        .unwrap_or(DEFAULT_LIFE)
        .min(LONGEST_LIFE);
    Some((Secret::new(token), life))
}

/// Who a token of Entra was issued to; for messages only: nothing is decided by a claim.
pub(super) fn principal_of(token: &str) -> Option<Principal> {
    let claims = claims(token)?;
    let object_id = claims["oid"].as_str()?.to_owned();
    // It is put into a command that people paste.
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let is_user =
        claims["idtyp"] == "user" || claims["scp"].is_string() || claims["upn"].is_string();
    object_id
        .chars()
        .all(is_plain)
        .then_some(Principal { object_id, is_user })
}

/// `exp` minus `iat` of a JWT: independent of this machine's clock.
fn life_of(token: &str) -> Option<Duration> {
    let claims = claims(token)?;
    let seconds = claims["exp"]
        .as_i64()?
        .checked_sub(claims["iat"].as_i64().or(claims["nbf"].as_i64())?)?;
    u64::try_from(seconds).ok().map(Duration::from_secs)
}

fn claims(token: &str) -> Option<Value> {
    let claims = BASE64_URL_SAFE_NO_PAD
        .decode(token.split('.').nth(1)?)
        .ok()?;
    serde_json::from_slice(&claims).ok()
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;

    #[test]
    fn g08_a_life_that_no_clock_holds_is_cut() {
        let body = format!(r#"{{"access_token":"canary","expires_in":{}}}"#, u64::MAX);
        let url = "https://host/".parse().unwrap();
        let response = Response {
            status: StatusCode::OK,
            headers: http::HeaderMap::new(),
            body: body.into(),
            url,
        };
        assert_eq!(
            token_of(&response).map(|(_, life)| life),
            Some(LONGEST_LIFE)
        );
    }

    #[test]
    fn a_token_without_a_stated_life_says_it_itself() {
        let claims = BASE64_URL_SAFE_NO_PAD.encode(r#"{"exp":1000,"iat":400}"#);
        assert_eq!(
            life_of(&format!("x.{claims}.y")),
            Some(Duration::from_secs(600))
        );
        assert_eq!(life_of("opaque"), None);
    }
}
