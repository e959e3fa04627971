//! `sign`.

use std::collections::BTreeMap;

use super::{
    Outcome,
    dct::{open_for_dct, open_snapshot_key, warn_of_trust},
    sources::Named,
};
use crate::{
    cli::Sign,
    crypto::Certificate,
    flow::{Services, SignDct, SignFormat, SignNotation, SignOptions, SigningOptions, sign},
    format::Format,
    oci::Reference,
    report::{Failure, Report},
    settings::{self, ConfigFile, RunConfig, SettingError},
};

pub(super) async fn run_sign(arguments: &Sign, services: &Services) -> Result<Outcome, Failure> {
    let config = RunConfig::new(&arguments.config, Some(&services.folder))?;
    let file = config.file()?;
    let filled = file.map(|file| file.fill(arguments));
    let arguments = filled.as_ref().unwrap_or(arguments);
    let formats = settings::formats(&arguments.format)?;
    settings::refuse_unused(&formats, &arguments.given())?;
    let named = Named::by(arguments, services).await?;
    let mut options = SignOptions {
        digest: settings::digest(arguments.digest.as_deref())?,
        formats: Vec::new(),
        signing: SigningOptions {
            annotations: annotations(arguments, &formats, file)?,
            provenance: arguments.provenance.clone(),
            force: arguments.force,
            dry_run: arguments.dry_run.dry_run,
        },
        images: named.images.clone(),
    };
    let repositories: std::collections::BTreeSet<_> = options
        .images
        .iter()
        .map(|image| &image.repository)
        .collect();
    if options.digest.is_some() && repositories.len() > 1 {
        return Err(SettingError::usage(
            "`--digest` says what was built in one repository, and several are named",
        )
        .into());
    }
    let mut report = Report::new("sign");
    report.config = file.map(|file| file.config.file.clone());
    named.tell(arguments, &mut report);
    if let Err(failure) =
        open_formats(arguments, &config, services, &mut options, &mut report).await
    {
        // What was worth a warning until here is worth it all the same.
        report.fail(failure.problem());
        return Ok(Outcome {
            report,
            text: String::new(),
            json: None,
        });
    }
    sign(services, &options, &mut report).await;
    report.name_pin(&arguments.pin.origin());
    named.tell_times(&mut report.images);
    let lines = report.image_lines();
    Ok(Outcome::of_lines(report, &lines))
}

/// Opens the key of each format, with what else it signs with.
async fn open_formats(
    arguments: &Sign,
    config: &RunConfig<'_>,
    services: &Services,
    options: &mut SignOptions,
    report: &mut Report,
) -> Result<(), Failure> {
    for format in settings::formats(&arguments.format)? {
        options.formats.push(match format {
            Format::Dct => SignFormat::Dct(
                for_dct(arguments, config, services, &options.images, report).await?,
            ),
            Format::Notation => {
                SignFormat::Notation(Box::new(for_notation(arguments, config, services).await?))
            }
        });
    }
    Ok(())
}

/// What is signed besides the image: the file's annotations where a format takes them, and those given; of one name the
/// given one counts.
fn annotations(
    arguments: &Sign,
    formats: &[Format],
    file: Option<&ConfigFile>,
) -> Result<BTreeMap<String, String>, SettingError> {
    let file = file.filter(|_| formats.iter().any(|format| format.signs_metadata()));
    let mut annotations = file
        .map(|file| file.config.sign.annotations.clone())
        .unwrap_or_default();
    annotations.extend(settings::annotations(&arguments.annotation)?);
    Ok(annotations)
}

async fn for_dct(
    arguments: &Sign,
    config: &RunConfig<'_>,
    services: &Services,
    images: &[Reference],
    report: &mut Report,
) -> Result<SignDct, Failure> {
    let trust = settings::pin_for(&arguments.pin, images)?;
    let key = settings::key_for(&arguments.key, Format::Dct, config)?;
    let roles = settings::roles(&arguments.role)?;
    warn_of_trust(report, &trust);
    Ok(SignDct {
        signer: open_for_dct(services, &key).await?,
        snapshot: open_snapshot_key(services, config, arguments.snapshot_key.as_deref()).await?,
        roles,
        trust,
    })
}

async fn for_notation(
    arguments: &Sign,
    config: &RunConfig<'_>,
    services: &Services,
) -> Result<SignNotation, Failure> {
    let own = &arguments.notation;
    let key = settings::key_for(&arguments.key, Format::Notation, config)?;
    let expiry = match own.expiry.as_deref() {
        Some(text) => Some(settings::duration("--expiry", text)?),
        None => config.file()?.and_then(|file| file.config.sign.expiry),
    };
    let timestamp = match own
        .timestamp_url
        .as_deref()
        .zip(own.timestamp_root_cert.as_deref())
    {
        None => None,
        Some((url, root)) => {
            let root = settings::only_certificate("--timestamp-root-cert", root)?;
            Some((settings::service_url("--timestamp-url", url)?, root))
        }
    };
    let chain = own
        .certificate_chain
        .as_deref()
        .map(|path| settings::certificates("--certificate-chain", path));
    let chain: Vec<Certificate> = chain.transpose()?.unwrap_or_default();
    let signer = services.keys.open(&key).await?;
    let mut bundle = signer.certificates().to_vec();
    bundle.extend(chain.into_iter().filter(|given| {
        signer
            .certificates()
            .iter()
            .all(|own| own.der() != given.der())
    }));
    let notation = SignNotation {
        signer,
        bundle,
        envelope: own.envelope.unwrap_or_default(),
        expiry,
        timestamp,
        referrers: own.referrers.unwrap_or_default(),
        recursive: arguments.recursive,
    };
    notation.check(services.now)?;
    Ok(notation)
}
