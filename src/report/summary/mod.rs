//! The step summary: Markdown for a pipeline's page. What went wrong comes first, with the fix; then what
//! weakens the check, one table, and what a person looks up rarely.
//!
//! Below the size at which hosts drop a summary; what is left out is counted.

mod details;
mod diagram;
mod table;

use std::fmt::Write as _;

use super::{Decision, ImageReport, Problem, Report, Status, escape::clipped, markdown, prose};
use crate::reason::{Exit, Reason};

/// Bytes that a summary may take; GitHub drops one that is larger than 1 MiB.
const LIMIT: usize = 900_000;
/// Bytes after which the table ends, so that the details have room.
const TABLE_LIMIT: usize = 700_000;
/// Kinds of failure, images of each kind, and warnings that are spelt out.
const GROUPS: usize = 10;
const EXAMPLES: usize = 10;
const WARNINGS: usize = 20;
/// Characters of one foreign sentence that are shown.
const SENTENCE: usize = 600;

/// The page that a summary is made for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Profile {
    /// GitHub's step summary: alerts, folded parts and diagrams.
    Github,
    /// The tab of an Azure Pipelines run: plain Markdown.
    Azure,
}

impl Report {
    /// The summary; below 900 kB, with the count of rows that were left out.
    pub fn summary(&self, profile: Profile) -> String {
        let mut page = format!(
            "### {} acr-sign {}: {}\n\n",
            self.icon(),
            self.command,
            self.verdict()
        );
        self.write_counts(&mut page);
        self.write_failures(&mut page);
        self.write_warnings(&mut page, profile);
        self.write_table(&mut page, profile);
        if profile == Profile::Github {
            self.write_diagram(&mut page);
        }
        self.write_details(&mut page, profile);
        let _ = writeln!(page, "<sub>acr-sign {}</sub>\n", env!("CARGO_PKG_VERSION"));
        debug_assert!(page.len() <= LIMIT, "{} bytes", page.len());
        page
    }

    fn icon(&self) -> &'static str {
        match (self.decision, self.exit()) {
            (Some(Decision::Allow), _) | (None, Exit::Done) => "✅",
            (Some(Decision::Deny), _) => "⛔",
            (None, _) => "❌",
        }
    }

    fn verdict(&self) -> String {
        let good = self
            .images
            .iter()
            .filter(|image| image.status.is_good())
            .count();
        let of = match self.images.len() {
            0 => String::new(),
            1 => ", 1 image".to_owned(),
            all if good == all => format!(", {all} images"),
            all => format!(": {good} of {all} images passed"),
        };
        match (self.decision, self.exit()) {
            (Some(Decision::Allow), _) => format!("allowed{of}"),
            (Some(Decision::Deny), _) => format!("blocked{of}"),
            (None, Exit::Done) => format!("done{of}"),
            (None, Exit::Interrupted) => format!("interrupted{of}"),
            (None, _) => format!("not done{of}"),
        }
    }

    /// How many images ended in which way, worst first.
    fn write_counts(&self, page: &mut String) {
        let mut counts: Vec<(Status, usize)> = Vec::new();
        for image in &self.images {
            match counts
                .iter_mut()
                .find(|(status, _)| *status == image.status)
            {
                Some((_, count)) => *count += 1,
                None => counts.push((image.status, 1)),
            }
        }
        counts.sort_by_key(|(status, _)| status.is_good());
        if counts.len() > 1 {
            let words: Vec<_> = counts
                .iter()
                .map(|(status, count)| format!("{} {} {count}", status.icon(), status.word()))
                .collect();
            let _ = writeln!(page, "{}\n", words.join(" · "));
        }
    }

    /// What no image is to blame for, then images by kind of failure.
    fn write_failures(&self, page: &mut String) {
        if let Some(problem) = &self.error {
            let _ = writeln!(
                page,
                "#### ❌ `{}`\n\n{}\n",
                problem.reason,
                sentence(&problem.sentence())
            );
            write_fix(page, problem.hint.as_deref(), problem.reason);
        }
        let groups = self.failures();
        for group in groups.iter().take(GROUPS) {
            group.write(page);
        }
        if groups.len() > GROUPS {
            let _ = writeln!(
                page,
                "… and {} more kinds of failure, marked in the table.\n",
                groups.len() - GROUPS
            );
        }
    }

    fn failures(&self) -> Vec<Failures<'_>> {
        let mut groups: Vec<Failures<'_>> = Vec::new();
        let wrong = self.images.iter().filter(|image| !image.status.is_good());
        for (image, problem) in wrong.filter_map(|image| Some((image, image.problem.as_ref()?))) {
            let hint = problem.hint.as_deref();
            match groups
                .iter_mut()
                .find(|group| group.reason == problem.reason && group.hint == hint)
            {
                Some(group) => group.images.push((image, problem)),
                None => groups.push(Failures {
                    reason: problem.reason,
                    hint,
                    images: vec![(image, problem)],
                }),
            }
        }
        groups
    }

    /// What weakens the check, named loudly (P09), and what else is to be known.
    fn write_warnings(&self, page: &mut String, profile: Profile) {
        if self.weakened.is_empty() && self.warnings.is_empty() {
            return;
        }
        let mut lines = Vec::new();
        if !self.weakened.is_empty() {
            let switches: Vec<_> = self
                .weakened
                .iter()
                .take(WARNINGS)
                .map(|switch| markdown(&clipped(switch, SENTENCE)))
                .collect();
            lines.push(format!(
                "**This check is weakened by {}.**",
                switches.join(", ")
            ));
        }
        lines.extend(
            self.warnings
                .iter()
                .take(WARNINGS)
                .map(|warning| sentence(warning)),
        );
        if self.warnings.len() > WARNINGS {
            lines.push(format!(
                "… and {} more warnings",
                self.warnings.len() - WARNINGS
            ));
        }
        match (profile, self.weakened.is_empty()) {
            (Profile::Github, true) => page.push_str("> [!NOTE]\n"),
            (Profile::Github, false) => page.push_str("> [!WARNING]\n"),
            (Profile::Azure, _) => page.push_str("**⚠️ Warnings**\n\n"),
        }
        for line in lines {
            let _ = match profile {
                Profile::Github => writeln!(page, "> - {line}"),
                Profile::Azure => writeln!(page, "- {line}"),
            };
        }
        page.push('\n');
    }
}

