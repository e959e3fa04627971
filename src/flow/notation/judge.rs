//! Notary Project signatures of one image, judged under a trust.
//!
//! A signature that cannot be fetched is recorded, not the end; every signature that is checked is reported with its
//! reason.

use std::{collections::BTreeSet, sync::Arc};

use bytes::Bytes;
use futures::{StreamExt as _, stream};

use crate::{
    flow::{
        FlowError, Services,
        candidates::{Candidates, claims, is_untyped},
        findings::{Finding, Found, Weakened},
    },
    format::notation::{
        ARTIFACT_TYPE, Accepted, Action, Check, ENVELOPE_LIMIT, Envelope, Exempted, ManifestFault,
        Rejection, SignatureManifest, THUMBPRINTS, Trust, Verdict, VerificationStep, verify,
    },
    oci::{Digest, Referrer, Subject},
    policy::{NotationTrust, Refusal, RepositoryTrust},
    reason::Exit,
    registry::ReferrersMode,
    report::{Failure, Problem, Status},
};

/// The signatures of one image that are checked, for all requirements together.
#[derive(Debug)]
pub struct NotationSignatures(Candidates<Fetched>);

/// A candidate as it was fetched.
#[derive(Debug)]
enum Fetched {
    /// A signature manifest about the image, and the bytes of its envelope.
    Signature {
        manifest: SignatureManifest,
        envelope: Bytes,
    },
    /// Listed without a type, and by its manifest no signature.
    OtherType,
    /// Not the manifest of a signature of this image.
    Rejected(Problem, Check),
    /// Not there, or not as it was listed.
    Failed(Problem),
}

/// One signature that was checked.
#[derive(Debug)]
pub struct NotationFinding {
    /// The signature's manifest.
    pub manifest: Digest,
    /// What is said of it.
    pub judged: Judged,
}

/// What is said of one signature.
#[derive(Debug)]
pub enum Judged {
    /// It satisfies the trust.
    Verified(Box<Accepted>),
    /// The policy lets it pass although the signer is not trusted; never to be taken for verified.
    Exempt(Box<Exempted>),
    /// It does not satisfy the trust.
    Rejected {
        /// Why.
        problem: Problem,
        /// The check that it failed.
        check: Check,
        /// The signature, where it could be read.
        envelope: Option<Box<Envelope>>,
    },
    /// It could not be checked.
    Failed(Problem),
}

/// What the signatures of an image come to.
#[derive(Debug)]
pub enum Decided {
    /// At least one satisfies the trust; the proof stands on all that do, so that each signer's key can be counted.
    Verified(Box<Accepted>),
    /// None does, and the policy lets one pass.
    Exempt(Box<Exempted>),
}

/// Every signature that was checked, those that satisfy the trust first.
#[derive(Debug)]
pub struct NotationFindings {
    /// One for each, in the order they were checked.
    pub findings: Vec<NotationFinding>,
    image: String,
    checked: usize,
    /// Whether some were listed and not checked.
    left: bool,
}

impl NotationSignatures {
    /// Asks what refers to the image, for requirements that trust certificates with these thumbprints.
    pub async fn list(
        services: &Services,
        subject: &Subject,
        mode: ReferrersMode,
        trusted: &[BTreeSet<String>],
    ) -> Result<Self, Failure> {
        let (repository, digest) = (&subject.repository, &subject.descriptor.digest);
        let listed = services
            .registry
            .referrers(repository, digest, ARTIFACT_TYPE, mode)
            .await?;
        let candidates = Candidates::new(subject, listed, trusted, thumbprints);
        Ok(Self(candidates))
    }

    /// That more is listed than is checked, for people.
    pub fn left(&self) -> Option<String> {
        self.0.left()
    }

    /// Judges every signature under a trust, so many at once: those first that claim a certificate it names.
    pub async fn judge(
        &self,
        services: &Services,
        trust: &Trust,
        at_once: usize,
    ) -> NotationFindings {
        let trusted = trust.thumbprints();
        let mut entries: Vec<&Referrer> = self.0.entries.iter().collect();
        entries.sort_by_key(|entry| !claims(&thumbprints(entry), &trusted));
        let judging = entries
            .into_iter()
            .map(|entry| self.judge_one(services, entry, trust));
        let judged: Vec<Option<NotationFinding>> =
            stream::iter(judging).buffered(at_once).collect().await;
        let findings = judged.into_iter().flatten().collect();
        NotationFindings {
            findings,
            image: self.0.subject.to_string(),
            checked: self.0.entries.len(),
            left: self.0.left,
        }
    }

    async fn judge_one(
        &self,
        services: &Services,
        entry: &Referrer,
        trust: &Trust,
    ) -> Option<NotationFinding> {
        let manifest = entry.descriptor.digest.clone();
        let fetched = self.fetch(services, entry).await;
        let judged = match fetched.as_ref() {
            Fetched::Signature { manifest, envelope } => {
                self.verify(services, manifest, envelope, trust).await
            }
            Fetched::OtherType => return None,
            Fetched::Rejected(problem, check) => Judged::Rejected {
                problem: problem.clone(),
                check: *check,
                envelope: None,
            },
            Fetched::Failed(problem) => Judged::Failed(problem.clone()),
        };
        Some(NotationFinding { manifest, judged })
    }

