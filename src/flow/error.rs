//! What a flow itself finds wrong.

use crate::{
    format::dct::{KeyId, hint},
    reason::{Explain, Reason},
    timestamp::Timestamp,
};

/// What the flow itself finds wrong.
#[derive(Debug, thiserror::Error)]
pub enum FlowError {
    /// The repository has no trust data.
    #[error("`{repository}` has no trust data on `{server}`")]
    NoTrustData {
        /// The repository.
        repository: String,
        /// The trust server.
        server: String,
        /// Whether a gate asks: then an image without trust data is simply not signed.
        gate: bool,
    },
    /// The repository had trust data in an earlier run, and has none now.
    #[error("`{repository}` had trust data in an earlier run, and `{server}` has none now")]
    TrustDataGone {
        /// The repository.
        repository: String,
        /// The trust server.
        server: String,
    },
    /// The snapshot lists a file that the server does not serve.
    #[error("the trust server lists `{file}` of `{repository}` but does not serve it")]
    FileMissing {
        /// The repository.
        repository: String,
        /// The file.
        file: String,
    },
    /// The tag resolved to something else than what was built.
    #[error("`{image}` is `{found}` in the registry, but `{expected}` was to be signed")]
    DigestMismatch {
        /// The image as named.
        image: String,
        /// What the registry serves.
        found: String,
        /// What was asked for.
        expected: String,
    },
    /// Neither tag nor digest: nothing says what is to be signed.
    #[error("`{image}` has neither a tag nor a digest")]
    NothingNamed {
        /// The image as named.
        image: String,
    },
    /// Docker Content Trust signs tags.
    #[error("`{image}` has no tag, and a `dct` signature says which digest a tag points to")]
    NoTag {
        /// The image as named.
        image: String,
    },
    /// Other writers published first, every time.
    #[error("other writers published `{repository}` first, {attempts} times in a row")]
    RaceLost {
        /// The repository.
        repository: String,
        /// How often it was tried.
        attempts: u32,
    },
    /// After publishing, the trust server does not list what was sent.
    #[error(
        "the trust server accepted the publication of `{repository}`, but does not list `{role}` as it was sent"
    )]
    NotReadBack {
        /// The repository.
        repository: String,
        /// The role whose bytes are not listed.
        role: String,
    },
    /// The trust server does not hold the key of the snapshot, which its owner must give.
    #[error("`{server}` does not hold the snapshot key `{key_id}` of `{repository}`")]
    SnapshotKeyNotHeld {
        /// The repository.
        repository: String,
        /// The trust server.
        server: String,
        /// The key.
        key_id: KeyId,
        /// What the server answered.
        #[source]
        cause: Box<crate::registry::Error>,
    },
    /// A tag is still pullable after it was revoked where the key may write.
    #[error("`{image}` is still pullable: the key may not sign {roles}")]
    StillPullable {
        /// The image.
        image: String,
        /// The roles that still hold the tag.
        roles: String,
    },
    /// A tag that nobody pulls stands in roles that the key may not write.
    #[error("`{image}` is not pullable, and only {roles} list it, which the key may not sign")]
    HeldByOthers {
        /// The image.
        image: String,
        /// The roles that hold the tag.
        roles: String,
    },
    /// The tag is not in any role.
    #[error("no role contains `{image}`")]
    NotSigned {
        /// The image.
        image: String,
    },
    /// The image has no signature that a policy could require.
    #[error("`{image}` has no signature that a policy could require")]
    NothingToRequire {
        /// The image.
        image: String,
    },
    /// A rule would have more requirements than are allowed.
    #[error(
        "the images named in `{repository}` are signed in so many ways that a rule would need more than {limit} requirements"
    )]
    TooManySigners {
        /// The repository.
        repository: String,
        /// The limit.
        limit: usize,
    },
    /// A role needs a signature by a key that is not at hand.
    #[error("`{role}` needs a signature by a key that was not given")]
    NoSigner {
        /// The role.
        role: String,
    },
    /// The system provides no random numbers.
    #[error("the system provides no random numbers")]
    NoRandomness,
    /// The repository has trust data already.
    #[error("`{repository}` already has trust data")]
    AlreadyInitialised {
        /// The repository.
        repository: String,
    },
    /// No tag was pushed since the time asked for.
    #[error("nothing was pushed to `{looked_in}` since {}", since.whole_seconds())]
    NothingFresh {
        /// The time.
        since: Timestamp,
        /// The repositories that were looked in.
        looked_in: String,
    },
    /// A pattern of all registries.
    #[error("`--repository {pattern}` does not name a registry")]
    NoRegistry {
        /// The pattern.
        pattern: String,
    },
    /// No Notary Project signature is listed.
    #[error("`{image}` has no Notary Project signature")]
    NoSignature {
        /// The image.
        image: String,
    },
    /// More signatures are listed than are checked, and none of those is accepted.
    #[error(
        "more signatures of `{image}` are listed than are checked, and none of the {checked} that were is accepted"
    )]
    CandidatesLeft {
        /// The image.
        image: String,
        /// How many were checked.
        checked: usize,
    },
    /// An index whose children cannot be read.
    #[error("the manifests that `{image}` lists cannot be read")]
    IndexUnreadable {
        /// The index.
        image: String,
        /// Why.
        #[source]
        cause: crate::oci::manifest::InvalidManifest,
    },
    /// An index of more manifests than are signed.
    #[error("`{image}` nests too deep, or contains more than {limit} manifests")]
    TooManyChildren {
        /// The index.
        image: String,
        /// The limit.
        limit: usize,
    },
    /// The timestamp authority gave no timestamp.
    #[error("the timestamp authority `{authority}` returned no timestamp: {why}")]
    NoTimestamp {
        /// Its address.
        authority: String,
        /// Why.
        why: String,
    },
    /// The run's time is over.
    #[error("the run did not finish within `--timeout {limit}`")]
    Timeout {
        /// The limit as given.
        limit: String,
    },
    /// The run was interrupted.
    #[error("interrupted")]
    Interrupted,
}

