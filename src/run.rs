//! One run: arguments to settings, settings to services, the verb, and the report to whoever wants it.

use std::{
    ffi::{OsStr, OsString},
    io::{self, Write as _},
    path::Path,
    time::Instant,
};

use clap::{CommandFactory as _, FromArgMatches as _};
use tracing_subscriber::filter::LevelFilter;

use crate::{
    ci,
    cli::{Cli, Colour, Form, Invocation, Local, Output, UsageError},
    log::write_log,
    output_file::{Unwritable, append, replace},
    process::Process,
    reason::{Exit, Reason},
    report::{Problem, Profile, Report},
    verbs::{Outcome, check_policy, execute},
};

/// Columns of help at most: longer lines are hard to read.
const WIDTH: usize = 100;

/// Runs a command line as `main` does: arguments include the program's name.
pub fn run(arguments: impl IntoIterator<Item = OsString>, process: &mut Process) -> Exit {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let width = process.columns.unwrap_or(WIDTH).min(WIDTH);
    let parsed = Cli::command()
        .term_width(width)
        .try_get_matches_from(&arguments)
        .and_then(|matches| Cli::from_arg_matches(&matches));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) => return refuse(&error, &arguments, process),
    };
    match cli.command.into() {
        Invocation::Ci => ci::run(process),
        Invocation::Local(Local::Completions(shell)) => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "acr-sign", &mut script);
            written(process, &script)
        }
        Invocation::Local(Local::Man(folder)) => {
            let written = clap_mangen::generate_to(Cli::command(), &folder);
            let written = written.map_err(|cause| Unwritable::new("manual page", &folder, cause));
            let mut report = Report::new("man");
            report.error = written.err().map(|error| Problem::of(&error));
            tell(&report.story(true), Colour::Auto, process);
            report.exit()
        }
        Invocation::Local(Local::Explain(reason)) => written(process, explain(reason).as_bytes()),
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
fn refuse(error: &clap::Error, arguments: &[OsString], process: &mut Process) -> Exit {
    if !error.use_stderr() {
        return written(process, error.render().to_string().as_bytes());
    }
    let mut report = Report::new("");
    report.error = Some(Problem::of(&UsageError::new(error)));
    let mut exit = Exit::Usage;
    if wants_json(arguments) {
        exit = exit.worst(written(process, printable(&report.json()).as_bytes()));
    }
    tell(&report.story(false), Colour::Auto, process);
    exit
}

/// Whether arguments that were not understood ask for JSON all the same.
fn wants_json(arguments: &[OsString]) -> bool {
    let is = |word: &OsString, text: &str| word.as_os_str() == OsStr::new(text);
    let apart = arguments.windows(2).any(|pair| match pair {
        [flag, value] => is(flag, "--output") && is(value, "json"),
        _ => false,
    });
    apart || arguments.iter().any(|word| is(word, "--output=json"))
}

/// JSON that no pipeline host takes for a command: what it looks for in the middle of a line is escaped. Outside of
/// strings JSON has no such character.
fn printable(json: &str) -> String {
    json.replace("##", "\\u0023\\u0023")
}

/// A reason in words: what its page says.
fn explain(reason: Reason) -> String {
    format!(
        "{reason} (exit {})\n\ncause: {}\nfix:   {}\n\n{}\n\n{}\n",
        reason.exit().code(),
        reason.cause(),
        reason.fix(),
        reason.details(),
        reason.page()
    )
}

/// Writes a result; a result that cannot be written was not delivered.
fn written(process: &mut Process, bytes: &[u8]) -> Exit {
    let bytes = process.mask.hide(bytes.to_vec());
    match process
        .stdout
        .write_all(&bytes)
        .and_then(|()| process.stdout.flush())
    {
        Ok(()) => Exit::Done,
        Err(_) => Exit::Undecided,
    }
}

