//! Trust in Docker Content Trust data: a root pin, and who must have signed under it.

use std::collections::BTreeMap;

use crate::{
    cli::Verify,
    crypto::Certificate,
    format::dct::{RequiredSigner, Requirement, RoleName, RootTrust},
    keys::KeyRing,
    oci::Reference,
    policy::{DctLeaf, FormatRequirement, FormatTrust, RootPin},
    report::Failure,
    settings::{ConfigFile, RunConfig, SettingError, certificates, pin_for},
};

/// `--root`, `--root-ca` or `--trust-on-first-use`, with `--signer` and `--key`.
pub(super) async fn from_flags(
    arguments: &Verify,
    config: &RunConfig<'_>,
    images: &[Reference],
    keys: &KeyRing,
) -> Result<FormatRequirement, Failure> {
    let root = pin_for(&arguments.pin, images)?;
    let mut signers = Vec::new();
    for name in &arguments.signer {
        let role = RoleName::signer(name)
            .map_err(|error| SettingError::usage(format!("`--signer {name}`: {error}")))?;
        signers.push(RequiredSigner::Name(role));
    }
    for key in &arguments.key {
        let reference = config.key("--key", key.strip_prefix("dct=").unwrap_or(key))?;
        let part = keys.public(&reference, true).await?;
        signers.extend(part.keys.into_iter().map(RequiredSigner::Key));
    }
    let requirement = Requirement {
        signers,
        minimum_versions: BTreeMap::new(),
    };
    Ok(FormatRequirement {
        words: "dct, as flags say".to_owned(),
        trust: FormatTrust::Dct { root, requirement },
    })
}

/// `dct:` of a policy.
pub(super) fn from_policy(file: &ConfigFile, leaf: &DctLeaf) -> Result<FormatTrust, SettingError> {
    let root = match &leaf.root {
        RootPin::Keys(ids) => RootTrust::Keys(ids.clone()),
        RootPin::FirstUse => RootTrust::FirstUse,
        RootPin::Ca(_) => RootTrust::Ca(in_files(file, leaf)?),
    };
    let signers = leaf.signers.iter().cloned().map(RequiredSigner::Name);
    let requirement = Requirement {
        signers: signers.collect(),
        minimum_versions: leaf.minimum_versions.clone(),
    };
    Ok(FormatTrust::Dct { root, requirement })
}

/// The CA certificates that the leaf names.
pub(super) fn in_files(
    file: &ConfigFile,
    leaf: &DctLeaf,
) -> Result<Vec<Certificate>, SettingError> {
    match &leaf.root {
        RootPin::Ca(pem) => certificates(&file.what(pem, "root-ca"), &file.path(pem)),
        RootPin::Keys(_) | RootPin::FirstUse => Ok(Vec::new()),
    }
}
