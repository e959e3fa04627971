//! X.509 certificates, as far as the formats look into them. Builds no chains to system roots; each
//! format has its own rules.

use std::fmt;

use der::{Decode as _, Encode as _};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use spki::ObjectIdentifier;
use x509_cert::{
    certificate::{CertificateInner, Raw},
    ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage},
};

use super::{PublicKey, signature_algorithm};
use crate::timestamp::Timestamp;

const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
const SHA1_WITH_RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.5");
const ECDSA_WITH_SHA1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.1");

/// Certificates that one PEM file may hold: a chain, as long as one may be.
const CHAIN_LIMIT: usize = 10;

/// A parsed certificate and the bytes it came from.
#[derive(Clone, Eq, PartialEq)]
pub struct Certificate {
    der: Box<[u8]>,
    pub(super) parsed: CertificateInner<Raw>,
    key: PublicKey,
}

/// The bytes are not a certificate that this program reads.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum InvalidCertificate {
    /// Not the DER of a certificate.
    #[error("not a certificate in PEM or DER")]
    Der,
    /// Not PEM, or PEM of something else.
    #[error("not PEM with certificates only")]
    Pem,
    /// No certificate, or too many.
    #[error("{0} certificates instead of 1 to {CHAIN_LIMIT}")]
    Count(usize),
    /// The public key is of no accepted kind.
    #[error("a certificate whose key is not accepted")]
    Key(#[from] super::InvalidKey),
}

impl Certificate {
    /// From DER.
    pub fn from_der(der: &[u8]) -> Result<Self, InvalidCertificate> {
        let parsed = CertificateInner::<Raw>::from_der(der).map_err(|_| InvalidCertificate::Der)?;
        let spki = parsed
            .tbs_certificate()
            .subject_public_key_info()
            .to_der()
            .map_err(|_| InvalidCertificate::Der)?;
        Ok(Self {
            der: der.into(),
            key: PublicKey::from_spki_der(&spki)?,
            parsed,
        })
    }

    /// From a file: PEM, or one certificate in DER, as portals offer for download.
    pub fn chain_from_file(bytes: &[u8]) -> Result<Vec<Self>, InvalidCertificate> {
        match std::str::from_utf8(bytes) {
            Ok(text) if text.contains("-----BEGIN ") => Self::chain_from_pem(text),
            _ => Ok(vec![Self::from_der(bytes)?]),
        }
    }

    /// From PEM text that holds certificates and nothing else, in the order given.
    pub fn chain_from_pem(text: &str) -> Result<Vec<Self>, InvalidCertificate> {
        let blocks = pem::parse_many(text).map_err(|_| InvalidCertificate::Pem)?;
        if blocks.iter().any(|block| block.tag() != "CERTIFICATE") {
            return Err(InvalidCertificate::Pem);
        }
        if blocks.is_empty() || blocks.len() > CHAIN_LIMIT {
            return Err(InvalidCertificate::Count(blocks.len()));
        }
        blocks
            .iter()
            .map(|block| Self::from_der(block.contents()))
            .collect()
    }

    /// The certificates that lie one after the other in `bytes`, each in DER; `None` for anything
    /// else.
    pub fn split_der(bytes: &[u8]) -> Option<Vec<&[u8]>> {
        use der::{Reader as _, SliceReader};
        let mut reader = SliceReader::new(bytes).ok()?;
        let mut found = Vec::new();
        while !reader.is_finished() {
            found.push(reader.tlv_bytes().ok()?);
        }
        Some(found)
    }

