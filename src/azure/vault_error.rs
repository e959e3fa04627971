//! What a vault refused, and what a person does about it (azure reference §4.2; K06).
#![expect(
    clippy::indexing_slicing,
    reason = "into JSON only, where a missing member is null"
)]

use serde_json::Value;

use super::{IdentityError, transport::NetFailure};
use crate::{
    net::{self, HostNotAllowed},
    reason::{Explain, Reason},
};

/// A vault did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The host may not receive a token.
    #[error("no token goes to `{host}`")]
    Host {
        /// The host.
        host: String,
        /// Why.
        #[source]
        cause: HostNotAllowed,
    },
    /// No usable answer.
    #[error("no answer for `{key}`")]
    Net {
        /// The key.
        key: String,
        /// Why.
        #[source]
        cause: net::Error,
    },
    /// No token.
    #[error("no token for `{key}`")]
    Identity {
        /// The key.
        key: String,
        /// Why.
        #[source]
        cause: IdentityError,
    },
    /// The vault said no.
    #[error("key vault {} to {what} `{key}`: {status} {code}", if *status < 500 { "refused" } else { "failed" })]
    Refused {
        /// What was asked: `read`, `sign with`.
        what: &'static str,
        /// The key.
        key: String,
        /// The status.
        status: u16,
        /// The inner code, or the code.
        code: String,
        /// The first lines of its message, one line.
        #[source]
        said: Message,
    },
    /// The answer is about another version, or lacks a part.
    #[error("key vault answered for `{key}` with {what}")]
    Answer {
        /// The key.
        key: String,
        /// What is wrong with it.
        what: String,
    },
    /// The key is disabled.
    #[error("`{key}` is disabled")]
    Disabled {
        /// The key.
        key: String,
    },
    /// The key is outside its period of validity.
    #[error("`{key}` is valid {when}")]
    Period {
        /// The key.
        key: String,
        /// From or until when.
        when: String,
    },
    /// The key cannot do this.
    #[error("`{key}` is {kind}, which {why}")]
    Unsuitable {
        /// The key.
        key: String,
        /// Its kind.
        kind: String,
        /// Why not.
        why: &'static str,
    },
    /// The SDK could not make or read a request.
    #[error("`{key}` could not be asked for")]
    Sdk {
        /// The key.
        key: String,
        /// Why.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// The vault's own words.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Message(String);

impl VaultError {
    /// From the SDK's error: ours where it came from below, the service's where it answered.
    pub(super) fn of(key: &str, what: &'static str, error: azure_core::Error) -> Self {
        let key = key.to_owned();
        if let azure_core::error::ErrorKind::HttpResponse {
            status,
            raw_response,
            ..
        } = error.kind()
        {
            let body = raw_response
                .as_ref()
                .map(|raw| raw.body().as_ref().to_vec())
                .unwrap_or_default();
            return Self::refused(key, what, u16::from(*status), &body);
        }
        let mut error: Box<dyn std::error::Error + Send + Sync> = Box::new(error);
        loop {
            error = match error.downcast::<azure_core::Error>() {
                Ok(inner) => match inner.into_inner() {
                    Ok(deeper) => deeper,
                    Err(last) => {
                        return Self::Sdk {
                            key,
                            cause: Box::new(last),
                        };
                    }
                },
                Err(other) => break Self::own(key, other),
            };
        }
    }

    fn own(key: String, error: Box<dyn std::error::Error + Send + Sync>) -> Self {
        let error = match error.downcast::<IdentityError>() {
            Ok(cause) => return Self::Identity { key, cause: *cause },
            Err(error) => error,
        };
        match error.downcast::<NetFailure>() {
            Ok(failure) => Self::Net {
                key,
                cause: failure.0,
            },
            Err(cause) => Self::Sdk { key, cause },
        }
    }

    fn refused(key: String, what: &'static str, status: u16, body: &[u8]) -> Self {
        let document: Value = serde_json::from_slice(body).unwrap_or_default();
        let error = &document["error"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let inner = text(&error["innererror"]["code"]);
        let code = if inner.is_empty() {
            text(&error["code"])
        } else {
            inner
        };
        // A failing service, or something before it, answers without the vault's JSON.
        let code = if code.is_empty() {
            canonical(status)
        } else {
            code
        };
        let message = text(&error["message"]);
        let told = message.lines().map(str::trim).filter(|line| {
            !line.is_empty()
                && !line.starts_with("If role")
                && !line.starts_with("DenyAssignmentId")
        });
        let said: String = told
            .collect::<Vec<_>>()
            .join("; ")
            .chars()
            .take(600)
            .collect();
        Self::Refused {
            what,
            key,
            status,
            code,
            said: Message(said),
        }
    }
}

/// The words that belong to a status.
fn canonical(status: u16) -> String {
    let known = http::StatusCode::from_u16(status)
        .ok()
        .and_then(|status| status.canonical_reason());
    known.unwrap_or_default().to_owned()
}

impl Explain for VaultError {
    fn reason(&self) -> Reason {
        match self {
            Self::Host { cause, .. } => cause.reason(),
            Self::Net { cause, .. } => cause.reason(),
            Self::Identity { cause, .. } => cause.reason(),
            Self::Refused { status, code, .. } => match (status, code.as_str()) {
                (404, _) => Reason::KeyNotFound,
                (403, "KeyDisabled" | "SecretDisabled") => Reason::KeyDisabled,
                (403, "KeyExpired" | "KeyNotYetValid") => Reason::KeyExpired,
                (401, _) => Reason::IdentityFailed,
                (403, _) => Reason::VaultForbidden,
                (429, _) => Reason::VaultThrottled,
                (400, _) => Reason::KeyUnsuitable,
                _ => Reason::VaultUnreachable,
            },
            Self::Answer { .. } | Self::Sdk { .. } => Reason::VaultAnswerInvalid,
            Self::Disabled { .. } => Reason::KeyDisabled,
            Self::Period { .. } => Reason::KeyExpired,
            Self::Unsuitable { .. } => Reason::KeyUnsuitable,
        }
    }

    fn hint(&self) -> Option<String> {
        let nothing = "nothing was published";
        Some(match self {
            Self::Host { cause, .. } => return cause.hint(),
            Self::Net { cause, .. } => return cause.hint(),
            Self::Identity { cause, .. } => return cause.hint(),
            Self::Refused { status: 403, code, what, .. } => match code.as_str() {
                "ForbiddenByRbac" if *what == "sign with" => {
                    format!("give the identity the role `Key Vault Crypto User` on the key (needs a few minutes to take effect); {nothing}")
                }
                "ForbiddenByRbac" => "give the identity `Key Vault Crypto User` for a key, `Key Vault Reader` for a certificate, `Key Vault Secrets User` \
                     for a secret (needs a few minutes to take effect)"
                    .to_owned(),
                "AccessDenied" => "add the permission that the message names to the vault's access policy: `az keyvault set-policy`".to_owned(),
                "ForbiddenByFirewall" => "the vault's firewall refuses this address: allow it, or run inside the network; hosted runners have no \
                     fixed address and are no trusted service"
                    .to_owned(),
                "ForbiddenByConnection" => "the vault has no public access: run where its private endpoint is".to_owned(),
                "KeyDisabled" | "SecretDisabled" => "`az keyvault key set-attributes --enabled true`, or use another version".to_owned(),
                "ForbiddenByPolicy" => "a policy of the vault refuses this kind of caller: ask who administers the vault".to_owned(),
                "KeyExpired" | "KeyNotYetValid" => "use a version that is valid now".to_owned(),
                "KeyOperationForbidden" => "`az keyvault key set-attributes --ops sign verify` lets the key sign".to_owned(),
                _ => nothing.to_owned(),
            },
            Self::Refused { status: 404, key, .. } => {
                let kind = ["secret", "certificate"].into_iter().find(|kind| key.contains(&format!("/{kind}s/")));
                let kind = kind.unwrap_or("key");
                format!("check name and version; a deleted one is listed by `az keyvault {kind} list-deleted`")
            }
            Self::Refused { status: 401, .. } => "the vault does not take the identity's token: is it of the vault's tenant, and is this machine's clock right?".to_owned(),
            Self::Refused { status: 429, .. } => {
                format!("the vault asks to slow down: run again later, or with a smaller `--concurrency`; {nothing}")
            }
            Self::Refused { status: 500.., .. } => {
                format!("the vault is failing: look at Azure's status page, and run again later; {nothing}")
            }
            Self::Refused { .. } => nothing.to_owned(),
            Self::Answer { .. } => format!("run again; the key may have been rotated meanwhile; {nothing}"),
            Self::Disabled { .. } => "`az keyvault key set-attributes --enabled true`, or use another version".to_owned(),
            Self::Period { .. } => "use a version that is valid now".to_owned(),
            Self::Unsuitable { .. } => "`acr-sign key show KEY` says what would fit; `az keyvault key create --kty EC --curve P-256 --ops sign verify` makes one".to_owned(),
            Self::Sdk { .. } => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, inner: &str, message: &str) -> VaultError {
        let inner = serde_json::json!({"code": inner});
        let body = serde_json::json!({"error": {"code": "Forbidden", "message": message, "innererror": inner}});
        VaultError::refused(
            "v.vault.azure.net/keys/k".into(),
            "sign with",
            status,
            body.to_string().as_bytes(),
        )
    }

    #[test]
    fn k06_each_kind_of_refusal_has_its_reason_and_its_help() {
        for (status, inner, reason, help) in [
            (
                403,
                "ForbiddenByRbac",
                Reason::VaultForbidden,
                "Key Vault Crypto User",
            ),
            (
                403,
                "AccessDenied",
                Reason::VaultForbidden,
                "az keyvault set-policy",
            ),
            (
                403,
                "ForbiddenByFirewall",
                Reason::VaultForbidden,
                "firewall",
            ),
            (
                403,
                "ForbiddenByConnection",
                Reason::VaultForbidden,
                "private endpoint",
            ),
            (
                403,
                "ForbiddenByPolicy",
                Reason::VaultForbidden,
                "policy of the vault",
            ),
            (
                403,
                "KeyOperationForbidden",
                Reason::VaultForbidden,
                "--ops sign verify",
            ),
            (403, "KeyDisabled", Reason::KeyDisabled, "--enabled true"),
            (403, "KeyExpired", Reason::KeyExpired, "valid now"),
            (403, "KeyNotYetValid", Reason::KeyExpired, "valid now"),
            (401, "", Reason::IdentityFailed, "of the vault's tenant"),
            (404, "", Reason::KeyNotFound, "az keyvault key list-deleted"),
        ] {
            let error = refused(status, inner, "no");
            assert_eq!(error.reason(), reason, "{status} {inner}");
            let hint = error.hint().unwrap_or_default();
            assert!(hint.contains(help), "{status} {inner}: {hint}");
        }
    }

    #[test]
    fn k06_what_is_missing_is_looked_for_among_its_kind() {
        for kind in ["key", "certificate", "secret"] {
            let error =
                VaultError::refused(format!("v.vault.azure.net/{kind}s/k"), "read", 404, b"");
            let hint = error.hint().unwrap_or_default();
            assert!(
                hint.contains(&format!("az keyvault {kind} list-deleted")),
                "{kind}: {hint}"
            );
        }
    }

    #[test]
    fn k06_text_with_line_ends_is_read_whole() {
        let error = refused(
            403,
            "ForbiddenByRbac",
            "Caller is not authorized.\r\nIf role assignments changed\r\nAction: 'a'",
        );
        assert_eq!(
            error.to_string(),
            "key vault refused to sign with `v.vault.azure.net/keys/k`: 403 ForbiddenByRbac"
        );
        let said = std::error::Error::source(&error).map(ToString::to_string);
        assert_eq!(
            said.as_deref(),
            Some("Caller is not authorized.; Action: 'a'")
        );
    }
}
