//! What every format signs, and how it ends: the candidates of one repository, and one ending for each.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::{
    format::Format,
    oci::{Reference, Subject},
    report::{Failure, ImageReport, Problem, SignatureReport, Status},
};

/// How images are signed, whatever the format.
#[derive(Clone, Debug, Default)]
pub struct SigningOptions {
    /// Metadata to sign, which a signature that is there must carry to be left alone.
    pub annotations: BTreeMap<String, String>,
    /// Metadata to sign that says where it was signed; a signature that is there is not asked for it.
    pub provenance: BTreeMap<String, String>,
    /// Sign again what is signed already.
    pub force: bool,
    /// Plan only.
    pub dry_run: bool,
}

/// An image that may be signed: resolved once, and nothing against it.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) index: usize,
    pub(super) subject: Subject,
    /// The manifest.
    pub(super) bytes: Bytes,
}

/// How one format ended for one candidate.
#[derive(Clone, Debug)]
pub(super) struct FormatResult {
    pub(super) index: usize,
    pub(super) status: Status,
    pub(super) problem: Option<Problem>,
    pub(super) signatures: Vec<SignatureReport>,
}

impl Candidate {
    /// The image's report: as bad as its worst format, with every signature.
    pub(super) fn report(&self, ended: &[FormatResult]) -> ImageReport {
        let own = || ended.iter().filter(|ended| ended.index == self.index);
        let subject = &self.subject;
        let name = Reference {
            repository: subject.repository.clone(),
            tag: subject.tag.clone(),
            digest: None,
        };
        let mut report = ImageReport::named(
            if subject.tag.is_some() {
                name.to_string()
            } else {
                subject.to_string()
            },
            own()
                .map(|ended| ended.status)
                .max_by_key(|status| gravity(*status))
                .unwrap_or(Status::Failed),
        );
        report.pinned = Some(subject.to_string());
        report.digest = Some(subject.descriptor.digest.clone());
        report.media_type = Some(subject.descriptor.media_type.to_string());
        report.problem = own()
            .max_by_key(|ended| gravity(ended.status))
            .and_then(|ended| ended.problem.clone());
        report.signatures = own().flat_map(|ended| ended.signatures.clone()).collect();
        report
    }
}

impl FormatResult {
    /// A format that did not sign; what it has to show is that it did not.
    pub(super) fn failed(format: Format, index: usize, failure: &Failure) -> Self {
        let status = failure.status();
        let signature = SignatureReport {
            reason: Some(failure.reason()),
            ..SignatureReport::new(format, status)
        };
        Self {
            index,
            status,
            problem: Some(failure.problem()),
            signatures: vec![signature],
        }
    }
}

/// Which of two endings an image is reported under.
pub(super) fn gravity(status: Status) -> u8 {
    match status {
        Status::Failed => 4,
        Status::Refused => 3,
        Status::Signed => 2,
        Status::Planned => 1,
        _ => 0,
    }
}
