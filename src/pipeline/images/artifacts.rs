//! What GitHub's runner lists as built (`GITHUB_ARTIFACTS_LIST`), with the tags that metadata-action chose.

use std::path::Path;

use serde::Deserialize;

use super::{PipelineError, Source, read};
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
    let subjects = listed(environment)?;
    let mut images = Vec::new();
    for subject in &subjects {
        let name = without_tag(&subject.name);
        let own: Vec<&String> = tags.iter().filter(|tag| without_tag(tag) == name).collect();
        if own.is_empty() {
            images.push(format!("{name}@{}", subject.digest));
        }
        images.extend(own.iter().map(|tag| format!("{tag}@{}", subject.digest)));
    }
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
    fn a_port_is_no_tag() {
        assert_eq!(without_tag("localhost:5000/a/b:1"), "localhost:5000/a/b");
        assert_eq!(without_tag("localhost:5000/a/b"), "localhost:5000/a/b");
        assert_eq!(without_tag("r.azurecr.io/a"), "r.azurecr.io/a");
    }
}
