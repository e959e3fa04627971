//! What signs the images of one repository, as far as a policy can demand it: what is found here was judged under the
//! very pins that the policy will have.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt as _, future::join, stream};

use super::super::{
    FlowError, LoadScope, Services,
    dct::signatures,
    verify::{subject, tag},
};
use crate::{
    crypto::Certificate,
    format::dct::{
        ImageHashes, RequiredSigner, Requirement, RoleName, RootTrust, TrustedSet, verify,
    },
    oci::{Reference, Repository, Subject},
    reason::{Exit, Reason},
    report::{ImageReport, Problem, Status},
};

/// One thing that signs an image.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum FoundSigner {
    /// A role of the trust data.
    Role(RoleName),
    /// A certificate, by its SHA-256; whom it is trusted for where it is a CA; and the root, by its SHA-256, of the
    /// authority whose timestamp a signature has.
    Certificate {
        thumbprint: String,
        identity: Option<String>,
        stamp: Option<String>,
    },
}

/// What is told of a certificate that is pinned: itself, and the leaves that signed or stamped under it.
#[derive(Clone, Debug)]
pub(super) struct Anchor {
    pub(super) certificate: Certificate,
    pub(super) leaves: Vec<Certificate>,
}

/// One image.
#[derive(Debug)]
pub(super) struct ImageFindings {
    pub(super) report: ImageReport,
    pub(super) found: BTreeSet<FoundSigner>,
    /// What does not count.
    pub(super) problems: Vec<Problem>,
    /// Why it cannot be known what signs it.
    unknown: Option<Problem>,
    /// What else a person should know of it.
    pub(super) told: Vec<String>,
    pub(super) anchors: BTreeMap<String, Anchor>,
    /// The roots of authorities that stamped it, with these.
    pub(super) timestamp_roots: BTreeMap<String, Anchor>,
}

/// The images of one repository.
#[derive(Debug)]
pub(super) struct RepositoryFindings {
    pub(super) repository: Repository,
    pub(super) trust_data: Option<TrustedSet>,
    pub(super) anchors: BTreeMap<String, Anchor>,
    pub(super) timestamp_roots: BTreeMap<String, Anchor>,
    pub(super) images: Vec<ImageFindings>,
}

impl RepositoryFindings {
    /// The smallest sets of signers that some image has: whoever demands one of them allows every image.
    pub(super) fn sets(&self) -> Vec<&BTreeSet<FoundSigner>> {
        let all: Vec<&BTreeSet<FoundSigner>> = self
            .images
            .iter()
            .map(|image| &image.found)
            .filter(|found| !found.is_empty())
            .collect();
        let mut smallest: Vec<&BTreeSet<FoundSigner>> = Vec::new();
        for set in &all {
            let is_smallest = !all
                .iter()
                .any(|other| other.len() < set.len() && other.is_subset(set));
            if is_smallest && !smallest.contains(set) {
                smallest.push(set);
            }
        }
        smallest
    }

    /// How many requirements a rule about the repository has.
    pub(super) fn demands(&self) -> usize {
        let of_set = |set: &&BTreeSet<FoundSigner>| {
            let by_certificate = set
                .iter()
                .filter(|signer| matches!(signer, FoundSigner::Certificate { .. }))
                .count();
            by_certificate + usize::from(by_certificate < set.len())
        };
        self.sets().iter().map(of_set).sum()
    }
}

impl ImageFindings {
    /// What a person should know of an image that is signed all the same.
    pub(super) fn warnings(&self) -> Vec<String> {
        if self.found.is_empty() {
            return Vec::new();
        }
        let image = &self.report.image;
        let told = self
            .problems
            .iter()
            .filter(|problem| problem.reason != Reason::Unsigned);
        let problems = told.map(|problem| format!("`{image}`: not required: {}", problem.message));
        problems
            .chain(self.told.iter().map(|words| format!("`{image}`: {words}")))
            .collect()
    }
}

/// Looks at the images of one repository: trust data once, each tag once, the signatures of each image once. Timestamps
/// count under `roots`, and under those that they bring along.
pub(super) async fn look(
    services: &Services,
    repository: &Repository,
    images: Vec<&Reference>,
    roots: &[Certificate],
) -> RepositoryFindings {
    let collection = services.collection(repository);
    let loading = async {
        let loaded = collection
            .load(&RootTrust::FirstUse, &LoadScope::All, services.now)
            .await;
        let none = || Problem::of(&collection.no_trust_data(true));
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
                Ok(resolved) => {
                    let subject = subject(image, &resolved);
                    ImageFindings::subject(services, image, &subject, loaded, roots).await
                }
                Err(error) => ImageFindings::not_found(image, Problem::of(&error)),
            }
        }
    });
    let mut images: Vec<ImageFindings> = stream::iter(looking)
        .buffered(services.concurrency)
        .collect()
        .await;
    let (mut anchors, mut timestamp_roots) = (BTreeMap::new(), BTreeMap::new());
    for image in &mut images {
        for anchor in std::mem::take(&mut image.anchors).into_values() {
            anchor.add_to(&mut anchors);
        }
        for timestamp_root in std::mem::take(&mut image.timestamp_roots).into_values() {
            timestamp_root.add_to(&mut timestamp_roots);
        }
    }
    RepositoryFindings {
        repository: repository.clone(),
        trust_data: loaded.ok(),
        anchors,
        timestamp_roots,
        images,
    }
}

impl ImageFindings {
    fn not_found(image: &Reference, problem: Problem) -> Self {
        Self {
            unknown: Some(problem),
            ..Self::of(ImageReport::named(image.to_string(), Status::Shown))
        }
        .conclude()
    }

