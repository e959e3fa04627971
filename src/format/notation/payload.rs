//! What is signed: the descriptor of the image, with user metadata (Notary Project, "Payload").
//! Compared by meaning.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    format::json::{InvalidJson, Object, Value, parse_object},
    oci::{Descriptor, Digest, MediaType},
};

/// User metadata: signed names and values.
pub type Metadata = BTreeMap<String, String>;

/// The prefix of names that the specification keeps for itself.
pub(super) const RESERVED: &str = "io.cncf.notary";

/// The content of an envelope.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Payload {
    /// The image.
    pub target: Descriptor,
    /// User metadata.
    pub metadata: Metadata,
}

/// The signed content is not what the specification requires.
#[derive(Debug, thiserror::Error)]
pub enum PayloadFault {
    /// Not a JSON object.
    #[error(transparent)]
    Json(#[from] InvalidJson),
    /// A member is absent or of another type.
    #[error("`{0}` is missing or has the wrong type")]
    Member(&'static str),
}

impl Payload {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, PayloadFault> {
        let document = parse_object(bytes)?;
        let Some(Value::Object(target)) = document.get("targetArtifact") else {
            return Err(PayloadFault::Member("targetArtifact"));
        };
        let metadata = match target.get("annotations") {
            None | Some(Value::Null) => Metadata::new(),
            Some(map) => map
                .string_map()
                .ok_or(PayloadFault::Member("annotations"))?,
        };
        Ok(Self {
            target: descriptor(target)?,
            metadata,
        })
    }

    /// The bytes to sign: compact, and in the order that notation's two envelopes have.
    pub(super) fn to_json(&self, sorted: bool) -> Vec<u8> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Sorted<'a> {
            #[serde(skip_serializing_if = "BTreeMap::is_empty")]
            annotations: &'a Metadata,
            digest: String,
            media_type: &'a str,
            size: u64,
        }
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Plain<'a> {
            media_type: &'a str,
            digest: String,
            size: u64,
            #[serde(skip_serializing_if = "BTreeMap::is_empty")]
            annotations: &'a Metadata,
        }
        let (media_type, digest, size) = (
            self.target.media_type.as_str(),
            self.target.digest.to_string(),
            self.target.size,
        );
        let annotations = &self.metadata;
        let target = if sorted {
            serde_json::to_string(&Sorted {
                annotations,
                digest,
                media_type,
                size,
            })
        } else {
            serde_json::to_string(&Plain {
                media_type,
                digest,
                size,
                annotations,
            })
        };
        // Text and numbers always have a JSON form.
        format!(r#"{{"targetArtifact":{}}}"#, target.unwrap_or_default()).into_bytes()
    }
}

/// Media type without parameters, digest and size, all three (N10).
pub(super) fn descriptor(target: &Object) -> Result<Descriptor, PayloadFault> {
    let text = |name| target.get(name).and_then(Value::as_str);
    let media_type = text("mediaType").map(|text| (text, MediaType::new(text)));
    let media_type = media_type
        .filter(|(text, parsed)| *text == parsed.as_str())
        .map(|(_, parsed)| parsed);
    let media_type = media_type.ok_or(PayloadFault::Member("mediaType"))?;
    let digest: Option<Digest> = text("digest").and_then(|digest| digest.parse().ok());
    let digest = digest.ok_or(PayloadFault::Member("digest"))?;
    let size = match target.get("size") {
        Some(Value::Integer(size)) => u64::try_from(*size).ok(),
        _ => None,
    };
    Ok(Descriptor {
        media_type,
        digest,
        size: size.ok_or(PayloadFault::Member("size"))?,
    })
}
