//! Build metadata of buildx and bake: each target's names with the digest that was pushed.

use std::path::Path;

use serde_json::{Map, Value};

use super::PipelineError;

/// Bytes of a metadata file; provenance can be in it.
const LIMIT: u64 = 16 << 20;

/// The images of metadata that is given as JSON, or as the path of a file: `name:tag@digest`.
pub fn images(given: &str) -> Result<Vec<String>, PipelineError> {
    let text = if given.trim_start().starts_with('{') {
        given.to_owned()
    } else {
        super::source::read("the metadata file", Path::new(given), LIMIT)?
    };
    let unusable = |why: String| PipelineError::Unreadable {
        what: "the build metadata".to_owned(),
        why,
    };
    let document: Map<String, Value> = serde_json::from_str(&text)
        .map_err(|error| unusable(format!("it is not a JSON object: {error}")))?;
    let targets: Vec<&Map<String, Value>> = if is_target(&document) {
        vec![&document]
    } else {
        document
            .values()
            .filter_map(Value::as_object)
            .filter(|target| is_target(target))
            .collect()
    };
    let mut images = Vec::new();
    for target in targets {
        // A target without a name was not meant to be pushed.
        let Some(names) = target.get("image.name").and_then(Value::as_str) else {
            continue;
        };
        let digest = target.get("containerimage.digest").and_then(Value::as_str);
        let digest = digest
            .ok_or_else(|| unusable(format!("it has no `containerimage.digest` for `{names}`")))?;
        let names = names
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty());
        images.extend(names.map(|name| format!("{name}@{digest}")));
    }
    if images.is_empty() {
        return Err(PipelineError::NoImages {
            looked_for: "the build metadata has no `image.name`, so nothing in it was pushed under a name",
        });
    }
    Ok(images)
}

fn is_target(map: &Map<String, Value>) -> bool {
    map.contains_key("image.name") || map.contains_key("containerimage.digest")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buildx_metadata_gives_every_name_with_the_digest() {
        let found = images(
            r#"{"buildx.build.ref":"b/b/x","containerimage.config.digest":"sha256:cc","containerimage.digest":"sha256:dd",
                "containerimage.descriptor":{"digest":"sha256:dd","size":1},"image.name":"r.azurecr.io/a:1,r.azurecr.io/a:2"}"#,
        );
        assert_eq!(
            found.unwrap(),
            ["r.azurecr.io/a:1@sha256:dd", "r.azurecr.io/a:2@sha256:dd"]
        );
    }

    #[test]
    fn bake_metadata_gives_every_target_with_its_own() {
        let found = images(
            r#"{"buildx.build.warnings":[{"x":1}],"web":{"containerimage.digest":"sha256:aa","image.name":"r/w:1"},
                "cache":{"containerimage.digest":"sha256:ee"},"api":{"containerimage.digest":"sha256:bb","image.name":"r/a:1"}}"#,
        );
        let mut found = found.unwrap();
        found.sort_unstable();
        assert_eq!(found, ["r/a:1@sha256:bb", "r/w:1@sha256:aa"]);
    }

    #[test]
    fn p10_metadata_of_a_build_that_did_not_push_names_nothing() {
        assert!(matches!(
            images(r#"{"image.name":"r/a:1"}"#),
            Err(PipelineError::Unreadable { .. })
        ));
        assert!(matches!(
            images(r#"{"containerimage.digest":"sha256:aa"}"#),
            Err(PipelineError::NoImages { .. })
        ));
        assert!(matches!(images("{}"), Err(PipelineError::NoImages { .. })));
        assert!(matches!(images("{"), Err(PipelineError::Unreadable { .. })));
        assert!(matches!(
            images("/does/not/exist.json"),
            Err(PipelineError::Unreadable { .. })
        ));
    }
}
