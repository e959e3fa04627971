//! Why a registry or trust server did not do what was asked.

use http::StatusCode;

use super::{DockerConfigError, InvalidChallenge, Peer, ServerMessage};
use crate::{
    net::{self, HostNotAllowed},
    oci::{manifest::InvalidManifest, referrers::InvalidReferrers},
    reason::Reason,
};

/// A registry or trust server did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No usable answer.
    #[error(transparent)]
    Net(#[from] net::Error),
    /// The login was not accepted, or does not allow this.
    #[error("{what}: {}", unauthorized(peer))]
    Unauthorized {
        /// What was asked for.
        what: String,
        /// Who refused.
        peer: Box<Peer>,
        /// Whether the request would have written.
        writes: bool,
        /// What the answer said.
        #[source]
        message: ServerMessage,
    },
    /// The registry forbids it.
    #[error("{what}: `{}` answered 403", peer.host)]
    Forbidden {
        /// What was asked for.
        what: String,
        /// Who refused.
        peer: Box<Peer>,
        /// Whether the request would have written.
        writes: bool,
        /// What the answer said.
        #[source]
        message: ServerMessage,
    },
    /// The repository or image is locked.
    #[error("{what}: `{}` has locked {}", peer.host, named(repository.as_deref()))]
    Locked {
        /// What was asked for.
        what: String,
        /// Who refused.
        peer: Box<Peer>,
        /// The repository.
        repository: Option<String>,
        /// Whether the request would have written.
        writes: bool,
        /// What the answer said.
        #[source]
        message: ServerMessage,
    },
    /// Still throttled after all retries, or for longer than the run may last.
    #[error("{what}: `{}` throttles requests", peer.host)]
    Throttled {
        /// What was asked for.
        what: String,
        /// Who refused.
        peer: Box<Peer>,
        /// What the answer said.
        #[source]
        message: Option<ServerMessage>,
    },
    /// It is not there.
    #[error("{what}: {}", missing.describe(&peer.host))]
    NotFound {
        /// What was asked for.
        what: String,
        /// Who does not have it.
        peer: Box<Peer>,
        /// What exactly is missing.
        missing: Missing,
        /// What the answer said.
        #[source]
        message: ServerMessage,
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
    #[error("{what}: `{}` refuses to store trust data ({status})", peer.host)]
    SignerRoleMissing {
        /// What was asked for.
        what: String,
        /// Who refused.
        peer: Box<Peer>,
        /// The status.
        status: StatusCode,
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
    #[error("{what}: `{host}` refused it ({status})")]
    Refused {
        /// What was asked for.
        what: String,
        /// The host.
        host: String,
        /// The status.
        status: StatusCode,
        /// What the answer said.
        #[source]
        message: ServerMessage,
    },
    /// The answer's bytes are not those of the digest asked for.
    #[error("{what}: the bytes that `{host}` sent have another digest")]
    OtherBytes {
        /// What was asked for.
        what: String,
        /// The host.
        host: String,
    },
    /// The answer is not a manifest.
    #[error("{what}: `{host}` did not send the manifest of an image")]
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
    #[error("{what}: `{host}` did not send a list of referrers")]
    Referrers {
        /// What was asked for.
        what: String,
        /// The host.
        host: String,
        /// Why.
        #[source]
        cause: InvalidReferrers,
    },
    /// The Referrers API answers something that says neither what refers to the subject nor that there is no such
    /// API.
    #[error("{what}: the Referrers API of `{host}` gave no list")]
    ReferrersRefused {
        /// What was asked for.
        what: String,
        /// The host.
        host: String,
        /// The reason that fits what it answered.
        reason: Reason,
        /// What it answered instead.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// `--referrers api`, and the registry does not have this API.
    #[error("`{host}` does not have the Referrers API")]
    NoReferrersApi {
        /// The host.
        host: String,
    },
    /// A digest that is too long for the tag schema.
    #[error("`{subject}` is too long for a referrers tag")]
    NoReferrersTag {
        /// The digest.
        subject: String,
    },
    /// What was pushed does not appear in the list.
    #[error("`{host}` stored `{digest}`, but does not list it as a referrer of `{subject}`")]
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
        "other writers overwrote the list of referrers of `{subject}` on `{host}` {attempts} times in a row"
    )]
    ReferrersRace {
        /// The subject.
        subject: String,
        /// The host.
        host: String,
        /// How often it was tried.
        attempts: u32,
    },
    /// An upload or a listing that continues at another host.
    #[error("{what}: `{host}` points to `{to}`, which is not its own address")]
    LeadsAway {
        /// What was asked for.
        what: String,
        /// The host.
        host: String,
        /// Where to.
        to: String,
    },
    /// A page of a listing cannot be read.
    #[error("{what}: `{host}` sent a list that cannot be parsed ({why})")]
    Listing {
        /// What was asked for.
        what: String,
        /// The host.
        host: String,
        /// Why.
        why: String,
    },
    /// A listing with too many pages.
    #[error("{what}: `{host}` sent {pages} pages, and there are more")]
    LongListing {
        /// What was asked for.
        what: String,
        /// The host.
        host: String,
        /// How many were read.
        pages: usize,
    },
    /// The challenge cannot be answered.
    #[error("{what}: `{host}` requires a login of an unsupported kind")]
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
    #[error("{what}: the login for `{registry}` is not sent")]
    Host {
        /// What was asked for.
        what: String,
        /// The registry.
        registry: String,
        /// Why.
        #[source]
        cause: HostNotAllowed,
    },
    /// The token service's answer does not contain a token.
    #[error("the token service of `{host}` did not send a token")]
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

/// What exactly a registry does not have.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Missing {
    /// The repository; its path, if the address contains it.
    Repository(Option<String>),
    /// The tag, in a repository that is there.
    Tag {
        /// The path of the repository.
        repository: String,
        /// Tags that look like it, the nearest first.
        near: Vec<String>,
    },
    /// The answer does not say.
    Other,
}

impl Missing {
    fn describe(&self, host: &str) -> String {
        match self {
            Self::Repository(Some(path)) => format!("`{host}` does not have a repository `{path}`"),
            Self::Repository(None) => format!("`{host}` does not have this repository"),
            Self::Tag { repository, .. } => format!("`{host}/{repository}` does not have this tag"),
            Self::Other => format!("`{host}` does not have it"),
        }
    }
}

fn unauthorized(peer: &Peer) -> String {
    if peer.is_anonymous() {
        format!("`{}` requires a login, and none was found", peer.host)
    } else {
        format!(
            "`{}` answered 401 after a login ({})",
            peer.host, peer.login
        )
    }
}

fn named(repository: Option<&str>) -> String {
    repository.map_or_else(|| "it".to_owned(), |path| format!("`{path}`"))
}

impl Error {
    /// Whether the same push may succeed when it is repeated: the connection broke, the upload was lost, or another
    /// client wrote at the same time.
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
