//! What a vault refused, and what a person does about it (K06).
#![expect(
    clippy::indexing_slicing,
    reason = "into JSON only, where a missing member is null"
)]

use std::time::Duration;

use serde_json::Value;

use super::{IdentityError, ObjectId, VaultObject, transport::NetFailure, vault_denial::Denial};
use crate::{
    net::{self, HostNotAllowed},
    reason::{Explain, Reason},
    timestamp::Timestamp,
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
    #[error("no answer for `{object}`")]
    Net {
        /// The object.
        object: ObjectId,
        /// Why.
        #[source]
        cause: net::Error,
    },
    /// No token.
    #[error("no token for `{object}`")]
    Identity {
        /// The object.
        object: ObjectId,
        /// Why.
        #[source]
        cause: IdentityError,
    },
    /// The vault said no.
    #[error("key vault {} to {what} `{object}`: {status} {code}", if *status < 500 { "refused" } else { "failed" })]
    Refused {
        /// What was asked: `read`, `sign with`.
        what: &'static str,
        /// The object.
        object: ObjectId,
        /// The status.
        status: u16,
        /// The inner code, or the code.
        code: String,
        /// Whom it refused.
        denial: Box<Denial>,
        /// The first lines of its message, one line.
        #[source]
        said: Message,
    },
    /// The answer is about another object or version, or lacks a part.
    #[error("key vault answered for `{object}` with {what}")]
    Answer {
        /// The object.
        object: ObjectId,
        /// What is wrong with it.
        what: String,
    },
    /// The certificate has been asked for and is not issued.
    #[error("`{object}` is not issued yet: its certificate authority has not answered, or refused")]
    Pending {
        /// The certificate.
        object: ObjectId,
    },
    /// The version is disabled.
    #[error("`{object}`{} is disabled", version(object))]
    Disabled {
        /// The object.
        object: ObjectId,
    },
    /// The version is past its period of validity.
    #[error("`{object}`{} expired at {expired}", version(object))]
    Expired {
        /// The object.
        object: ObjectId,
        /// When.
        expired: Timestamp,
        /// The time of the run.
        now: Timestamp,
    },
    /// The version is not in its period of validity yet.
    #[error("`{object}`{} is not valid before {start}", version(object))]
    NotYetValid {
        /// The object.
        object: ObjectId,
        /// From when.
        start: Timestamp,
        /// The time of the run.
        now: Timestamp,
    },
    /// The key cannot do this.
    #[error("`{object}` is {kind}, which {why}")]
    Unsuitable {
        /// The key.
        object: ObjectId,
        /// Its kind.
        kind: String,
        /// Why not.
        why: &'static str,
    },
    /// The SDK could not make or read a request.
    #[error("`{name}` could not be asked for")]
    Sdk {
        /// The vault or its object.
        name: String,
        /// Why.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// ` version VERSION`, where one is known.
fn version(object: &ObjectId) -> String {
    let version = object.version.as_ref();
    version.map_or_else(String::new, |version| format!(" version `{version}`"))
}

/// The vault's own words.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Message(String);

impl VaultError {
    /// From the SDK's error: ours where it came from below, the service's where it answered.
    pub(super) fn of(object: &ObjectId, what: &'static str, error: azure_core::Error) -> Self {
        if let azure_core::error::ErrorKind::HttpResponse {
            status,
            raw_response,
            ..
        } = error.kind()
        {
            let body = raw_response
                .as_ref()
                .map(|raw| raw.body().as_ref().to_vec());
            let body = body.unwrap_or_default();
            return Self::refused(object.clone(), what, u16::from(*status), &body);
        }
        let mut error: Box<dyn std::error::Error + Send + Sync> = Box::new(error);
        loop {
            error = match error.downcast::<azure_core::Error>() {
                Ok(inner) => match inner.into_inner() {
                    Ok(deeper) => deeper,
                    Err(last) => return Self::sdk(object.to_string(), last),
                },
                Err(other) => break Self::own(object, other),
            };
        }
    }

    /// The SDK could not make or read a request for this.
    pub(super) fn sdk(name: String, cause: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Sdk {
            name,
            cause: Box::new(cause),
        }
    }

    fn own(object: &ObjectId, error: Box<dyn std::error::Error + Send + Sync>) -> Self {
        let object = object.clone();
        let error = match error.downcast::<IdentityError>() {
            Ok(cause) => {
                return Self::Identity {
                    object,
                    cause: *cause,
                };
            }
            Err(error) => error,
        };
        match error.downcast::<NetFailure>() {
            Ok(failure) => Self::Net {
                object,
                cause: failure.0,
            },
            Err(cause) => Self::Sdk {
                name: object.to_string(),
                cause,
            },
        }
    }

    fn refused(object: ObjectId, what: &'static str, status: u16, body: &[u8]) -> Self {
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
        let lines = message.lines().map(str::trim).filter(|line| {
            !line.is_empty()
                && !line.starts_with("If role")
                && !line.starts_with("DenyAssignmentId")
        });
        let said: String = lines
            .collect::<Vec<_>>()
            .join("; ")
            .chars()
            .take(600)
            .collect();
        Self::Refused {
            what,
            object,
            status,
            code,
            denial: Box::new(Denial::read(&message)),
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
            Self::Disabled { .. } | Self::Pending { .. } => Reason::KeyDisabled,
            Self::Expired { .. } | Self::NotYetValid { .. } => Reason::KeyExpired,
            Self::Unsuitable { .. } => Reason::KeyUnsuitable,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Host { cause, .. } => return cause.hint(),
            Self::Net { cause, .. } => return cause.hint(),
            Self::Identity { cause, .. } => return cause.hint(),
            Self::Refused {
                status: 403,
                object,
                code,
                what,
                denial,
                ..
            } => forbidden(object, code, what, denial),
            Self::Refused { status, object, .. } => refused(*status, object),
            Self::Answer { .. } => {
                format!("run again; the key may have been rotated meanwhile; {NOTHING}")
            }
            Self::Pending { object } => format!(
                "`{}` says what it waits for; where the request was signed elsewhere, `{} --file SIGNED.cer` completes it",
                object.az_by_name("pending show"),
                object.az_by_name("pending merge"),
            ),
            Self::Disabled { object } => enable(object),
            Self::Expired { object, .. } if object.kind == VaultObject::Certificate => format!(
                "a new version: `{} --policy \"$({} --query policy)\"`",
                object.az_by_name("create"),
                object.az_by_name("show"),
            ),
            Self::Expired { object, now, .. } => format!(
                "a new version: `{}`; or let this one live for another year: `{} --expires {}`",
                object.az_by_name("rotate"),
                object.az("set-attributes"),
                now.plus(YEAR),
            ),
            Self::NotYetValid { object, now, .. } => format!(
                "use a version that is valid now, or `{} --not-before {now}`; check this machine's clock",
                object.as_kind(VaultObject::Key).az("set-attributes"),
            ),
            Self::Unsuitable { object, .. } => format!(
                "`{}` makes a key that every format can use; `--format notation` may do with this one: `acr-sign key show \
                 https://{object}` says so",
                object.az_create_p256()
            ),
            Self::Sdk { .. } => return None,
        })
    }
}

/// Said where a signature was asked for, since a person wants to know.
const NOTHING: &str = "nothing was published";
/// How long an expired key is let live on.
const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);
/// How long a new permission takes to reach the vault.
const WAIT: &str = "it needs a few minutes to take effect";

