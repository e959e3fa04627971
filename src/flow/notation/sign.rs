//! Notary Project: one signature for each manifest, whatever tags name it, several at once.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use bytes::Bytes;
use futures::{
    StreamExt as _,
    future::{join, try_join},
    stream,
};
use tokio::sync::OnceCell;
use url::Url;

use super::judge::thumbprints;
use crate::{
    crypto::{Certificate, Signer},
    flow::{
        FlowError, Services,
        candidates::{CHECKED, is_untyped, newest_first},
        signing::{Candidate, FormatResult, SigningOptions, gravity},
    },
    format::{
        Format,
        notation::{
            ARTIFACT_TYPE, Algorithm, Answer, Draft, DraftError, EMPTY, EMPTY_TYPE, ENVELOPE_LIMIT,
            Envelope, EnvelopeKind, Metadata, Publication, SignatureManifest, Step, chain_of,
            sign::{EnvelopeOptions, SigningKey, prepare},
        },
    },
    oci::{Descriptor, Digest, Reference, Referrer, Repository, manifest},
    registry::{self, Referrers, ReferrersMode, Upload},
    report::{Failure, Problem, SignatureReport, Status},
    timestamp::Timestamp,
};

/// Children of one index, and of the indexes in it. Real indexes have some dozens (platforms with their attestations); each
/// costs one signature in the vault.
const CHILDREN: usize = 1_000;
/// How deep indexes may nest. Builders nest one index in another at most; the bound ends a tree that was made to be deep.
const DEPTH: u32 = 4;
/// The bytes of the configuration.
const CONFIG: Bytes = Bytes::from_static(EMPTY);

/// What making signatures needs.
#[derive(Clone, Debug)]
pub struct SignNotation {
    /// The key.
    pub signer: Arc<dyn Signer>,
    /// Its certificate, issuers and root, in any order.
    pub bundle: Vec<Certificate>,
    /// The kind of envelope.
    pub envelope: EnvelopeKind,
    /// How long a signature lives; without end when absent.
    pub expiry: Option<Duration>,
    /// The timestamp authority and its root.
    pub timestamp: Option<(Url, Certificate)>,
    /// Where the list of signatures is kept.
    pub referrers: ReferrersMode,
    /// Whether the children of an index are signed, too.
    pub recursive: bool,
}

impl SignNotation {
    /// Finds out before anything is asked whether key and certificates can sign at all.
    pub fn check(&self, now: Timestamp) -> Result<(), Failure> {
        let chain = chain_of(self.signer.public_key(), &self.bundle, now);
        if let Some(algorithm) = Algorithm::of(self.signer.public_key().kind()) {
            chain.map_err(DraftError::from)?;
            self.signer.check(algorithm.scheme())?;
            return Ok(());
        }
        let kind = self.signer.public_key().kind();
        Err(DraftError::KeyUnsuitable { kind }.into())
    }
}

/// The images of one repository.
pub(in crate::flow) struct NotationJob<'a> {
    services: &'a Services,
    options: &'a SigningOptions,
    notation: &'a SignNotation,
    repository: &'a Repository,
    /// The configuration is the same for every signature: pushed once per repository.
    config: OnceCell<()>,
}

/// How one manifest ended.
#[derive(Clone, Debug)]
struct Made {
    status: Status,
    problem: Option<Problem>,
    signature: SignatureReport,
}

impl<'a> NotationJob<'a> {
    pub(in crate::flow) fn new(
        services: &'a Services,
        options: &'a SigningOptions,
        notation: &'a SignNotation,
        repository: &'a Repository,
    ) -> Self {
        Self {
            services,
            options,
            notation,
            repository,
            config: OnceCell::new(),
        }
    }

