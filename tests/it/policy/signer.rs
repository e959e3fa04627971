//! A signer under a CA of its own, and the list in which that CA revokes it.

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CrlDistributionPoint,
    DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair,
    KeyUsagePurpose, RevokedCertParams, SerialNumber, date_time_ymd,
};

/// Key and certificates as PEM.
pub struct Signer {
    /// The key, its certificate and the CA.
    pub key_pem: String,
    /// The CA.
    pub root_pem: String,
    issuer: Issuer<'static, KeyPair>,
}

/// The serial number of a signer's certificate.
const SERIAL: u64 = 77;

fn parameters(organization: &str, name: &str, usages: Vec<KeyUsagePurpose>) -> CertificateParams {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = DistinguishedName::new();
    for (kind, value) in [
        (DnType::CountryName, "US"),
        (DnType::StateOrProvinceName, "WA"),
        (DnType::OrganizationName, organization),
        (DnType::CommonName, name),
    ] {
        parameters.distinguished_name.push(kind, value);
    }
    parameters.key_usages = usages;
    parameters
}

impl Signer {
    /// With the addresses of lists of what is revoked.
    pub fn under_a_ca(lists: &[&str]) -> Self {
        Self::of("Contoso", lists)
    }

    /// Whose certificates say that this is their organisation.
    pub fn named(organization: &str) -> Self {
        Self::of(organization, &[])
    }

    fn of(organization: &str, lists: &[&str]) -> Self {
        let root_key = KeyPair::generate().unwrap();
        let mut root = parameters(
            organization,
            "root",
            vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign],
        );
        root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root_pem = root.self_signed(&root_key).unwrap().pem();
        let issuer = Issuer::new(root, root_key);
        let key = KeyPair::generate().unwrap();
        let mut leaf = parameters(
            organization,
            "leaf",
            vec![KeyUsagePurpose::DigitalSignature],
        );
        leaf.serial_number = Some(SerialNumber::from(SERIAL));
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning];
        leaf.crl_distribution_points = lists
            .iter()
            .map(|uri| CrlDistributionPoint {
                uris: vec![(*uri).to_owned()],
            })
            .collect();
        let leaf = leaf.signed_by(&key, &issuer).unwrap().pem();
        Self {
            key_pem: format!("{}{leaf}{root_pem}", key.serialize_pem()),
            root_pem,
            issuer,
        }
    }

    /// The CA's list, DER.
    pub fn crl_that_revokes_it(&self) -> Vec<u8> {
        let revoked = RevokedCertParams {
            serial_number: SerialNumber::from(SERIAL),
            revocation_time: date_time_ymd(2026, 1, 1),
            reason_code: None,
            invalidity_date: None,
        };
        let list = CertificateRevocationListParams {
            this_update: date_time_ymd(2026, 1, 1),
            next_update: date_time_ymd(2090, 1, 1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: vec![revoked],
            key_identifier_method: KeyIdMethod::Sha256,
        };
        list.signed_by(&self.issuer).unwrap().der().to_vec()
    }
}

/// A server that gives a list to everyone; it ends with the tests.
pub struct CrlServer(TcpListener);

impl CrlServer {
    pub fn bind() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").unwrap())
    }

    /// Host and port.
    pub fn address(&self) -> String {
        self.0.local_addr().unwrap().to_string()
    }

    /// Gives these bytes from now on, and counts who asks.
    pub fn serve(self, list: Vec<u8>) -> Arc<AtomicUsize> {
        let asked = Arc::new(AtomicUsize::new(0));
        let counter = asked.clone();
        std::thread::spawn(move || {
            for mut stream in self.0.incoming().flatten() {
                let mut head = [0; 4096];
                let _ = stream.read(&mut head);
                counter.fetch_add(1, Ordering::SeqCst);
                let length = list.len();
                let head = format!(
                    "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
                );
                let _ = stream
                    .write_all(head.as_bytes())
                    .and_then(|()| stream.write_all(&list));
            }
        });
        asked
    }
}