fn enable(object: &ObjectId) -> String {
    format!(
        "`{} --enabled true`, or use another version",
        object.az("set-attributes")
    )
}

/// What to do about a 403, by its inner code.
fn forbidden(object: &ObjectId, code: &str, what: &str, denial: &Denial) -> String {
    let nothing = if what == "sign with" {
        format!("; {NOTHING}")
    } else {
        String::new()
    };
    match code {
        "ForbiddenByRbac" => format!("{}; {WAIT}{nothing}", denial.role_assignment(object, what)),
        "AccessDenied" => format!("{}; {WAIT}{nothing}", denial.access_policy(object, what)),
        "ForbiddenByFirewall" => format!(
            "run inside the vault's network, or let this address in: {}; hosted runners have no fixed address and are \
             no trusted service",
            denial.network_rule(object)
        ),
        "ForbiddenByConnection" => format!(
            "the vault has no public access: run where its private endpoint is; `az network private-endpoint-connection \
             list --id \"$(az keyvault show --name {} --query id --output tsv)\"` shows which networks have one",
            object.vault()
        ),
        "KeyDisabled" | "SecretDisabled" => enable(object),
        "ForbiddenByPolicy" => {
            "a policy of the vault refuses this kind of caller: ask the administrator of the vault"
                .to_owned()
        }
        "KeyExpired" | "KeyNotYetValid" => format!(
            "use a version that is valid now; `{}` shows when this one is",
            object.az("show")
        ),
        "KeyOperationForbidden" => format!(
            "`{} --ops sign verify` lets the key sign",
            object.as_kind(VaultObject::Key).az("set-attributes")
        ),
        _ => NOTHING.to_owned(),
    }
}

