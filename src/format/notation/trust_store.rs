//! Trust stores: folders of certificates, by kind and name. The files are read elsewhere; any
//! error in a store makes the whole store useless.

use std::{fmt, str::FromStr};

use bytes::Bytes;

use crate::crypto::Certificate;

/// Certificates that one store may hold. All public roots together are about 150; the chain is
/// compared with every one.
const CERTIFICATES: usize = 500;
/// Files that one store may hold, each with at least one certificate.
pub const STORE_FILES: usize = 500;
/// The largest file that is read: 500 certificates of 2 KiB.
pub const STORE_FILE_LIMIT: usize = 1024 * 1024;

/// What the certificates of a store are trusted for.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum StoreKind {
    /// Signers.
    Ca,
    /// Signing authorities.
    SigningAuthority,
    /// Timestamp authorities.
    Tsa,
}

/// A named store: `ca:name`, `signingAuthority:name` or `tsa:name`.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct StoreName {
    kind: StoreKind,
    name: String,
}

/// The text does not name a store.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "`{0}` is not the name of a trust store (`ca:NAME`, `signingAuthority:NAME` or `tsa:NAME`)"
)]
pub struct InvalidStoreName(String);

/// Why a store cannot be used.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum StoreFault {
    /// Not there, a link, or with a folder in it: the text says which.
    #[error("the trust store `{store}` cannot be used: {why}")]
    Unusable {
        /// The store.
        store: StoreName,
        /// What is wrong.
        why: String,
    },
    /// No certificate in it, or more than are read.
    #[error(
        "the trust store `{store}` contains {count} certificates instead of 1 to {CERTIFICATES}"
    )]
    Count {
        /// The store.
        store: StoreName,
        /// How many there are.
        count: usize,
    },
    /// A file that is no certificate.
    #[error("`{file}` in the trust store `{store}` contains something other than certificates")]
    NotACertificate {
        /// The store.
        store: StoreName,
        /// The file.
        file: String,
    },
    /// A certificate that cannot be trusted as such.
    #[error("`{subject}` in the trust store `{store}` is neither a CA nor self-signed")]
    NotAnAnchor {
        /// The store.
        store: StoreName,
        /// Its subject.
        subject: String,
    },
    /// A certificate in a `tsa` store that is no root.
    #[error("`{subject}` in the trust store `{store}` is not a self-signed root")]
    NotARoot {
        /// The store.
        store: StoreName,
        /// Its subject.
        subject: String,
    },
    /// The statement lists no store of the kind that the signature needs.
    #[error("the trust has no store of the type `{0}`, which the signature needs")]
    NoneOfKind(StoreKind),
}

impl StoreName {
    /// What it is for.
    pub fn kind(&self) -> StoreKind {
        self.kind
    }

    /// Its folder below `truststore`: `x509/ca/NAME`.
    pub fn folder(&self) -> String {
        format!("x509/{}/{}", self.kind, self.name)
    }
}

impl FromStr for StoreName {
    type Err = InvalidStoreName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidStoreName(text.chars().take(200).collect());
        let (kind, name) = text.split_once(':').ok_or_else(invalid)?;
        let kinds = [StoreKind::Ca, StoreKind::SigningAuthority, StoreKind::Tsa];
        let kind = kinds
            .into_iter()
            .find(|known| known.to_string() == kind)
            .ok_or_else(invalid)?;
        let is_permitted = name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
        // notation takes `..`, which leads out of the folder.
        if !is_permitted || ["", ".", ".."].contains(&name) {
            return Err(invalid());
        }
        Ok(Self {
            kind,
            name: name.to_owned(),
        })
    }
}

impl fmt::Display for StoreKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ca => "ca",
            Self::SigningAuthority => "signingAuthority",
            Self::Tsa => "tsa",
        })
    }
}

impl fmt::Display for StoreName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, self.name)
    }
}

/// The certificates of a store, from the names and bytes of its files. Rejects a store without
/// certificates, a file that holds anything else, and certificates that its kind does not admit.
pub fn trust_store(
    store: &StoreName,
    files: &[(String, Bytes)],
) -> Result<Vec<Certificate>, StoreFault> {
    let mut found = Vec::new();
    for (file, bytes) in files {
        let certificates = certificates(bytes).ok_or_else(|| StoreFault::NotACertificate {
            store: store.clone(),
            file: file.clone(),
        })?;
        found.extend(certificates);
        if found.len() > CERTIFICATES {
            break;
        }
    }
    if found.is_empty() || found.len() > CERTIFICATES {
        return Err(StoreFault::Count {
            store: store.clone(),
            count: found.len(),
        });
    }
    for certificate in &found {
        if store.kind == StoreKind::Tsa && !(certificate.is_self_signed() && certificate.is_ca()) {
            return Err(StoreFault::NotARoot {
                store: store.clone(),
                subject: certificate.subject(),
            });
        }
        if !certificate.is_ca() && !certificate.is_self_signed() {
            return Err(StoreFault::NotAnAnchor {
                store: store.clone(),
                subject: certificate.subject(),
            });
        }
    }
    Ok(found)
}

/// PEM with any text around its blocks, or one or more certificates in DER; `None` for anything
/// else.
fn certificates(bytes: &[u8]) -> Option<Vec<Certificate>> {
    if let Ok(blocks) = pem::parse_many(bytes)
        && !blocks.is_empty()
    {
        return blocks
            .iter()
            .map(|block| {
                (block.tag() == "CERTIFICATE")
                    .then(|| Certificate::from_der(block.contents()).ok())
                    .flatten()
            })
            .collect();
    }
    let ders = Certificate::split_der(bytes).filter(|ders| !ders.is_empty())?;
    ders.into_iter()
        .map(|der| Certificate::from_der(der).ok())
        .collect()
}
