//! The JWS envelope: flattened JSON serialization, exactly four members (Notary Project, "JWS
//! Signature Envelope"). Read strictly: exact names, each once, base64 in its one spelling.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};

use super::{
    algorithm::Algorithm,
    attributes::{
        AUTHENTIC_SIGNING_TIME, EXPIRY, HeaderFault, PAYLOAD_TYPE, PLUGIN, PLUGIN_MIN_VERSION,
        RawAttributes, SIGNING_AGENT, SIGNING_SCHEME, SIGNING_TIME, TIMESTAMP,
    },
    encoding::{CHAIN_LIMIT, Content, Decoded, EnvelopeFault, SigningInput},
};
use crate::{
    crypto::Certificate,
    format::json::{Object, Value, parse_object},
    timestamp::Timestamp,
};

/// Names that RFC 7515 defines and that cannot be critical.
const REGISTERED: [&str; 3] = ["alg", "cty", "crit"];

/// Reads an envelope; no rule about its attributes or its signature is applied yet.
pub(super) fn decode(bytes: &[u8]) -> Result<Decoded, EnvelopeFault> {
    let envelope = parse_object(bytes)?;
    for name in envelope.names() {
        if !["payload", "protected", "header", "signature"].contains(&name) {
            return Err(EnvelopeFault::Member(name.to_owned()));
        }
    }
    let (payload, protected, signature) = (
        member(&envelope, "payload")?,
        member(&envelope, "protected")?,
        member(&envelope, "signature")?,
    );
    let Some(Value::Object(header)) = envelope.get("header") else {
        return Err(EnvelopeFault::Member("header".to_owned()));
    };
    let members = parse_object(&unpadded("protected", protected)?)?;
    if let Some(name) = members.names().find(|name| header.contains(name)) {
        return Err(HeaderFault::Twice(name.to_owned()).into());
    }
    let agent = match header.get(SIGNING_AGENT) {
        Some(agent) => Some(
            agent
                .as_str()
                .ok_or_else(|| EnvelopeFault::Member(SIGNING_AGENT.to_owned()))?
                .to_owned(),
        ),
        None => None,
    };
    let token = match header.get(TIMESTAMP) {
        Some(token) => Some(padded(TIMESTAMP, token)?),
        None => None,
    };
    Ok(Decoded {
        attributes: attributes(&members)?.check(|name| REGISTERED.contains(&name))?,
        payload: unpadded("payload", payload)?,
        message: format!("{protected}.{payload}").into_bytes(),
        signature: unpadded("signature", signature)?,
        chain: certificates(header)?,
        agent,
        token,
    })
}

fn member<'a>(envelope: &'a Object, name: &str) -> Result<&'a str, EnvelopeFault> {
    envelope
        .get(name)
        .and_then(Value::as_str)
        .ok_or_else(|| EnvelopeFault::Member(name.to_owned()))
}

fn unpadded(name: &str, text: &str) -> Result<Vec<u8>, EnvelopeFault> {
    URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|_| EnvelopeFault::Base64(name.to_owned()))
}

fn padded(name: &str, text: &Value) -> Result<Vec<u8>, EnvelopeFault> {
    let text = text
        .as_str()
        .ok_or_else(|| EnvelopeFault::Member(name.to_owned()))?;
    STANDARD
        .decode(text)
        .map_err(|_| EnvelopeFault::Base64(name.to_owned()))
}

fn certificates(header: &Object) -> Result<Vec<Vec<u8>>, EnvelopeFault> {
    let Some(Value::Array(items)) = header.get("x5c") else {
        return Err(EnvelopeFault::Member("x5c".to_owned()));
    };
    if items.len() > CHAIN_LIMIT {
        return Err(EnvelopeFault::ChainLength(items.len()));
    }
    items.iter().map(|item| padded("x5c", item)).collect()
}

fn attributes(members: &Object) -> Result<RawAttributes, HeaderFault> {
    // RFC 7797: with `b64` the signed bytes would be others than those that are read here.
    if members.contains("b64") {
        return Err(HeaderFault::Forbidden("b64".to_owned()));
    }
    let algorithm = match text(members, "alg")? {
        Some(name) => Some(Algorithm::from_name(&name).ok_or(HeaderFault::Algorithm(name))?),
        None => None,
    };
    let critical = match members.get("crit") {
        Some(list) => Some(
            list.strings()
                .ok_or_else(|| HeaderFault::Type("crit".to_owned()))?,
        ),
        None => None,
    };
    Ok(RawAttributes {
        algorithm,
        content_type: text(members, "cty")?,
        critical,
        scheme: text(members, SIGNING_SCHEME)?,
        signing_time: time(members, SIGNING_TIME)?,
        authentic_signing_time: time(members, AUTHENTIC_SIGNING_TIME)?,
        expiry: time(members, EXPIRY)?,
        plugin: text(members, PLUGIN)?,
        plugin_min_version: text(members, PLUGIN_MIN_VERSION)?,
        names: members.names().map(str::to_owned).collect(),
    })
}

/// A header that is text.
fn text(members: &Object, name: &str) -> Result<Option<String>, HeaderFault> {
    match members.get(name) {
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(HeaderFault::Type(name.to_owned())),
        None => Ok(None),
    }
}

/// A header that is a time.
fn time(members: &Object, name: &str) -> Result<Option<Timestamp>, HeaderFault> {
    let Some(text) = text(members, name)? else {
        return Ok(None);
    };
    text.parse()
        .map(Some)
        .map_err(|_| HeaderFault::Type(name.to_owned()))
}

/// The two members that are signed, in their encoded form.
pub(super) fn signing_input(content: &Content) -> SigningInput {
    let mut critical = vec![SIGNING_SCHEME];
    critical.extend(content.expiry.map(|_| EXPIRY));
    let mut members = serde_json::json!({
        "alg": content.algorithm.name(),
        "crit": critical,
        "cty": PAYLOAD_TYPE,
        SIGNING_SCHEME: "notary.x509",
        SIGNING_TIME: content.signing_time.to_string(),
    });
    if let (Some(expiry), Some(members)) = (content.expiry, members.as_object_mut()) {
        members.insert(EXPIRY.to_owned(), expiry.to_string().into());
    }
    let protected = URL_SAFE_NO_PAD.encode(members.to_string());
    let payload = URL_SAFE_NO_PAD.encode(content.payload.to_json(true));
    let message = format!("{protected}.{payload}").into_bytes();
    SigningInput {
        protected: protected.into_bytes(),
        payload: payload.into_bytes(),
        message,
    }
}

/// The envelope around what was signed.
pub(super) fn encode(
    input: &SigningInput,
    signature: &[u8],
    chain: &[Certificate],
    agent: &str,
    token: Option<&[u8]>,
) -> Vec<u8> {
    let chain: Vec<String> = chain
        .iter()
        .map(|certificate| STANDARD.encode(certificate.der()))
        .collect();
    let mut header = serde_json::Map::new();
    if let Some(token) = token {
        header.insert(TIMESTAMP.to_owned(), STANDARD.encode(token).into());
    }
    header.insert("x5c".to_owned(), chain.into());
    header.insert(SIGNING_AGENT.to_owned(), agent.into());
    let envelope = serde_json::json!({
        "payload": String::from_utf8_lossy(&input.payload),
        "protected": String::from_utf8_lossy(&input.protected),
        "header": header,
        "signature": URL_SAFE_NO_PAD.encode(signature),
    });
    envelope.to_string().into_bytes()
}
