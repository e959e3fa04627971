//! What a vault says about the caller that it refuses, and the command that lets the caller in. Only words that
//! cannot be more than a word of a command are taken out of the answer.

use super::{ObjectId, VaultObject};

/// Application IDs under which people log in: az, and Azure PowerShell. Their object IDs are users'.
const PEOPLE: [&str; 2] = [
    "04b07795-8ddb-461a-bbee-02f9e1bf7b46",
    "1950a258-227b-4e31-a9cf-717495945fc2",
];

/// The caller and the permission that it lacks, as far as the refusal names them.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Denial {
    object_id: Option<String>,
    is_person: bool,
    action: Option<String>,
    resource: Option<String>,
    permission: Option<String>,
    address: Option<String>,
}

impl Denial {
    /// From the message of the refusal. Lines end in `\r\n`, in the order in which the service writes them.
    pub(super) fn read(message: &str) -> Self {
        let application = behind(message, "appid=");
        let permission = message.split_once("does not have ").map(|(_, rest)| rest);
        Self {
            object_id: behind(message, "oid="),
            is_person: application.is_some_and(|id| PEOPLE.contains(&id.as_str())),
            action: behind(message, "Action: '"),
            resource: behind(message, "Resource: '"),
            permission: permission
                .and_then(|rest| rest.split_whitespace().nth(1))
                .and_then(|word| behind(word, "")),
            address: behind(message, "Client address: "),
        }
    }

    fn object_id(&self) -> &str {
        self.object_id.as_deref().unwrap_or("OBJECT-ID")
    }

    /// The role that has the action, and the command that gives it.
    pub(super) fn role_assignment(&self, object: &ObjectId, what: &str) -> String {
        let role = self.role(object, what);
        if object.is_in_hsm() {
            return format!(
                "`az keyvault role assignment create --hsm-name {} --role \"Managed HSM Crypto User\" --assignee {} \
                 --scope /keys/{}`",
                object.vault(),
                self.object_id(),
                object.name
            );
        }
        let kind = if self.is_person {
            "User"
        } else {
            "ServicePrincipal"
        };
        // A role is for an object in all its versions.
        let scope = self.resource.clone().map_or_else(
            || {
                format!(
                    "\"$(az keyvault show --name {} --query id --output tsv)\"",
                    object.vault()
                )
            },
            |resource| match resource.rsplit_once('/') {
                Some((of_object, last)) if super::vault_object::is_version(last) => {
                    of_object.to_owned()
                }
                _ => resource,
            },
        );
        format!(
            "`az role assignment create --assignee-object-id {} --assignee-principal-type {kind} --role \"{role}\" \
             --scope {scope}`",
            self.object_id()
        )
    }

    fn role(&self, object: &ObjectId, what: &str) -> &'static str {
        let action = self
            .action
            .as_deref()
            .unwrap_or_default()
            .to_ascii_lowercase();
        let kind = if action.contains("/certificates/") {
            VaultObject::Certificate
        } else if action.contains("/secrets/") {
            VaultObject::Secret
        } else if action.contains("/keys/") || what == "sign with" {
            VaultObject::Key
        } else {
            object.kind
        };
        let changes = ["/create", "/import", "/write", "/update"]
            .iter()
            .any(|verb| action.contains(verb));
        match (kind, changes) {
            (VaultObject::Key, false) => "Key Vault Crypto User",
            (VaultObject::Key, true) => "Key Vault Crypto Officer",
            (VaultObject::Certificate, false) => "Key Vault Reader",
            (VaultObject::Certificate, true) => "Key Vault Certificates Officer",
            (VaultObject::Secret, false) => "Key Vault Secrets User",
            (VaultObject::Secret, true) => "Key Vault Secrets Officer",
        }
    }

    /// The command that adds to the vault's access policy what is needed of this kind of object.
    pub(super) fn access_policy(&self, object: &ObjectId, what: &str) -> String {
        let (flag, needed) = match object.kind {
            VaultObject::Key => ("key", "get sign"),
            VaultObject::Certificate => ("certificate", "get"),
            VaultObject::Secret => ("secret", "get"),
        };
        let lacking = self.permission.as_deref().unwrap_or_default();
        let further = if what == "sign with" || needed.contains(lacking) {
            String::new()
        } else {
            format!(" {lacking}")
        };
        format!(
            "`az keyvault set-policy --name {} --object-id {} --{flag}-permissions {needed}{further}`",
            object.vault(),
            self.object_id()
        )
    }

    /// The command that lets the caller's address through the vault's firewall.
    pub(super) fn network_rule(&self, object: &ObjectId) -> String {
        format!(
            "`az keyvault network-rule add --name {} --ip-address {}`",
            object.vault(),
            self.address.as_deref().unwrap_or("ADDRESS")
        )
    }
}