/// Writes the story, in which no secret stands, and nothing that a terminal or a pipeline host takes for a command.
fn tell(story: &str, colour: Colour, process: &mut Process) {
    let story = process.mask.hide_text(story);
    let story = if colour.is_on(&process.environment, process.terminal) {
        coloured(&story)
    } else {
        story
    };
    let _ = process.stderr.write_all(story.as_bytes());
}

/// What each line begins with, in the colour that it has in other programs.
fn coloured(story: &str) -> String {
    const STYLES: [(&str, &str); 6] = [
        ("error", "1;31"),
        ("warning:", "1;33"),
        ("note:", "1;36"),
        ("  hint:", "32"),
        ("  caused by:", "2"),
        ("  see:", "2"),
    ];
    let mut out = String::with_capacity(story.len() * 2);
    for line in story.lines() {
        let style = STYLES.iter().find(|(start, _)| line.starts_with(start));
        let split = style.and_then(|(_, code)| {
            let (head, tail) = line.split_once(':')?;
            Some((code, head, tail))
        });
        match split {
            Some((code, head, tail)) => {
                out.push_str(&format!("\u{1b}[{code}m{head}:\u{1b}[0m{tail}\n"));
            }
            None => out.push_str(&format!("{line}\n")),
        }
    }
    out
}

/// Files, result and story, in this order; what cannot be written is told in all that comes after it.
fn publish(outcome: &mut Outcome, output: &Output, process: &mut Process) -> Exit {
    let report = &mut outcome.report;
    let hidden = |text: String| process.mask.hide(text.into_bytes());
    keep(
        report,
        "SARIF file",
        output.sarif.as_deref(),
        |path, report| replace(path, &hidden(report.sarif())),
    );
    keep(
        report,
        "JUnit file",
        output.junit.as_deref(),
        |path, report| replace(path, &hidden(report.junit())),
    );
    keep(
        report,
        "summary",
        output.summary.as_deref(),
        |path, report| append(path, &hidden(report.summary(Profile::Github))),
    );
    keep(
        report,
        "report",
        output.report.as_deref(),
        |path, report| replace(path, &hidden(report.json())),
    );
    let mut exit = report.exit();
    let result = match output.output {
        Form::Json => printable(&match &outcome.json {
            Some(document) => format!("{document:#}\n"),
            None => report.json(),
        }),
        Form::Text => outcome.text.clone(),
    };
    let story = report.story(output.quiet);
    exit = exit.worst(written(process, result.as_bytes()));
    tell(&story, output.color, process);
    exit
}

/// Writes a file of the report, where one was asked for.
fn keep(
    report: &mut Report,
    what: &'static str,
    path: Option<&Path>,
    write: impl FnOnce(&Path, &Report) -> io::Result<()>,
) {
    if let Some(path) = path
        && let Err(cause) = write(path, report)
    {
        report.fail(Problem::of(&Unwritable::new(what, path, cause)));
    }
}

/// Sends the log to standard error, where asked for.
fn log(output: &Output, process: &Process) {
    let level = match output.verbose {
        0 => return,
        1 => LevelFilter::INFO,
        _ => LevelFilter::DEBUG,
    };
    let colour = output.color.is_on(&process.environment, process.terminal);
    write_log(level, colour, io::stderr);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_beginning_of_a_line_has_a_colour() {
        let story = "error[usage]: a: b\n  hint: c\n3 images verified\n";
        assert_eq!(
            coloured(story),
            "\u{1b}[1;31merror[usage]:\u{1b}[0m a: b\n\u{1b}[32m  hint:\u{1b}[0m c\n3 images verified\n"
        );
    }

    #[test]
    fn json_is_asked_for_in_both_spellings() {
        let words = |line: &str| line.split(' ').map(Into::into).collect::<Vec<OsString>>();
        assert!(wants_json(&words("acr-sign verify --output json --x")));
        assert!(wants_json(&words("acr-sign verify --x --output=json")));
        assert!(!wants_json(&words("acr-sign verify --output text json")));
    }
}
