//! Which root keys are valid: the rules that notary has for a root key's certificate.
//!
//! The certificate's name is the only place where trust data names its repository (T22).

use spki::ObjectIdentifier;

use super::{fault::CertificateFault, key::Key, name::Gun};
use crate::{crypto::Certificate, timestamp::Timestamp};

/// How long before its first day a certificate is accepted: notary makes certificates valid from
/// the moment they are made, and the clock of the machine that made one may be ahead of ours.
const EARLY: std::time::Duration = std::time::Duration::from_secs(24 * 60 * 60);

/// Whether a root key is valid for `gun`. Dates are compared with `now` where a root is accepted,
/// and not where an older root vouches for a newer one.
pub(super) fn check(key: &Key, gun: &Gun, now: Option<Timestamp>) -> Result<(), CertificateFault> {
    if !key.is_certificate() {
        return Err(CertificateFault::Bare);
    }
    key.public_key()?;
    let certificates = key.certificates()?;
    let Some((leaf, others)) = certificates.split_first() else {
        return Err(CertificateFault::NoLeaf);
    };
    if leaf.is_ca() || !others.iter().all(Certificate::is_ca) {
        return Err(CertificateFault::NoLeaf);
    }
    let name = leaf.common_name().unwrap_or_default();
    if !is_for(&name, gun) {
        return Err(CertificateFault::OtherName {
            gun: gun.clone(),
            found: name.chars().take(300).collect(),
        });
    }
    match now {
        Some(now) if leaf.not_before() > now.plus(EARLY) => Err(CertificateFault::NotYetValid {
            from: leaf.not_before(),
        }),
        Some(now) if now > leaf.not_after() => Err(CertificateFault::Expired {
            until: leaf.not_after(),
        }),
        Some(_) | None => Ok(()),
    }
}

/// The name is the collection's, or a prefix of it followed by `*`.
fn is_for(name: &str, gun: &Gun) -> bool {
    name == gun.as_str()
        || name
            .strip_suffix('*')
            .is_some_and(|prefix| gun.as_str().starts_with(prefix))
}

/// Whether the certificate of a root key chains to one of `anchors`, through the CA certificates
/// beside it.
pub(super) fn chains_to(key: &Key, anchors: &[Certificate], now: Timestamp) -> bool {
    let Ok(certificates) = key.certificates() else {
        return false;
    };
    let Some((leaf, others)) = certificates.split_first() else {
        return false;
    };
    if leaf.has_unknown_critical_extension() {
        return false;
    }
    let mut left: Vec<&Certificate> = others.iter().collect();
    let mut ends = vec![(leaf, 0_u8)];
    // Each certificate of the bundle is visited once, so the work is bounded by its ten
    // certificates.
    while let Some((end, below)) = ends.pop() {
        let vouches =
            |issuer: &Certificate| may_issue(issuer, below, now) && end.is_issued_by(issuer);
        if anchors.iter().any(vouches) {
            return true;
        }
        let (issuers, others) = left
            .into_iter()
            .partition(|issuer| vouches(issuer) && may_issue_signers(issuer));
        left = others;
        ends.extend(Vec::into_iter(issuers).map(|issuer| (issuer, below.saturating_add(1))));
    }
    false
}

/// A CA with extended key usages issues for these alone; the pinned one is trusted whatever it
/// says.
fn may_issue_signers(issuer: &Certificate) -> bool {
    const CODE_SIGNING: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.3");
    const ANY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37.0");
    issuer.extended_key_usage_extension().is_ok_and(|usages| {
        usages.is_none_or(|usages| {
            usages.value.contains(&CODE_SIGNING) || usages.value.contains(&ANY_USAGE)
        })
    })
}

fn may_issue(issuer: &Certificate, below: u8, now: Timestamp) -> bool {
    issuer.is_ca()
        && issuer.path_length().is_none_or(|most| below <= most)
        && issuer.key_usage().is_none_or(|usage| usage.key_cert_sign())
        && !issuer.has_unknown_critical_extension()
        && !issuer.signed_with_sha1()
        && issuer.not_before() <= now
        && now <= issuer.not_after()
}
