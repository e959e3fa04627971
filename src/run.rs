//! One run: arguments to settings, settings to services, the verb, and the report to whoever wants it.

use std::{
    ffi::OsString,
    io::Write as _,
    path::Path,
    time::{Duration, Instant},
};

use clap::{CommandFactory as _, Parser as _};
use tracing_subscriber::{
    filter::{LevelFilter, Targets},
    fmt::MakeWriter,
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

use crate::{
    ci,
    cli::{Cli, Command, Key, Output, Policy, Shared, Signer, Trust},
    flow::{Failure, FlowError, Services},
    output_file::{append, replace},
    process::Process,
    reason::{Exit, Reason},
    report::{Profile, Report},
    settings::{SettingError, Settings, manifest_input},
    verbs,
};

/// Runs a command line as `main` does: arguments include the program's name.
pub fn run(arguments: impl IntoIterator<Item = OsString>, process: &mut Process) -> Exit {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => return refuse(&error, process),
    };
    match &cli.command {
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Cli::command(), "acr-sign", &mut script);
            return written(process, &script);
        }
        Command::Ci => return ci::run(process),
        _ => {}
    }
    let started = Instant::now();
    let output = output(&cli.command).clone();
    log(&output, process);
    let mut outcome = execute(&cli.command, process);
    outcome.report.elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    publish(&mut outcome, &output, process)
}

/// What a verb came to: the report, and what goes to standard output.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) report: Report,
    /// For people.
    pub(crate) text: String,
    /// For programs, where it is not the report itself.
    pub(crate) json: Option<serde_json::Value>,
}

impl Outcome {
    pub(crate) fn failed(command: &'static str, failure: &Failure) -> Self {
        let mut report = Report::new(command);
        report.error = Some(failure.problem());
        Self {
            report,
            text: String::new(),
            json: None,
        }
    }
}

/// Sets up and runs the verb, until it ends, the time is over, or somebody interrupts.
pub(crate) fn execute(command: &Command, process: &mut Process) -> Outcome {
    attempt(command, process).unwrap_or_else(|failure| Outcome::failed(name(command), &failure))
}

