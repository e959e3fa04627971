//! Docker Content Trust: all tags of a repository in one publication, which is one request, so that nothing
//! half-done is left.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use super::{
    Collection, LoadScope, chain,
    load::lists,
    revise::{Revision, public_keys},
};
use crate::{
    crypto::Signer,
    flow::{
        FlowError, Services,
        signing::{Candidate, FormatResult, SigningOptions},
    },
    format::{
        Format,
        dct::{
            Draft, DraftError, ImageHashes, KeyId, RoleName, RootTrust, TrustedSet,
            sign::{Change, holds, prepare, roles_for},
        },
    },
    oci::Repository,
    report::{Failure, Link, SignatureReport, Status},
    timestamp::Timestamp,
};

/// A tenth of the three years that a signed role lives: whoever signs within these months renews the role, so that one
/// that is signed a few times a year never expires.
const LAST_TENTH: Duration = Duration::from_secs(3 * 365 * 24 * 3600 / 10);

/// What signing trust data needs.
#[derive(Clone, Debug)]
pub struct SignDct {
    /// The key.
    pub signer: Arc<dyn Signer>,
    /// The snapshot key, where the server does not hold it.
    pub snapshot: Option<Arc<dyn Signer>>,
    /// Roles asked for; none: as docker chooses them.
    pub roles: Vec<RoleName>,
    /// Trust in the root.
    pub trust: RootTrust,
}

/// The trust data of one repository.
pub(in crate::flow) struct DctJob<'a> {
    services: &'a Services,
    options: &'a SigningOptions,
    dct: &'a SignDct,
    collection: Collection,
}

/// What is done with each candidate.
struct Plan {
    /// The roles that are signed, with the key ID under which each lists the key.
    roles: Vec<(RoleName, KeyId)>,
    /// Until when each role's file holds.
    ends: BTreeMap<RoleName, Timestamp>,
    /// What trust in each of them hangs on.
    chains: Vec<Vec<Link>>,
    /// Candidates whose entries are new or sign again.
    changed: BTreeSet<usize>,
    /// Whether unchanged files are signed again, too.
    renew: bool,
}

impl<'a> DctJob<'a> {
    pub(in crate::flow) fn new(
        services: &'a Services,
        options: &'a SigningOptions,
        dct: &'a SignDct,
        repository: &Repository,
    ) -> Self {
        Self {
            services,
            options,
            dct,
            collection: services.collection(repository).to_renew(),
        }
    }

    /// The repository's trust data, as far as it is needed to sign with the key.
    pub(in crate::flow) async fn load(&self) -> Result<TrustedSet, Failure> {
        self.collection
            .require(&self.dct.trust, &self.scope(), self.services.now)
            .await
    }

    fn scope(&self) -> LoadScope {
        if self.dct.roles.is_empty() {
            LoadScope::ToSignWith(self.dct.signer.public_key().clone())
        } else {
            LoadScope::Roles(self.dct.roles.clone())
        }
    }

    /// The roles that do not count, without those that this key signs anew (T29).
    pub(in crate::flow) fn skipped(&self, set: &TrustedSet) -> Vec<String> {
        let asked = &self.dct.roles;
        let ours = |role: &RoleName| match asked.as_slice() {
            [] => lists(set, role, self.dct.signer.public_key()),
            asked => asked.contains(role),
        };
        let skipped = set
            .skipped()
            .into_iter()
            .filter(|warning| !ours(warning.role()));
        skipped
            .map(|warning| format!("{}: {warning}", self.collection.repository))
            .collect()
    }

    /// Signs what may be signed, in one publication.
    pub(in crate::flow) async fn sign(
        &self,
        loaded: Result<TrustedSet, Failure>,
        candidates: &[Candidate],
    ) -> Vec<FormatResult> {
        let (mut candidates, untagged): (Vec<&Candidate>, Vec<&Candidate>) = candidates
            .iter()
            .partition(|candidate| candidate.subject.tag.is_some());
        let mut ended: Vec<FormatResult> = untagged
            .into_iter()
            .map(|candidate| {
                let failure = FlowError::NoTag {
                    image: candidate.subject.to_string(),
                }
                .into();
                FormatResult::failed(Format::Dct, candidate.index, &failure)
            })
            .collect();
        if let Ok(set) = &loaded {
            ended.extend(self.refuse_outside(set, &mut candidates));
        }
        if candidates.is_empty() {
            return ended;
        }
        let signed = match loaded {
            Ok(set) => self.publish(set, &candidates).await,
            Err(failure) => Err(failure),
        };
        ended.extend(candidates.iter().map(|candidate| match &signed {
            Ok(plan) => self.signed(plan, candidate),
            Err(failure) => FormatResult::failed(Format::Dct, candidate.index, failure),
        }));
        ended
    }

    /// Takes out the tags that the key may not sign, where it may sign others: they are refused alone.
    fn refuse_outside(
        &self,
        set: &TrustedSet,
        candidates: &mut Vec<&Candidate>,
    ) -> Vec<FormatResult> {
        let judge = |candidate: &Candidate| {
            let tags: Vec<_> = candidate.subject.tag.iter().cloned().collect();
            roles_for(set, self.dct.signer.public_key(), &self.dct.roles, &tags).err()
        };
        let refused: Vec<(usize, DraftError)> = candidates
            .iter()
            .filter_map(|candidate| Some((candidate.index, judge(candidate)?)))
            .collect();
        candidates.retain(|candidate| refused.iter().all(|(index, _)| *index != candidate.index));
        refused
            .into_iter()
            .map(|(index, error)| FormatResult::failed(Format::Dct, index, &error.into()))
            .collect()
    }

