//! The complete verification of one signature as a machine without I/O: the steps of the Notary
//! Project's "Trust Store and Trust Policy Specification", Signature Verification, are named beside
//! the checks.
//!
//! Two steps are made elsewhere than in the specification's order. What is signed is compared
//! before trust is judged, since it costs nothing and no level may skip it. Revocation is checked
//! last, and only where integrity and authenticity hold: no address that a certificate names is
//! contacted before (G18).

use super::{
    Rejection,
    attributes::SigningScheme,
    authentic_time::{self, ProvenTime},
    envelope::Envelope,
    level::{Action, Level},
    revocation::{ChainRevocation, ChainStatus},
    revocation_request::{RevocationAnswer, RevocationRequest},
    trust::Trust,
};
use crate::{
    crypto::Certificate,
    format::{Format, Identity, Signed, Verified},
    oci::{Descriptor, MediaType},
    timestamp::Timestamp,
};

/// What verification needs next, or its result.
#[derive(Debug)]
pub enum VerificationStep {
    /// Fetch what [`Verification::requests`] names, and hand the answers to [`Verification::step`].
    Revocation(Box<Verification>),
    /// Nothing more.
    Done(Verdict),
}

/// The result of a verification.
#[derive(Debug)]
pub enum Verdict {
    /// The signature satisfies the trust.
    Verified(Box<Accepted>),
    /// The policy lets it pass although the signer is not trusted. Never to be taken for verified.
    Exempt(Box<Exempted>),
    /// It does not satisfy the trust.
    Rejected(Box<Rejection>),
}

/// A proof, and what it stands on.
#[derive(Debug)]
pub struct Accepted {
    /// The proof.
    pub verified: Verified,
    /// The level that was asked.
    pub level: Level,
    /// What failed and was only recorded, since the level says so (N04).
    pub warnings: Vec<Rejection>,
    /// The signature.
    pub envelope: Envelope,
    /// The time that a timestamp proves, where one was needed.
    pub timestamp: Option<Timestamp>,
}

impl Accepted {
    /// This signature, whose proof stands on another of the same image as well, with what was
    /// recorded of both.
    #[must_use]
    pub fn with(mut self, other: Self) -> Self {
        self.verified = self.verified.with(other.verified);
        self.warnings.extend(other.warnings);
        self
    }
}

/// A signature whose signer is not trusted, under a policy that only records that.
#[derive(Debug)]
pub struct Exempted {
    /// The statement of the trust policy.
    pub statement: Option<String>,
    /// Everything that failed.
    pub failures: Vec<Rejection>,
    /// The signature.
    pub envelope: Envelope,
}

/// A verification under way.
#[derive(Debug)]
pub struct Verification {
    subject: Descriptor,
    envelope: Envelope,
    statement: Option<String>,
    level: Level,
    failures: Vec<Rejection>,
    is_authentic: bool,
    proven: Option<ProvenTime>,
    authority: ChainRevocation,
    signer: ChainRevocation,
    requests: Vec<RevocationRequest>,
}

/// Judges a signature of `subject` at `now`. Rejects it at the first check that the level enforces.
pub fn verify(
    subject: &Descriptor,
    media_type: &MediaType,
    envelope: &[u8],
    trust: &Trust,
    now: Timestamp,
) -> VerificationStep {
    match Verification::start(subject, media_type, envelope, trust, now) {
        Ok(verification) => verification.next(),
        Err(rejection) => VerificationStep::Done(Verdict::Rejected(Box::new(rejection))),
    }
}

