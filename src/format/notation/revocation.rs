//! Whether the certificates of a chain were revoked (RFC 6960, RFC 5280 §6.3), as steps: each
//! certificate says what it wants fetched next, all of them at once. Unknown is never good. Only
//! plain `http` addresses are named, as the standards have it; where they lead is the network's to
//! judge.

use super::{
    certificate_revocation::{CertificateRevocation, CertificateStatus},
    revocation_request::{RevocationAnswer, RevocationRequest},
};
use crate::{crypto::Certificate, timestamp::Timestamp};

/// What is known of a chain in the end.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum ChainStatus {
    Good,
    Revoked { subject: String, at: Timestamp },
    Unknown { subject: String, why: String },
}

/// The check of one chain.
#[derive(Debug)]
pub(super) struct ChainRevocation {
    certificates: Vec<CertificateRevocation>,
}

impl ChainRevocation {
    /// The check of every certificate but the root.
    pub(super) fn new(chain: &[Certificate], signed_at: Option<Timestamp>, now: Timestamp) -> Self {
        let pairs = chain.iter().zip(chain.iter().skip(1));
        Self {
            certificates: pairs
                .map(|(certificate, issuer)| {
                    CertificateRevocation::new(certificate, issuer, signed_at, now)
                })
                .collect(),
        }
    }

    /// What is wanted next, one request for each certificate that is not decided.
    pub(super) fn requests(&self) -> Vec<RevocationRequest> {
        self.certificates
            .iter()
            .filter_map(CertificateRevocation::request)
            .collect()
    }

    /// Takes an answer for each of the last requests, in their order.
    pub(super) fn answer(&mut self, answers: &mut impl Iterator<Item = RevocationAnswer>) {
        for certificate in self
            .certificates
            .iter_mut()
            .filter(|certificate| certificate.request().is_some())
        {
            let answer = answers
                .next()
                .unwrap_or_else(|| RevocationAnswer::Failed("no answer".to_owned()));
            certificate.answer(answer);
        }
    }

    /// Ends the check without asking anyone: what would have to be asked is unknown.
    pub(super) fn end_unasked(&mut self) {
        for certificate in &mut self.certificates {
            certificate.end_unasked();
        }
    }

    /// Revoked before unknown before good.
    pub(super) fn status(&self) -> ChainStatus {
        let mut unknown = None;
        for one in &self.certificates {
            let subject = one.subject();
            match one.status() {
                CertificateStatus::Good => {}
                CertificateStatus::Revoked(at) => return ChainStatus::Revoked { subject, at },
                CertificateStatus::Unknown(why) => {
                    unknown = unknown.or(Some(ChainStatus::Unknown { subject, why }));
                }
            }
        }
        unknown.unwrap_or(ChainStatus::Good)
    }
}
