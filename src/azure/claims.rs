//! What an ID token says about itself. Read for messages only: nothing is decided by a claim.
#![expect(
    clippy::indexing_slicing,
    reason = "into JSON only, where a missing member is null"
)]

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::Value;

/// Who a token says it is about, for `-vv` and for hints; never the token itself.
pub(super) fn claims(token: &str) -> String {
    let part = token
        .split('.')
        .nth(1)
        .and_then(|part| BASE64_URL_SAFE_NO_PAD.decode(part).ok());
    let claims: Value = part
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or_default();
    let text = |name: &str| claims[name].as_str().unwrap_or("?").to_owned();
    format!(
        "issuer `{}`, subject `{}`, audience `{}`",
        text("iss"),
        text("sub"),
        text("aud")
    )
}
