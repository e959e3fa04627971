//! Keys, certificates, envelopes, tokens, lists and answers with any fault that a test wants: written byte by
//! byte, sharing no code with the program.

use std::fs;

use acr_sign::{
    crypto::{Certificate, PublicKey, Scheme},
    timestamp::Timestamp,
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use ring::{
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512, RsaKeyPair},
};
use serde_json::{Value, json};
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use signature::hazmat::PrehashSigner;

pub const PAYLOAD_TYPE: &str = "application/vnd.cncf.notary.payload.v1+json";
pub const SCHEME: &str = "io.cncf.notary.signingScheme";
pub const TIME: &str = "io.cncf.notary.signingTime";
pub const AUTHENTIC: &str = "io.cncf.notary.authenticSigningTime";
pub const EXPIRY: &str = "io.cncf.notary.expiry";
pub const PLUGIN: &str = "io.cncf.notary.verificationPlugin";
pub const TOKEN: &str = "io.cncf.notary.timestampSignature";

/// A private key.
pub enum Key {
    P256(p256::ecdsa::SigningKey),
    P384(p384::ecdsa::SigningKey),
    P521(p521::ecdsa::SigningKey),
    Rsa(RsaKeyPair, Vec<u8>),
}

/// The same P-256 key for the same number.
pub fn p256(number: u8) -> Key {
    Key::P256(p256::ecdsa::SigningKey::from_slice(&[number; 32]).unwrap())
}

pub fn p384() -> Key {
    Key::P384(p384::ecdsa::SigningKey::from_slice(&[7; 48]).unwrap())
}

pub fn p521() -> Key {
    let mut scalar = [7; 66];
    scalar[0] = 0;
    Key::P521(p521::ecdsa::SigningKey::from_slice(&scalar).unwrap())
}

pub fn rsa(bits: u32) -> Key {
    let path = format!("{}/tests/fixtures/keys/rsa{bits}.pem", env!("CARGO_MANIFEST_DIR"));
    let key = pem::parse(fs::read(path).unwrap()).unwrap();
    let pair = RsaKeyPair::from_pkcs8(key.contents()).unwrap();
    let public = pair.public().as_ref().to_vec();
    Key::Rsa(pair, public)
}

impl Key {
    pub fn spki(&self) -> Vec<u8> {
        let ec = |curve: &str, point: &[u8]| seq(&[seq(&[oid("1.2.840.10045.2.1"), oid(curve)]), bits(point)]);
        match self {
            Self::P256(key) => ec("1.2.840.10045.3.1.7", key.verifying_key().to_sec1_point(false).as_bytes()),
            Self::P384(key) => ec("1.3.132.0.34", key.verifying_key().to_sec1_point(false).as_bytes()),
            Self::P521(key) => {
                let public = p521::ecdsa::VerifyingKey::from(key);
                ec("1.3.132.0.35", public.to_sec1_point(false).as_bytes())
            }
            Self::Rsa(_, public) => seq(&[seq(&[oid("1.2.840.113549.1.1.1"), vec![5, 0]]), bits(public)]),
        }
    }

    pub fn public(&self) -> PublicKey {
        PublicKey::from_spki_der(&self.spki()).unwrap()
    }

