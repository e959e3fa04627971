//! Whether a signature was made while its certificates were valid ("authentic timestamp"): by the
//! clock, by a timestamp token, or by the word of a signing authority.

use super::{
    Rejection,
    attributes::SigningScheme,
    bundle,
    chain::{self, ChainPurpose},
    encoding::CHAIN_LIMIT,
    envelope::Envelope,
    trust::{Trust, VerifyTimestamp},
};
use crate::{
    crypto::{Certificate, TimestampToken},
    timestamp::Timestamp,
};

/// A timestamp that proves the time of signing, unless its authority turns out to be revoked.
#[derive(Debug)]
pub(super) struct ProvenTime {
    pub(super) time: Timestamp,
    /// The chain of the authority, leaf first, root last.
    pub(super) chain: Vec<Certificate>,
}

/// Checks the time of signing. `None` where no token was needed.
pub(super) fn check(
    envelope: &Envelope,
    trust: &Trust,
    now: Timestamp,
) -> Result<Option<ProvenTime>, Rejection> {
    let attributes = envelope.attributes();
    let chain = envelope.chain();
    if attributes.scheme == SigningScheme::SigningAuthority {
        return valid_at(chain, attributes.signing_time).map(|()| None);
    }
    let ended = chain
        .iter()
        .any(|certificate| now > certificate.not_after());
    match &trust.timestamp_roots {
        Some(roots) if trust.verify_timestamp == VerifyTimestamp::Always || ended => {
            let roots = roots
                .as_ref()
                .map_err(|fault| Rejection::TimestampStore(fault.clone()))?;
            let token = envelope.token().ok_or(Rejection::TimestampMissing)?;
            let token = TimestampToken::parse(token).map_err(Rejection::Timestamp)?;
            prove(&token, envelope.signature(), chain, roots).map(Some)
        }
        Some(_) | None => valid_at(chain, now).map(|()| None),
    }
}

impl Envelope {
    /// Whether its timestamp proves under this root that its certificates were valid when it was
    /// signed. Nobody is asked whether the authority was revoked.
    pub fn is_stamped_under(&self, root: &Certificate) -> bool {
        let token = self
            .token()
            .and_then(|token| TimestampToken::parse(token).ok());
        let roots = std::slice::from_ref(root);
        token.is_some_and(|token| prove(&token, self.signature(), self.chain(), roots).is_ok())
    }
}

/// Every certificate must be valid at `time`.
fn valid_at(chain: &[Certificate], time: Timestamp) -> Result<(), Rejection> {
    for certificate in chain {
        if time < certificate.not_before() {
            return Err(Rejection::CertificateNotYetValid {
                subject: certificate.subject(),
                from: certificate.not_before(),
            });
        }
        if time > certificate.not_after() {
            return Err(Rejection::CertificateExpired {
                subject: certificate.subject(),
                until: certificate.not_after(),
            });
        }
    }
    Ok(())
}

/// What a token proves of `signature`: its signer leads to one of `roots` at the time of the token,
/// and `chain`, that of the image's signer, was valid then, give or take the token's accuracy.
pub(super) fn prove(
    token: &TimestampToken,
    signature: &[u8],
    chain: &[Certificate],
    roots: &[Certificate],
) -> Result<ProvenTime, Rejection> {
    token
        .require_message(signature)
        .map_err(Rejection::Timestamp)?;
    let signer = token.signer().map_err(Rejection::Timestamp)?;
    let time = token.time();
    let authority = authority_chain(signer.certificate, token.certificates(), roots, time)?;
    chain::check(&authority, ChainPurpose::Timestamping)
        .map_err(Rejection::TimestampCertificate)?;
    let stated = signer.signing_time.unwrap_or(time);
    for certificate in &authority {
        if !certificate.is_valid_at(time) || !certificate.is_valid_at(stated) {
            return Err(Rejection::TimestampAuthorityEnded {
                subject: certificate.subject(),
                time,
            });
        }
    }
    let accuracy = token.accuracy();
    for certificate in chain {
        let (from, until) = (certificate.not_before(), certificate.not_after());
        if from.plus(accuracy) > time || time.plus(accuracy) > until {
            return Err(Rejection::SignedOutside {
                subject: certificate.subject(),
                time,
                from,
                until,
            });
        }
    }
    Ok(ProvenTime {
        time,
        chain: authority,
    })
}

/// The way from an authority's certificate to a trusted root, at the time of the token: authorities
/// end long before what they stamped.
fn authority_chain(
    leaf: &Certificate,
    beside: &[Certificate],
    roots: &[Certificate],
    time: Timestamp,
) -> Result<Vec<Certificate>, Rejection> {
    let issuers: Vec<Certificate> = roots
        .iter()
        .chain(beside)
        .filter(|issuer| issuer.is_valid_at(time))
        .cloned()
        .collect();
    bundle::path(leaf, &issuers, |end| roots.contains(end), CHAIN_LIMIT).map_err(|_| {
        Rejection::TimestampUntrusted {
            subject: leaf.subject(),
        }
    })
}