impl Verification {
    /// Everything that needs no network.
    fn start(
        subject: &Descriptor,
        media_type: &MediaType,
        envelope: &[u8],
        trust: &Trust,
        now: Timestamp,
    ) -> Result<Self, Rejection> {
        // Steps 1 to 3, integrity: format, headers, certificate rules and signature. Enforced at
        // every level.
        let envelope = Envelope::read(media_type, envelope)?;
        // A signer that requires a plug-in must not be accepted without it, at any level (N07).
        if let Some(name) = &envelope.attributes().plugin {
            return Err(Rejection::PluginRequired { name: name.clone() });
        }
        // Media type, digest and size of the payload are those of the image (N10).
        if envelope.payload().target != *subject {
            let (expected, found) = (subject.clone(), envelope.payload().target.clone());
            return Err(Rejection::OtherTarget { expected, found });
        }
        // Step 4, authenticity: a certificate of the chain is in a trust store, and the leaf's
        // subject is a trusted identity.
        let (level, mut failures) = (trust.level, Vec::new());
        let authenticity = check_authenticity(&envelope, trust);
        let is_authentic = authenticity.is_ok();
        record(level, authenticity, &mut failures)?;
        // Not a step of the specification: `notation verify --user-metadata` requires it at every
        // level.
        check_metadata(&envelope, trust)?;
        // Step 5, expiry of the signature.
        record(level, check_expiry(&envelope, now), &mut failures)?;
        // Step 6, authentic timestamp: signed while every certificate of the chain was valid.
        let proven = record(
            level,
            authentic_time::check(&envelope, trust, now),
            &mut failures,
        )?
        .flatten();

        // Step 7, revocation. At the level `skip` of this check the signer's chain is not asked
        // about; a timestamp authority's always is, since its word stands in for the clock (N06).
        let vouched = (envelope.attributes().scheme == SigningScheme::SigningAuthority)
            .then_some(envelope.attributes().signing_time);
        let authority = proven
            .as_ref()
            .map(|proven| proven.chain.as_slice())
            .unwrap_or_default();
        let signer = if level.revocation == Action::Skip {
            &[]
        } else {
            envelope.chain()
        };
        let (mut authority, mut signer) = (
            ChainRevocation::new(authority, None, now),
            ChainRevocation::new(signer, vouched, now),
        );
        if !is_authentic {
            authority.end_unasked();
            signer.end_unasked();
        }
        Ok(Self {
            subject: subject.clone(),
            envelope,
            statement: trust.statement.clone(),
            level,
            failures,
            is_authentic,
            proven,
            authority,
            signer,
            requests: Vec::new(),
        })
    }

    /// What must be fetched, all at once; later only what the last answers left open.
    pub fn requests(&self) -> &[RevocationRequest] {
        &self.requests
    }

    /// Takes one answer for each of the requests, in their order.
    pub fn step(mut self, answers: Vec<RevocationAnswer>) -> VerificationStep {
        let mut answers = answers.into_iter();
        self.authority.answer(&mut answers);
        self.signer.answer(&mut answers);
        self.next()
    }

    fn next(mut self) -> VerificationStep {
        self.requests = self.authority.requests();
        self.requests.extend(self.signer.requests());
        if self.requests.is_empty() {
            VerificationStep::Done(
                self.end()
                    .unwrap_or_else(|rejection| Verdict::Rejected(Box::new(rejection))),
            )
        } else {
            VerificationStep::Revocation(Box::new(self))
        }
    }

    fn end(mut self) -> Result<Verdict, Rejection> {
        let authority = match self.authority.status() {
            ChainStatus::Good => Ok(()),
            ChainStatus::Revoked { subject, at } => {
                Err(Rejection::TimestampRevoked { subject, at })
            }
            ChainStatus::Unknown { subject, why } => {
                Err(Rejection::TimestampRevocationUnknown { subject, why })
            }
        };
        let is_proven = authority.is_ok();
        record(self.level, authority, &mut self.failures)?;
        let signer = match self.signer.status() {
            ChainStatus::Good => Ok(()),
            ChainStatus::Revoked { subject, at } => Err(Rejection::Revoked { subject, at }),
            ChainStatus::Unknown { subject, why } => {
                Err(Rejection::RevocationUnknown { subject, why })
            }
        };
        record(self.level, signer, &mut self.failures)?;
        let timestamp = self.proven.map(|proven| proven.time).filter(|_| is_proven);
        let Some(leaf) = self.envelope.leaf().filter(|_| self.is_authentic) else {
            let (statement, failures, envelope) = (self.statement, self.failures, self.envelope);
            return Ok(Verdict::Exempt(Box::new(Exempted {
                statement,
                failures,
                envelope,
            })));
        };
        let signed = signed(&self.envelope, leaf, timestamp);
        Ok(Verdict::Verified(Box::new(Accepted {
            verified: Verified::new(self.subject.digest, Format::Notation, vec![signed]),
            level: self.level,
            warnings: self.failures,
            envelope: self.envelope,
            timestamp,
        })))
    }
}

