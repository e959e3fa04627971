//! A `notation` demand.

use serde_saphyr::Spanned;

use super::{Reader, located, place};
use crate::{
    format::notation::{Action, Level, TrustedIdentities, TrustedIdentity},
    policy::{
        document,
        error::{Located, PolicyError},
        leaf::{NotationLeaf, NotationPins},
    },
};

/// Files and keys that one requirement may name in a list. Each is a file that is read or a request to a vault.
const NAMED: usize = 100;

impl Reader<'_> {
    pub(super) fn notation(
        &self,
        notation: Spanned<document::Notation>,
    ) -> Result<NotationLeaf, PolicyError> {
        let at = place(notation.referenced);
        let mut given = notation.value;
        let certificates = match (
            given.certificates.take(),
            given.trust_policy.take(),
            given.trust_store.take(),
        ) {
            (Some(certificates), None, None) => certificates,
            (None, Some(policy), Some(store)) => {
                if given.says_more_than_metadata() {
                    return Err(
                        self.at(at, "the trust policy says everything but `metadata` itself: leave the rest out")
                    );
                }
                let (trust_policy, trust_store) = (located(policy), located(store));
                return Ok(NotationLeaf::Policy {
                    trust_policy,
                    trust_store,
                    metadata: given.metadata(),
                });
            }
            (None, None, None) => {
                return Err(self.at(
                    at,
                    "`notation` requires `certificates`, or `trust-policy` with `trust-store`",
                ));
            }
            (None, _, _) => {
                return Err(self.at(at, "`trust-policy` and `trust-store` belong together"));
            }
            (Some(_), _, _) => {
                return Err(self.at(
                    at,
                    "`certificates` and `trust-policy` are two ways to trust: give one",
                ));
            }
        };
        let metadata = given.metadata();
        Ok(NotationLeaf::Pinned(Box::new(NotationPins {
            certificates: self.named(certificates, "certificates")?,
            identities: given
                .identities
                .map(|list| self.identities(list))
                .transpose()?,
            level: self.level(given.level.as_ref(), given.revocation.as_ref())?,
            metadata,
            timestamp_roots: match given.timestamp_roots {
                None => Vec::new(),
                Some(roots) => self.named(roots, "timestamp-roots")?,
            },
        })))
    }

    fn named(
        &self,
        list: Spanned<Vec<Spanned<String>>>,
        what: &str,
    ) -> Result<Vec<Located>, PolicyError> {
        let (at, named) = (place(list.referenced), self.distinct(list, what)?);
        if named.len() > NAMED {
            return Err(self.at(
                at,
                format!(
                    "`{what}` names {}, and at most {NAMED} are read",
                    named.len()
                ),
            ));
        }
        Ok(named.into_iter().map(located).collect())
    }

    fn identities(
        &self,
        list: Spanned<Vec<Spanned<String>>>,
    ) -> Result<TrustedIdentities, PolicyError> {
        let (at, identities) = (place(list.referenced), self.distinct(list, "identities")?);
        for identity in &identities {
            let alone = TrustedIdentities::parse(std::slice::from_ref(&identity.value));
            let parsed = alone.map_err(|error| self.wrong(identity, error.to_string()))?;
            let is_other = |one: &TrustedIdentity| matches!(one, TrustedIdentity::Other(_));
            if matches!(parsed, TrustedIdentities::Listed(listed) if listed.iter().any(is_other)) {
                let message = format!(
                    "`{}` cannot match any certificate: write `x509.subject: …`",
                    identity.value
                );
                return Err(self.wrong(identity, message));
            }
        }
        let texts: Vec<String> = identities
            .into_iter()
            .map(|identity| identity.value)
            .collect();
        TrustedIdentities::parse(&texts).map_err(|error| self.at(at, error.to_string()))
    }

    fn level(
        &self,
        level: Option<&Spanned<String>>,
        revocation: Option<&Spanned<String>>,
    ) -> Result<Level, PolicyError> {
        let base = match level.map(|level| (level, level.value.as_str())) {
            None | Some((_, "strict")) => Level::STRICT,
            Some((_, "permissive")) => Level::PERMISSIVE,
            Some((level, name @ ("audit" | "skip"))) => {
                let message = format!(
                    "`{name}` allows unproven images: to allow them, write `exempt` into the rule"
                );
                return Err(self.wrong(level, message));
            }
            Some((level, name)) => {
                return Err(self.wrong(
                    level,
                    format!("`{name}` is not a level (there are `strict` and `permissive`)"),
                ));
            }
        };
        let action = match revocation.map(|action| (action, action.value.as_str())) {
            None => return Ok(base),
            Some((_, "enforce")) => Action::Enforce,
            Some((_, "log")) => Action::Log,
            Some((_, "off")) => Action::Skip,
            Some((action, word)) => {
                return Err(self.wrong(
                    action,
                    format!("`{word}` is none of `enforce`, `log` and `off`"),
                ));
            }
        };
        Ok(base.with_revocation(action))
    }
}

impl document::Notation {
    fn says_more_than_metadata(&self) -> bool {
        let Self {
            identities,
            level,
            metadata: _,
            timestamp_roots,
            revocation,
            ..
        } = self;
        identities.is_some() || level.is_some() || timestamp_roots.is_some() || revocation.is_some()
    }

    fn metadata(&self) -> crate::format::notation::Metadata {
        self.metadata
            .iter()
            .map(|(name, value)| (name.clone(), value.value.clone()))
            .collect()
    }
}
