//! `sign`.

use super::{open_for_dct, pin_of, warn_of_trust};
use crate::{
    cli::Sign,
    flow::{Failure, Services, SignOptions, sign},
    format::Format,
    report::Report,
    run::Outcome,
    settings::{self, SettingError},
};

pub(super) async fn run_sign(arguments: &Sign, services: &Services) -> Result<Outcome, Failure> {
    settings::formats(&arguments.format)?;
    let images = settings::named_images(&arguments.images)?;
    let trust = pin_of(&arguments.pin, &images)?;
    let key = settings::key_for(&arguments.key, Format::Dct)?;
    let options = SignOptions {
        digest: settings::digest(arguments.digest.as_deref())?,
        roles: settings::roles(&arguments.role)?,
        force: arguments.force,
        dry_run: arguments.dry_run.dry_run,
        trust,
        images,
    };
    let repositories: std::collections::BTreeSet<_> = options.images.iter().map(|image| &image.repository).collect();
    if options.digest.is_some() && repositories.len() > 1 {
        return Err(
            SettingError::usage("`--digest` says what was built in one repository, and several are named").into()
        );
    }
    let signer = open_for_dct(services, &key).await?;
    let mut report = Report::new("sign");
    report.source = arguments.source.or(Some("images"));
    warn_of_trust(&mut report, &options.trust);
    report.images = sign(services, signer, &options).await;
    let text = report.image_lines().iter().map(|line| format!("{line}\n")).collect();
    Ok(Outcome { report, text, json: None })
}
