//! `verify`.

use super::{pin_of, warn_of_trust};
use crate::{
    cli::Verify,
    flow::{Failure, Services, VerifyOptions, verify},
    format::Format,
    format::dct::{Requirement, RoleName, SignerWanted},
    keys::KeyReference,
    report::{Decision, Report},
    run::Outcome,
    settings::{self, SettingError},
};

pub(super) async fn run_verify(arguments: &Verify, services: &Services) -> Result<Outcome, Failure> {
    if settings::formats(&arguments.format)? != [Format::Dct] {
        return Err(SettingError::usage("`verify` checks `dct` signatures").into());
    }
    let images = settings::familiar_images(&arguments.images)?;
    let trust = pin_of(&arguments.pin, &images)?;
    let now = settings::at(arguments.at.as_deref(), services.now)?;
    let mut signers = Vec::new();
    for name in &arguments.signer {
        let role =
            RoleName::signer(name).map_err(|error| SettingError::usage(format!("`--signer {name}`: {error}")))?;
        signers.push(SignerWanted::Name(role));
    }
    let services = services.at(now);
    for key in &arguments.key {
        let reference: KeyReference = settings::parse("--key", key.strip_prefix("dct=").unwrap_or(key))?;
        let part = services.keys.public(&reference, true).await?;
        signers.extend(part.keys.into_iter().map(SignerWanted::Key));
    }
    let mut report = Report::new("verify");
    report.decision = Some(Decision::Deny);
    report.source = arguments.source.or(Some("images"));
    warn_of_trust(&mut report, &trust);
    if arguments.at.is_some() {
        report.warnings.push(format!("answered as of {now}, not as of now"));
    }
    report.warnings.push(
        "nothing is remembered between runs: older trust data is noticed only once its timestamp has ended".to_owned(),
    );
    let options = VerifyOptions { images, trust, requirement: Requirement { signers } };
    verify(&services, &options, &mut report).await;
    let text = report.allowed_lines().iter().map(|line| format!("{line}\n")).collect();
    Ok(Outcome { report, text, json: None })
}
