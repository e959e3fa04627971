//! The list of what refers to a manifest: the index that the Referrers API answers with, and that
//! the referrers tag points to where there is no such API. Everything in an entry is a claim until
//! its manifest was fetched.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Descriptor, Digest, MediaType, Tag, manifest::OCI_INDEX};

/// An entry of the list.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Referrer {
    /// The manifest that refers.
    pub descriptor: Descriptor,
    /// Its artifact type, if the entry says one.
    pub artifact_type: Option<String>,
    /// Its annotations, as the entry copies them.
    pub annotations: BTreeMap<String, String>,
}

/// The bytes are no index.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the list of referrers is not an image index")]
pub struct InvalidReferrers;

/// The entries of an index, in its order; `manifests` may be `null`. An entry that is no descriptor
/// refers to nothing and is left out.
pub fn parse(bytes: &[u8]) -> Result<Vec<Referrer>, InvalidReferrers> {
    Ok(entries(&document(bytes)?)
        .iter()
        .filter_map(Referrer::read)
        .collect())
}

/// The index of `old` with further entries: what it holds stays as it is, what it holds already is
/// not added. `None` if there is nothing to add.
pub fn with(old: Option<&[u8]>, further: &[Value]) -> Result<Option<Vec<u8>>, InvalidReferrers> {
    let mut document = old.map_or_else(|| Ok(Map::new()), document)?;
    let mut manifests: Vec<Value> = Vec::new();
    let before = entries(&document);
    for entry in before.iter().chain(further) {
        if digest(entry).is_some() && manifests.iter().all(|known| digest(known) != digest(entry)) {
            manifests.push(entry.clone());
        }
    }
    let known = |entry: &Value| before.iter().any(|known| digest(known) == digest(entry));
    if further.iter().all(known) {
        return Ok(None);
    }
    document.insert("schemaVersion".into(), json!(2));
    document.insert("mediaType".into(), json!(OCI_INDEX));
    document.insert("manifests".into(), Value::Array(manifests));
    Ok(Some(Value::Object(document).to_string().into_bytes()))
}

/// The raw entries of an index.
pub fn raw(bytes: &[u8]) -> Result<Vec<Value>, InvalidReferrers> {
    Ok(entries(&document(bytes)?))
}

/// The tag under which the list is kept where there is no Referrers API.
pub fn tag(subject: &Digest) -> Option<Tag> {
    subject.to_string().replacen(':', "-", 1).parse().ok()
}

fn document(bytes: &[u8]) -> Result<Map<String, Value>, InvalidReferrers> {
    let document: Map<String, Value> =
        serde_json::from_slice(bytes).map_err(|_| InvalidReferrers)?;
    match document.get("manifests") {
        Some(Value::Array(_) | Value::Null) => Ok(document),
        _ => Err(InvalidReferrers),
    }
}

fn entries(document: &Map<String, Value>) -> Vec<Value> {
    document
        .get("manifests")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default()
}

fn digest(entry: &Value) -> Option<&str> {
    entry.get("digest")?.as_str()
}

impl Referrer {
    fn read(entry: &Value) -> Option<Self> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct ReferrerJson {
            media_type: String,
            digest: String,
            size: u64,
            artifact_type: Option<String>,
            annotations: Option<BTreeMap<String, String>>,
        }
        let entry = ReferrerJson::deserialize(entry).ok()?;
        Some(Self {
            descriptor: Descriptor {
                media_type: MediaType::new(&entry.media_type),
                digest: entry.digest.parse().ok()?,
                size: entry.size,
            },
            artifact_type: entry.artifact_type,
            annotations: entry.annotations.unwrap_or_default(),
        })
    }

    /// As the list holds it.
    pub fn json(&self) -> Value {
        let mut entry = Map::new();
        entry.insert(
            "mediaType".into(),
            json!(self.descriptor.media_type.as_str()),
        );
        entry.insert("digest".into(), json!(self.descriptor.digest.to_string()));
        entry.insert("size".into(), json!(self.descriptor.size));
        if !self.annotations.is_empty() {
            entry.insert("annotations".into(), json!(self.annotations));
        }
        if let Some(artifact_type) = &self.artifact_type {
            entry.insert("artifactType".into(), json!(artifact_type));
        }
        Value::Object(entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn referrer(seed: &str) -> Referrer {
        Referrer {
            descriptor: Descriptor {
                media_type: MediaType::new("application/vnd.oci.image.manifest.v1+json"),
                digest: Digest::sha256(seed.as_bytes()),
                size: 7,
            },
            artifact_type: Some("application/vnd.example".into()),
            annotations: [("a".to_owned(), seed.to_owned())].into(),
        }
    }

    #[test]
    fn an_index_reads_back() {
        let first = with(None, &[referrer("one").json()]).unwrap().unwrap();
        let second = with(Some(&first), &[referrer("two").json()])
            .unwrap()
            .unwrap();
        assert_eq!(parse(&second).unwrap(), [referrer("one"), referrer("two")]);
        assert_eq!(
            with(Some(&second), &[referrer("one").json()]).unwrap(),
            None
        );
    }

    #[test]
    fn what_others_wrote_stays_and_what_is_empty_or_double_goes() {
        let foreign = json!({"digest": "sha512:0", "size": "odd", "x": 1});
        let old = json!({"schemaVersion": 2, "manifests": [foreign, {}, foreign, null], "annotations": {"k": "v"}});
        let merged = with(Some(old.to_string().as_bytes()), &[referrer("one").json()])
            .unwrap()
            .unwrap();
        let merged: Value = serde_json::from_slice(&merged).unwrap();
        assert_eq!(
            merged["manifests"],
            json!([foreign, referrer("one").json()])
        );
        assert_eq!(merged["annotations"]["k"], "v");
        assert_eq!(
            parse(merged.to_string().as_bytes()).unwrap(),
            [referrer("one")]
        );
    }

    #[test]
    fn null_is_an_empty_list_and_anything_else_is_none() {
        assert_eq!(parse(br#"{"manifests":null}"#), Ok(Vec::new()));
        for wrong in [
            &b""[..],
            b"[]",
            b"{}",
            br#"{"manifests":{}}"#,
            br#"{"manifests":"x"}"#,
        ] {
            assert_eq!(parse(wrong), Err(InvalidReferrers));
        }
    }

    #[test]
    fn the_tag_of_a_subject() {
        let digest = Digest::sha256(b"");
        assert_eq!(
            tag(&digest).unwrap().as_str(),
            format!("sha256-{}", digest.hex())
        );
        // 128 characters of hash and the algorithm's name are more than a tag may have.
        let long = format!("sha512:{}", "a".repeat(128)).parse().unwrap();
        assert!(tag(&long).is_none());
    }
}
