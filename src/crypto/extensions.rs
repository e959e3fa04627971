//! What a certificate's extensions say, for rules that must not be lenient: an extension that
//! cannot be read is an error here, never absent.

use der::{Decode, Encode as _};
use spki::ObjectIdentifier;
use x509_cert::{
    attr::AttributeTypeAndValue,
    ext::pkix::{
        AuthorityInfoAccessSyntax, BasicConstraints, CrlDistributionPoints, ExtendedKeyUsage,
        KeyUsage, name::GeneralName,
    },
};

use super::{
    Certificate, der_reader,
    distribution_point::{InvalidPoint, ListAddress},
};

const BASIC_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.19");
const KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.15");
const EXTENDED_KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37");
const NAME_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.30");
const AUTHORITY_INFORMATION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.1.1");
const OCSP: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1");
const OCSP_NO_CHECK: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.5");
const FRESHEST_CRL: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.46");
const CRL_DISTRIBUTION_POINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.31");

/// Addresses of one kind that a certificate may name. Each may cost a request that the author of a
/// certificate orders; real ones name one or two.
const ADDRESSES: usize = 10;

/// An extension's content, and whether anyone who does not know it must refuse the certificate.
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

/// Why it cannot be told where a certificate's revocation lists are.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ListFault {
    /// The extension cannot be read.
    #[error(transparent)]
    Extension(#[from] InvalidExtension),
    /// A distribution point that is not understood.
    #[error("the certificate has {0}")]
    Point(#[from] InvalidPoint),
}

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

    /// Addresses of OCSP responders, in order. A responder whose place is not an address is listed
    /// by what it is: it cannot be asked, which is not the same as nobody to ask.
    pub fn ocsp_addresses(&self) -> Result<Vec<String>, InvalidExtension> {
        let access: Option<Extension<AuthorityInfoAccessSyntax>> =
            self.extension(AUTHORITY_INFORMATION)?;
        let access = access.map(|access| access.value.0).unwrap_or_default();
        let responders = access.iter().filter(|one| one.access_method == OCSP);
        let addresses = responders.map(|one| place(&one.access_location)).collect();
        limited(addresses, AUTHORITY_INFORMATION)
    }

    /// Addresses of CRLs, in order, of all distribution points together.
    pub fn crl_addresses(&self) -> Result<Vec<ListAddress>, ListFault> {
        let points: Option<Extension<CrlDistributionPoints>> =
            self.extension(CRL_DISTRIBUTION_POINTS)?;
        let Some(points) = points else {
            return Ok(Vec::new());
        };
        let addresses = ListAddress::all(&points.value)?;
        Ok(limited(addresses, CRL_DISTRIBUTION_POINTS)?)
    }

    /// Whether it may be trusted as a responder for its whole life, without asking whether it was
    /// revoked (RFC 6960 §4.2.2.2.1).
    pub fn is_never_revoked(&self) -> bool {
        self.has_extension(OCSP_NO_CHECK)
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
        names
            .map(|name| {
                name.iter()
                    .map(|attribute| (attribute.oid, text_of(attribute)))
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

/// The value of an attribute, where it is text.
fn text_of(attribute: &AttributeTypeAndValue) -> Option<String> {
    let is_text = matches!(
        attribute.value.header().tag(),
        der::Tag::Utf8String
            | der::Tag::PrintableString
            | der::Tag::Ia5String
            | der::Tag::TeletexString
    );
    is_text
        .then(|| String::from_utf8(attribute.value.value().to_vec()).ok())
        .flatten()
}

fn limited<T>(addresses: Vec<T>, id: ObjectIdentifier) -> Result<Vec<T>, InvalidExtension> {
    if addresses.len() > ADDRESSES {
        Err(InvalidExtension(id))
    } else {
        Ok(addresses)
    }
}

/// A place as an address, or what it is instead of one.
fn place(name: &GeneralName) -> String {
    match name {
        GeneralName::UniformResourceIdentifier(address) => address.as_str().to_owned(),
        GeneralName::DirectoryName(name) => name.to_string(),
        GeneralName::DnsName(name) => name.as_str().to_owned(),
        _ => "a name of another kind".to_owned(),
    }
}
