//! `verify`: find the rule of every image, resolve each image once, load each repository's trust data once, and let
//! the pure verifiers and the policy decide. An image passes only with an [`Allowed`] in hand.

mod collections;
mod notation;
mod trust;

use std::collections::BTreeMap;

use futures::future::{join, join_all};
use tokio::sync::Semaphore;

use self::{collections::Collections, notation::Applied};
pub use self::{
    notation::NotationTrust,
    trust::{Demanded, Trust},
};
use super::{Decided, Failure, FlowError, NotationSignatures, Services};
use crate::{
    format::{
        Identity, Signed, Verified,
        dct::{self, Contradiction, Gun, Memory, RoleName, RootTrust, Seen, TrustedSet},
        notation::Action,
    },
    oci::{Reference, Repository, Subject, Tag},
    policy::{Allowed, Demand, Denied, Policy, Requirement, Rule, evaluate},
    reason::{Exit, Reason},
    registry::{self, ReferrersMode, Resolved},
    report::{
        Decision, ImageReport, Link, Location, Problem, Report, RequirementReport, RuleReport, SignatureReport, Status,
    },
};

/// What `verify` was asked.
#[derive(Clone, Debug)]
pub struct VerifyOptions {
    /// Images in the order named.
    pub images: Vec<Reference>,
    /// What must hold.
    pub policy: Policy<Trust>,
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
        let group = Group { services, options, work: &work, repository };
        async move { (repository, group.judge(&indexes).await) }
    });
    let mut ended = Vec::new();
    let mut found = Vec::new();
    for (repository, judged) in join_all(groups).await {
        ended.extend(judged.ended);
        found.extend(judged.seen.into_iter().map(|seen| (Gun::from(repository), seen)));
    }
    ended.sort_by_key(|ended| ended.index);
    let allowed = !ended.is_empty() && ended.iter().all(|ended| ended.allowed);
    report.decision = Some(if allowed { Decision::Allow } else { Decision::Deny });
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
    found.into_iter().try_for_each(|(gun, seen)| memory.add(gun, seen))?;
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

/// One image, judged.
struct Ended {
    index: usize,
    allowed: bool,
    report: ImageReport,
    /// What was not checked as strictly as it can be (P09): the switch, and what it means.
    lax: Vec<(String, String)>,
    /// What else is worth saying.
    warnings: Vec<String>,
}

/// What each leaf found: a proof or a reason, and either as the report tells it.
#[derive(Default)]
struct Findings {
    outcomes: Vec<Result<Verified, Reason>>,
    problems: Vec<Option<Problem>>,
    signatures: Vec<SignatureReport>,
    /// The statement of notation's policy that lets the image pass, where one does.
    exempt: Vec<Option<String>>,
    /// What was not checked as strictly as it can be.
    lax: Vec<(String, String)>,
}

