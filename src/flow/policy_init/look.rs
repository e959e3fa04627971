//! What signs the images of one repository, as far as a policy can demand it: what is found here was judged under the
//! very pins that the policy will have.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt as _, future::join, stream};

use super::super::{
    Decided, FlowError, Needed, NotationSignatures, Services,
    inspect::signatures,
    verify::{subject, tag},
};
use crate::{
    crypto::Certificate,
    format::{
        dct::{Requirement, RoleName, RootTrust, SignerWanted, TrustedSet, verify},
        notation::{Envelope, Level, Metadata, Pins, Trust, TrustedIdentities, TrustedIdentity, VerifyTimestamp},
    },
    oci::{Reference, Repository, Subject},
    reason::{Exit, Reason},
    registry::ReferrersMode,
    report::{ImageReport, Problem, Status},
};

/// One thing that signs an image.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Signer {
    /// A role of the trust data.
    Role(RoleName),
    /// A certificate, by its SHA-256, and whom it is trusted for where it is a CA.
    Certificate { thumbprint: String, identity: Option<String> },
}

/// What is told of a certificate that is pinned: itself, and the leaves that signed under it.
#[derive(Debug)]
pub(super) struct Anchor {
    pub(super) certificate: Certificate,
    pub(super) leaves: Vec<Certificate>,
}

/// One image.
#[derive(Debug)]
pub(super) struct LookedAt {
    pub(super) report: ImageReport,
    pub(super) found: BTreeSet<Signer>,
    /// What does not count.
    problems: Vec<Problem>,
    /// Why it cannot be known what signs it.
    unknown: Option<Problem>,
    anchors: BTreeMap<String, Anchor>,
}

/// The images of one repository.
#[derive(Debug)]
pub(super) struct Looked {
    pub(super) repository: Repository,
    pub(super) trust_data: Option<TrustedSet>,
    pub(super) anchors: BTreeMap<String, Anchor>,
    pub(super) images: Vec<LookedAt>,
}

impl Looked {
    /// The smallest sets of signers that some image has: whoever demands one of them allows every image.
    pub(super) fn sets(&self) -> Vec<&BTreeSet<Signer>> {
        let all: Vec<&BTreeSet<Signer>> =
            self.images.iter().map(|image| &image.found).filter(|found| !found.is_empty()).collect();
        let mut smallest: Vec<&BTreeSet<Signer>> = Vec::new();
        for set in &all {
            let is_smallest = !all.iter().any(|other| other.len() < set.len() && other.is_subset(set));
            if is_smallest && !smallest.contains(set) {
                smallest.push(set);
            }
        }
        smallest
    }

    /// How many demands a rule about the repository has.
    pub(super) fn demands(&self) -> usize {
        let of_set = |set: &&BTreeSet<Signer>| {
            let by_certificate = set.iter().filter(|signer| matches!(signer, Signer::Certificate { .. })).count();
            by_certificate + usize::from(by_certificate < set.len())
        };
        self.sets().iter().map(of_set).sum()
    }
}

impl LookedAt {
    /// What a person should know of an image that is signed all the same.
    pub(super) fn warnings(&self) -> Vec<String> {
        if self.found.is_empty() {
            return Vec::new();
        }
        let image = &self.report.image;
        let told = self.problems.iter().filter(|problem| problem.reason != Reason::Unsigned);
        told.map(|problem| format!("`{image}`: not demanded: {}", problem.message)).collect()
    }
}

/// Looks at the images of one repository: trust data once, each tag once, the signatures of each image once.
pub(super) async fn look(services: &Services, repository: &Repository, images: Vec<&Reference>) -> Looked {
    let collection = services.collection(repository);
    let loading = async {
        let loaded = collection.load(&RootTrust::FirstUse, &Needed::All, services.now).await;
        let none = || {
            Problem::of(&FlowError::NoTrustData {
                repository: repository.to_string(),
                server: collection.server_name(),
                gate: true,
            })
        };
        match loaded.map_err(|failure| failure.problem()) {
            Ok(set) => set.ok_or_else(none),
            // What a registry does not offer, nobody signed there.
            Err(problem) if problem.reason == Reason::ContentTrustDisabled => Err(none()),
            Err(problem) => Err(problem),
        }
    };
    let resolving = stream::iter(images.iter().map(|image| services.registry.resolve(image)));
    let resolving = resolving.buffered(services.concurrency).collect::<Vec<_>>();
    let (loaded, resolved) = Box::pin(join(loading, resolving)).await;
    let looking = images.into_iter().zip(resolved).map(|(image, resolved)| {
        let loaded = &loaded;
        async move {
            match resolved {
                Ok(resolved) => LookedAt::subject(services, image, &subject(image, &resolved), loaded).await,
                Err(error) => LookedAt::not_found(image, Problem::of(&error)),
            }
        }
    });
    let mut images: Vec<LookedAt> = stream::iter(looking).buffered(services.concurrency).collect().await;
    let mut anchors = BTreeMap::new();
    for (thumbprint, anchor) in images.iter_mut().flat_map(|image| std::mem::take(&mut image.anchors)) {
        Anchor::add(&mut anchors, thumbprint, anchor);
    }
    Looked { repository: repository.clone(), trust_data: loaded.ok(), anchors, images }
}

