//! `verify`: find the rule of every image, resolve each image once, load each repository's trust data once, and let
//! the pure verifiers and the policy decide. An image passes only with an [`Allowed`] in hand.

use std::collections::BTreeMap;

use futures::future::{join, join_all};
use tokio::sync::Semaphore;

use super::{
    NotationSignatures, Services,
    dct::{self, Collections},
    findings::{Findings, Weakened},
    image_result::ImageResult,
    notation,
};
use crate::{
    format::dct::{Contradiction, Gun, Memory, Seen},
    oci::{Digest, Reference, Repository, Subject, Tag},
    policy::{
        Allowed, Demand, Exemption, FormatRequirement, FormatTrust, Policy, Refusal, Requirement,
        Rule, evaluate,
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
    /// Where lists of signatures are read.
    pub referrers: ReferrersMode,
}

/// Verifies; fills images, warnings and decision of the report, and gives what was seen of the trust data that
/// verified.
pub async fn verify(
    services: &Services,
    options: &VerifyOptions,
    report: &mut Report,
) -> Result<Memory, Contradiction> {
    services.progress.expect(options.images.len());
    let mut groups: BTreeMap<&Repository, Vec<usize>> = BTreeMap::new();
    for (index, image) in options.images.iter().enumerate() {
        groups.entry(&image.repository).or_default().push(index);
    }
    let work = Semaphore::new(services.concurrency);
    let groups = groups.into_iter().map(|(repository, indexes)| {
        let group = VerifyingGroup {
            services,
            options,
            work: &work,
            repository,
        };
        async move {
            let judged = group.judge(&indexes).await;
            services.progress.finish(indexes.len());
            (repository, judged)
        }
    });
    let mut results = Vec::new();
    let mut found = Vec::new();
    for (repository, judged) in join_all(groups).await {
        results.extend(judged.results);
        found.extend(
            judged
                .seen
                .into_iter()
                .map(|seen| (Gun::from(repository), seen)),
        );
    }
    results.sort_by_key(|result| result.index);
    let allowed = !results.is_empty() && results.iter().all(|result| result.allowed);
    report.decision = Some(if allowed {
        Decision::Allow
    } else {
        Decision::Deny
    });
    for result in results {
        for weakened in result.weakened {
            report.weaken(weakened.by, weakened.meaning);
        }
        for warning in result.warnings {
            report.warn(warning);
        }
        report.images.push(result.report);
    }
    let mut memory = Memory::default();
    found
        .into_iter()
        .try_for_each(|(gun, seen)| memory.add(gun, seen))?;
    Ok(memory)
}

/// The images of one repository: one rule is about all of them.
struct VerifyingGroup<'a> {
    services: &'a Services,
    options: &'a VerifyOptions,
    work: &'a Semaphore,
    repository: &'a Repository,
}

/// The images of a group, judged.
#[derive(Default)]
struct JudgedGroup {
    results: Vec<ImageResult>,
    /// What was seen of the trust data, per root that is trusted.
    seen: Vec<Seen>,
}

