//! A `dct` demand.

use std::{collections::BTreeMap, str::FromStr};

use serde_saphyr::Spanned;

use super::{Reader, located, place};
use crate::{
    format::dct::{InvalidRoleName, RoleName, Version},
    policy::{
        document::{self, Switch},
        error::PolicyError,
        leaf::{DctLeaf, RootPin},
    },
};

impl Reader<'_> {
    pub(super) fn dct(&self, dct: Spanned<document::Dct>) -> Result<DctLeaf, PolicyError> {
        let at = place(dct.referenced);
        let document::Dct {
            roots,
            root_ca,
            trust_on_first_use,
            signers,
            minimum_versions,
        } = dct.value;
        let root = match (roots, root_ca, trust_on_first_use) {
            (Some(roots), None, None) => RootPin::Keys(self.each(roots, "roots")?),
            (None, Some(file), None) => RootPin::Ca(located(file)),
            (
                None,
                None,
                Some(Spanned {
                    value: Switch(true),
                    ..
                }),
            ) => RootPin::FirstUse,
            (None, None, Some(no)) => {
                return Err(self.wrong(&no, "leave it out, and name `roots` or `root-ca`"));
            }
            (None, None, None) => {
                return Err(self.at(
                    at,
                    "`dct` requires one of `roots`, `root-ca`, `trust-on-first-use: true`",
                ));
            }
            _ => {
                return Err(self.at(
                    at,
                    "`roots`, `root-ca` and `trust-on-first-use` are three ways to trust: give one",
                ));
            }
        };
        let signers = match signers {
            None => Vec::new(),
            Some(names) => self
                .each::<Signer>(names, "signers")?
                .into_iter()
                .map(|signer| signer.0)
                .collect(),
        };
        let mut minimum = BTreeMap::new();
        for (name, version) in minimum_versions {
            let role: RoleName = name
                .parse()
                .map_err(|error: InvalidRoleName| self.wrong(&version, error.to_string()))?;
            let least = Version::new(version.value.0);
            minimum.insert(
                role,
                least.ok_or_else(|| self.wrong(&version, "versions start at 1"))?,
            );
        }
        Ok(DctLeaf {
            root,
            signers,
            minimum_versions: minimum,
        })
    }
}

/// A signer as people name it.
struct Signer(RoleName);

impl FromStr for Signer {
    type Err = InvalidRoleName;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        RoleName::signer(name).map(Self)
    }
}
