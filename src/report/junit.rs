//! The result as `JUnit` XML: one test case per image. What was checked and rejected is a failure, what could not be
//! found out is an error.

use std::fmt::Write as _;

use super::{ImageReport, Report, Status, plain};
use crate::reason::Exit;

impl Report {
    /// The document, with a final newline.
    pub fn junit(&self) -> String {
        let of = |exit: &[Exit]| {
            self.images
                .iter()
                .filter(|image| exit.contains(&image.exit()))
                .count()
        };
        let errors = of(&[Exit::Usage, Exit::Undecided, Exit::Interrupted])
            + usize::from(self.error.is_some());
        let counts = format!(
            "tests=\"{}\" failures=\"{}\" errors=\"{errors}\"",
            self.images.len() + usize::from(self.error.is_some()),
            of(&[Exit::Rejected])
        );
        let name = format!("acr-sign {}", self.command);
        let time = format!("{}.{:03}", self.elapsed_ms / 1000, self.elapsed_ms % 1000);
        let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        let _ = writeln!(xml, "<testsuites name=\"{name}\" {counts} time=\"{time}\">");
        let _ = writeln!(
            xml,
            "  <testsuite name=\"{name}\" {counts} time=\"{time}\">"
        );
        for image in &self.images {
            image.write_case(&mut xml);
        }
        if let Some(problem) = &self.error {
            let (reason, message) = (problem.reason, escaped(&problem.sentence()));
            let _ = writeln!(
                xml,
                "    <testcase classname=\"acr-sign\" name=\"{}\">",
                self.command
            );
            let _ = writeln!(
                xml,
                "      <error type=\"{reason}\" message=\"{message}\"/>\n    </testcase>"
            );
        }
        xml.push_str("  </testsuite>\n</testsuites>\n");
        xml
    }
}

impl ImageReport {
    fn write_case(&self, xml: &mut String) {
        let (repository, _) = self.name();
        let place = self.locations.first();
        let place = place
            .map(|place| format!(" file=\"{}\" line=\"{}\"", escaped(&place.file), place.line));
        let _ = write!(
            xml,
            "    <testcase classname=\"{}\" name=\"{}\"{}",
            escaped(&repository),
            escaped(&self.image),
            place.unwrap_or_default()
        );
        let Some(problem) = self.problem.as_ref().filter(|_| !self.status.is_good()) else {
            let skipped = if self.status == Status::Shown {
                "<skipped/>"
            } else {
                ""
            };
            let pinned = self
                .pinned
                .as_deref()
                .map(|pinned| format!("<system-out>{}</system-out>", escaped(pinned)));
            let _ = writeln!(xml, ">{skipped}{}</testcase>", pinned.unwrap_or_default());
            return;
        };
        let element = if self.exit() == Exit::Rejected {
            "failure"
        } else {
            "error"
        };
        let text: Vec<String> = self.told(problem).lines().map(escaped).collect();
        let (reason, message) = (problem.reason, escaped(&problem.sentence()));
        let _ = writeln!(
            xml,
            ">\n      <{element} type=\"{reason}\" message=\"{message}\">{}</{element}>",
            text.join("\n")
        );
        xml.push_str("    </testcase>\n");
    }
}

/// One line of text in XML 1.0, which has no way to write what it forbids.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in plain(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
