//! `verify`.

use super::{pin_of, warn_of_trust};
use crate::{
    cli::Verify,
    flow::{Failure, Services, VerifyOptions, verify},
    format::Format,
    format::dct::{Requirement, RoleName, SignerWanted},
    keys::KeyReference,
    oci::Reference,
    report::{Decision, Report},
    run::Outcome,
    settings::{self, Manifests, SettingError},
};

pub(super) async fn run_verify(arguments: &Verify, services: &Services) -> Result<Outcome, Failure> {
    if settings::formats(&arguments.format)? != [Format::Dct] {
        return Err(SettingError::usage("`verify` checks `dct` signatures").into());
    }
    let manifests = if arguments.manifests.is_empty() {
        None
    } else {
        Some(Manifests::read(arguments, services.stdin.as_deref())?)
    };
    let images = match &manifests {
        Some(manifests) => manifests.images(),
        None => settings::familiar_images(&arguments.images)?,
    };
    if let Some(manifests) = &manifests {
        manifests.may_pin(arguments)?;
    }
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
    report.source = arguments.source.or(Some(if manifests.is_some() { "manifests" } else { "images" }));
    warn_of_trust(&mut report, &trust);
    if arguments.at.is_some() {
        report.warnings.push(format!("answered as of {now}, not as of now"));
    }
    report.warnings.push(
        "nothing is remembered between runs: older trust data is noticed only once its timestamp has ended".to_owned(),
    );
    let options = VerifyOptions { images, trust, requirement: Requirement { signers } };
    verify(&services, &options, &mut report).await;
    if let Some(manifests) = &manifests {
        manifests.locate(&mut report);
        if (arguments.pin_digests || arguments.pin_to.is_some())
            && let Err(failure) = pin(manifests, arguments, &services, &mut report).await
        {
            // What was to be deployed does not exist.
            report.decision = Some(Decision::Deny);
            report.error = Some(failure.problem());
        }
    }
    let text = report.allowed_lines().iter().map(|line| format!("{line}\n")).collect();
    Ok(Outcome { report, text, json: None })
}

/// Writes digests into the manifests, if everything in them is allowed; what is exempt is resolved for that.
async fn pin(
    manifests: &Manifests,
    arguments: &Verify,
    services: &Services,
    report: &mut Report,
) -> Result<(), Failure> {
    if report.decision != Some(Decision::Allow) {
        report.warnings.push("nothing was pinned, since not all images are allowed".to_owned());
        return Ok(());
    }
    for image in report.images.iter_mut().filter(|image| image.digest.is_none()) {
        let Ok(reference) = Reference::familiar(&image.image) else { continue };
        let resolved = services.registry.resolve(&reference).await?;
        image.pinned = Some(format!("{}@{}", image.image, resolved.descriptor.digest));
        image.digest = Some(resolved.descriptor.digest);
    }
    report.pinned_files = manifests.pin(&report.images, arguments.pin_to.as_deref())?;
    Ok(())
}
