//! `inspect`: everything that signs an image or a repository. Shows; judges only under a pin.

use super::{
    Failure, FlowError, Needed, Services,
    verify::{chain, signer_name},
};
use crate::{
    format::{
        Format,
        dct::{Entry, Requirement, RoleName, RootTrust, TrustedSet, verify},
    },
    oci::{Reference, Subject, Tag},
    report::{ImageReport, Report, SignatureReport, Status},
};

/// What to look at.
#[derive(Clone, Debug)]
pub struct InspectOptions {
    /// An image; without tag and digest: the whole repository.
    pub image: Reference,
    /// Trust in the root; without one nothing is judged.
    pub trust: Option<RootTrust>,
}

/// Fills the report: one image per tag, with one signature per role that holds it.
pub async fn inspect(services: &Services, options: &InspectOptions, report: &mut Report) -> Result<(), Failure> {
    let image = &options.image;
    let collection = services.collection(&image.repository);
    let judged = options.trust.is_some();
    if !judged {
        report.warnings.push("no root is pinned: what the trust server shows is listed, not judged".to_owned());
    }
    let trust = options.trust.clone().unwrap_or(RootTrust::FirstUse);
    let set = collection.load(&trust, &Needed::All, services.now).await?.ok_or_else(|| FlowError::NoTrustData {
        repository: image.repository.to_string(),
        server: collection.server_name(),
        gate: true,
    })?;
    report.warnings.extend(set.warnings().iter().map(ToString::to_string));
    if image.tag.is_none() && image.digest.is_none() {
        report.images = whole_repository(&set, image);
        return Ok(());
    }
    let resolved = services.registry.resolve(image).await?;
    let subject = Subject {
        repository: image.repository.clone(),
        tag: image.tag.clone(),
        descriptor: resolved.descriptor.clone(),
    };
    let descriptor = &subject.descriptor;
    let outcome = verify(subject.tag.as_ref(), &descriptor.digest, descriptor.size, &set, &Requirement::default());
    let mut shown = ImageReport {
        pinned: Some(subject.to_string()),
        digest: Some(subject.descriptor.digest.clone()),
        media_type: Some(subject.descriptor.media_type.to_string()),
        pushed: None,
        signatures: signatures(&set, &subject),
        ..ImageReport::named(image.to_string(), if judged { Status::Verified } else { Status::Shown })
    };
    if let Err(rejection) = outcome {
        shown.status = Status::Rejected;
        shown.problem = Some(Failure::from(rejection).problem());
    }
    report.images.push(shown);
    Ok(())
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
                signature(set, role, &format!("{}:{name}", image.repository), entry, Status::Shown)
            })
            .collect(),
        ..ImageReport::named(format!("{}:{tag}", image.repository), Status::Shown)
    };
    tags.into_iter().map(report).collect()
}

/// One row per role that holds the tag, or the digest where no tag was named.
fn signatures(set: &TrustedSet, subject: &Subject) -> Vec<SignatureReport> {
    let tag = subject.tag.as_ref().map(Tag::as_str);
    let digest = &subject.descriptor.digest;
    let entries = all_entries(set);
    let of_subject = entries.iter().filter(|(_, name, entry)| tag.map_or(entry.digest == *digest, |tag| name == tag));
    of_subject
        .map(|(role, name, entry)| {
            let status = if entry.digest == *digest { Status::Shown } else { Status::Rejected };
            signature(set, role, &format!("{}:{name}", subject.repository), entry, status)
        })
        .collect()
}

fn signature(set: &TrustedSet, role: &RoleName, image: &str, entry: &Entry, status: Status) -> SignatureReport {
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
        let entries =
            set.entries(&role).filter_map(|(tag, meta)| Some((role.clone(), tag.to_owned(), Entry::of(meta)?)));
        entries.collect::<Vec<_>>()
    };
    set.loaded().into_iter().flat_map(of_role).collect()
}
