//! What the leaves of a requirement found of one image: a proof or a reason each, and either as the report tells it.

use super::super::{
    Decided, FlowError, NotationSignatures, Services,
    dct::{Collections, chain, signer_name},
};
use crate::{
    format::{
        Identity, Signed, Verified,
        dct::{self, RootTrust, TrustedSet},
        notation::{Accepted, Action},
    },
    oci::{Reference, Subject},
    policy::{Denied, FormatRequirement, NotationTrust, RepositoryTrust},
    reason::Reason,
    report::{Failure, Problem, RequirementReport, SignatureReport, Status},
};

/// What each leaf found: a proof or a reason, and either as the report tells it.
#[derive(Default)]
pub(super) struct Findings {
    pub(super) outcomes: Vec<Result<Verified, Reason>>,
    problems: Vec<Option<Problem>>,
    pub(super) signatures: Vec<SignatureReport>,
    /// The statement of notation's policy that lets the image pass, where one does.
    pub(super) exempt: Vec<Option<String>>,
    /// What was not checked as strictly as it can be.
    pub(super) lax: Vec<(String, String)>,
}

impl Findings {
    /// Looks at trust data.
    pub(super) fn add_dct(
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
        match dct::verify(
            subject.tag.as_ref(),
            &dct::ImageHashes::from(subject),
            set,
            requirement,
        ) {
            Ok(verified) => {
                for signature in signatures(&verified, subject, set) {
                    self.show(signature);
                }
                self.holds(verified);
            }
            Err(rejection) => self.fails(Failure::from(rejection).problem()),
        }
    }

    /// Looks at signatures by certificate, as they were listed for every leaf.
    pub(super) async fn add_notation(
        &mut self,
        services: &Services,
        trust: &NotationTrust,
        subject: &Subject,
        listed: Option<&Result<NotationSignatures, Problem>>,
        at_once: usize,
    ) {
        let trust = match trust.for_repository(&subject.repository) {
            RepositoryTrust::Trust(trust) => trust,
            RepositoryTrust::Skip(statement) => return self.passes(subject, statement),
            RepositoryTrust::Unlooked(statement) => {
                let (image, statement) = (subject.to_string(), statement.to_owned());
                return self.fails(Problem::of(&FlowError::Unlooked { image, statement }));
            }
            RepositoryTrust::Nothing => {
                return self.fails(Problem::of(&FlowError::NoStatement {
                    repository: subject.repository.to_string(),
                }));
            }
        };
        let found = match listed {
            Some(Ok(signatures)) => signatures.judge(services, &trust, at_once).await,
            Some(Err(problem)) => return self.fails(problem.clone()),
            None => unreachable!("they are listed where a leaf needs them"),
        };
        for finding in &found.findings {
            self.show(finding.report(&subject.repository));
        }
        match found.decide() {
            Ok(Decided::Verified(accepted)) => {
                self.weakened(&accepted, subject);
                self.holds(accepted.verified);
            }
            Ok(Decided::Exempt(exempted)) => {
                self.passes(subject, exempted.statement.as_deref().unwrap_or_default());
            }
            Err(problem) => self.fails(problem),
        }
    }

    /// What was not checked as strictly as it can be, and what that let pass.
    fn weakened(&mut self, accepted: &Accepted, subject: &Subject) {
        let level = accepted.level.name();
        if level != "strict" {
            let said = format!(
                "signatures in `{}` are checked at the level `{level}`",
                subject.repository
            );
            self.lax.push((format!("level {level}"), said));
        }
        if let Some(action) = accepted.level.weaker_revocation() {
            let (word, what) = match action {
                Action::Enforce => unreachable!("nothing is weaker than that"),
                Action::Log => ("log", "only recorded"),
                Action::Skip => ("off", "not looked up"),
            };
            let said = format!(
                "for signatures in `{}` revocation is {what}",
                subject.repository
            );
            self.lax.push((format!("revocation {word}"), said));
        }
        let logged = accepted.warnings.iter();
        self.lax.extend(
            logged.map(|failure| (format!("level {level}"), format!("`{subject}`: {failure}"))),
        );
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
        let error = FlowError::NotAuthentic {
            image,
            statement: statement.clone(),
        };
        self.fails(Problem::of(&error));
        self.exempt.pop();
        self.exempt.push(Some(statement));
    }

    /// Whether nothing stands against the image but statements that let it pass.
    pub(super) fn let_pass(&self) -> bool {
        let mut leaves = self.outcomes.iter().zip(&self.exempt);
        leaves.all(|(outcome, exempt)| outcome.is_ok() || exempt.is_some())
    }

    fn fails(&mut self, problem: Problem) {
        self.outcomes.push(Err(problem.reason));
        self.problems.push(Some(problem));
        self.exempt.push(None);
    }

    /// The most telling reason in words; how many more there are is said, too.
    pub(super) fn telling(&self, denied: Denied, image: &Reference) -> Problem {
        let blamed = denied
            .leaf
            .and_then(|leaf| self.problems.get(leaf)?.clone());
        let mut problem = blamed.unwrap_or_else(|| {
            let image = image.to_string();
            Failure::from(FlowError::TooFewKeys {
                image,
                reason: denied.reason,
            })
            .problem()
        });
        let failing = self.problems.iter().flatten().count();
        if denied.leaf.is_some() && failing > 1 {
            problem.causes.push(format!(
                "{} more of the rule's {} demands fail",
                failing - 1,
                self.problems.len()
            ));
        }
        problem
    }

    pub(super) fn report(&self, demands: &[&FormatRequirement]) -> Vec<RequirementReport> {
        let report =
            |(demand, problem): (&&FormatRequirement, &Option<Problem>)| RequirementReport {
                requirement: demand.words.clone(),
                status: problem.as_ref().map_or(Status::Verified, Problem::status),
                problem: problem.clone(),
            };
        demands.iter().zip(&self.problems).map(report).collect()
    }
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
            Identity::Certificate {
                subject,
                thumbprint,
            } => {
                report.key_id = Some(thumbprint.clone());
                report.certificate = Some(subject.clone());
            }
        }
        report
    };
    proof.signers().iter().map(one).collect()
}
