//! `trust …`.

use super::{
    Outcome,
    dct::{open_for_dct, open_snapshot_key, warn_of_trust},
};
use crate::{
    cli::{SignerAdd, TrustInit, TrustRevoke, TrustStatus},
    flow::{
        InitOptions, RevokeOptions, Services, SignerAddOptions, trust_init, trust_revoke,
        trust_signer_add, trust_status,
    },
    format::dct::{RoleName, SignerName},
    report::{Failure, ImageReport, Report, Status},
    settings::{self, RunConfig, SettingError},
};

pub(super) async fn run_init(
    arguments: &TrustInit,
    services: &Services,
) -> Result<Outcome, Failure> {
    let repository = settings::repository(&arguments.repository)?;
    let config = RunConfig::new(&arguments.config, Some(&services.folder))?;
    let mut signers = Vec::new();
    for signer in &arguments.signer {
        let (name, key) = signer
            .split_once('=')
            .ok_or_else(|| SettingError::usage(format!("`--signer {signer}` is not NAME=KEY")))?;
        let part = services
            .keys
            .public(&config.key("--signer", key)?, false)
            .await?;
        signers.push((signer_name(name)?, part.keys.into_iter().take(1).collect()));
    }
    let snapshot = Some(arguments.snapshot_key.as_str()).filter(|key| *key != "server");
    let snapshot = open_snapshot_key(services, &config, snapshot).await?;
    let options = InitOptions {
        root: open_for_dct(services, &config.key("--root-key", &arguments.root_key)?).await?,
        targets: open_for_dct(
            services,
            &config.key("--targets-key", &arguments.targets_key)?,
        )
        .await?,
        signers,
        snapshot,
        dry_run: arguments.dry_run.dry_run,
        repository,
    };
    let created = trust_init(services, &options).await?;
    let mut report = Report::new("trust init");
    report.config = config.used().map(|file| file.config.file.clone());
    report.root_key_ids = created
        .root_key_id
        .iter()
        .map(ToString::to_string)
        .collect();
    let (repository, canonical) = (&options.repository, created.canonical_id);
    let snapshot = match &options.snapshot {
        None => "",
        Some(_) => "Every publication needs the snapshot key: give it with `--snapshot-key`.\n",
    };
    let text = match &created.root_key_id {
        Some(id) => format!(
            "created   {repository}\nroot key  {id}\ncanonical {canonical}\n\nGive one of these IDs with `--root` wherever the repository \
             is signed or verified. The canonical ID is that of the same key in every repository. Keep the root key: it is \
             needed to rotate keys.\n{snapshot}"
        ),
        None => format!("planned   {repository}: {}\n", names(&created.roles)),
    };
    Ok(Outcome {
        report,
        text,
        json: None,
    })
}

pub(super) async fn run_status(
    arguments: &TrustStatus,
    services: &Services,
) -> Result<Outcome, Failure> {
    let repository = settings::repository(&arguments.repository)?;
    let now = settings::at(arguments.at.as_deref(), services.now)?;
    let status = trust_status(
        &services.at(now),
        &repository,
        settings::pin(&arguments.pin)?,
    )
    .await?;
    let mut report = Report::new("trust status");
    report.warnings = status.warnings();
    Ok(Outcome {
        report,
        text: status.text(),
        json: Some(status.json()),
    })
}

pub(super) async fn run_signer_add(
    arguments: &SignerAdd,
    services: &Services,
) -> Result<Outcome, Failure> {
    let name = signer_name(&arguments.name)?;
    let repositories = arguments
        .repositories
        .iter()
        .map(|text| settings::repository(text))
        .collect::<Result<Vec<_>, _>>()?;
    let config = RunConfig::new(&arguments.config, Some(&services.folder))?;
    let (pin, mut pins) = (config.pin(&arguments.pin)?, Vec::new());
    for repository in &repositories {
        pins.push(settings::required_pin(&pin, repository)?);
    }
    // Only now is anybody asked (T32).
    let mut keys = Vec::new();
    for key in &arguments.signer_key {
        keys.extend(
            services
                .keys
                .public(&config.key("--signer-key", key)?, false)
                .await?
                .keys
                .into_iter()
                .take(1),
        );
    }
    let targets = open_for_dct(
        services,
        &config.key("--targets-key", &arguments.targets_key)?,
    )
    .await?;
    let snapshot = open_snapshot_key(services, &config, arguments.snapshot_key.as_deref()).await?;
    let mut report = Report::new("trust signer add");
    report.config = config.used().map(|file| file.config.file.clone());
    for (repository, trust) in repositories.into_iter().zip(pins) {
        warn_of_trust(&mut report, &trust);
        let dry_run = arguments.dry_run.dry_run;
        let options = SignerAddOptions {
            repository,
            name: name.clone(),
            keys: keys.clone(),
            targets: targets.clone(),
            snapshot: snapshot.clone(),
            trust,
            dry_run,
        };
        let outcome = trust_signer_add(services, &options).await;
        let shown = options.repository.to_string();
        report.images.push(match outcome {
            Ok(true) if dry_run => ImageReport::named(shown, Status::Planned),
            Ok(true) => ImageReport::named(shown, Status::Changed),
            Ok(false) => ImageReport::named(shown, Status::Unchanged),
            Err(failure) => ImageReport::failed(shown, failure.status(), failure.problem()),
        });
    }
    report.name_pin(&pin.origin());
    let lines = report.image_lines();
    Ok(Outcome::of_lines(report, &lines))
}

pub(super) async fn run_revoke(
    arguments: &TrustRevoke,
    services: &Services,
) -> Result<Outcome, Failure> {
    let images = settings::named_images(&arguments.images)?;
    let config = RunConfig::new(&arguments.config, Some(&services.folder))?;
    let pin = config.pin(&arguments.pin)?;
    let trust = settings::pin_for(&pin, &images)?;
    let mut signers = Vec::new();
    for key in &arguments.key {
        let key = config.key("--key", key.strip_prefix("dct=").unwrap_or(key))?;
        signers.push(open_for_dct(services, &key).await?);
    }
    signers.extend(open_snapshot_key(services, &config, arguments.snapshot_key.as_deref()).await?);
    let mut report = Report::new("trust revoke");
    report.config = config.used().map(|file| file.config.file.clone());
    warn_of_trust(&mut report, &trust);
    let options = RevokeOptions {
        images,
        signers,
        trust,
        dry_run: arguments.dry_run.dry_run,
    };
    report.images = trust_revoke(services, &options).await;
    report.name_pin(&pin.origin());
    let lines = report.image_lines();
    Ok(Outcome::of_lines(report, &lines))
}

fn signer_name(name: &str) -> Result<SignerName, SettingError> {
    settings::parse("signer name", name)
}

fn names(roles: &[RoleName]) -> String {
    roles
        .iter()
        .map(RoleName::as_str)
        .collect::<Vec<_>>()
        .join(", ")
}
