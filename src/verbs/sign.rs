//! `sign`.

use super::{open_for_dct, pin_of, sources::Named, warn_of_trust};
use crate::{
    cli::Sign,
    flow::{Failure, Services, SignDct, SignFormat, SignOptions, sign},
    format::Format,
    oci::Reference,
    report::Report,
    run::Outcome,
    settings::{self, SettingError},
};

pub(super) async fn run_sign(arguments: &Sign, services: &Services) -> Result<Outcome, Failure> {
    let formats = settings::formats(&arguments.format)?;
    let named = Named::by(arguments, services).await?;
    let mut options = SignOptions {
        digest: settings::digest(arguments.digest.as_deref())?,
        formats: Vec::new(),
        force: arguments.force,
        dry_run: arguments.dry_run.dry_run,
        images: named.images.clone(),
    };
    let repositories: std::collections::BTreeSet<_> = options.images.iter().map(|image| &image.repository).collect();
    if options.digest.is_some() && repositories.len() > 1 {
        return Err(
            SettingError::usage("`--digest` says what was built in one repository, and several are named").into()
        );
    }
    let mut report = Report::new("sign");
    named.tell(arguments, &mut report);
    for format in formats {
        options.formats.push(match format {
            Format::Dct => SignFormat::Dct(for_dct(arguments, services, &options.images, &mut report).await?),
            Format::Notation => return Err(SettingError::usage("`sign` does not make `notation` signatures").into()),
        });
    }
    report.images = sign(services, &options).await;
    named.tell_times(&mut report.images);
    let text = report.image_lines().iter().map(|line| format!("{line}\n")).collect();
    Ok(Outcome { report, text, json: None })
}

async fn for_dct(
    arguments: &Sign,
    services: &Services,
    images: &[Reference],
    report: &mut Report,
) -> Result<SignDct, Failure> {
    let trust = pin_of(&arguments.pin, images)?;
    let key = settings::key_for(&arguments.key, Format::Dct)?;
    let roles = settings::roles(&arguments.role)?;
    warn_of_trust(report, &trust);
    Ok(SignDct { signer: open_for_dct(services, &key).await?, roles, trust })
}
