//! The list of what refers to a manifest: the index that the Referrers API answers with, and that
//! the referrers tag points to where there is no such API. Everything in an entry is a claim until
//! its manifest was fetched.

use std::collections::{BTreeMap, HashSet};

use serde::Deserialize;
use serde_json::{Map, Value, json, value::RawValue};

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

/// The bytes are not an index.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the list of referrers is not an image index")]
pub struct InvalidReferrers;

/// The entries of an index, in its order; `manifests` may be `null`. An entry that is not a descriptor refers to
/// nothing and is left out.
pub fn parse(bytes: &[u8]) -> Result<Vec<Referrer>, InvalidReferrers> {
    let entries = entries(&members(bytes)?)?;
    Ok(entries.into_iter().filter_map(Referrer::read).collect())
}

/// The index of `old` with further entries: what it holds stays as it is, and what it already holds is not added.
/// `None` if there is nothing to add.
pub fn with(old: Option<&[u8]>, further: &[Value]) -> Result<Option<Vec<u8>>, InvalidReferrers> {
    let mut document = old.map(members).transpose()?.unwrap_or_default();
    let before = match old {
        Some(_) => entries(&document)?,
        None => Vec::new(),
    };
    let mut digests = HashSet::new();
    let mut manifests: Vec<String> = Vec::new();
    for entry in before {
        if digest(entry).is_some_and(|digest| digests.insert(digest)) {
            manifests.push(entry.get().to_owned());
        }
    }
    let mut grows = false;
    for entry in further {
        let digest = entry.get("digest").and_then(Value::as_str);
        if digest.is_some_and(|digest| digests.insert(digest.to_owned())) {
            manifests.push(entry.to_string());
            grows = true;
        }
    }
    if !grows {
        return Ok(None);
    }
    let own = [
        ("schemaVersion", "2".to_owned()),
        ("mediaType", json!(OCI_INDEX).to_string()),
        ("manifests", format!("[{}]", manifests.join(","))),
    ]
    .map(|(name, text)| RawValue::from_string(text).map(|value| (name, value)));
    for member in &own {
        let (name, value) = member.as_ref().map_err(|_| InvalidReferrers)?;
        document.insert((*name).to_owned(), value);
    }
    serde_json::to_vec(&document)
        .map(Some)
        .map_err(|_| InvalidReferrers)
}

/// The first entries of an index as they are, at most `most`.
pub fn raw(bytes: &[u8], most: usize) -> Result<Vec<Value>, InvalidReferrers> {
    let entries = entries(&members(bytes)?)?;
    let values = entries.into_iter().take(most);
    Ok(values
        .filter_map(|entry| serde_json::from_str(entry.get()).ok())
        .collect())
}

/// The tag under which the list is kept where there is no Referrers API.
pub fn tag(subject: &Digest) -> Option<Tag> {
    subject.to_string().replacen(':', "-", 1).parse().ok()
}

/// The members of the document, as text within it: an index of 4 MiB has room for a million empty entries, and each
/// would cost many times its length as a value.
fn members(bytes: &[u8]) -> Result<BTreeMap<String, &RawValue>, InvalidReferrers> {
    serde_json::from_slice(bytes).map_err(|_| InvalidReferrers)
}

fn entries<'a>(
    document: &BTreeMap<String, &'a RawValue>,
) -> Result<Vec<&'a RawValue>, InvalidReferrers> {
    let manifests = document.get("manifests").ok_or(InvalidReferrers)?;
    let entries: Option<Vec<&RawValue>> =
        serde_json::from_str(manifests.get()).map_err(|_| InvalidReferrers)?;
    Ok(entries.unwrap_or_default())
}

fn digest(entry: &RawValue) -> Option<String> {
    #[derive(Deserialize)]
    struct Entry {
        digest: String,
    }
    serde_json::from_str(entry.get())
        .ok()
        .map(|entry: Entry| entry.digest)
}

impl Referrer {
    fn read(entry: &RawValue) -> Option<Self> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct ReferrerJson {
            media_type: String,
            digest: String,
            size: u64,
            artifact_type: Option<String>,
            annotations: Option<BTreeMap<String, String>>,
        }
        let entry: ReferrerJson = serde_json::from_str(entry.get()).ok()?;
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

    #[test]
    fn g16_an_index_full_of_entries_is_merged_in_linear_time() {
        // 4 MiB of entries that are all different: compared with each other they would take minutes.
        let entries: Vec<String> = (0..50_000)
            .map(|number| format!(r#"{{"digest":"sha256:{number:064x}"}}"#))
            .collect();
        let old = format!(r#"{{"manifests":[{}]}}"#, entries.join(","));
        let merged = with(Some(old.as_bytes()), &[referrer("one").json()]).unwrap();
        let merged: Value = serde_json::from_slice(&merged.unwrap()).unwrap();
        assert_eq!(merged["manifests"].as_array().unwrap().len(), 50_001);
        assert_eq!(raw(old.as_bytes(), 7).unwrap().len(), 7);
    }
}
