//! `key …`.

use super::Outcome;
use crate::{
    cli::KeyShow,
    crypto::Certificate,
    flow::Services,
    reason::Reason,
    report::{Failure, KeyCommands, KeyView, Problem, Report},
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
    let commands = part.object.as_ref().map_or_else(
        || KeyCommands {
            key: "az keyvault key create --vault-name VAULT --name NAME --kty EC --curve P-256 --ops sign verify".into(),
            certificate: "az keyvault certificate create --vault-name VAULT --name NAME".into(),
        },
        |object| KeyCommands {
            key: object.az_create_p256(),
            certificate: object.az_create_certificate(certificate.is_some()),
        },
    );
    let view = KeyView {
        name: reference.to_string(),
        key,
        certificate,
        in_vault: part.in_vault,
        unusable: part.unusable.as_deref().map(|error| Problem::of(error)),
        commands,
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
    let bytes = settings::read(path, "certificate")?;
    let chain =
        Certificate::chain_from_file(&bytes).map_err(|error| unusable(error.to_string()))?;
    let own = chain
        .into_iter()
        .find(|certificate| certificate.public_key() == key);
    Ok(own.ok_or_else(|| unusable("no certificate in it is of this key".to_owned()))?)
}
