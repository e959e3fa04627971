//! A chain out of an unordered bundle: the leaf by its key, each issuer by name and key. Never
//! fetches an issuer from an address that a certificate names.

use super::{
    chain::{self, ChainFault, ChainPurpose},
    encoding::CHAIN_LIMIT,
};
use crate::{
    crypto::{Certificate, PublicKey},
    timestamp::Timestamp,
};

/// Certificates that a bundle may hold: three chains of ten. Each is compared with every other one.
pub const BUNDLE_LIMIT: usize = 32;

/// Why a bundle holds no chain for a key.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BundleFault {
    /// More certificates than are read.
    #[error("{0} certificates, more than {BUNDLE_LIMIT}")]
    TooMany(usize),
    /// No certificate has the key.
    #[error("{}", no_leaf(*.0))]
    NoLeaf(usize),
    /// The issuers do not lead to a root.
    #[error("no chain leads from `{leaf}` to a root: the certificate of `{missing}` is not there")]
    NoRoot {
        /// The subject of the leaf.
        leaf: String,
        /// The issuer that is missing.
        missing: String,
    },
    /// The chain breaks a rule.
    #[error(transparent)]
    Chain(#[from] ChainFault),
    /// A certificate of the chain is not valid at the time.
    #[error("the certificate `{subject}` is valid from {from} to {until}")]
    NotValid {
        /// Its subject.
        subject: String,
        /// The first moment it is valid at.
        from: Timestamp,
        /// The last.
        until: Timestamp,
    },
}

fn no_leaf(certificates: usize) -> String {
    match certificates {
        0 => "there is no certificate for the signing key".to_owned(),
        1 => "the certificate is not for the signing key".to_owned(),
        more => format!("none of the {more} certificates is for the signing key"),
    }
}

/// The chain of the certificate that has `key`, leaf first, root last, with every rule kept and
/// everything valid at `now`. Certificates of other chains are left out.
pub fn chain_of(
    key: &PublicKey,
    bundle: &[Certificate],
    now: Timestamp,
) -> Result<Vec<Certificate>, BundleFault> {
    if bundle.len() > BUNDLE_LIMIT {
        return Err(BundleFault::TooMany(bundle.len()));
    }
    let leaves: Vec<&Certificate> = bundle
        .iter()
        .filter(|certificate| certificate.public_key() == key)
        .collect();
    let mut first = None;
    for leaf in leaves {
        match usable_chain(leaf, bundle, now) {
            Ok(chain) => return Ok(chain),
            Err(fault) => first = first.or(Some(fault)),
        }
    }
    Err(first.unwrap_or(BundleFault::NoLeaf(bundle.len())))
}

fn usable_chain(
    leaf: &Certificate,
    bundle: &[Certificate],
    now: Timestamp,
) -> Result<Vec<Certificate>, BundleFault> {
    let chain =
        path(leaf, bundle, Certificate::is_self_signed, CHAIN_LIMIT).map_err(|missing| {
            BundleFault::NoRoot {
                leaf: leaf.subject(),
                missing,
            }
        })?;
    chain::check(&chain, ChainPurpose::Signing)?;
    match chain
        .iter()
        .find(|certificate| !certificate.is_valid_at(now))
    {
        Some(ended) => Err(BundleFault::NotValid {
            subject: ended.subject(),
            from: ended.not_before(),
            until: ended.not_after(),
        }),
        None => Ok(chain),
    }
}

/// The shortest way from a certificate to one that may end it, or the issuer that is missing. Each
/// certificate is visited once, so a bundle of cross-signed issuers costs no more than its pairs.
pub(super) fn path(
    leaf: &Certificate,
    issuers: &[Certificate],
    may_end: impl Fn(&Certificate) -> bool,
    limit: usize,
) -> Result<Vec<Certificate>, String> {
    let mut missing = leaf.issuer();
    let mut ways = vec![vec![leaf]];
    let mut left: Vec<&Certificate> = issuers.iter().filter(|issuer| *issuer != leaf).collect();
    for _ in 0..limit {
        if let Some(whole) = ways
            .iter()
            .find(|way| way.last().is_some_and(|end| may_end(end)))
        {
            return Ok(whole
                .iter()
                .map(|certificate| (*certificate).clone())
                .collect());
        }
        let mut longer = Vec::new();
        for way in &ways {
            let Some(end) = way.last() else { continue };
            let (found, others): (Vec<_>, Vec<_>) = left
                .into_iter()
                .partition(|issuer| end.is_issued_by(issuer));
            left = others;
            if found.is_empty() {
                missing = end.issuer();
            }
            longer.extend(
                found
                    .into_iter()
                    .map(|issuer| [way.as_slice(), &[issuer]].concat()),
            );
        }
        ways = longer;
    }
    Err(missing)
}
