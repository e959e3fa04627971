//! The `sign` part: defaults for signing.

use serde_saphyr::Spanned;

use super::{Reader, SignDefaults, SignKey, located, place};
use crate::{
    format::InvalidFormat,
    policy::{
        document,
        error::{Located, PolicyError},
    },
};

impl Reader<'_> {
    pub(super) fn sign(&self, sign: document::Sign) -> Result<SignDefaults, PolicyError> {
        let key = match sign.key {
            None => None,
            Some(Spanned { value: document::SignKey::One(text), referenced, .. }) => {
                Some(SignKey::One(Located { text, place: place(referenced) }))
            }
            Some(keys) => {
                let at = place(keys.referenced);
                let document::SignKey::PerFormat(keys) = keys.value else { unreachable!("the other form was taken") };
                let of_format = |(name, key): (String, Spanned<String>)| {
                    let format = name.parse().map_err(|error: InvalidFormat| self.wrong(&key, error.to_string()))?;
                    Ok((format, located(key)))
                };
                let keys = keys.into_iter().map(of_format).collect::<Result<Vec<_>, PolicyError>>()?;
                if keys.is_empty() {
                    return Err(self.at(at, "`key` names no format"));
                }
                Some(SignKey::PerFormat(keys))
            }
        };
        Ok(SignDefaults {
            formats: self.each_if_given(sign.formats, "formats")?,
            key,
            root: self.each_if_given(sign.root, "root")?,
        })
    }
}
