//! The trust data of one repository, for every demand of a rule: downloaded once, verified once per root that is trusted.

use super::LoadScope;
use crate::{
    flow::{FlowError, Services},
    format::dct::{Requirement, RootTrust, Seen, TrustedSet},
    oci::{Repository, Tag},
    policy::{FormatRequirement, FormatTrust},
    report::Failure,
};

/// The verified trust data, per root that is trusted.
pub(in crate::flow) struct Collections<'a>(Vec<(&'a RootTrust, Result<TrustedSet, Failure>)>);

impl<'a> Collections<'a> {
    /// Loads what the demands on trust data need to judge these tags, held against what earlier runs saw.
    pub(in crate::flow) async fn load(
        services: &Services,
        repository: &Repository,
        demands: &[&'a FormatRequirement],
        tags: &[Option<Tag>],
        seen: Option<&Seen>,
    ) -> Self {
        let mut roots: Vec<(&RootTrust, Vec<Requirement>)> = Vec::new();
        for demand in demands {
            let FormatTrust::Dct { root, requirement } = &demand.trust else {
                continue;
            };
            match roots.iter_mut().find(|(known, _)| *known == root) {
                Some((_, requirements)) => requirements.push(requirement.clone()),
                None => roots.push((root, vec![requirement.clone()])),
            }
        }
        let mut collection = services.collection(repository).after(seen.cloned());
        if roots.len() > 1 {
            collection = collection.keeping();
        }
        let mut sets = Vec::new();
        for (root, requirements) in roots {
            let needed = LoadScope::ToJudge {
                tags: tags.to_vec(),
                requirements,
            };
            let loaded = collection.load(root, &needed, services.now).await;
            let loaded = loaded.and_then(|set| {
                let none = || match seen {
                    None => collection.no_trust_data(true),
                    Some(_) => FlowError::TrustDataGone {
                        repository: repository.to_string(),
                        server: collection.server_name(),
                    },
                };
                Ok(set.ok_or_else(none)?)
            });
            sets.push((root, loaded));
        }
        Self(sets)
    }

    /// The roles that were looked at and do not count, in words (T29).
    pub(in crate::flow) fn skipped(&self, repository: &Repository) -> Vec<String> {
        let skipped = self
            .0
            .iter()
            .filter_map(|(_, set)| set.as_ref().ok())
            .flat_map(TrustedSet::skipped);
        skipped
            .map(|warning| format!("{repository}: {warning}"))
            .collect()
    }

    /// What was seen, per root that is trusted: of trust data that verified as a whole.
    pub(in crate::flow) fn seen(&self) -> impl Iterator<Item = Seen> {
        self.0
            .iter()
            .filter_map(|(_, set)| Some(set.as_ref().ok()?.seen()))
    }

    /// The trust data under a root that was asked for.
    pub(in crate::flow) fn under(&self, root: &RootTrust) -> Option<&Result<TrustedSet, Failure>> {
        self.0
            .iter()
            .find(|(known, _)| *known == root)
            .map(|(_, set)| set)
    }
}
