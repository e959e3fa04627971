//! `ci`: what the Action and the task run. The inputs become the command line that says the same; report,
//! summary, outputs and annotations are written however it ended, and the result file last.

use std::{
    io::{self, Write as _},
    path::{Path, PathBuf},
    time::Instant,
};

use clap::Parser as _;
use tracing_subscriber::filter::LevelFilter;

use crate::{
    cli::{Online, Step as StepLine, StepCommand, UsageError},
    log::write_log,
    output_file::{Unwritable, append, replace_file},
    pipeline::{
        Console, DebugLines, Ending, FailOn, Host, Inputs, PipelineError, Verb, advise, annotate,
        facts, find_images, outputs, spell,
    },
    process::{Environment, Process},
    reason::Exit,
    report::{Decision, ImageReport, Problem, Profile, Report},
    verbs::execute,
};

/// Variables that an earlier step may plant, and that would move where requests go: inputs only (P11).
const ONLY_AS_INPUTS: [(&str, &str); 3] = [
    ("ACR_SIGN_CONNECT_TO", "connect-to"),
    ("ACR_SIGN_CA_FILE", "ca-file"),
    ("DOCKER_CONTENT_TRUST_SERVER", "trust-server"),
];

/// Runs the step that the environment describes.
pub(crate) fn run(process: &mut Process) -> Exit {
    let started = Instant::now();
    let environment = process.environment.clone();
    let Some(host) = Host::detect(&environment) else {
        let mut report = Report::new("ci");
        report.error = Some(Problem::of(&PipelineError::NoHost));
        let _ = process.stderr.write_all(report.story(false).as_bytes());
        return conclude(&Ending::of(&report, FailOn::Rejected), &environment);
    };
    let console = Console::new(
        host,
        std::mem::replace(&mut process.stdout, Box::new(io::sink())),
    );
    process.mask = console.masks();
    process.terminal = false;
    if host.is_debugging(&environment) {
        debug(&console);
    }
    let inputs = Inputs::read(host, &environment);
    let outcome = match &inputs {
        Ok(inputs) => command(inputs, &console, process).map(|command| execute(&command, process)),
        Err(error) => Err(Problem::of(error)),
    };
    let mut report = outcome.map_or_else(failed, |outcome| outcome.report);
    report.elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let step = Step {
        host,
        console,
        environment,
        inputs: inputs.ok(),
    };
    report.warnings.splice(0..0, step.warnings());
    report.weakened.extend(step.weakened());
    report.run = facts(host, &step.environment);
    advise(&mut report, host, &step.environment);
    spell(&mut report, host);
    conclude(&step.publish(&mut report), &step.environment)
}

fn failed(problem: Problem) -> Report {
    let mut report = Report::new("ci");
    report.error = Some(problem);
    report
}

/// The command that the inputs describe, and the process as it may see it.
fn command(inputs: &Inputs, console: &Console, process: &mut Process) -> Result<Online, Problem> {
    let source = find_images(inputs, &process.environment).map_err(|error| Problem::of(&error))?;
    let mut arguments = inputs.arguments();
    if let Some(digest) = &source.digest {
        arguments.push(format!("--digest={digest}"));
    }
    if let Some(since) = inputs
        .text("fresh-since")
        .filter(|_| source.name == "fresh-since")
    {
        arguments.push(format!("--fresh-since={since}"));
        arguments.extend(
            inputs
                .list("repository")
                .into_iter()
                .map(|pattern| format!("--repository={pattern}")),
        );
    }
    arguments.push("--".to_owned());
    arguments.extend(source.images.iter().cloned());
    let parsed = StepLine::try_parse_from(&arguments).map_err(|error| {
        let mut problem = Problem::of(&UsageError::new(&error));
        // A step has inputs, no command line to show.
        problem.hint = problem.hint.filter(|hint| !hint.starts_with("usage: "));
        problem
    })?;
    let command = match parsed.command {
        StepCommand::Sign(mut sign) => {
            sign.source = Some(source.name);
            sign.provenance = facts(inputs.host(), &process.environment)
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect();
            Online::Sign(sign)
        }
        StepCommand::Verify(mut verify) => {
            verify.source = Some(source.name);
            Online::Verify(verify)
        }
    };
    if let Some(password) = inputs.text("password") {
        process.stdin = Box::new(io::Cursor::new(password.to_owned()));
    }
    let mut planted: Vec<&str> = ONLY_AS_INPUTS
        .iter()
        .map(|(variable, _)| *variable)
        .collect();
    if inputs.host() != Host::Azure {
        planted.push("INPUT_AZURESUBSCRIPTION");
    }
    process.environment = std::mem::take(&mut process.environment).without(&planted);
    if inputs.host() == Host::GitHub
        && let Some(token) = inputs.text("github-token")
    {
        console.masks().announce(token);
        process.environment = std::mem::take(&mut process.environment).with("GITHUB_TOKEN", token);
    }
    let (version, word, count) = (
        env!("CARGO_PKG_VERSION"),
        inputs.verb().word(),
        source.images.len(),
    );
    console.say(&format!(
        "acr-sign {version}: {word} on {}, images from {}: {count}",
        inputs.host().title(),
        source.name
    ));
    console.progress(0, inputs.verb().word());
    Ok(command)
}

