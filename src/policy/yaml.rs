//! Strict reading of YAML: nothing is guessed, nothing is left out, and the work is bounded before it is done.

use serde::de::DeserializeOwned;
use serde_saphyr::{DuplicateKeyPolicy, MergeKeyPolicy, Options};

use super::error::{Place, PolicyError};

/// Bytes of a file: thousands of rules, and less than what a hostile file needs to take memory.
const SIZE_LIMIT: usize = 1 << 20;
/// How like two names must be, of 1, for one to be taken for a typo of the other: what clap asks for flags.
const LIKENESS: f64 = 0.7;
/// Lists and maps within each other. Requirements nest by three or four; a parser that recurses must have an end.
const DEPTH_LIMIT: usize = 32;

/// Reads one document. Rejects duplicate keys, merge keys, tags that are not YAML's own, a second document, plain text
/// that reads as a number or a boolean where text is wanted, and whatever passes a limit. Text is what is written.
pub(super) fn read<T: DeserializeOwned>(text: &str, file: &str) -> Result<T, PolicyError> {
    if text.len() > SIZE_LIMIT {
        let message = format!(
            "it has {} bytes, and at most {SIZE_LIMIT} are read",
            text.len()
        );
        return Err(PolicyError {
            file: file.to_owned(),
            place: None,
            message,
        });
    }
    serde_saphyr::from_str_with_options(text, options()).map_err(|error| {
        let error = error.without_snippet();
        let place = error.location().filter(|location| location.line() > 0);
        let place = place.map(|location| Place {
            line: location.line(),
            column: location.column(),
        });
        PolicyError {
            file: file.to_owned(),
            place,
            message: message(&error.to_string()),
        }
    })
}

fn options() -> Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: DEPTH_LIMIT,
            flow_nesting_limit: DEPTH_LIMIT,
            max_documents: 1,
            max_nodes: 100_000,
            max_events: 300_000,
            max_aliases: 1_000,
            max_anchors: 1_000,
            max_recorded_anchor_events: 100_000,
            max_recorded_anchor_bytes: SIZE_LIMIT,
            max_total_scalar_bytes: SIZE_LIMIT,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: 100_000,
            max_replay_stack_depth: 16,
        },
        duplicate_keys: DuplicateKeyPolicy::Error,
        merge_keys: MergeKeyPolicy::Error,
        strict_booleans: true,
        no_schema: true,
        reject_unsupported_tags: true,
        // What stands there in base64 would say what no reviewer reads.
        ignore_binary_tag_for_string: true,
        reject_tagged_field_names: true,
    }
}

/// The parser's words on one line, without the place that stands before them already, and in terms of the file.
fn message(text: &str) -> String {
    let line = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    let words = line
        .split_once(" at line ")
        .map_or(line.as_str(), |(words, _)| words);
    if words.starts_with("cannot deserialize null into") {
        return "a value is missing".to_owned();
    }
    if let Some(unknown) = unknown_member(words) {
        return unknown;
    }
    words
        .replace("mapping start", "a map")
        .replace("sequence start", "a list")
}

/// A member that is not known, with the known one that was probably meant, or all of them.
fn unknown_member(words: &str) -> Option<String> {
    let (unknown, expected) = words
        .strip_prefix("unknown field `")?
        .split_once("`, expected ")?;
    let known: Vec<&str> = expected
        .trim_start_matches("one of ")
        .split([',', ' ', '`'])
        .filter(|word| !matches!(*word, "" | "or"))
        .collect();
    let nearest = known
        .iter()
        .map(|name| (strsim::jaro(unknown, name), name))
        .filter(|(likeness, _)| *likeness > LIKENESS)
        .max_by(|(one, _), (other, _)| one.total_cmp(other));
    Some(match nearest {
        Some((_, name)) => format!("unknown field `{unknown}`: did you mean `{name}`?"),
        None => format!(
            "unknown field `{unknown}`: known here are `{}`",
            known.join("`, `")
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::unknown_member;

    #[test]
    fn typos_are_answered_with_the_nearest_member() {
        for (unknown, known, answer) in [
            (
                "imagess",
                "`images`, `require`, `exempt`",
                "did you mean `images`?",
            ),
            (
                "reqire",
                "`images`, `require`, `exempt`",
                "did you mean `require`?",
            ),
            ("signer", "`roots`, `signers`", "did you mean `signers`?"),
            (
                "certificate",
                "`certificates` or `identities`",
                "did you mean `certificates`?",
            ),
            (
                "x",
                "`images`, `require`",
                "known here are `images`, `require`",
            ),
            ("zzz", "version, keys", "known here are `version`, `keys`"),
        ] {
            let words = format!("unknown field `{unknown}`, expected one of {known}");
            let said = unknown_member(&words).unwrap();
            assert!(said.ends_with(answer) && said.contains(unknown), "{said}");
        }
        assert!(unknown_member("duplicate field `a`").is_none());
    }
}