impl VerifyingGroup<'_> {
    async fn judge(&self, indexes: &[usize]) -> JudgedGroup {
        let images: Vec<(usize, &Reference)> = indexes
            .iter()
            .filter_map(|index| Some((*index, self.options.images.get(*index)?)))
            .collect();
        let Some(rule) = self.options.policy.rule_for(self.repository) else {
            let refuse = |(index, image): &(usize, &Reference)| {
                ImageResult::refused(
                    *index,
                    image,
                    &Refusal::NoRule {
                        image: image.to_string(),
                    },
                )
            };
            return JudgedGroup {
                results: images.iter().map(refuse).collect(),
                seen: Vec::new(),
            };
        };
        let mut judged = match &rule.demand {
            Demand::Exempt(exemption) => {
                let mut results: Vec<ImageResult> = images
                    .iter()
                    .map(|(index, image)| self.exempt(*index, image, exemption))
                    .collect();
                let long = exemption
                    .is_long(self.services.now)
                    .map(|words| format!("rule {}: {words}", rule.number));
                for one in &mut results {
                    one.warnings.extend(long.clone());
                }
                JudgedGroup {
                    results,
                    seen: Vec::new(),
                }
            }
            Demand::Require(requirement) => self.require(&images, requirement).await,
        };
        let shown = self.shown(rule);
        for result in &mut judged.results {
            result.report.rule.clone_from(&shown);
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

    fn exempt(&self, index: usize, image: &Reference, exemption: &Exemption) -> ImageResult {
        if let Some(allowed) = Allowed::exempt(exemption, self.services.now) {
            return ImageResult::allowed(index, image, None, &allowed);
        }
        let (until, why) = (exemption.until().to_string(), exemption.reason().to_owned());
        ImageResult::refused(
            index,
            image,
            &Refusal::ExemptionExpired {
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
    ) -> JudgedGroup {
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
        let weakened: Vec<Weakened> = demands
            .iter()
            .filter_map(|demand| match &demand.trust {
                FormatTrust::Dct { root, .. } => {
                    dct::weakened(root, self.repository, seen.is_some())
                }
                FormatTrust::Notation(_) => None,
            })
            .collect();
        let judging = images.iter().map(|&(index, image)| {
            let at = named.iter().position(|one| *one == image);
            let (resolved, collections) = (&resolved, &collections);
            let (weakened, skipped) = (&weakened, &skipped);
            async move {
                let mut result = match at.and_then(|at| resolved.get(at)) {
                    Some(Ok(resolved)) => {
                        self.judge_image(index, image, resolved, requirement, collections)
                            .await
                    }
                    Some(Err(error)) => ImageResult::denied(index, image, None, Problem::of(error)),
                    None => unreachable!("every image is among those named"),
                };
                result.weakened.extend(weakened.iter().cloned());
                result.warnings.extend(skipped.iter().cloned());
                result
            }
        });
        JudgedGroup {
            results: join_all(judging).await,
            seen: collections.seen().collect(),
        }
    }

    /// One manifest GET.
    async fn resolve(&self, image: &Reference) -> Result<Resolved, registry::Error> {
        let _permit = self.work.acquire().await;
        self.services.registry.resolve(image).await
    }
}

impl VerifyingGroup<'_> {
    /// What each leaf says about the image, and what the tree makes of it.
    async fn judge_image(
        &self,
        index: usize,
        image: &Reference,
        resolved: &Resolved,
        requirement: &Requirement<FormatRequirement>,
        collections: &Collections<'_>,
    ) -> ImageResult {
        let subject = subject(image, resolved);
        let demands = requirement.leaves();
        let mut findings = Findings::default();
        let mut listed = None;
        for demand in &demands {
            findings.add(match &demand.trust {
                FormatTrust::Dct { root, requirement } => {
                    collections.judge(root, requirement, &subject)
                }
                FormatTrust::Notation(trust) => {
                    let _permit = self.work.acquire().await;
                    // So many images at once share what a run may ask at once.
                    let at_once =
                        (self.services.concurrency / self.options.images.len().max(1)).max(1);
                    if listed.is_none() {
                        listed = self.signatures(&demands, &subject).await;
                    }
                    notation::judge(self.services, trust, &subject, listed.as_ref(), at_once).await
                }
            });
        }
        let outcomes = findings.outcomes();
        let let_through = findings
            .let_through()
            // Flags that name notation's own policy take it at its word; a file of ours does not.
            .filter(|_| self.options.file.is_none());
        let mut result = match evaluate(requirement, &subject.descriptor.digest, &outcomes) {
            Ok(allowed) => ImageResult::allowed(index, image, Some(&subject), &allowed),
            Err(denied) => match let_through {
                Some(statements) => ImageResult::let_through(index, image, &subject, &statements),
                None => ImageResult::denied(
                    index,
                    image,
                    Some(resolved),
                    findings.most_specific(denied, image),
                ),
            },
        };
        result.report.requirements = findings.report(&demands);
        result.weakened.append(&mut findings.weakened);
        result.report.signatures = findings.signatures;
        result
    }

    /// The signatures by certificate that all requirements of the rule share; `None` where none of these needs any.
    async fn signatures(
        &self,
        demands: &[&FormatRequirement],
        subject: &Subject,
    ) -> Option<Result<NotationSignatures, Problem>> {
        let trusted: Vec<_> = demands
            .iter()
            .filter_map(|requirement| match &requirement.trust {
                FormatTrust::Dct { .. } => None,
                FormatTrust::Notation(trust) => trust.thumbprints(&subject.repository),
            })
            .collect();
        if trusted.is_empty() {
            return None;
        }
        let mode = self.options.referrers;
        let listed = NotationSignatures::list(self.services, subject, mode, &trusted).await;
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