impl Group<'_> {
    async fn judge(&self, indexes: &[usize]) -> Judged {
        let images: Vec<(usize, &Reference)> =
            indexes.iter().filter_map(|index| Some((*index, self.options.images.get(*index)?))).collect();
        let Some(rule) = self.options.policy.rule_for(self.repository) else {
            let refuse = |(index, image): &(usize, &Reference)| {
                Ended::failed(*index, image, FlowError::NoRule { image: image.to_string() })
            };
            return Judged { ended: images.iter().map(refuse).collect(), seen: Vec::new() };
        };
        let mut judged = match &rule.demand {
            Demand::Exempt(exemption) => {
                let exempt = images.iter().map(|(index, image)| self.exempt(*index, image, exemption));
                Judged { ended: exempt.collect(), seen: Vec::new() }
            }
            Demand::Require(requirement) => self.require(&images, requirement).await,
        };
        let shown = self.shown(rule);
        for ended in &mut judged.ended {
            ended.report.rule.clone_from(&shown);
        }
        judged
    }

    fn shown(&self, rule: &Rule<Trust>) -> Option<RuleReport> {
        let images = rule.matching(self.repository)?.to_string();
        let (file, place) = (self.options.file.clone()?, rule.place?);
        Some(RuleReport {
            number: rule.number,
            images,
            location: Location { file, line: place.line, column: place.column },
        })
    }

    fn exempt(&self, index: usize, image: &Reference, exemption: &crate::policy::Exemption) -> Ended {
        if let Some(allowed) = exemption.allow(self.services.now) {
            return Ended::allowed(index, image, None, &allowed);
        }
        let (until, why) = (exemption.until().to_string(), exemption.reason().to_owned());
        Ended::failed(index, image, FlowError::ExemptionEnded { image: image.to_string(), until, why })
    }

    async fn require(&self, images: &[(usize, &Reference)], requirement: &Requirement<Trust>) -> Judged {
        let demands = requirement.leaves();
        let mut named: Vec<&Reference> = Vec::new();
        for (_, image) in images {
            if !named.contains(image) {
                named.push(image);
            }
        }
        let tags: Vec<Option<Tag>> = named.iter().map(|image| tag(image)).collect();
        let resolving = join_all(named.iter().map(|image| self.resolve(image)));
        let loading = async {
            let _permit = self.work.acquire().await;
            let seen = self.options.memory.seen(&Gun::from(self.repository));
            Collections::load(self.services, self.repository, &demands, &tags, seen).await
        };
        let (resolved, collections) = join(resolving, loading).await;
        let skipped = collections.skipped(self.repository);
        let lax: Vec<(String, String)> = demands.iter().filter_map(|demand| demand.lax()).collect();
        let judging = images.iter().map(|&(index, image)| {
            let at = named.iter().position(|one| *one == image);
            let (resolved, collections, lax, skipped) = (&resolved, &collections, &lax, &skipped);
            async move {
                let mut ended = match at.and_then(|at| resolved.get(at)) {
                    Some(Ok(resolved)) => self.judge_image(index, image, resolved, requirement, collections).await,
                    Some(Err(error)) => Ended::denied(index, image, None, Problem::of(error)),
                    None => unreachable!("every image is among those named"),
                };
                ended.lax.extend(lax.iter().cloned());
                ended.warnings.extend(skipped.iter().cloned());
                ended
            }
        });
        Judged { ended: join_all(judging).await, seen: collections.seen().collect() }
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
        requirement: &Requirement<Trust>,
        collections: &Collections<'_>,
    ) -> Ended {
        let subject = subject(image, resolved);
        let demands = requirement.leaves();
        let mut findings = Findings::default();
        let mut listed = None;
        for demand in &demands {
            match &demand.demand {
                Demanded::Dct { root, requirement } => findings.add_dct(root, requirement, &subject, collections),
                Demanded::Notation(trust) => {
                    let _permit = self.work.acquire().await;
                    // So many images at once share what a run may ask at once.
                    let at_once = (self.services.concurrency / self.options.images.len().max(1)).max(1);
                    findings.add_notation(self.services, trust, &subject, &mut listed, at_once).await;
                }
            }
        }
        let mut ended = match evaluate(requirement, &subject.descriptor.digest, &findings.outcomes) {
            Ok(allowed) => Ended::allowed(index, image, Some(&subject), &allowed),
            // Flags that name notation's own policy take it at its word; a file of ours does not (design §3).
            Err(_) if self.options.file.is_none() && findings.let_pass() => {
                Ended::let_pass(index, image, &subject, &findings)
            }
            Err(denied) => Ended::denied(index, image, Some(resolved), findings.telling(denied, image)),
        };
        ended.lax.append(&mut findings.lax);
        ended.report.requirements = findings.report(&demands);
        ended.report.signatures = findings.signatures;
        ended
    }
}

impl Findings {
    /// Looks at trust data.
    fn add_dct(
        &mut self,
        root: &RootTrust,
        requirement: &dct::Requirement,
        subject: &Subject,
        collections: &Collections<'_>,
    ) {
        let set = match collections.under(root) {
            Some(Ok(set)) => set,
            Some(Err(failure)) => return self.fails(failure.problem()),
            None => unreachable!("trust data is loaded under every root that is demanded"),
        };
        let descriptor = &subject.descriptor;
        match dct::verify(subject.tag.as_ref(), &descriptor.digest, descriptor.size, set, requirement) {
            Ok(verified) => {
                for signature in signatures(&verified, subject, set) {
                    self.show(signature);
                }
                self.holds(verified);
            }
            Err(rejection) => self.fails(Failure::from(rejection).problem()),
        }
    }

