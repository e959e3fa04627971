//! The one place where a pipeline's log is written. Foreign text is broken up here, and no line is longer
//! than 16 KiB.

use std::{
    fmt,
    io::{self, Write},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use super::{Host, azure, escape::escaped, github};
use crate::{
    crypto::Mask,
    report::{Location, plain},
};

/// Bytes of a printed line, with its end: more is cut by hosts, or taken apart.
const LINE: usize = 16 << 10;
/// Bytes of a line that is masked by itself.
const SHORTEST: usize = 4;
/// Bytes of an annotation; GitHub cuts at 4096 characters.
const ANNOTATION: usize = 4000;

/// The log of a step.
#[derive(Clone)]
pub struct Console {
    host: Host,
    log: Arc<Log>,
    mask: Mask,
}

struct Log {
    stream: Mutex<Box<dyn Write + Send>>,
    broken: AtomicBool,
}

impl Console {
    /// Over the standard output of the step.
    pub fn new(host: Host, stream: Box<dyn Write + Send>) -> Self {
        let log = Arc::new(Log {
            stream: Mutex::new(stream),
            broken: AtomicBool::new(false),
        });
        let told = log.clone();
        Self {
            host,
            log,
            mask: Mask::new(move |secret| told.mask(host, secret)),
        }
    }

    /// A line of text.
    pub fn say(&self, text: &str) {
        self.put(&escaped(&self.shown(text), LINE - 1, |_| None));
    }

    /// Opens a group that a reader may fold.
    pub fn open_group(&self, title: &str) {
        match self.host {
            Host::GitHub => self.put(&github::command(
                "group",
                &[],
                &self.shown(title),
                ANNOTATION,
            )),
            Host::Azure => self.put(&format!(
                "##[group]{}",
                escaped(&self.shown(title), ANNOTATION, |_| None)
            )),
        }
    }

    /// Closes the group.
    pub fn close_group(&self) {
        self.put(match self.host {
            Host::GitHub => "::endgroup::",
            Host::Azure => "##[endgroup]",
        });
    }

    /// An error that the page of the run shows, with its reason, and at a file's line where it has one.
    pub fn error(&self, reason: &str, message: &str, place: Option<&Location>) {
        let message = self.shown(message);
        let place = place.map(|place| {
            (
                self.shown(&place.file),
                place.line.to_string(),
                place.column.to_string(),
            )
        });
        let title = format!("acr-sign: {reason}");
        let mut properties = Vec::new();
        match self.host {
            Host::GitHub => {
                if let Some((file, line, column)) = &place {
                    let file = file.strip_prefix("./").unwrap_or(file);
                    properties.extend([("file", file), ("line", line), ("col", column)]);
                }
                properties.push(("title", &title));
                self.put(&github::command("error", &properties, &message, ANNOTATION));
            }
            Host::Azure => {
                properties.extend([("type", "error"), ("code", reason)]);
                if let Some((file, line, column)) = &place {
                    properties.extend([
                        ("sourcepath", file.as_str()),
                        ("linenumber", line),
                        ("columnnumber", column),
                    ]);
                }
                self.put(&azure::command(
                    "task.logissue",
                    &properties,
                    &message,
                    ANNOTATION,
                ));
            }
        }
    }

    /// A warning that the page of the run shows.
    pub fn warning(&self, message: &str) {
        let message = self.shown(message);
        self.put(&match self.host {
            Host::GitHub => {
                github::command("warning", &[("title", "acr-sign")], &message, ANNOTATION)
            }
            Host::Azure => azure::command(
                "task.logissue",
                &[("type", "warning")],
                &message,
                ANNOTATION,
            ),
        });
    }

    /// A line that only a debugging run shows.
    pub fn debug(&self, text: &str) {
        let text = self.shown(text);
        self.put(&match self.host {
            Host::GitHub => github::command("debug", &[], &text, LINE - 1),
            Host::Azure => azure::command("task.debug", &[], &text, LINE - 1),
        });
    }

    /// How far the step is, where the host shows it.
    pub fn progress(&self, percent: u8, doing: &str) {
        if self.host == Host::Azure {
            let value = percent.to_string();
            self.put(&azure::command(
                "task.setprogress",
                &[("value", &value)],
                &self.shown(doing),
                ANNOTATION,
            ));
        }
    }

    /// Sets an output variable by a printed command; `false` where that line would be too long.
    pub fn set_variable(&self, name: &str, value: &str) -> bool {
        let line = azure::command(
            "task.setvariable",
            &[("variable", name), ("isOutput", "true")],
            &self.mask.hide_text(value),
            usize::MAX,
        );
        let fits = line.len() < LINE;
        if fits {
            self.put(&line);
        }
        fits
    }

    /// Hands the summary to the host as a file.
    pub fn upload_summary(&self, path: &str) {
        self.put(&azure::command("task.uploadsummary", &[], path, LINE - 1));
    }

    /// Learns of secrets: the host replaces them wherever they would show, and nothing that is written here has one.
    pub fn masks(&self) -> Mask {
        self.mask.clone()
    }

    /// Text of a file that this step leaves behind, without secrets.
    pub fn hide(&self, text: String) -> Vec<u8> {
        self.mask.hide(text.into_bytes())
    }

    /// Foreign text as it may be printed: harmless, and without secrets.
    fn shown(&self, text: &str) -> String {
        plain(&self.mask.hide_text(text))
    }

    /// Whether everything said so far was written.
    pub fn is_whole(&self) -> bool {
        !self.log.broken.load(Ordering::SeqCst)
    }

    fn put(&self, line: &str) {
        self.log.put(line);
    }
}

impl Log {
    fn put(&self, line: &str) {
        let mut stream = self.stream.lock().unwrap_or_else(PoisonError::into_inner);
        // One write, so that lines of other processes do not fall into it.
        let written = stream
            .write_all(format!("{line}\n").as_bytes())
            .and_then(|()| stream.flush());
        if written.is_err() {
            self.broken.store(true, Ordering::SeqCst);
        }
    }

    /// Makes the host replace a secret wherever it would show. Hosts mask line by line.
    fn mask(&self, host: Host, secret: &str) {
        for line in maskable(secret) {
            for part in parts(line, LINE / 4) {
                self.put(&match host {
                    Host::GitHub => github::command("add-mask", &[], part, LINE - 1),
                    Host::Azure => azure::command("task.setsecret", &[], part, LINE - 1),
                });
            }
        }
    }
}

/// The lines of a secret that a host can mask. A short one would be replaced all over the log and says little, and the
/// frame of a PEM file stands in every certificate.
fn maskable(secret: &str) -> impl Iterator<Item = &str> {
    secret
        .lines()
        .map(str::trim)
        .filter(|line| line.len() >= SHORTEST && !line.starts_with("-----"))
}

impl fmt::Debug for Console {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Console")
            .field("host", &self.host)
            .finish_non_exhaustive()
    }
}

/// Log events, line by line, as debug output.
#[derive(Debug)]
pub struct DebugLines(pub Console);

impl Write for DebugLines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for line in String::from_utf8_lossy(bytes).lines() {
            self.0.debug(line);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// `text` in parts of at most `size` bytes.
fn parts(text: &str, size: usize) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text;
    while rest.len() > size {
        let at = (1..=size)
            .rev()
            .find(|at| rest.is_char_boundary(*at))
            .unwrap_or(rest.len());
        let (part, more) = rest.split_at(at);
        parts.push(part);
        rest = more;
    }
    parts.push(rest);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_every_file_is_not_masked() {
        let pem = "-----BEGIN PRIVATE KEY-----\n MIIEvQIB\r\nab=\n-----END PRIVATE KEY-----\n";
        assert_eq!(maskable(pem).collect::<Vec<_>>(), ["MIIEvQIB"]);
        assert_eq!(maskable("abc\n\nabcd").collect::<Vec<_>>(), ["abcd"]);
    }

    #[test]
    fn long_secrets_are_masked_in_parts() {
        let parts = parts("aaaé", 4);
        assert_eq!(parts, ["aaa", "é"]);
    }
}
