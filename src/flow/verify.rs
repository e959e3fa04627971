//! `verify`: resolve every image once, load each repository's trust data once, and let the pure verifier
//! decide. An image is allowed only with a [`Verified`] in hand.

use std::collections::BTreeMap;

use futures::{StreamExt as _, future::join, stream};

use super::{Failure, FlowError, Needed, Services};
use crate::{
    format::{
        Identity, Verified,
        dct::{self, Requirement, RoleName, RootTrust, TrustedSet},
    },
    oci::{Reference, Repository, Subject, Tag},
    reason::Exit,
    registry::Resolved,
    report::{Decision, ImageReport, Link, Report, SignatureReport, Status},
};

/// What `verify` was asked.
#[derive(Clone, Debug)]
pub struct VerifyOptions {
    /// Images in the order named.
    pub images: Vec<Reference>,
    /// Trust in the root.
    pub trust: RootTrust,
    /// What must have signed.
    pub requirement: Requirement,
}

/// Verifies; fills the images and the decision of the report.
pub async fn verify(services: &Services, options: &VerifyOptions, report: &mut Report) {
    let mut groups: BTreeMap<&Repository, Vec<usize>> = BTreeMap::new();
    for (index, image) in options.images.iter().enumerate() {
        groups.entry(&image.repository).or_default().push(index);
    }
    let jobs =
        groups.into_iter().map(|(repository, indexes)| verify_repository(services, options, repository, indexes));
    let mut images: Vec<_> =
        stream::iter(jobs).buffer_unordered(services.concurrency).collect::<Vec<_>>().await.concat();
    images.sort_by_key(|(index, _)| *index);
    report.images = images.into_iter().map(|(_, image)| image).collect();
    let allowed = !report.images.is_empty() && report.images.iter().all(|image| image.status == Status::Verified);
    report.decision = Some(if allowed { Decision::Allow } else { Decision::Deny });
}

async fn verify_repository(
    services: &Services,
    options: &VerifyOptions,
    repository: &Repository,
    indexes: Vec<usize>,
) -> Vec<(usize, ImageReport)> {
    let images: Vec<(usize, &Reference)> =
        indexes.into_iter().filter_map(|index| Some((index, options.images.get(index)?))).collect();
    let resolving = stream::iter(images.iter().map(|(_, image)| services.registry.resolve(image)))
        .buffered(services.concurrency)
        .collect::<Vec<_>>();
    let (resolved, loaded) = join(resolving, load(services, options, repository)).await;
    let judge = |((index, image), resolved): ((usize, &Reference), Result<Resolved, _>)| {
        let report = match (resolved, &loaded) {
            (Err(error), _) => denied(image, None, &Failure::from(error)),
            (Ok(resolved), Err(failure)) => denied(image, Some(&resolved), failure),
            (Ok(resolved), Ok(set)) => judge(set, options, image, &resolved),
        };
        (index, report)
    };
    images.into_iter().zip(resolved).map(judge).collect()
}

async fn load(services: &Services, options: &VerifyOptions, repository: &Repository) -> Result<TrustedSet, Failure> {
    let collection = services.collection(repository);
    let of_repository = options.images.iter().filter(|image| image.repository == *repository);
    let needed = Needed::ToJudge { tags: of_repository.map(tag).collect(), requirement: options.requirement.clone() };
    let loaded = collection.load(&options.trust, &needed, services.now).await?;
    loaded.ok_or_else(|| {
        let (repository, server) = (repository.to_string(), collection.server_name());
        FlowError::NoTrustData { repository, server, gate: true }.into()
    })
}

fn judge(set: &TrustedSet, options: &VerifyOptions, image: &Reference, resolved: &Resolved) -> ImageReport {
    let subject = subject(image, resolved);
    let descriptor = &subject.descriptor;
    match dct::verify(subject.tag.as_ref(), &descriptor.digest, descriptor.size, set, &options.requirement) {
        Ok(verified) => allowed(image, &subject, &verified, set),
        Err(rejection) => denied(image, Some(resolved), &rejection.into()),
    }
}

fn allowed(image: &Reference, subject: &Subject, verified: &Verified, set: &TrustedSet) -> ImageReport {
    let signatures = verified.signers().iter().map(|signature| {
        let mut report = SignatureReport {
            expires_at: signature.expires,
            reference: Some(subject.to_string()),
            ..SignatureReport::new(verified.format(), Status::Verified)
        };
        match &signature.by {
            Identity::Role { role, key_id } => {
                report.signer = signer_name(role);
                report.key_id = Some(key_id.to_string());
                report.role = Some(role.to_string());
                report.chain = chain(set, role);
            }
            Identity::Certificate { subject, thumbprint } => {
                report.key_id = Some(thumbprint.clone());
                report.certificate = Some(subject.clone());
            }
        }
        report
    });
    ImageReport {
        pinned: Some(subject.to_string()),
        digest: Some(verified.subject().clone()),
        media_type: Some(subject.descriptor.media_type.to_string()),
        pushed: None,
        signatures: signatures.collect(),
        ..ImageReport::named(image.to_string(), Status::Verified)
    }
}

fn denied(image: &Reference, resolved: Option<&Resolved>, failure: &Failure) -> ImageReport {
    let status = if failure.reason().exit() == Exit::Rejected { Status::Rejected } else { Status::Undecided };
    let mut report = ImageReport::failed(image.to_string(), status, failure.problem());
    if let Some(resolved) = resolved {
        report.digest = Some(resolved.descriptor.digest.clone());
        report.media_type = Some(resolved.descriptor.media_type.to_string());
    }
    report
}

/// What the image resolved to.
fn subject(image: &Reference, resolved: &Resolved) -> Subject {
    Subject { repository: image.repository.clone(), tag: tag(image), descriptor: resolved.descriptor.clone() }
}

/// The tag that counts: a name without tag and digest means `latest`, as docker reads it.
fn tag(image: &Reference) -> Option<Tag> {
    if image.digest.is_some() { image.tag.clone() } else { Some(image.tag_or_latest()) }
}

/// What trust in a role hangs on: the root, and each role from `targets` down to it.
pub(super) fn chain(set: &TrustedSet, role: &RoleName) -> Vec<Link> {
    let root = set.root();
    let mut roles = vec![role.clone()];
    while let Some(parent) = roles.last().and_then(RoleName::parent) {
        roles.push(parent);
    }
    let of_role = |role: RoleName| {
        let file = set.targets(&role);
        Link {
            key_id: set.signers(&role).first().map(|by| by.key_id.to_string()),
            version: file.map(|file| file.version.get()),
            expires_at: file.map(|file| file.expires),
            name: role.to_string(),
        }
    };
    let root = Link {
        name: RoleName::ROOT.to_string(),
        key_id: root.key_ids(&RoleName::ROOT).first().map(ToString::to_string),
        version: Some(root.version.get()),
        expires_at: Some(root.expires),
    };
    std::iter::once(root).chain(roles.into_iter().rev().map(of_role)).collect()
}

/// The signer that a role is named after, for roles that docker calls signers.
pub(super) fn signer_name(role: &RoleName) -> Option<String> {
    let name = role.as_str().strip_prefix("targets/").filter(|_| *role != RoleName::RELEASES)?;
    Some(name.to_owned())
}
