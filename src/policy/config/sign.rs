//! The `sign` part: defaults for signing.

use std::collections::BTreeMap;

use serde_saphyr::Spanned;

use super::{Reader, SignDefaults, SignKey, located, place};
use crate::{
    duration::{self, InvalidDuration},
    format::{Format, InvalidFormat, notation::Metadata},
    policy::{
        document,
        error::{Located, Place, PolicyError},
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
            Some(Spanned {
                value: document::SignKey::PerFormat(keys),
                referenced,
                ..
            }) => {
                let at = place(referenced);
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
                    return Err(self.at(at, "`key` does not name a format"));
                }
                Some(SignKey::PerFormat(keys))
            }
        };
        let formats = self.each_if_given(sign.formats, "formats")?;
        let annotations = match sign.annotations {
            None => BTreeMap::new(),
            Some(annotations) => {
                let at = place(annotations.referenced);
                self.refuse_unused("annotations", at, &formats, Format::signs_metadata)?;
                self.annotations(annotations.value)?
            }
        };
        let expiry = match sign.expiry {
            None => None,
            Some(expiry) => {
                let at = place(expiry.referenced);
                self.refuse_unused("expiry", at, &formats, Format::signs_expiry)?;
                let invalid = |error: InvalidDuration| self.wrong(&expiry, error.to_string());
                Some(duration::parse(&expiry.value).map_err(invalid)?)
            }
        };
        Ok(SignDefaults {
            formats,
            key,
            root: self.each_if_given(sign.root, "root")?,
            annotations,
            expiry,
        })
    }

    /// Refuses a member that none of the formats takes; without formats in the file, flags name them.
    fn refuse_unused(
        &self,
        member: &str,
        at: Place,
        formats: &[Format],
        takes: fn(Format) -> bool,
    ) -> Result<(), PolicyError> {
        if formats.is_empty() || formats.iter().any(|format| takes(*format)) {
            return Ok(());
        }
        let takers: Vec<String> = Format::ALL
            .into_iter()
            .filter(|format| takes(*format))
            .map(|format| format!("`{format}`"))
            .collect();
        let takers = takers.join(" or ");
        Err(self.at(
            at,
            format!("`{member}` has no meaning here: it goes with {takers}"),
        ))
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
