//! `inspect`: everything that signs an image or a repository. Shows; judges only under a pin.

use futures::future::join;

use super::{
    LoadScope, Services,
    dct::{problem, signatures, whole_repository},
    notation::by_certificate,
    verify::subject,
};
use crate::{
    format::dct::{RootTrust, TrustedSet},
    oci::Reference,
    report::{Failure, ImageReport, Report, Status},
};

/// What to look at.
#[derive(Clone, Debug)]
pub struct InspectOptions {
    /// An image; without tag and digest: the whole repository.
    pub image: Reference,
    /// Trust in the root; without one nothing is judged.
    pub trust: Option<RootTrust>,
}

/// Fills the report: one image per tag, with one signature per role that holds it, and every Notary Project
/// signature that is listed for it. The whole repository is shown as its trust data has it.
pub async fn inspect(
    services: &Services,
    options: &InspectOptions,
    report: &mut Report,
) -> Result<(), Failure> {
    let image = &options.image;
    let collection = services.collection(&image.repository);
    let judged = options.trust.is_some();
    let trust = options.trust.clone().unwrap_or(RootTrust::FirstUse);
    let loading = collection.load(&trust, &LoadScope::All, services.now);
    if image.tag.is_none() && image.digest.is_none() {
        let set = loading
            .await?
            .ok_or_else(|| collection.no_trust_data(true))?;
        warn(report, Some(&set), judged);
        report.images = whole_repository(&set, image);
        return Ok(());
    }
    let resolving = services.registry.resolve(image);
    let (loaded, resolved) = Box::pin(join(loading, resolving)).await;
    let resolved = resolved?;
    let subject = subject(image, &resolved);
    let by_certificate = by_certificate(services, &subject, report).await?;
    let set = match loaded {
        Ok(None) if judged || by_certificate.is_empty() => {
            return Err(collection.no_trust_data(true).into());
        }
        Ok(set) => set,
        // What signs otherwise is shown all the same, where nobody asked about trust data in particular.
        Err(failure) if judged || by_certificate.is_empty() => return Err(failure),
        Err(failure) => {
            report.warnings.push(format!(
                "trust data is not shown: {}",
                failure.problem().message
            ));
            None
        }
    };
    warn(report, set.as_ref(), judged);
    let mut shown = ImageReport {
        pinned: Some(subject.to_string()),
        digest: Some(subject.descriptor.digest.clone()),
        media_type: Some(subject.descriptor.media_type.to_string()),
        ..ImageReport::named(
            image.to_string(),
            if judged {
                Status::Verified
            } else {
                Status::Shown
            },
        )
    };
    if let Some(set) = &set {
        shown.signatures = signatures(set, &subject);
        // Not in the trust data, and signed otherwise: that is no verdict about the image.
        if let Some(problem) =
            problem(set, &subject).filter(|_| judged || by_certificate.is_empty())
        {
            shown.status = Status::Rejected;
            shown.problem = Some(problem);
        }
    }
    shown.signatures.extend(by_certificate);
    report.images.push(shown);
    Ok(())
}

fn warn(report: &mut Report, set: Option<&TrustedSet>, judged: bool) {
    let Some(set) = set else { return };
    if !judged {
        report.warnings.push(
            "no root is pinned: what the trust server shows is listed, not judged".to_owned(),
        );
    }
    report
        .warnings
        .extend(set.warnings().iter().map(ToString::to_string));
}
