//! What a registry or trust server refused, and what a person does about it.
#![expect(
    clippy::indexing_slicing,
    reason = "into JSON only, where a missing member is null"
)]

use http::StatusCode;

use super::{DockerConfigError, InvalidChallenge};
use crate::{
    net::{self, HostNotAllowed, Response},
    oci::{manifest::InvalidManifest, referrers::InvalidReferrers},
    reason::{Explain, Reason},
};

/// A registry or trust server did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No usable answer.
    #[error(transparent)]
    Net(#[from] net::Error),
    /// The login was not taken, or does not allow this.
    #[error("{what}: `{host}` answered 401 after a login ({login})")]
    Unauthorized {
        /// What was asked for.
        what: String,
        /// The host.
        host: String,
        /// How it was logged in.
        login: String,
        /// What the answer said.
        #[source]
        said: ServerMessage,
    },
    /// The registry forbids it.
    #[error("{what}: `{host}` answered 403")]
    Forbidden {
        /// What was asked for.
        what: String,
        /// The host.
        host: String,
        /// What the answer said.
        #[source]
        said: ServerMessage,
    },
    /// Still throttled after all retries.
    #[error("{what}: `{host}` asks to slow down")]
    Throttled {
        /// What was asked for.
        what: String,
        /// The host.
        host: String,
    },
    /// It is not there.
    #[error("{what}: `{host}` does not have it")]
    NotFound {
        /// What was asked for.
        what: String,
        /// The host.
        host: String,
    },
    /// The trust server does not offer content trust for this registry.
    #[error("{what}: `{host}` does not offer content trust ({status})")]
    ContentTrustDisabled {
        /// What was asked for.
        what: String,
        /// The host.
        host: String,
        /// The status.
        status: StatusCode,
    },
    /// The login may push, but not write trust data.
    #[error("{what}: `{host}` refuses to store trust data ({status})")]
    SignerRoleMissing {
        /// What was asked for.
        what: String,
        /// The host.
        host: String,
        /// The status.
        status: StatusCode,
        /// How it was logged in.
        login: String,
    },
    /// Somebody else published first.
    #[error("{what}: `{host}` already has a newer version")]
    VersionConflict {
        /// What was asked for.
        what: String,
        /// The host.
        host: String,
    },
    /// The server refuses the content.
    #[error("{what}: `{host}` refuses it ({status})")]
    Refused {
        /// What was asked for.
        what: String,
        /// The host.
        host: String,
        /// The status.
        status: StatusCode,
        /// What the answer said.
        #[source]
        said: ServerMessage,
    },
    /// The answer's bytes are not those of the digest asked for.
    #[error("{what}: the bytes that `{host}` sent have another digest")]
    OtherBytes {
        /// What was asked for.
        what: String,
        /// The host.
        host: String,
    },
    /// The answer is no manifest.
    #[error("{what}: `{host}` sent no manifest of an image")]
    Manifest {
        /// What was asked for.
        what: String,
        /// The host.
        host: String,
        /// Why.
        #[source]
        cause: InvalidManifest,
    },
    /// The list of referrers cannot be read.
    #[error("{what}: `{host}` sent no list of referrers")]
    Referrers {
        /// What was asked for.
        what: String,
        /// The host.
        host: String,
        /// Why.
        #[source]
        cause: InvalidReferrers,
    },
    /// `--referrers api`, and the registry has no such API.
    #[error("`{host}` has no Referrers API")]
    NoReferrersApi {
        /// The host.
        host: String,
    },
    /// A digest that is too long for the tag schema.
    #[error("`{subject}` is too long for a tag that lists what refers to it")]
    NoReferrersTag {
        /// The digest.
        subject: String,
    },
    /// What was pushed does not appear in the list.
    #[error("`{host}` took `{digest}`, but does not list it as referring to `{subject}`")]
    NotListed {
        /// What was pushed.
        digest: String,
        /// The subject.
        subject: String,
        /// The host.
        host: String,
    },
    /// Other writers overwrote the index every time.
    #[error(
        "the list of what refers to `{subject}` on `{host}` was overwritten by others, {attempts} times in a row"
    )]
    ReferrersRace {
        /// The subject.
        subject: String,
        /// The host.
        host: String,
        /// How often it was tried.
        attempts: u32,
    },
    /// An upload or a listing that goes on at another host.
    #[error("{what}: `{host}` sends us on to `{to}`")]
    LeadsAway {
        /// What was asked for.
        what: String,
        /// The host.
        host: String,
        /// Where to.
        to: String,
    },
    /// A page of a listing cannot be read.
    #[error("{what}: `{host}` sent a list that cannot be read ({why})")]
    Listing {
        /// What was asked for.
        what: String,
        /// The host.
        host: String,
        /// Why.
        why: String,
    },
    /// A listing without an end.
    #[error("{what}: `{host}` sent {pages} pages, and more are left")]
    LongListing {
        /// What was asked for.
        what: String,
        /// The host.
        host: String,
        /// How many were read.
        pages: usize,
    },
    /// The challenge cannot be answered.
    #[error("{what}: `{host}` demands a login that cannot be made")]
    Challenge {
        /// What was asked for.
        what: String,
        /// The host.
        host: String,
        /// Why.
        #[source]
        cause: InvalidChallenge,
    },
    /// A host may not receive the credential.
    #[error("{what}: the login for `{registry}` stays here")]
    Host {
        /// What was asked for.
        what: String,
        /// The registry.
        registry: String,
        /// Why.
        #[source]
        cause: HostNotAllowed,
    },
    /// The token service's answer has no token.
    #[error("the token service of `{host}` sent no token")]
    NoToken {
        /// The registry.
        host: String,
    },
    /// Docker's configuration cannot be used.
    #[error("no login for `{host}`")]
    DockerConfig {
        /// The registry.
        host: String,
        /// Why.
        #[source]
        cause: DockerConfigError,
    },
    /// The Azure identity gave no token.
    #[error("no login for `{host}`")]
    Identity {
        /// The registry.
        host: String,
        /// Why.
        #[source]
        cause: crate::azure::IdentityError,
    },
    /// A login was asked for that is not there.
    #[error("`--registry-auth {asked}` finds no login for `{host}`")]
    NoLogin {
        /// What was asked for.
        asked: &'static str,
        /// The registry.
        host: String,
    },
}

