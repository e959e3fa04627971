//! `policy init`: looks at what signs images, and makes of it the policy that demands just that. What it finds is
//! trusted on first use, and the policy says so beside every pin.

mod certificates;
mod look;
mod write;

use futures::{StreamExt as _, stream};

use self::look::{RepositoryFindings, look};
pub use self::write::Proposal;
use super::{FlowError, Services};
use crate::{
    crypto::Certificate,
    oci::{Reference, Repository},
    reason::Exit,
    report::{Failure, Report},
};

/// Looks at the images, fills the report with what signs each, and gives the policy that demands it; its certificates
/// lie in `folder`, as seen from the policy. Timestamps count under `timestamp_roots`, and under those that they bring
/// along. `None` where nothing is signed, or something cannot be determined.
pub async fn policy_init(
    services: &Services,
    images: &[Reference],
    folder: &str,
    timestamp_roots: &[Certificate],
    report: &mut Report,
) -> Result<Option<Proposal>, Failure> {
    let mut groups: Vec<(&Repository, Vec<&Reference>)> = Vec::new();
    for image in images {
        match groups
            .iter_mut()
            .find(|(repository, _)| **repository == image.repository)
        {
            Some((_, group)) => group.push(image),
            None => groups.push((&image.repository, vec![image])),
        }
    }
    let looking = groups
        .into_iter()
        .map(|(repository, group)| look(services, repository, group, timestamp_roots));
    let looked: Vec<RepositoryFindings> = stream::iter(looking)
        .buffered(services.concurrency)
        .collect()
        .await;
    let mut shown: Vec<_> = looked.iter().flat_map(|looked| &looked.images).collect();
    let order = |name: &str| images.iter().position(|image| image.to_string() == name);
    shown.sort_by_key(|image| order(&image.report.image));
    report.images = shown.iter().map(|image| image.report.clone()).collect();
    report
        .warnings
        .extend(shown.iter().flat_map(|image| image.warnings()));
    if let Some(looked) = looked
        .iter()
        .find(|looked| looked.demands() > write::DEMANDS)
    {
        let repository = looked.repository.to_string();
        return Err(FlowError::TooManySigners {
            repository,
            limit: write::DEMANDS,
        }
        .into());
    }
    let all_found_out = report
        .images
        .iter()
        .all(|image| matches!(image.exit(), Exit::Done | Exit::Rejected));
    let is_signed = looked
        .iter()
        .any(|looked| looked.images.iter().any(|image| !image.found.is_empty()));
    Ok((all_found_out && is_signed).then(|| write::policy(&looked, folder, services.now)))
}