    /// Looks at signatures by certificate; they are listed and fetched once, however many leaves ask.
    async fn add_notation(
        &mut self,
        services: &Services,
        trust: &NotationTrust,
        subject: &Subject,
        listed: &mut Option<Result<NotationSignatures, Problem>>,
        at_once: usize,
    ) {
        let trust = match trust.for_repository(&subject.repository) {
            Applied::Trust(trust) => trust,
            Applied::Skip(statement) => return self.passes(subject, statement),
            Applied::Unlooked(statement) => {
                let (image, statement) = (subject.to_string(), statement.to_owned());
                return self.fails(Problem::of(&FlowError::Unlooked { image, statement }));
            }
            Applied::Nothing => {
                return self.fails(Problem::of(&FlowError::NoStatement { repository: subject.repository.to_string() }));
            }
        };
        if listed.is_none() {
            let signatures = NotationSignatures::list(services, subject, ReferrersMode::Auto).await;
            *listed = Some(signatures.map_err(|failure| failure.problem()));
        }
        let found = match listed {
            Some(Ok(signatures)) => signatures.judge(services, &trust, at_once).await,
            Some(Err(problem)) => return self.fails(problem.clone()),
            None => unreachable!("just listed"),
        };
        for finding in &found.findings {
            self.show(finding.report(&subject.repository));
        }
        match found.decide() {
            Ok(Decided::Verified(accepted)) => {
                let level = accepted.level.name();
                if level != "strict" {
                    let said = format!("signatures in `{}` are checked at the level `{level}`", subject.repository);
                    self.lax.push((format!("level {level}"), said));
                }
                if let Some(action) = accepted.level.weaker_revocation() {
                    let (word, what) = match action {
                        Action::Enforce => unreachable!("nothing is weaker than that"),
                        Action::Log => ("log", "only recorded"),
                        Action::Skip => ("off", "not looked up"),
                    };
                    let said = format!("for signatures in `{}` revocation is {what}", subject.repository);
                    self.lax.push((format!("revocation {word}"), said));
                }
                let logged = accepted.warnings.iter();
                self.lax.extend(logged.map(|failure| (format!("level {level}"), format!("`{subject}`: {failure}"))));
                self.holds(accepted.verified);
            }
            Ok(Decided::Exempt(exempted)) => self.passes(subject, exempted.statement.as_deref().unwrap_or_default()),
            Err(problem) => self.fails(problem),
        }
    }

    fn show(&mut self, signature: SignatureReport) {
        if !self.signatures.contains(&signature) {
            self.signatures.push(signature);
        }
    }

    fn holds(&mut self, verified: Verified) {
        self.outcomes.push(Ok(verified));
        self.problems.push(None);
        self.exempt.push(None);
    }

    /// A statement of notation's policy lets it pass; that is no proof of anything.
    fn passes(&mut self, subject: &Subject, statement: &str) {
        let (image, statement) = (subject.to_string(), statement.to_owned());
        let error = FlowError::NotAuthentic { image, statement: statement.clone() };
        self.fails(Problem::of(&error));
        self.exempt.pop();
        self.exempt.push(Some(statement));
    }

    /// Whether nothing stands against the image but statements that let it pass.
    fn let_pass(&self) -> bool {
        let mut leaves = self.outcomes.iter().zip(&self.exempt);
        leaves.all(|(outcome, exempt)| outcome.is_ok() || exempt.is_some())
    }

    fn fails(&mut self, problem: Problem) {
        self.outcomes.push(Err(problem.reason));
        self.problems.push(Some(problem));
        self.exempt.push(None);
    }