    /// Puts all candidates into one publication.
    async fn publish(&self, set: TrustedSet, candidates: &[&Candidate]) -> Result<Plan, Failure> {
        let mut signers = vec![self.dct.signer.clone()];
        signers.extend(self.dct.snapshot.clone());
        let revision = Revision {
            trust: &self.dct.trust,
            scope: &self.scope(),
            signers: &signers,
            now: self.services.now,
        };
        let revised = self.collection.revise_from(set, &revision, |set| {
            let plan = self.plan(set, candidates)?;
            let is_change = !plan.changed.is_empty();
            let draft = is_change.then(|| self.draft(set, candidates, &plan, &signers));
            Ok((plan, draft.transpose()?.filter(|_| !self.options.dry_run)))
        });
        let revised = revised.await?;
        let mut plan = revised.plan;
        let published = revised.overtaken.into_iter().flat_map(|plan| plan.changed);
        plan.changed.extend(published);
        plan.ends.extend(revised.ends);
        Ok(plan)
    }

    fn draft(
        &self,
        set: &TrustedSet,
        candidates: &[&Candidate],
        plan: &Plan,
        signers: &[Arc<dyn Signer>],
    ) -> Result<Draft, DraftError> {
        let change = Change {
            set: entries(candidates, plan),
            remove: Vec::new(),
            renew: plan.renew,
        };
        let roles: Vec<RoleName> = plan.roles.iter().map(|(role, _)| role.clone()).collect();
        prepare(
            set,
            &change,
            &roles,
            &public_keys(signers),
            self.services.now,
        )
    }

    /// Which roles to sign, and which candidates they do not hold yet.
    fn plan(&self, set: &TrustedSet, candidates: &[&Candidate]) -> Result<Plan, Failure> {
        let tags: Vec<_> = candidates
            .iter()
            .filter_map(|candidate| candidate.subject.tag.clone())
            .collect();
        let key = self.dct.signer.public_key();
        let roles = roles_for(set, key, &self.dct.roles, &tags)?;
        let names: Vec<RoleName> = roles.iter().map(|(role, _)| role.clone()).collect();
        // What is not signed by this very key, or is in the last tenth of its life, is signed again.
        let ours = |role: &RoleName| set.signers(role).iter().any(|by| by.key == *key);
        let ends_soon = |role: &RoleName| {
            set.targets(role)
                .is_some_and(|file| file.expires <= self.services.now.plus(LAST_TENTH))
        };
        let renew = self.options.force
            || set.targets_expired().is_some()
            || !names.iter().any(ours)
            || names.iter().any(ends_soon);
        let held = |candidate: &Candidate| {
            let tag = candidate.subject.tag.as_ref();
            tag.is_some_and(|tag| holds(set, &names, tag, &ImageHashes::from(&candidate.subject)))
        };
        let changed = candidates
            .iter()
            .filter(|candidate| renew || !held(candidate));
        let changed = changed.map(|candidate| candidate.index).collect();
        let ends = names
            .iter()
            .filter_map(|role| Some((role.clone(), set.targets(role)?.expires)))
            .collect();
        let chains = roles.iter().map(|role| signed_chain(set, role)).collect();
        Ok(Plan {
            roles,
            ends,
            chains,
            changed,
            renew,
        })
    }

    fn signed(&self, plan: &Plan, candidate: &Candidate) -> FormatResult {
        let status = match (
            plan.changed.contains(&candidate.index),
            self.options.dry_run,
        ) {
            (false, _) => Status::AlreadySigned,
            (true, true) => Status::Planned,
            (true, false) => Status::Signed,
        };
        let signature =
            |((role, key_id), chain): (&(RoleName, KeyId), &Vec<Link>)| SignatureReport {
                signer: Some(self.dct.signer.name().to_owned()),
                key_id: Some(key_id.to_string()),
                role: Some(role.to_string()),
                signed_at: (status == Status::Signed).then_some(self.services.now),
                expires_at: plan.ends.get(role).copied(),
                reference: Some(candidate.subject.to_string()),
                chain: chain.clone(),
                ..SignatureReport::new(Format::Dct, status)
            };
        let signatures = plan.roles.iter().zip(&plan.chains).map(signature).collect();
        FormatResult {
            index: candidate.index,
            status,
            problem: None,
            signatures,
        }
    }
}

fn entries(candidates: &[&Candidate], plan: &Plan) -> Vec<(crate::oci::Tag, ImageHashes)> {
    let changed = candidates
        .iter()
        .filter(|candidate| plan.changed.contains(&candidate.index));
    changed
        .filter_map(|candidate| {
            Some((
                candidate.subject.tag.clone()?,
                ImageHashes::from(&candidate.subject),
            ))
        })
        .collect()
}

/// The chain of a role that is signed with a key: its next version is the server's to say.
fn signed_chain(set: &TrustedSet, (role, key_id): &(RoleName, KeyId)) -> Vec<Link> {
    let mut links = chain(set, role);
    if let Some(link) = links.last_mut() {
        *link = Link {
            name: role.to_string(),
            key_id: Some(key_id.to_string()),
            version: None,
            expires_at: None,
        };
    }
    links
}
