//! What does not hold as SARIF 2.1.0, for code scanning: one result per image and place. The rule is the reason, the
//! place is the manifest's line, and the fingerprint stays the same while the line moves.

use serde_json::{Map, Value, json};

use super::{ImageReport, Location, Problem, Report, plain};
use crate::{
    oci::Digest,
    reason::{Exit, Reason},
};

/// Results that a run may show on GitHub: it shows the first 5,000 of a file and drops the rest.
const RESULTS: usize = 5_000;

impl Report {
    /// The SARIF document, with a final newline.
    pub fn sarif(&self) -> String {
        let mut rules: Vec<Reason> = Vec::new();
        let mut results = Vec::new();
        for image in self.images.iter().filter(|image| !image.status.is_good()) {
            let Some(problem) = &image.problem else {
                continue;
            };
            let number = number_of(&mut rules, problem.reason);
            let text = image.told(problem);
            if image.locations.is_empty() {
                // Not named by a manifest: then the rule that denies it is the place to show.
                let rule = image.rule.as_ref().map(|rule| &rule.location);
                results.push(result(number, problem.reason, &image.image, &text, rule));
            }
            for location in &image.locations {
                results.push(result(
                    number,
                    problem.reason,
                    &image.image,
                    &text,
                    Some(location),
                ));
            }
        }
        if let Some(problem) = &self.error {
            let number = number_of(&mut rules, problem.reason);
            results.push(result(number, problem.reason, "", &with_fix(problem), None));
        }
        let left_out = results.len().saturating_sub(RESULTS);
        results.truncate(RESULTS);
        let exit = self.exit();
        // What was checked and rejected is a complete result; what cannot be determined is none.
        let is_complete = matches!(exit, Exit::Done | Exit::Rejected);
        let mut invocation = json!({"executionSuccessful": is_complete, "exitCode": exit.code()});
        if left_out > 0
            && let Some(invocation) = invocation.as_object_mut()
        {
            let text = format!("{left_out} more results are in the JSON report");
            invocation.insert(
                "toolExecutionNotifications".into(),
                json!([{"level": "warning", "message": {"text": text}}]),
            );
        }
        let version = env!("CARGO_PKG_VERSION");
        let document = json!({
            "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
            "version": "2.1.0",
            "runs": [{
                "tool": {"driver": {
                    "name": "acr-sign",
                    "version": version,
                    "semanticVersion": version,
                    "rules": rules.into_iter().map(rule).collect::<Vec<_>>(),
                }},
                "invocations": [invocation],
                "columnKind": "unicodeCodePoints",
                "results": results,
            }],
        });
        format!("{document:#}\n")
    }
}

impl ImageReport {
    /// What is wrong with the image, what to do, and what each signature came to.
    pub(super) fn told(&self, problem: &Problem) -> String {
        let mut text = format!("{}: {}", plain(&self.image), with_fix(problem));
        if let Some(rule) = &self.rule {
            let (file, line) = (plain(&rule.location.file), rule.location.line);
            text.push_str(&format!(
                "\nrule {} ({}), {file}:{line}",
                rule.number,
                plain(&rule.images)
            ));
        }
        for demand in &self.requirements {
            let why = demand
                .problem
                .as_ref()
                .map_or(demand.status.word(), |problem| problem.reason.code());
            text.push_str(&format!("\nrequires {}: {why}", plain(&demand.requirement)));
        }
        for signature in &self.signatures {
            let by = signature
                .role
                .as_deref()
                .or(signature.certificate.as_deref())
                .or(signature.signer.as_deref());
            let why = signature.reason.map_or_else(
                || signature.status.word().to_owned(),
                |reason| reason.to_string(),
            );
            text.push_str(&format!(
                "\n{} {}: {why}",
                signature.format,
                plain(by.unwrap_or("-"))
            ));
        }
        text
    }
}

fn with_fix(problem: &Problem) -> String {
    format!(
        "{}. Fix: {}",
        plain(problem.sentence().trim_end_matches('.')),
        plain(problem.hint.as_deref().unwrap_or(problem.reason.fix()))
    )
}

fn number_of(rules: &mut Vec<Reason>, reason: Reason) -> usize {
    rules
        .iter()
        .position(|known| *known == reason)
        .unwrap_or_else(|| {
            rules.push(reason);
            rules.len() - 1
        })
}

fn rule(reason: Reason) -> Value {
    json!({
        "id": reason.code(),
        "shortDescription": {"text": reason.code()},
        "fullDescription": {"text": reason.cause()},
        "help": {"text": reason.fix(), "markdown": reason.fix()},
        "defaultConfiguration": {"level": "error"},
        "properties": {"tags": ["security", "supply-chain"]},
    })
}

fn result(
    number: usize,
    reason: Reason,
    image: &str,
    text: &str,
    location: Option<&Location>,
) -> Value {
    let mut result = Map::new();
    result.insert("ruleId".into(), json!(reason.code()));
    result.insert("ruleIndex".into(), json!(number));
    result.insert("level".into(), json!("error"));
    result.insert("message".into(), json!({"text": text}));
    let file = location
        .map(|location| location.file.as_str())
        .unwrap_or_default();
    if let Some(location) = location {
        result.insert(
            "locations".into(),
            json!([{"physicalLocation": {
                "artifactLocation": {"uri": uri(&location.file)},
                "region": {"startLine": location.line.max(1), "startColumn": location.column.max(1)},
            }}]),
        );
    }
    let fingerprint = Digest::sha256(format!("{}\n{image}\n{file}", reason.code()).as_bytes());
    result.insert(
        "partialFingerprints".into(),
        json!({"acrSign/v1": fingerprint.hex()}),
    );
    Value::Object(result)
}

/// A path as a URI reference, relative where the path is.
fn uri(path: &str) -> String {
    let path = path.strip_prefix("./").unwrap_or(path);
    let mut out = String::new();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
