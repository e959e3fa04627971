//! The COSE envelope: `COSE_Sign1_Tagged` (RFC 9052; Notary Project, "COSE Signature Envelope").
//! Refuses other tags, indefinite lengths, labels that are there twice, and anything after the end.

use minicbor::{Decoder, Encoder, data::Type};

use super::{
    algorithm::Algorithm,
    attributes::{
        AUTHENTIC_SIGNING_TIME, EXPIRY, HeaderFault, PAYLOAD_TYPE, PLUGIN, PLUGIN_MIN_VERSION,
        RawAttributes, SIGNING_AGENT, SIGNING_SCHEME, SIGNING_TIME, TIMESTAMP,
    },
    encoding::{CHAIN_LIMIT, Content, Decoded, EnvelopeFault, SigningInput},
};
use crate::{crypto::Certificate, timestamp::Timestamp};

/// Tag 18 and an array of four, each in its shortest form.
const SIGN1: &[u8] = &[0xd2, 0x84];
/// Labels of RFC 9052.
const ALG: &str = "1";
const CRIT: &str = "2";
const CONTENT_TYPE: &str = "3";
const X5CHAIN: &str = "33";
/// Marks text labels, so that the text `1` is not the number 1.
const TEXT: &str = "\"";
/// How many headers are read: the specification has eleven. Labels are compared with each other.
const HEADERS: u64 = 100;

/// Reads an envelope; no rule about its attributes or its signature is applied yet.
pub(super) fn decode(bytes: &[u8]) -> Result<Decoded, EnvelopeFault> {
    let body = bytes.strip_prefix(SIGN1).ok_or(EnvelopeFault::NotSign1)?;
    let mut reader = Decoder::new(body);
    let protected = reader.bytes()?;
    let mut labels = Vec::new();
    let attributes = attributes(protected, &mut labels)?;
    let (chain, agent, token) = unprotected(&mut reader, &mut labels)?;
    let payload = reader.bytes()?;
    let signature = reader.bytes()?;
    if reader.position() != body.len() {
        return Err(EnvelopeFault::Trailing);
    }
    Ok(Decoded {
        attributes: attributes.check(is_registered)?,
        payload: payload.to_vec(),
        message: to_be_signed(protected, payload),
        signature: signature.to_vec(),
        chain,
        agent,
        token,
    })
}

/// The labels that RFC 9052 defines.
fn is_registered(label: &str) -> bool {
    matches!(label, "0" | "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8")
}

/// The next label: a number as it is, text with its mark unless it is one of the specification's
/// names.
fn label(reader: &mut Decoder<'_>) -> Result<String, EnvelopeFault> {
    match reader.datatype()? {
        Type::String => {
            let text = reader.str()?;
            Ok(if text.starts_with("io.cncf.notary.") {
                text.to_owned()
            } else {
                format!("{TEXT}{text}")
            })
        }
        _ => Ok(reader.i64()?.to_string()),
    }
}

/// How many entries a map of known length has.
fn entries(reader: &mut Decoder<'_>) -> Result<u64, EnvelopeFault> {
    match reader.map()? {
        Some(count @ 0..=HEADERS) => Ok(count),
        Some(_) | None => Err(EnvelopeFault::Headers),
    }
}

/// The next label, which must not have been there.
fn new_label(reader: &mut Decoder<'_>, seen: &mut Vec<String>) -> Result<String, EnvelopeFault> {
    let label = label(reader)?;
    if seen.contains(&label) {
        return Err(HeaderFault::Twice(label).into());
    }
    seen.push(label.clone());
    Ok(label)
}

fn attributes(protected: &[u8], labels: &mut Vec<String>) -> Result<RawAttributes, EnvelopeFault> {
    let mut reader = Decoder::new(protected);
    let mut found = RawAttributes::default();
    for _ in 0..entries(&mut reader)? {
        let name = new_label(&mut reader, labels)?;
        let wrong = |_| HeaderFault::Type(name.clone());
        match name.as_str() {
            ALG => {
                let number = reader.i64().map_err(wrong)?;
                let algorithm = Algorithm::from_number(number);
                found.algorithm =
                    Some(algorithm.ok_or_else(|| HeaderFault::Algorithm(number.to_string()))?);
            }
            CRIT => found.critical = Some(critical(&mut reader)?),
            CONTENT_TYPE => found.content_type = Some(reader.str().map_err(wrong)?.to_owned()),
            SIGNING_SCHEME => found.scheme = Some(reader.str().map_err(wrong)?.to_owned()),
            SIGNING_TIME => {
                found.signing_time = Some(time(&mut reader).ok_or(HeaderFault::Type(name))?);
            }
            AUTHENTIC_SIGNING_TIME => {
                found.authentic_signing_time =
                    Some(time(&mut reader).ok_or(HeaderFault::Type(name))?);
            }
            EXPIRY => found.expiry = Some(time(&mut reader).ok_or(HeaderFault::Type(name))?),
            PLUGIN => found.plugin = Some(reader.str().map_err(wrong)?.to_owned()),
            PLUGIN_MIN_VERSION => {
                found.plugin_min_version = Some(reader.str().map_err(wrong)?.to_owned());
            }
            // RFC 9360 allows the chain here; notation does not read it.
            X5CHAIN => return Err(HeaderFault::Forbidden(name).into()),
            _ => reader.skip()?,
        }
    }
    if reader.position() != protected.len() {
        return Err(EnvelopeFault::Trailing);
    }
    found.names.clone_from(labels);
    Ok(found)
}

