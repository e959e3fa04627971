//! The report for people: result lines for standard output, the story for standard error.

use std::fmt::Write as _;

use super::{
    Decision, EnvelopeReport, ImageReport, Problem, Report, SignatureReport, TimestampReport, plain,
};

impl Report {
    /// What `verify` prints on standard output: one line per allowed image, in the order given, duplicates once (an
    /// exempt one as named, since nobody checked it), and nothing when anything is denied.
    pub fn allowed_lines(&self) -> Vec<&str> {
        if self.decision != Some(Decision::Allow) {
            return Vec::new();
        }
        let mut lines: Vec<&str> = Vec::new();
        for line in self
            .images
            .iter()
            .map(|image| image.pinned.as_deref().unwrap_or(&image.image))
        {
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
        lines
    }

    /// What `sign` prints on standard output: one line per image.
    pub fn image_lines(&self) -> Vec<String> {
        self.images
            .iter()
            .map(|image| format!("{:<15} {}", image.status.word(), image.label()))
            .collect()
    }

    /// What `inspect` prints: each image with every signature checked.
    pub fn signature_lines(&self) -> String {
        let mut text = String::new();
        for image in &self.images {
            let _ = writeln!(text, "{}  {}", image.label(), image.status.word());
            for signature in &image.signatures {
                let by = signature
                    .role
                    .as_deref()
                    .or(signature.certificate.as_deref())
                    .unwrap_or("-");
                let key = signature
                    .key_id
                    .as_deref()
                    .map_or("-", |id| id.get(..16).unwrap_or(id));
                let end = signature
                    .expires_at
                    .map_or_else(|| "-".to_owned(), |at| at.whole_seconds().to_string());
                let _ = writeln!(
                    text,
                    "  {} {:<24} key {key}…  until {end}  {}",
                    signature.format,
                    plain(by),
                    signature.status.word()
                );
                signature.tell_envelope(&mut text);
            }
        }
        text
    }

    /// Warnings, and what is wrong with each image that did not end well, for standard error.
    pub fn story(&self, quiet: bool) -> String {
        let mut story = String::new();
        if !quiet {
            if !self.weakened.is_empty() {
                let _ = writeln!(
                    story,
                    "warning: weakened by {}",
                    plain(&self.weakened.join(", "))
                );
            }
            for file in &self.pinned_files {
                let _ = writeln!(story, "pinned {}", plain(file));
            }
            for warning in &self.warnings {
                let _ = writeln!(story, "warning: {}", plain(warning));
            }
            for note in &self.notes {
                let _ = writeln!(story, "note: {}", plain(note));
            }
        }
        for image in self.images.iter().filter(|image| !image.status.is_good()) {
            if let Some(problem) = &image.problem {
                problem.tell(
                    &mut story,
                    &format!("{}: {}", plain(&image.image), image.status.word()),
                );
            }
        }
        if let Some(problem) = &self.error {
            problem.tell(&mut story, "");
        }
        let mut pages: Vec<String> = Vec::new();
        let of_images = self
            .images
            .iter()
            .filter_map(|image| image.problem.as_ref());
        for problem in of_images.chain(&self.error) {
            let page = problem.reason.page();
            if !pages.contains(&page) {
                let _ = writeln!(story, "  see: {page}");
                pages.push(page);
            }
        }
        if !quiet && let Some(line) = self.closing_line() {
            let _ = writeln!(story, "{line}");
        }
        story
    }

    /// What the run came to, in one line for people; `None` where no images were signed or judged.
    fn closing_line(&self) -> Option<String> {
        if !matches!(self.command, "sign" | "verify" | "trust revoke") {
            return None;
        }
        let word = self.images.first()?.status.word();
        let all = self.images.len();
        let images = if all == 1 { "image" } else { "images" };
        if self.images.iter().all(|image| image.status.word() == word) && self.error.is_none() {
            return Some(format!("{all} {images} {}", word.replace('-', " ")));
        }
        let good = self.images.iter().filter(|image| image.status.is_good());
        let good = good.count();
        Some(match (self.command, good == all && self.error.is_none()) {
            ("verify", true) => format!("all {all} {images} passed"),
            ("verify", false) => format!("blocked: {good} of {all} {images} passed"),
            (_, true) => format!("all {all} {images} done"),
            (_, false) => format!("{good} of {all} {images} done"),
        })
    }
}

impl ImageReport {
    /// The image as a person wants to see it: pinned once that is known.
    pub fn label(&self) -> String {
        plain(self.pinned.as_deref().unwrap_or(&self.image))
    }
}

impl SignatureReport {
    fn tell_envelope(&self, text: &mut String) {
        let Some(envelope) = &self.envelope else {
            return;
        };
        let EnvelopeReport {
            media_type,
            algorithm,
            signing_time,
            timestamp,
            metadata,
            agent,
        } = envelope.as_ref();
        let _ = writeln!(
            text,
            "    signed    {}, as the signer says",
            signing_time.whole_seconds()
        );
        if let Some(TimestampReport { time, authority }) = timestamp {
            let by = authority
                .as_deref()
                .map_or_else(|| "nobody that it names".to_owned(), plain);
            let _ = writeln!(text, "    timestamp {} by {by}", time.whole_seconds());
        }
        let chain: Vec<String> = self.chain.iter().map(|link| plain(&link.name)).collect();
        let _ = writeln!(text, "    chain     {}", chain.join(" > "));
        for (name, value) in metadata {
            let _ = writeln!(text, "    metadata  {}={}", plain(name), plain(value));
        }
        let made_by = agent
            .as_deref()
            .map(|agent| format!(", by {}", plain(agent)))
            .unwrap_or_default();
        let _ = writeln!(
            text,
            "    envelope  {}, {algorithm}{made_by}",
            plain(media_type)
        );
    }
}

impl Problem {
    fn tell(&self, story: &mut String, object: &str) {
        let separator = if object.is_empty() { "" } else { ": " };
        let _ = writeln!(
            story,
            "error[{}]: {object}{separator}{}",
            self.reason,
            plain(&self.message)
        );
        for cause in &self.causes {
            let _ = writeln!(story, "  caused by: {}", plain(cause));
        }
        if let Some(hint) = &self.hint {
            let _ = writeln!(story, "  hint: {}", plain(hint));
        }
    }
}
