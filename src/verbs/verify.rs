//! `verify`.

use super::Outcome;
use crate::{
    cli::Verify,
    flow::{Services, VerifyOptions, verify},
    format::dct::{Contradiction, Memory},
    oci::Reference,
    policy::{FormatRequirement, Policy},
    reason::Reason,
    report::{Decision, Failure, Report, StateReport},
    settings::{self, ConfigFile, Limits, Manifests, RunConfig, SettingError, StateFile},
};

pub(super) async fn run_verify(
    arguments: &Verify,
    services: &Services,
) -> Result<Outcome, Failure> {
    let mut report = Report::new("verify");
    report.decision = Some(Decision::Deny);
    let manifests = if arguments.files.manifests.is_empty() {
        None
    } else {
        let limits = Limits {
            deadline: Some(services.client.deadline().into_std()),
            pins: arguments.pin_digests || arguments.pin_to.is_some(),
        };
        Some(Manifests::read(
            &arguments.files,
            services.stdin.as_deref(),
            limits,
        )?)
    };
    report.source = arguments.source.or(Some(if manifests.is_some() {
        "manifests"
    } else {
        "images"
    }));
    let images = match &manifests {
        Some(manifests) => manifests.images(),
        None => settings::familiar_images(&arguments.images)?,
    };
    if let Some(manifests) = &manifests {
        manifests.may_pin(arguments)?;
    }
    let state = arguments
        .state
        .as_deref()
        .map(StateFile::read)
        .transpose()?;
    let now = settings::at(arguments.at.as_deref(), services.now)?;
    // A pipeline step takes no file that it merely finds: a pull request could bring one (P13).
    let folder = arguments
        .source
        .is_none()
        .then_some(services.folder.as_path());
    let config = RunConfig::new(&arguments.config, folder)?;
    let (policy, file) = policy(arguments, &config, &images, services).await?;
    report.config = file
        .clone()
        .or_else(|| config.used().map(|file| file.config.file.clone()));
    if arguments.at.is_some() {
        report
            .warnings
            .push(format!("answered as of {now}, not as of now"));
    }
    let services = services.at(now);
    let memory = state
        .as_ref()
        .and_then(|state| state.before.clone())
        .unwrap_or_default();
    let options = VerifyOptions {
        images,
        policy,
        file,
        memory,
        referrers: arguments.notation.referrers.unwrap_or_default(),
    };
    let found = verify(&services, &options, &mut report).await;
    report.name_pin(&match &options.file {
        Some(file) => format!("the policy `{file}`"),
        None => arguments.pin.origin(),
    });
    if let Err(failure) = remember(state.as_ref(), found, &services, &mut report).await {
        // What the next run would be held against does not exist.
        report.fail(failure.problem());
    }
    if let Some(manifests) = &manifests {
        manifests.locate(&mut report);
        if (arguments.pin_digests || arguments.pin_to.is_some())
            && let Err(failure) = pin(manifests, arguments, &services, &mut report).await
        {
            // What was to be deployed does not exist.
            report.fail(failure.problem());
        }
    }
    let text = report
        .allowed_lines()
        .iter()
        .map(|line| format!("{line}\n"))
        .collect();
    Ok(Outcome {
        report,
        text,
        json: None,
    })
}

/// Says what is remembered; and remembers what was seen, once everything is allowed (T03, T07).
async fn remember(
    state: Option<&StateFile>,
    found: Result<Memory, Contradiction>,
    services: &Services,
    report: &mut Report,
) -> Result<(), Failure> {
    let found = found?;
    let Some(state) = state else {
        if !found.is_empty() {
            report.notes.push(
                "no state is kept between runs: a rollback is detected only once the timestamp expires \
                 (`--state FILE` keeps it)"
                    .to_owned(),
            );
        }
        return Ok(());
    };
    let name = &state.name;
    report.state = Some(StateReport {
        file: name.clone(),
        repositories: state.before.as_ref().map_or(0, Memory::len),
    });
    report.notes.push(match &state.before {
        Some(before) => format!("`{name}` remembers {before} from earlier runs"),
        None => format!("`{name}` does not exist yet: nothing is known from earlier runs"),
    });
    if report.decision == Some(Decision::Allow) {
        state.keep(&found, services.client.deadline()).await?;
    }
    Ok(())
}

/// What must hold: by flags, by the policy named, or by the one that is found; by one of them alone (P13). Gives the file
/// that says so, too.
async fn policy(
    arguments: &Verify,
    config: &RunConfig<'_>,
    images: &[Reference],
    services: &Services,
) -> Result<(Policy<FormatRequirement>, Option<String>), Failure> {
    let named;
    let file = match (&arguments.policy, arguments.names_trust()) {
        (None, true) => {
            return Ok((
                settings::by_flags(arguments, config, images, &services.keys).await?,
                None,
            ));
        }
        (Some(path), false) => {
            named = ConfigFile::read(path, Reason::PolicyMissing)?;
            &named
        }
        (None, false) => config.file()?.ok_or_else(|| nothing_trusted(arguments))?,
        (Some(_), true) => {
            return Err(SettingError::usage(
                "both `--policy` and trust flags were given, and one must say what is trusted",
            )
            .hint("drop the flags, or the policy")
            .into());
        }
    };
    Ok((
        file.policy(images, &services.keys).await?,
        Some(file.config.file.clone()),
    ))
}

fn nothing_trusted(arguments: &Verify) -> SettingError {
    SettingError::usage("nothing says what must be signed by whom").reason(Reason::PolicyMissing).hint(
        if arguments.source.is_some() {
            "set `policy`, or the trust (`format` with `root`): an `acr-sign.yaml` that is merely there is not read, since \
             what is checked could have brought it"
        } else {
            "give `--policy FILE`, or the trust by flags (`--format dct --root KEYID`), or write an `acr-sign.yaml`"
        },
    )
}

/// Writes digests into the manifests, if everything in them is allowed; what is exempt is resolved for that.
async fn pin(
    manifests: &Manifests,
    arguments: &Verify,
    services: &Services,
    report: &mut Report,
) -> Result<(), Failure> {
    if report.decision != Some(Decision::Allow) {
        report
            .warnings
            .push("nothing was pinned, because not all images are allowed".to_owned());
        return Ok(());
    }
    for image in report
        .images
        .iter_mut()
        .filter(|image| image.digest.is_none())
    {
        let Ok(reference) = Reference::familiar(&image.image) else {
            continue;
        };
        let resolved = services.registry.resolve(&reference).await?;
        image.pinned = Some(format!("{}@{}", image.image, resolved.descriptor.digest));
        image.digest = Some(resolved.descriptor.digest);
    }
    report.pinned_files = manifests.pin(&report.images, arguments.pin_to.as_deref())?;
    Ok(())
}
