//! One run: arguments to settings, settings to services, the verb, and the report to whoever wants it.

use std::{ffi::OsString, io::Write as _, path::Path, time::Instant};

use clap::{CommandFactory as _, Parser as _};
use tracing_subscriber::filter::LevelFilter;

use crate::{
    ci,
    cli::{Cli, Invocation, Local, Output},
    log::write_log,
    output_file::{append, replace},
    process::Process,
    reason::Exit,
    report::Profile,
    verbs::{Outcome, check_policy, execute},
};

/// Runs a command line as `main` does: arguments include the program's name.
pub fn run(arguments: impl IntoIterator<Item = OsString>, process: &mut Process) -> Exit {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => return refuse(&error, process),
    };
    match cli.command.into() {
        Invocation::Ci => ci::run(process),
        Invocation::Local(Local::Completions(shell)) => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "acr-sign", &mut script);
            written(process, &script)
        }
        Invocation::Local(Local::PolicyCheck(check)) => report(&check.output, process, |process| {
            check_policy(&check, process)
        }),
        Invocation::Online(command) => report(&command.shared().output, process, |process| {
            execute(&command, process)
        }),
    }
}

/// Runs a command and publishes what it came to.
fn report(
    output: &Output,
    process: &mut Process,
    command: impl FnOnce(&mut Process) -> Outcome,
) -> Exit {
    let started = Instant::now();
    log(output, process);
    let mut outcome = command(process);
    outcome.report.elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    publish(&mut outcome, output, process)
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