    /// Signs what the candidates resolved to, each manifest once.
    pub(in crate::flow) async fn sign(&self, candidates: &[Candidate]) -> Vec<FormatResult> {
        let subjects = stream::iter(candidates.iter().map(|candidate| self.subjects(candidate)))
            .buffered(self.services.concurrency)
            .collect::<Vec<_>>()
            .await;
        let mut distinct: BTreeMap<&Digest, &Descriptor> = BTreeMap::new();
        for descriptor in subjects.iter().flatten().flatten() {
            distinct.insert(&descriptor.digest, descriptor);
        }
        let signing = distinct
            .values()
            .map(|descriptor| async { (&descriptor.digest, self.make(descriptor).await) });
        let made: BTreeMap<&Digest, Made> = stream::iter(signing.collect::<Vec<_>>())
            .buffer_unordered(self.services.concurrency)
            .collect()
            .await;
        let end =
            |(candidate, subjects): (&Candidate, &Result<Vec<Descriptor>, Failure>)| match subjects
            {
                Err(failure) => FormatResult::failed(Format::Notation, candidate.index, failure),
                Ok(subjects) => {
                    let own: Vec<&Made> = subjects
                        .iter()
                        .filter_map(|subject| made.get(&subject.digest))
                        .collect();
                    let worst = own.iter().max_by_key(|made| gravity(made.status));
                    FormatResult {
                        index: candidate.index,
                        status: worst.map_or(Status::Failed, |made| made.status),
                        problem: worst.and_then(|made| made.problem.clone()),
                        signatures: own.iter().map(|made| made.signature.clone()).collect(),
                    }
                }
            };
        candidates.iter().zip(&subjects).map(end).collect()
    }

    /// What is signed for a candidate: what it resolved to, and with `--recursive` every manifest below.
    async fn subjects(&self, candidate: &Candidate) -> Result<Vec<Descriptor>, Failure> {
        let own = candidate.subject.descriptor.clone();
        let mut found = vec![own.clone()];
        let mut indexes = vec![(own, candidate.bytes.clone(), 0)];
        while let Some((index, bytes, depth)) = indexes.pop() {
            if !self.notation.recursive || !manifest::is_index(&index.media_type) {
                continue;
            }
            let image = || format!("{}@{}", self.repository, index.digest);
            let unreadable = |cause| FlowError::IndexUnreadable {
                image: image(),
                cause,
            };
            for child in manifest::children(&bytes).map_err(unreadable)? {
                if found.iter().any(|known| known.digest == child.digest) {
                    continue;
                }
                if found.len() >= CHILDREN || depth >= DEPTH {
                    return Err(FlowError::TooManyChildren {
                        image: image(),
                        limit: CHILDREN,
                    }
                    .into());
                }
                // Size and type of a child are claims of the index: what is signed is what is there.
                let named = Reference {
                    repository: self.repository.clone(),
                    tag: None,
                    digest: Some(child.digest.clone()),
                };
                let there = self.services.registry.resolve(&named).await?;
                indexes.push((there.descriptor.clone(), there.bytes, depth + 1));
                found.push(there.descriptor);
            }
        }
        Ok(found)
    }

    async fn make(&self, subject: &Descriptor) -> Made {
        match self.try_make(subject).await {
            Ok(signature) => Made {
                status: signature.status,
                problem: None,
                signature,
            },
            Err(failure) => {
                let status = failure.status();
                let signature = SignatureReport {
                    reason: Some(failure.reason()),
                    ..SignatureReport::new(Format::Notation, status)
                };
                Made {
                    status,
                    problem: Some(failure.problem()),
                    signature,
                }
            }
        }
    }

