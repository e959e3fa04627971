//! JWS and COSE envelopes around any header and payload.

use acr_sign::crypto::{Certificate, Scheme};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde_json::{Value, json};

use super::{cbor, key::Key};

pub const PAYLOAD_TYPE: &str = "application/vnd.cncf.notary.payload.v1+json";
pub const SCHEME: &str = "io.cncf.notary.signingScheme";
pub const TIME: &str = "io.cncf.notary.signingTime";
pub const AUTHENTIC: &str = "io.cncf.notary.authenticSigningTime";
pub const EXPIRY: &str = "io.cncf.notary.expiry";
pub const PLUGIN: &str = "io.cncf.notary.verificationPlugin";
pub const TOKEN: &str = "io.cncf.notary.timestampSignature";

/// A JWS envelope; the protected header is signed as given.
pub fn jws_of(
    protected: &str,
    payload: &[u8],
    chain: &[Certificate],
    key: &Key,
    scheme: Scheme,
) -> Value {
    let (protected, payload) = (
        URL_SAFE_NO_PAD.encode(protected),
        URL_SAFE_NO_PAD.encode(payload),
    );
    let signature = key.sign(scheme, format!("{protected}.{payload}").as_bytes());
    let chain: Vec<String> = chain
        .iter()
        .map(|certificate| STANDARD.encode(certificate.der()))
        .collect();
    json!({
        "payload": payload,
        "protected": protected,
        "header": {"x5c": chain, "io.cncf.notary.signingAgent": "maker"},
        "signature": URL_SAFE_NO_PAD.encode(signature),
    })
}

/// A good protected header for P-256.
pub fn header() -> Value {
    json!({"alg": "ES256", "crit": [SCHEME], "cty": PAYLOAD_TYPE, SCHEME: "notary.x509", TIME: "2026-06-01T00:00:00Z"})
}

type Entries = Vec<(Vec<u8>, Vec<u8>)>;

/// A good protected map for P-256.
pub fn cose_header() -> Entries {
    vec![
        (cbor::int(1), cbor::int(-7)),
        (cbor::int(2), cbor::array(&[cbor::text(SCHEME)])),
        (cbor::int(3), cbor::text(PAYLOAD_TYPE)),
        (cbor::text(TIME), cbor::epoch(1_780_272_000)),
        (cbor::text(SCHEME), cbor::text("notary.x509")),
    ]
}

/// The unprotected map with a chain.
pub fn cose_chain(chain: &[Certificate]) -> Entries {
    let chain: Vec<_> = chain
        .iter()
        .map(|certificate| cbor::bytes(certificate.der()))
        .collect();
    vec![(cbor::int(33), cbor::array(&chain))]
}

/// A COSE envelope; the protected bytes are signed as given.
pub fn cose_of(protected: &[u8], unprotected: &[u8], payload: &[u8], key: &Key) -> Vec<u8> {
    let items = [
        cbor::text("Signature1"),
        cbor::bytes(protected),
        cbor::bytes(b""),
        cbor::bytes(payload),
    ];
    let signature = key.sign(Scheme::EcdsaSha256, &cbor::array(&items));
    let items = [
        cbor::bytes(protected),
        unprotected.to_vec(),
        cbor::bytes(payload),
        cbor::bytes(&signature),
    ];
    [vec![0xd2], cbor::array(&items)].concat()
}
