//! `verify`.

use std::collections::BTreeMap;

use super::pin_of;
use crate::{
    cli::Verify,
    flow::{Demanded, Failure, Services, Trust, VerifyOptions, verify},
    format::{
        Format,
        dct::{Requirement as DctRequirement, RoleName, SignerWanted},
    },
    keys::KeyReference,
    oci::Reference,
    policy::{Policy, Requirement},
    reason::Reason,
    report::{Decision, Report},
    run::Outcome,
    settings::{self, ConfigFile, Manifests, SettingError},
};

pub(super) async fn run_verify(arguments: &Verify, services: &Services) -> Result<Outcome, Failure> {
    let mut report = Report::new("verify");
    report.decision = Some(Decision::Deny);
    let manifests = if arguments.manifests.is_empty() {
        None
    } else {
        Some(Manifests::read(arguments, services.stdin.as_deref())?)
    };
    report.source = arguments.source.or(Some(if manifests.is_some() { "manifests" } else { "images" }));
    let images = match &manifests {
        Some(manifests) => manifests.images(),
        None => settings::familiar_images(&arguments.images)?,
    };
    if let Some(manifests) = &manifests {
        manifests.may_pin(arguments)?;
    }
    let now = settings::at(arguments.at.as_deref(), services.now)?;
    let policy = policy(arguments, &images, services, &mut report).await?;
    if arguments.at.is_some() {
        report.warnings.push(format!("answered as of {now}, not as of now"));
    }
    let services = services.at(now);
    let options = VerifyOptions { images, policy, file: report.config.clone() };
    verify(&services, &options, &mut report).await;
    report.warnings.push(
        "nothing is remembered between runs: older trust data is noticed only once its timestamp has ended".to_owned(),
    );
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

/// What must hold: by flags, by the policy named, or by the one that is found; by one of them alone (P13).
async fn policy(
    arguments: &Verify,
    images: &[Reference],
    services: &Services,
    report: &mut Report,
) -> Result<Policy<Trust>, Failure> {
    let file = match (&arguments.policy, arguments.names_trust()) {
        (None, true) => return by_flags(arguments, images, services).await,
        (Some(path), false) => ConfigFile::read(path, Reason::PolicyMissing)?,
        // A pipeline step takes no file that it merely finds: a pull request could bring one (P13).
        (None, false) if arguments.source.is_some() => return Err(nothing_trusted().into()),
        (None, false) => ConfigFile::find(&services.folder)?.ok_or_else(nothing_trusted)?,
        (Some(_), true) => {
            return Err(SettingError::usage(
                "both `--policy` and trust flags were given, and one must say what is trusted",
            )
            .hint("drop the flags, or the policy")
            .into());
        }
    };
    report.config = Some(file.config.file.clone());
    Ok(file.policy()?)
}

/// Trust flags are a policy of one rule, about every image named.
async fn by_flags(arguments: &Verify, images: &[Reference], services: &Services) -> Result<Policy<Trust>, Failure> {
    if settings::formats(&arguments.format)? != [Format::Dct] {
        return Err(SettingError::usage("`verify` checks `dct` signatures").into());
    }
    let root = pin_of(&arguments.pin, images)?;
    let mut signers = Vec::new();
    for name in &arguments.signer {
        let role =
            RoleName::signer(name).map_err(|error| SettingError::usage(format!("`--signer {name}`: {error}")))?;
        signers.push(SignerWanted::Name(role));
    }
    for key in &arguments.key {
        let reference: KeyReference = settings::parse("--key", key.strip_prefix("dct=").unwrap_or(key))?;
        let part = services.keys.public(&reference, true).await?;
        signers.extend(part.keys.into_iter().map(SignerWanted::Key));
    }
    let requirement = DctRequirement { signers, minimum_versions: BTreeMap::new() };
    let trust = Trust { words: "dct, as flags say".to_owned(), demand: Demanded::Dct { root, requirement } };
    Ok(Policy::for_all(Requirement::leaf(trust)))
}

fn nothing_trusted() -> SettingError {
    SettingError::usage("nothing says what must be signed by whom")
        .reason(Reason::PolicyMissing)
        .hint("give `--policy FILE`, or the trust by flags (`--format dct --root KEYID`), or write an `acr-sign.yaml`")
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
