//! Certificates with any name, time and extension.

use acr_sign::crypto::Certificate;

use super::{
    der::{bits, integer, octets, oid, seq, set, time, tlv},
    key::Key,
};

pub fn name(attributes: &[(&str, &str)]) -> Vec<u8> {
    let one = |(id, value): &(&str, &str)| set(&[seq(&[oid(id), tlv(0x0c, value.as_bytes())])]);
    seq(&attributes.iter().map(one).collect::<Vec<_>>())
}

/// C, ST, O and a common name.
pub fn named(common: &str) -> Vec<u8> {
    name(&[
        ("2.5.4.6", "NL"),
        ("2.5.4.8", "ZH"),
        ("2.5.4.10", "Harbour"),
        ("2.5.4.3", common),
    ])
}

pub fn ext(id: &str, critical: bool, value: &[u8]) -> Vec<u8> {
    let flag = if critical {
        vec![1, 1, 0xff]
    } else {
        Vec::new()
    };
    seq(&[oid(id), flag, octets(value)])
}

pub fn basic(critical: bool, ca: bool, path: Option<u8>) -> Vec<u8> {
    let ca = if ca { vec![1, 1, 0xff] } else { Vec::new() };
    ext(
        "2.5.29.19",
        critical,
        &seq(&[
            ca,
            path.map(|path| integer(path.into())).unwrap_or_default(),
        ]),
    )
}

/// Bits as RFC 5280 numbers them: 0 digitalSignature … 8 decipherOnly.
pub fn usage(critical: bool, numbers: &[u8]) -> Vec<u8> {
    let all = numbers
        .iter()
        .fold(0_u16, |all, number| all | 0x8000 >> number);
    let bytes = all.to_be_bytes();
    let length = if bytes[1] == 0 { 1 } else { 2 };
    let unused = bytes[length - 1].trailing_zeros() as u8;
    ext(
        "2.5.29.15",
        critical,
        &tlv(3, &[&[unused], &bytes[..length]].concat()),
    )
}

pub fn extended(critical: bool, usages: &[&str]) -> Vec<u8> {
    ext(
        "2.5.29.37",
        critical,
        &seq(&usages.iter().map(|usage| oid(usage)).collect::<Vec<_>>()),
    )
}

pub fn ocsp_at(urls: &[&str]) -> Vec<u8> {
    let one = |url: &&str| seq(&[oid("1.3.6.1.5.5.7.48.1"), tlv(0x86, url.as_bytes())]);
    ext(
        "1.3.6.1.5.5.7.1.1",
        false,
        &seq(&urls.iter().map(one).collect::<Vec<_>>()),
    )
}

/// A URI as a name.
pub fn uri(url: &str) -> Vec<u8> {
    tlv(0x86, url.as_bytes())
}

/// A distribution point with all these names, and with members behind them.
pub fn point_of(names: &[Vec<u8>], more: &[u8]) -> Vec<u8> {
    seq(&[tlv(0xa0, &tlv(0xa0, &names.concat())), more.to_vec()])
}

/// The extension of these distribution points.
pub fn crl_points(points: &[Vec<u8>]) -> Vec<u8> {
    ext("2.5.29.31", false, &seq(points))
}

/// The extension with these places of OCSP responders.
pub fn ocsp_places(places: &[Vec<u8>]) -> Vec<u8> {
    let one = |place: &Vec<u8>| seq(&[oid("1.3.6.1.5.5.7.48.1"), place.clone()]);
    ext(
        "1.3.6.1.5.5.7.1.1",
        false,
        &seq(&places.iter().map(one).collect::<Vec<_>>()),
    )
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
        Self::new(
            subject,
            issuer,
            vec![basic(true, true, None), usage(true, &[5, 6])],
        )
    }

    /// A leaf that may stamp.
    pub fn tsa(subject: &str, issuer: &str) -> Self {
        Self::new(
            subject,
            issuer,
            vec![usage(true, &[0]), extended(true, &["1.3.6.1.5.5.7.3.8"])],
        )
    }

    pub fn under(mut self, issuer: &str) -> Self {
        self.issuer = named(issuer);
        self
    }

    pub fn with(mut self, extension: Vec<u8>) -> Self {
        self.extensions.push(extension);
        self
    }

    pub fn der(&self, key: &Key, issuer: &Key) -> Vec<u8> {
        let algorithm = self
            .stated
            .clone()
            .unwrap_or_else(|| issuer.sign_x509(b"").0);
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
