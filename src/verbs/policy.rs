//! `policy …`.

use std::path::{Path, PathBuf};

use super::Outcome;
use crate::{
    cli::{PolicyCheck, PolicyInit},
    crypto::Certificate,
    flow::{Proposal, Services, policy_init},
    oci::Reference,
    output_file::{create, replace},
    process::Process,
    reason::Reason,
    report::{Failure, PolicyView, Report},
    settings::{self, ConfigFile, Limits, Manifests, SettingError, manifest_input},
};

/// `policy check`: reads files, and has nothing that could ask a server.
pub(super) fn run_policy_check(
    arguments: &PolicyCheck,
    process: &mut Process,
) -> Result<Outcome, Failure> {
    let stdin = manifest_input(&arguments.files, process)?;
    let manifests = if arguments.files.manifests.is_empty() {
        None
    } else {
        // Nothing is asked of servers, so there is no deadline.
        let limits = Limits {
            deadline: None,
            pins: false,
        };
        Some(Manifests::read(&arguments.files, stdin.as_deref(), limits)?)
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
    let read = file.read_files(&process.environment, process.now)?;
    warnings.extend(read.warnings);
    let view = PolicyView {
        file: &file.config.file,
        policy,
        trust_policies: read.trust_policies,
        warnings,
        now: process.now,
    };
    let mut report = Report::new("policy check");
    report.config = Some(file.config.file.clone());
    report.warnings = view.warnings();
    report.images = images.iter().map(|image| view.report(image)).collect();
    if let Some(manifests) = &manifests {
        manifests.locate(&mut report);
    }
    let text = view.text(&images, &report.images);
    let json = view.json(&images, &report.images);
    Ok(Outcome {
        report,
        text,
        json: Some(json),
    })
}

fn no_policy() -> SettingError {
    SettingError::usage("there is no policy to check")
        .reason(Reason::PolicyMissing)
        .hint("name it with `--policy FILE`, or run where an `acr-sign.yaml` lies")
}

/// `policy init`: writes files only when everything could be looked at.
pub(super) async fn run_init(
    arguments: &PolicyInit,
    services: &Services,
) -> Result<Outcome, Failure> {
    let mut images: Vec<Reference> = Vec::new();
    for image in settings::familiar_images(&arguments.images)? {
        if !images.contains(&image) {
            images.push(image);
        }
    }
    let target = Target::new(arguments)?;
    let roots = timestamp_roots(&arguments.timestamp_root_cert)?;
    let mut report = Report::new("policy init");
    let proposal = policy_init(
        services,
        &images,
        &target.folder_name(),
        &roots,
        &mut report,
    )
    .await?;
    let Some(proposal) = proposal else {
        report.warnings.push("no policy was written".to_owned());
        return Ok(Outcome {
            report,
            text: String::new(),
            json: None,
        });
    };
    report.warnings.push(
        "trust on first use: nobody has vouched for the pins of this policy, so compare each with what its owner says"
            .to_owned(),
    );
    let text = target.write(&proposal)?;
    report.policy = Some(proposal.text);
    Ok(Outcome {
        report,
        text,
        json: None,
    })
}

/// Roots of timestamp authorities, as a policy takes them.
fn timestamp_roots(files: &[PathBuf]) -> Result<Vec<Certificate>, SettingError> {
    let mut roots = Vec::new();
    for path in files {
        roots.extend(settings::certificates("--timestamp-root-cert", path)?);
    }
    match roots
        .iter()
        .find(|root| !(root.is_ca() && root.is_self_signed()))
    {
        Some(wrong) => Err(SettingError::usage(format!(
            "--timestamp-root-cert: `{}` is not a self-signed root of a timestamp authority",
            wrong.subject()
        ))),
        None => Ok(roots),
    }
}

/// Where a policy and its certificates are written.
struct Target<'a> {
    /// The file; standard output if none.
    file: Option<&'a PathBuf>,
    /// The folder of the certificates, as seen from the policy.
    certificates: Option<&'a Path>,
    overwrite: bool,
}

impl<'a> Target<'a> {
    /// Refuses a file that is there already, before anybody is asked.
    fn new(arguments: &'a PolicyInit) -> Result<Self, SettingError> {
        let beside = arguments.to.as_ref().map(|_| Path::new("certificates"));
        let certificates = arguments.certificates.as_deref().or(beside);
        let target = Self {
            file: arguments.to.as_ref(),
            certificates,
            overwrite: arguments.overwrite,
        };
        match target.file {
            Some(file) if !target.overwrite && file.symlink_metadata().is_ok() => {
                Err(is_there(file))
            }
            _ => Ok(target),
        }
    }

    fn folder_name(&self) -> String {
        self.certificates
            .map(|folder| folder.display().to_string().replace('\\', "/"))
            .unwrap_or_default()
    }

    /// Certificates first, so that no policy names one that is not there; gives the text for standard output.
    fn write(&self, proposal: &Proposal) -> Result<String, SettingError> {
        let mut told = String::new();
        for (name, certificate) in &proposal.certificates {
            let folder = self.certificates.ok_or_else(no_folder)?;
            let base = self
                .file
                .and_then(|file| file.parent())
                .unwrap_or(Path::new(""));
            let path = base.join(folder).join(name);
            self.write_certificate(&path, certificate)?;
            told.push_str(&format!("wrote {}\n", path.display()));
        }
        let Some(file) = self.file else {
            return Ok(proposal.text.clone());
        };
        let bytes = proposal.text.as_bytes();
        let written = if self.overwrite {
            replace(file, bytes)
        } else {
            create(file, bytes)
        };
        written.map_err(|error| unwritten(file, error))?;
        told.push_str(&format!("wrote {}\n", file.display()));
        Ok(told)
    }

    /// The name says what is in it, so a file of that name holds the same, or is none of ours.
    fn write_certificate(
        &self,
        path: &Path,
        certificate: &Certificate,
    ) -> Result<(), SettingError> {
        let pem = certificate.pem();
        if settings::read(path, "certificate file").is_ok_and(|found| found == pem.as_bytes()) {
            return Ok(());
        }
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| unwritten(folder, error))?;
        }
        let written = if self.overwrite {
            replace(path, pem.as_bytes())
        } else {
            create(path, pem.as_bytes())
        };
        written.map_err(|error| unwritten(path, error))
    }
}

fn unwritten(path: &Path, error: std::io::Error) -> SettingError {
    if error.kind() == std::io::ErrorKind::AlreadyExists {
        return is_there(path);
    }
    SettingError::usage(format!("`{}` cannot be written", path.display()))
        .reason(Reason::ConfigInvalid)
        .cause(error)
}

fn is_there(path: &Path) -> SettingError {
    SettingError::usage(format!("`{}` already exists", path.display()))
        .hint("name another file with `--to`, or say `--overwrite`")
}

fn no_folder() -> SettingError {
    SettingError::usage(
        "images are signed by certificate, and a policy pins a certificate as a file",
    )
    .hint("give `--to FILE`, or the folder for such files with `--certificates FOLDER`")
}