fn attempt(command: &Command, process: &mut Process) -> Result<Outcome, Failure> {
    if let Command::Policy(Policy::Check(arguments)) = command {
        return verbs::run_policy_check(arguments, process);
    }
    let shared = shared(command);
    let settings = Settings::new(shared, process)?;
    let stdin = match command {
        Command::Verify(arguments) => manifest_input(&arguments.files, process)?,
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
    let progress = progress(command, shared, process);
    let outcome = runtime.block_on(async {
        let (mut services, deadline) = Services::open(settings, process.now)?;
        services.stdin = stdin.map(Into::into);
        // The edge ends each request at the deadline; this is for what waits beside requests.
        let limit = tokio::time::timeout_at(deadline + Duration::from_millis(500), verbs::run(command, &services));
        let mut outcome = tokio::select! {
            outcome = limit => outcome.unwrap_or_else(|_| Err(FlowError::Timeout { limit: timeout.clone() }.into())),
            () = interrupted() => Err(FlowError::Interrupted.into()),
        };
        let command = name(command);
        let mut finished = match &mut outcome {
            Ok(_) => outcome?,
            Err(failure) => Outcome::failed(command, failure),
        };
        services.account(&mut finished.report).await;
        Ok(finished)
    });
    if let Some(progress) = progress {
        progress.finish_and_clear();
    }
    runtime.shutdown_timeout(Duration::from_millis(100));
    outcome
}

/// Something that moves, on a terminal only.
fn progress(
    command: &Command,
    shared: &Shared,
    process: &Process,
) -> Option<indicatif::ProgressBar> {
    let quiet = shared.output.quiet || shared.output.verbose > 0;
    (process.terminal && !quiet).then(|| {
        let bar = indicatif::ProgressBar::new_spinner();
        bar.set_message(format!("{} …", name(command)));
        bar.enable_steady_tick(Duration::from_millis(100));
        bar
    })
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

/// What clap has to say: help and version are results, anything else is a usage error.
fn refuse(error: &clap::Error, process: &mut Process) -> Exit {
    let text = error.render().to_string();
    if error.use_stderr() {
        let _ = process.stderr.write_all(text.as_bytes());
        Exit::Usage
    } else {
        written(process, text.as_bytes())
    }
}

/// Writes a result; a result that cannot be written was not delivered.
fn written(process: &mut Process, bytes: &[u8]) -> Exit {
    match process
        .stdout
        .write_all(bytes)
        .and_then(|()| process.stdout.flush())
    {
        Ok(()) => Exit::Done,
        Err(_) => Exit::Undecided,
    }
}

/// Report, summary, result and story, in this order: what was asked for as a file comes first.
fn publish(outcome: &mut Outcome, output: &Output, process: &mut Process) -> Exit {
    let mut exit = outcome.report.exit();
    if let Some(path) = &output.report
        && let Err(error) = replace(path, outcome.report.json().as_bytes())
    {
        exit = exit.worst(complain(process, "report", path, &error));
    }
    if let Some(path) = &output.summary
        && let Err(error) = append(path, outcome.report.summary(Profile::Github).as_bytes())
    {
        exit = exit.worst(complain(process, "summary", path, &error));
    }
    if let Some(path) = &output.sarif
        && let Err(error) = replace(path, outcome.report.sarif().as_bytes())
    {
        exit = exit.worst(complain(process, "SARIF file", path, &error));
    }
    if let Some(path) = &output.junit
        && let Err(error) = replace(path, outcome.report.junit().as_bytes())
    {
        exit = exit.worst(complain(process, "JUnit file", path, &error));
    }
    let result = match output.output {
        crate::cli::Form::Json => match &outcome.json {
            Some(document) => format!("{document:#}\n"),
            None => outcome.report.json(),
        },
        crate::cli::Form::Text => outcome.text.clone(),
    };
    exit = exit.worst(written(process, result.as_bytes()));
    let _ = process
        .stderr
        .write_all(outcome.report.story(output.quiet).as_bytes());
    exit
}

fn complain(process: &mut Process, what: &str, path: &Path, error: &std::io::Error) -> Exit {
    let _ = writeln!(
        process.stderr,
        "error[config-invalid]: the {what} `{}` cannot be written\n  caused by: {error}",
        path.display()
    );
    Exit::Usage
}

/// Sends the log to standard error, where asked for.
fn log(output: &Output, process: &Process) {
    let level = match output.verbose {
        0 => return,
        1 => LevelFilter::INFO,
        _ => LevelFilter::DEBUG,
    };
    let colour = process.terminal && process.environment.get("NO_COLOR").is_none();
    write_log(level, colour, std::io::stderr);
}

/// Sends this program's own log to `writer`, and nothing of the libraries it stands on.
pub(crate) fn write_log(
    level: LevelFilter,
    colour: bool,
    writer: impl for<'a> MakeWriter<'a> + Send + Sync + 'static,
) {
    let all = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(writer)
        .with_ansi(colour)
        .without_time();
    // A second run in one process keeps the first one's subscriber.
    let _ = all
        .finish()
        .with(Targets::new().with_target("acr_sign", level))
        .try_init();
}

fn output(command: &Command) -> &Output {
    match command {
        Command::Policy(Policy::Check(arguments)) => &arguments.output,
        _ => &shared(command).output,
    }
}

fn shared(command: &Command) -> &Shared {
    match command {
        Command::Sign(arguments) => &arguments.shared,
        Command::Verify(arguments) => &arguments.shared,
        Command::Inspect(arguments) => &arguments.shared,
        Command::Policy(Policy::Init(arguments)) => &arguments.shared,
        Command::Trust(Trust::Init(arguments)) => &arguments.shared,
        Command::Trust(Trust::Status(arguments)) => &arguments.shared,
        Command::Trust(Trust::Signer(Signer::Add(arguments))) => &arguments.shared,
        Command::Trust(Trust::Revoke(arguments)) => &arguments.shared,
        Command::Key(Key::Show(arguments)) => &arguments.shared,
        Command::Policy(Policy::Check(_)) | Command::Ci | Command::Completions { .. } => {
            unreachable!("they end before anything is set up")
        }
    }
}

/// The command as typed.
fn name(command: &Command) -> &'static str {
    match command {
        Command::Sign(_) => "sign",
        Command::Verify(_) => "verify",
        Command::Inspect(_) => "inspect",
        Command::Policy(Policy::Check(_)) => "policy check",
        Command::Policy(Policy::Init(_)) => "policy init",
        Command::Trust(Trust::Init(_)) => "trust init",
        Command::Trust(Trust::Status(_)) => "trust status",
        Command::Trust(Trust::Signer(Signer::Add(_))) => "trust signer add",
        Command::Trust(Trust::Revoke(_)) => "trust revoke",
        Command::Key(Key::Show(_)) => "key show",
        Command::Ci => "ci",
        Command::Completions { .. } => "completions",
    }
}
