//! Which certificates of servers are trusted.

use std::sync::Arc;

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, DistinguishedName, OtherError,
    RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::CryptoProvider,
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _},
};
use rustls_platform_verifier::Verifier;

use super::{Error, untrusted::Untrusted};

/// The set-up of all connections of one client: this machine's CA certificates and those in `ca_pem`; the bundled
/// ones where the machine has none.
pub(super) fn config(ca_pem: &[Vec<u8>]) -> Result<ClientConfig, Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut own = Vec::new();
    for pem in ca_pem {
        for certificate in CertificateDer::pem_slice_iter(pem) {
            own.push(certificate.map_err(setup)?);
        }
    }
    let verifier = Arc::new(Observer(verifier(own, &provider)?));
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(setup)?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn verifier(
    own: Vec<CertificateDer<'static>>,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, Error> {
    // Asked without our own: with any at all, a machine that has none is not noticed.
    if let Ok(platform) = Verifier::new(provider.clone()) {
        return Ok(if own.is_empty() {
            Arc::new(platform)
        } else {
            Arc::new(Verifier::new_with_extra_roots(own, provider.clone()).map_err(setup)?)
        });
    }
    // An empty container.
    tracing::warn!("this machine has no CA certificates: using the bundled ones");
    let mut roots = RootCertStore::empty();
    let bundled = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().cloned();
    for certificate in bundled.chain(own) {
        roots.add(certificate).map_err(setup)?;
    }
    let built =
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build();
    Ok(built.map_err(setup)?)
}

fn setup(cause: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Setup {
        cause: Box::new(cause),
    }
}

/// Decides as the verifier inside, and keeps the certificate that it refuses for the message.
#[derive(Debug)]
struct Observer(Arc<dyn ServerCertVerifier>);

impl ServerCertVerifier for Observer {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verified =
            self.0
                .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        verified.map_err(|error| match error {
            rustls::Error::InvalidCertificate(fault) => {
                let untrusted = Arc::new(Untrusted::new(end_entity, fault));
                rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(untrusted)))
            }
            other => other,
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }

    fn root_hint_subjects(&self) -> Option<&[DistinguishedName]> {
        self.0.root_hint_subjects()
    }
}