    /// A signature as envelopes have it.
    pub fn sign(&self, scheme: Scheme, message: &[u8]) -> Vec<u8> {
        let hash = scheme.digest(message).unwrap();
        let rsa = |pair: &RsaKeyPair, padding: &'static dyn ring::signature::RsaEncoding| {
            let mut signature = vec![0; pair.public().modulus_len()];
            pair.sign(padding, &SystemRandom::new(), message, &mut signature).unwrap();
            signature
        };
        match self {
            Self::P256(key) => PrehashSigner::<p256::ecdsa::Signature>::sign_prehash(key, &hash).unwrap().to_vec(),
            Self::P384(key) => PrehashSigner::<p384::ecdsa::Signature>::sign_prehash(key, &hash).unwrap().to_vec(),
            Self::P521(key) => PrehashSigner::<p521::ecdsa::Signature>::sign_prehash(key, &hash).unwrap().to_vec(),
            Self::Rsa(pair, _) => match scheme {
                Scheme::RsaPssSha256 => rsa(pair, &RSA_PSS_SHA256),
                Scheme::RsaPssSha384 => rsa(pair, &RSA_PSS_SHA384),
                Scheme::RsaPssSha512 => rsa(pair, &RSA_PSS_SHA512),
                _ => rsa(pair, &RSA_PKCS1_SHA256),
            },
        }
    }

    /// The algorithm with which it signs certificates and the like, and the signature.
    fn sign_x509(&self, message: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let ecdsa = |scheme, arc: &str| {
            let raw = self.sign(scheme, message);
            (seq(&[oid(arc)]), acr_sign::crypto::ecdsa_to_der(&raw).unwrap())
        };
        match self {
            Self::P256(_) => ecdsa(Scheme::EcdsaSha256, "1.2.840.10045.4.3.2"),
            Self::P384(_) => ecdsa(Scheme::EcdsaSha384, "1.2.840.10045.4.3.3"),
            Self::P521(_) => ecdsa(Scheme::EcdsaSha512, "1.2.840.10045.4.3.4"),
            Self::Rsa(..) => {
                (seq(&[oid("1.2.840.113549.1.1.11"), vec![5, 0]]), self.sign(Scheme::RsaPkcs1Sha256, message))
            }
        }
    }
}

pub fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut out = vec![tag];
    match length {
        0..0x80 => out.push(length as u8),
        0x80..0x100 => out.extend([0x81, length as u8]),
        _ => out.extend([0x82, (length >> 8) as u8, length as u8]),
    }
    out.extend_from_slice(content);
    out
}

pub fn seq(items: &[Vec<u8>]) -> Vec<u8> {
    tlv(0x30, &items.concat())
}

pub fn set(items: &[Vec<u8>]) -> Vec<u8> {
    tlv(0x31, &items.concat())
}

pub fn bits(content: &[u8]) -> Vec<u8> {
    tlv(3, &[&[0], content].concat())
}

pub fn octets(content: &[u8]) -> Vec<u8> {
    tlv(4, content)
}

pub fn oid(text: &str) -> Vec<u8> {
    tlv(6, spki::ObjectIdentifier::new_unwrap(text).as_bytes())
}

pub fn integer(number: u64) -> Vec<u8> {
    let bytes = number.to_be_bytes();
    let start = bytes.iter().position(|byte| *byte != 0).unwrap_or(7);
    let digits = &bytes[start..];
    if digits[0] < 0x80 { tlv(2, digits) } else { tlv(2, &[&[0], digits].concat()) }
}

fn stamp(at: &str) -> String {
    at.parse::<Timestamp>().unwrap().to_string().replace(['-', ':', 'T'], "")
}

/// `UTCTime` until 2049, then `GeneralizedTime`.
pub fn time(at: &str) -> Vec<u8> {
    let text = stamp(at);
    if text.as_str() < "2050" { tlv(0x17, &text.as_bytes()[2..]) } else { tlv(0x18, text.as_bytes()) }
}

pub fn generalized(at: &str) -> Vec<u8> {
    tlv(0x18, stamp(at).as_bytes())
}

pub fn name(attributes: &[(&str, &str)]) -> Vec<u8> {
    let one = |(id, value): &(&str, &str)| set(&[seq(&[oid(id), tlv(0x0c, value.as_bytes())])]);
    seq(&attributes.iter().map(one).collect::<Vec<_>>())
}

/// C, ST, O and a common name.
pub fn named(common: &str) -> Vec<u8> {
    name(&[("2.5.4.6", "NL"), ("2.5.4.8", "ZH"), ("2.5.4.10", "Harbour"), ("2.5.4.3", common)])
}

pub fn ext(id: &str, critical: bool, value: &[u8]) -> Vec<u8> {
    let flag = if critical { vec![1, 1, 0xff] } else { Vec::new() };
    seq(&[oid(id), flag, octets(value)])
}

