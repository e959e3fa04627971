//! Signed attributes, and the rules for headers that JWS and COSE share (Notary Project, "Signed
//! Attributes").

use crate::timestamp::Timestamp;

use super::algorithm::Algorithm;

/// The media type of what is signed.
pub(super) const PAYLOAD_TYPE: &str = "application/vnd.cncf.notary.payload.v1+json";

pub(super) const SIGNING_SCHEME: &str = "io.cncf.notary.signingScheme";
pub(super) const SIGNING_TIME: &str = "io.cncf.notary.signingTime";
pub(super) const AUTHENTIC_SIGNING_TIME: &str = "io.cncf.notary.authenticSigningTime";
pub(super) const EXPIRY: &str = "io.cncf.notary.expiry";
pub(super) const PLUGIN: &str = "io.cncf.notary.verificationPlugin";
pub(super) const PLUGIN_MIN_VERSION: &str = "io.cncf.notary.verificationPluginMinVersion";
pub(super) const SIGNING_AGENT: &str = "io.cncf.notary.signingAgent";
pub(super) const TIMESTAMP: &str = "io.cncf.notary.timestampSignature";

/// The critical headers that are known.
const KNOWN: [&str; 5] = [
    SIGNING_SCHEME,
    AUTHENTIC_SIGNING_TIME,
    EXPIRY,
    PLUGIN,
    PLUGIN_MIN_VERSION,
];

/// Who vouches for the time of signing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SigningScheme {
    /// The signer states it; a timestamp may prove it.
    X509,
    /// A signing authority vouches for it.
    SigningAuthority,
}

/// What the signer says beside the payload, with the rules of the specification kept.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SignedAttributes {
    /// How the envelope says that it is signed; held against the leaf's key elsewhere.
    pub algorithm: Algorithm,
    /// The scheme.
    pub scheme: SigningScheme,
    /// When it was signed: as the signer states, or as the signing authority vouches.
    pub signing_time: Timestamp,
    /// When the signature expires.
    pub expiry: Option<Timestamp>,
    /// The plug-in without which it must not be accepted.
    pub plugin: Option<String>,
}

/// A header breaks a rule.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum HeaderFault {
    /// A member that must be there is not.
    #[error("the header `{0}` is missing")]
    Missing(&'static str),
    /// A member is of another type than it must be.
    #[error("the header `{0}` has the wrong type")]
    Type(String),
    /// A member that may not be there.
    #[error("the header `{0}` is not allowed")]
    Forbidden(String),
    /// A member that is there twice, also as protected and unprotected.
    #[error("the header `{0}` appears twice")]
    Twice(String),
    /// An algorithm that is none of the six (N08).
    #[error("the algorithm `{0}` is not accepted")]
    Algorithm(String),
    /// The payload is declared as something else.
    #[error("the content type is `{0}`, not that of a Notary Project payload")]
    ContentType(String),
    /// The signing scheme is not known.
    #[error("the signing scheme `{0}` is not known")]
    Scheme(String),
    /// A header that must be critical is not declared so.
    #[error("the header `{0}` is not declared critical")]
    NotCritical(&'static str),
    /// The critical headers are no list of distinct headers that are there.
    #[error("`{0}` cannot be a critical header")]
    Critical(String),
    /// The end lies before the beginning (N13).
    #[error("the expiry {expiry} is not later than the signing time {signed}")]
    ExpiryBeforeSigning {
        /// The time of signing.
        signed: Timestamp,
        /// The expiry.
        expiry: Timestamp,
    },
    /// A critical header whose meaning must be known, and is not.
    #[error("the critical header `{0}` is not known")]
    Unknown(String),
}

/// Headers as an envelope has them, before any rule.
#[derive(Debug, Default)]
pub(super) struct RawAttributes {
    pub(super) algorithm: Option<Algorithm>,
    pub(super) content_type: Option<String>,
    pub(super) critical: Option<Vec<String>>,
    pub(super) scheme: Option<String>,
    pub(super) signing_time: Option<Timestamp>,
    pub(super) authentic_signing_time: Option<Timestamp>,
    pub(super) expiry: Option<Timestamp>,
    pub(super) plugin: Option<String>,
    pub(super) plugin_min_version: Option<String>,
    /// Every protected header by name.
    pub(super) names: Vec<String>,
}

impl RawAttributes {
    /// The attributes, if every rule holds. `registered` are the names that the envelope's own
    /// standard defines, which cannot be critical.
    pub(super) fn check(
        self,
        registered: impl Fn(&str) -> bool,
    ) -> Result<SignedAttributes, HeaderFault> {
        let algorithm = self.algorithm.ok_or(HeaderFault::Missing("alg"))?;
        let content_type = self
            .content_type
            .as_deref()
            .ok_or(HeaderFault::Missing("cty"))?;
        if content_type != PAYLOAD_TYPE {
            return Err(HeaderFault::ContentType(content_type.to_owned()));
        }
        let critical = self
            .critical
            .as_deref()
            .ok_or(HeaderFault::Missing("crit"))?;
        for (index, name) in critical.iter().enumerate() {
            let again = critical.iter().take(index).any(|other| other == name);
            if again || registered(name) || !self.names.contains(name) {
                return Err(HeaderFault::Critical(name.clone()));
            }
        }
        let scheme = self
            .scheme
            .as_deref()
            .ok_or(HeaderFault::Missing(SIGNING_SCHEME))?;
        require_critical(critical, SIGNING_SCHEME)?;
        let (scheme, signing_time) = match scheme {
            "notary.x509" => {
                if self.authentic_signing_time.is_some() {
                    return Err(HeaderFault::Forbidden(AUTHENTIC_SIGNING_TIME.to_owned()));
                }
                (
                    SigningScheme::X509,
                    self.signing_time
                        .ok_or(HeaderFault::Missing(SIGNING_TIME))?,
                )
            }
            "notary.x509.signingAuthority" => {
                if self.signing_time.is_some() {
                    return Err(HeaderFault::Forbidden(SIGNING_TIME.to_owned()));
                }
                let time = self
                    .authentic_signing_time
                    .ok_or(HeaderFault::Missing(AUTHENTIC_SIGNING_TIME))?;
                require_critical(critical, AUTHENTIC_SIGNING_TIME)?;
                (SigningScheme::SigningAuthority, time)
            }
            other => return Err(HeaderFault::Scheme(other.to_owned())),
        };
        if let Some(expiry) = self.expiry {
            require_critical(critical, EXPIRY)?;
            if expiry <= signing_time {
                return Err(HeaderFault::ExpiryBeforeSigning {
                    signed: signing_time,
                    expiry,
                });
            }
        }
        let plugin = self
            .plugin
            .or(self.plugin_min_version.map(|_| String::new()));
        // A plug-in may know more critical headers; the signature is refused all the same, for the
        // plug-in.
        if plugin.is_none()
            && let Some(unknown) = critical.iter().find(|name| !KNOWN.contains(&name.as_str()))
        {
            return Err(HeaderFault::Unknown(unknown.clone()));
        }
        Ok(SignedAttributes {
            algorithm,
            scheme,
            signing_time,
            expiry: self.expiry,
            plugin,
        })
    }
}

/// A header without which the signature means something else must be declared critical.
fn require_critical(critical: &[String], name: &'static str) -> Result<(), HeaderFault> {
    if critical.iter().any(|other| other == name) {
        Ok(())
    } else {
        Err(HeaderFault::NotCritical(name))
    }
}
