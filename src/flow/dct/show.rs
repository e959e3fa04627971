//! Trust data as reports show it: entries of roles, what trust in a role hangs on, and the signer that it is named after.

use crate::{
    format::{
        Format, Identity, Signed, Verified,
        dct::{ImageHashes, Requirement, RoleName, TrustedSet, verify},
    },
    oci::{Reference, Subject, Tag},
    reason::Reason,
    report::{
        Failure, ImageReport, Link, Problem, SignatureReport, Status, all_entries, signer_name,
    },
};

/// What trust in a role hangs on: the root, and each role from `targets` down to it.
pub(in crate::flow) fn chain(set: &TrustedSet, role: &RoleName) -> Vec<Link> {
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
        key_id: root
            .key_ids(&RoleName::ROOT)
            .first()
            .map(ToString::to_string),
        version: Some(root.version.get()),
        expires_at: Some(root.expires),
    };
    std::iter::once(root)
        .chain(roles.into_iter().rev().map(of_role))
        .collect()
}

/// Why a pull would not take the image, by the trust data.
pub(in crate::flow) fn problem(set: &TrustedSet, subject: &Subject) -> Option<Problem> {
    let pull = Requirement::default();
    let rejection = verify(
        subject.tag.as_ref(),
        &ImageHashes::from(subject),
        set,
        &pull,
    )
    .err()?;
    Some(Failure::from(rejection).problem())
}

/// Every tag that a role holds; nothing is asked of the registry.
pub(in crate::flow) fn whole_repository(set: &TrustedSet, image: &Reference) -> Vec<ImageReport> {
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
pub(in crate::flow) fn signatures(set: &TrustedSet, subject: &Subject) -> Vec<SignatureReport> {
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
    entry: &ImageHashes,
    status: Status,
) -> SignatureReport {
    let chain = chain(set, role);
    SignatureReport {
        signer: signer_name(role),
        key_id: set.signers(role).first().map(|by| by.key_id.to_string()),
        role: Some(role.to_string()),
        expires_at: chain.iter().filter_map(|link| link.expires_at).min(),
        reference: Some(format!("{image}@{}", entry.digest)),
        reason: (status == Status::Rejected).then_some(Reason::DigestMismatch),
        chain,
        ..SignatureReport::new(Format::Dct, status)
    }
}

/// The signatures that a proof stands on, each with what its trust hangs on.
pub(super) fn proven_signatures(
    proof: &Verified,
    subject: &Subject,
    set: &TrustedSet,
) -> Vec<SignatureReport> {
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
