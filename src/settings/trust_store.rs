//! notation's own trust policy and trust store, read as they lie in its configuration folder.

use std::{collections::BTreeMap, fs, io::Read as _, path::Path};

use bytes::Bytes;

use super::SettingError;
use crate::{
    crypto::Certificate,
    format::notation::{
        STORE_FILE_LIMIT, STORE_FILES, StoreFault, StoreName, TRUST_POLICY_LIMIT, TrustPolicy,
        trust_store,
    },
    reason::{Explain as _, Reason},
};

/// The certificates of each store that a policy names, or why a store cannot be used.
pub(crate) type TrustStores = BTreeMap<StoreName, Result<Vec<Certificate>, StoreFault>>;

/// `--trust-policy` and `--trust-store`. A store that cannot be used shows where a signature needs it.
pub(crate) fn trust_policy(
    policy: &Path,
    stores: &Path,
) -> Result<(TrustPolicy, TrustStores), SettingError> {
    let shown = policy.display();
    let bytes = read_bounded(policy, TRUST_POLICY_LIMIT).map_err(|error| {
        SettingError::usage(format!("trust policy `{shown}` cannot be read"))
            .reason(Reason::ConfigInvalid)
            .cause(error)
    })?;
    let usable =
        TrustPolicy::parse(&bytes).and_then(|policy| policy.check_spelling().map(|()| policy));
    let parsed = usable.map_err(|error| {
        let reason = error.reason();
        SettingError::usage(format!("trust policy `{shown}` is not usable"))
            .reason(reason)
            .cause(error)
    })?;
    if !stores.is_dir() {
        return Err(SettingError::usage(format!(
            "trust store `{}` is not a folder",
            stores.display()
        ))
        .reason(Reason::ConfigInvalid)
        .hint(
            "the folder that contains `x509`: notation's is `truststore` in its configuration folder",
        ));
    }
    let names = parsed
        .statements()
        .iter()
        .flat_map(|statement| statement.stores().to_vec());
    let found = names.map(|name| {
        let read = files(&stores.join(name.folder()))
            .map_err(|why| StoreFault::Unusable {
                store: name.clone(),
                why,
            })
            .and_then(|files| trust_store(&name, &files));
        (name, read)
    });
    let found = found.collect();
    Ok((parsed, found))
}

/// Every file of a store's folder; links and folders in it make it useless, as notation has it.
#[expect(
    clippy::disallowed_methods,
    reason = "settings are where named files become values"
)]
fn files(folder: &Path) -> Result<Vec<(String, Bytes)>, String> {
    let is_link = |path: &Path| fs::symlink_metadata(path).map(|found| found.is_symlink());
    if is_link(folder).map_err(|error| error.to_string())? {
        return Err("it is a link".into());
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| error.to_string())? {
        let path = entry.map_err(|error| error.to_string())?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let kind = fs::symlink_metadata(&path).map_err(|error| error.to_string())?;
        if !kind.is_file() {
            return Err(format!("`{name}` in it is a link or a folder"));
        }
        if found.len() >= STORE_FILES {
            return Err(format!("it contains more than {STORE_FILES} files"));
        }
        let bytes =
            read_bounded(&path, STORE_FILE_LIMIT).map_err(|error| format!("`{name}`: {error}"))?;
        found.push((name, bytes.into()));
    }
    found.sort();
    Ok(found)
}

/// A file that is no link, up to a limit: more is as good as one byte more, which its reader refuses.
#[expect(
    clippy::disallowed_methods,
    reason = "settings are where named files become values"
)]
fn read_bounded(path: &Path, limit: usize) -> std::io::Result<Vec<u8>> {
    if fs::symlink_metadata(path)?.is_symlink() {
        return Err(std::io::Error::other("it is a link"));
    }
    let mut bytes = Vec::new();
    let limit = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    fs::File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}
