//! What a run found for one image, and for each signature checked or made.

use std::collections::BTreeMap;

use crate::{
    format::Format,
    oci::Digest,
    reason::{Exit, Reason},
    timestamp::Timestamp,
};

use super::{Problem, Status};

/// One image: how it ended, and every signature checked.
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
    /// When its tag was pushed, where the registry was asked.
    pub pushed: Option<Timestamp>,
    /// How it ended.
    pub status: Status,
    /// Why, when it did not end well.
    pub problem: Option<Problem>,
    /// The signatures checked or made.
    pub signatures: Vec<SignatureReport>,
    /// Where manifests name it.
    pub locations: Vec<Location>,
    /// The rule of a policy file that decided.
    pub rule: Option<RuleReport>,
    /// What the rule requires, in the order of the text, and how each requirement ended.
    pub requirements: Vec<RequirementReport>,
}

/// The rule that decided about an image.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RuleReport {
    /// Its number, from 1.
    pub number: usize,
    /// The pattern by which it matched.
    pub images: String,
    /// Where it begins.
    pub location: Location,
}

/// One requirement of a rule.
#[derive(Clone, Debug)]
pub struct RequirementReport {
    /// What is required, in words.
    pub requirement: String,
    /// How it ended.
    pub status: Status,
    /// Why, when it does not hold.
    pub problem: Option<Problem>,
}

/// A place in a file, for people and code scanning: lines and columns count from 1.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Location {
    /// The file as named.
    pub file: String,
    /// The line.
    pub line: u64,
    /// The column, in characters.
    pub column: u64,
}

/// One signature (for `dct`: one role that holds the tag).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SignatureReport {
    /// The format.
    pub format: Format,
    /// Who signed, as the format names signers.
    pub signer: Option<String>,
    /// The key ID.
    pub key_id: Option<String>,
    /// The role.
    pub role: Option<String>,
    /// The subject of the certificate, for formats that sign with one.
    pub certificate: Option<String>,
    /// When it was signed, where that is known.
    pub signed_at: Option<Timestamp>,
    /// Until when it holds.
    pub expires_at: Option<Timestamp>,
    /// What it refers to: `repository:tag@digest`.
    pub reference: Option<String>,
    /// How it ended.
    pub status: Status,
    /// Why, when it did not end well.
    pub reason: Option<Reason>,
    /// What its trust hangs on, from the anchor to what signed; empty where nothing was judged.
    pub chain: Vec<Link>,
    /// What its envelope says besides, where that was asked for (`inspect`).
    pub envelope: Option<Box<EnvelopeReport>>,
}

/// What the envelope of a Notary Project signature says; proven by nobody but its signer, and the agent not even by that.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EnvelopeReport {
    /// The media type.
    pub media_type: String,
    /// The signature algorithm, as JWS names it.
    pub algorithm: &'static str,
    /// When the signer says that it was signed.
    pub signing_time: Timestamp,
    /// What the timestamp says, if there is one.
    pub timestamp: Option<TimestampReport>,
    /// The signed metadata.
    pub metadata: BTreeMap<String, String>,
    /// The program that says that it made the envelope.
    pub agent: Option<String>,
}

/// What a timestamp token says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TimestampReport {
    /// The time.
    pub time: Timestamp,
    /// The subject of the certificate that signed the token, if one that came with it did.
    pub authority: Option<String>,
}

/// One link of a chain of trust: a role's file (`dct`), a certificate (`notation`) or a key (`cosign`).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Link {
    /// The role, the certificate's subject or the key's name.
    pub name: String,
    /// The ID of the key that it stands on.
    pub key_id: Option<String>,
    /// The version, for what has versions.
    pub version: Option<u64>,
    /// Until when it holds.
    pub expires_at: Option<Timestamp>,
}

impl ImageReport {
    /// An image by its name and how it ended, and nothing more.
    pub fn named(image: String, status: Status) -> Self {
        Self {
            image,
            pinned: None,
            digest: None,
            media_type: None,
            pushed: None,
            status,
            problem: None,
            signatures: Vec::new(),
            locations: Vec::new(),
            rule: None,
            requirements: Vec::new(),
        }
    }

    /// An image that did not end well.
    pub fn failed(image: String, status: Status, problem: Problem) -> Self {
        Self {
            problem: Some(problem),
            ..Self::named(image, status)
        }
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
                | Status::Exempt
                | Status::Shown
                | Status::Revoked
                | Status::Changed
                | Status::Unchanged,
            ) => Exit::Done,
        }
    }
}

impl SignatureReport {
    /// A signature of a format by how it ended, and nothing more.
    pub fn new(format: Format, status: Status) -> Self {
        Self {
            format,
            signer: None,
            key_id: None,
            role: None,
            certificate: None,
            signed_at: None,
            expires_at: None,
            reference: None,
            status,
            reason: None,
            chain: Vec::new(),
            envelope: None,
        }
    }
}
