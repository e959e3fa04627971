//! The root pin.

use super::{SettingError, certificates, parse_each};
use crate::{
    cli,
    format::dct::{KeyId, RootTrust},
    oci::{Reference, Repository},
    reason::Reason,
};

/// The root pin, or `None` where none was given.
pub(crate) fn pin(flags: &cli::Pin) -> Result<Option<RootTrust>, SettingError> {
    let given = usize::from(!flags.root.is_empty())
        + usize::from(flags.root_ca.is_some())
        + usize::from(flags.trust_on_first_use);
    if given > 1 {
        return Err(SettingError::usage(
            "`--root`, `--root-ca` and `--trust-on-first-use` are three ways to trust: give one",
        ));
    }
    if let Some(path) = &flags.root_ca {
        return Ok(Some(RootTrust::Ca(certificates("--root-ca", path)?)));
    }
    if flags.trust_on_first_use {
        return Ok(Some(RootTrust::FirstUse));
    }
    if flags.root.is_empty() {
        return Ok(None);
    }
    Ok(Some(RootTrust::Keys(parse_each::<KeyId>(
        "--root",
        &flags.root,
    )?)))
}

/// The root pin of a command that cannot do without (T23, T32).
pub(crate) fn required_pin(
    flags: &cli::Pin,
    repository: &Repository,
) -> Result<RootTrust, SettingError> {
    pin(flags)?.ok_or_else(|| {
        SettingError::usage(format!("no root is pinned for `{repository}`")).reason(Reason::RootNotPinned).hint(format!(
            "run `acr-sign trust status {repository}`, compare the root key IDs with what the owner of the root key \
             says, and give one with `--root KEYID`"
        ))
    })
}

/// The pin that every named repository needs.
pub(crate) fn pin_for(flags: &cli::Pin, images: &[Reference]) -> Result<RootTrust, SettingError> {
    let first = images
        .first()
        .ok_or_else(|| SettingError::usage("no image was named").reason(Reason::NoImages))?;
    required_pin(flags, &first.repository)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t23_no_pin_is_a_usage_error() {
        let repository = Repository::named("contoso.azurecr.io/web").unwrap();
        let error = required_pin(&cli::Pin::default(), &repository).unwrap_err();
        assert_eq!(error.reason, Reason::RootNotPinned);
        assert!(
            error
                .hint
                .unwrap()
                .contains("acr-sign trust status contoso.azurecr.io/web")
        );
        let both = cli::Pin {
            root: vec!["a".repeat(64)],
            trust_on_first_use: true,
            root_ca: None,
            file: None,
        };
        assert_eq!(
            required_pin(&both, &repository).unwrap_err().reason,
            Reason::Usage
        );
    }
}
