//! The verbs: each turns its arguments into options for a flow, and the flow's findings into an outcome.

use std::sync::Arc;

use crate::{
    cli::{
        Command, Inspect, Key, KeyShow, Pin, Sign, Signer, SignerAdd, Trust, TrustInit, TrustRevoke, TrustStatus,
        Verify,
    },
    crypto::Certificate,
    flow::{
        Failure, InitOptions, InspectOptions, KeyView, RevokeOptions, Services, SignOptions, SignerAddOptions,
        VerifyOptions, inspect, sign, trust_init, trust_revoke, trust_signer_add, trust_status, verify,
    },
    format::{
        Format,
        dct::{Key as DctKey, Requirement, RoleName, RootTrust, SignerName, SignerWanted},
    },
    keys::KeyReference,
    oci::Reference,
    reason::Reason,
    report::{Decision, ImageReport, Report, Status},
    run::Outcome,
    settings::{self, SettingError},
};

/// Runs the verb.
pub(crate) async fn run(command: &Command, services: &Services) -> Result<Outcome, Failure> {
    match command {
        Command::Sign(arguments) => run_sign(arguments, services).await,
        Command::Verify(arguments) => run_verify(arguments, services).await,
        Command::Inspect(arguments) => run_inspect(arguments, services).await,
        Command::Trust(Trust::Init(arguments)) => run_init(arguments, services).await,
        Command::Trust(Trust::Status(arguments)) => run_status(arguments, services).await,
        Command::Trust(Trust::Signer(Signer::Add(arguments))) => run_signer_add(arguments, services).await,
        Command::Trust(Trust::Revoke(arguments)) => run_revoke(arguments, services).await,
        Command::Key(Key::Show(arguments)) => run_key_show(arguments, services).await,
        Command::Completions { .. } => unreachable!("completions are printed before anything is set up"),
    }
}

async fn run_sign(arguments: &Sign, services: &Services) -> Result<Outcome, Failure> {
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
    report.source = Some("images");
    warn_of_trust(&mut report, &options.trust);
    report.images = sign(services, signer, &options).await;
    let text = report.image_lines().iter().map(|line| format!("{line}\n")).collect();
    Ok(Outcome { report, text, json: None })
}

