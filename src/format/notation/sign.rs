//! Beginning a signature: what is signed, by whom, and until when.

use std::time::Duration;

use super::{
    algorithm::Algorithm,
    bundle::chain_of,
    cose,
    draft::{Draft, Prepared},
    draft_error::DraftError,
    encoding::{Content, EnvelopeKind},
    jws,
    payload::{Metadata, Payload, RESERVED},
};
use crate::{
    crypto::{Certificate, PublicKey},
    oci::Descriptor,
    timestamp::Timestamp,
};

/// How to sign.
#[derive(Clone, Debug, Default)]
pub struct EnvelopeOptions {
    /// The kind of envelope.
    pub envelope: EnvelopeKind,
    /// How long the signature lives, in whole seconds; without end when absent.
    pub expiry: Option<Duration>,
    /// User metadata to sign.
    pub metadata: Metadata,
    /// The root of the timestamp authority; no timestamp when absent.
    pub timestamp_root: Option<Certificate>,
    /// The program that signs: `acr-sign/VERSION`.
    pub agent: String,
}

/// The key to sign with.
#[derive(Clone, Copy, Debug)]
pub struct SigningKey<'a> {
    /// The key.
    pub key: &'a PublicKey,
    /// Its certificate and the issuers of it, in any order.
    pub certificates: &'a [Certificate],
}

/// Begins a signature of `subject`. `nonce` is random, for the timestamp. Refuses keys and
/// certificates that no reader would accept, and metadata that may not be signed.
pub fn prepare(
    subject: &Descriptor,
    options: &EnvelopeOptions,
    signer: SigningKey<'_>,
    nonce: [u8; 16],
    now: Timestamp,
) -> Result<Draft, DraftError> {
    let kind = signer.key.kind();
    let algorithm = Algorithm::of(kind).ok_or(DraftError::KeyUnsuitable { kind })?;
    let chain = chain_of(signer.key, signer.certificates, now)?;
    check_metadata(&options.metadata)?;
    if options
        .timestamp_root
        .as_ref()
        .is_some_and(|root| !(root.is_ca() && root.is_self_signed()))
    {
        return Err(DraftError::TimestampRoot);
    }
    let signing_time = now.whole_seconds();
    let expiry = options
        .expiry
        .map(|duration| signing_time.plus(duration).whole_seconds());
    if expiry.is_some_and(|expiry| expiry <= signing_time) {
        return Err(DraftError::Expiry);
    }
    let payload = Payload {
        target: subject.clone(),
        metadata: options.metadata.clone(),
    };
    let content = Content {
        algorithm,
        payload,
        signing_time,
        expiry,
    };
    let input = match options.envelope {
        EnvelopeKind::Jws => jws::signing_input(&content),
        EnvelopeKind::Cose => cose::signing_input(&content),
    };
    Ok(Draft::new(Prepared {
        kind: options.envelope,
        subject: subject.clone(),
        algorithm,
        signing_time,
        expiry,
        chain,
        input,
        agent: options.agent.clone(),
        timestamp_root: options.timestamp_root.clone(),
        nonce,
        now,
    }))
}

fn check_metadata(metadata: &Metadata) -> Result<(), DraftError> {
    for (name, value) in metadata {
        let why = match () {
            () if name.is_empty() => "a name is missing",
            () if value.is_empty() => "a value is missing",
            () if name.starts_with(RESERVED) => {
                "names that start with `io.cncf.notary` are reserved"
            }
            () => continue,
        };
        return Err(DraftError::Metadata {
            name: name.clone(),
            why,
        });
    }
    Ok(())
}
