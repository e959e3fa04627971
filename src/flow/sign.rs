//! `sign`: resolve every tag once, then put all tags of a repository into one publication.
//!
//! A failed image does not stop the others, and nothing half-done is left: a publication is one request.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use futures::{StreamExt as _, future::join, stream};

use super::{Collection, Failure, FlowError, Needed, Published, Services, publish::pause_before_retry, sign_draft};
use crate::{
    crypto::Signer,
    format::{
        Format,
        dct::{
            DraftError, Entry, KeyId, RoleName, RootTrust, TrustedSet,
            sign::{Change, holds, prepare, roles_for},
        },
    },
    oci::{Digest, Reference, Repository, Subject},
    report::{ImageReport, Problem, SignatureReport, Status},
    timestamp::Timestamp,
};

/// How often a publication is rebuilt on another writer's before the run gives up.
const ATTEMPTS: u32 = 10;
/// A tenth of the three years that a signed role lives.
const LAST_TENTH: Duration = Duration::from_secs(3 * 365 * 24 * 3600 / 10);

/// What `sign` was asked for.
#[derive(Clone, Debug)]
pub struct SignOptions {
    /// Images in the order named.
    pub images: Vec<Reference>,
    /// What was built, if given.
    pub digest: Option<Digest>,
    /// Roles asked for; none: as docker chooses them.
    pub roles: Vec<RoleName>,
    /// Trust in the root.
    pub trust: RootTrust,
    /// Sign again what is signed already.
    pub force: bool,
    /// Plan only.
    pub dry_run: bool,
}

/// Signs; one report per image, in the order named.
pub async fn sign(services: &Services, signer: Arc<dyn Signer>, options: &SignOptions) -> Vec<ImageReport> {
    let mut groups: BTreeMap<&Repository, Vec<usize>> = BTreeMap::new();
    for (index, image) in options.images.iter().enumerate() {
        groups.entry(&image.repository).or_default().push(index);
    }
    let jobs = groups.into_iter().map(|(repository, indexes)| {
        let job = Job { services, signer: &signer, options, collection: services.collection(repository), indexes };
        async move { job.run().await }
    });
    let mut reports: Vec<(usize, ImageReport)> =
        stream::iter(jobs).buffer_unordered(services.concurrency).collect::<Vec<_>>().await.concat();
    reports.sort_by_key(|(index, _)| *index);
    reports.into_iter().map(|(_, report)| report).collect()
}

/// The images of one repository.
struct Job<'a> {
    services: &'a Services,
    signer: &'a Arc<dyn Signer>,
    options: &'a SignOptions,
    collection: Collection,
    indexes: Vec<usize>,
}

/// An image that may be signed: its tag resolved, and nothing against it.
struct Candidate {
    index: usize,
    subject: Subject,
}

