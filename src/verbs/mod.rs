//! The verbs: each turns its arguments into options for a flow, and the flow's findings into an outcome.

mod inspect;
mod key;
mod policy;
mod sign;
mod sources;
mod trust;
mod verify;

use std::sync::Arc;

pub(crate) use self::policy::run_policy_check;
use crate::{
    cli::{Command, Key, Pin, Policy, Signer, Trust},
    flow::{Failure, Services},
    format::dct::{Key as DctKey, RootTrust},
    keys::KeyReference,
    oci::Reference,
    reason::Reason,
    report::Report,
    run::Outcome,
    settings::{self, SettingError},
};

/// Runs the verb.
pub(crate) async fn run(command: &Command, services: &Services) -> Result<Outcome, Failure> {
    match command {
        Command::Sign(arguments) => sign::run_sign(arguments, services).await,
        Command::Verify(arguments) => verify::run_verify(arguments, services).await,
        Command::Inspect(arguments) => inspect::run_inspect(arguments, services).await,
        Command::Policy(Policy::Init(arguments)) => policy::run_init(arguments, services).await,
        Command::Trust(Trust::Init(arguments)) => trust::run_init(arguments, services).await,
        Command::Trust(Trust::Status(arguments)) => trust::run_status(arguments, services).await,
        Command::Trust(Trust::Signer(Signer::Add(arguments))) => {
            trust::run_signer_add(arguments, services).await
        }
        Command::Trust(Trust::Revoke(arguments)) => trust::run_revoke(arguments, services).await,
        Command::Key(Key::Show(arguments)) => key::run_key_show(arguments, services).await,
        Command::Policy(Policy::Check(_)) | Command::Ci | Command::Completions { .. } => {
            unreachable!("they end before anything is set up")
        }
    }
}

/// A signer whose key can make the signatures of trust data.
async fn open_for_dct(
    services: &Services,
    reference: &KeyReference,
) -> Result<Arc<dyn crate::crypto::Signer>, Failure> {
    let signer = services.keys.open(reference).await?;
    let listed = DctKey::from_public_key(signer.public_key());
    if let Some(scheme) = listed.method().and_then(|method| listed.scheme(method)) {
        signer.check(scheme)?;
    }
    Ok(signer)
}

/// The pin that every named repository needs.
fn pin_of(pin: &Pin, images: &[Reference]) -> Result<RootTrust, SettingError> {
    let first = images
        .first()
        .ok_or_else(|| SettingError::usage("no image was named").reason(Reason::NoImages))?;
    settings::required_pin(pin, &first.repository)
}

/// Trust on first use is said in words in every report (T23).
fn warn_of_trust(report: &mut Report, trust: &RootTrust) {
    if matches!(trust, RootTrust::FirstUse) && report.lax.is_empty() {
        report.lax.push("--trust-on-first-use".to_owned());
        report.warnings.push(
            "trust on first use: whatever root the trust server showed was trusted, as nothing was pinned".to_owned(),
        );
    }
}
