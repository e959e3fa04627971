//! Who refused something, to whom: what a fix needs to know.

/// A registry or trust server as a login saw it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Peer {
    /// The registry's name in references.
    pub host: String,
    /// The name of the registry in Azure, where it is one.
    pub acr: Option<String>,
    /// How it was logged in, as reports name it.
    pub login: &'static str,
    /// The Entra identity that logged in.
    pub principal: Option<Principal>,
}

/// An identity of Entra as its token names it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Principal {
    /// The object ID.
    pub object_id: String,
    /// A person, not an application.
    pub is_user: bool,
}

impl Peer {
    /// Whether nobody logged in.
    pub(super) fn is_anonymous(&self) -> bool {
        self.login == "anonymous"
    }

    /// How to log in at a registry that is not Azure's, or by other means than Azure's.
    pub(super) fn docker_login(&self) -> String {
        format!(
            "`docker login {}`, or pass `--username USER --password-stdin`",
            self.host
        )
    }

    /// The command that gives the identity a role on the registry; with a placeholder only where the identity is
    /// not known.
    pub(super) fn assign(&self, acr: &str, role: &str) -> String {
        let assignee = match &self.principal {
            Some(principal) => format!(
                "--assignee-object-id {} --assignee-principal-type {}",
                principal.object_id,
                if principal.is_user {
                    "User"
                } else {
                    "ServicePrincipal"
                }
            ),
            None => "--assignee IDENTITY".to_owned(),
        };
        format!(
            "`az role assignment create {assignee} --role {role} --scope \"$(az acr show --name {acr} --query id --output tsv)\"`"
        )
    }

    /// The identity as a message names it.
    pub(super) fn identity(&self) -> String {
        self.principal.as_ref().map_or_else(
            || "the identity".to_owned(),
            |principal| format!("the identity `{}`", principal.object_id),
        )
    }
}
