//! Images and where they came from, and the one way in which files that list images are read.

use std::{fs::File, io::Read as _, path::Path};

use super::PipelineError;

/// Images, and where they came from.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Source {
    /// As on the command line.
    pub images: Vec<String>,
    /// `--digest`, which all of them must have.
    pub digest: Option<String>,
    /// As the report names it.
    pub name: &'static str,
}

impl Source {
    pub(super) fn of(name: &'static str, images: Vec<String>) -> Self {
        Self {
            images,
            digest: None,
            name,
        }
    }
}

/// A file of at most `limit` bytes.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place where files of image sources are read"
)]
pub(in crate::pipeline) fn read(
    what: &str,
    path: &Path,
    limit: u64,
) -> Result<String, PipelineError> {
    let unreadable = |why: String| PipelineError::Unreadable {
        what: format!("{what} `{}`", path.display()),
        why,
    };
    let file = File::open(path).map_err(|error| unreadable(error.to_string()))?;
    let mut bytes = Vec::new();
    file.take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| unreadable(error.to_string()))?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > limit {
        return Err(unreadable(format!("it is longer than {limit} bytes")));
    }
    let text = String::from_utf8(bytes).map_err(|_| unreadable("it is not UTF-8".to_owned()))?;
    Ok(text
        .strip_prefix('\u{feff}')
        .map(ToOwned::to_owned)
        .unwrap_or(text))
}
