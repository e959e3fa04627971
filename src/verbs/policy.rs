//! `policy …`.

use crate::{
    cli::PolicyCheck,
    flow::{Failure, PolicyView},
    process::Process,
    reason::Reason,
    report::Report,
    run::Outcome,
    settings::{self, ConfigFile, Manifests, SettingError, manifest_input},
};

/// `policy check`: reads files, and has nothing that could ask a server.
pub(crate) fn run_policy_check(arguments: &PolicyCheck, process: &mut Process) -> Result<Outcome, Failure> {
    let stdin = manifest_input(&arguments.files, process)?;
    let manifests = match arguments.files.manifests.as_slice() {
        [] => None,
        [_, ..] => Some(Manifests::read(&arguments.files, stdin.as_deref())?),
    };
    let images = match &manifests {
        Some(manifests) => manifests.images(),
        None if arguments.images.is_empty() => Vec::new(),
        None => settings::familiar_images(&arguments.images)?,
    };
    let file = match &arguments.policy {
        Some(path) => ConfigFile::read(path, Reason::PolicyMissing)?,
        None => ConfigFile::find(&process.folder)?.ok_or_else(no_policy)?,
    };
    let policy = file.rules()?;
    let mut warnings = policy.warnings(process.now);
    warnings.extend(file.read_files(&process.environment, process.now)?);
    let view = PolicyView { file: &file.config.file, policy, warnings, now: process.now };
    let mut report = Report::new("policy check");
    report.config = Some(file.config.file.clone());
    report.warnings = view.warnings();
    report.images = images.iter().map(|image| view.report(image)).collect();
    if let Some(manifests) = &manifests {
        manifests.locate(&mut report);
    }
    let text = view.text(&images, &report.images);
    let json = view.json(&images, &report.images);
    Ok(Outcome { report, text, json: Some(json) })
}

fn no_policy() -> SettingError {
    SettingError::usage("there is no policy to check")
        .reason(Reason::PolicyMissing)
        .hint("name it with `--policy FILE`, or run where an `acr-sign.yaml` lies")
}
