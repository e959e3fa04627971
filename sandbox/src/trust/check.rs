//! What a trust server checks before it takes a publication: keys, signatures, structure, root certificates.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use der::{Decode as _, Encode as _};
use p256::ecdsa::signature::hazmat::PrehashVerifier as _;
use ring::signature::{self, UnparsedPublicKey};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use spki::SubjectPublicKeyInfoOwned;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::form::canonical;
use crate::registry::hex;

/// Why a file is not taken: the name that the server gives the kind of error, and a message.
pub(super) type Refusal = (&'static str, String);

/// The ID of a key object.
pub(super) fn key_id(key: &Value) -> Option<String> {
    let plain = serde_json::json!({"keytype": key["keytype"], "keyval": {"private": null, "public": key["keyval"]["public"]}});
    Some(hex(&Sha256::digest(canonical(&plain)?.as_bytes())))
}

/// Checks type, version and expiry of a file.
pub(super) fn structure(role: &str, document: &Value, now: OffsetDateTime) -> Result<(), Refusal> {
    let (kind, error) = match role {
        "root" => ("Root", "ErrBadRoot"),
        "snapshot" => ("Snapshot", "ErrBadSnapshot"),
        "timestamp" => ("Timestamp", "ErrValidation"),
        _ => ("Targets", "ErrBadTargets"),
    };
    let signed = &document["signed"];
    let refuse = |message: String| Err((error, message));
    if signed["_type"] != kind {
        return refuse(format!(
            "{role} type metadata invalid: expected type {kind}, not {}",
            signed["_type"]
        ));
    }
    if signed["version"].as_i64().is_none_or(|version| version < 1) {
        return refuse(format!(
            "{role} type metadata invalid: version cannot be less than one"
        ));
    }
    let expires = signed["expires"]
        .as_str()
        .and_then(|text| OffsetDateTime::parse(text, &Rfc3339).ok());
    match expires {
        Some(at) if at > now => Ok(()),
        Some(at) => refuse(format!("{role} expired at {at}")),
        None => refuse(format!("{role} has no expiry that can be read")),
    }
}

/// Checks that `document` carries valid signatures of enough of the role's keys.
pub(super) fn signatures(
    role: &str,
    document: &Value,
    keys: &Value,
    lister: &Value,
) -> Result<(), Refusal> {
    let error = match role {
        "root" => "ErrBadRoot",
        "snapshot" => "ErrBadSnapshot",
        _ => "ErrBadTargets",
    };
    let message =
        canonical(&document["signed"]).ok_or((error, format!("{role} is not canonical JSON")))?;
    let listed = lister["keyids"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let mut good: Vec<&str> = Vec::new();
    for signature in document["signatures"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default()
    {
        let Some(id) = signature["keyid"]
            .as_str()
            .filter(|id| listed.iter().any(|one| one == id))
        else {
            continue;
        };
        let key = &keys[id];
        if key_id(key).as_deref() != Some(id) {
            return Err((error, "key ID is not valid for key content".to_owned()));
        }
        if !good.contains(&id) && verifies(key, signature, message.as_bytes()) {
            good.push(id);
        }
    }
    let threshold = lister["threshold"].as_u64().unwrap_or(u64::MAX);
    if threshold < 1 || u64::try_from(good.len()).unwrap_or(0) < threshold {
        return Err((
            error,
            format!("valid signatures did not meet threshold for {role}"),
        ));
    }
    Ok(())
}

fn verifies(key: &Value, signature: &Value, message: &[u8]) -> bool {
    let text = |value: &Value| value.as_str().map(ToOwned::to_owned).unwrap_or_default();
    let (Ok(sig), Ok(public)) = (
        BASE64_STANDARD.decode(text(&signature["sig"])),
        BASE64_STANDARD.decode(text(&key["keyval"]["public"])),
    ) else {
        return false;
    };
    let kind = text(&key["keytype"]);
    let Some(spki) = spki_of(&kind, &public) else {
        return kind == "ed25519"
            && text(&signature["method"]).eq_ignore_ascii_case("eddsa")
            && ed25519(&public, message, &sig);
    };
    let Some(bits) = spki.subject_public_key.as_bytes() else {
        return false;
    };
    match (
        kind.trim_end_matches("-x509"),
        text(&signature["method"]).to_lowercase().as_str(),
    ) {
        ("ecdsa", "ecdsa") => ecdsa(bits, &Sha256::digest(message), &sig),
        ("rsa", "rsapss") => UnparsedPublicKey::new(&signature::RSA_PSS_2048_8192_SHA256, bits)
            .verify(message, &sig)
            .is_ok(),
        ("rsa", "rsapkcs1v15") => {
            UnparsedPublicKey::new(&signature::RSA_PKCS1_2048_8192_SHA256, bits)
                .verify(message, &sig)
                .is_ok()
        }
        _ => false,
    }
}

fn ed25519(public: &[u8], message: &[u8], signature: &[u8]) -> bool {
    UnparsedPublicKey::new(&signature::ED25519, public)
        .verify(message, signature)
        .is_ok()
}

fn ecdsa(point: &[u8], digest: &[u8], sig: &[u8]) -> bool {
    // Longer curves take the same number with leading zeros.
    let padded = |length: usize| {
        [
            vec![0; length.saturating_sub(digest.len())],
            digest.to_vec(),
        ]
        .concat()
    };
    let p256 = || {
        let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(point).ok()?;
        key.verify_prehash(digest, &p256::ecdsa::Signature::from_slice(sig).ok()?)
            .ok()
    };
    let p384 = || {
        let key = p384::ecdsa::VerifyingKey::from_sec1_bytes(point).ok()?;
        key.verify_prehash(&padded(48), &p384::ecdsa::Signature::from_slice(sig).ok()?)
            .ok()
    };
    let p521 = || {
        let key = p521::ecdsa::VerifyingKey::from_sec1_bytes(point).ok()?;
        key.verify_prehash(&padded(66), &p521::ecdsa::Signature::from_slice(sig).ok()?)
            .ok()
    };
    p256().or_else(p384).or_else(p521).is_some()
}

/// The public key of a key object that is not Ed25519.
fn spki_of(kind: &str, public: &[u8]) -> Option<SubjectPublicKeyInfoOwned> {
    match kind {
        "ecdsa" | "rsa" => SubjectPublicKeyInfoOwned::from_der(public).ok(),
        "ecdsa-x509" | "rsa-x509" => {
            let spki = leaf(public)?
                .tbs_certificate()
                .subject_public_key_info()
                .to_der()
                .ok()?;
            SubjectPublicKeyInfoOwned::from_der(&spki).ok()
        }
        _ => None,
    }
}

fn leaf(pem: &[u8]) -> Option<x509_cert::Certificate> {
    x509_cert::Certificate::load_pem_chain(pem)
        .ok()?
        .into_iter()
        .next()
}

/// Checks that a root's certificates are for this collection, and valid now.
pub(super) fn root_certificates(
    document: &Value,
    gun: &str,
    now: OffsetDateTime,
) -> Result<(), Refusal> {
    let signed = &document["signed"];
    let ids = signed["roles"]["root"]["keyids"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let good = |id: &Value| {
        let key = &signed["keys"][id.as_str()?];
        if !key["keytype"].as_str()?.ends_with("-x509") {
            return None;
        }
        let certificate = leaf(
            &BASE64_STANDARD
                .decode(key["keyval"]["public"].as_str()?)
                .ok()?,
        )?;
        let tbs = certificate.tbs_certificate();
        let names = tbs
            .subject()
            .iter_rdn()
            .flat_map(x509_cert::name::RelativeDistinguishedName::iter);
        let name = names
            .filter(|part| part.oid.to_string() == "2.5.4.3")
            .last()?;
        let name = String::from_utf8(name.value.value().to_vec()).ok()?;
        let fits = name == gun
            || name
                .strip_suffix('*')
                .is_some_and(|prefix| gun.starts_with(prefix));
        let start = i64::try_from(tbs.validity().not_before.to_unix_duration().as_secs()).ok()?;
        let end = i64::try_from(tbs.validity().not_after.to_unix_duration().as_secs()).ok()?;
        let at = now.unix_timestamp();
        (fits && start <= at + 86_400 && at <= end).then_some(())
    };
    let all_good = !ids.is_empty() && ids.iter().all(|id| good(id).is_some());
    if all_good {
        Ok(())
    } else {
        Err((
            "ErrBadRoot",
            "could not validate the path to a trusted root: unable to retrieve valid leaf certificates".to_owned(),
        ))
    }
}
