//! Key Vault through Microsoft's crates: public keys, certificates, secrets, and signing with keys that stay.

use std::sync::{Arc, atomic::AtomicBool};

use azure_core::http::{ClientOptions, RequestContent, RetryOptions, Transport as SdkTransport};
use azure_security_keyvault_certificates::{
    CertificateClient, CertificateClientOptions, models::CertificateClientGetCertificateOptions,
};
use azure_security_keyvault_keys::{
    KeyClient, KeyClientOptions,
    models::{KeyClientGetKeyOptions, KeyClientSignOptions, SignParameters, SignatureAlgorithm},
};
use azure_security_keyvault_secrets::{
    SecretClient, SecretClientOptions, models::SecretClientGetSecretOptions,
};
use futures::{TryStream, TryStreamExt as _};
use time::OffsetDateTime;
use url::Url;

use super::{
    Identities, ObjectId, VaultCertificate, VaultError, VaultKey, VaultObject,
    credential::Credential,
    transport::Transport,
    vault_key::{answer, public_key, state, version_of},
    vault_object::is_version,
};
use crate::{
    crypto::{Certificate, Secret},
    timestamp::Timestamp,
};

/// Versions that are read when a key or certificate is used for checking: each costs a request.
const VERSIONS: usize = 25;

/// One vault.
#[derive(Clone)]
pub struct Vault {
    host: String,
    /// Whether the host is one of the cloud's own, and no private name that stands for one.
    of_the_cloud: bool,
    keys: Arc<KeyClient>,
    certificates: Arc<CertificateClient>,
    secrets: Arc<SecretClient>,
}

impl Vault {
    /// A vault by its host name; refuses a host that may not receive a token, before a byte is sent (K01).
    pub fn new(identities: &Identities, host: &str) -> Result<Self, VaultError> {
        let sdk = |cause: azure_core::Error| VaultError::sdk(host.to_owned(), cause);
        let url = Url::parse(&format!("https://{host}/"));
        let url = url.map_err(|cause| VaultError::sdk(host.to_owned(), cause))?;
        let client = identities.client();
        let scope = client
            .hosts()
            .vault_scope(&url)
            .map_err(|cause| VaultError::Host {
                host: host.to_owned(),
                cause,
            })?;
        // The SDK compares the challenge with the host's suffix, which a private name does not have; the
        // credential compares it with the scope in any case.
        let of_the_cloud = !client.hosts().is_allowed(&url);
        let refused = Arc::new(AtomicBool::new(false));
        let credential = Arc::new(Credential::new(identities.clone(), scope, refused.clone()));
        let options = || ClientOptions {
            retry: RetryOptions::none(),
            transport: Some(SdkTransport::new(Arc::new(Transport::for_vault(
                client.clone(),
                refused.clone(),
            )))),
            ..ClientOptions::default()
        };
        let mut of_keys = KeyClientOptions {
            client_options: options(),
            ..KeyClientOptions::default()
        };
        of_keys.verify_challenge_resource = Some(of_the_cloud);
        let mut of_certificates = CertificateClientOptions {
            client_options: options(),
            ..CertificateClientOptions::default()
        };
        of_certificates.verify_challenge_resource = Some(of_the_cloud);
        let mut of_secrets = SecretClientOptions {
            client_options: options(),
            ..SecretClientOptions::default()
        };
        of_secrets.verify_challenge_resource = Some(of_the_cloud);
        Ok(Self {
            keys: Arc::new(
                KeyClient::new(url.as_str(), credential.clone(), Some(of_keys)).map_err(sdk)?,
            ),
            certificates: Arc::new(
                CertificateClient::new(url.as_str(), credential.clone(), Some(of_certificates))
                    .map_err(sdk)?,
            ),
            secrets: Arc::new(
                SecretClient::new(url.as_str(), credential, Some(of_secrets)).map_err(sdk)?,
            ),
            host: host.to_owned(),
            of_the_cloud,
        })
    }

    fn object(&self, kind: VaultObject, name: &str, version: Option<&str>) -> ObjectId {
        ObjectId {
            host: self.host.clone(),
            kind,
            name: name.to_owned(),
            version: version.map(ToOwned::to_owned),
        }
    }

    /// A key's public part; the newest version if none is named.
    pub async fn key(
        &self,
        name: &str,
        version: Option<&str>,
        now: Timestamp,
    ) -> Result<VaultKey, VaultError> {
        let object = self.object(VaultObject::Key, name, version);
        let refused = |error| VaultError::of(&object, "read", error);
        let options = KeyClientGetKeyOptions {
            key_version: version.map(ToOwned::to_owned),
            ..KeyClientGetKeyOptions::default()
        };
        let bundle = self.keys.get_key(name, Some(options)).await;
        let bundle = bundle.map_err(refused)?.into_model().map_err(refused)?;
        let jwk = bundle.key.ok_or_else(|| answer(&object, "no key"))?;
        let found = version_of(&object, jwk.kid.as_deref(), self.of_the_cloud)?;
        let key = public_key(&object, &jwk)?;
        let period = bundle.attributes.unwrap_or_default();
        Ok(VaultKey {
            object: object.with_version(&found),
            version: found,
            key,
            state: state(period.enabled, period.not_before, period.expires, now),
            certified: false,
        })
    }

    /// The enabled versions of a key besides one that is known, newest first, for checking what an older one signed.
    pub async fn key_versions(
        &self,
        name: &str,
        known: &str,
        now: Timestamp,
    ) -> Result<Vec<VaultKey>, VaultError> {
        let object = self.object(VaultObject::Key, name, None);
        let listed = versions(&object, self.keys.list_key_properties_versions(name, None)).await?;
        let listed = listed.iter().map(|properties| {
            let attributes = properties.attributes.as_ref();
            let state = attributes.map(|attributes| (attributes.enabled, attributes.created));
            (properties.kid.as_deref(), state.unwrap_or_default())
        });
        let mut keys = Vec::new();
        for version in newest(listed, known) {
            keys.push(self.key(name, Some(version), now).await?);
        }
        Ok(keys)
    }