impl Job<'_> {
    async fn run(&self) -> Vec<(usize, ImageReport)> {
        let resolving = stream::iter(self.indexes.iter().map(|index| self.resolve(*index)))
            .buffered(self.services.concurrency)
            .collect::<Vec<_>>();
        let (resolved, loaded) = join(resolving, self.load()).await;
        let (mut reports, mut candidates) = (Vec::new(), Vec::new());
        for outcome in resolved {
            match outcome {
                Ok(candidate) => candidates.push(candidate),
                Err(failed) => reports.push(failed),
            }
        }
        if let Ok(set) = &loaded {
            let refused = self.refuse_outside(set, &mut candidates);
            reports.extend(refused);
        }
        if !candidates.is_empty() {
            let signed = match loaded {
                Ok(set) => self.publish(set, &candidates).await,
                Err(failure) => Err(failure),
            };
            reports.extend(self.report(&signed, candidates));
        }
        reports
    }

    /// Takes out the tags that the key may not sign, where it may sign others: they are refused alone.
    fn refuse_outside(&self, set: &TrustedSet, candidates: &mut Vec<Candidate>) -> Vec<(usize, ImageReport)> {
        let judge = |candidate: &Candidate| {
            let tags: Vec<_> = candidate.subject.tag.iter().cloned().collect();
            roles_for(set, self.signer.public_key(), &self.options.roles, &tags).err()
        };
        let refused: Vec<_> =
            candidates.iter().filter_map(|candidate| Some((candidate.index, judge(candidate)?))).collect();
        let report = |(index, error): (usize, DraftError)| {
            let at = candidates.iter().position(|candidate| candidate.index == index)?;
            let failure = Failure::from(error);
            Some((index, candidates.remove(at).report(failure.status(), Some(failure.problem()))))
        };
        refused.into_iter().filter_map(report).collect()
    }

    /// One manifest GET; what `--digest` or the reference says otherwise refuses the image.
    async fn resolve(&self, index: usize) -> Result<Candidate, (usize, ImageReport)> {
        let Some(image) = self.options.images.get(index) else { unreachable!("indexes come from the same list") };
        let name = image.to_string();
        // By its tag, also where a digest is named: what the tag is now decides, not what it was once.
        let by_tag = Reference { digest: None, ..image.clone() };
        let outcome = match &image.tag {
            None => Err(FlowError::NoTag { image: name.clone() }.into()),
            Some(_) => self.services.registry.resolve(&by_tag).await.map_err(Failure::from),
        };
        let refused =
            |failure: Failure| (index, ImageReport::failed(name.clone(), failure.status(), failure.problem()));
        let descriptor = outcome.map_err(&refused)?.descriptor;
        for expected in [&self.options.digest, &image.digest].into_iter().flatten() {
            if *expected != descriptor.digest {
                let (found, expected) = (descriptor.digest.to_string(), expected.to_string());
                return Err(refused(FlowError::DigestMismatch { image: name.clone(), found, expected }.into()));
            }
        }
        let subject = Subject { repository: image.repository.clone(), tag: image.tag.clone(), descriptor };
        Ok(Candidate { index, subject })
    }

    async fn load(&self) -> Result<TrustedSet, Failure> {
        let key = self.signer.public_key().clone();
        let needed = if self.options.roles.is_empty() {
            Needed::ToSignWith(key)
        } else {
            Needed::Roles(self.options.roles.clone())
        };
        let loaded = self.collection.load(&self.options.trust, &needed, self.services.now).await?;
        loaded.ok_or_else(|| {
            let (repository, server) = (self.collection.repository.to_string(), self.collection.server_name());
            FlowError::NoTrustData { repository, server, gate: false }.into()
        })
    }

    /// Puts all candidates into one publication; a lost race is rebuilt on the other writer's data.
    async fn publish(&self, mut set: TrustedSet, candidates: &[Candidate]) -> Result<Outcome, Failure> {
        let mut published = BTreeSet::new();
        for _ in 0..ATTEMPTS {
            let mut outcome = self.plan(&set, candidates)?;
            if outcome.changed.is_empty() || self.options.dry_run {
                outcome.changed.extend(published);
                return Ok(outcome);
            }
            let change = Change { set: self.entries(candidates, &outcome), remove: Vec::new(), renew: outcome.renew };
            let roles: Vec<RoleName> = outcome.roles.iter().map(|(role, _)| role.clone()).collect();
            let held = [self.signer.public_key().clone()];
            let draft = prepare(&set, &change, &roles, &held, self.services.now)?;
            let publication = sign_draft(draft, std::slice::from_ref(self.signer)).await?;
            outcome.ends.extend(publication.ends.clone());
            if publication.files.is_empty() {
                return Ok(outcome);
            }
            match self.collection.publish(&publication, Some(&set), self.services.now).await? {
                Published::Stored => {
                    outcome.changed.extend(published);
                    return Ok(outcome);
                }
                Published::Overtaken => published.extend(outcome.changed),
                Published::Conflict => pause_before_retry().await,
            }
            set = self.load().await?;
        }
        Err(FlowError::RaceLost { repository: self.collection.repository.to_string(), attempts: ATTEMPTS }.into())
    }
}