pub fn basic(critical: bool, ca: bool, path: Option<u8>) -> Vec<u8> {
    let ca = if ca { vec![1, 1, 0xff] } else { Vec::new() };
    ext("2.5.29.19", critical, &seq(&[ca, path.map(|path| integer(path.into())).unwrap_or_default()]))
}

/// Bits as RFC 5280 numbers them: 0 digitalSignature … 8 decipherOnly.
pub fn usage(critical: bool, numbers: &[u8]) -> Vec<u8> {
    let all = numbers.iter().fold(0_u16, |all, number| all | 0x8000 >> number);
    let bytes = all.to_be_bytes();
    let length = if bytes[1] == 0 { 1 } else { 2 };
    let unused = bytes[length - 1].trailing_zeros() as u8;
    ext("2.5.29.15", critical, &tlv(3, &[&[unused], &bytes[..length]].concat()))
}

pub fn extended(critical: bool, usages: &[&str]) -> Vec<u8> {
    ext("2.5.29.37", critical, &seq(&usages.iter().map(|usage| oid(usage)).collect::<Vec<_>>()))
}

pub fn ocsp_at(urls: &[&str]) -> Vec<u8> {
    let one = |url: &&str| seq(&[oid("1.3.6.1.5.5.7.48.1"), tlv(0x86, url.as_bytes())]);
    ext("1.3.6.1.5.5.7.1.1", false, &seq(&urls.iter().map(one).collect::<Vec<_>>()))
}

fn points(urls: &[&str]) -> Vec<u8> {
    let one = |url: &&str| seq(&[tlv(0xa0, &tlv(0xa0, &tlv(0x86, url.as_bytes())))]);
    seq(&urls.iter().map(one).collect::<Vec<_>>())
}

pub fn crl_at(urls: &[&str]) -> Vec<u8> {
    ext("2.5.29.31", false, &points(urls))
}

pub fn freshest(urls: &[&str]) -> Vec<u8> {
    ext("2.5.29.46", false, &points(urls))
}

/// What a certificate says.
#[derive(Clone)]
pub struct Spec {
    pub subject: Vec<u8>,
    pub issuer: Vec<u8>,
    pub serial: u64,
    pub from: &'static str,
    pub until: &'static str,
    pub extensions: Vec<Vec<u8>>,
    /// Another algorithm inside than outside.
    pub inner: Option<Vec<u8>>,
    /// Another algorithm, inside and outside, than the signature has.
    pub stated: Option<Vec<u8>>,
}

impl Spec {
    pub fn new(subject: &str, issuer: &str, extensions: Vec<Vec<u8>>) -> Self {
        Self {
            subject: named(subject),
            issuer: named(issuer),
            serial: 0x1234,
            from: "2026-01-01T00:00:00Z",
            until: "2027-01-01T00:00:00Z",
            extensions,
            inner: None,
            stated: None,
        }
    }

    /// A leaf that may sign.
    pub fn leaf(subject: &str, issuer: &str) -> Self {
        Self::new(subject, issuer, vec![usage(true, &[0])])
    }

    pub fn ca(subject: &str, issuer: &str) -> Self {
        Self::new(subject, issuer, vec![basic(true, true, None), usage(true, &[5, 6])])
    }

    /// A leaf that may stamp.
    pub fn tsa(subject: &str, issuer: &str) -> Self {
        Self::new(subject, issuer, vec![usage(true, &[0]), extended(true, &["1.3.6.1.5.5.7.3.8"])])
    }

    pub fn with(mut self, extension: Vec<u8>) -> Self {
        self.extensions.push(extension);
        self
    }

    pub fn der(&self, key: &Key, issuer: &Key) -> Vec<u8> {
        let algorithm = self.stated.clone().unwrap_or_else(|| issuer.sign_x509(b"").0);
        let body = seq(&[
            tlv(0xa0, &integer(2)),
            integer(self.serial),
            self.inner.clone().unwrap_or_else(|| algorithm.clone()),
            self.issuer.clone(),
            seq(&[time(self.from), time(self.until)]),
            self.subject.clone(),
            key.spki(),
            tlv(0xa3, &seq(&self.extensions)),
        ]);
        let signature = issuer.sign_x509(&body).1;
        seq(&[body, algorithm, bits(&signature)])
    }

