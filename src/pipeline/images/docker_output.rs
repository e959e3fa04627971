//! What `Docker@2` leaves behind: `RESOURCE_URIS`, the digests that it pushed, and `DockerOutput`, the log of
//! its commands, which also says the tags. A Dockerfile can write into that log, so of it only counts what
//! is about a repository that was named, and where the digests are known, only those (P12).

use std::{collections::BTreeSet, path::Path};

use super::{
    PipelineError,
    source::{Source, read},
};
use crate::{oci::Repository, policy::Glob, process::Environment};

/// Bytes of a log.
const LIMIT: u64 = 64 << 20;

/// One push that a log tells of.
struct Push {
    repository: String,
    tag: String,
    digest: String,
}

pub(super) fn offered(environment: &Environment, named: &[Glob]) -> Result<Source, PipelineError> {
    let pushed = resources(environment);
    let mut told = Vec::new();
    for path in logs(environment) {
        pushes(
            &read("the output of Docker@2", Path::new(&path), LIMIT)?,
            &mut told,
        );
    }
    let mut images: Vec<String> = Vec::new();
    for (repository, digest) in &pushed {
        let tags = told
            .iter()
            .filter(|push| push.repository == *repository && push.digest == *digest);
        let mut tagged: Vec<String> = tags
            .map(|push| format!("{repository}:{}@{digest}", push.tag))
            .collect();
        if tagged.is_empty() {
            tagged.push(format!("{repository}@{digest}"));
        }
        images.extend(tagged);
    }
    // Where no digest is known, the repository must be one that an input names.
    let unknown = told.iter().filter(|push| {
        !pushed
            .iter()
            .any(|(repository, _)| *repository == push.repository)
    });
    let named = unknown.filter(|push| {
        let repository = Repository::named(&push.repository);
        repository.is_ok_and(|repository| named.iter().any(|pattern| pattern.matches(&repository)))
    });
    images.extend(named.map(|push| format!("{}:{}@{}", push.repository, push.tag, push.digest)));
    let mut seen = BTreeSet::new();
    images.retain(|image| seen.insert(image.clone()));
    if images.is_empty() {
        return Err(PipelineError::NoImages {
            looked_for: "no input does, and no step before left RESOURCE_URIS, as Docker@2 does",
        });
    }
    let name = if told.is_empty() {
        "RESOURCE_URIS"
    } else {
        "DockerOutput"
    };
    Ok(Source::of(name, images))
}

/// `https://registry/repository@sha256:…`, with commas between; entries that are none are left out.
fn resources(environment: &Environment) -> Vec<(String, String)> {
    let text = environment.get("RESOURCE_URIS").unwrap_or_default();
    let mut found = Vec::new();
    for entry in text.split(',').map(str::trim) {
        let Some((repository, digest)) = entry
            .strip_prefix("https://")
            .and_then(|rest| rest.split_once('@'))
        else {
            continue;
        };
        let pair = (repository.to_owned(), digest.to_owned());
        if !found.contains(&pair) {
            found.push(pair);
        }
    }
    found
}

/// The files that output variables of Docker@2 steps name, one per line.
fn logs(environment: &Environment) -> Vec<String> {
    let is_one = |name: &str| name == "DOCKEROUTPUT" || name.ends_with("_DOCKEROUTPUT");
    let values = environment
        .iter()
        .filter(|(name, _)| is_one(name))
        .map(|(_, value)| value);
    let mut paths: Vec<String> = values
        .flat_map(str::lines)
        .map(|line| line.trim().to_owned())
        .collect();
    paths.retain(|path| !path.is_empty());
    paths.sort_unstable();
    paths.dedup();
    paths
}

/// `TAG: digest: sha256:HEX size: N` after `The push refers to repository [REPOSITORY]`.
fn pushes(log: &str, found: &mut Vec<Push>) {
    let mut repository = None;
    for line in log.lines() {
        let line = line.trim();
        if let Some(rest) = line.strip_prefix("The push refers to repository [") {
            repository = rest.strip_suffix(']').map(ToOwned::to_owned);
        } else if let Some((tag, rest)) = line.split_once(": digest: ")
            && let Some((digest, _)) = rest.split_once(" size: ")
            && let Some(repository) = &repository
        {
            found.push(Push {
                repository: repository.clone(),
                tag: tag.to_owned(),
                digest: digest.to_owned(),
            });
        }
    }
}
