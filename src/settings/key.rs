//! The key of each format.

use super::{RunConfig, SettingError};
use crate::{format::Format, keys::KeyReference};

/// The one `--key` that serves `format`: `KEY`, or `FORMAT=KEY`; a name of the file is as good as a reference.
pub(crate) fn key_for(
    values: &[String],
    format: Format,
    config: &RunConfig<'_>,
) -> Result<KeyReference, SettingError> {
    let prefix = format!("{format}=");
    let own = values
        .iter()
        .filter_map(|value| value.strip_prefix(&prefix));
    let bare = values
        .iter()
        .filter(|value| !names_format(value))
        .map(String::as_str);
    let mut keys = own.chain(bare);
    match (keys.next(), keys.next()) {
        (Some(key), None) => config.key("--key", key),
        (None, _) => Err(
            SettingError::usage(format!("no `--key` was given for `{format}`"))
                .hint("akv:VAULT/keys/NAME, https://VAULT.vault.azure.net/keys/NAME or file:PATH"),
        ),
        (Some(_), Some(_)) => Err(SettingError::usage(format!(
            "more than one `--key` was given for `{format}`"
        ))),
    }
}

fn names_format(value: &str) -> bool {
    value
        .split_once('=')
        .is_some_and(|(name, _)| name.parse::<Format>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_per_format() {
        let config = RunConfig::new(&crate::cli::Config::default(), None).unwrap();
        let key = |values: &[&str]| {
            key_for(
                &values
                    .iter()
                    .map(|&value| value.to_owned())
                    .collect::<Vec<_>>(),
                Format::Dct,
                &config,
            )
        };
        assert!(key(&["file:a.pem"]).is_ok());
        assert!(key(&["dct=file:a.pem"]).is_ok());
        assert!(key(&["notation=file:a.pem", "dct=file:b.pem"]).is_ok());
        for wrong in [
            &[][..],
            &["file:a", "file:b"],
            &["notation=file:a"],
            &["release"],
        ] {
            assert!(key(wrong).is_err(), "{wrong:?}");
        }
    }
}