    /// The enabled versions of a certificate besides one that is known, newest first, for checking what an older one
    /// signed.
    pub async fn certificate_versions(
        &self,
        name: &str,
        known: &str,
        now: Timestamp,
    ) -> Result<Vec<VaultCertificate>, VaultError> {
        let object = self.object(VaultObject::Certificate, name, None);
        let listed = versions(
            &object,
            self.certificates
                .list_certificate_properties_versions(name, None),
        )
        .await?;
        let listed = listed.iter().map(|properties| {
            let attributes = properties.attributes.as_ref();
            let state = attributes.map(|attributes| (attributes.enabled, attributes.created));
            (properties.id.as_deref(), state.unwrap_or_default())
        });
        let mut certificates = Vec::new();
        for version in newest(listed, known) {
            certificates.push(self.certificate(name, Some(version), now).await?);
        }
        Ok(certificates)
    }

    /// A certificate's leaf, and the key that it certifies.
    pub async fn certificate(
        &self,
        name: &str,
        version: Option<&str>,
        now: Timestamp,
    ) -> Result<VaultCertificate, VaultError> {
        let object = self.object(VaultObject::Certificate, name, version);
        let refused = |error| VaultError::of(&object, "read", error);
        let options = CertificateClientGetCertificateOptions {
            certificate_version: version.map(ToOwned::to_owned),
            ..CertificateClientGetCertificateOptions::default()
        };
        let bundle = self.certificates.get_certificate(name, Some(options)).await;
        let bundle = bundle.map_err(refused)?.into_model().map_err(refused)?;
        let found = version_of(&object, bundle.id.as_deref(), self.of_the_cloud)?;
        let period = bundle.attributes.unwrap_or_default();
        let Some(der) = bundle.cer else {
            // A certificate exists from its request on; while its authority has not answered, it is disabled.
            return Err(if period.enabled == Some(false) {
                VaultError::Pending { object }
            } else {
                answer(&object, "no certificate")
            });
        };
        let certificate = Certificate::from_der(&der)
            .map_err(|cause| VaultError::sdk(object.to_string(), cause))?;
        let key = VaultKey {
            object: object.as_kind(VaultObject::Key).with_version(&found),
            version: found,
            key: certificate.public_key().clone(),
            state: state(period.enabled, period.not_before, period.expires, now),
            certified: true,
        };
        Ok(VaultCertificate { certificate, key })
    }

    /// A secret's value.
    pub async fn secret(&self, name: &str, version: Option<&str>) -> Result<Secret, VaultError> {
        let object = self.object(VaultObject::Secret, name, version);
        let refused = |error| VaultError::of(&object, "read", error);
        let options = SecretClientGetSecretOptions {
            secret_version: version.map(ToOwned::to_owned),
            ..SecretClientGetSecretOptions::default()
        };
        let bundle = self.secrets.get_secret(name, Some(options)).await;
        let bundle = bundle.map_err(refused)?.into_model().map_err(refused)?;
        let value = bundle.value.map(Secret::new);
        let value = value.ok_or_else(|| answer(&object, "no value"))?;
        version_of(&object, bundle.id.as_deref(), self.of_the_cloud)?;
        Ok(value)
    }

    /// Signs a digest with exactly this version, and checks which version answered (K02).
    pub(super) async fn sign(
        &self,
        key: &VaultKey,
        algorithm: SignatureAlgorithm,
        digest: Vec<u8>,
    ) -> Result<Vec<u8>, VaultError> {
        let object = &key.object;
        let refused = |error| VaultError::of(object, "sign with", error);
        let parameters = SignParameters {
            algorithm: Some(algorithm),
            value: Some(digest),
        };
        let content = RequestContent::try_from(parameters).map_err(refused)?;
        let options = KeyClientSignOptions {
            key_version: Some(key.version.clone()),
            ..KeyClientSignOptions::default()
        };
        let result = self.keys.sign(&object.name, content, Some(options)).await;
        let result = result.map_err(refused)?.into_model().map_err(refused)?;
        version_of(object, result.kid.as_deref(), self.of_the_cloud)?;
        result.result.ok_or_else(|| answer(object, "no signature"))
    }
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Vault({})", self.host)
    }
}

/// All versions that a list has, over its pages.
async fn versions<T>(
    object: &ObjectId,
    pager: azure_core::Result<impl TryStream<Ok = T, Error = azure_core::Error>>,
) -> Result<Vec<T>, VaultError> {
    let refused = |error| VaultError::of(object, "list versions of", error);
    pager.map_err(refused)?.try_collect().await.map_err(refused)
}

/// Of what is listed, an ID with whether it is enabled and when it was made: the enabled versions besides the known one,
/// newest first, as many as are looked at.
fn newest<'a>(
    listed: impl Iterator<Item = (Option<&'a str>, (Option<bool>, Option<OffsetDateTime>))>,
    known: &str,
) -> impl Iterator<Item = &'a str> {
    let enabled = listed.filter(|(_, (enabled, _))| enabled.unwrap_or(true));
    let versions =
        enabled.filter_map(|(id, (_, created))| Some((created, id?.rsplit('/').next()?)));
    let mut versions: Vec<_> = versions
        .filter(|(_, version)| is_version(version) && *version != known)
        .collect();
    versions.sort_by_key(|(created, _)| std::cmp::Reverse(*created));
    versions
        .into_iter()
        .take(VERSIONS)
        .map(|(_, version)| version)
}
