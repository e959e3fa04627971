//! What a certificate's extensions say, for rules that must not be lenient: an extension that
//! cannot be read is an error here, never absent.

use der::{Decode, Encode as _};
use spki::ObjectIdentifier;
use x509_cert::ext::pkix::{
    AuthorityInfoAccessSyntax, BasicConstraints, CrlDistributionPoints, ExtendedKeyUsage, KeyUsage,
    name::{DistributionPointName, GeneralName},
};

use super::{Certificate, der_reader};

const BASIC_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.19");
const KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.15");
const EXTENDED_KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37");
const NAME_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.30");
const AUTHORITY_INFORMATION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.1.1");
const OCSP: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1");
const FRESHEST_CRL: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.46");
const CRL_DISTRIBUTION_POINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.31");

/// Addresses of one kind that a certificate may name. Each may cost a request that the author of a
/// certificate orders; real ones name one or two.
const ADDRESSES: usize = 10;

/// An extension's content, and whether whoever does not know it must refuse the certificate.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Extension<T> {
    /// Whether it is critical.
    pub critical: bool,
    /// What it says.
    pub value: T,
}

/// An attribute of a name: its type, and its value where that is text.
pub type NameAttribute = (ObjectIdentifier, Option<String>);

/// An extension cannot be read, or is there twice.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the extension {0} cannot be read")]
pub struct InvalidExtension(pub ObjectIdentifier);

impl Certificate {
    fn extension<T: for<'a> Decode<'a>>(
        &self,
        id: ObjectIdentifier,
    ) -> Result<Option<Extension<T>>, InvalidExtension> {
        let all = self
            .parsed
            .tbs_certificate()
            .extensions()
            .into_iter()
            .flatten();
        let mut found = all.filter(|extension| extension.extn_id == id);
        let (Some(extension), None) = (found.next(), found.next()) else {
            return if self.has_extension(id) {
                Err(InvalidExtension(id))
            } else {
                Ok(None)
            };
        };
        let value =
            T::from_der(extension.extn_value.as_bytes()).map_err(|_| InvalidExtension(id))?;
        Ok(Some(Extension {
            critical: extension.critical,
            value,
        }))
    }

    fn has_extension(&self, id: ObjectIdentifier) -> bool {
        self.parsed
            .tbs_certificate()
            .extensions()
            .is_some_and(|all| all.iter().any(|one| one.extn_id == id))
    }

    /// The basic constraints.
    pub fn basic_constraints_extension(
        &self,
    ) -> Result<Option<Extension<BasicConstraints>>, InvalidExtension> {
        self.extension(BASIC_CONSTRAINTS)
    }

    /// The key usage.
    pub fn key_usage_extension(&self) -> Result<Option<Extension<KeyUsage>>, InvalidExtension> {
        self.extension(KEY_USAGE)
    }

    /// The extended key usages.
    pub fn extended_key_usage_extension(
        &self,
    ) -> Result<Option<Extension<Vec<ObjectIdentifier>>>, InvalidExtension> {
        let usages: Option<Extension<ExtendedKeyUsage>> = self.extension(EXTENDED_KEY_USAGE)?;
        Ok(usages.map(|usages| Extension {
            critical: usages.critical,
            value: usages.value.0,
        }))
    }

    /// Whether name constraints are there, of whatever form.
    pub fn has_name_constraints(&self) -> bool {
        self.has_extension(NAME_CONSTRAINTS)
    }

    /// Addresses of OCSP responders, in order.
    pub fn ocsp_addresses(&self) -> Result<Vec<String>, InvalidExtension> {
        let access: Option<Extension<AuthorityInfoAccessSyntax>> =
            self.extension(AUTHORITY_INFORMATION)?;
        let access = access.map(|access| access.value.0).unwrap_or_default();
        let responders = access.iter().filter(|one| one.access_method == OCSP);
        let addresses: Vec<String> = responders
            .filter_map(|one| address(&one.access_location))
            .collect();
        limited(addresses, AUTHORITY_INFORMATION)
    }

