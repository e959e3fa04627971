//! What a run found, as one value; JSON, text and the step summary are functions of it.
//!
//! Pure. Nothing foreign is printed unescaped: text that came from outside passes through [`plain`] or [`markdown`].

mod escape;
mod json;
mod summary;
mod text;

pub use escape::{markdown, plain};

use crate::{
    format::Format,
    oci::Digest,
    reason::{Exit, Explain, Reason},
    timestamp::Timestamp,
};

/// The report of one run.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The command as typed: `sign`, `verify`, `trust init`, …
    pub command: &'static str,
    /// For gates: allow or deny.
    pub decision: Option<Decision>,
    /// One entry per image named, in the order given.
    pub images: Vec<ImageReport>,
    /// What went wrong where no image is to blame.
    pub error: Option<Problem>,
    /// What a person must know beside the result.
    pub warnings: Vec<String>,
    /// The root key IDs to pin, where a command made them.
    pub root_key_ids: Vec<String>,
    /// Where the images came from.
    pub source: Option<&'static str>,
    /// The identities that were used.
    pub auth: AuthReport,
    /// Requests made, per kind of service.
    pub requests: Requests,
    /// How long the run took, in milliseconds.
    pub elapsed_ms: u64,
}

/// What a gate says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Decision {
    /// Every image is allowed.
    Allow,
    /// At least one is not.
    Deny,
}

/// One image: how it ended, and every signature looked at.
#[derive(Clone, Debug)]
pub struct ImageReport {
    /// The image as named.
    pub image: String,
    /// `name:tag@digest` (or `name@digest`) once resolved.
    pub pinned: Option<String>,
    /// What it resolved to.
    pub digest: Option<Digest>,
    /// The media type of the manifest.
    pub media_type: Option<String>,
    /// How it ended.
    pub status: Status,
    /// Why, when it did not end well.
    pub problem: Option<Problem>,
    /// The signatures looked at or made.
    pub signatures: Vec<SignatureReport>,
}

/// How an image ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Status {
    /// Signed in this run.
    Signed,
    /// Signed before, left alone.
    AlreadySigned,
    /// Looked at, and not signed for a reason of its own.
    Refused,
    /// Could not be signed.
    Failed,
    /// Would be signed (`--dry-run`).
    Planned,
    /// The signature holds.
    Verified,
    /// Looked at, and not good enough.
    Rejected,
    /// Could not find out.
    Undecided,
    /// Shown, not judged (`inspect` without a pin).
    Shown,
    /// Taken out of the roles named.
    Revoked,
    /// Changed as asked.
    Changed,
    /// Already as asked.
    Unchanged,
}

/// One signature (for `dct`: one role that holds the tag).
#[derive(Clone, Debug)]
pub struct SignatureReport {
    /// The format.
    pub format: Format,
    /// Who signed, as the format names signers.
    pub signer: Option<String>,
    /// The key ID.
    pub key_id: Option<String>,
    /// The role.
    pub role: Option<String>,
    /// Until when it holds.
    pub expires_at: Option<Timestamp>,
    /// What it refers to: `repository:tag@digest`.
    pub reference: Option<String>,
    /// How it ended.
    pub status: Status,
    /// Why, when it did not end well.
    pub reason: Option<Reason>,
}

/// Something that went wrong: stable code, words, and what to do.
#[derive(Clone, Debug)]
pub struct Problem {
    /// The stable code.
    pub reason: Reason,
    /// What failed, on which object.
    pub message: String,
    /// What it was caused by, outermost first.
    pub causes: Vec<String>,
    /// What to do.
    pub hint: Option<String>,
}

/// The identities used.
#[derive(Clone, Debug, Default)]
pub struct AuthReport {
    /// The Azure identity: method, client ID, tenant ID.
    pub azure: Option<AzureAuth>,
    /// Login method per registry host.
    pub registries: Vec<(String, String)>,
}

/// An Azure identity as the report names it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AzureAuth {
    /// The method that was picked.
    pub method: String,
    /// The client ID, when known.
    pub client_id: Option<String>,
    /// The tenant, when known.
    pub tenant_id: Option<String>,
}

/// Requests per kind of service.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Requests {
    /// To registries.
    pub registry: u64,
    /// To trust servers.
    pub trust_server: u64,
    /// To vaults.
    pub vault: u64,
    /// To Entra and identity endpoints.
    pub entra: u64,
    /// To others.
    pub other: u64,
}

impl Report {
    /// A report of `command` with nothing in it yet.
    pub fn new(command: &'static str) -> Self {
        Self { command, ..Self::default() }
    }

    /// How the run ends: the worst of all images and of the error that no image is to blame for.
    pub fn exit(&self) -> Exit {
        let of_images = self.images.iter().map(ImageReport::exit);
        let of_run = self.error.iter().map(|problem| problem.reason.exit());
        of_images.chain(of_run).fold(Exit::Done, Exit::worst)
    }

    /// The problem to name first: the run's own, else the first image's whose exit code decides.
    pub fn telling(&self) -> Option<&Problem> {
        let exit = self.exit();
        let of_images = self.images.iter().filter_map(|image| image.problem.as_ref());
        self.error.iter().chain(of_images).find(|problem| problem.reason.exit() == exit)
    }
}

impl ImageReport {
    /// An image by its name and how it ended, and nothing more.
    pub fn named(image: String, status: Status) -> Self {
        Self { image, pinned: None, digest: None, media_type: None, status, problem: None, signatures: Vec::new() }
    }

    /// An image that did not end well.
    pub fn failed(image: String, status: Status, problem: Problem) -> Self {
        Self { problem: Some(problem), ..Self::named(image, status) }
    }

    /// The ending this image calls for.
    pub fn exit(&self) -> Exit {
        match (&self.problem, self.status) {
            (Some(problem), _) => problem.reason.exit(),
            (None, Status::Refused | Status::Rejected) => Exit::Rejected,
            (None, Status::Failed | Status::Undecided) => Exit::Undecided,
            (
                None,
                Status::Signed
                | Status::AlreadySigned
                | Status::Planned
                | Status::Verified
                | Status::Shown
                | Status::Revoked
                | Status::Changed
                | Status::Unchanged,
            ) => Exit::Done,
        }
    }
}

impl Status {
    /// The stable word of design §4.
    pub fn word(self) -> &'static str {
        match self {
            Self::Signed => "signed",
            Self::AlreadySigned => "already-signed",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Planned => "planned",
            Self::Verified => "verified",
            Self::Rejected => "rejected",
            Self::Undecided => "undecided",
            Self::Shown => "shown",
            Self::Revoked => "revoked",
            Self::Changed => "changed",
            Self::Unchanged => "unchanged",
        }
    }

    /// Whether the image ended as asked.
    pub fn is_good(self) -> bool {
        match self {
            Self::Signed
            | Self::AlreadySigned
            | Self::Planned
            | Self::Verified
            | Self::Shown
            | Self::Revoked
            | Self::Changed
            | Self::Unchanged => true,
            Self::Refused | Self::Failed | Self::Rejected | Self::Undecided => false,
        }
    }
}

impl Problem {
    /// From an error, with the chain of its causes.
    pub fn of(error: &dyn Explain) -> Self {
        let mut causes = Vec::new();
        let mut source = error.source();
        while let Some(cause) = source {
            let text = cause.to_string();
            if causes.last() != Some(&text) {
                causes.push(text);
            }
            source = cause.source();
        }
        Self { reason: error.reason(), message: error.to_string(), causes, hint: error.hint() }
    }
}