    async fn try_make(&self, subject: &Descriptor) -> Result<SignatureReport, Failure> {
        let (registry, mode) = (&self.services.registry, self.notation.referrers);
        let draft = self.draft(subject)?;
        let listed = registry
            .referrers_to_extend(self.repository, &subject.digest, ARTIFACT_TYPE, mode)
            .await?;
        let leaf = draft.chain().first().cloned();
        if !self.options.force
            && let Some((digest, present)) = self.present(subject, &draft, &listed).await?
        {
            let attributes = present.attributes();
            return Ok(SignatureReport {
                signed_at: Some(attributes.signing_time),
                expires_at: attributes.expiry,
                reference: Some(format!("{}@{digest}", self.repository)),
                ..self.report(leaf.as_ref(), Status::AlreadySigned)
            });
        }
        if self.options.dry_run {
            let expires_at = draft.expires();
            return Ok(SignatureReport {
                expires_at,
                ..self.report(leaf.as_ref(), Status::Planned)
            });
        }
        // Where the envelope goes does not depend on what it will be: the vault and the registry work meanwhile.
        let upload = self.services.registry.begin_upload(self.repository);
        let (publication, upload) = join(self.complete(draft), upload).await;
        let publication = publication?;
        let digest = self.publish(subject, &publication, upload, &listed).await?;
        Ok(SignatureReport {
            signed_at: Some(publication.timestamp.unwrap_or(publication.signed_at)),
            expires_at: publication.expires,
            reference: Some(format!("{}@{digest}", self.repository)),
            ..self.report(leaf.as_ref(), Status::Signed)
        })
    }

    fn report(&self, leaf: Option<&Certificate>, status: Status) -> SignatureReport {
        SignatureReport {
            signer: Some(self.notation.signer.name().to_owned()),
            key_id: leaf.map(Certificate::thumbprint_sha256),
            certificate: leaf.map(Certificate::subject),
            ..SignatureReport::new(Format::Notation, status)
        }
    }

    fn draft(&self, subject: &Descriptor) -> Result<Draft, Failure> {
        let mut nonce = [0; 16];
        getrandom::fill(&mut nonce).map_err(|_| FlowError::NoRandomness)?;
        let mut metadata: Metadata = self.options.provenance.clone();
        metadata.extend(self.options.annotations.clone());
        let options = EnvelopeOptions {
            envelope: self.notation.envelope,
            expiry: self.notation.expiry,
            metadata,
            timestamp_root: self
                .notation
                .timestamp
                .as_ref()
                .map(|(_, root)| root.clone()),
            agent: concat!("acr-sign/", env!("CARGO_PKG_VERSION")).to_owned(),
        };
        let (key, bundle) = (self.notation.signer.public_key(), &self.notation.bundle);
        Ok(prepare(
            subject,
            &options,
            SigningKey {
                key,
                certificates: bundle,
            },
            nonce,
            self.services.now,
        )?)
    }

    /// Has the draft signed and stamped; every answer is checked on the way.
    async fn complete(&self, mut draft: Draft) -> Result<Publication, Failure> {
        let mut asked = self.services.revocations.begin();
        let mut answer = None;
        loop {
            let step;
            (draft, step) = draft.step(answer)?;
            answer = Some(match step {
                Step::Sign(request) => Answer::Signature(
                    self.notation
                        .signer
                        .sign(request.scheme, &request.message)
                        .await?,
                ),
                Step::Timestamp(query) => match &self.notation.timestamp {
                    Some((authority, _)) => Answer::Timestamp(
                        self.services
                            .revocations
                            .timestamp(authority, &query)
                            .await?,
                    ),
                    None => {
                        return Err(FlowError::NoSigner {
                            role: "timestamp".into(),
                        }
                        .into());
                    }
                },
                Step::Revocation(requests) => Answer::Revocation(asked.answer(&requests).await),
                Step::Done(publication) => {
                    asked.keep().await;
                    return Ok(*publication);
                }
            });
        }
    }

    /// Pushes configuration, envelope and manifest, and sees that the registry lists the signature.
    async fn publish(
        &self,
        subject: &Descriptor,
        publication: &Publication,
        upload: Result<Upload, registry::Error>,
        listed: &Referrers,
    ) -> Result<Digest, Failure> {
        let registry = &self.services.registry;
        let config = self.config.get_or_try_init(|| self.push_config());
        let (media_type, bytes) = (publication.envelope_type.as_str(), &publication.envelope);
        let envelope = registry.push_blob_into(upload, self.repository, media_type, bytes);
        try_join(config, envelope).await?;
        let descriptor =
            crate::registry::describe(publication.manifest_type.as_str(), &publication.manifest);
        let (reference, media_type) = (
            descriptor.digest.to_string(),
            descriptor.media_type.to_string(),
        );
        registry
            .push_manifest(
                self.repository,
                &reference,
                &media_type,
                &publication.manifest,
            )
            .await?;
        let referrer = Referrer {
            descriptor,
            artifact_type: Some(publication.artifact_type.to_string()),
            annotations: publication.annotations.clone(),
        };
        registry
            .list_referrer(self.repository, &subject.digest, &referrer, listed.source)
            .await?;
        Ok(referrer.descriptor.digest)
    }