    pub fn issue(&self, key: &Key, issuer: &Key) -> Certificate {
        Certificate::from_der(&self.der(key, issuer)).unwrap()
    }
}

/// A JWS envelope; the protected header is signed as given.
pub fn jws_of(protected: &str, payload: &[u8], chain: &[Certificate], key: &Key, scheme: Scheme) -> Value {
    let (protected, payload) = (URL_SAFE_NO_PAD.encode(protected), URL_SAFE_NO_PAD.encode(payload));
    let signature = key.sign(scheme, format!("{protected}.{payload}").as_bytes());
    let chain: Vec<String> = chain.iter().map(|certificate| STANDARD.encode(certificate.der())).collect();
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

/// CBOR, item by item.
pub mod cbor {
    pub fn head(major: u8, number: u64) -> Vec<u8> {
        let major = major << 5;
        match number {
            0..24 => vec![major | number as u8],
            24..0x100 => vec![major | 24, number as u8],
            0x100..0x1_0000 => [&[major | 25][..], &(number as u16).to_be_bytes()].concat(),
            _ => [&[major | 26][..], &(number as u32).to_be_bytes()].concat(),
        }
    }

    pub fn int(number: i64) -> Vec<u8> {
        if number < 0 { head(1, (-1 - number) as u64) } else { head(0, number as u64) }
    }

    pub fn bytes(content: &[u8]) -> Vec<u8> {
        [head(2, content.len() as u64), content.to_vec()].concat()
    }

    pub fn text(content: &str) -> Vec<u8> {
        [head(3, content.len() as u64), content.as_bytes().to_vec()].concat()
    }

    pub fn array(items: &[Vec<u8>]) -> Vec<u8> {
        [head(4, items.len() as u64), items.concat()].concat()
    }

    pub fn map(entries: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
        let items = entries.iter().map(|(label, value)| [label.clone(), value.clone()].concat());
        [head(5, entries.len() as u64), items.collect::<Vec<_>>().concat()].concat()
    }

    pub fn epoch(seconds: i64) -> Vec<u8> {
        [vec![0xc1], int(seconds)].concat()
    }
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
    let chain: Vec<_> = chain.iter().map(|certificate| cbor::bytes(certificate.der())).collect();
    vec![(cbor::int(33), cbor::array(&chain))]
}

/// A COSE envelope; the protected bytes are signed as given.
pub fn cose_of(protected: &[u8], unprotected: &[u8], payload: &[u8], key: &Key) -> Vec<u8> {
    let items = [cbor::text("Signature1"), cbor::bytes(protected), cbor::bytes(b""), cbor::bytes(payload)];
    let signature = key.sign(Scheme::EcdsaSha256, &cbor::array(&items));
    let items = [cbor::bytes(protected), unprotected.to_vec(), cbor::bytes(payload), cbor::bytes(&signature)];
    [vec![0xd2], cbor::array(&items)].concat()
}

/// What a timestamp token says.
#[derive(Clone)]
pub struct Token {
    pub message: Vec<u8>,
    pub at: &'static str,
    pub version: u64,
    pub policy: &'static str,
    pub hash: &'static str,
    /// Bytes after the time: accuracy, nonce, extensions.
    pub after: Vec<Vec<u8>>,
    pub content_type: &'static str,
    /// Attributes beside the three that must be there.
    pub attributes: Vec<Vec<u8>>,
    pub names_certificate: bool,
    pub certificate_hash: Option<Vec<u8>>,
    pub damaged_digest: bool,
    pub certificates: Vec<Vec<u8>>,
}

impl Token {
    pub fn over(message: &[u8], certificates: &[&Certificate]) -> Self {
        Self {
            message: message.to_vec(),
            at: "2026-06-01T00:00:10Z",
            version: 1,
            policy: "1.2.3",
            hash: "2.16.840.1.101.3.4.2.1",
            after: Vec::new(),
            content_type: "1.2.840.113549.1.9.16.1.4",
            attributes: Vec::new(),
            names_certificate: true,
            certificate_hash: None,
            damaged_digest: false,
            certificates: certificates.iter().map(|certificate| certificate.der().to_vec()).collect(),
        }
    }

    /// Signed by `key`, the key of the first certificate.
    pub fn sign(&self, key: &Key) -> Vec<u8> {
        let sha256 = || seq(&[oid("2.16.840.1.101.3.4.2.1")]);
        let digest = match self.hash {
            "2.16.840.1.101.3.4.2.2" => Sha384::digest(&self.message).to_vec(),
            "2.16.840.1.101.3.4.2.3" => Sha512::digest(&self.message).to_vec(),
            "1.3.14.3.2.26" => Sha1::digest(&self.message).to_vec(),
            _ => Sha256::digest(&self.message).to_vec(),
        };
        let imprint = seq(&[seq(&[oid(self.hash), vec![5, 0]]), octets(&digest)]);
        let info = seq(&[
            integer(self.version),
            oid(self.policy),
            imprint,
            integer(99),
            generalized(self.at),
            self.after.concat(),
        ]);
        let mut content_digest = Sha256::digest(&info).to_vec();
        if self.damaged_digest {
            content_digest[0] ^= 1;
        }
        let attribute = |id: &str, value: Vec<u8>| seq(&[oid(id), set(&[value])]);
        let mut attributes = vec![
            attribute("1.2.840.113549.1.9.3", oid(self.content_type)),
            attribute("1.2.840.113549.1.9.4", octets(&content_digest)),
        ];
        if self.names_certificate {
            let own = self.certificates.first().map(|der| Sha256::digest(der).to_vec()).unwrap_or_default();
            let hash = self.certificate_hash.clone().unwrap_or(own);
            let id = seq(&[seq(&[seq(&[octets(&hash)])])]);
            attributes.push(attribute("1.2.840.113549.1.9.16.2.47", id));
        }
        attributes.extend(self.attributes.iter().cloned());
        let attributes = attributes.concat();
        let (algorithm, signature) = key.sign_x509(&tlv(0x31, &attributes));
        let (issuer, serial) = match self.certificates.first().map(|der| Certificate::from_der(der).unwrap()) {
            Some(certificate) => (certificate.issuer_der(), tlv(2, certificate.serial_number())),
            None => (named("nobody"), integer(1)),
        };
        let signer =
            seq(&[integer(1), seq(&[issuer, serial]), sha256(), tlv(0xa0, &attributes), algorithm, octets(&signature)]);
        let signed = seq(&[
            integer(3),
            set(&[sha256()]),
            seq(&[oid("1.2.840.113549.1.9.16.1.4"), tlv(0xa0, &octets(&info))]),
            tlv(0xa0, &self.certificates.concat()),
            set(&[signer]),
        ]);
        seq(&[oid("1.2.840.113549.1.7.2"), tlv(0xa0, &signed)])
    }
}

/// A certificate revocation list.
#[derive(Clone)]
pub struct List {
    pub issuer: Vec<u8>,
    pub from: &'static str,
    pub next: Option<&'static str>,
    /// Serial number, date, extensions.
    pub entries: Vec<(u64, &'static str, Vec<Vec<u8>>)>,
    pub extensions: Vec<Vec<u8>>,
}

impl List {
    pub fn of(issuer: &Certificate) -> Self {
        Self {
            issuer: issuer.subject_der(),
            from: "2026-06-01T00:00:00Z",
            next: Some("2026-12-01T00:00:00Z"),
            entries: Vec::new(),
            extensions: vec![ext("2.5.29.20", false, &integer(5))],
        }
    }

    pub fn listing(mut self, serial: u64, at: &'static str, extensions: Vec<Vec<u8>>) -> Self {
        self.entries.push((serial, at, extensions));
        self
    }

    pub fn with(mut self, extension: Vec<u8>) -> Self {
        self.extensions.push(extension);
        self
    }

    pub fn sign(&self, key: &Key) -> Vec<u8> {
        let entries: Vec<_> = self
            .entries
            .iter()
            .map(|(serial, at, extensions)| {
                let extensions = if extensions.is_empty() { Vec::new() } else { seq(extensions) };
                seq(&[integer(*serial), time(at), extensions])
            })
            .collect();
        let body = seq(&[
            integer(1),
            key.sign_x509(b"").0,
            self.issuer.clone(),
            time(self.from),
            self.next.map(time).unwrap_or_default(),
            if entries.is_empty() { Vec::new() } else { seq(&entries) },
            if self.extensions.is_empty() { Vec::new() } else { tlv(0xa0, &seq(&self.extensions)) },
        ]);
        let (algorithm, signature) = key.sign_x509(&body);
        seq(&[body, algorithm, bits(&signature)])
    }
}

/// The reason extension of a list's entry.
pub fn reason(code: u8) -> Vec<u8> {
    ext("2.5.29.21", false, &tlv(10, &[code]))
}

pub fn invalid_since(at: &str) -> Vec<u8> {
    ext("2.5.29.24", false, &generalized(at))
}

/// An OCSP answer.
#[derive(Clone)]
pub struct Answer {
    pub status: u8,
    pub responder: Vec<u8>,
    pub serial: u64,
    /// `[0]` good, `[1]` revoked, `[2]` unknown.
    pub verdict: Vec<u8>,
    pub from: &'static str,
    pub next: Option<&'static str>,
    pub single_extensions: Vec<Vec<u8>>,
    pub extensions: Vec<Vec<u8>>,
    pub certificates: Vec<Vec<u8>>,
}

pub fn good() -> Vec<u8> {
    vec![0x80, 0]
}

pub fn revoked(at: &str) -> Vec<u8> {
    tlv(0xa1, &[generalized(at), tlv(0xa0, &tlv(10, &[1]))].concat())
}

impl Answer {
    /// By the issuer, named by its subject.
    pub fn by(responder: &Certificate, verdict: Vec<u8>) -> Self {
        Self {
            status: 0,
            responder: tlv(0xa1, &responder.subject_der()),
            serial: 0x1234,
            verdict,
            from: "2026-06-01T00:00:00Z",
            next: Some("2026-12-01T00:00:00Z"),
            single_extensions: Vec::new(),
            extensions: Vec::new(),
            certificates: Vec::new(),
        }
    }

    /// About a certificate of `issuer`, signed by `key`.
    pub fn sign(&self, issuer: &Certificate, key: &Key) -> Vec<u8> {
        let id = seq(&[
            seq(&[oid("1.3.14.3.2.26"), vec![5, 0]]),
            octets(&Sha1::digest(issuer.subject_der())),
            octets(&Sha1::digest(issuer.public_key_bits())),
            integer(self.serial),
        ]);
        let list = |extensions: &[Vec<u8>]| {
            if extensions.is_empty() { Vec::new() } else { tlv(0xa1, &seq(extensions)) }
        };
        let single = seq(&[
            id,
            self.verdict.clone(),
            generalized(self.from),
            self.next.map(|next| tlv(0xa0, &generalized(next))).unwrap_or_default(),
            list(&self.single_extensions),
        ]);
        let body = seq(&[self.responder.clone(), generalized(self.from), seq(&[single]), list(&self.extensions)]);
        let (algorithm, signature) = key.sign_x509(&body);
        let certificates = if self.certificates.is_empty() { Vec::new() } else { tlv(0xa0, &seq(&self.certificates)) };
        let basic = seq(&[body, algorithm, bits(&signature), certificates]);
        let inner = seq(&[oid("1.3.6.1.5.5.7.48.1.1"), octets(&basic)]);
        if self.status != 0 {
            return seq(&[tlv(10, &[self.status])]);
        }
        seq(&[tlv(10, &[0]), tlv(0xa0, &inner)])
    }
}
