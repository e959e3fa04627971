//! The rules for certificates and chains (Notary Project, "Certificate Requirements"), checked when
//! signing and when verifying, before anything is trusted. Stricter than notation where a rule of
//! RFC 5280 that it leaves out could be used by an attacker (D02, N11).

use spki::ObjectIdentifier;
use x509_cert::ext::pkix::KeyUsage;

use super::algorithm::Algorithm;
use crate::crypto::{Certificate, InvalidExtension, KeyKind, PublicKey};

const ANY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37.0");
const SERVER_AUTH: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.1");
const CLIENT_AUTH: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.2");
const EMAIL_PROTECTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.4");
const TIME_STAMPING: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.8");
const CODE_SIGNING: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.3");
const OCSP_SIGNING: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.9");
/// Uses that a signing leaf must not have.
const NOT_FOR_SIGNING: [ObjectIdentifier; 6] = [
    ANY_USAGE,
    SERVER_AUTH,
    CLIENT_AUTH,
    EMAIL_PROTECTION,
    TIME_STAMPING,
    OCSP_SIGNING,
];

/// What a chain is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ChainPurpose {
    /// Signing images.
    Signing,
    /// Signing timestamps.
    Timestamping,
}

/// A certificate of a chain breaks a rule.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("certificate {index} of the chain (`{subject}`) {fault}")]
pub struct ChainFault {
    /// Counted from the leaf, which is 0.
    pub index: usize,
    /// Its subject.
    pub subject: String,
    /// The rule.
    pub fault: CertificateFault,
}

