//! Which formats a run is about, and which of the other flags each of them takes.

use super::SettingError;
use crate::format::Format;

/// A flag, and whether a format takes it.
type Taken = (&'static str, fn(Format) -> bool);

/// The flags that only some formats take, by what such a format has; a flag that is not listed serves
/// all of them.
const TAKEN_BY: &[Taken] = &[
    ("--role", Format::has_root),
    ("--snapshot-key", Format::has_root),
    ("--signer", Format::has_root),
    ("--root", Format::has_root),
    ("--root-ca", Format::has_root),
    ("--trust-on-first-use", Format::has_root),
    // Of `verify`: the key of a signer. `sign` needs a key in every format.
    ("--key", Format::trusts_keys),
    ("--annotation", Format::signs_metadata),
    ("--recursive", Format::attaches_referrers),
    ("--envelope", Format::signs_with_certificate),
    ("--certificate-chain", Format::signs_with_certificate),
    ("--expiry", Format::signs_expiry),
    ("--timestamp-url", Format::signs_with_certificate),
    ("--referrers", Format::attaches_referrers),
    ("--certificate", Format::signs_with_certificate),
    ("--trust-policy", Format::signs_with_certificate),
];

/// `--format`: at least one, each once.
pub(crate) fn formats(given: &[Format]) -> Result<Vec<Format>, SettingError> {
    if given.is_empty() {
        return Err(SettingError::usage("no `--format` was given").hint(
            "there is no default, since a signature that nobody checks protects nothing: `--format notation` \
             (Notary Project; read by notation, Ratify and AKS) serves every registry, `--format dct` (Docker Content \
             Trust) those that have content trust, in ACR until 2028-03-31",
        ));
    }
    let mut formats: Vec<Format> = Vec::new();
    for format in given {
        if !formats.contains(format) {
            formats.push(*format);
        }
    }
    Ok(formats)
}

/// Refuses flags that were given, and that none of `formats` takes: whoever gives one expects it to count.
pub(crate) fn refuse_unused(formats: &[Format], given: &[&str]) -> Result<(), SettingError> {
    for (flag, takes) in TAKEN_BY {
        if given.contains(flag) && !formats.iter().any(|format| takes(*format)) {
            let takers: Vec<String> = Format::ALL
                .into_iter()
                .filter(|format| takes(*format))
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
    use crate::format::Format::{Dct, Notation};

    #[test]
    fn format_has_no_default() {
        let error = formats(&[]).unwrap_err();
        assert!(error.hint.unwrap().contains("dct"));
        assert_eq!(formats(&[Dct, Dct]).unwrap(), [Dct]);
    }

    #[test]
    fn an_option_that_no_format_takes_is_a_mistake() {
        assert!(refuse_unused(&[Notation], &[]).is_ok());
        assert!(refuse_unused(&[Notation, Dct], &["--role"]).is_ok());
        let error = refuse_unused(&[Notation], &["--role"]).unwrap_err();
        assert!(error.hint.unwrap().contains("--format dct"));
    }
}
