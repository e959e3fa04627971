//! How a vault says no: by role, policy and network, by the key's own state, and in general.

use serde_json::json;

use super::version::Version;
use crate::exchange::Response;

/// What a vault can be told to refuse.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Operation {
    /// Reading a public key.
    KeyGet,
    /// Listing the versions of a key.
    KeyList,
    /// Signing.
    Sign,
    /// Reading a certificate.
    CertificateGet,
    /// Listing the versions of a certificate.
    CertificateList,
    /// Reading a secret.
    SecretGet,
}

/// How it refuses.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Denial {
    /// A role is missing.
    Rbac,
    /// An access policy is missing.
    AccessPolicy,
    /// The caller's address is not allowed.
    Firewall,
    /// Public access is off.
    Connection,
}

/// The application and the object ID under which refusals name the caller, whoever that is.
pub const CALLER: (&str, &str) = (
    "00000000-0000-0000-0000-00000000c11e",
    "00000000-0000-0000-0000-00000000b1d5",
);

/// The address that refusals of the firewall name.
pub(super) const ADDRESS: &str = "203.0.113.7";

impl Operation {
    /// The data action, and the permission of access policies.
    fn needs(self) -> (&'static str, &'static str) {
        match self {
            Self::KeyGet => ("keys/read", "keys get"),
            Self::KeyList => ("keys/read", "keys list"),
            Self::Sign => ("keys/sign/action", "keys sign"),
            Self::CertificateGet => ("certificates/read", "certificates get"),
            Self::CertificateList => ("certificates/read", "certificates list"),
            Self::SecretGet => ("secrets/getSecret/action", "secrets get"),
        }
    }

    /// Whether a built-in role has the action.
    pub(super) fn is_granted_by(self, role: &str) -> bool {
        match role {
            "Key Vault Crypto User" => matches!(self, Self::KeyGet | Self::KeyList | Self::Sign),
            "Key Vault Reader" => matches!(
                self,
                Self::KeyGet | Self::KeyList | Self::CertificateGet | Self::CertificateList
            ),
            "Key Vault Secrets User" => self == Self::SecretGet,
            _ => false,
        }
    }

    /// Whether a permission of an access policy, such as `keys sign`, allows it.
    pub(super) fn is_allowed_by(self, permission: &str) -> bool {
        self.needs().1 == permission
    }

    /// The object in Azure's resource tree.
    pub(super) fn resource(self, vault: &str, name: &str) -> String {
        let (action, _) = self.needs();
        let kind = action.split('/').next().unwrap_or_default();
        format!(
            "/subscriptions/00000000-0000-0000-0000-0000000005ab/resourcegroups/rg/providers/microsoft.keyvault/vaults/{vault}/{kind}/{name}"
        )
    }
}

/// The answer to a caller whom `vault` denies an operation on `name`.
pub(super) fn denied(
    tenant: &str,
    vault: &str,
    operation: Operation,
    denial: Denial,
    name: &str,
) -> Response {
    let (action, permission) = operation.needs();
    let resource = operation.resource(vault, name);
    let (application, object) = CALLER;
    let caller = format!("appid={application};oid={object}");
    match denial {
        Denial::Rbac => error(
            403,
            "Forbidden",
            &format!(
                "Caller is not authorized to perform action on resource.\r\nIf role assignments, deny assignments or role definitions were \
                 changed recently, please observe propagation time.\r\nCaller: {caller};iss=https://sts.windows.net/{tenant}/\r\n\
                 Action: 'Microsoft.KeyVault/vaults/{action}'\r\nResource: '{resource}'\r\n\
                 Assignment: (not found)\r\nDenyAssignmentId: null\r\nDecisionReason: 'DeniedWithNoValidRBAC' \r\nVault: {vault};location=westeurope\r\n"
            ),
            Some("ForbiddenByRbac"),
        ),
        Denial::AccessPolicy => error(
            403,
            "Forbidden",
            &format!(
                "The user, group or application '{caller};iss=https://sts.windows.net/{tenant}/' does not have {permission} permission on key vault '{vault};location=westeurope'."
            ),
            Some("AccessDenied"),
        ),
        Denial::Firewall => error(
            403,
            "Forbidden",
            &format!(
                "Client address is not authorized and caller is not a trusted service.\r\nClient address: {ADDRESS}\r\nCaller: {caller}\r\nVault: {vault};location=westeurope"
            ),
            Some("ForbiddenByFirewall"),
        ),
        Denial::Connection => error(
            403,
            "Forbidden",
            "Public network access is disabled and request is not from a trusted service nor via an approved private link.",
            Some("ForbiddenByConnection"),
        ),
    }
}

/// The refusal to sign with a version that is disabled or outside of its period.
pub(super) fn unusable(version: &Version, now: i64) -> Option<Response> {
    if !version.enabled {
        return Some(error(
            403,
            "Forbidden",
            "Operation sign is not allowed on a disabled key.",
            Some("KeyDisabled"),
        ));
    }
    if version.not_before.is_some_and(|start| now < start) {
        return Some(error(
            403,
            "Forbidden",
            "Operation sign is not allowed on a key that is not yet valid.",
            Some("KeyNotYetValid"),
        ));
    }
    if version.expires.is_some_and(|end| now >= end) {
        return Some(error(
            403,
            "Forbidden",
            "Operation sign is not allowed on an expired key.",
            Some("KeyExpired"),
        ));
    }
    None
}

pub(super) fn not_found(code: &str, word: &str, name: &str) -> Response {
    let message = format!(
        "A {word} with (name/id) {name} was not found in this key vault. If you recently deleted this {word} you may be able to recover it using the correct recovery command."
    );
    error(404, &format!("{code}NotFound"), &message, None)
}

pub(super) fn error(status: u16, code: &str, message: &str, inner: Option<&str>) -> Response {
    let mut error = json!({"code": code, "message": message});
    if let Some(inner) = inner {
        error["innererror"] = json!({"code": inner});
    }
    Response::json(status, &json!({"error": error}))
        .header("x-ms-request-id", "00000000-0000-0000-0000-0000000000aa")
}
