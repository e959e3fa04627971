//! The trust server's refusals, in its own words.

use serde_json::{Value, json};

use crate::exchange::Response;

#[expect(clippy::needless_pass_by_value, reason = "made for the answer")]
pub(super) fn error(status: u16, code: &str, message: &str, detail: Option<Value>) -> Response {
    Response::json(
        status,
        &json!({"errors": [{"code": code, "message": message, "detail": detail}]}),
    )
}