/// What is done with each candidate.
struct Outcome {
    /// The roles that are signed, with the key ID under which each lists the key.
    roles: Vec<(RoleName, KeyId)>,
    /// Until when each role's file holds.
    ends: BTreeMap<RoleName, Timestamp>,
    /// Candidates whose entries are new or sign again.
    changed: BTreeSet<usize>,
    /// Whether unchanged files are signed again, too.
    renew: bool,
}

impl Job<'_> {
    /// Which roles to sign, and which candidates they do not hold yet.
    fn plan(&self, set: &TrustedSet, candidates: &[Candidate]) -> Result<Outcome, Failure> {
        let tags: Vec<_> = candidates.iter().filter_map(|candidate| candidate.subject.tag.clone()).collect();
        let roles = roles_for(set, self.signer.public_key(), &self.options.roles, &tags)?;
        let names: Vec<RoleName> = roles.iter().map(|(role, _)| role.clone()).collect();
        // What is not signed by this very key, or is in the last tenth of its life, is signed again.
        let ours = |role: &RoleName| set.signers(role).iter().any(|by| by.key == *self.signer.public_key());
        let ends_soon =
            |role: &RoleName| set.targets(role).is_some_and(|file| file.expires <= self.services.now.plus(LAST_TENTH));
        let renew = self.options.force || !names.iter().any(ours) || names.iter().any(ends_soon);
        let held = |candidate: &Candidate| {
            candidate.subject.tag.as_ref().is_some_and(|tag| holds(set, &names, tag, &candidate.entry()))
        };
        let changed = candidates.iter().filter(|candidate| renew || !held(candidate));
        let changed = changed.map(|candidate| candidate.index).collect();
        let ends = names.iter().filter_map(|role| Some((role.clone(), set.targets(role)?.expires))).collect();
        Ok(Outcome { roles, ends, changed, renew })
    }

    fn entries(&self, candidates: &[Candidate], outcome: &Outcome) -> Vec<(crate::oci::Tag, Entry)> {
        let changed = candidates.iter().filter(|candidate| outcome.changed.contains(&candidate.index));
        changed.filter_map(|candidate| Some((candidate.subject.tag.clone()?, candidate.entry()))).collect()
    }

    fn report(&self, signed: &Result<Outcome, Failure>, candidates: Vec<Candidate>) -> Vec<(usize, ImageReport)> {
        let report = |candidate: Candidate| {
            let report = match signed {
                Ok(outcome) => self.signed_report(outcome, &candidate),
                Err(failure) => candidate.report(failure.status(), Some(failure.problem())),
            };
            (candidate.index, report)
        };
        candidates.into_iter().map(report).collect()
    }

    fn signed_report(&self, outcome: &Outcome, candidate: &Candidate) -> ImageReport {
        let status = match (outcome.changed.contains(&candidate.index), self.options.dry_run) {
            (false, _) => Status::AlreadySigned,
            (true, true) => Status::Planned,
            (true, false) => Status::Signed,
        };
        let mut report = candidate.report(status, None);
        report.signatures = outcome
            .roles
            .iter()
            .map(|(role, key_id)| SignatureReport {
                signer: Some(self.signer.name().to_owned()),
                key_id: Some(key_id.to_string()),
                role: Some(role.to_string()),
                signed_at: (status == Status::Signed).then_some(self.services.now),
                expires_at: outcome.ends.get(role).copied(),
                reference: Some(candidate.subject.to_string()),
                ..SignatureReport::new(Format::Dct, status)
            })
            .collect();
        report
    }
}

impl Candidate {
    fn entry(&self) -> Entry {
        Entry { digest: self.subject.descriptor.digest.clone(), length: self.subject.descriptor.size }
    }

    fn report(&self, status: Status, problem: Option<Problem>) -> ImageReport {
        let subject = &self.subject;
        let tag = subject.tag.as_ref().map(|tag| format!(":{tag}")).unwrap_or_default();
        ImageReport {
            pinned: Some(subject.to_string()),
            digest: Some(subject.descriptor.digest.clone()),
            media_type: Some(subject.descriptor.media_type.to_string()),
            problem,
            ..ImageReport::named(format!("{}{tag}", subject.repository), status)
        }
    }
}
