//! What the command line calls a flag is an input in a step: its messages and advice are told in the host's spelling.

use super::{Host, INPUTS};
use crate::report::{Problem, Report};

/// Tells every problem, warning and note of a report so.
pub fn spell(report: &mut Report, host: Host) {
    let of_images = report.images.iter_mut().flat_map(|image| {
        let of_demands = image
            .requirements
            .iter_mut()
            .filter_map(|demand| demand.problem.as_mut());
        image.problem.as_mut().into_iter().chain(of_demands)
    });
    for Problem {
        message,
        causes,
        hint,
        ..
    } in report.error.as_mut().into_iter().chain(of_images)
    {
        for text in std::iter::once(message).chain(causes).chain(hint) {
            *text = as_inputs(host, text);
        }
    }
    for text in report.warnings.iter_mut().chain(&mut report.notes) {
        *text = as_inputs(host, text);
    }
}

/// `` `--fail-on none` `` as `` `failOn: none` ``, where it is an input of the host; anything else stays.
fn as_inputs(host: Host, text: &str) -> String {
    let mut parts = text.split("`--");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part
            .find(|c: char| c != '-' && !c.is_ascii_lowercase())
            .unwrap_or(part.len());
        let (name, rest) = part.split_at(end);
        let is_input = INPUTS
            .iter()
            .any(|input| input.name == name && input.is_on(host));
        match rest.strip_prefix([' ', '=']) {
            _ if !is_input => out.push_str(&format!("`--{part}")),
            Some(value) => out.push_str(&format!("`{}: {value}", host.spell(name))),
            None => out.push_str(&format!("`{}{rest}", host.spell(name))),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_told_as_inputs() {
        for (text, github, azure) in [
            (
                "give `--trust-server URL`, or `--root KEYID`",
                "give `trust-server: URL`, or `root: KEYID`",
                "give `trustServer: URL`, or `root: KEYID`",
            ),
            ("`--connect-to`", "`connect-to`", "`connectTo`"),
            (
                "`--key=akv:a/keys/b` is",
                "`key: akv:a/keys/b` is",
                "`key: akv:a/keys/b` is",
            ),
            (
                "`--root-ca` and `--rooted x`",
                "`root-ca` and `--rooted x`",
                "`rootCa` and `--rooted x`",
            ),
            (
                "`--service-connection-id`",
                "`--service-connection-id`",
                "`serviceConnectionId`",
            ),
            (
                "--root and `az --root x` `",
                "--root and `az --root x` `",
                "--root and `az --root x` `",
            ),
        ] {
            assert_eq!(as_inputs(Host::GitHub, text), github);
            assert_eq!(as_inputs(Host::Azure, text), azure);
        }
    }
}