    /// Manifest and envelope, from the registry the first time.
    async fn fetch(&self, services: &Services, entry: &Referrer) -> Arc<Fetched> {
        let fetch = self.fetch_anew(services, entry);
        self.0.fetched(entry, fetch).await
    }

    async fn fetch_anew(&self, services: &Services, entry: &Referrer) -> Fetched {
        let repository = &self.0.subject.repository;
        let bytes = match services
            .registry
            .manifest(repository, &entry.descriptor)
            .await
        {
            Ok(bytes) => bytes,
            Err(error) => return Fetched::Failed(Problem::of(&error)),
        };
        let manifest = match SignatureManifest::read(&bytes, &self.0.subject.descriptor) {
            Ok(manifest) => manifest,
            Err(Rejection::Manifest(ManifestFault::Form)) if is_untyped(entry) => {
                return Fetched::OtherType;
            }
            Err(rejection) => return Fetched::Rejected(Problem::of(&rejection), rejection.step()),
        };
        let limit = u64::try_from(ENVELOPE_LIMIT).unwrap_or(u64::MAX);
        match services
            .registry
            .blob(repository, &manifest.envelope, limit)
            .await
        {
            Ok(envelope) => Fetched::Signature { manifest, envelope },
            Err(error) => Fetched::Failed(Problem::of(&error)),
        }
    }

    /// The complete verification; revocation is asked for where the verifier wants it, and nowhere else.
    async fn verify(
        &self,
        services: &Services,
        manifest: &SignatureManifest,
        envelope: &[u8],
        trust: &Trust,
    ) -> Judged {
        let media_type = manifest.kind.media_type();
        let mut step = verify(
            &self.0.subject.descriptor,
            &media_type,
            envelope,
            trust,
            services.now,
        );
        let mut asked = services.revocations.begin();
        loop {
            match step {
                VerificationStep::Revocation(verification) => {
                    let answers = asked.answer(verification.requests()).await;
                    step = verification.step(answers);
                }
                VerificationStep::Done(outcome) => {
                    let judged = match outcome {
                        Verdict::Verified(accepted) => Judged::Verified(accepted),
                        Verdict::Exempt(exempted) => Judged::Exempt(exempted),
                        Verdict::Rejected(rejection) => Judged::Rejected {
                            problem: Problem::of(rejection.as_ref()),
                            check: rejection.step(),
                            envelope: Envelope::read(&media_type, envelope).ok().map(Box::new),
                        },
                    };
                    let found_out = match &judged {
                        Judged::Rejected { problem, .. } => problem.reason.exit() == Exit::Rejected,
                        Judged::Verified(_) | Judged::Exempt(_) | Judged::Failed(_) => true,
                    };
                    if found_out {
                        asked.keep().await;
                    }
                    return judged;
                }
            }
        }
    }

    /// Every signature as it is, judged under no trust (`inspect`).
    pub async fn decode(&self, services: &Services) -> Vec<(Digest, Result<Envelope, Problem>)> {
        let decoding = self.0.entries.iter().map(|entry| async move {
            let decoded = match self.fetch(services, entry).await.as_ref() {
                Fetched::OtherType => return None,
                Fetched::Signature { manifest, envelope } => {
                    let read = Envelope::read(&manifest.kind.media_type(), envelope);
                    read.map_err(|rejection| Problem::of(&rejection))
                }
                Fetched::Rejected(problem, _) | Fetched::Failed(problem) => Err(problem.clone()),
            };
            Some((entry.descriptor.digest.clone(), decoded))
        });
        let decoded: Vec<Option<_>> = stream::iter(decoding.collect::<Vec<_>>())
            .buffered(services.concurrency)
            .collect()
            .await;
        decoded.into_iter().flatten().collect()
    }
}

