//! `inspect`: everything that signs an image or a repository. Shows; judges only under a pin.

use futures::future::join;

use super::{
    Failure, FlowError, Needed, NotationSignatures, Services,
    notation::signature as notation_signature,
    roles::{chain, signer_name},
    verify::subject,
};
use crate::{
    crypto::TimestampToken,
    format::{
        Format,
        dct::{Entry, Requirement, RoleName, RootTrust, TrustedSet, verify},
        notation::Envelope,
    },
    oci::{Digest, Reference, Subject, Tag},
    registry::ReferrersMode,
    report::{
        EnvelopeReport, ImageReport, Problem, Report, SignatureReport, Status, TimestampReport,
    },
};

/// What to look at.
#[derive(Clone, Debug)]
pub struct InspectOptions {
    /// An image; without tag and digest: the whole repository.
    pub image: Reference,
    /// Trust in the root; without one nothing is judged.
    pub trust: Option<RootTrust>,
}

/// Fills the report: one image per tag, with one signature per role that holds it, and every Notary Project
/// signature that is listed for it. The whole repository is shown as its trust data has it.
pub async fn inspect(
    services: &Services,
    options: &InspectOptions,
    report: &mut Report,
) -> Result<(), Failure> {
    let image = &options.image;
    let collection = services.collection(&image.repository);
    let judged = options.trust.is_some();
    let trust = options.trust.clone().unwrap_or(RootTrust::FirstUse);
    let loading = collection.load(&trust, &Needed::All, services.now);
    let no_trust_data = || {
        let (repository, server) = (image.repository.to_string(), collection.server_name());
        Failure::from(FlowError::NoTrustData {
            repository,
            server,
            gate: true,
        })
    };
    if image.tag.is_none() && image.digest.is_none() {
        let set = loading.await?.ok_or_else(no_trust_data)?;
        warn(report, Some(&set), judged);
        report.images = whole_repository(&set, image);
        return Ok(());
    }
    let resolving = services.registry.resolve(image);
    let (loaded, resolved) = Box::pin(join(loading, resolving)).await;
    let resolved = resolved?;
    let subject = subject(image, &resolved);
    let by_certificate = by_certificate(services, &subject, report).await?;
    let set = match loaded {
        Ok(None) if judged || by_certificate.is_empty() => return Err(no_trust_data()),
        Ok(set) => set,
        // What signs otherwise is shown all the same, where nobody asked about trust data in particular.
        Err(failure) if judged || by_certificate.is_empty() => return Err(failure),
        Err(failure) => {
            report.warnings.push(format!(
                "trust data is not shown: {}",
                failure.problem().message
            ));
            None
        }
    };
    warn(report, set.as_ref(), judged);
    let mut shown = ImageReport {
        pinned: Some(subject.to_string()),
        digest: Some(subject.descriptor.digest.clone()),
        media_type: Some(subject.descriptor.media_type.to_string()),
        ..ImageReport::named(
            image.to_string(),
            if judged {
                Status::Verified
            } else {
                Status::Shown
            },
        )
    };
    if let Some(set) = &set {
        shown.signatures = signatures(set, &subject);
        // Not in the trust data, and signed otherwise: that is no verdict about the image.
        if let Some(problem) =
            problem(set, &subject).filter(|_| judged || by_certificate.is_empty())
        {
            shown.status = Status::Rejected;
            shown.problem = Some(problem);
        }
    }
    shown.signatures.extend(by_certificate);
    report.images.push(shown);
    Ok(())
}

fn warn(report: &mut Report, set: Option<&TrustedSet>, judged: bool) {
    let Some(set) = set else { return };
    if !judged {
        report.warnings.push(
            "no root is pinned: what the trust server shows is listed, not judged".to_owned(),
        );
    }
    report
        .warnings
        .extend(set.warnings().iter().map(ToString::to_string));
}

/// Why a pull would not take the image, by the trust data.
fn problem(set: &TrustedSet, subject: &Subject) -> Option<Problem> {
    let descriptor = &subject.descriptor;
    let pull = Requirement::default();
    let rejection = verify(
        subject.tag.as_ref(),
        &descriptor.digest,
        descriptor.size,
        set,
        &pull,
    )
    .err()?;
    Some(Failure::from(rejection).problem())
}