impl Explain for FlowError {
    fn reason(&self) -> Reason {
        match self {
            Self::NoTrustData { gate: true, .. } => Reason::Unsigned,
            Self::NoTrustData { gate: false, .. } => Reason::NotFound,
            Self::TrustDataGone { .. } => Reason::Rollback,
            Self::FileMissing { .. } | Self::NotReadBack { .. } => Reason::AnswerInvalid,
            Self::DigestMismatch { .. } => Reason::DigestMismatch,
            Self::NothingNamed { .. }
            | Self::NoTag { .. }
            | Self::AlreadyInitialised { .. }
            | Self::NoRegistry { .. }
            | Self::SnapshotKeyNotHeld { .. } => Reason::Usage,
            Self::NothingFresh { .. } => Reason::NoImages,
            Self::RaceLost { .. } => Reason::RaceLost,
            Self::StillPullable { .. } | Self::HeldByOthers { .. } => Reason::KeyNotDelegated,
            Self::NotSigned { .. } | Self::NoSignature { .. } | Self::NothingToRequire { .. } => {
                Reason::Unsigned
            }
            Self::CandidatesLeft { .. }
            | Self::TooManyChildren { .. }
            | Self::TooManySigners { .. } => Reason::LimitReached,
            Self::IndexUnreadable { .. } => Reason::AnswerInvalid,
            Self::NoTimestamp { .. } => Reason::TimestampUnavailable,
            Self::NoRandomness => Reason::ConfigInvalid,
            Self::NoSigner { .. } => Reason::KeyNotDelegated,
            Self::Timeout { .. } => Reason::Timeout,
            Self::Interrupted => Reason::Interrupted,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoTrustData { repository, gate: false, .. } => {
                format!("create it with `acr-sign trust init {repository} --root-key KEY --targets-key KEY --signer NAME=KEY`")
            }
            Self::NoTrustData { gate: true, .. } => "no image in this repository was ever signed with content trust".into(),
            Self::SnapshotKeyNotHeld { repository, .. } => hint::snapshot_key(repository),
            Self::TrustDataGone { repository, .. } => format!(
                "find out who removed it; if that was intended, remove `{repository}` from the state file"
            ),
            Self::FileMissing { .. } => {
                "a replica may be behind: run again; if it persists, the repository is unusable until its next publication".into()
            }
            Self::DigestMismatch { .. } => {
                "the tag was moved after the build, or the digest is that of one platform: nothing was signed for it".into()
            }
            Self::NothingNamed { .. } => "name what was pushed: `registry/repository:tag` or `registry/repository@sha256:…`".into(),
            Self::NoTag { .. } => "add the tag: `registry/repository:tag@sha256:…`".into(),
            Self::RaceLost { .. } => "run again; signing all tags of a repository in one run avoids the race".into(),
            Self::NotReadBack { .. } => "check `acr-sign trust status`, then run again".into(),
            Self::NotSigned { .. } => "nothing to revoke; `acr-sign trust status` lists the tags".into(),
            Self::NothingToRequire { .. } => "sign it first; `acr-sign inspect` shows what is there".into(),
            Self::TooManySigners { .. } => "name fewer of its images".into(),
            Self::NothingFresh { .. } => "check `--repository` and `--fresh-since`: it may have been pushed to another repository, or by an earlier run".into(),
            Self::NoRegistry { .. } => "write registry/pattern, such as `contoso.azurecr.io/shop/*`".into(),
            Self::NoSignature { image } => {
                format!("sign it with `acr-sign sign {image} --format notation --key KEY`")
            }
            Self::CandidatesLeft { .. } => {
                "anyone who may push here can attach signatures: remove those that do not belong".into()
            }
            Self::NoTimestamp { .. } => "check `--timestamp-url`; nothing was published for this image".into(),
            Self::IndexUnreadable { .. } | Self::TooManyChildren { .. } => "sign without `--recursive`".into(),
            Self::NoRandomness | Self::NoSigner { .. } => return None,
            Self::StillPullable { .. } | Self::HeldByOthers { .. } => "give a key of those roles with another `--key`".into(),
            Self::AlreadyInitialised { repository } => {
                format!("look at it with `acr-sign trust status {repository}`; add signers with `acr-sign trust signer add`")
            }
            Self::Timeout { .. } => "raise `--timeout`; running again completes the rest".into(),
            Self::Interrupted => "what was published stays; running again completes the rest".into(),
        })
    }
}
