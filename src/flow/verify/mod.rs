//! `verify`: find the rule of every image, resolve each image once, load each repository's trust data once, and let
//! the pure verifiers and the policy decide. An image passes only with an [`Allowed`] in hand.

mod ended;
mod findings;

use std::collections::BTreeMap;

use futures::future::{join, join_all};
use tokio::sync::Semaphore;

use self::{ended::Ended, findings::Findings};
use super::{FlowError, NotationSignatures, Services, dct::Collections};
use crate::{
    format::dct::{Contradiction, Gun, Memory, Seen},
    oci::{Digest, Reference, Repository, Subject, Tag},
    policy::{
        Demand, Exemption, FormatRequirement, FormatTrust, Policy, Requirement, Rule, evaluate,
    },
    registry::{self, ReferrersMode, Resolved},
    report::{Decision, Location, Problem, Report, RuleReport},
};

/// What `verify` was asked.
#[derive(Clone, Debug)]
pub struct VerifyOptions {
    /// Images in the order named.
    pub images: Vec<Reference>,
    /// What must hold.
    pub policy: Policy<FormatRequirement>,
    /// The file that says so.
    pub file: Option<String>,
    /// What earlier runs saw of the trust data.
    pub memory: Memory,
}

/// Verifies; fills images, warnings and decision of the report, and gives what was seen of the trust data that
/// verified.
pub async fn verify(
    services: &Services,
    options: &VerifyOptions,
    report: &mut Report,
) -> Result<Memory, Contradiction> {
    let mut groups: BTreeMap<&Repository, Vec<usize>> = BTreeMap::new();
    for (index, image) in options.images.iter().enumerate() {
        groups.entry(&image.repository).or_default().push(index);
    }
    let work = Semaphore::new(services.concurrency);
    let groups = groups.into_iter().map(|(repository, indexes)| {
        let group = Group {
            services,
            options,
            work: &work,
            repository,
        };
        async move { (repository, group.judge(&indexes).await) }
    });
    let mut ended = Vec::new();
    let mut found = Vec::new();
    for (repository, judged) in join_all(groups).await {
        ended.extend(judged.ended);
        found.extend(
            judged
                .seen
                .into_iter()
                .map(|seen| (Gun::from(repository), seen)),
        );
    }
    ended.sort_by_key(|ended| ended.index);
    let allowed = !ended.is_empty() && ended.iter().all(|ended| ended.allowed);
    report.decision = Some(if allowed {
        Decision::Allow
    } else {
        Decision::Deny
    });
    for ended in ended {
        let (switches, lax): (Vec<_>, Vec<_>) = ended.lax.into_iter().unzip();
        for warning in lax.into_iter().chain(ended.warnings) {
            if !report.warnings.contains(&warning) {
                report.warnings.push(warning);
            }
        }
        for switch in switches {
            if !report.lax.contains(&switch) {
                report.lax.push(switch);
            }
        }
        report.images.push(ended.report);
    }
    let mut memory = Memory::default();
    found
        .into_iter()
        .try_for_each(|(gun, seen)| memory.add(gun, seen))?;
    Ok(memory)
}

/// The images of one repository: one rule is about all of them.
struct Group<'a> {
    services: &'a Services,
    options: &'a VerifyOptions,
    work: &'a Semaphore,
    repository: &'a Repository,
}

/// The images of a group, judged.
#[derive(Default)]
struct Judged {
    ended: Vec<Ended>,
    /// What was seen of the trust data, per root that is trusted.
    seen: Vec<Seen>,
}