/// Every Notary Project signature as it is, with its chain and the time that its timestamp states; judged by
/// nothing but its own integrity.
async fn by_certificate(
    services: &Services,
    subject: &Subject,
    report: &mut Report,
) -> Result<Vec<SignatureReport>, Failure> {
    let listed = NotationSignatures::list(services, subject, ReferrersMode::Auto, &[]).await?;
    report.warnings.extend(listed.left());
    let found = listed.decode(services).await;
    let show = |(digest, decoded): (Digest, Result<Envelope, Problem>)| {
        let reference = Some(format!("{}@{digest}", subject.repository));
        match decoded {
            Ok(envelope) => SignatureReport {
                reference,
                envelope: Some(Box::new(said(&envelope))),
                ..notation_signature(&envelope, Status::Shown)
            },
            Err(problem) => SignatureReport {
                reference,
                reason: Some(problem.reason),
                ..SignatureReport::new(Format::Notation, problem.status())
            },
        }
    };
    Ok(found.into_iter().map(show).collect())
}

/// What an envelope says. That a token counts for something is not looked at here.
fn said(envelope: &Envelope) -> EnvelopeReport {
    let attributes = envelope.attributes();
    let token = envelope
        .token()
        .and_then(|token| TimestampToken::parse(token).ok());
    EnvelopeReport {
        media_type: envelope.kind().media_type().to_string(),
        algorithm: attributes.algorithm.name(),
        signing_time: attributes.signing_time,
        timestamp: token.map(|token| TimestampReport {
            time: token.time(),
            authority: token
                .signer()
                .ok()
                .map(|signer| signer.certificate.subject()),
        }),
        metadata: envelope.payload().metadata.clone(),
        agent: envelope.agent().map(ToOwned::to_owned),
    }
}

/// Every tag that a role holds; nothing is asked of the registry.
fn whole_repository(set: &TrustedSet, image: &Reference) -> Vec<ImageReport> {
    let entries = all_entries(set);
    let mut tags: Vec<&String> = entries.iter().map(|(_, tag, _)| tag).collect();
    tags.sort_unstable();
    tags.dedup();
    let report = |tag: &String| ImageReport {
        signatures: entries
            .iter()
            .filter(|(_, name, _)| name == tag)
            .map(|(role, name, entry)| {
                signature(
                    set,
                    role,
                    &format!("{}:{name}", image.repository),
                    entry,
                    Status::Shown,
                )
            })
            .collect(),
        ..ImageReport::named(format!("{}:{tag}", image.repository), Status::Shown)
    };
    tags.into_iter().map(report).collect()
}

/// One row per role that holds the tag, or the digest where no tag was named.
pub(super) fn signatures(set: &TrustedSet, subject: &Subject) -> Vec<SignatureReport> {
    let tag = subject.tag.as_ref().map(Tag::as_str);
    let digest = &subject.descriptor.digest;
    let entries = all_entries(set);
    let of_subject = entries
        .iter()
        .filter(|(_, name, entry)| tag.map_or(entry.digest == *digest, |tag| name == tag));
    of_subject
        .map(|(role, name, entry)| {
            let status = if entry.digest == *digest {
                Status::Shown
            } else {
                Status::Rejected
            };
            signature(
                set,
                role,
                &format!("{}:{name}", subject.repository),
                entry,
                status,
            )
        })
        .collect()
}

fn signature(
    set: &TrustedSet,
    role: &RoleName,
    image: &str,
    entry: &Entry,
    status: Status,
) -> SignatureReport {
    SignatureReport {
        signer: signer_name(role),
        key_id: set.signers(role).first().map(|by| by.key_id.to_string()),
        role: Some(role.to_string()),
        expires_at: set.targets(role).map(|file| file.expires),
        reference: Some(format!("{image}@{}", entry.digest)),
        reason: (status == Status::Rejected).then_some(crate::reason::Reason::DigestMismatch),
        chain: chain(set, role),
        ..SignatureReport::new(Format::Dct, status)
    }
}

/// Every entry of every role that is loaded: role, tag, image.
pub(super) fn all_entries(set: &TrustedSet) -> Vec<(RoleName, String, Entry)> {
    let of_role = |role: RoleName| {
        let entries = set
            .entries(&role)
            .filter_map(|(tag, meta)| Some((role.clone(), tag.to_owned(), Entry::of(meta)?)));
        entries.collect::<Vec<_>>()
    };
    set.loaded().into_iter().flat_map(of_role).collect()
}
