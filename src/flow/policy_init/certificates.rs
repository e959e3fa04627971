//! Which certificates sign an image, and which authorities stamped that: each judged under the very pins that the policy
//! will have.

use std::collections::BTreeSet;

use super::{
    super::{Decided, NotationSignatures, Services},
    look::{Anchor, FoundSigner, ImageFindings},
};
use crate::{
    crypto::{Certificate, TimestampToken},
    format::notation::{
        Envelope, Level, Metadata, Pins, Trust, TrustedIdentities, TrustedIdentity, VerifyTimestamp,
    },
    oci::Subject,
    reason::Reason,
    registry::ReferrersMode,
    report::{Problem, SignatureReport, Status},
};

/// What a policy would pin for a signature: the root of its chain, for the leaf's subject; else the leaf itself.
#[derive(Clone)]
struct CertificatePin {
    certificate: Certificate,
    identity: Option<String>,
    /// The root of the authority that stamped it, and that authority.
    stamp: Option<Anchor>,
    /// The authority, where it stamped under a root that nobody knows.
    unknown_clock: Option<String>,
}

impl ImageFindings {
    /// Every certificate under which a signature of the image holds, with the root of a timestamp where it has one.
    pub(super) async fn add_certificates(
        &mut self,
        services: &Services,
        subject: &Subject,
        roots: &[Certificate],
    ) -> Result<(), Problem> {
        let listed = NotationSignatures::list(services, subject, ReferrersMode::Auto, &[]).await;
        let listed = listed.map_err(|failure| failure.problem())?;
        self.problems.extend(listed.left().map(|message| Problem {
            reason: Reason::LimitReached,
            message,
            causes: Vec::new(),
            hint: None,
        }));
        let mut pins = Vec::new();
        for (_, decoded) in listed.decode(services).await {
            match decoded {
                Ok(envelope) => pins.extend(CertificatePin::of(&envelope, roots)),
                Err(problem) => self.problems.push(problem),
            }
        }
        // Who demands a timestamp needs no second demand without one.
        pins.sort_by_key(|pin| pin.stamp.is_none());
        let mut tried = BTreeSet::new();
        for pin in pins {
            let Some(trust) = pin.trust() else { continue };
            if tried.insert(pin.signer()) && !self.has_stamped(&pin) {
                let judged = listed.judge(services, &trust, services.concurrency).await;
                let shown = judged
                    .findings
                    .iter()
                    .map(|finding| finding.report(&subject.repository))
                    .collect();
                match judged.decide() {
                    Ok(Decided::Verified(accepted)) => {
                        self.add_pin(pin, accepted.envelope.leaf(), shown);
                    }
                    Ok(Decided::Exempt(_)) => {}
                    Err(problem) => self.problems.push(Problem {
                        hint: pin.hint().or(problem.hint),
                        ..problem
                    }),
                }
            }
        }
        Ok(())
    }

    /// Whether a timestamp is required of this signer already.
    fn has_stamped(&self, pin: &CertificatePin) -> bool {
        let (own, whom) = (pin.certificate.thumbprint_sha256(), &pin.identity);
        self.found.iter().any(|signer| match signer {
            FoundSigner::Certificate {
                thumbprint,
                identity,
                stamp,
            } => stamp.is_some() && *thumbprint == own && identity == whom,
            FoundSigner::Role(_) => false,
        })
    }

    fn add_pin(
        &mut self,
        pin: CertificatePin,
        leaf: Option<&Certificate>,
        shown: Vec<SignatureReport>,
    ) {
        self.found.insert(pin.signer());
        let is_new = |known: &[SignatureReport], one: &SignatureReport| {
            one.status == Status::Verified
                && known.iter().all(|other| other.reference != one.reference)
        };
        for signature in shown {
            if is_new(&self.report.signatures, &signature) {
                self.report.signatures.push(signature);
            }
        }
        self.told.extend(
            pin.hint()
                .map(|hint| format!("no timestamp is required: {hint}")),
        );
        if let Some(timestamp_root) = pin.stamp {
            timestamp_root.add_to(&mut self.timestamp_roots);
        }
        let leaves = leaf.cloned().into_iter().collect();
        Anchor {
            certificate: pin.certificate,
            leaves,
        }
        .add_to(&mut self.anchors);
    }
}

impl CertificatePin {
    /// For the signature as it is: with its timestamp, where it has one under a root that is known; and without.
    fn of(envelope: &Envelope, roots: &[Certificate]) -> Vec<Self> {
        let (Some(leaf), Some(root)) = (envelope.leaf(), envelope.chain().last()) else {
            return Vec::new();
        };
        let identity = TrustedIdentity::naming(leaf).filter(|_| root.is_ca());
        let certificate = if identity.is_some() { root } else { leaf };
        let plain = Self {
            certificate: certificate.clone(),
            identity,
            stamp: None,
            unknown_clock: None,
        };
        let Some(token) = envelope
            .token()
            .and_then(|token| TimestampToken::parse(token).ok())
        else {
            return vec![plain];
        };
        let Ok(authority) = token.signer().map(|signer| signer.certificate) else {
            return vec![plain];
        };
        let own = token
            .certificates()
            .iter()
            .filter(|one| one.is_ca() && one.is_self_signed());
        let Some(root) = roots
            .iter()
            .chain(own)
            .find(|root| envelope.is_stamped_under(root))
        else {
            return vec![Self {
                unknown_clock: Some(authority.issuer()),
                ..plain
            }];
        };
        let timestamp_root = Anchor {
            certificate: root.clone(),
            leaves: vec![authority.clone()],
        };
        vec![
            Self {
                stamp: Some(timestamp_root),
                ..plain.clone()
            },
            plain,
        ]
    }

    fn signer(&self) -> FoundSigner {
        FoundSigner::Certificate {
            thumbprint: self.certificate.thumbprint_sha256(),
            identity: self.identity.clone(),
            stamp: self
                .stamp
                .as_ref()
                .map(|timestamp_root| timestamp_root.certificate.thumbprint_sha256()),
        }
    }

    /// The trust that a policy with this pin means.
    fn trust(&self) -> Option<Trust> {
        let identities = self
            .identity
            .as_ref()
            .map(|one| TrustedIdentities::parse(std::slice::from_ref(one)));
        let pins = Pins {
            certificates: vec![self.certificate.clone()],
            identities: identities.transpose().ok()?,
            level: Level::STRICT,
            timestamp_roots: self
                .stamp
                .iter()
                .map(|timestamp_root| timestamp_root.certificate.clone())
                .collect(),
            verify_timestamp: VerifyTimestamp::Always,
            metadata: Metadata::new(),
        };
        Trust::pinned(pins).ok()
    }

    /// How a timestamp could count that does not.
    fn hint(&self) -> Option<String> {
        let issuer = self.unknown_clock.as_ref()?;
        Some(format!(
            "its timestamp chains to `{issuer}`; give the root of that chain with `--timestamp-root-cert PEM`"
        ))
    }
}