    async fn push_config(&self) -> Result<(), registry::Error> {
        let registry = &self.services.registry;
        if !registry
            .has_blob(self.repository, &Digest::sha256(EMPTY))
            .await
        {
            registry
                .push_blob(self.repository, EMPTY_TYPE, &CONFIG)
                .await?;
        }
        Ok(())
    }

    /// A signature of ours that may stay: by this key, over this manifest, with the metadata that was asked for,
    /// and not about to end.
    async fn present(
        &self,
        subject: &Descriptor,
        draft: &Draft,
        listed: &Referrers,
    ) -> Result<Option<(Digest, Envelope)>, Failure> {
        let Some(leaf) = draft.chain().first().map(Certificate::thumbprint_sha256) else {
            return Ok(None);
        };
        let is_ours = |own: Option<&String>| own.is_some_and(|own| own.eq_ignore_ascii_case(&leaf));
        let mut claimed: Vec<&Referrer> = Vec::new();
        for entry in &listed.entries {
            let own = thumbprints(entry);
            // An entry without a type may lack its annotations as well: then its manifest says whose it is.
            if is_ours(own.first()) || (own.is_empty() && is_untyped(entry)) {
                claimed.push(entry);
            }
        }
        newest_first(&mut claimed);
        for entry in claimed.into_iter().take(CHECKED) {
            let read = self.read(subject, entry, &is_ours).await;
            if let Ok(Some(envelope)) = read
                && self.may_stay(subject, draft, &envelope)
            {
                return Ok(Some((entry.descriptor.digest.clone(), envelope)));
            }
        }
        Ok(None)
    }

    /// What an entry claims to be ours may be anything: what cannot be read is simply not ours.
    async fn read(
        &self,
        subject: &Descriptor,
        entry: &Referrer,
        is_ours: &impl Fn(Option<&String>) -> bool,
    ) -> Result<Option<Envelope>, Failure> {
        let registry = &self.services.registry;
        let bytes = registry
            .manifest(self.repository, &entry.descriptor)
            .await?;
        let manifest = SignatureManifest::read(&bytes, subject)?;
        if !is_ours(manifest.thumbprints.first()) {
            return Ok(None);
        }
        let limit = u64::try_from(ENVELOPE_LIMIT).unwrap_or(u64::MAX);
        let envelope = registry
            .blob(self.repository, &manifest.envelope, limit)
            .await?;
        Ok(Some(Envelope::read(
            &manifest.kind.media_type(),
            &envelope,
        )?))
    }

    fn may_stay(&self, subject: &Descriptor, draft: &Draft, envelope: &Envelope) -> bool {
        let attributes = envelope.attributes();
        let payload = envelope.payload();
        let is_ours = envelope
            .leaf()
            .is_some_and(|leaf| leaf.public_key() == self.notation.signer.public_key());
        let carries = self
            .options
            .annotations
            .iter()
            .all(|(name, value)| payload.metadata.get(name) == Some(value));
        let is_stamped = self
            .notation
            .timestamp
            .as_ref()
            .is_none_or(|(_, root)| envelope.is_stamped_under(root));
        // In the last tenth of its life it is renewed, if the new one would live longer.
        let lives = attributes.expiry.is_none_or(|end| {
            let whole = end.unix().saturating_sub(attributes.signing_time.unix());
            let left = end.unix().saturating_sub(self.services.now.unix());
            left > whole / 10 || (left > 0 && draft.expires().is_some_and(|new| new <= end))
        });
        is_ours
            && payload.target == *subject
            && attributes.plugin.is_none()
            && carries
            && is_stamped
            && lives
    }
}
