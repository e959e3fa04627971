//! Manifests and indexes, as far as a signer looks into them: their type, and an index's children.
//!
//! Refuses what two programs could read differently (G09, CVE-2021-41190).

use serde::Deserialize;

use super::{Descriptor, MediaType};

/// OCI image manifest.
pub const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// OCI image index.
pub const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// Docker image manifest, schema 2.
pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
/// Docker manifest list.
pub const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";

/// What is accepted when a tag is resolved.
pub const ACCEPTED: &[&str] = &[OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_LIST];

/// The bytes are not a manifest of the stated type.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum InvalidManifest {
    /// The type is none that an image has.
    #[error("media type `{0}` is not that of an image")]
    Type(MediaType),
    /// Not a JSON object.
    #[error("the manifest is not a JSON object")]
    Json,
    /// The body names another type than the answer's header.
    #[error("the manifest says it is `{body}`, but its Content-Type is `{header}`")]
    TypesDiffer {
        /// In the body.
        body: String,
        /// In the header.
        header: MediaType,
    },
    /// Both an image and an index, or neither of what its type says.
    #[error("the manifest does not have the form of `{0}`")]
    Form(MediaType),
    /// A child's descriptor cannot be read.
    #[error("the index lists a child that cannot be read")]
    Child,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ManifestOutline {
    media_type: Option<String>,
    manifests: Option<Vec<serde_json::Value>>,
    layers: Option<serde_json::Value>,
    config: Option<serde_json::Value>,
}

/// Checks that `bytes` are what `header`, the answer's Content-Type, says.
pub fn check(bytes: &[u8], header: &MediaType) -> Result<(), InvalidManifest> {
    if !ACCEPTED.contains(&header.as_str()) {
        return Err(InvalidManifest::Type(header.clone()));
    }
    let outline: ManifestOutline =
        serde_json::from_slice(bytes).map_err(|_| InvalidManifest::Json)?;
    if let Some(body) = outline.media_type.filter(|body| body != header.as_str()) {
        return Err(InvalidManifest::TypesDiffer {
            body,
            header: header.clone(),
        });
    }
    let is_image = outline.layers.is_some() || outline.config.is_some();
    let is_index = outline.manifests.is_some();
    let should_be_index = matches!(header.as_str(), OCI_INDEX | DOCKER_LIST);
    if is_image == should_be_index || is_index != should_be_index {
        return Err(InvalidManifest::Form(header.clone()));
    }
    Ok(())
}

/// Whether a media type is that of an index.
pub fn is_index(media_type: &MediaType) -> bool {
    matches!(media_type.as_str(), OCI_INDEX | DOCKER_LIST)
}

/// The children that an index lists.
pub fn children(bytes: &[u8]) -> Result<Vec<Descriptor>, InvalidManifest> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Child {
        media_type: String,
        digest: String,
        size: u64,
    }
    #[derive(Deserialize)]
    struct Index {
        manifests: Vec<Child>,
    }
    let index: Index = serde_json::from_slice(bytes).map_err(|_| InvalidManifest::Child)?;
    index
        .manifests
        .into_iter()
        .map(|child| {
            Ok(Descriptor {
                media_type: MediaType::new(&child.media_type),
                digest: child.digest.parse().map_err(|_| InvalidManifest::Child)?,
                size: child.size,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g09_ambiguous_manifests_are_refused() {
        let image = MediaType::new(OCI_MANIFEST);
        let index = MediaType::new(OCI_INDEX);
        assert_eq!(check(br#"{"config":{},"layers":[]}"#, &image), Ok(()));
        assert_eq!(check(br#"{"manifests":[]}"#, &index), Ok(()));
        let both = br#"{"config":{},"layers":[],"manifests":[]}"#;
        for (bytes, header) in [
            (&both[..], &image),
            (&both[..], &index),
            (&br#"{"manifests":[]}"#[..], &image),
            (&br#"{"config":{},"layers":[]}"#[..], &index),
            (&b"{}"[..], &image),
            (&b"{}"[..], &index),
        ] {
            assert_eq!(
                check(bytes, header),
                Err(InvalidManifest::Form(header.clone()))
            );
        }
        let other = format!(r#"{{"mediaType":"{OCI_INDEX}","config":{{}},"layers":[]}}"#);
        assert!(matches!(
            check(other.as_bytes(), &image),
            Err(InvalidManifest::TypesDiffer { .. })
        ));
        assert_eq!(check(b"[]", &image), Err(InvalidManifest::Json));
        assert!(matches!(
            check(b"{}", &MediaType::new("text/html")),
            Err(InvalidManifest::Type(_))
        ));
    }
}
