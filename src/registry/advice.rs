//! What a person does about an error of a registry or trust server.

use super::{Error, Peer, error::Missing};
use crate::reason::{Explain, Reason};

impl Explain for Error {
    fn reason(&self) -> Reason {
        match self {
            Self::Net(error) => error.reason(),
            Self::Unauthorized { .. } | Self::NoLogin { .. } => Reason::RegistryUnauthorized,
            Self::Forbidden { .. } | Self::Locked { .. } => Reason::RegistryForbidden,
            Self::Throttled { .. } => Reason::RegistryThrottled,
            Self::NotFound { .. } => Reason::NotFound,
            Self::ContentTrustDisabled { .. } => Reason::ContentTrustDisabled,
            Self::SignerRoleMissing { .. } => Reason::SignerRoleMissing,
            Self::VersionConflict { .. } | Self::ReferrersRace { .. } => Reason::RaceLost,
            Self::Refused { status, .. } if status.is_server_error() => Reason::RegistryUnreachable,
            Self::Refused { .. }
            | Self::OtherBytes { .. }
            | Self::Challenge { .. }
            | Self::NoToken { .. }
            | Self::Manifest { .. }
            | Self::Referrers { .. }
            | Self::NotListed { .. }
            | Self::Listing { .. } => Reason::AnswerInvalid,
            Self::ReferrersRefused { reason, .. } => *reason,
            Self::LongListing { .. } => Reason::LimitReached,
            Self::NoReferrersApi { .. }
            | Self::NoReferrersTag { .. }
            | Self::DockerConfig { .. } => Reason::ConfigInvalid,
            Self::LeadsAway { .. } => Reason::RedirectRefused,
            Self::Host { cause, .. } => cause.reason(),
            Self::Identity { cause, .. } => cause.reason(),
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Net(error) => return error.hint(),
            Self::Host { cause, .. } => return cause.hint(),
            Self::Identity { cause, .. } => return cause.hint(),
            Self::Unauthorized { peer, writes, .. } => log_in(peer, *writes),
            Self::Forbidden { message, .. } if message.has("not allowed access") => {
                "the registry's firewall refuses this address: allow it, or use the private endpoint".to_owned()
            }
            Self::Forbidden { peer, writes, .. } => log_in(peer, *writes),
            Self::Locked { peer, repository, writes, .. } => {
                unlock(peer, repository.as_deref(), *writes)
            }
            Self::Throttled { peer, .. } if peer.acr.is_none() && peer.is_anonymous() => format!(
                "registries limit pulls without a login: {}, or run again later",
                peer.docker_login()
            ),
            Self::Throttled { .. } => "lower `--concurrency` or raise `--timeout`".to_owned(),
            Self::NotFound { peer, missing, .. } => find(peer, missing),
            Self::ContentTrustDisabled { .. } => {
                "sign and verify with `--format notation` instead: content trust can no longer be enabled on registries \
                 that do not use it, and Azure removes it on 2028-03-31"
                    .to_owned()
            }
            Self::SignerRoleMissing { peer, .. } => let_sign(peer),
            Self::VersionConflict { .. } => "run again".to_owned(),
            Self::OtherBytes { .. } => {
                "something between here and the registry changes what it sends: check proxies and mirrors".to_owned()
            }
            Self::NoReferrersApi { .. } => "leave `--referrers` at `auto`, or pass `--referrers tag`".to_owned(),
            Self::ReferrersRefused { .. } => {
                "this registry does not offer the Referrers API in a known way: pass `--referrers tag`".to_owned()
            }
            Self::NotListed { .. } => "a replica may lag behind: run again".to_owned(),
            Self::ReferrersRace { .. } => {
                "run again; sign one image from one place at a time to avoid the race".to_owned()
            }
            Self::LeadsAway { .. } => {
                "check for a proxy in between: a registry's own addresses never leave its host".to_owned()
            }
            Self::LongListing { .. } => "name fewer repositories with `--repository`".to_owned(),
            Self::NoLogin { .. } => "log in first, or choose another `--registry-auth`".to_owned(),
            Self::DockerConfig { .. } => {
                "fix the file or the helper, or pass `--registry-auth anonymous` to go on without a login".to_owned()
            }
            Self::Refused { status, .. } if status.is_server_error() => {
                "the service is failing: check its status page, and run again later".to_owned()
            }
            Self::Refused { .. }
            | Self::Manifest { .. }
            | Self::Referrers { .. }
            | Self::Listing { .. }
            | Self::NoReferrersTag { .. }
            | Self::Challenge { .. }
            | Self::NoToken { .. } => return None,
        })
    }
}