    /// The most telling reason in words; how many more there are is said, too.
    fn telling(&self, denied: Denied, image: &Reference) -> Problem {
        let blamed = denied.leaf.and_then(|leaf| self.problems.get(leaf)?.clone());
        let mut problem = blamed.unwrap_or_else(|| {
            let image = image.to_string();
            Failure::from(FlowError::TooFewKeys { image, reason: denied.reason }).problem()
        });
        let failing = self.problems.iter().flatten().count();
        if denied.leaf.is_some() && failing > 1 {
            problem.causes.push(format!("{} more of the rule's {} demands fail", failing - 1, self.problems.len()));
        }
        problem
    }

    fn report(&self, demands: &[&Trust]) -> Vec<RequirementReport> {
        let report = |(demand, problem): (&&Trust, &Option<Problem>)| RequirementReport {
            requirement: demand.words.clone(),
            status: problem.as_ref().map_or(Status::Verified, status),
            problem: problem.clone(),
        };
        demands.iter().zip(&self.problems).map(report).collect()
    }
}

impl Ended {
    /// The only way to an image that passes: with a permission in hand.
    fn allowed(index: usize, image: &Reference, subject: Option<&Subject>, allowed: &Allowed<'_>) -> Self {
        let status = if allowed.exemption().is_some() { Status::Exempt } else { Status::Verified };
        let report = ImageReport {
            pinned: subject.map(ToString::to_string),
            digest: subject.map(|subject| subject.descriptor.digest.clone()),
            media_type: subject.map(|subject| subject.descriptor.media_type.to_string()),
            ..ImageReport::named(image.to_string(), status)
        };
        let exempt = allowed.exemption().map(|exemption| {
            let (until, why) = (exemption.until(), exemption.reason());
            (format!("exempt {image}"), format!("`{image}` was not looked at: exempt until {until} ({why})"))
        });
        Self { index, allowed: true, report, lax: exempt.into_iter().collect(), warnings: Vec::new() }
    }

    /// An image that statements of notation's policy let pass without anybody's signature being proven.
    fn let_pass(index: usize, image: &Reference, subject: &Subject, findings: &Findings) -> Self {
        let report = ImageReport {
            pinned: Some(subject.to_string()),
            digest: Some(subject.descriptor.digest.clone()),
            media_type: Some(subject.descriptor.media_type.to_string()),
            ..ImageReport::named(image.to_string(), Status::Exempt)
        };
        let said = |statement: &String| {
            let warning =
                format!("`{image}` is not verified: the statement `{statement}` of the trust policy lets it pass");
            (format!("statement {statement}"), warning)
        };
        let lax = findings.exempt.iter().flatten().map(said).collect();
        Self { index, allowed: true, report, lax, warnings: Vec::new() }
    }

    fn failed(index: usize, image: &Reference, error: FlowError) -> Self {
        Self::denied(index, image, None, Failure::from(error).problem())
    }

    fn denied(index: usize, image: &Reference, resolved: Option<&Resolved>, problem: Problem) -> Self {
        let mut report = ImageReport::failed(image.to_string(), status(&problem), problem);
        if let Some(resolved) = resolved {
            report.digest = Some(resolved.descriptor.digest.clone());
            report.media_type = Some(resolved.descriptor.media_type.to_string());
        }
        Self { index, allowed: false, report, lax: Vec::new(), warnings: Vec::new() }
    }
}

/// How something ends that fails for this reason: looked at, or not found out.
fn status(problem: &Problem) -> Status {
    if problem.reason.exit() == Exit::Rejected { Status::Rejected } else { Status::Undecided }
}

/// The signatures that a proof stands on, each with what its trust hangs on.
fn signatures(proof: &Verified, subject: &Subject, set: &TrustedSet) -> Vec<SignatureReport> {
    let one = |signature: &Signed| {
        let mut report = SignatureReport {
            expires_at: signature.expires,
            reference: Some(subject.to_string()),
            ..SignatureReport::new(proof.format(), Status::Verified)
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
    };
    proof.signers().iter().map(one).collect()
}

/// What the image resolved to.
pub(super) fn subject(image: &Reference, resolved: &Resolved) -> Subject {
    Subject { repository: image.repository.clone(), tag: tag(image), descriptor: resolved.descriptor.clone() }
}

/// The tag that counts: a name without tag and digest means `latest`, as docker reads it.
pub(super) fn tag(image: &Reference) -> Option<Tag> {
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
