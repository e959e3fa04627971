//! The signature manifest: an OCI image manifest whose subject is the image and whose one layer is
//! the envelope (Notary Project, "OCI Signatures"). Written in the form of OCI 1.1, read in that of
//! 1.0 as well.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    Rejection,
    encoding::{ENVELOPE_LIMIT, EnvelopeKind, ManifestFault},
    payload::{self, PayloadFault},
};
use crate::{
    crypto::Certificate,
    format::json::{Object, Value, parse_object},
    oci::{Descriptor, Digest, manifest::OCI_MANIFEST},
    timestamp::Timestamp,
};

/// The artifact type of signature manifests.
pub const ARTIFACT_TYPE: &str = "application/vnd.cncf.notary.signature";
/// The media type of the configuration in the new form.
pub const EMPTY_TYPE: &str = "application/vnd.oci.empty.v1+json";
/// The configuration in both forms.
pub const EMPTY: &[u8] = b"{}";
/// The annotation that lists the certificates' SHA-256, as a JSON list in text.
pub const THUMBPRINTS: &str = "io.cncf.notary.x509chain.thumbprint#S256";
const CREATED: &str = "org.opencontainers.image.created";

/// A signature manifest that is about the image. Its annotations are not signed: they may order
/// candidates, and never decide.
#[derive(Clone, Debug)]
pub struct SignatureManifest {
    /// The blob of the envelope.
    pub envelope: Descriptor,
    /// The kind of envelope.
    pub kind: EnvelopeKind,
    /// SHA-256 of the certificates, in hex of either case.
    pub thumbprints: Vec<String>,
    /// When it was signed, as it says.
    pub created: Option<Timestamp>,
}

impl SignatureManifest {
    /// Reads a manifest of either form. Rejects other manifests, unknown envelopes, and another
    /// subject than the image: media type, digest and size must all be equal (N10, G16).
    pub fn read(bytes: &[u8], subject: &Descriptor) -> Result<Self, Rejection> {
        let outline = SignatureOutline::read(bytes).map_err(Rejection::Manifest)?;
        if outline.subject != *subject {
            return Err(Rejection::OtherSubject {
                expected: subject.clone(),
                found: outline.subject,
            });
        }
        let media_type = &outline.envelope.media_type;
        let kind = EnvelopeKind::of(media_type).ok_or_else(|| Rejection::UnknownEnvelope {
            media_type: media_type.clone(),
        })?;
        let annotation = |name| outline.annotations.get(name).and_then(Value::as_str);
        let thumbprints = annotation(THUMBPRINTS).and_then(|list| serde_json::from_str(list).ok());
        let created = annotation(CREATED).and_then(|time| time.parse().ok());
        Ok(Self {
            envelope: outline.envelope,
            kind,
            thumbprints: thumbprints.unwrap_or_default(),
            created,
        })
    }
}

struct SignatureOutline {
    envelope: Descriptor,
    subject: Descriptor,
    annotations: Object,
}

impl SignatureOutline {
    fn read(bytes: &[u8]) -> Result<Self, ManifestFault> {
        let manifest = parse_object(bytes)?;
        if manifest.get("schemaVersion") != Some(&Value::Integer(2)) {
            return Err(ManifestFault::Member("schemaVersion"));
        }
        match manifest.get("mediaType") {
            None => {}
            Some(media_type) if media_type.as_str() == Some(OCI_MANIFEST) => {}
            Some(_) => return Err(ManifestFault::Member("mediaType")),
        }
        // G09: a document that is an index too would be read differently by another program.
        if manifest.contains("manifests") {
            return Err(ManifestFault::Member("manifests"));
        }
        let Some(Value::Object(config)) = manifest.get("config") else {
            return Err(ManifestFault::Member("config"));
        };
        let config = config.get("mediaType").and_then(Value::as_str);
        match (manifest.get("artifactType").map(Value::as_str), config) {
            (Some(Some(ARTIFACT_TYPE)), Some(EMPTY_TYPE)) | (None, Some(ARTIFACT_TYPE)) => {}
            _ => return Err(ManifestFault::Form),
        }
        let Some(Value::Array(layers)) = manifest.get("layers") else {
            return Err(ManifestFault::Member("layers"));
        };
        let [layer] = layers.as_slice() else {
            return Err(ManifestFault::Layers(layers.len()));
        };
        let envelope = descriptor(Some(layer)).ok_or(ManifestFault::Member("layers"))?;
        if usize::try_from(envelope.size).is_ok_and(|size| size > ENVELOPE_LIMIT) {
            return Err(ManifestFault::TooLong(envelope.size));
        }
        let subject =
            descriptor(manifest.get("subject")).ok_or(ManifestFault::Member("subject"))?;
        let annotations = match manifest.get("annotations") {
            Some(Value::Object(annotations)) => annotations.clone(),
            _ => Object::default(),
        };
        Ok(Self {
            envelope,
            subject,
            annotations,
        })
    }
}

fn descriptor(value: Option<&Value>) -> Option<Descriptor> {
    match value {
        Some(Value::Object(members)) => payload::descriptor(members)
            .map_err(|_: PayloadFault| ())
            .ok(),
        _ => None,
    }
}

/// The annotations of a new signature manifest.
pub(super) fn annotations(
    chain: &[Certificate],
    signing_time: Timestamp,
) -> BTreeMap<String, String> {
    let thumbprints: Vec<String> = chain.iter().map(Certificate::thumbprint_sha256).collect();
    BTreeMap::from([
        (
            THUMBPRINTS.to_owned(),
            serde_json::Value::from(thumbprints).to_string(),
        ),
        (CREATED.to_owned(), signing_time.whole_seconds().to_string()),
    ])
}

/// A descriptor as a manifest holds it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DescriptorJson {
    media_type: String,
    digest: String,
    size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'static str>,
}

impl DescriptorJson {
    fn of_bytes(media_type: &str, bytes: &[u8]) -> Self {
        Self {
            media_type: media_type.to_owned(),
            digest: Digest::sha256(bytes).to_string(),
            size: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
            data: None,
        }
    }
}

/// The bytes of a new signature manifest.
pub(super) fn write(
    kind: EnvelopeKind,
    envelope: &[u8],
    subject: &Descriptor,
    annotations: &BTreeMap<String, String>,
) -> Vec<u8> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct ManifestJson<'a> {
        schema_version: u8,
        media_type: &'a str,
        artifact_type: &'a str,
        config: DescriptorJson,
        layers: [DescriptorJson; 1],
        subject: DescriptorJson,
        annotations: &'a BTreeMap<String, String>,
    }
    let manifest = ManifestJson {
        schema_version: 2,
        media_type: OCI_MANIFEST,
        artifact_type: ARTIFACT_TYPE,
        config: DescriptorJson {
            data: Some("e30="),
            ..DescriptorJson::of_bytes(EMPTY_TYPE, EMPTY)
        },
        layers: [DescriptorJson::of_bytes(
            kind.media_type().as_str(),
            envelope,
        )],
        subject: DescriptorJson {
            media_type: subject.media_type.to_string(),
            digest: subject.digest.to_string(),
            size: subject.size,
            data: None,
        },
        annotations,
    };
    // Text and numbers always have a JSON form.
    serde_json::to_vec(&manifest).unwrap_or_default()
}