/// Which rule a certificate breaks.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CertificateFault {
    /// An extension that must be known, and is not (D02).
    #[error("has an unknown critical extension")]
    UnknownExtension,
    /// Name constraints are not checked, so nothing with them is accepted (D02).
    #[error("has name constraints, which are not supported")]
    NameConstraints,
    /// An extension that cannot be read.
    #[error("cannot be used: {0}")]
    Extension(#[from] InvalidExtension),
    /// Signed over a hash that can be forged.
    #[error("was signed with SHA-1")]
    Sha1,
    /// It states two signature algorithms.
    #[error("states two different signature algorithms")]
    TwoAlgorithms,
    /// The next certificate is not its issuer.
    #[error("was not issued by the next one (`{next}`)")]
    NotIssuedByNext {
        /// The subject of the next certificate.
        next: String,
    },
    /// A self-signed certificate before the end.
    #[error("is self-signed, but not the last one")]
    SelfSignedInside,
    /// The chain does not end in a root.
    #[error("is the last one, but not self-signed: the root is missing")]
    NoRoot,
    /// A leaf that may issue certificates.
    #[error("is a CA, so it cannot sign")]
    LeafIsCa,
    /// No key usage.
    #[error("has no key usage")]
    NoKeyUsage,
    /// The key usage can be ignored.
    #[error("has a key usage that is not critical")]
    KeyUsageNotCritical,
    /// The key usage lacks what is needed.
    #[error("lacks the key usage {0}")]
    KeyUsageMissing(&'static str),
    /// The key usage allows what a signing key must not do.
    #[error("must not have the key usage {0}")]
    KeyUsageForbidden(&'static str),
    /// An extended key usage that must not be there.
    #[error("must not have the extended key usage {0}")]
    ExtendedKeyUsageForbidden(ObjectIdentifier),
    /// A CA that was made for something else.
    #[error("has extended key usages without {0}, so it may not issue such certificates")]
    NotForPurpose(&'static str),
    /// Not for timestamps, or not for them alone, or not critically so.
    #[error("must have a critical extended key usage of exactly timeStamping")]
    NotForTimestamps,
    /// A key that none of the six algorithms is for.
    #[error(
        "has a {0} key, which cannot sign (RSA-2048, RSA-3072, RSA-4096, P-256, P-384 and P-521 \
         can)"
    )]
    Key(KeyKind),
    /// A certificate above the leaf that is not a CA, or not critically so.
    #[error("must be a CA by critical basic constraints")]
    NotCa,
    /// More CAs below it than it allows.
    #[error("allows {allowed} CAs below it, but has {found}")]
    PathLength {
        /// How many it allows.
        allowed: u8,
        /// How many there are.
        found: usize,
    },
}

/// Keeps every rule, from the leaf to the root. Who reads or builds a chain bounds its length.
pub(super) fn check(chain: &[Certificate], purpose: ChainPurpose) -> Result<(), ChainFault> {
    for (index, certificate) in chain.iter().enumerate() {
        let next = chain.get(index + 1);
        let checked = check_any(certificate).and_then(|()| match index {
            0 => check_leaf(certificate, purpose),
            _ => check_ca(certificate, index - 1, purpose),
        });
        let checked = checked.and_then(|()| match (index, next) {
            // The root is where trust begins: what it is for is said by whoever trusts it.
            (0, _) | (_, None) => Ok(()),
            (_, Some(_)) => check_ca_purpose(certificate, purpose),
        });
        checked
            .and_then(|()| check_link(certificate, next))
            .map_err(|fault| ChainFault {
                index,
                subject: certificate.subject(),
                fault,
            })?;
    }
    Ok(())
}

/// What a leaf must be, alone: for a certificate that is to sign (`key show`).
pub fn check_signing_leaf(certificate: &Certificate) -> Result<(), CertificateFault> {
    check_any(certificate)?;
    check_leaf(certificate, ChainPurpose::Signing)
}

fn check_any(certificate: &Certificate) -> Result<(), CertificateFault> {
    if certificate.has_name_constraints() {
        return Err(CertificateFault::NameConstraints);
    }
    if certificate.has_unknown_critical_extension() {
        return Err(CertificateFault::UnknownExtension);
    }
    if certificate.signed_with_sha1() {
        return Err(CertificateFault::Sha1);
    }
    if !certificate.states_one_algorithm() {
        return Err(CertificateFault::TwoAlgorithms);
    }
    Ok(())
}

/// Issued by the next one, the last one by itself, and none before by itself. "Self-signed" is a
/// matter of keys: leaf and root may have one name.
fn check_link(
    certificate: &Certificate,
    next: Option<&Certificate>,
) -> Result<(), CertificateFault> {
    match next {
        None if certificate.is_self_signed() => Ok(()),
        None => Err(CertificateFault::NoRoot),
        Some(_) if certificate.is_self_signed() => Err(CertificateFault::SelfSignedInside),
        Some(next) if certificate.is_issued_by(next) => Ok(()),
        Some(next) => Err(CertificateFault::NotIssuedByNext {
            next: next.subject(),
        }),
    }
}

fn check_leaf(leaf: &Certificate, purpose: ChainPurpose) -> Result<(), CertificateFault> {
    if leaf
        .basic_constraints_extension()?
        .is_some_and(|constraints| constraints.value.ca)
    {
        return Err(CertificateFault::LeafIsCa);
    }
    let usage = key_usage(leaf, purpose)?;
    if !usage.digital_signature() {
        return Err(CertificateFault::KeyUsageMissing("digitalSignature"));
    }
    for (is_set, name) in [
        (usage.key_encipherment(), "keyEncipherment"),
        (usage.data_encipherment(), "dataEncipherment"),
        (usage.key_agreement(), "keyAgreement"),
        (usage.key_cert_sign(), "keyCertSign"),
        (usage.crl_sign(), "cRLSign"),
        (usage.encipher_only(), "encipherOnly"),
        (usage.decipher_only(), "decipherOnly"),
    ] {
        if is_set {
            return Err(CertificateFault::KeyUsageForbidden(name));
        }
    }
    check_extended_usage(leaf, purpose)?;
    require_algorithm(leaf.public_key())
}

fn check_extended_usage(leaf: &Certificate, purpose: ChainPurpose) -> Result<(), CertificateFault> {
    let usages = leaf.extended_key_usage_extension()?;
    match purpose {
        ChainPurpose::Signing => {
            let usages = usages.map(|usages| usages.value).unwrap_or_default();
            match usages
                .into_iter()
                .find(|usage| NOT_FOR_SIGNING.contains(usage))
            {
                Some(forbidden) => Err(CertificateFault::ExtendedKeyUsageForbidden(forbidden)),
                None => Ok(()),
            }
        }
        ChainPurpose::Timestamping => match usages {
            Some(usages) if usages.critical && usages.value == [TIME_STAMPING] => Ok(()),
            Some(_) | None => Err(CertificateFault::NotForTimestamps),
        },
    }
}

fn require_algorithm(key: &PublicKey) -> Result<(), CertificateFault> {
    match Algorithm::of(key.kind()) {
        Some(_) => Ok(()),
        None => Err(CertificateFault::Key(key.kind())),
    }
}

/// `below`: how many CAs are between it and the leaf.
fn check_ca(ca: &Certificate, below: usize, purpose: ChainPurpose) -> Result<(), CertificateFault> {
    let constraints = ca.basic_constraints_extension()?;
    let constraints =
        constraints.filter(|constraints| constraints.critical && constraints.value.ca);
    let constraints = constraints.ok_or(CertificateFault::NotCa)?;
    if let Some(allowed) = constraints.value.path_len_constraint
        && usize::from(allowed) < below
    {
        return Err(CertificateFault::PathLength {
            allowed,
            found: below,
        });
    }
    if key_usage(ca, purpose)?.key_cert_sign() {
        return Ok(());
    }
    Err(CertificateFault::KeyUsageMissing("keyCertSign"))
}

/// A CA with extended key usages issues for these alone, as Go, Windows and the CA/Browser Forum
/// read them; without the extension it is not limited. Below the root every CA is asked, since each
/// could name whomever it likes as signer (N14).
fn check_ca_purpose(ca: &Certificate, purpose: ChainPurpose) -> Result<(), CertificateFault> {
    let Some(usages) = ca.extended_key_usage_extension()? else {
        return Ok(());
    };
    let (needed, name) = match purpose {
        ChainPurpose::Signing => (CODE_SIGNING, "codeSigning"),
        ChainPurpose::Timestamping => (TIME_STAMPING, "timeStamping"),
    };
    if usages.value.contains(&needed) || usages.value.contains(&ANY_USAGE) {
        Ok(())
    } else {
        Err(CertificateFault::NotForPurpose(name))
    }
}

fn key_usage(
    certificate: &Certificate,
    purpose: ChainPurpose,
) -> Result<KeyUsage, CertificateFault> {
    let usage = certificate
        .key_usage_extension()?
        .ok_or(CertificateFault::NoKeyUsage)?;
    if purpose == ChainPurpose::Signing && !usage.critical {
        return Err(CertificateFault::KeyUsageNotCritical);
    }
    Ok(usage.value)
}
