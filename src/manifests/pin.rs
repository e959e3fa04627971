//! A manifest with digests: the same text, in which behind each image stands what was checked.

use super::{Found, ManifestError, Parameters, Place, Problem, read};
use crate::oci::Digest;

/// Writes a digest behind each image found in a text; an image that has one keeps it.
///
/// The result is read again: it names the same images at the same places, with these digests, or it is an error.
pub fn pin(
    file: &str,
    text: &str,
    parameters: &Parameters,
    digest: impl Fn(&Found) -> Option<Digest>,
) -> Result<String, ManifestError> {
    let found = read(file, text, parameters)?;
    let mut changes: Vec<(std::ops::Range<usize>, String, Digest)> = Vec::new();
    let mut wanted = Vec::new();
    for one in found {
        let at =
            |message: &str| ManifestError::new(file, Problem::new(one.line, one.column, message));
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
            changes.push((end..end, format!("@{digest}"), digest.clone()));
            image.digest = Some(digest);
        }
        wanted.push((image, one.line));
    }
    let mut out = text.to_owned();
    changes.sort_by_key(|(range, _, _)| range.start);
    for (range, digest, _) in changes.into_iter().rev() {
        out.replace_range(range, &digest);
    }
    let again: Vec<_> = read(file, &out, parameters)?
        .into_iter()
        .map(|one| (one.image, one.line))
        .collect();
    if again != wanted {
        return Err(ManifestError::new(
            file,
            Problem::new(1, 1, "would not be the same with digests in it"),
        ));
    }
    Ok(out)
}
