//! `sign`: resolve every image once, then let each format that was asked for sign what it resolved to.
//!
//! A failed image does not stop the others, nor does a failed format; a re-run completes the rest. An image is
//! signed only if every format says so.

use std::collections::BTreeMap;

use futures::{
    StreamExt as _,
    future::{OptionFuture, join},
    stream,
};

use super::{
    FlowError, Services, SignDct, SignNotation,
    dct::DctJob,
    notation::NotationJob,
    signing::{Candidate, FormatResult, SigningOptions},
};
use crate::{
    oci::{Digest, Reference, Repository, Subject},
    registry::Resolved,
    report::{Failure, ImageReport, Report},
};

/// What `sign` was asked for.
#[derive(Clone, Debug)]
pub struct SignOptions {
    /// Images in the order named.
    pub images: Vec<Reference>,
    /// What was built, if given.
    pub digest: Option<Digest>,
    /// The formats to sign in; each must be signed.
    pub formats: Vec<SignFormat>,
    /// How they are signed.
    pub signing: SigningOptions,
}

/// One format, and what it needs to sign.
#[derive(Clone, Debug)]
pub enum SignFormat {
    /// Docker Content Trust.
    Dct(SignDct),
    /// Notary Project.
    Notation(Box<SignNotation>),
}

/// Signs; fills images, in the order named, and warnings of the report.
pub async fn sign(services: &Services, options: &SignOptions, report: &mut Report) {
    services.progress.expect(options.images.len());
    let mut groups: BTreeMap<&Repository, Vec<usize>> = BTreeMap::new();
    for (index, image) in options.images.iter().enumerate() {
        groups.entry(&image.repository).or_default().push(index);
    }
    let jobs = groups.into_iter().map(|(repository, indexes)| {
        let group = SigningGroup {
            services,
            options,
            repository,
            indexes,
        };
        async move {
            let ended = Box::pin(group.run()).await;
            services.progress.finish(group.indexes.len());
            ended
        }
    });
    let ended: Vec<_> = stream::iter(jobs)
        .buffer_unordered(services.concurrency)
        .collect()
        .await;
    let (images, warnings): (Vec<_>, Vec<_>) = ended.into_iter().unzip();
    let mut images = images.concat();
    images.sort_by_key(|(index, _)| *index);
    report.images = images.into_iter().map(|(_, image)| image).collect();
    let mut warnings = warnings.concat();
    warnings.sort_unstable();
    report.warnings.extend(warnings);
}

/// The images of one repository.
struct SigningGroup<'a> {
    services: &'a Services,
    options: &'a SignOptions,
    repository: &'a Repository,
    indexes: Vec<usize>,
}

impl SigningGroup<'_> {
    /// The images, and what is worth saying about their repository.
    async fn run(&self) -> (Vec<(usize, ImageReport)>, Vec<String>) {
        let resolving = stream::iter(self.indexes.iter().map(|index| self.resolve(*index)))
            .buffered(self.services.concurrency)
            .collect::<Vec<_>>();
        let (mut dct, mut notation) = (None, None);
        for format in &self.options.formats {
            match format {
                SignFormat::Dct(job) => {
                    dct = Some(DctJob::new(
                        self.services,
                        &self.options.signing,
                        job,
                        self.repository,
                    ));
                }
                SignFormat::Notation(job) => {
                    notation = Some(NotationJob::new(
                        self.services,
                        &self.options.signing,
                        job,
                        self.repository,
                    ));
                }
            }
        }
        // Trust data does not depend on what the tags are: both are in flight together.
        let loading = OptionFuture::from(dct.as_ref().map(DctJob::load));
        let (resolved, loaded) = join(resolving, loading).await;
        let (mut reports, mut candidates) = (Vec::new(), Vec::new());
        for outcome in resolved {
            match outcome {
                Ok(candidate) => candidates.push(candidate),
                Err(failed) => reports.push(failed),
            }
        }
        let set = dct
            .as_ref()
            .zip(loaded.as_ref().and_then(|loaded| loaded.as_ref().ok()));
        let warnings = set.map(|(dct, set)| dct.skipped(set)).unwrap_or_default();
        let by_dct = dct
            .as_ref()
            .zip(loaded)
            .map(|(dct, loaded)| dct.sign(loaded, &candidates));
        let by_notation = notation.as_ref().map(|notation| notation.sign(&candidates));
        let (by_dct, by_notation) = Box::pin(join(
            OptionFuture::from(by_dct),
            OptionFuture::from(by_notation),
        ))
        .await;
        let ended: Vec<FormatResult> = by_dct.into_iter().chain(by_notation).flatten().collect();
        reports.extend(
            candidates
                .iter()
                .map(|candidate| (candidate.index, candidate.report(&ended))),
        );
        (reports, warnings)
    }

    /// One manifest GET; what `--digest` or the reference says otherwise refuses the image.
    async fn resolve(&self, index: usize) -> Result<Candidate, (usize, ImageReport)> {
        let Some(image) = self.options.images.get(index) else {
            unreachable!("indexes come from the same list")
        };
        let name = image.to_string();
        let refused = |failure: Failure| {
            (
                index,
                ImageReport::failed(name.clone(), failure.status(), failure.problem()),
            )
        };
        let resolved = self.resolved(image, &name).await.map_err(&refused)?;
        for expected in [&self.options.digest, &image.digest].into_iter().flatten() {
            if *expected != resolved.descriptor.digest {
                let (found, expected) =
                    (resolved.descriptor.digest.to_string(), expected.to_string());
                return Err(refused(
                    FlowError::DigestMismatch {
                        image: name.clone(),
                        found,
                        expected,
                    }
                    .into(),
                ));
            }
        }
        let subject = Subject {
            repository: image.repository.clone(),
            tag: image.tag.clone(),
            descriptor: resolved.descriptor,
            sha512: Digest::sha512(&resolved.bytes),
        };
        Ok(Candidate {
            index,
            subject,
            bytes: resolved.bytes,
        })
    }

    async fn resolved(&self, image: &Reference, name: &str) -> Result<Resolved, Failure> {
        if image.tag.is_none() && image.digest.is_none() {
            return Err(FlowError::NothingNamed {
                image: name.to_owned(),
            }
            .into());
        }
        // By the tag, also where a digest is named beside it: they must agree (G13).
        let digest = if image.tag.is_some() {
            None
        } else {
            image.digest.clone()
        };
        let named = Reference {
            digest,
            ..image.clone()
        };
        Ok(self.services.registry.resolve(&named).await?)
    }
}