fn signed(envelope: &Envelope, leaf: &Certificate, timestamp: Option<Timestamp>) -> Signed {
    let attributes = envelope.attributes();
    let is_timeless = timestamp.is_some() || attributes.scheme == SigningScheme::SigningAuthority;
    let end = envelope
        .chain()
        .iter()
        .map(Certificate::not_after)
        .min()
        .filter(|_| !is_timeless);
    Signed {
        by: Identity::Certificate {
            subject: leaf.subject(),
            thumbprint: leaf.thumbprint_sha256(),
        },
        key: leaf.public_key().clone(),
        signed_at: Some(timestamp.unwrap_or(attributes.signing_time)),
        expires: attributes.expiry.into_iter().chain(end).min(),
    }
}

/// What a check gives; a failure is recorded where the level says so, else it ends everything.
fn record<T>(
    level: Level,
    checked: Result<T, Rejection>,
    failures: &mut Vec<Rejection>,
) -> Result<Option<T>, Rejection> {
    match checked {
        Ok(value) => Ok(Some(value)),
        Err(failure) => match level.action(failure.step()) {
            Action::Enforce => Err(failure),
            Action::Log => {
                failures.push(failure);
                Ok(None)
            }
            Action::Skip => Ok(None),
        },
    }
}

fn check_authenticity(envelope: &Envelope, trust: &Trust) -> Result<(), Rejection> {
    let anchors = match envelope.attributes().scheme {
        SigningScheme::X509 => &trust.signers,
        SigningScheme::SigningAuthority => &trust.authorities,
    };
    let anchors = anchors
        .as_ref()
        .map_err(|fault| Rejection::Store(fault.clone()))?;
    let (Some(leaf), Some(root)) = (envelope.chain().first(), envelope.chain().last()) else {
        return Err(Rejection::Untrusted {
            leaf: String::new(),
            root: String::new(),
        });
    };
    if !envelope
        .chain()
        .iter()
        .any(|certificate| anchors.contains(certificate))
    {
        return Err(Rejection::Untrusted {
            leaf: leaf.subject(),
            root: root.subject(),
        });
    }
    trust.identities.require(leaf).map_err(Rejection::Identity)
}

fn check_metadata(envelope: &Envelope, trust: &Trust) -> Result<(), Rejection> {
    let signed = &envelope.payload().metadata;
    match trust
        .metadata
        .iter()
        .find(|(name, value)| signed.get(name) != Some(value))
    {
        Some((name, expected)) => Err(Rejection::Metadata {
            name: name.clone(),
            expected: expected.clone(),
            found: signed.get(name).cloned(),
        }),
        None => Ok(()),
    }
}

fn check_expiry(envelope: &Envelope, now: Timestamp) -> Result<(), Rejection> {
    match envelope.attributes().expiry {
        Some(at) if now >= at => Err(Rejection::Expired { at }),
        Some(_) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::notation::Check;

    #[test]
    fn integrity_decides_at_every_level() {
        for level in [Level::STRICT, Level::PERMISSIVE, Level::AUDIT] {
            for check in [
                Check::Manifest,
                Check::Integrity,
                Check::Plugin,
                Check::Payload,
                Check::Metadata,
            ] {
                assert_eq!(
                    level.action(check),
                    Action::Enforce,
                    "{} {check:?}",
                    level.name()
                );
            }
        }
    }
}
