//! Where the images of a step come from: the first source that is given counts (design §5), and what only
//! says what was meant to be pushed signs nothing (P10).

mod artifacts;
mod docker_output;
pub mod metadata;
mod source;

use super::{Host, Inputs, PipelineError, Verb};
use crate::{
    policy::{Glob, InvalidGlob},
    process::Environment,
};

pub use source::Source;
pub(super) use source::read;

/// Finds the images of a step.
pub fn find_images(inputs: &Inputs, environment: &Environment) -> Result<Source, PipelineError> {
    let given = |name: &str| inputs.text(name).is_some();
    if given("images") && given("tags") {
        return Err(PipelineError::Both {
            one: inputs.spell("images"),
            other: inputs.spell("tags"),
        });
    }
    let are_named = ["images", "tags", "metadata"].into_iter().any(given);
    // On Azure it also says which pushes of `Docker@2` count.
    if given("repository") && !given("fresh-since") && (are_named || inputs.host() == Host::GitHub)
    {
        let (input, other) = (inputs.spell("repository"), inputs.spell("fresh-since"));
        return Err(PipelineError::Alone { input, other });
    }
    if given("manifests") {
        let others = ["images", "tags", "metadata"];
        if let Some(other) = others.into_iter().find(|name| given(name)) {
            return Err(PipelineError::Both {
                one: inputs.spell("manifests"),
                other: inputs.spell(other),
            });
        }
        // They are read when the command runs.
        return Ok(Source::of("manifests", Vec::new()));
    }
    let digest = inputs.text("digest").map(ToOwned::to_owned);
    let mut source = if given("images") {
        Source::of("images", inputs.list("images"))
    } else if given("tags") {
        return tags(inputs, digest);
    } else if let Some(metadata) = inputs.text("metadata") {
        Source::of("metadata", metadata::images(metadata)?)
    } else if given("fresh-since") {
        if !given("repository") {
            let (input, other) = (inputs.spell("fresh-since"), inputs.spell("repository"));
            return Err(PipelineError::Alone { input, other });
        }
        // The registry is asked when the command runs.
        Source::of("fresh-since", Vec::new())
    } else {
        offered(inputs, environment)?
    };
    if digest.is_some() && inputs.verb() == Verb::Verify {
        return Err(PipelineError::Alone {
            input: inputs.spell("digest"),
            other: inputs.spell("tags"),
        });
    }
    source.digest = digest;
    Ok(source)
}

/// Every tag with the one digest that was built.
fn tags(inputs: &Inputs, digest: Option<String>) -> Result<Source, PipelineError> {
    let Some(digest) = digest else {
        let what = format!("the input `{}`", inputs.spell("tags"));
        return Err(PipelineError::TagsAlone {
            what,
            host: inputs.host(),
            given: true,
        });
    };
    let tags = inputs.list("tags");
    if let Some(tag) = tags.iter().find(|tag| tag.contains('@')) {
        let wanted = "names with tags: the digest is an input of its own".to_owned();
        return Err(PipelineError::Value {
            input: inputs.spell("tags"),
            value: tag.clone(),
            wanted,
        });
    }
    Ok(Source::of(
        "tags",
        tags.iter().map(|tag| format!("{tag}@{digest}")).collect(),
    ))
}

/// What the host itself says was built.
fn offered(inputs: &Inputs, environment: &Environment) -> Result<Source, PipelineError> {
    match inputs.host() {
        Host::GitHub => artifacts::offered(environment),
        Host::Azure => {
            let named = inputs.list("repository").into_iter().map(|pattern| {
                let wanted = |error: InvalidGlob| PipelineError::Value {
                    input: inputs.spell("repository"),
                    value: pattern.clone(),
                    wanted: format!("patterns of repositories ({error})"),
                };
                pattern.parse().map_err(wanted)
            });
            let named: Vec<Glob> = named.collect::<Result<_, _>>()?;
            docker_output::offered(environment, &named)
        }
    }
}
