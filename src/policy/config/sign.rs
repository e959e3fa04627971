//! The `sign` part: defaults for signing.

use std::collections::BTreeMap;

use serde_saphyr::Spanned;

use super::{Reader, SignDefaults, SignKey, located, place};
use crate::{
    duration,
    format::{Format, InvalidFormat, notation::Metadata},
    policy::{
        document,
        error::{Located, PolicyError},
    },
};

impl Reader<'_> {
    pub(super) fn sign(&self, sign: document::Sign) -> Result<SignDefaults, PolicyError> {
        let key = match sign.key {
            None => None,
            Some(Spanned {
                value: document::SignKey::One(text),
                referenced,
                ..
            }) => Some(SignKey::One(Located {
                text,
                place: place(referenced),
            })),
            Some(keys) => {
                let at = place(keys.referenced);
                let document::SignKey::PerFormat(keys) = keys.value else {
                    unreachable!("the other form was taken")
                };
                let of_format = |(name, key): (String, Spanned<String>)| {
                    let format = name
                        .parse()
                        .map_err(|error: InvalidFormat| self.wrong(&key, error.to_string()))?;
                    Ok((format, located(key)))
                };
                let keys = keys
                    .into_iter()
                    .map(of_format)
                    .collect::<Result<Vec<_>, PolicyError>>()?;
                if keys.is_empty() {
                    return Err(self.at(at, "`key` names no format"));
                }
                Some(SignKey::PerFormat(keys))
            }
        };
        let formats = self.each_if_given(sign.formats, "formats")?;
        let takes_none = !formats.is_empty() && !formats.contains(&Format::Notation);
        let meaningless = |at, what| {
            self.at(
                at,
                format!("`{what}` has no meaning here: it goes with `notation`"),
            )
        };
        let annotations = match sign.annotations {
            None => BTreeMap::new(),
            Some(annotations) if takes_none => {
                return Err(meaningless(place(annotations.referenced), "annotations"));
            }
            Some(annotations) => self.annotations(annotations.value)?,
        };
        let expiry = match sign.expiry {
            None => None,
            Some(expiry) if takes_none => {
                return Err(meaningless(place(expiry.referenced), "expiry"));
            }
            Some(expiry) => Some(
                duration::parse(&expiry.value)
                    .map_err(|error| self.wrong(&expiry, error.to_string()))?,
            ),
        };
        Ok(SignDefaults {
            formats,
            key,
            root: self.each_if_given(sign.root, "root")?,
            annotations,
            expiry,
        })
    }

    fn annotations(
        &self,
        given: BTreeMap<String, Spanned<String>>,
    ) -> Result<Metadata, PolicyError> {
        let pair = |(name, value): (String, Spanned<String>)| {
            if name.is_empty() || value.value.is_empty() {
                return Err(self.wrong(&value, "an annotation has a name and a value"));
            }
            Ok((name, value.value))
        };
        given.into_iter().map(pair).collect()
    }
}
