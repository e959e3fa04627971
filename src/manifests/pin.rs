//! A manifest with digests: the same text, in which each image is followed by the digest that was checked.

use super::{Found, ManifestError, Options, Place, Problem, at::At, read};
use crate::oci::Digest;

/// Writes a digest behind each image found in a text; an image that has one keeps it.
///
/// The result is read again: it names the same images at the same places, with these digests, or it is an error.
pub fn pin(
    file: &str,
    text: &str,
    options: &Options<'_>,
    digest: impl Fn(&Found) -> Option<Digest>,
) -> Result<String, ManifestError> {
    let found = read(file, text, options)?.found;
    let mut changes: Vec<(std::ops::Range<usize>, String)> = Vec::new();
    let mut wanted = Vec::new();
    for one in found {
        let at = |message: &str| {
            let at = At {
                line: one.line,
                column: one.column,
            };
            ManifestError::new(file, Problem::new(at, message))
        };
        let mut image = one.image.clone();
        if image.digest.is_none() {
            let digest = digest(&one).ok_or_else(|| at("was not checked, so it has no digest"))?;
            let Place::Text {
                range,
                text: written,
            } = &one.place
            else {
                return Err(at(
                    "is put together from several values: write the digest there",
                ));
            };
            let scalar = text.get(range.clone()).unwrap_or_default();
            let place = scalar
                .find(written.as_str())
                .filter(|place| scalar.rfind(written.as_str()) == Some(*place));
            let place = place.ok_or_else(|| {
                at("is written with escapes or over several lines: write it plainly")
            })?;
            let end = range.start + place + written.len();
            changes.push((end..end, format!("@{digest}")));
            image.digest = Some(digest);
        }
        wanted.push((image, one.line));
    }
    let out = inserted(text, changes);
    let again: Vec<_> = read(file, &out, options)?
        .found
        .into_iter()
        .map(|one| (one.image, one.line))
        .collect();
    if again != wanted {
        let start = At { line: 1, column: 1 };
        return Err(ManifestError::new(
            file,
            Problem::new(start, "would not be the same with digests in it"),
        ));
    }
    Ok(out)
}

/// The text with others put in at places.
fn inserted(text: &str, mut changes: Vec<(std::ops::Range<usize>, String)>) -> String {
    changes.sort_by_key(|(range, _)| range.start);
    let mut out = String::with_capacity(text.len() + changes.len() * 80);
    let mut done = 0;
    for (range, addition) in changes {
        out.push_str(text.get(done..range.start).unwrap_or_default());
        out.push_str(&addition);
        done = range.start;
    }
    out.push_str(text.get(done..).unwrap_or_default());
    out
}
