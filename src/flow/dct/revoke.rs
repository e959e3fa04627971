//! `trust revoke`: takes tags out of every role that the keys may write, and says where they still stand.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    LoadScope,
    revise::{Revision, public_keys},
};
use crate::{
    crypto::Signer,
    flow::{FlowError, Services},
    format::{
        Format,
        dct::{
            RoleName, RootTrust, TrustedSet,
            admin::{holders, revoke, writable},
        },
    },
    oci::{Reference, Repository, Tag},
    report::{Failure, ImageReport, Problem, SignatureReport, Status, signer_name},
};

/// What `trust revoke` was asked for.
#[derive(Clone, Debug)]
pub struct RevokeOptions {
    /// Images, each with a tag.
    pub images: Vec<Reference>,
    /// Keys of the roles to write, and of the snapshot where the server does not hold it.
    pub signers: Vec<Arc<dyn Signer>>,
    /// Trust in the root.
    pub trust: RootTrust,
    /// Plan only.
    pub dry_run: bool,
}

/// Revokes; one report per image, in the order named.
pub async fn trust_revoke(services: &Services, options: &RevokeOptions) -> Vec<ImageReport> {
    let mut groups: BTreeMap<&Repository, Vec<Tag>> = BTreeMap::new();
    for image in &options.images {
        groups
            .entry(&image.repository)
            .or_default()
            .extend(image.tag.clone());
    }
    let mut outcomes = BTreeMap::new();
    for (repository, tags) in groups {
        outcomes.insert(
            repository,
            revoke_in(services, options, repository, &tags).await,
        );
    }
    let done = if options.dry_run {
        Status::Planned
    } else {
        Status::Revoked
    };
    options
        .images
        .iter()
        .map(|image| report(image, outcomes.get(&image.repository), done))
        .collect()
}

/// Which roles a tag was taken out of, and which still hold it.
#[derive(Debug, Default)]
struct RevokedTags {
    taken: Vec<(String, RoleName)>,
    left: Vec<(String, RoleName)>,
}

async fn revoke_in(
    services: &Services,
    options: &RevokeOptions,
    repository: &Repository,
    tags: &[Tag],
) -> Result<RevokedTags, Failure> {
    let revision = Revision {
        trust: &options.trust,
        scope: &LoadScope::All,
        signers: &options.signers,
        now: services.now,
    };
    let held = public_keys(&options.signers);
    let mut taken = Vec::new();
    let collection = services.collection(repository).to_renew();
    let revised = collection.revise(&revision, |set| {
        let ours = writable(set, &held);
        let (now, left): (Vec<_>, Vec<_>) = holding(set, tags)
            .into_iter()
            .partition(|(_, role)| ours.contains(role));
        let is_change = !now.is_empty();
        for pair in now {
            if !taken.contains(&pair) {
                taken.push(pair);
            }
        }
        let draft = is_change.then(|| revoke(set, tags, &held, services.now));
        Ok((left, draft.transpose()?.filter(|_| !options.dry_run)))
    });
    let left = revised.await?.plan;
    Ok(RevokedTags { taken, left })
}

/// Which of the tags stand in which roles.
fn holding(set: &TrustedSet, tags: &[Tag]) -> Vec<(String, RoleName)> {
    let of_tag = |tag: &Tag| {
        holders(set, tag)
            .into_iter()
            .map(|role| (tag.to_string(), role))
            .collect::<Vec<_>>()
    };
    tags.iter().flat_map(of_tag).collect()
}

fn report(
    image: &Reference,
    outcome: Option<&Result<RevokedTags, Failure>>,
    done: Status,
) -> ImageReport {
    let name = image.to_string();
    let Some(tag) = &image.tag else {
        return refused(
            &name,
            &FlowError::NoTag {
                image: name.clone(),
            },
        );
    };
    let outcome = match outcome {
        Some(Ok(outcome)) => outcome,
        Some(Err(failure)) => {
            return ImageReport::failed(name, failure.status(), failure.problem());
        }
        None => unreachable!("every repository has an outcome"),
    };
    let (taken, left) = (of_tag(&outcome.taken, tag), of_tag(&outcome.left, tag));
    let mut report = match why_not(&name, &taken, &left) {
        Some(error) => refused(&name, &error),
        None => ImageReport::named(name, done),
    };
    report.signatures = taken
        .iter()
        .map(|role| revoked(role, image, done))
        .collect();
    report
}

/// Why the tag does not count as revoked: it is still pullable, or it was taken out of no role.
fn why_not(image: &str, taken: &[RoleName], left: &[RoleName]) -> Option<FlowError> {
    let image = image.to_owned();
    let pullable: Vec<&RoleName> = left
        .iter()
        .filter(|role| **role == RoleName::TARGETS || **role == RoleName::RELEASES)
        .collect();
    if !pullable.is_empty() {
        let roles = listed(pullable);
        return Some(FlowError::StillPullable { image, roles });
    }
    match (taken, left) {
        ([_, ..], _) => None,
        ([], []) => Some(FlowError::NotSigned { image }),
        ([], left) => {
            let roles = listed(left);
            Some(FlowError::HeldByOthers { image, roles })
        }
    }
}

fn refused(image: &str, error: &FlowError) -> ImageReport {
    ImageReport::failed(image.to_owned(), Status::Refused, Problem::of(error))
}

fn of_tag(pairs: &[(String, RoleName)], tag: &Tag) -> Vec<RoleName> {
    let own = pairs.iter().filter(|(name, _)| name == tag.as_str());
    own.map(|(_, role)| role.clone()).collect()
}

fn listed<'a>(roles: impl IntoIterator<Item = &'a RoleName>) -> String {
    let roles: Vec<String> = roles.into_iter().map(|role| format!("`{role}`")).collect();
    roles.join(", ")
}

fn revoked(role: &RoleName, image: &Reference, status: Status) -> SignatureReport {
    SignatureReport {
        signer: signer_name(role),
        role: Some(role.to_string()),
        reference: Some(image.to_string()),
        ..SignatureReport::new(Format::Dct, status)
    }
}
