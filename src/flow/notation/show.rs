//! Notary Project signatures as reports show them.

use super::{Judged, NotationFinding, NotationSignatures};
use crate::{
    crypto::{Certificate, TimestampToken},
    flow::Services,
    format::{Format, notation::Envelope},
    oci::{Digest, Repository, Subject},
    reason::Explain,
    registry::ReferrersMode,
    report::{
        EnvelopeReport, Failure, Link, Problem, Report, SignatureReport, Status, TimestampReport,
    },
    timestamp::Timestamp,
};

/// Every Notary Project signature as it is, with its chain and the time that its timestamp states; judged by
/// nothing but its own integrity.
pub(in crate::flow) async fn by_certificate(
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
                ..signature(&envelope, Status::Shown)
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

/// What an envelope says. That a token counts for something is not checked here.
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

/// What ends a signature first: its own expiry, or a certificate of its chain, which a timestamp outlives.
fn expires(envelope: &Envelope, is_stamped: bool) -> Option<Timestamp> {
    let certificates = envelope.chain().iter().map(Certificate::not_after);
    let certificates = certificates.filter(|_| !is_stamped);
    certificates.chain(envelope.attributes().expiry).min()
}

/// A signature as reports show it: who, when, until when, and its chain from the root to the leaf.
pub(in crate::flow) fn signature(envelope: &Envelope, status: Status) -> SignatureReport {
    let attributes = envelope.attributes();
    let stamped = envelope
        .token()
        .and_then(|token| TimestampToken::parse(token).ok())
        .map(|token| token.time());
    let link = |certificate: &Certificate| Link {
        name: certificate.subject(),
        key_id: Some(certificate.thumbprint_sha256()),
        version: None,
        expires_at: Some(certificate.not_after()),
    };
    SignatureReport {
        signer: envelope.leaf().map(Certificate::subject),
        key_id: envelope.leaf().map(Certificate::thumbprint_sha256),
        certificate: envelope.leaf().map(Certificate::subject),
        signed_at: Some(stamped.unwrap_or(attributes.signing_time)),
        expires_at: expires(envelope, stamped.is_some()),
        chain: envelope.chain().iter().rev().map(link).collect(),
        ..SignatureReport::new(Format::Notation, status)
    }
}

impl NotationFinding {
    /// As reports show it, with its reason where it does not count.
    pub fn report(&self, repository: &Repository) -> SignatureReport {
        let shown = match &self.judged {
            Judged::Verified(accepted) => {
                let signed = accepted.verified.signers().first();
                SignatureReport {
                    signed_at: accepted
                        .timestamp
                        .or(Some(accepted.envelope.attributes().signing_time)),
                    expires_at: signed.and_then(|signed| signed.expires),
                    ..signature(&accepted.envelope, Status::Verified)
                }
            }
            Judged::Exempt(exempted) => SignatureReport {
                reason: exempted.failures.first().map(Explain::reason),
                ..signature(&exempted.envelope, Status::Exempt)
            },
            Judged::Rejected {
                problem, envelope, ..
            } => {
                let status = problem.status();
                let shown = envelope
                    .as_deref()
                    .map(|envelope| signature(envelope, status));
                SignatureReport {
                    reason: Some(problem.reason),
                    ..shown.unwrap_or_else(|| SignatureReport::new(Format::Notation, status))
                }
            }
            Judged::Failed(problem) => SignatureReport {
                reason: Some(problem.reason),
                ..SignatureReport::new(Format::Notation, problem.status())
            },
        };
        SignatureReport {
            reference: Some(format!("{repository}@{}", self.manifest)),
            ..shown
        }
    }
}