fn critical(reader: &mut Decoder<'_>) -> Result<Vec<String>, EnvelopeFault> {
    match reader.array()? {
        Some(count @ 1..=HEADERS) => (0..count).map(|_| label(reader)).collect(),
        Some(_) | None => Err(HeaderFault::Type(CRIT.to_owned()).into()),
    }
}

/// Tag 1 over whole seconds since 1970.
fn time(reader: &mut Decoder<'_>) -> Option<Timestamp> {
    let tag = reader.tag().ok()?;
    (tag.as_u64() == 1).then_some(())?;
    Timestamp::from_unix(reader.i64().ok()?)
}

type Unprotected = (Vec<Vec<u8>>, Option<String>, Option<Vec<u8>>);

fn unprotected(
    reader: &mut Decoder<'_>,
    labels: &mut Vec<String>,
) -> Result<Unprotected, EnvelopeFault> {
    let (mut chain, mut agent, mut token) = (None, None, None);
    for _ in 0..entries(reader)? {
        let name = new_label(reader, labels)?;
        let wrong = |_| HeaderFault::Type(name.clone());
        match name.as_str() {
            X5CHAIN => chain = Some(certificates(reader)?),
            SIGNING_AGENT => agent = Some(reader.str().map_err(wrong)?.to_owned()),
            TIMESTAMP => token = Some(reader.bytes().map_err(wrong)?.to_vec()),
            _ => reader.skip()?,
        }
    }
    Ok((chain.ok_or(HeaderFault::Missing("x5chain"))?, agent, token))
}

fn certificates(reader: &mut Decoder<'_>) -> Result<Vec<Vec<u8>>, EnvelopeFault> {
    let wrong = |_| HeaderFault::Type("x5chain".to_owned());
    let count = reader
        .array()
        .map_err(wrong)?
        .ok_or(HeaderFault::Type("x5chain".to_owned()))?;
    if count > u64::try_from(CHAIN_LIMIT).unwrap_or(u64::MAX) {
        return Err(EnvelopeFault::ChainLength(
            usize::try_from(count).unwrap_or(usize::MAX),
        ));
    }
    (0..count)
        .map(|_| Ok(reader.bytes().map_err(wrong)?.to_vec()))
        .collect()
}

/// The `Sig_structure` of RFC 9052 §4.4.
fn to_be_signed(protected: &[u8], payload: &[u8]) -> Vec<u8> {
    written(|out| {
        out.array(4)?
            .str("Signature1")?
            .bytes(protected)?
            .bytes(&[])?
            .bytes(payload)?;
        Ok(())
    })
}

type Writer = Encoder<Vec<u8>>;
type Written = Result<(), minicbor::encode::Error<std::convert::Infallible>>;

fn written(write: impl FnOnce(&mut Writer) -> Written) -> Vec<u8> {
    let mut out = Encoder::new(Vec::new());
    match write(&mut out) {
        // Memory takes every byte.
        Ok(()) | Err(_) => out.into_writer(),
    }
}

/// The protected headers and the payload, in deterministic CBOR: labels by length, then by bytes.
pub(super) fn signing_input(content: &Content) -> SigningInput {
    let protected = written(|out| {
        out.map(if content.expiry.is_some() { 6 } else { 5 })?;
        out.u8(1)?.i64(content.algorithm.number())?;
        out.u8(2)?
            .array(if content.expiry.is_some() { 2 } else { 1 })?
            .str(SIGNING_SCHEME)?;
        if content.expiry.is_some() {
            out.str(EXPIRY)?;
        }
        out.u8(3)?.str(PAYLOAD_TYPE)?;
        if let Some(expiry) = content.expiry {
            out.str(EXPIRY)?
                .tag(minicbor::data::Tag::new(1))?
                .i64(expiry.unix())?;
        }
        out.str(SIGNING_TIME)?
            .tag(minicbor::data::Tag::new(1))?
            .i64(content.signing_time.unix())?;
        out.str(SIGNING_SCHEME)?.str("notary.x509")?;
        Ok(())
    });
    let payload = content.payload.to_json(false);
    let message = to_be_signed(&protected, &payload);
    SigningInput {
        protected,
        payload,
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
    let body = written(|out| {
        out.bytes(&input.protected)?;
        out.map(if token.is_some() { 3 } else { 2 })?;
        out.u8(33)?
            .array(u64::try_from(chain.len()).unwrap_or_default())?;
        for certificate in chain {
            out.bytes(certificate.der())?;
        }
        out.str(SIGNING_AGENT)?.str(agent)?;
        if let Some(token) = token {
            out.str(TIMESTAMP)?.bytes(token)?;
        }
        out.bytes(&input.payload)?.bytes(signature)?;
        Ok(())
    });
    [SIGN1, &body].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_not_the_text_that_spells_it() {
        let text = written(|out| out.str("1").map(drop));
        let number = written(|out| out.u8(1).map(drop));
        let read = |bytes: &[u8]| label(&mut Decoder::new(bytes)).unwrap();
        assert_ne!(read(&text), read(&number));
    }
}
