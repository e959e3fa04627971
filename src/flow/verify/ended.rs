//! One image, judged, as the report tells it; it passes only with an [`Allowed`] in hand, or by a statement of
//! notation's own policy.

use super::{super::FlowError, findings::Findings};
use crate::{
    oci::{Reference, Subject},
    policy::Allowed,
    registry::Resolved,
    report::{Failure, ImageReport, Problem, Status},
};

/// One image, judged.
pub(super) struct Ended {
    pub(super) index: usize,
    pub(super) allowed: bool,
    pub(super) report: ImageReport,
    /// What was not checked as strictly as it can be (P09): the switch, and what it means.
    pub(super) lax: Vec<(String, String)>,
    /// What else is worth saying.
    pub(super) warnings: Vec<String>,
}

impl Ended {
    /// The only way to an image that passes: with a permission in hand.
    pub(super) fn allowed(
        index: usize,
        image: &Reference,
        subject: Option<&Subject>,
        allowed: &Allowed<'_>,
    ) -> Self {
        let status = if allowed.exemption().is_some() {
            Status::Exempt
        } else {
            Status::Verified
        };
        let report = ImageReport {
            pinned: subject.map(ToString::to_string),
            digest: subject.map(|subject| subject.descriptor.digest.clone()),
            media_type: subject.map(|subject| subject.descriptor.media_type.to_string()),
            ..ImageReport::named(image.to_string(), status)
        };
        let exempt = allowed.exemption().map(|exemption| {
            let (until, why) = (exemption.until(), exemption.reason());
            (
                format!("exempt {image}"),
                format!("`{image}` was not looked at: exempt until {until} ({why})"),
            )
        });
        Self {
            index,
            allowed: true,
            report,
            lax: exempt.into_iter().collect(),
            warnings: Vec::new(),
        }
    }

    /// An image that statements of notation's policy let pass without anybody's signature being proven.
    pub(super) fn let_pass(
        index: usize,
        image: &Reference,
        subject: &Subject,
        findings: &Findings,
    ) -> Self {
        let report = ImageReport {
            pinned: Some(subject.to_string()),
            digest: Some(subject.descriptor.digest.clone()),
            media_type: Some(subject.descriptor.media_type.to_string()),
            ..ImageReport::named(image.to_string(), Status::Exempt)
        };
        let said = |statement: &String| {
            let warning = format!(
                "`{image}` is not verified: the statement `{statement}` of the trust policy lets it pass"
            );
            (format!("statement {statement}"), warning)
        };
        let lax = findings.exempt.iter().flatten().map(said).collect();
        Self {
            index,
            allowed: true,
            report,
            lax,
            warnings: Vec::new(),
        }
    }

    pub(super) fn failed(index: usize, image: &Reference, error: FlowError) -> Self {
        Self::denied(index, image, None, Failure::from(error).problem())
    }

    pub(super) fn denied(
        index: usize,
        image: &Reference,
        resolved: Option<&Resolved>,
        problem: Problem,
    ) -> Self {
        let mut report = ImageReport::failed(image.to_string(), problem.status(), problem);
        if let Some(resolved) = resolved {
            report.digest = Some(resolved.descriptor.digest.clone());
            report.media_type = Some(resolved.descriptor.media_type.to_string());
        }
        Self {
            index,
            allowed: false,
            report,
            lax: Vec::new(),
            warnings: Vec::new(),
        }
    }
}