/// The word behind a mark, where nothing of it could mean more to a shell.
fn behind(text: &str, mark: &str) -> Option<String> {
    let (_, rest) = text.split_once(mark)?;
    let end = rest.find(|c: char| c.is_whitespace() || matches!(c, ';' | '\'' | ',' | '"'));
    let found = rest.get(..end.unwrap_or(rest.len()))?.trim_end_matches('.');
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:".contains(c);
    (!found.is_empty() && found.chars().all(plain)).then(|| found.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const RBAC: &str = "Caller is not authorized to perform action on resource.\r\nIf role assignments, deny assignments \
        or role definitions were changed recently, please observe propagation time.\r\nCaller: appid=11111111-aaaa;\
        oid=22222222-bbbb;iss=https://sts.windows.net/33333333/\r\nAction: \
        'Microsoft.KeyVault/vaults/keys/sign/action'\r\nResource: '/subscriptions/s/resourcegroups/rg/providers/\
        microsoft.keyvault/vaults/contoso/keys/release/0123456789abcdef0123456789abcdef'\r\nAssignment: (not found)\r\n";

    fn object(kind: VaultObject, host: &str) -> ObjectId {
        ObjectId {
            host: host.into(),
            kind,
            name: "release".into(),
            version: None,
        }
    }

    #[test]
    fn k06_a_role_is_given_to_the_caller_on_the_object() {
        let key = object(VaultObject::Key, "contoso.vault.azure.net");
        let given = Denial::read(RBAC).role_assignment(&key, "sign with");
        assert_eq!(
            given,
            "`az role assignment create --assignee-object-id 22222222-bbbb --assignee-principal-type ServicePrincipal \
             --role \"Key Vault Crypto User\" --scope /subscriptions/s/resourcegroups/rg/providers/microsoft.keyvault/\
             vaults/contoso/keys/release`"
        );
        let person = RBAC.replace("11111111-aaaa", PEOPLE[0]);
        let given = Denial::read(&person).role_assignment(&key, "sign with");
        assert!(given.contains("--assignee-principal-type User "), "{given}");
    }

    #[test]
    fn k06_what_is_not_named_is_looked_up_or_left_to_fill_in() {
        let secret = object(VaultObject::Secret, "contoso.vault.azure.net");
        assert_eq!(
            Denial::read("no").role_assignment(&secret, "read"),
            "`az role assignment create --assignee-object-id OBJECT-ID --assignee-principal-type ServicePrincipal --role \
             \"Key Vault Secrets User\" --scope \"$(az keyvault show --name contoso --query id --output tsv)\"`"
        );
        let hsm = object(VaultObject::Key, "contoso.managedhsm.azure.net");
        assert_eq!(
            Denial::read("oid=22222222-bbbb").role_assignment(&hsm, "sign with"),
            "`az keyvault role assignment create --hsm-name contoso --role \"Managed HSM Crypto User\" --assignee \
             22222222-bbbb --scope /keys/release`"
        );
    }

    #[test]
    fn k06_an_answer_cannot_write_commands() {
        for hostile in [
            "oid=$(id)",
            "oid=`id`",
            "oid=a|b",
            "oid=a&b",
            "oid=;id",
            "oid=(a)",
            "oid=a\\b",
        ] {
            assert_eq!(Denial::read(hostile).object_id, None, "{hostile}");
        }
        let newline = Denial::read("oid=a\r\nResource: '/s/$(id)'\r\n");
        assert_eq!(
            (newline.object_id.as_deref(), newline.resource),
            (Some("a"), None)
        );
    }

    #[test]
    fn k06_an_access_policy_gets_what_is_needed() {
        let said = |permission: &str| {
            format!(
                "The user, group or application 'appid=a;oid=22222222-bbbb;iss=x' does not have {permission} permission on \
                 key vault 'contoso;location=westeurope'. For help"
            )
        };
        for (kind, permission, what, flags) in [
            (
                VaultObject::Key,
                "keys sign",
                "sign with",
                "--key-permissions get sign`",
            ),
            (
                VaultObject::Key,
                "keys get",
                "read",
                "--key-permissions get sign`",
            ),
            (
                VaultObject::Key,
                "keys list",
                "list versions of",
                "--key-permissions get sign list`",
            ),
            (
                VaultObject::Certificate,
                "certificates get",
                "read",
                "--certificate-permissions get`",
            ),
            (
                VaultObject::Secret,
                "secrets get",
                "read",
                "--secret-permissions get`",
            ),
        ] {
            let object = object(kind, "contoso.vault.azure.net");
            let given = Denial::read(&said(permission)).access_policy(&object, what);
            assert_eq!(
                given,
                format!("`az keyvault set-policy --name contoso --object-id 22222222-bbbb {flags}")
            );
        }
    }
}