/// What an error body said, one line.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ServerMessage(String);

impl ServerMessage {
    /// `code: message` of the first error in the body, or its beginning.
    pub fn of(response: &Response) -> Self {
        let document: serde_json::Value =
            serde_json::from_slice(&response.body).unwrap_or_default();
        let error = document.pointer("/errors/0").cloned().unwrap_or_default();
        let text =
            |value: &serde_json::Value| value.as_str().map(ToOwned::to_owned).unwrap_or_default();
        let detail = error
            .pointer("/detail/Error/Msg")
            .map(text)
            .filter(|text| !text.is_empty());
        let code = text(&error["code"]);
        if code.is_empty() {
            let start: String = String::from_utf8_lossy(&response.body)
                .chars()
                .take(200)
                .collect();
            return Self(format!("{} {start}", response.status).trim().to_owned());
        }
        let detail = detail
            .map(|detail| format!(" ({detail})"))
            .unwrap_or_default();
        Self(format!("{code}: {}{detail}", text(&error["message"])))
    }

    /// Whether the text holds `part`.
    pub fn has(&self, part: &str) -> bool {
        self.0.contains(part)
    }
}

impl Error {
    /// Whether the same push, begun anew, may well succeed: the connection broke, the upload was lost, or the
    /// registry stumbled over another client's write.
    pub(super) fn is_transient(&self) -> bool {
        match self {
            Self::Net(net::Error::Unreachable { .. }) | Self::NotFound { .. } => true,
            Self::Refused { status, .. } => {
                status.is_server_error() || *status == StatusCode::BAD_REQUEST
            }
            _ => false,
        }
    }
}