    /// The bytes.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// PEM with 64 columns and `\n`, as notary writes it.
    pub fn pem(&self) -> String {
        let config = pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF);
        pem::encode_config(&pem::Pem::new("CERTIFICATE", self.der.to_vec()), config)
    }

    /// The subject's key.
    pub fn public_key(&self) -> &PublicKey {
        &self.key
    }

    /// The subject's common name; longer than the 64 characters of X.520 is read all the same,
    /// since notary writes repository names there.
    pub fn common_name(&self) -> Option<String> {
        let names = self
            .parsed
            .tbs_certificate()
            .subject()
            .iter_rdn()
            .flat_map(x509_cert::name::RelativeDistinguishedName::iter);
        let value = names
            .filter(|attribute| attribute.oid == COMMON_NAME)
            .last()?;
        String::from_utf8(value.value.value().to_vec()).ok()
    }

    /// The subject in RFC 4514 form.
    pub fn subject(&self) -> String {
        self.parsed.tbs_certificate().subject().to_string()
    }

    /// The issuer in RFC 4514 form.
    pub fn issuer(&self) -> String {
        self.parsed.tbs_certificate().issuer().to_string()
    }

    /// The first moment it is valid at.
    pub fn not_before(&self) -> Timestamp {
        timestamp(self.parsed.tbs_certificate().validity().not_before)
    }

    /// The last moment it is valid at.
    pub fn not_after(&self) -> Timestamp {
        timestamp(self.parsed.tbs_certificate().validity().not_after)
    }

    /// Whether basic constraints say that it is a CA.
    pub fn is_ca(&self) -> bool {
        self.basic_constraints()
            .is_some_and(|constraints| constraints.ca)
    }

    /// How many CAs may follow below this one.
    pub fn path_length(&self) -> Option<u8> {
        self.basic_constraints()?.path_len_constraint
    }

    fn basic_constraints(&self) -> Option<BasicConstraints> {
        self.parsed
            .tbs_certificate()
            .get_extension::<BasicConstraints>()
            .ok()?
            .map(|(_, constraints)| constraints)
    }

    /// The key usage extension.
    pub fn key_usage(&self) -> Option<KeyUsage> {
        self.parsed
            .tbs_certificate()
            .get_extension::<KeyUsage>()
            .ok()?
            .map(|(_, usage)| usage)
    }

    /// The extended key usages, if the extension is there.
    pub fn extended_key_usages(&self) -> Option<Vec<ObjectIdentifier>> {
        self.parsed
            .tbs_certificate()
            .get_extension::<ExtendedKeyUsage>()
            .ok()?
            .map(|(_, usages)| usages.0)
    }

    /// Whether it was signed over a SHA-1 hash.
    pub fn signed_with_sha1(&self) -> bool {
        matches!(
            self.parsed.signature_algorithm().oid,
            SHA1_WITH_RSA | ECDSA_WITH_SHA1
        )
    }

    /// Whether a critical extension is there that is not one of the four checked here, or name
    /// constraints in any form, which limit a CA and are not checked (D02).
    pub fn has_unknown_critical_extension(&self) -> bool {
        const NAME_CONSTRAINTS: &str = "2.5.29.30";
        const KNOWN: [&str; 4] = ["2.5.29.15", "2.5.29.17", "2.5.29.19", "2.5.29.37"];
        let extensions = self.parsed.tbs_certificate().extensions();
        extensions.is_some_and(|all| {
            all.iter().any(|extension| {
                let id = extension.extn_id.to_string();
                id == NAME_CONSTRAINTS || (extension.critical && !KNOWN.contains(&id.as_str()))
            })
        })
    }

    /// SHA-1 of the certificate as upper-case hex, as Azure shows it.
    pub fn thumbprint_sha1(&self) -> String {
        Sha1::digest(&self.der)
            .iter()
            .map(|byte| format!("{byte:02X}"))
            .collect()
    }

    /// SHA-256 of the certificate.
    pub fn thumbprint(&self) -> [u8; 32] {
        Sha256::digest(&self.der).into()
    }

    /// SHA-256 of the certificate as lower-case hex.
    pub fn thumbprint_sha256(&self) -> String {
        self.thumbprint()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }

    /// Whether `issuer` signed this certificate: the names match and the signature verifies.
    pub fn is_issued_by(&self, issuer: &Self) -> bool {
        let (mine, theirs) = (
            self.parsed.tbs_certificate(),
            issuer.parsed.tbs_certificate(),
        );
        if mine.issuer() != theirs.subject() {
            return false;
        }
        let scheme = signature_algorithm::scheme(self.parsed.signature_algorithm(), None);
        let (Some(scheme), Ok(message), Some(signature)) = (
            scheme,
            self.signed_bytes(),
            self.parsed.signature().as_bytes(),
        ) else {
            return false;
        };
        signature_algorithm::is_signed_by(&issuer.key, scheme, message, signature)
    }

    /// Whether it was signed by its own key and names itself as issuer.
    pub fn is_self_signed(&self) -> bool {
        self.is_issued_by(self)
    }

    /// The very bytes of the `TBSCertificate` that the signature is over.
    fn signed_bytes(&self) -> der::Result<&[u8]> {
        use der::{Header, Reader as _, SliceReader};
        let mut reader = SliceReader::new(&self.der)?;
        Header::decode(&mut reader)?;
        reader.tlv_bytes()
    }
}

fn timestamp(time: x509_cert::time::Time) -> Timestamp {
    let seconds = i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX);
    Timestamp::from_unix(seconds).unwrap_or(Timestamp::LATEST)
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Certificate({}, {})",
            self.subject(),
            self.thumbprint_sha256()
        )
    }
}
