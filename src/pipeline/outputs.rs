//! The outputs of a step, the same on both hosts, also when the run failed.

use super::{Console, Host, github};
use crate::report::{Decision, ImageReport, Report, Status};

/// An output of the action and the task.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    /// The name in kebab-case.
    pub name: &'static str,
    /// What it is, in a sentence.
    pub description: &'static str,
}

const fn output(name: &'static str, description: &'static str) -> Output {
    Output { name, description }
}

/// Every output.
pub const OUTPUTS: &[Output] = &[
    output(
        "decision",
        "`allow` or `deny`; `deny` even if `fail-on` lets the step pass.",
    ),
    output(
        "digest",
        "The digest, if all images that were signed or allowed have the same one.",
    ),
    output(
        "images",
        "What was signed or allowed, one `name:tag@sha256:…` per line; never what was denied.",
    ),
    output(
        "signatures",
        "The signatures that were created or checked (JSON).",
    ),
    output(
        "signed-count",
        "How many images, as named, are signed or allowed.",
    ),
    output("failed-count", "How many images are not."),
    output("report-path", "The report (JSON)."),
    output("sarif-path", "The SARIF file, if one was requested."),
];

/// The values of a run, by the names of [`OUTPUTS`]; what has no value is left out.
pub fn outputs(
    report: &Report,
    decision: Decision,
    report_path: &str,
    sarif_path: Option<&str>,
) -> Vec<(&'static str, String)> {
    let bad = report
        .images
        .iter()
        .filter(|image| !image.status.is_good())
        .count();
    // A gate that denies although no image is to blame allows none of them.
    let as_a_whole = report.command == "verify"
        && decision == Decision::Deny
        && (report.error.is_some() || bad == 0);
    let images: &[ImageReport] = if as_a_whole { &[] } else { &report.images };
    let good: Vec<&ImageReport> = images
        .iter()
        .filter(|image| image.status.counts())
        .collect();
    let mut digests: Vec<String> = good
        .iter()
        .filter_map(|image| Some(image.digest.as_ref()?.to_string()))
        .collect();
    digests.sort_unstable();
    digests.dedup();
    let allowed = |image: &&ImageReport| image.status.counts() || image.status == Status::Exempt;
    let mut lines: Vec<String> = Vec::new();
    for image in images.iter().filter(allowed) {
        let line = image.label();
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    let failed = if as_a_whole { report.images.len() } else { bad };
    let mut values = vec![("decision", decision.word().to_owned())];
    if let [only] = digests.as_slice() {
        values.push(("digest", only.clone()));
    }
    values.extend([
        ("images", lines.join("\n")),
        ("signatures", report.signatures_json()),
        ("signed-count", good.len().to_string()),
        ("failed-count", failed.to_string()),
        ("report-path", report_path.to_owned()),
    ]);
    values.extend(sarif_path.map(|path| ("sarif-path", path.to_owned())));
    values
}

/// The values as `GITHUB_OUTPUT` wants them; `None` where one holds the delimiter (P03).
pub fn for_github(values: &[(&'static str, String)], delimiter: &str) -> Option<String> {
    let safe = values.iter().all(|(_, value)| !value.contains(delimiter));
    safe.then(|| {
        values
            .iter()
            .map(|(name, value)| github::output(name, value, delimiter))
            .collect()
    })
}

/// Sets the values as output variables; gives the names of those that do not fit into a line.
pub fn set_on_azure(console: &Console, values: &[(&'static str, String)]) -> Vec<String> {
    let name = |(name, _): &&(&'static str, String)| Host::Azure.spell(name);
    values
        .iter()
        .filter(|value| !console.set_variable(&name(value), &value.1))
        .map(|value| name(&value))
        .collect()
}