/// Shows the log to a run that is being debugged.
fn debug(console: &Console) {
    let console = console.clone();
    write_log(LevelFilter::DEBUG, false, move || {
        DebugLines(console.clone())
    });
}

/// A step, once its command has run.
struct Step {
    host: Host,
    console: Console,
    environment: Environment,
    /// None where they could not be read.
    inputs: Option<Inputs>,
}

impl Step {
    /// What of the environment was not honoured.
    fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        for (variable, input) in ONLY_AS_INPUTS {
            if self.environment.get(variable).is_some() {
                warnings.push(format!(
                    "`{variable}` is set but not used: in a pipeline, only the input `{}` is read",
                    self.host.spell(input)
                ));
            }
        }
        warnings
    }

    /// Lax switches of the step itself (P09); those of the command are in its report.
    fn weakened(&self) -> Vec<String> {
        let Some(inputs) = &self.inputs else {
            return Vec::new();
        };
        let mut weakened = Vec::new();
        if self.fail_on() != FailOn::Rejected {
            weakened.push(format!(
                "{}: {}",
                inputs.spell("fail-on"),
                self.fail_on().word()
            ));
        }
        // The wrapper runs what either names, the input first.
        let by_variable = self
            .environment
            .get("ACR_SIGN_BINARY")
            .is_some_and(|path| !path.trim().is_empty());
        let by_input = inputs
            .text("binary-path")
            .map(|_| inputs.spell("binary-path"));
        if let Some(by) = by_input.or(by_variable.then(|| "ACR_SIGN_BINARY".to_owned())) {
            weakened.push(format!("{by} (a program that was not checked)"));
        }
        weakened
    }

    fn fail_on(&self) -> FailOn {
        self.inputs
            .as_ref()
            .filter(|inputs| inputs.verb() == Verb::Verify)
            .map_or(FailOn::Rejected, |inputs| {
                FailOn::of(inputs.text("fail-on"))
            })
    }

    /// Report, summary, outputs, log and annotations; what cannot be written is in all that comes after it.
    fn publish(&self, report: &mut Report) -> Ending {
        let path = self.report_path();
        let form = |name: &str| {
            self.inputs
                .as_ref()
                .and_then(|inputs| inputs.text(name))
                .map(Path::new)
        };
        if let Some(path) = form("sarif") {
            keep(report, "SARIF file", path, |report| {
                replace_file(path, &self.console.hide(report.sarif()))
            });
        }
        if let Some(path) = form("junit") {
            keep(report, "JUnit file", path, |report| {
                replace_file(path, &self.console.hide(report.junit()))
            });
        }
        keep(report, "report", &path, |report| {
            replace_file(&path, &self.console.hide(report.json()))
        });
        if self
            .inputs
            .as_ref()
            .is_none_or(|inputs| inputs.is_on("summary"))
        {
            self.summarise(report);
        }
        let decision = Ending::of(report, self.fail_on()).decision;
        self.set_outputs(report, decision, &path);
        for image in &report.images {
            self.tell(image);
        }
        for file in &report.pinned_files {
            self.console.say(&format!("pinned {file}"));
        }
        for note in &report.notes {
            self.console.say(&format!("note: {note}"));
        }
        let ending = Ending::of(report, self.fail_on());
        annotate(&self.console, report, ending.exit == Exit::Done);
        self.console.progress(100, &ending.message);
        self.console.say(&ending.message);
        if self.console.is_whole() {
            ending
        } else {
            ending.unheard()
        }
    }

    /// An image with its signatures, in a group of its own.
    fn tell(&self, image: &ImageReport) {
        let title = format!("{} {}", image.status.word(), image.label());
        if image.signatures.is_empty() {
            return self.console.say(&title);
        }
        self.console.open_group(&title);
        for signature in &image.signatures {
            let role = signature.role.as_deref().unwrap_or("-");
            let key = signature.key_id.as_deref().unwrap_or("-");
            let word = signature.status.word();
            self.console
                .say(&format!("{} {role} key {key} {word}", signature.format));
        }
        self.console.close_group();
    }

    fn report_path(&self) -> PathBuf {
        let named = self
            .inputs
            .as_ref()
            .and_then(|inputs| inputs.text("report"))
            .map(PathBuf::from);
        named.unwrap_or_else(|| self.own_file("acr-sign-report-", "json"))
    }

    /// A file of this step in the job's temporary folder: `prefix`, digits, extension.
    fn own_file(&self, prefix: &str, extension: &str) -> PathBuf {
        let folder = self.host.temporary_folder(&self.environment).unwrap_or(".");
        let mark: String = random().chars().take(12).collect();
        Path::new(folder).join(format!("{prefix}{mark}.{extension}"))
    }

    fn summarise(&self, report: &mut Report) {
        match (
            self.host,
            self.environment.get("GITHUB_STEP_SUMMARY").map(Path::new),
        ) {
            (Host::GitHub, None) => {}
            (Host::GitHub, Some(path)) => {
                keep(report, "summary", path, |report| {
                    append(path, &self.console.hide(report.summary(Profile::Github)))
                });
            }
            (Host::Azure, _) => {
                // The host shows the file's name as the title.
                let title = if report.command == "verify" {
                    "Image verification "
                } else {
                    "Image signing "
                };
                let path = self.own_file(title, "md");
                keep(report, "summary", &path, |report| {
                    replace_file(&path, &self.console.hide(report.summary(Profile::Azure)))?;
                    self.console.upload_summary(&path.display().to_string());
                    Ok(())
                });
            }
        }
    }

    fn set_outputs(&self, report: &mut Report, decision: Decision, report_path: &Path) {
        let sarif = self.inputs.as_ref().and_then(|inputs| inputs.text("sarif"));
        let values = outputs::outputs(report, decision, &report_path.display().to_string(), sarif);
        match (
            self.host,
            self.environment.get("GITHUB_OUTPUT").map(Path::new),
        ) {
            (Host::GitHub, None) => {}
            (Host::GitHub, Some(path)) => keep(report, "output", path, |_| {
                let text = outputs::for_github(&values, &format!("acr-sign-{}", random()));
                let text =
                    text.ok_or_else(|| io::Error::other("a value contains the delimiter"))?;
                append(path, &self.console.hide(text))
            }),
            (Host::Azure, _) => {
                for name in outputs::set_on_azure(&self.console, &values) {
                    report.warnings.push(format!("the output `{name}` is too long for a line and is not set: read the report that `reportPath` names"));
                }
            }
        }
    }
}