/// Images that failed for the same reason and are mended in the same way.
struct Failures<'a> {
    reason: Reason,
    hint: Option<&'a str>,
    images: Vec<(&'a ImageReport, &'a Problem)>,
}

impl Failures<'_> {
    fn write(&self, page: &mut String) {
        let count = match self.images.len() {
            1 => String::new(),
            count => format!(" · {count} images"),
        };
        let _ = writeln!(page, "#### ❌ `{}`{count}\n", self.reason);
        for (image, problem) in self.images.iter().take(EXAMPLES) {
            page.push_str("- ");
            if let Some(location) = image.locations.first() {
                let _ = write!(
                    page,
                    "{}: ",
                    markdown(&format!("{}:{}", location.file, location.line))
                );
            }
            let told = problem.sentence();
            if !told.contains(&format!("`{}", image.image)) {
                let _ = write!(page, "{}: ", markdown(&clipped(&image.image, SENTENCE)));
            }
            let _ = writeln!(page, "{}", sentence(&told));
            image.write_rule(page);
        }
        if self.images.len() > EXAMPLES {
            let _ = writeln!(
                page,
                "- … and {} more, marked in the table",
                self.images.len() - EXAMPLES
            );
        }
        page.push('\n');
        write_fix(page, self.hint, self.reason);
    }
}

impl ImageReport {
    /// The rule that decided, and how each of its demands ended.
    fn write_rule(&self, page: &mut String) {
        if let Some(rule) = &self.rule {
            let place = markdown(&format!("{}:{}", rule.location.file, rule.location.line));
            let _ = writeln!(
                page,
                "  - rule {} for {}, {place}",
                rule.number,
                markdown(&clipped(&rule.images, SENTENCE))
            );
        }
        for demand in self.requirements.iter().take(EXAMPLES) {
            let why = demand
                .problem
                .as_ref()
                .map_or(demand.status.word(), |problem| problem.reason.code());
            let _ = writeln!(
                page,
                "  - {} {}: `{why}`",
                demand.status.icon(),
                sentence(&demand.requirement)
            );
        }
        if self.requirements.len() > EXAMPLES {
            let _ = writeln!(
                page,
                "  - … and {} more requirements",
                self.requirements.len() - EXAMPLES
            );
        }
    }
}

fn write_fix(page: &mut String, hint: Option<&str>, reason: Reason) {
    let _ = writeln!(
        page,
        "**Fix:** {}\n",
        sentence(hint.unwrap_or_else(|| reason.fix()))
    );
}

fn sentence(text: &str) -> String {
    prose(&clipped(&shortened(text), SENTENCE))
}

/// A sentence with its digests cut to what tells them apart; the details have them whole.
fn shortened(text: &str) -> String {
    let mut parts = text.split("sha256:");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str("sha256:");
        let digits = part.bytes().take_while(u8::is_ascii_hexdigit).count();
        match (part.get(..12), part.get(digits..)) {
            (Some(short), Some(rest)) if digits == 64 => {
                out.push_str(short);
                out.push('…');
                out.push_str(rest);
            }
            _ => out.push_str(part),
        }
    }
    out
}

impl Status {
    fn icon(self) -> &'static str {
        match self {
            Self::Signed
            | Self::AlreadySigned
            | Self::Verified
            | Self::Revoked
            | Self::Changed
            | Self::Unchanged => "✅",
            Self::Planned | Self::Shown => "▫️",
            Self::Refused | Self::Rejected | Self::Failed => "❌",
            Self::Undecided => "❓",
            Self::Exempt => "⚪",
        }
    }
}