impl Group<'_> {
    async fn judge(&self, indexes: &[usize]) -> Judged {
        let images: Vec<(usize, &Reference)> = indexes
            .iter()
            .filter_map(|index| Some((*index, self.options.images.get(*index)?)))
            .collect();
        let Some(rule) = self.options.policy.rule_for(self.repository) else {
            let refuse = |(index, image): &(usize, &Reference)| {
                Ended::failed(
                    *index,
                    image,
                    FlowError::NoRule {
                        image: image.to_string(),
                    },
                )
            };
            return Judged {
                ended: images.iter().map(refuse).collect(),
                seen: Vec::new(),
            };
        };
        let mut judged = match &rule.demand {
            Demand::Exempt(exemption) => {
                let mut ended: Vec<Ended> = images
                    .iter()
                    .map(|(index, image)| self.exempt(*index, image, exemption))
                    .collect();
                let long = exemption
                    .is_long(self.services.now)
                    .map(|words| format!("rule {}: {words}", rule.number));
                for one in &mut ended {
                    one.warnings.extend(long.clone());
                }
                Judged {
                    ended,
                    seen: Vec::new(),
                }
            }
            Demand::Require(requirement) => self.require(&images, requirement).await,
        };
        let shown = self.shown(rule);
        for ended in &mut judged.ended {
            ended.report.rule.clone_from(&shown);
        }
        judged
    }

    fn shown(&self, rule: &Rule<FormatRequirement>) -> Option<RuleReport> {
        let images = rule.matching(self.repository)?.to_string();
        let (file, place) = (self.options.file.clone()?, rule.place?);
        Some(RuleReport {
            number: rule.number,
            images,
            location: Location {
                file,
                line: place.line,
                column: place.column,
            },
        })
    }

    fn exempt(&self, index: usize, image: &Reference, exemption: &Exemption) -> Ended {
        if let Some(allowed) = exemption.allow(self.services.now) {
            return Ended::allowed(index, image, None, &allowed);
        }
        let (until, why) = (exemption.until().to_string(), exemption.reason().to_owned());
        Ended::failed(
            index,
            image,
            FlowError::ExemptionEnded {
                image: image.to_string(),
                until,
                why,
            },
        )
    }

    async fn require(
        &self,
        images: &[(usize, &Reference)],
        requirement: &Requirement<FormatRequirement>,
    ) -> Judged {
        let demands = requirement.leaves();
        let mut named: Vec<&Reference> = Vec::new();
        for (_, image) in images {
            if !named.contains(image) {
                named.push(image);
            }
        }
        let tags: Vec<Option<Tag>> = named.iter().map(|image| tag(image)).collect();
        let resolving = join_all(named.iter().map(|image| self.resolve(image)));
        let seen = self.options.memory.seen(&Gun::from(self.repository));
        let loading = async {
            let _permit = self.work.acquire().await;
            Collections::load(self.services, self.repository, &demands, &tags, seen).await
        };
        let (resolved, collections) = join(resolving, loading).await;
        let skipped = collections.skipped(self.repository);
        let lax: Vec<(String, String)> = demands
            .iter()
            .filter_map(|demand| demand.lax(self.repository, seen.is_some()))
            .collect();
        let judging = images.iter().map(|&(index, image)| {
            let at = named.iter().position(|one| *one == image);
            let (resolved, collections, lax, skipped) = (&resolved, &collections, &lax, &skipped);
            async move {
                let mut ended = match at.and_then(|at| resolved.get(at)) {
                    Some(Ok(resolved)) => {
                        self.judge_image(index, image, resolved, requirement, collections)
                            .await
                    }
                    Some(Err(error)) => Ended::denied(index, image, None, Problem::of(error)),
                    None => unreachable!("every image is among those named"),
                };
                ended.lax.extend(lax.iter().cloned());
                ended.warnings.extend(skipped.iter().cloned());
                ended
            }
        });
        Judged {
            ended: join_all(judging).await,
            seen: collections.seen().collect(),
        }
    }

    /// One manifest GET.
    async fn resolve(&self, image: &Reference) -> Result<Resolved, registry::Error> {
        let _permit = self.work.acquire().await;
        self.services.registry.resolve(image).await
    }
}

impl Group<'_> {
    /// What each leaf says about the image, and what the tree makes of it.
    async fn judge_image(
        &self,
        index: usize,
        image: &Reference,
        resolved: &Resolved,
        requirement: &Requirement<FormatRequirement>,
        collections: &Collections<'_>,
    ) -> Ended {
        let subject = subject(image, resolved);
        let demands = requirement.leaves();
        let mut findings = Findings::default();
        let mut listed = None;
        for demand in &demands {
            match &demand.trust {
                FormatTrust::Dct { root, requirement } => {
                    findings.add_dct(root, requirement, &subject, collections);
                }
                FormatTrust::Notation(trust) => {
                    let _permit = self.work.acquire().await;
                    // So many images at once share what a run may ask at once.
                    let at_once =
                        (self.services.concurrency / self.options.images.len().max(1)).max(1);
                    if listed.is_none() {
                        listed = self.signatures(&demands, &subject).await;
                    }
                    findings
                        .add_notation(self.services, trust, &subject, listed.as_ref(), at_once)
                        .await;
                }
            }
        }
        let mut ended = match evaluate(requirement, &subject.descriptor.digest, &findings.outcomes)
        {
            Ok(allowed) => Ended::allowed(index, image, Some(&subject), &allowed),
            // Flags that name notation's own policy take it at its word; a file of ours does not (design §3).
            Err(_) if self.options.file.is_none() && findings.let_pass() => {
                Ended::let_pass(index, image, &subject, &findings)
            }
            Err(denied) => Ended::denied(
                index,
                image,
                Some(resolved),
                findings.telling(denied, image),
            ),
        };
        ended.lax.append(&mut findings.lax);
        ended.report.requirements = findings.report(&demands);
        ended.report.signatures = findings.signatures;
        ended
    }

    /// The signatures by certificate that all demands of the rule share; `None` where none of these needs any.
    async fn signatures(
        &self,
        demands: &[&FormatRequirement],
        subject: &Subject,
    ) -> Option<Result<NotationSignatures, Problem>> {
        let trusted: Vec<_> = demands
            .iter()
            .filter_map(|trust| trust.thumbprints(&subject.repository))
            .collect();
        if trusted.is_empty() {
            return None;
        }
        let listed =
            NotationSignatures::list(self.services, subject, ReferrersMode::Auto, &trusted).await;
        Some(listed.map_err(|failure| failure.problem()))
    }
}

/// What the image resolved to.
pub(super) fn subject(image: &Reference, resolved: &Resolved) -> Subject {
    Subject {
        repository: image.repository.clone(),
        tag: tag(image),
        descriptor: resolved.descriptor.clone(),
        sha512: Digest::sha512(&resolved.bytes),
    }
}

/// The tag that counts: a name without tag and digest means `latest`, as docker reads it.
pub(super) fn tag(image: &Reference) -> Option<Tag> {
    if image.digest.is_some() {
        image.tag.clone()
    } else {
        Some(image.tag_or_latest())
    }
}