/// Writes something of a step. Where that fails the step does, and every place that is written later says so.
fn keep(
    report: &mut Report,
    what: &'static str,
    path: &Path,
    write: impl FnOnce(&Report) -> io::Result<()>,
) {
    if let Err(cause) = write(report) {
        report.fail(Problem::of(&Unwritable::new(what, path, cause)));
    }
}

/// The last act: the outcome, where the wrapper looks for it. What it cannot read is a failure.
fn conclude(ending: &Ending, environment: &Environment) -> Exit {
    let Some(path) = environment.get("ACR_SIGN_RESULT") else {
        return ending.exit;
    };
    match replace_file(Path::new(path), ending.document().as_bytes()) {
        Ok(()) => ending.exit,
        Err(_) => ending.exit.worst(Exit::Usage),
    }
}

/// 32 digits that nobody can foresee.
fn random() -> String {
    let mut bytes = [0; 16];
    // Where the system gives none, names are merely not unique, and a value that holds the delimiter is refused.
    let _ = getrandom::fill(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::CommandFactory as _;

    use super::*;
    use crate::{
        cli::Cli,
        pipeline::{INPUTS, Reader},
    };

    /// Flags that a step does not take, and why.
    const NO_INPUTS: [(&str, &str); 6] = [
        ("at", "a step answers for now"),
        ("color", "a step's log is no terminal"),
        (
            "output",
            "the report is always written, as JSON; the log is for people",
        ),
        (
            "password-stdin",
            "the input `password` is what a step has instead of standard input",
        ),
        ("quiet", "a step's log is the host's to fold"),
        ("verbose", "the host's debug switch says more"),
    ];

    fn flags(verb: Verb) -> BTreeSet<String> {
        let command = Cli::command();
        let command = command.find_subcommand(verb.word()).unwrap();
        command
            .get_arguments()
            .filter_map(|argument| Some(argument.get_long()?.to_owned()))
            .collect()
    }

    #[test]
    fn every_flag_is_an_input_or_is_said_to_be_none() {
        for verb in [Verb::Sign, Verb::Verify] {
            for flag in flags(verb) {
                let is_input = INPUTS
                    .iter()
                    .any(|input| input.name == flag && input.verb.is_none_or(|only| only == verb));
                let is_none = NO_INPUTS.iter().any(|(name, _)| *name == flag);
                assert!(
                    is_input != is_none,
                    "`--{flag}` of `{}`: input {is_input}, exception {is_none}",
                    verb.word()
                );
            }
        }
        let all: BTreeSet<String> = flags(Verb::Sign)
            .into_iter()
            .chain(flags(Verb::Verify))
            .collect();
        for (name, _) in NO_INPUTS {
            assert!(all.contains(name), "`--{name}` is not a flag");
        }
    }

    #[test]
    fn every_input_that_becomes_a_flag_is_one_of_its_commands() {
        for input in INPUTS.iter().filter(|input| input.reader == Reader::Flag) {
            for verb in [Verb::Sign, Verb::Verify]
                .into_iter()
                .filter(|verb| input.verb.is_none_or(|only| only == *verb))
            {
                assert!(
                    flags(verb).contains(input.name),
                    "`{}` has no `--{}`",
                    verb.word(),
                    input.name
                );
            }
        }
    }
}