/// Checks the signatures of an image, as they were listed for all requirements, against one of them; so many at once.
pub(in crate::flow) async fn judge(
    services: &Services,
    trust: &NotationTrust,
    subject: &Subject,
    listed: Option<&Result<NotationSignatures, Problem>>,
    at_once: usize,
) -> Found {
    let trust = match trust.for_repository(&subject.repository) {
        RepositoryTrust::Trust(trust) => trust,
        RepositoryTrust::Skip(statement) => return Found::only(let_through(subject, statement)),
        RepositoryTrust::Unlooked(statement) => {
            let (image, statement) = (subject.to_string(), statement.to_owned());
            return Found::failed(Problem::of(&Refusal::Unchecked { image, statement }));
        }
        RepositoryTrust::Nothing => {
            return Found::failed(Problem::of(&Refusal::NoStatement {
                repository: subject.repository.to_string(),
            }));
        }
    };
    let found = match listed {
        Some(Ok(signatures)) => signatures.judge(services, &trust, at_once).await,
        Some(Err(problem)) => return Found::failed(problem.clone()),
        None => unreachable!("they are listed where a requirement needs them"),
    };
    let shown = found.findings.iter();
    let signatures = shown
        .map(|finding| finding.report(&subject.repository))
        .collect();
    let (finding, weakened) = match found.decide() {
        Ok(Decided::Verified(accepted)) => {
            let weakened = weakened(&accepted, subject);
            (Finding::Verified(accepted.verified), weakened)
        }
        Ok(Decided::Exempt(exempted)) => {
            let statement = exempted.statement.as_deref().unwrap_or_default();
            (let_through(subject, statement), Vec::new())
        }
        Err(problem) => (Finding::Failed(problem), Vec::new()),
    };
    Found {
        finding,
        signatures,
        weakened,
    }
}

fn let_through(subject: &Subject, statement: &str) -> Finding {
    let error = Refusal::NotAuthentic {
        image: subject.to_string(),
        statement: statement.to_owned(),
    };
    Finding::LetThrough {
        statement: statement.to_owned(),
        problem: Problem::of(&error),
    }
}

/// What was not checked as strictly as it can be, and what that let pass.
fn weakened(accepted: &Accepted, subject: &Subject) -> Vec<Weakened> {
    let mut weakened = Vec::new();
    let level = accepted.level.name();
    let by_level = |meaning| Weakened {
        by: format!("level {level}"),
        meaning,
    };
    let repository = &subject.repository;
    if level != "strict" {
        weakened.push(by_level(format!(
            "signatures in `{repository}` are checked at the level `{level}`"
        )));
    }
    let revocation = match accepted.level.weaker_revocation() {
        Some(Action::Log) => Some(("log", "only recorded")),
        Some(Action::Skip) => Some(("off", "not looked up")),
        Some(Action::Enforce) | None => None,
    };
    weakened.extend(revocation.map(|(word, what)| Weakened {
        by: format!("revocation {word}"),
        meaning: format!("for signatures in `{repository}` revocation is {what}"),
    }));
    let logged = accepted.warnings.iter();
    weakened.extend(logged.map(|failure| by_level(format!("`{subject}`: {failure}"))));
    weakened
}

impl NotationFindings {
    /// What decides: the signatures that satisfy the trust, else one that the policy lets pass; else why there is
    /// none: the most specific of the reasons.
    pub fn decide(mut self) -> Result<Decided, Problem> {
        let (mut verified, mut exempt) = (None::<Box<Accepted>>, None);
        for finding in std::mem::take(&mut self.findings) {
            match finding.judged {
                Judged::Verified(accepted) => {
                    verified = Some(match verified {
                        None => accepted,
                        Some(first) => Box::new(first.with(*accepted)),
                    });
                }
                Judged::Exempt(exempted) => exempt = exempt.or(Some(exempted)),
                judged @ (Judged::Rejected { .. } | Judged::Failed(_)) => {
                    self.findings.push(NotationFinding {
                        manifest: finding.manifest,
                        judged,
                    });
                }
            }
        }
        match (verified, exempt) {
            (Some(accepted), _) => Ok(Decided::Verified(accepted)),
            (None, Some(exempted)) => Ok(Decided::Exempt(exempted)),
            (None, None) if self.left => {
                let (image, checked) = (self.image.clone(), self.checked);
                Err(Problem::of(&FlowError::CandidatesLeft { image, checked }))
            }
            (None, None) => Err(self.why_not()),
        }
    }

    /// What was not judged says that it may yet be good; else the one that came furthest says most, and of
    /// several the one that was checked first: the newest that claims to be trusted.
    fn why_not(&self) -> Problem {
        let most_specific =
            self.findings
                .iter()
                .rev()
                .filter_map(|finding| match &finding.judged {
                    Judged::Failed(problem) => Some((problem, None)),
                    Judged::Rejected { problem, check, .. } => Some((problem, Some(*check))),
                    Judged::Verified(_) | Judged::Exempt(_) => None,
                });
        let most_specific = most_specific
            .max_by_key(|(problem, check)| (problem.status() == Status::Undecided, *check));
        most_specific.map_or_else(
            || {
                Problem::of(&FlowError::NoSignature {
                    image: self.image.clone(),
                })
            },
            |(problem, _)| {
                let mut problem = problem.clone();
                match self.findings.len() - 1 {
                    0 => {}
                    1 => problem
                        .causes
                        .push("1 more signature is not accepted either".to_owned()),
                    more => problem
                        .causes
                        .push(format!("{more} more signatures are not accepted either")),
                }
                problem
            },
        )
    }
}

/// The certificates that an entry claims, as its annotation lists them.
pub(in crate::flow) fn thumbprints(entry: &Referrer) -> Vec<String> {
    let listed = entry.annotations.get(THUMBPRINTS);
    listed
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default()
}
