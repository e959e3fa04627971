//! What an ID token says about itself. Read for messages only: nothing is decided by a claim.
#![expect(
    clippy::indexing_slicing,
    reason = "into JSON only, where a missing member is null"
)]

use std::fmt;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::Value;

/// The claims that a federated credential is compared with; empty where the token lacks one.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Claims {
    pub(super) issuer: String,
    pub(super) subject: String,
    pub(super) audience: String,
}

impl Claims {
    /// From a token's middle part; its signature is Entra's to check.
    pub(super) fn of(token: &str) -> Self {
        let part = token
            .split('.')
            .nth(1)
            .and_then(|part| BASE64_URL_SAFE_NO_PAD.decode(part).ok());
        let claims: Value = part
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let audience = match &claims["aud"] {
            Value::Array(several) => several.first().map(text).unwrap_or_default(),
            one => text(one),
        };
        Self {
            issuer: text(&claims["iss"]),
            subject: text(&claims["sub"]),
            audience,
        }
    }

    /// Whether GitHub wrote the subject in its immutable form, with the numbers of owner and repository:
    /// `repo:OWNER@ID/REPO@ID:…`.
    pub(super) fn subject_is_immutable(&self) -> bool {
        let name = self.subject.strip_prefix("repo:");
        let name = name.and_then(|rest| rest.split(':').next());
        name.is_some_and(|name| {
            let numbered = |part: &str| {
                part.rsplit_once('@')
                    .is_some_and(|(_, id)| !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit()))
            };
            name.split('/').count() == 2 && name.split('/').all(numbered)
        })
    }
}

impl fmt::Display for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "issuer `{}`, subject `{}`, audience `{}`",
            self.issuer, self.subject, self.audience
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_without_claims_has_none() {
        for token in ["", "a", "a.b.c", "a.!!.c", "a.e30.c", "a.W10.c"] {
            assert_eq!(Claims::of(token), Claims::default(), "{token}");
        }
    }

    #[test]
    fn of_several_audiences_the_first_is_named() {
        let claims = BASE64_URL_SAFE_NO_PAD.encode(r#"{"iss":"i","sub":"s","aud":["a","b"]}"#);
        let claims = Claims::of(&format!("h.{claims}.s"));
        assert_eq!(claims.to_string(), "issuer `i`, subject `s`, audience `a`");
    }

    #[test]
    fn immutable_subjects_are_recognised() {
        let immutable = |subject: &str| {
            Claims {
                subject: subject.to_owned(),
                ..Claims::default()
            }
            .subject_is_immutable()
        };
        assert!(immutable("repo:contoso@123/shop@456:ref:refs/heads/main"));
        assert!(immutable("repo:contoso@123/shop@456:environment:prod"));
        for other in [
            "repo:contoso/shop:ref:refs/heads/a@1/b@2",
            "repo:contoso@123/shop:pull_request",
            "repo:contoso@/shop@:pull_request",
            "sc://contoso@1/shop@2/connection",
            "",
        ] {
            assert!(!immutable(other), "{other}");
        }
    }
}
