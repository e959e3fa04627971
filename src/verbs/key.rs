//! `key …`.

use super::Outcome;
use crate::{
    cli::KeyShow,
    crypto::Certificate,
    flow::Services,
    reason::Reason,
    report::{Failure, KeyView, Report},
    settings::{self, RunConfig, SettingError},
};

pub(super) async fn run_key_show(
    arguments: &KeyShow,
    services: &Services,
) -> Result<Outcome, Failure> {
    let config = RunConfig::new(&arguments.config, Some(&services.folder))?;
    let reference = config.key("KEY", &arguments.key)?;
    let part = services.keys.public(&reference, false).await?;
    let key = part
        .keys
        .into_iter()
        .next()
        .ok_or_else(|| SettingError::usage("the key has no version"))?;
    let certificate = match &arguments.certificate {
        None => part.certificates.into_iter().next(),
        Some(path) => Some(certificate_of(path, &key)?),
    };
    let view = KeyView {
        name: reference.to_string(),
        key,
        certificate,
        in_vault: part.in_vault,
    };
    Ok(Outcome {
        report: Report::new("key show"),
        text: view.text(),
        json: Some(view.json()),
    })
}

fn certificate_of(
    path: &std::path::Path,
    key: &crate::crypto::PublicKey,
) -> Result<Certificate, Failure> {
    let unusable = |why: String| {
        SettingError::usage(format!("`--certificate {}`: {why}", path.display()))
            .reason(Reason::ConfigInvalid)
    };
    let pem = settings::read(path, "certificate")?;
    let chain = Certificate::chain_from_pem(&String::from_utf8_lossy(&pem))
        .map_err(|error| unusable(error.to_string()))?;
    let own = chain
        .into_iter()
        .find(|certificate| certificate.public_key() == key);
    Ok(own.ok_or_else(|| unusable("no certificate in it is of this key".to_owned()))?)
}
