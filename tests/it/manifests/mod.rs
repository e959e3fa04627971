//! Deployment manifests: every image with its line, nothing passed over, and digests put in place.

mod arm;
mod encodings;
mod gate;
mod kinds;
mod odd;
mod pin;
mod tables;
mod work;

use acr_sign::manifests::{ManifestError, Options, Parameters, Reading, read};

/// All that a manifest holds.
pub fn reading(file: &str, text: &str) -> Result<Reading, ManifestError> {
    read(file, text, &Options::new(&Parameters::default()))
}

/// Images with their lines.
pub fn found(file: &str, text: &str) -> Result<Vec<(String, u64)>, ManifestError> {
    Ok(reading(file, text)?
        .found
        .into_iter()
        .map(|one| (one.image.to_string(), one.line))
        .collect())
}

/// Holds a text against the images it names, short names written in full.
pub fn assert_found(file: &str, text: &str, expected: &[(&str, u64)]) {
    let found = found(file, text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let expected: Vec<(String, u64)> = expected
        .iter()
        .map(|(image, line)| ((*image).to_owned(), *line))
        .collect();
    assert_eq!(found, expected, "{text}");
}

/// The words of the error that a text is refused with.
pub fn refused(file: &str, text: &str) -> String {
    match found(file, text) {
        Ok(found) => panic!("{found:?} in\n{text}"),
        Err(error) => error.to_string(),
    }
}
