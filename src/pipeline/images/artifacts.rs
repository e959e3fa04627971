//! What GitHub's runner lists as built (`GITHUB_ARTIFACTS_LIST`), with the tags that metadata-action chose.

use std::path::Path;

use serde::Deserialize;

use super::{
    PipelineError,
    source::{Source, read},
};
use crate::{pipeline::Host, process::Environment};

/// Bytes of the list: the runner takes at most 500 subjects.
const LIMIT: u64 = 1 << 20;

#[derive(Deserialize)]
struct List {
    version: u32,
    subjects: Vec<Subject>,
}

#[derive(Deserialize)]
struct Subject {
    name: String,
    digest: String,
    kind: String,
}

#[derive(Deserialize)]
struct Chosen {
    #[serde(default)]
    tags: Vec<String>,
}

pub(super) fn offered(environment: &Environment) -> Result<Source, PipelineError> {
    let tags = chosen_tags(environment)?;
    let images = joined(&listed(environment)?, &tags)?;
    match (images.is_empty(), tags.is_empty()) {
        (false, _) => Ok(Source::of("GITHUB_ARTIFACTS_LIST", images)),
        (true, false) => Err(PipelineError::TagsAlone {
            what: "DOCKER_METADATA_OUTPUT_JSON".to_owned(),
            host: Host::GitHub,
            given: false,
        }),
        (true, true) => Err(PipelineError::NoImages {
            looked_for: "no input does, and the job lists no artifact",
        }),
    }
}

/// Each name, tag and digest once: a listed tag counts as it is, and a bare name takes the chosen tags of that name that
/// are not listed themselves, where the list leaves no doubt which digest they belong to.
fn joined(subjects: &[Subject], chosen: &[String]) -> Result<Vec<String>, PipelineError> {
    let mut tagged: Vec<(&str, &str)> = Vec::new();
    for subject in subjects.iter().filter(|subject| has_tag(&subject.name)) {
        let new = (subject.name.as_str(), subject.digest.as_str());
        match tagged.iter().find(|(name, _)| *name == new.0) {
            Some(known) if *known == new => {}
            Some(_) => {
                return Err(PipelineError::Unreadable {
                    what: "GITHUB_ARTIFACTS_LIST".to_owned(),
                    why: format!("it lists `{}` with two digests", subject.name),
                });
            }
            None => tagged.push(new),
        }
    }
    let mut images: Vec<String> = Vec::new();
    for subject in subjects {
        let (name, digest) = (subject.name.as_str(), subject.digest.as_str());
        let mut new = Vec::new();
        if has_tag(name) {
            new.push(format!("{name}@{digest}"));
        } else {
            let only = subjects
                .iter()
                .all(|other| other.name != name || other.digest == digest);
            new.extend(
                chosen
                    .iter()
                    .filter(|tag| only && without_tag(tag) == name)
                    .filter(|tag| tagged.iter().all(|(listed, _)| listed != tag))
                    .map(|tag| format!("{tag}@{digest}")),
            );
            let listed = |(known, its): &(&str, &str)| without_tag(known) == name && *its == digest;
            if new.is_empty() && !tagged.iter().any(listed) {
                new.push(format!("{name}@{digest}"));
            }
        }
        new.retain(|image| !images.contains(image));
        images.extend(new);
    }
    Ok(images)
}

fn has_tag(name: &str) -> bool {
    without_tag(name) != name
}

/// The container images of the list; the file is empty where the feature is off.
fn listed(environment: &Environment) -> Result<Vec<Subject>, PipelineError> {
    let Some(path) = environment.get("GITHUB_ARTIFACTS_LIST") else {
        return Ok(Vec::new());
    };
    let text = read("the list of artifacts", Path::new(path), LIMIT)?;
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    let unusable = |why: String| PipelineError::Unreadable {
        what: "GITHUB_ARTIFACTS_LIST".to_owned(),
        why,
    };
    let list: List = serde_json::from_str(&text).map_err(|error| unusable(error.to_string()))?;
    if list.version != 1 {
        return Err(unusable(format!(
            "its version is {}, and 1 is known",
            list.version
        )));
    }
    Ok(list
        .subjects
        .into_iter()
        .filter(|subject| subject.kind == "oci")
        .collect())
}

fn chosen_tags(environment: &Environment) -> Result<Vec<String>, PipelineError> {
    let Some(text) = environment.get("DOCKER_METADATA_OUTPUT_JSON") else {
        return Ok(Vec::new());
    };
    let chosen: Chosen = serde_json::from_str(text).map_err(|error| PipelineError::Unreadable {
        what: "DOCKER_METADATA_OUTPUT_JSON".to_owned(),
        why: error.to_string(),
    })?;
    Ok(chosen.tags)
}

/// A name without the tag after its last `/`.
fn without_tag(name: &str) -> &str {
    let path = name.rfind('/').map_or(0, |at| at + 1);
    match name.get(path..).and_then(|last| last.find(':')) {
        Some(colon) => name.get(..path + colon).unwrap_or(name),
        None => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_tag_and_digest_counts_once_and_none_is_crossed() {
        let of = |subjects: &[(&str, &str)], chosen: &[&str]| {
            let subjects: Vec<Subject> = subjects
                .iter()
                .map(|(name, digest)| Subject {
                    name: (*name).to_owned(),
                    digest: (*digest).to_owned(),
                    kind: "oci".to_owned(),
                })
                .collect();
            let chosen: Vec<String> = chosen.iter().map(|&tag| tag.to_owned()).collect();
            joined(&subjects, &chosen)
        };
        for (subjects, chosen, images) in [
            // A listed tag counts under that tag, whatever else was chosen.
            (
                &[("r/a:1", "d1"), ("r/a:2", "d2")][..],
                &["r/a:1", "r/a:2"][..],
                &["r/a:1@d1", "r/a:2@d2"][..],
            ),
            (&[("r/a", "d1")], &["r/a:1", "r/b:1"], &["r/a:1@d1"]),
            (&[("r/a", "d1"), ("r/a", "d1")], &["r/a:1"], &["r/a:1@d1"]),
            (
                &[("r/a:1", "d1"), ("r/a:1", "d1"), ("r/a", "d1")],
                &[],
                &["r/a:1@d1"],
            ),
            // The chosen tag is listed with another digest.
            (
                &[("r/a:1", "d1"), ("r/a", "d2")],
                &["r/a:1", "r/a:2"],
                &["r/a:1@d1", "r/a:2@d2"],
            ),
            // Which of the two is `1` cannot be known.
            (
                &[("r/a", "d1"), ("r/a", "d2")],
                &["r/a:1"],
                &["r/a@d1", "r/a@d2"],
            ),
            (&[("localhost:5000/a", "d1")], &[], &["localhost:5000/a@d1"]),
        ] {
            assert_eq!(of(subjects, chosen).unwrap(), images, "{subjects:?}");
        }
        let error = of(&[("r/a:1", "d1"), ("r/a:1", "d2")], &[]).unwrap_err();
        assert!(error.to_string().contains("two digests"), "{error}");
    }

    #[test]
    fn a_port_is_no_tag() {
        assert_eq!(without_tag("localhost:5000/a/b:1"), "localhost:5000/a/b");
        assert_eq!(without_tag("localhost:5000/a/b"), "localhost:5000/a/b");
        assert_eq!(without_tag("r.azurecr.io/a"), "r.azurecr.io/a");
    }
}
