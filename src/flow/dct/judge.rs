//! The trust data of one repository, for every requirement of a rule: downloaded once, verified once per root that is trusted.

use super::{LoadScope, show::proven_signatures};
use crate::{
    flow::{
        FlowError, Services,
        findings::{Finding, Found, Weakened},
    },
    format::dct::{ImageHashes, Requirement, RootTrust, Seen, TrustedSet, verify},
    oci::{Repository, Subject, Tag},
    policy::{FormatRequirement, FormatTrust},
    report::Failure,
};

/// The verified trust data, per root that is trusted.
pub(in crate::flow) struct Collections<'a>(Vec<(&'a RootTrust, Result<TrustedSet, Failure>)>);

impl<'a> Collections<'a> {
    /// Loads what the requirements on trust data need to judge these tags, held against what earlier runs saw.
    pub(in crate::flow) async fn load(
        services: &Services,
        repository: &Repository,
        demands: &[&'a FormatRequirement],
        tags: &[Option<Tag>],
        seen: Option<&Seen>,
    ) -> Self {
        let mut roots: Vec<(&RootTrust, Vec<Requirement>)> = Vec::new();
        for demand in demands {
            match &demand.trust {
                FormatTrust::Dct { root, requirement } => {
                    match roots.iter_mut().find(|(known, _)| *known == root) {
                        Some((_, requirements)) => requirements.push(requirement.clone()),
                        None => roots.push((root, vec![requirement.clone()])),
                    }
                }
                FormatTrust::Notation(_) => {}
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

    /// The roles that were checked and do not count, in words (T29).
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

    /// Checks the trust data under a root against what must have signed the image.
    pub(in crate::flow) fn judge(
        &self,
        root: &RootTrust,
        requirement: &Requirement,
        subject: &Subject,
    ) -> Found {
        let under_root = self.0.iter().find(|(known, _)| *known == root);
        let set = match under_root.map(|(_, set)| set) {
            Some(Ok(set)) => set,
            Some(Err(failure)) => return Found::failed(failure.problem()),
            None => unreachable!("trust data is loaded under every root that is required"),
        };
        match verify(
            subject.tag.as_ref(),
            &ImageHashes::from(subject),
            set,
            requirement,
        ) {
            Ok(verified) => Found {
                signatures: proven_signatures(&verified, subject, set),
                finding: Finding::Verified(verified),
                weakened: Vec::new(),
            },
            Err(rejection) => Found::failed(Failure::from(rejection).problem()),
        }
    }
}

/// How trust on first use weakens the check of a repository whose trust data an earlier run saw or did not see (P09).
pub(in crate::flow) fn weakened(
    root: &RootTrust,
    repository: &Repository,
    remembered: bool,
) -> Option<Weakened> {
    let meaning = match (root, remembered) {
        (RootTrust::FirstUse, true) => {
            "no root is pinned, so the root that an earlier run saw is trusted, as the state file remembers it"
        }
        (RootTrust::FirstUse, false) => {
            "the root that the trust server showed was trusted, because nothing was pinned"
        }
        (RootTrust::Keys(_) | RootTrust::Ca(_), _) => return None,
    };
    Some(Weakened {
        by: "--trust-on-first-use".to_owned(),
        meaning: format!("trust on first use of `{repository}`: {meaning}"),
    })
}
