//! What a flow itself finds wrong.

use crate::{
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
    #[error("`{image}` names neither a tag nor a digest")]
    NothingNamed {
        /// The image as named.
        image: String,
    },
    /// Docker Content Trust signs tags.
    #[error("`{image}` names no tag, and a `dct` signature says which digest a tag is")]
    NoTag {
        /// The image as named.
        image: String,
    },
    /// Other writers published first, every time.
    #[error("`{repository}` was published by others first, {attempts} times in a row")]
    RaceLost {
        /// The repository.
        repository: String,
        /// How often it was tried.
        attempts: u32,
    },
    /// After publishing, the trust server does not list what was sent.
    #[error(
        "the trust server took the publication of `{repository}`, but does not list `{role}` as it was sent"
    )]
    NotReadBack {
        /// The repository.
        repository: String,
        /// The role whose bytes are not listed.
        role: String,
    },
    /// A tag is still pullable after it was revoked where the key may write.
    #[error("`{image}` is still pullable: the key may not write {roles}")]
    StillPullable {
        /// The image.
        image: String,
        /// The roles that still hold the tag.
        roles: String,
    },
    /// A tag that nobody pulls stands in roles that the key may not write.
    #[error("`{image}` is not pullable, and stands only in {roles}, which the key may not write")]
    HeldByOthers {
        /// The image.
        image: String,
        /// The roles that hold the tag.
        roles: String,
    },
    /// The tag is in no role.
    #[error("`{image}` is in no role")]
    NotSigned {
        /// The image.
        image: String,
    },
    /// Nothing that a policy could demand signs the image.
    #[error("nothing that a policy could demand signs `{image}`")]
    NothingToDemand {
        /// The image.
        image: String,
    },
    /// A rule would have more demands than are judged.
    #[error(
        "the images named in `{repository}` are signed in so many ways that a rule would need more than {limit} demands"
    )]
    TooManySigners {
        /// The repository.
        repository: String,
        /// The limit.
        limit: usize,
    },
    /// A role wants a signature of a key that is not at hand.
    #[error("`{role}` wants a signature of a key that was not opened")]
    NoSigner {
        /// The role.
        role: String,
    },
    /// The system gives no random numbers.
    #[error("the system gives no random numbers")]
    NoRandomness,
    /// The repository has trust data already.
    #[error("`{repository}` has trust data already")]
    AlreadyInitialised {
        /// The repository.
        repository: String,
    },
    /// No tag was pushed since the time asked for.
    #[error("nothing was pushed since {} in `{looked_in}`", since.whole_seconds())]
    NothingFresh {
        /// The time.
        since: Timestamp,
        /// The repositories that were looked in.
        looked_in: String,
    },
    /// A pattern of all registries.
    #[error("`--repository {pattern}` names no registry to ask")]
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
    /// More signatures are listed than are looked at, and none of those counts.
    #[error(
        "more signatures of `{image}` are listed than are looked at, and of the {checked} that were none counts"
    )]
    CandidatesLeft {
        /// The image.
        image: String,
        /// How many were looked at.
        checked: usize,
    },
    /// An index whose children cannot be read.
    #[error("what `{image}` consists of cannot be read")]
    IndexUnreadable {
        /// The index.
        image: String,
        /// Why.
        #[source]
        cause: crate::oci::manifest::InvalidManifest,
    },
    /// An index of more manifests than are signed.
    #[error("`{image}` nests too deep, or holds more than {limit} manifests")]
    TooManyChildren {
        /// The index.
        image: String,
        /// The limit.
        limit: usize,
    },
    /// The timestamp authority gave no timestamp.
    #[error("the timestamp authority `{authority}` gave no timestamp: {why}")]
    NoTimestamp {
        /// Its address.
        authority: String,
        /// Why.
        why: String,
    },
    /// The run's time is over.
    #[error("the run did not end within `--timeout {limit}`")]
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
            | Self::NoRegistry { .. } => Reason::Usage,
            Self::NothingFresh { .. } => Reason::NoImages,
            Self::RaceLost { .. } => Reason::RaceLost,
            Self::StillPullable { .. } | Self::HeldByOthers { .. } => Reason::KeyNotDelegated,
            Self::NotSigned { .. } | Self::NoSignature { .. } | Self::NothingToDemand { .. } => {
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
            Self::NoTrustData { gate: true, .. } => "nothing in this repository was ever signed".into(),
            Self::TrustDataGone { repository, .. } => format!(
                "find out who removed it; if that was meant, take `{repository}` out of the state file"
            ),
            Self::FileMissing { .. } => {
                "a replica may lag behind: run again; if it stays, the repository is unusable until its next publication".into()
            }
            Self::DigestMismatch { .. } => {
                "the tag was moved after the build, or the digest is that of one platform: nothing was signed for it".into()
            }
            Self::NothingNamed { .. } => "name what was pushed: registry/repository:tag or registry/repository@sha256:…".into(),
            Self::NoTag { .. } => "name the tag: registry/repository:tag@sha256:…".into(),
            Self::RaceLost { .. } => "run again; signing the tags of one repository in one run avoids the race".into(),
            Self::NotReadBack { .. } => "look at `acr-sign trust status`, then run again".into(),
            Self::NotSigned { .. } => "nothing to revoke; `acr-sign trust status` lists the tags".into(),
            Self::NothingToDemand { .. } => "sign it first: `acr-sign inspect` shows what is there".into(),
            Self::TooManySigners { .. } => "name fewer images of it".into(),
            Self::NothingFresh { .. } => "was it pushed to another repository, or by an earlier run?".into(),
            Self::NoRegistry { .. } => "registry/pattern, such as contoso.azurecr.io/shop/*".into(),
            Self::NoSignature { .. } => "sign it with `acr-sign sign --format notation`".into(),
            Self::CandidatesLeft { .. } => {
                "whoever may push here has attached many signatures: remove what does not belong there".into()
            }
            Self::NoTimestamp { .. } => "check `--timestamp-url`; nothing was published for this image".into(),
            Self::IndexUnreadable { .. } | Self::TooManyChildren { .. } => "sign without `--recursive`".into(),
            Self::NoRandomness | Self::NoSigner { .. } => return None,
            Self::StillPullable { .. } | Self::HeldByOthers { .. } => "give a key of those roles with a further `--key`".into(),
            Self::AlreadyInitialised { repository } => {
                format!("look at it with `acr-sign trust status {repository}`; signers are added with `acr-sign trust signer add`")
            }
            Self::Timeout { .. } => "raise `--timeout`; a re-run completes what is left".into(),
            Self::Interrupted => "what was published stays; a re-run completes the rest".into(),
        })
    }
}
