//! What was pushed since a time: asked of the registry's own listing, for the repositories that patterns name.

use std::collections::BTreeMap;

use futures::{StreamExt as _, TryStreamExt as _, stream};

use super::{FlowError, Services};
use crate::{
    oci::{Reference, Repository},
    policy::Glob,
    report::Failure,
    timestamp::Timestamp,
};

/// A tag that was pushed since the time asked for.
#[derive(Clone, Debug)]
pub struct FreshTag {
    /// The tag, with the digest that the registry lists for it.
    pub image: Reference,
    /// When it was pushed.
    pub pushed: Timestamp,
}

/// The tags pushed since then; repositories in order, each one's newest tag first.
pub async fn fresh_tags(
    services: &Services,
    patterns: &[Glob],
    since: Timestamp,
) -> Result<Vec<FreshTag>, Failure> {
    let repositories = repositories(services, patterns).await?;
    let listed = stream::iter(repositories.iter().map(|repository| async move {
        let tags = services.registry.tags_since(repository, since).await?;
        let fresh = tags.into_iter().map(|pushed| FreshTag {
            image: Reference {
                repository: repository.clone(),
                tag: Some(pushed.tag),
                digest: Some(pushed.digest),
            },
            pushed: pushed.pushed,
        });
        Ok::<_, Failure>(fresh.collect::<Vec<_>>())
    }));
    let fresh = listed
        .buffered(services.concurrency)
        .try_collect::<Vec<_>>()
        .await?
        .concat();
    if fresh.is_empty() {
        let looked_in = repositories
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("`, `");
        return Err(FlowError::NothingFresh { since, looked_in }.into());
    }
    Ok(fresh)
}

/// The repositories that the patterns name: the catalog is asked only where one has a wildcard.
async fn repositories(services: &Services, patterns: &[Glob]) -> Result<Vec<Repository>, Failure> {
    let mut catalogs = BTreeMap::new();
    let mut found = Vec::new();
    for pattern in patterns {
        if let Some(repository) = pattern.only() {
            found.push(repository);
            continue;
        }
        let registry = pattern.registry().ok_or_else(|| FlowError::NoRegistry {
            pattern: pattern.to_string(),
        })?;
        if !catalogs.contains_key(&registry) {
            let catalog = services.registry.catalog(&registry).await?;
            catalogs.insert(registry.clone(), catalog);
        }
        let catalog = catalogs.get(&registry).into_iter().flatten();
        found.extend(
            catalog
                .filter(|repository| pattern.matches(repository))
                .cloned(),
        );
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}