impl LookedAt {
    fn not_found(image: &Reference, problem: Problem) -> Self {
        Self { unknown: Some(problem), ..Self::of(ImageReport::named(image.to_string(), Status::Shown)) }.conclude()
    }

    fn of(report: ImageReport) -> Self {
        Self { report, found: BTreeSet::new(), problems: Vec::new(), unknown: None, anchors: BTreeMap::new() }
    }

    async fn subject(
        services: &Services,
        image: &Reference,
        subject: &Subject,
        trust_data: &Result<TrustedSet, Problem>,
    ) -> Self {
        let report = ImageReport {
            pinned: Some(subject.to_string()),
            digest: Some(subject.descriptor.digest.clone()),
            media_type: Some(subject.descriptor.media_type.to_string()),
            ..ImageReport::named(image.to_string(), Status::Shown)
        };
        let mut looked = Self::of(report);
        match trust_data {
            Ok(set) => looked.add_roles(image, subject, set),
            Err(problem) if problem.reason.exit() == Exit::Rejected => looked.problems.push(problem.clone()),
            Err(problem) => looked.unknown = Some(problem.clone()),
        }
        if let Err(problem) = looked.add_certificates(services, subject).await {
            looked.unknown = looked.unknown.or(Some(problem));
        }
        looked.conclude()
    }

    /// Every role that holds the image, and would be believed.
    fn add_roles(&mut self, image: &Reference, subject: &Subject, set: &TrustedSet) {
        let (tag, descriptor) = (tag(image), &subject.descriptor);
        let judge = |signers: Vec<SignerWanted>| {
            let requirement = Requirement { signers, ..Requirement::default() };
            verify(tag.as_ref(), &descriptor.digest, descriptor.size, set, &requirement)
        };
        let roles: Vec<RoleName> =
            set.loaded().into_iter().filter(|role| judge(vec![SignerWanted::Name(role.clone())]).is_ok()).collect();
        if let (true, Err(rejection)) = (roles.is_empty(), judge(Vec::new())) {
            self.problems.push(super::Failure::from(rejection).problem());
        }
        self.found.extend(roles.into_iter().map(Signer::Role));
        self.report.signatures.extend(signatures(set, subject));
    }

    /// Every certificate under which a signature of the image holds.
    async fn add_certificates(&mut self, services: &Services, subject: &Subject) -> Result<(), Problem> {
        let listed = NotationSignatures::list(services, subject, ReferrersMode::Auto, &[]).await;
        let listed = listed.map_err(|failure| failure.problem())?;
        self.problems.extend(listed.left().map(|message| Problem {
            reason: Reason::LimitReached,
            message,
            causes: Vec::new(),
            hint: None,
        }));
        let mut tried = BTreeSet::new();
        for (_, decoded) in listed.decode(services).await {
            let (signer, certificate) = match decoded.map(|envelope| pin_of(&envelope)) {
                Ok(Some(pin)) => pin,
                Ok(None) => continue,
                Err(problem) => {
                    self.problems.push(problem);
                    continue;
                }
            };
            let Signer::Certificate { thumbprint, identity } = &signer else { continue };
            let Some(trust) = trust_in(&certificate, identity.as_ref()) else { continue };
            if !tried.insert(signer.clone()) {
                continue;
            }
            let judged = listed.judge(services, &trust, services.concurrency).await;
            let shown = judged.findings.iter().map(|finding| finding.report(&subject.repository));
            let counts = shown.filter(|signature| signature.status == Status::Verified).collect::<Vec<_>>();
            match judged.decide() {
                Ok(Decided::Verified(accepted)) => {
                    let leaves = accepted.envelope.leaf().cloned().into_iter().collect();
                    Anchor::add(&mut self.anchors, thumbprint.clone(), Anchor { certificate, leaves });
                    self.found.insert(signer);
                    self.report.signatures.extend(counts);
                }
                Ok(Decided::Exempt(_)) => {}
                Err(problem) => self.problems.push(problem),
            }
        }
        Ok(())
    }

