//! Formats, and the key of each.

use super::{RunConfig, SettingError};
use crate::{format::Format, keys::KeyReference};

/// `--format`: at least one, each known, each once.
pub(crate) fn formats(values: &[String]) -> Result<Vec<Format>, SettingError> {
    let which = "the formats are: dct (Docker Content Trust, what content trust in ACR means until 2028), notation \
                 (Notary Project, its successor in ACR; read by notation, Ratify and AKS)";
    if values.is_empty() {
        return Err(SettingError::usage("no `--format` was given").hint(format!(
            "a signature in the wrong format is a false comfort, so there is no default; {which}"
        )));
    }
    let mut formats: Vec<Format> = Vec::new();
    for value in values {
        let format = value.parse().map_err(|_| {
            SettingError::usage(format!("`--format {value}` is not known")).hint(which)
        })?;
        if !formats.contains(&format) {
            formats.push(format);
        }
    }
    Ok(formats)
}

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

/// What was given, and which formats take it: an option that none of `formats` takes is a mistake.
pub(crate) fn taken(
    formats: &[Format],
    options: &[(&str, bool, &[Format])],
) -> Result<(), SettingError> {
    for (option, given, takers) in options {
        if *given && !takers.iter().any(|taker| formats.contains(taker)) {
            let takers: Vec<String> = takers
                .iter()
                .map(|taker| format!("`--format {taker}`"))
                .collect();
            return Err(
                SettingError::usage(format!("`{option}` has no meaning here"))
                    .hint(format!("it goes with {}", takers.join(" or "))),
            );
        }
    }
    Ok(())
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
    fn format_has_no_default() {
        let error = formats(&[]).unwrap_err();
        assert!(error.hint.unwrap().contains("dct"));
        assert_eq!(formats(&["dct".into(), "dct".into()]).unwrap().len(), 1);
        assert!(formats(&["notary".into()]).is_err());
    }

    #[test]
    fn an_option_that_no_format_takes_is_a_mistake() {
        let option = |given| [("--role", given, [Format::Dct].as_slice())];
        assert!(taken(&[Format::Notation], &option(false)).is_ok());
        assert!(taken(&[Format::Notation, Format::Dct], &option(true)).is_ok());
        let error = taken(&[Format::Notation], &option(true)).unwrap_err();
        assert!(error.hint.unwrap().contains("--format dct"));
    }

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