/// A login that is not enough, or none.
fn log_in(peer: &Peer, writes: bool) -> String {
    let Some(acr) = &peer.acr else {
        return if peer.is_anonymous() {
            format!("log in: {}", peer.docker_login())
        } else {
            format!(
                "check the user name and password, and that they allow this; log in again: {}",
                peer.docker_login()
            )
        };
    };
    match peer.login {
        "anonymous" => format!("log in: `az login`, or `az acr login --name {acr}`"),
        "entra" => {
            let (role, abac) = if writes {
                ("AcrPush", "Container Registry Repository Writer")
            } else {
                ("AcrPull", "Container Registry Repository Reader")
            };
            format!(
                "give {} the role `{role}` (on a registry with ABAC: `{abac}`), and log in again, since a new role needs a \
                 new token: {}",
                peer.identity(),
                peer.assign(acr, role)
            )
        }
        _ => format!(
            "check the user name and password, and that they allow this; repository-scoped tokens never reach trust data. \
             Log in again: `az acr login --name {acr}`"
        ),
    }
}

/// A lock of Azure Container Registry.
fn unlock(peer: &Peer, repository: Option<&str>, writes: bool) -> String {
    let (Some(acr), Some(repository)) = (&peer.acr, repository) else {
        return "unlock it at the registry; sign images before they are locked".to_owned();
    };
    let attribute = if writes { "write" } else { "read" };
    format!(
        "see what is locked: `az acr repository show --name {acr} --repository {repository} --query changeableAttributes`; \
         unlock it: `az acr repository update --name {acr} --repository {repository} --{attribute}-enabled true`; sign images \
         before they are locked"
    )
}

/// Something that is not there.
fn find(peer: &Peer, missing: &Missing) -> String {
    match (missing, &peer.acr) {
        (Missing::Repository(_), Some(acr)) => {
            format!("check the name: `az acr repository list --name {acr} --output table`")
        }
        (Missing::Repository(_), None) => format!(
            "check the name; some registries also answer so where the login may not read: {}",
            peer.docker_login()
        ),
        (Missing::Tag { repository, near }, acr) => {
            let near: Vec<String> = near.iter().map(|tag| format!("`{tag}`")).collect();
            let near = if near.is_empty() {
                "check the tag".to_owned()
            } else {
                format!("did you mean {}?", near.join(" or "))
            };
            match acr {
                Some(acr) => format!(
                    "{near}; all tags: `az acr repository show-tags --name {acr} --repository {repository} --output table`"
                ),
                None => near,
            }
        }
        (Missing::Other, _) => {
            "check the name; right after a push a replica may lag behind: run again".to_owned()
        }
    }
}

/// A login that may push and not write trust data.
fn let_sign(peer: &Peer) -> String {
    match &peer.acr {
        Some(acr) if peer.login == "entra" => format!(
            "give {} the role `AcrImageSigner` beside `AcrPush`, and log in again, since a new role needs a new token: {}; \
             nothing was published",
            peer.identity(),
            peer.assign(acr, "AcrImageSigner")
        ),
        _ => "log in with an Entra identity that has the role `AcrImageSigner`: the admin account and repository-scoped tokens \
              can never sign; nothing was published"
            .to_owned(),
    }
}