    fn of(report: ImageReport) -> Self {
        Self {
            report,
            found: BTreeSet::new(),
            problems: Vec::new(),
            unknown: None,
            told: Vec::new(),
            anchors: BTreeMap::new(),
            timestamp_roots: BTreeMap::new(),
        }
    }

    async fn subject(
        services: &Services,
        image: &Reference,
        subject: &Subject,
        trust_data: &Result<TrustedSet, Problem>,
        roots: &[Certificate],
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
            Err(problem) if problem.reason.exit() == Exit::Rejected => {
                looked.problems.push(problem.clone());
            }
            Err(problem) => looked.unknown = Some(problem.clone()),
        }
        if let Err(problem) = looked.add_certificates(services, subject, roots).await {
            looked.unknown = looked.unknown.or(Some(problem));
        }
        looked.conclude()
    }

    /// Every role that holds the image, and would be believed.
    fn add_roles(&mut self, image: &Reference, subject: &Subject, set: &TrustedSet) {
        let (tag, hashes) = (tag(image), ImageHashes::from(subject));
        let judge = |signers: Vec<RequiredSigner>| {
            let requirement = Requirement {
                signers,
                ..Requirement::default()
            };
            verify(tag.as_ref(), &hashes, set, &requirement)
        };
        let roles: Vec<RoleName> = set
            .loaded()
            .into_iter()
            .filter(|role| judge(vec![RequiredSigner::Name(role.clone())]).is_ok())
            .collect();
        if let (true, Err(rejection)) = (roles.is_empty(), judge(Vec::new())) {
            self.problems
                .push(super::Failure::from(rejection).problem());
        }
        self.found.extend(roles.into_iter().map(FoundSigner::Role));
        self.report.signatures.extend(signatures(set, subject));
    }

    /// What cannot be determined may be a requirement that the policy would lack. One signature that cannot be checked
    /// is none where others hold, or whoever may push could keep every policy from being written.
    fn conclude(mut self) -> Self {
        let open = |problem: &Problem| problem.reason.exit() != Exit::Rejected;
        let unsigned = self.found.is_empty();
        let undecided = self.unknown.take().or_else(|| {
            self.problems
                .iter()
                .find(|one| unsigned && open(one))
                .cloned()
        });
        if let Some(problem) = undecided {
            (self.report.status, self.report.problem) = (Status::Undecided, Some(problem));
        } else if unsigned {
            let nothing = || {
                Problem::of(&FlowError::NothingToRequire {
                    image: self.report.image.clone(),
                })
            };
            // What is there and does not count says more than what is not there.
            let most_specific = self
                .problems
                .iter()
                .find(|problem| problem.reason != Reason::Unsigned);
            self.report.problem = Some(
                most_specific
                    .or(self.problems.first())
                    .cloned()
                    .unwrap_or_else(nothing),
            );
            self.report.status = Status::Rejected;
        }
        self
    }
}

impl Anchor {
    /// Adds what is told of it to what is known of its certificate.
    pub(super) fn add_to(self, anchors: &mut BTreeMap<String, Self>) {
        let thumbprint = self.certificate.thumbprint_sha256();
        let empty = Self {
            certificate: self.certificate,
            leaves: Vec::new(),
        };
        let known = anchors.entry(thumbprint).or_insert(empty);
        for leaf in self.leaves {
            if !known.leaves.contains(&leaf) {
                known.leaves.push(leaf);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Letters are roles, numbers are certificates.
    fn signers(text: &str) -> BTreeSet<FoundSigner> {
        let signer = |word: &str| match word.parse::<usize>() {
            Ok(_) => FoundSigner::Certificate {
                thumbprint: word.to_owned(),
                identity: None,
                stamp: None,
            },
            Err(_) => FoundSigner::Role(format!("targets/{word}").parse().unwrap()),
        };
        text.split_whitespace().map(signer).collect()
    }

    fn looked(images: &[&str]) -> RepositoryFindings {
        let image = |found: &&str| ImageFindings {
            found: signers(found),
            ..ImageFindings::of(ImageReport::named(String::new(), Status::Shown))
        };
        let repository = Repository::named("contoso.azurecr.io/shop/web").unwrap();
        let (anchors, timestamp_roots) = (BTreeMap::new(), BTreeMap::new());
        RepositoryFindings {
            repository,
            trust_data: None,
            anchors,
            timestamp_roots,
            images: images.iter().map(image).collect(),
        }
    }

    #[test]
    fn the_smallest_sets_allow_every_image_and_no_set_is_said_twice() {
        let many: Vec<String> = (0..101).map(|number| number.to_string()).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        for (images, sets, demands) in [
            ([].as_slice(), [].as_slice(), 0),
            (&[""], &[], 0),
            (&["a"], &["a"], 1),
            // Roles are one requirement, each certificate is one.
            (&["a b 1 2"], &["a b 1 2"], 3),
            (&["a b", "a"], &["a"], 1),
            (&["a", "", "a"], &["a"], 1),
            (&["a b", "b 1"], &["a b", "b 1"], 3),
            (&["a", "1", "a b 1"], &["a", "1"], 2),
            (&many, &many, 101),
        ] {
            let looked = looked(images);
            let expected: Vec<BTreeSet<FoundSigner>> =
                sets.iter().map(|set| signers(set)).collect();
            assert_eq!(
                looked.sets(),
                expected.iter().collect::<Vec<_>>(),
                "{images:?}"
            );
            assert_eq!(looked.demands(), demands, "{images:?}");
        }
    }
}
