//! Public keys from PEM, bare or inside a certificate.

use super::{Certificate, InvalidKey, PublicKey};

impl PublicKey {
    /// From PEM: `PUBLIC KEY` (also with headers before the body, as docker writes), `RSA PUBLIC
    /// KEY`, or the first `CERTIFICATE`.
    pub fn from_pem(text: &str) -> Result<Self, InvalidKey> {
        let block = pem::parse(text).map_err(|_| InvalidKey::because("not PEM"))?;
        match block.tag() {
            "PUBLIC KEY" => Self::from_spki_der(block.contents()),
            "RSA PUBLIC KEY" => Self::from_pkcs1_der(block.contents()),
            "CERTIFICATE" => Certificate::from_der(block.contents())
                .map(|certificate| certificate.public_key().clone())
                .map_err(|_| InvalidKey::because("a certificate that cannot be read")),
            _ => Err(InvalidKey::because(
                "PEM of something other than a public key or certificate",
            )),
        }
    }
}
