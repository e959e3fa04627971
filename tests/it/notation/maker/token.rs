//! Timestamp tokens (RFC 3161).

use acr_sign::crypto::Certificate;
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha384, Sha512};

use super::{
    certificate::named,
    der::{generalized, integer, octets, oid, seq, set, tlv},
    key::Key,
};

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
            certificates: certificates
                .iter()
                .map(|certificate| certificate.der().to_vec())
                .collect(),
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
            let own = self
                .certificates
                .first()
                .map(|der| Sha256::digest(der).to_vec())
                .unwrap_or_default();
            let hash = self.certificate_hash.clone().unwrap_or(own);
            let id = seq(&[seq(&[seq(&[octets(&hash)])])]);
            attributes.push(attribute("1.2.840.113549.1.9.16.2.47", id));
        }
        attributes.extend(self.attributes.iter().cloned());
        let attributes = attributes.concat();
        let (algorithm, signature) = key.sign_x509(&tlv(0x31, &attributes));
        let (issuer, serial) = match self
            .certificates
            .first()
            .map(|der| Certificate::from_der(der).unwrap())
        {
            Some(certificate) => (
                certificate.issuer_der(),
                tlv(2, certificate.serial_number()),
            ),
            None => (named("nobody"), integer(1)),
        };
        let signer = seq(&[
            integer(1),
            seq(&[issuer, serial]),
            sha256(),
            tlv(0xa0, &attributes),
            algorithm,
            octets(&signature),
        ]);
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