async fn run_verify(arguments: &Verify, services: &Services) -> Result<Outcome, Failure> {
    settings::formats(&arguments.format)?;
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
    report.source = Some("images");
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

async fn run_inspect(arguments: &Inspect, services: &Services) -> Result<Outcome, Failure> {
    let image = settings::familiar_images(std::slice::from_ref(&arguments.image))?.remove(0);
    let options = InspectOptions { image, trust: settings::pin(&arguments.pin)? };
    let mut report = Report::new("inspect");
    inspect(services, &options, &mut report).await?;
    let text = report.signature_lines();
    Ok(Outcome { report, text, json: None })
}

async fn run_init(arguments: &TrustInit, services: &Services) -> Result<Outcome, Failure> {
    let repository = settings::repository(&arguments.repository)?;
    let mut signers = Vec::new();
    for signer in &arguments.signer {
        let (name, key) = signer
            .split_once('=')
            .ok_or_else(|| SettingError::usage(format!("`--signer {signer}` is not NAME=KEY")))?;
        let part = services.keys.public(&settings::parse("--signer", key)?, false).await?;
        signers.push((signer_name(name)?, part.keys.into_iter().take(1).collect()));
    }
    let snapshot = match arguments.snapshot_key.as_str() {
        "server" => None,
        key => Some(open_for_dct(services, &settings::parse("--snapshot-key", key)?).await?),
    };
    let options = InitOptions {
        root: open_for_dct(services, &settings::parse("--root-key", &arguments.root_key)?).await?,
        targets: open_for_dct(services, &settings::parse("--targets-key", &arguments.targets_key)?).await?,
        signers,
        snapshot,
        dry_run: arguments.dry_run.dry_run,
        repository,
    };
    let created = trust_init(services, &options).await?;
    let mut report = Report::new("trust init");
    report.root_key_ids = created.root_key_id.iter().map(ToString::to_string).collect();
    let repository = &options.repository;
    let text = match &created.root_key_id {
        Some(id) => format!(
            "created   {repository}\nroot key  {id}\n\nGive this ID with `--root` wherever the repository is signed or verified; keep the root key, \
             it is needed to rotate keys.\n"
        ),
        None => format!("planned   {repository}: {}\n", names(&created.roles)),
    };
    Ok(Outcome { report, text, json: None })
}

async fn run_status(arguments: &TrustStatus, services: &Services) -> Result<Outcome, Failure> {
    let repository = settings::repository(&arguments.repository)?;
    let now = settings::at(arguments.at.as_deref(), services.now)?;
    let status = trust_status(&services.at(now), &repository, settings::pin(&arguments.pin)?).await?;
    let mut report = Report::new("trust status");
    report.warnings = status.warnings();
    Ok(Outcome { report, text: status.text(), json: Some(status.json()) })
}

async fn run_signer_add(arguments: &SignerAdd, services: &Services) -> Result<Outcome, Failure> {
    let name = signer_name(&arguments.name)?;
    let mut keys = Vec::new();
    for key in &arguments.signer_key {
        keys.extend(
            services.keys.public(&settings::parse("--signer-key", key)?, false).await?.keys.into_iter().take(1),
        );
    }
    let repositories =
        arguments.repositories.iter().map(|text| settings::repository(text)).collect::<Result<Vec<_>, _>>()?;
    let mut pins = Vec::new();
    for repository in &repositories {
        pins.push(settings::required_pin(&arguments.pin, repository)?);
    }
    let targets = open_for_dct(services, &settings::parse("--targets-key", &arguments.targets_key)?).await?;
    let mut report = Report::new("trust signer add");
    for (repository, trust) in repositories.into_iter().zip(pins) {
        warn_of_trust(&mut report, &trust);
        let dry_run = arguments.dry_run.dry_run;
        let options = SignerAddOptions {
            repository,
            name: name.clone(),
            keys: keys.clone(),
            targets: targets.clone(),
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
    let text = report.image_lines().iter().map(|line| format!("{line}\n")).collect();
    Ok(Outcome { report, text, json: None })
}

async fn run_revoke(arguments: &TrustRevoke, services: &Services) -> Result<Outcome, Failure> {
    let images = settings::named_images(&arguments.images)?;
    let trust = pin_of(&arguments.pin, &images)?;
    let mut signers = Vec::new();
    for key in &arguments.key {
        signers
            .push(open_for_dct(services, &settings::parse("--key", key.strip_prefix("dct=").unwrap_or(key))?).await?);
    }
    let mut report = Report::new("trust revoke");
    warn_of_trust(&mut report, &trust);
    let options = RevokeOptions { images, signers, trust, dry_run: arguments.dry_run.dry_run };
    report.images = trust_revoke(services, &options).await;
    let text = report.image_lines().iter().map(|line| format!("{line}\n")).collect();
    Ok(Outcome { report, text, json: None })
}

async fn run_key_show(arguments: &KeyShow, services: &Services) -> Result<Outcome, Failure> {
    let reference: KeyReference = settings::parse("KEY", &arguments.key)?;
    let part = services.keys.public(&reference, false).await?;
    let key = part.keys.into_iter().next().ok_or_else(|| SettingError::usage("the key has no version"))?;
    let certificate = match &arguments.certificate {
        None => part.certificate,
        Some(path) => Some(certificate_of(path, &key)?),
    };
    let view = KeyView { name: reference.to_string(), key, certificate, in_vault: part.in_vault };
    Ok(Outcome { report: Report::new("key show"), text: view.text(), json: Some(view.json()) })
}

/// A signer whose key can make the signatures of trust data.
async fn open_for_dct(
    services: &Services,
    reference: &KeyReference,
) -> Result<Arc<dyn crate::crypto::Signer>, Failure> {
    let signer = services.keys.open(reference).await?;
    let listed = DctKey::from_public_key(signer.public_key());
    if let Some(scheme) = listed.method().and_then(|method| listed.scheme(method)) {
        signer.check(scheme)?;
    }
    Ok(signer)
}

fn certificate_of(path: &std::path::Path, key: &crate::crypto::PublicKey) -> Result<Certificate, Failure> {
    let unusable = |why: String| {
        SettingError::usage(format!("`--certificate {}`: {why}", path.display())).reason(Reason::ConfigInvalid)
    };
    let pem = settings::read(path, "certificate")?;
    let chain =
        Certificate::chain_from_pem(&String::from_utf8_lossy(&pem)).map_err(|error| unusable(error.to_string()))?;
    let own = chain.into_iter().find(|certificate| certificate.public_key() == key);
    Ok(own.ok_or_else(|| unusable("no certificate in it is of this key".to_owned()))?)
}

/// The pin that every named repository needs.
fn pin_of(pin: &Pin, images: &[Reference]) -> Result<RootTrust, SettingError> {
    let first = images.first().ok_or_else(|| SettingError::usage("no image was named").reason(Reason::NoImages))?;
    settings::required_pin(pin, &first.repository)
}

fn signer_name(name: &str) -> Result<SignerName, SettingError> {
    settings::parse("signer name", name)
}

/// Trust on first use is said in words in every report (T23).
fn warn_of_trust(report: &mut Report, trust: &RootTrust) {
    if matches!(trust, RootTrust::FirstUse) && report.warnings.is_empty() {
        report.warnings.push(
            "trust on first use: whatever root the trust server showed was trusted, as nothing was pinned".to_owned(),
        );
    }
}

fn names(roles: &[RoleName]) -> String {
    roles.iter().map(RoleName::as_str).collect::<Vec<_>>().join(", ")
}