impl Explain for Error {
    fn reason(&self) -> Reason {
        match self {
            Self::Net(error) => error.reason(),
            Self::Unauthorized { .. } | Self::NoLogin { .. } => Reason::RegistryUnauthorized,
            Self::Forbidden { .. } => Reason::RegistryForbidden,
            Self::Throttled { .. } => Reason::RegistryThrottled,
            Self::NotFound { .. } => Reason::NotFound,
            Self::ContentTrustDisabled { .. } => Reason::ContentTrustDisabled,
            Self::SignerRoleMissing { .. } => Reason::SignerRoleMissing,
            Self::VersionConflict { .. } => Reason::RaceLost,
            Self::Refused { status, .. } if status.is_server_error() => Reason::RegistryUnreachable,
            Self::Refused { .. }
            | Self::OtherBytes { .. }
            | Self::Challenge { .. }
            | Self::NoToken { .. } => Reason::AnswerInvalid,
            Self::Manifest { .. }
            | Self::Referrers { .. }
            | Self::NotListed { .. }
            | Self::Listing { .. } => Reason::AnswerInvalid,
            Self::LongListing { .. } => Reason::LimitReached,
            Self::NoReferrersApi { .. } | Self::NoReferrersTag { .. } => Reason::ConfigInvalid,
            Self::ReferrersRace { .. } => Reason::RaceLost,
            Self::LeadsAway { .. } => Reason::RedirectRefused,
            Self::Host { cause, .. } => cause.reason(),
            Self::DockerConfig { .. } => Reason::ConfigInvalid,
            Self::Identity { cause, .. } => cause.reason(),
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Net(error) => return error.hint(),
            Self::Host { cause, .. } => return cause.hint(),
            Self::Identity { cause, .. } => return cause.hint(),
            Self::Unauthorized { .. } => "give the identity `AcrPull` to read or `AcrPush` to push (on a registry with ABAC: \
                 `Container Registry Repository Reader` or `Writer`), and log in again: new roles need a fresh token; \
                 repository-scoped tokens can never reach trust data"
                .to_owned(),
            Self::Forbidden { said, .. } if said.has("not allowed access") => {
                "the registry's firewall refuses this address: allow it, or use the private endpoint".to_owned()
            }
            Self::Forbidden { .. } => "give the identity the role that the operation needs".to_owned(),
            Self::Throttled { .. } => "lower `--concurrency` or raise `--timeout`".to_owned(),
            Self::NotFound { .. } => "check the name; right after a push a replica may lag behind".to_owned(),
            Self::ContentTrustDisabled { .. } => "content trust needs a Premium registry with \
                 `az acr config content-trust update --status enabled`; since 2026-05-31 it cannot be turned on where it never \
                 was, and ACR removes it on 2028-03-31; turning it off deletes all trust data of the registry"
                .to_owned(),
            Self::SignerRoleMissing { .. } => "give the identity the role `AcrImageSigner` (beside `AcrPush`), then log in again; \
                 the admin account and repository-scoped tokens can never sign; nothing was published"
                .to_owned(),
            Self::VersionConflict { .. } => "run again".to_owned(),
            Self::OtherBytes { .. } => "something between here and the registry alters what it sends".to_owned(),
            Self::NoReferrersApi { .. } => "leave `--referrers` at `auto`, or give `tag`".to_owned(),
            Self::NotListed { .. } => "a replica may lag behind: run again".to_owned(),
            Self::ReferrersRace { .. } => "run again; signing one image from one place avoids the race".to_owned(),
            Self::LeadsAway { .. } => "a proxy in between or a hostile server: a registry's own addresses stay with it".to_owned(),
            Self::LongListing { .. } => "name fewer repositories with `--repository`".to_owned(),
            Self::NoLogin { .. } => "log in first, or choose another `--registry-auth`".to_owned(),
            Self::Refused { status, .. } if status.is_server_error() => {
                "the service is failing: look at its status page, and run again later".to_owned()
            }
            Self::Refused { .. } | Self::Manifest { .. } | Self::Referrers { .. } | Self::Listing { .. } | Self::NoReferrersTag { .. } | Self::Challenge { .. } | Self::NoToken { .. } | Self::DockerConfig { .. } => return None,
        })
    }
}
