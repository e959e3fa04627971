//! Which formats a run is about, and which of the other flags each of them takes.

use super::SettingError;
use crate::format::Format::{self, Dct, Notation};

/// The flags that only some formats take; a flag that is not listed serves all of them.
const TAKEN_BY: &[(&str, &[Format])] = &[
    ("--role", &[Dct]),
    ("--signer", &[Dct]),
    ("--root", &[Dct]),
    ("--root-ca", &[Dct]),
    ("--trust-on-first-use", &[Dct]),
    // Of `verify`: the key of a signer. `sign` needs a key in every format.
    ("--key", &[Dct]),
    ("--annotation", &[Notation]),
    ("--recursive", &[Notation]),
    ("--envelope", &[Notation]),
    ("--certificate-chain", &[Notation]),
    ("--expiry", &[Notation]),
    ("--timestamp-url", &[Notation]),
    ("--referrers", &[Notation]),
    ("--certificate", &[Notation]),
    ("--trust-policy", &[Notation]),
];

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

/// Refuses flags that were given, and that none of `formats` takes: whoever gives one expects it to count.
pub(crate) fn refuse_unused(formats: &[Format], given: &[&str]) -> Result<(), SettingError> {
    for (flag, takers) in TAKEN_BY {
        if given.contains(flag) && !takers.iter().any(|taker| formats.contains(taker)) {
            let takers: Vec<String> = takers
                .iter()
                .map(|taker| format!("`--format {taker}`"))
                .collect();
            return Err(SettingError::usage(format!("`{flag}` has no meaning here"))
                .hint(format!("it goes with {}", takers.join(" or "))));
        }
    }
    Ok(())
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
        assert!(refuse_unused(&[Notation], &[]).is_ok());
        assert!(refuse_unused(&[Notation, Dct], &["--role"]).is_ok());
        let error = refuse_unused(&[Notation], &["--role"]).unwrap_err();
        assert!(error.hint.unwrap().contains("--format dct"));
    }
}
