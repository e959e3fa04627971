//! Runs a verb: sets up what it needs, and stops it when its time is over or somebody interrupts.

use std::time::Duration;

use super::{Outcome, inspect, key, policy, sign, trust, verify};
use crate::{
    cli::{Online, PolicyCheck, Shared},
    flow::{FlowError, Services},
    process::Process,
    progress::Progress,
    reason::Reason,
    report::Failure,
    settings::{SettingError, Settings, manifest_input},
};

/// Sets up and runs the verb, until it ends, the time is over, or somebody interrupts.
pub(crate) fn execute(command: &Online, process: &mut Process) -> Outcome {
    attempt(command, process).unwrap_or_else(|failure| Outcome::failed(command.name(), &failure))
}

/// Checks a policy, which takes neither network nor identity.
pub(crate) fn check_policy(check: &PolicyCheck, process: &mut Process) -> Outcome {
    policy::run_policy_check(check, process)
        .unwrap_or_else(|failure| Outcome::failed("policy check", &failure))
}

fn attempt(command: &Online, process: &mut Process) -> Result<Outcome, Failure> {
    let shared = command.shared();
    let settings = Settings::new(shared, process)?;
    let stdin = match command {
        Online::Verify(arguments) => manifest_input(&arguments.files, process)?,
        _ => None,
    };
    let timeout = settings.timeout.clone();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| {
        SettingError::usage(format!("no runtime: {error}")).reason(Reason::ConfigInvalid)
    })?;
    let shown = is_shown(shared, process);
    let outcome = runtime.block_on(async {
        let mut services = Services::open(settings, process.now)?;
        services.stdin = stdin.map(Into::into);
        // The edge ends each request at the deadline; this is for what waits beside requests.
        let limit = tokio::time::timeout_at(services.deadline + Duration::from_millis(500), dispatch(command, &services));
        let mut outcome = tokio::select! {
            outcome = limit => outcome.unwrap_or_else(|_| Err(FlowError::Timeout { limit: timeout.clone() }.into())),
            () = interrupted() => Err(FlowError::Interrupted.into()),
            () = draw(shown, command, &services) => Err(FlowError::Interrupted.into()),
        };
        if shown {
            Progress::clear();
        }
        let command = command.name();
        let mut finished = match &mut outcome {
            Ok(_) => outcome?,
            Err(failure) => Outcome::failed(command, failure),
        };
        services.account(&mut finished.report).await;
        Ok(finished)
    });
    runtime.shutdown_timeout(Duration::from_millis(100));
    outcome
}

/// Whether progress is drawn: on a terminal, where nothing else is told meanwhile.
fn is_shown(shared: &Shared, process: &Process) -> bool {
    process.terminal && !shared.output.quiet && shared.output.verbose == 0
}

/// Draws how far the run is, where it is shown; never ends.
async fn draw(shown: bool, command: &Online, services: &Services) {
    if !shown {
        return std::future::pending().await;
    }
    let waits_for = || services.client.waits_for();
    services.progress.draw(command.name(), waits_for).await;
}

/// Resolves when the process is asked to end.
async fn interrupted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}

/// Runs the verb.
async fn dispatch(command: &Online, services: &Services) -> Result<Outcome, Failure> {
    match command {
        Online::Sign(arguments) => sign::run_sign(arguments, services).await,
        Online::Verify(arguments) => verify::run_verify(arguments, services).await,
        Online::Inspect(arguments) => inspect::run_inspect(arguments, services).await,
        Online::PolicyInit(arguments) => policy::run_init(arguments, services).await,
        Online::TrustInit(arguments) => trust::run_init(arguments, services).await,
        Online::TrustStatus(arguments) => trust::run_status(arguments, services).await,
        Online::SignerAdd(arguments) => trust::run_signer_add(arguments, services).await,
        Online::TrustRevoke(arguments) => trust::run_revoke(arguments, services).await,
        Online::KeyShow(arguments) => key::run_key_show(arguments, services).await,
    }
}
