//! One image, judged, as the report tells it; it passes only with an [`Allowed`] in hand, or by a statement of
//! notation's own policy.

use super::findings::Weakened;
use crate::{
    oci::{Reference, Subject},
    policy::{Allowed, Refusal},
    registry::Resolved,
    report::{ImageReport, Problem, Status},
};

/// One image, judged.
pub(super) struct ImageResult {
    pub(super) index: usize,
    pub(super) allowed: bool,
    pub(super) report: ImageReport,
    /// Checks that were weaker than they could be.
    pub(super) weakened: Vec<Weakened>,
    /// What else is worth saying.
    pub(super) warnings: Vec<String>,
}

impl ImageResult {
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
            Weakened {
                by: format!("exempt {image}"),
                meaning: format!("`{image}` was not checked: exempt until {until} ({why})"),
            }
        });
        Self {
            index,
            allowed: true,
            report,
            weakened: exempt.into_iter().collect(),
            warnings: Vec::new(),
        }
    }

    /// An image that statements of notation's policy let through without anybody's signature being proven.
    pub(super) fn let_through(
        index: usize,
        image: &Reference,
        subject: &Subject,
        statements: &[&str],
    ) -> Self {
        let report = ImageReport {
            pinned: Some(subject.to_string()),
            digest: Some(subject.descriptor.digest.clone()),
            media_type: Some(subject.descriptor.media_type.to_string()),
            ..ImageReport::named(image.to_string(), Status::Exempt)
        };
        let weakened = statements.iter().map(|statement| Weakened {
            by: format!("statement {statement}"),
            meaning: format!(
                "`{image}` is not verified: the statement `{statement}` of the trust policy allows it without proof"
            ),
        });
        Self {
            index,
            allowed: true,
            report,
            weakened: weakened.collect(),
            warnings: Vec::new(),
        }
    }

    /// An image that the policy has something against.
    pub(super) fn refused(index: usize, image: &Reference, refusal: &Refusal) -> Self {
        Self::denied(index, image, None, Problem::of(refusal))
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
            weakened: Vec::new(),
            warnings: Vec::new(),
        }
    }
}