    /// What could not be found out may be a demand that the policy would lack. One signature that cannot be looked at
    /// is none where others hold, or whoever may push could keep every policy from being written.
    fn conclude(mut self) -> Self {
        let open = |problem: &Problem| problem.reason.exit() != Exit::Rejected;
        let unsigned = self.found.is_empty();
        let undecided = self.unknown.take().or_else(|| self.problems.iter().find(|one| unsigned && open(one)).cloned());
        if let Some(problem) = undecided {
            (self.report.status, self.report.problem) = (Status::Undecided, Some(problem));
        } else if unsigned {
            let nothing = || Problem::of(&FlowError::NothingToDemand { image: self.report.image.clone() });
            self.report.problem = Some(self.problems.first().cloned().unwrap_or_else(nothing));
            self.report.status = Status::Rejected;
        }
        self
    }
}

impl Anchor {
    fn add(anchors: &mut BTreeMap<String, Self>, thumbprint: String, more: Self) {
        let known = anchors.entry(thumbprint).or_insert(Self { certificate: more.certificate, leaves: Vec::new() });
        for leaf in more.leaves {
            if !known.leaves.contains(&leaf) {
                known.leaves.push(leaf);
            }
        }
    }
}

/// What a policy would pin: the root of the chain, for the leaf's subject; else the leaf itself.
fn pin_of(envelope: &Envelope) -> Option<(Signer, Certificate)> {
    let (leaf, root) = (envelope.leaf()?, envelope.chain().last()?);
    let identity = TrustedIdentity::naming(leaf).filter(|_| root.is_ca());
    let pinned = if identity.is_some() { root } else { leaf };
    Some((Signer::Certificate { thumbprint: pinned.thumbprint_sha256(), identity }, pinned.clone()))
}

/// The trust that a policy with this pin means.
fn trust_in(certificate: &Certificate, identity: Option<&String>) -> Option<Trust> {
    let identities = identity.map(|identity| TrustedIdentities::parse(std::slice::from_ref(identity)));
    let pins = Pins {
        certificates: vec![certificate.clone()],
        identities: identities.transpose().ok()?,
        level: Level::STRICT,
        timestamp_roots: Vec::new(),
        verify_timestamp: VerifyTimestamp::Always,
        metadata: Metadata::new(),
    };
    Trust::pinned(pins).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Letters are roles, numbers are certificates.
    fn signers(text: &str) -> BTreeSet<Signer> {
        let signer = |word: &str| match word.parse::<usize>() {
            Ok(_) => Signer::Certificate { thumbprint: word.to_owned(), identity: None },
            Err(_) => Signer::Role(format!("targets/{word}").parse().unwrap()),
        };
        text.split_whitespace().map(signer).collect()
    }

    fn looked(images: &[&str]) -> Looked {
        let image = |found: &&str| LookedAt {
            found: signers(found),
            ..LookedAt::of(ImageReport::named(String::new(), Status::Shown))
        };
        let repository = Repository::named("contoso.azurecr.io/shop/web").unwrap();
        Looked { repository, trust_data: None, anchors: BTreeMap::new(), images: images.iter().map(image).collect() }
    }

    #[test]
    fn the_smallest_sets_allow_every_image_and_no_set_is_said_twice() {
        let many: Vec<String> = (0..101).map(|number| number.to_string()).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        for (images, sets, demands) in [
            ([].as_slice(), [].as_slice(), 0),
            (&[""], &[], 0),
            (&["a"], &["a"], 1),
            // Roles are one demand, each certificate is one.
            (&["a b 1 2"], &["a b 1 2"], 3),
            (&["a b", "a"], &["a"], 1),
            (&["a", "", "a"], &["a"], 1),
            (&["a b", "b 1"], &["a b", "b 1"], 3),
            (&["a", "1", "a b 1"], &["a", "1"], 2),
            (&many, &many, 101),
        ] {
            let looked = looked(images);
            let expected: Vec<BTreeSet<Signer>> = sets.iter().map(|set| signers(set)).collect();
            assert_eq!(looked.sets(), expected.iter().collect::<Vec<_>>(), "{images:?}");
            assert_eq!(looked.demands(), demands, "{images:?}");
        }
    }
}
