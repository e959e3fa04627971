//! Where a revocation list is kept (RFC 5280 §4.2.1.13), and under which names it is known.
//!
//! A CA may divide its list: each part names its distribution point, and says nothing about
//! certificates of another one. So an address never goes without the names beside it.

use std::sync::Arc;

use der::{Encode as _, Reader as _, SliceReader};
use x509_cert::ext::pkix::{
    CrlDistributionPoints,
    crl::dp::DistributionPoint,
    name::{DistributionPointName, GeneralName},
};

use super::der_reader::{context, expect, next_is, optional, whole};

/// An address at which a list is kept.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ListAddress {
    /// The address; of whatever scheme.
    pub url: String,
    /// Every name of its distribution point, each as the DER of a `GeneralName`.
    names: Arc<[Vec<u8>]>,
}

/// Why nobody here can tell which list a distribution point means.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum InvalidPoint {
    /// There is a list, and no address of it.
    #[error("a distribution point without an address")]
    NoAddress,
    /// A list for some reasons only: it does not say whether the certificate was revoked for
    /// another.
    #[error("a distribution point for some reasons only")]
    SomeReasons,
    /// A list of another issuer, whose certificate is not at hand.
    #[error("a distribution point of another issuer")]
    OtherIssuer,
}

impl ListAddress {
    /// Whether a list whose scope has these names is one of this distribution point (RFC 5280
    /// §6.3.3 (b)(2)(i)): a list without names is, one with names must share a name.
    pub(super) fn has_any_of(&self, names: Option<&[Vec<u8>]>) -> bool {
        names.is_none_or(|names| names.iter().any(|name| self.names.contains(name)))
    }

    /// The addresses of all points, in order. Refuses points that are not understood.
    pub(super) fn all(points: &CrlDistributionPoints) -> Result<Vec<Self>, InvalidPoint> {
        let mut addresses = Vec::new();
        for point in &points.0 {
            addresses.extend(Self::of_point(point)?);
        }
        Ok(addresses)
    }

    fn of_point(point: &DistributionPoint) -> Result<Vec<Self>, InvalidPoint> {
        if point.reasons.is_some() {
            return Err(InvalidPoint::SomeReasons);
        }
        if point.crl_issuer.is_some() {
            return Err(InvalidPoint::OtherIssuer);
        }
        let Some(DistributionPointName::FullName(all)) = &point.distribution_point else {
            return Err(InvalidPoint::NoAddress);
        };
        let names: Arc<[Vec<u8>]> = all.iter().filter_map(|name| name.to_der().ok()).collect();
        let urls: Vec<Self> = all
            .iter()
            .filter_map(|name| match name {
                GeneralName::UniformResourceIdentifier(url) => Some(url.as_str().to_owned()),
                _ => None,
            })
            .map(|url| Self {
                url,
                names: Arc::clone(&names),
            })
            .collect();
        if urls.is_empty() {
            Err(InvalidPoint::NoAddress)
        } else {
            Ok(urls)
        }
    }
}

/// The names of an issuing distribution point; `None` where it has none. A name relative to the
/// issuer is in no form that an address has, so nothing matches it.
pub(super) fn names(point: &mut SliceReader<'_>) -> der::Result<Option<Vec<Vec<u8>>>> {
    let Some(mut choice) = optional(point, context(0))? else {
        return Ok(None);
    };
    let mut found = Vec::new();
    if next_is(&choice, context(0)) {
        let mut names = expect(&mut choice, context(0))?;
        while !names.is_finished() {
            found.push(whole(&mut names)?.to_vec());
        }
    } else {
        expect(&mut choice, context(1))?;
    }
    choice.finish()?;
    Ok(Some(found))
}
