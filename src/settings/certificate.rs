//! Certificates in files that flags name, signed metadata, and addresses of services.

use std::{collections::BTreeMap, path::Path};

use url::Url;

use super::{SettingError, parse::without_login, read};
use crate::{
    crypto::Certificate,
    keys::{KeyReference, KeyRing},
    reason::Reason,
    report::Failure,
};

/// The certificates of a file, PEM or DER; `what` names it in errors.
pub(crate) fn certificates(what: &str, path: &Path) -> Result<Vec<Certificate>, SettingError> {
    let bytes = read(path, what)?;
    Certificate::chain_from_file(&bytes).map_err(|error| {
        SettingError::usage(format!("{what} `{}` is not usable", path.display()))
            .reason(Reason::ConfigInvalid)
            .cause(error)
    })
}

/// The certificates of signers in a PEM file.
pub(super) fn of_file(what: &str, path: &Path) -> Result<Vec<Certificate>, SettingError> {
    certificates(what, path).map_err(|error| {
        error
            .hint("a certificate is a PEM file, a name of `keys`, or a reference such as `akv:VAULT/certificates/NAME`")
    })
}

/// The certificates of signers that a key reference leads to; `what` names it in errors, and `reason` says what is wrong
/// where there are none.
pub(super) async fn of_key(
    what: &str,
    key: &KeyReference,
    keys: &KeyRing,
    reason: Reason,
) -> Result<Vec<Certificate>, Failure> {
    let found = keys.public(key, true).await?.certificates;
    if found.is_empty() {
        let error =
            SettingError::usage(format!("{what} leads to a bare key, not to a certificate"))
                .reason(reason);
        return Err(error
            .hint("`akv:VAULT/certificates/NAME` names a certificate")
            .into());
    }
    Ok(found)
}

/// The one certificate of a PEM file.
pub(crate) fn only_certificate(what: &str, path: &Path) -> Result<Certificate, SettingError> {
    let mut found = certificates(what, path)?;
    match (found.pop(), found.is_empty()) {
        (Some(only), true) => Ok(only),
        _ => Err(SettingError::usage(format!(
            "{what} `{}` contains more than one certificate",
            path.display()
        ))
        .reason(Reason::ConfigInvalid)),
    }
}

/// The address of a service that may be asked over plain http, too.
pub(crate) fn service_url(flag: &str, text: &str) -> Result<Url, SettingError> {
    let url = text
        .parse::<Url>()
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    url.ok_or_else(|| {
        SettingError::usage(format!(
            "`{flag} {}` is not an http or https address",
            without_login(text)
        ))
    })
}

/// `--annotation NAME=VALUE`, each name once.
pub(crate) fn annotations(values: &[String]) -> Result<BTreeMap<String, String>, SettingError> {
    let mut found = BTreeMap::new();
    for value in values {
        let pair = value
            .split_once('=')
            .filter(|(name, text)| !name.is_empty() && !text.is_empty());
        let (name, text) = pair.ok_or_else(|| {
            SettingError::usage(format!("`--annotation {value}` is not NAME=VALUE"))
        })?;
        if found.insert(name.to_owned(), text.to_owned()).is_some() {
            return Err(SettingError::usage(format!(
                "`--annotation {name}=…` is given twice"
            )));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn annotations_are_pairs_of_distinct_names() {
        let parse = |values: &[&str]| {
            annotations(
                &values
                    .iter()
                    .map(|&value| value.to_owned())
                    .collect::<Vec<_>>(),
            )
        };
        assert_eq!(parse(&["a=b", "c=d=e"]).unwrap()["c"], "d=e");
        for wrong in [&["a"][..], &["=b"], &["a="], &["a=b", "a=c"]] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
