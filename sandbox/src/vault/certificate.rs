//! Certificates of a vault: self-signed, made with the vault's own key.

use std::time::Duration;

use der::{Decode as _, Encode as _, asn1::BitString};
use x509_cert::{
    TbsCertificate, Version,
    ext::{
        Extension, ToExtension as _,
        pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages},
    },
    name::Name,
    serial_number::SerialNumber,
    spki::SubjectPublicKeyInfoOwned,
    time::Validity,
};

use super::key::PrivateKey;

/// A self-signed code-signing certificate as Key Vault makes them, DER.
pub(crate) fn self_signed(key: &PrivateKey, subject: &str, days: u64) -> Option<Vec<u8>> {
    build(key, subject, days).ok()
}

fn build(key: &PrivateKey, subject: &str, days: u64) -> der::Result<Vec<u8>> {
    let name: Name = subject.parse()?;
    let (algorithm, _) = key.sign_certificate(b"");
    let constraints = BasicConstraints {
        ca: false,
        path_len_constraint: None,
    };
    let usage = KeyUsage(KeyUsages::DigitalSignature.into());
    let code_signing = ExtendedKeyUsage(vec![der::oid::ObjectIdentifier::new_unwrap(
        "1.3.6.1.5.5.7.3.3",
    )]);
    let extensions: Vec<Extension> = vec![
        constraints.to_extension(&name, &[])?,
        usage.to_extension(&name, &[])?,
        code_signing.to_extension(&name, &[])?,
    ];
    let mut serial = [0; 16];
    let _ = getrandom::fill(&mut serial);
    serial[0] = serial[0] & 0x7f | 1;
    let fields = Fields {
        version: Version::V3,
        serial_number: SerialNumber::new(&serial)?,
        signature: algorithm.clone(),
        issuer: name.clone(),
        validity: Validity::from_now(Duration::from_secs(days * 86_400))?,
        subject: name,
        subject_public_key_info: SubjectPublicKeyInfoOwned::from_der(&key.spki())?,
        extensions: Some(extensions),
    };
    let tbs = fields.to_der()?;
    let (_, signature) = key.sign_certificate(&tbs);
    let whole = Whole {
        tbs: der::asn1::AnyRef::from_der(&tbs)?,
        algorithm,
        signature: BitString::from_bytes(&signature)?,
    };
    let der = whole.to_der()?;
    // What does not read back was never a certificate.
    let _: TbsCertificate = TbsCertificate::from_der(&tbs)?;
    Ok(der)
}

#[derive(der::Sequence)]
struct Fields {
    #[asn1(context_specific = "0", default = "Default::default")]
    version: Version,
    serial_number: SerialNumber,
    signature: spki::AlgorithmIdentifierOwned,
    issuer: Name,
    validity: Validity,
    subject: Name,
    subject_public_key_info: SubjectPublicKeyInfoOwned,
    #[asn1(context_specific = "3", tag_mode = "EXPLICIT", optional = "true")]
    extensions: Option<Vec<Extension>>,
}

#[derive(der::Sequence)]
struct Whole<'a> {
    tbs: der::asn1::AnyRef<'a>,
    algorithm: spki::AlgorithmIdentifierOwned,
    signature: BitString,
}
