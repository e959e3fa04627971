//! How far a run is, for someone who waits at a terminal: images done of all.

use std::{
    io::{self, Write as _},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

/// How long a run is quiet before its progress is drawn, and between two drawings.
const PAUSE: Duration = Duration::from_millis(300);

/// The counters of one run; clones share them.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<Counters>);

#[derive(Debug, Default)]
struct Counters {
    all: AtomicUsize,
    done: AtomicUsize,
}

impl Progress {
    /// So many more images are to be worked on.
    pub fn expect(&self, images: usize) {
        self.0.all.fetch_add(images, Ordering::Relaxed);
    }

    /// So many images ended, well or not.
    pub fn finish(&self, images: usize) {
        self.0.done.fetch_add(images, Ordering::Relaxed);
    }

    /// The line to show; `waits_for` are the hosts that owe an answer.
    fn line(&self, command: &str, waits_for: &[String]) -> String {
        let all = self.0.all.load(Ordering::Relaxed);
        let done = self.0.done.load(Ordering::Relaxed);
        let mut line = match all {
            0 => format!("{command} …"),
            1 => format!("{command}: 1 image …"),
            _ => format!("{command}: {done} of {all} images"),
        };
        if let [first, rest @ ..] = waits_for {
            line.push_str(&format!(", waiting for {first}"));
            if !rest.is_empty() {
                line.push_str(&format!(" and {} more", rest.len()));
            }
        }
        line
    }

    /// Draws the line on standard error until it is dropped, which is why it never ends by itself.
    pub(crate) async fn draw(&self, command: &str, waits_for: impl Fn() -> Vec<String>) {
        loop {
            tokio::time::sleep(PAUSE).await;
            let line = self.line(command, &waits_for());
            // At most what fits on a line: a longer one could not be taken back.
            let line: String = line.chars().take(79).collect();
            let _ = write!(io::stderr(), "\r\u{1b}[2K{line}");
            let _ = io::stderr().flush();
        }
    }

    /// Takes the line back.
    pub(crate) fn clear() {
        let _ = write!(io::stderr(), "\r\u{1b}[2K");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_what_is_done_and_what_is_waited_for() {
        let progress = Progress::default();
        assert_eq!(progress.line("key show", &[]), "key show …");
        progress.expect(5);
        progress.finish(2);
        let hosts = ["a.azurecr.io".to_owned(), "b.vault.azure.net".to_owned()];
        assert_eq!(progress.line("sign", &[]), "sign: 2 of 5 images");
        assert_eq!(
            progress.line("sign", &hosts),
            "sign: 2 of 5 images, waiting for a.azurecr.io and 1 more"
        );
    }
}