    /// Addresses of CRLs, in order. A distribution point without an address is an error: it says
    /// that there is a CRL which nobody here can fetch.
    pub fn crl_addresses(&self) -> Result<Vec<String>, InvalidExtension> {
        let points: Option<Extension<CrlDistributionPoints>> =
            self.extension(CRL_DISTRIBUTION_POINTS)?;
        let Some(points) = points else {
            return Ok(Vec::new());
        };
        let addresses = distribution_addresses(&points.value)
            .ok_or(InvalidExtension(CRL_DISTRIBUTION_POINTS))?;
        limited(addresses, CRL_DISTRIBUTION_POINTS)
    }

    /// Whether it says that there are deltas to its CRLs.
    pub fn names_deltas(&self) -> bool {
        self.has_extension(FRESHEST_CRL)
    }

    /// The serial number, big-endian without leading zeros.
    pub fn serial_number(&self) -> &[u8] {
        der_reader::trimmed(self.parsed.tbs_certificate().serial_number().as_bytes())
    }

    /// The DER of the subject.
    pub fn subject_der(&self) -> Vec<u8> {
        self.parsed
            .tbs_certificate()
            .subject()
            .to_der()
            .unwrap_or_default()
    }

    /// The DER of the issuer.
    pub fn issuer_der(&self) -> Vec<u8> {
        self.parsed
            .tbs_certificate()
            .issuer()
            .to_der()
            .unwrap_or_default()
    }

    /// The bytes inside the bit string of the public key, as OCSP hashes them.
    pub fn public_key_bits(&self) -> &[u8] {
        self.parsed
            .tbs_certificate()
            .subject_public_key_info()
            .subject_public_key
            .raw_bytes()
    }

    /// The attributes of the subject, one list per relative name; text only where it is text.
    pub fn subject_attributes(&self) -> Vec<Vec<NameAttribute>> {
        let names = self.parsed.tbs_certificate().subject().iter_rdn();
        let text = |attribute: &x509_cert::attr::AttributeTypeAndValue| {
            let tag = attribute.value.header().tag();
            let is_text = matches!(
                tag,
                der::Tag::Utf8String
                    | der::Tag::PrintableString
                    | der::Tag::Ia5String
                    | der::Tag::TeletexString
            );
            is_text
                .then(|| String::from_utf8(attribute.value.value().to_vec()).ok())
                .flatten()
        };
        names
            .map(|name| {
                name.iter()
                    .map(|attribute| (attribute.oid, text(attribute)))
                    .collect()
            })
            .collect()
    }

    /// Whether the algorithm inside what is signed is the one outside of it (RFC 5280 §4.1.1.2).
    pub fn states_one_algorithm(&self) -> bool {
        self.parsed.tbs_certificate().signature() == self.parsed.signature_algorithm()
    }

    /// Whether `time` lies in its period of validity.
    pub fn is_valid_at(&self, time: crate::timestamp::Timestamp) -> bool {
        self.not_before() <= time && time <= self.not_after()
    }
}

/// The addresses in distribution points; `None` if a point has none.
pub(super) fn distribution_addresses(points: &CrlDistributionPoints) -> Option<Vec<String>> {
    let mut addresses = Vec::new();
    for point in &points.0 {
        let Some(DistributionPointName::FullName(names)) = &point.distribution_point else {
            return None;
        };
        let before = addresses.len();
        addresses.extend(names.iter().filter_map(address));
        if addresses.len() == before {
            return None;
        }
    }
    Some(addresses)
}

fn limited(addresses: Vec<String>, id: ObjectIdentifier) -> Result<Vec<String>, InvalidExtension> {
    if addresses.len() > ADDRESSES {
        Err(InvalidExtension(id))
    } else {
        Ok(addresses)
    }
}

fn address(name: &GeneralName) -> Option<String> {
    match name {
        GeneralName::UniformResourceIdentifier(address) => Some(address.as_str().to_owned()),
        _ => None,
    }
}