/// What to do about any other status.
fn refused(status: u16, object: &ObjectId) -> String {
    let (noun, vault) = (object.kind.noun(), object.vault_flag());
    match status {
        404 => format!(
            "check name and version: `az keyvault {noun} list {vault} --query \"[].name\"` shows the names; \
             `az keyvault {noun} list-deleted {vault}` shows deleted ones, and `{}` brings it back",
            object.az_by_name("recover")
        ),
        401 => format!(
            "the vault does not take the identity's token: `az keyvault show --name {} --query properties.tenantId \
             --output tsv` prints the tenant that the identity must be of (`--tenant-id`); check this machine's clock",
            object.vault()
        ),
        429 => format!(
            "the vault asks to slow down: run again later, or with a smaller `--concurrency`; {NOTHING}"
        ),
        500.. => format!(
            "the vault is failing: check Azure's status page, and run again later; {NOTHING}"
        ),
        _ => NOTHING.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(kind: VaultObject) -> ObjectId {
        ObjectId {
            host: "v.vault.azure.net".into(),
            kind,
            name: "k".into(),
            version: None,
        }
    }

    fn denied(status: u16, inner: &str, message: &str) -> VaultError {
        let inner = serde_json::json!({"code": inner});
        let body = serde_json::json!({"error": {"code": "Forbidden", "message": message, "innererror": inner}});
        VaultError::refused(
            object(VaultObject::Key),
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
                "az keyvault network-rule add",
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
            (
                401,
                "",
                Reason::IdentityFailed,
                "the tenant that the identity must be of",
            ),
            (404, "", Reason::KeyNotFound, "az keyvault key list-deleted"),
        ] {
            let error = denied(status, inner, "no");
            assert_eq!(error.reason(), reason, "{status} {inner}");
            let hint = error.hint().unwrap_or_default();
            assert!(hint.contains(help), "{status} {inner}: {hint}");
        }
    }

    #[test]
    fn k06_what_is_missing_is_looked_for_among_its_kind() {
        for kind in [
            VaultObject::Key,
            VaultObject::Certificate,
            VaultObject::Secret,
        ] {
            let error = VaultError::refused(object(kind), "read", 404, b"");
            let hint = error.hint().unwrap_or_default();
            let noun = kind.noun();
            let list = format!("`az keyvault {noun} list-deleted --vault-name v`");
            assert!(hint.contains(&list), "{hint}");
        }
    }

    #[test]
    fn k06_text_with_line_ends_is_read_whole() {
        let error = denied(
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
