//! A signature in the making: which answer is wanted next, and in the end what to publish.
//!
//! Pure: the caller asks the signer, the timestamp authority and the revocation services. Each
//! answer is checked before it is used, and the finished envelope is read and verified as a reader
//! would.

use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;

use super::{
    Rejection,
    algorithm::Algorithm,
    authentic_time,
    bundle::chain_of,
    cose,
    draft_error::DraftError,
    encoding::{Content, EnvelopeKind, SigningInput},
    envelope::Envelope,
    jws,
    manifest::{self, ARTIFACT_TYPE, EMPTY, EMPTY_TYPE},
    payload::{Metadata, Payload, RESERVED},
    revocation::{ChainRevocation, ChainStatus},
    revocation_request::{RevocationAnswer, RevocationRequest},
};
use crate::{
    crypto::{Certificate, PublicKey, Scheme, Signature, TimestampRequest, TimestampToken},
    oci::{Descriptor, MediaType, manifest::OCI_MANIFEST},
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

/// A signature in the making. Call [`Draft::step`] without an answer first, then with each answer.
#[derive(Debug)]
pub struct Draft {
    kind: EnvelopeKind,
    subject: Descriptor,
    algorithm: Algorithm,
    signing_time: Timestamp,
    expiry: Option<Timestamp>,
    chain: Vec<Certificate>,
    input: SigningInput,
    agent: String,
    timestamp_root: Option<Certificate>,
    nonce: [u8; 16],
    now: Timestamp,
    state: State,
}

#[derive(Debug)]
enum State {
    Unsigned,
    Unstamped {
        signature: Vec<u8>,
        request: TimestampRequest,
    },
    Unchecked {
        signature: Vec<u8>,
        token: Box<TimestampToken>,
        time: Timestamp,
        revocation: ChainRevocation,
    },
    Complete {
        signature: Vec<u8>,
        token: Option<(Vec<u8>, Timestamp)>,
    },
}

/// What a draft needs next, or its end.
#[derive(Debug)]
pub enum Step {
    /// Have this signed.
    Sign(SigningRequest),
    /// Send this to the timestamp authority as `application/timestamp-query`.
    Timestamp(Bytes),
    /// Find out whether the timestamp authority was revoked.
    Revocation(Vec<RevocationRequest>),
    /// Nothing more; publish this.
    Done(Box<Publication>),
}

/// The answer to the last step.
#[derive(Debug)]
pub enum Answer {
    /// The signature that was wanted.
    Signature(Signature),
    /// The body of the authority's `application/timestamp-reply`.
    Timestamp(Bytes),
    /// One answer for each request, in their order.
    Revocation(Vec<RevocationAnswer>),
}

/// The one signature that is wanted.
#[derive(Clone, Debug)]
pub struct SigningRequest {
    /// The key.
    pub key: PublicKey,
    /// How to sign.
    pub scheme: Scheme,
    /// What to sign.
    pub message: Bytes,
}

/// What to store: configuration and envelope as blobs, then the manifest by its digest.
#[derive(Clone, Debug)]
pub struct Publication {
    /// The bytes of the envelope.
    pub envelope: Bytes,
    /// Its media type.
    pub envelope_type: MediaType,
    /// The bytes of the configuration, always the same.
    pub config: Bytes,
    /// Its media type.
    pub config_type: MediaType,
    /// The bytes of the signature manifest.
    pub manifest: Bytes,
    /// Its media type.
    pub manifest_type: MediaType,
    /// The artifact type that an index entry for it carries.
    pub artifact_type: MediaType,
    /// The annotations of the manifest, which an index entry for it carries too.
    pub annotations: BTreeMap<String, String>,
    /// When it was signed.
    pub signed_at: Timestamp,
    /// When the signature ends.
    pub expires: Option<Timestamp>,
    /// The time that a timestamp proves.
    pub timestamp: Option<Timestamp>,
}

/// Begins a signature of `subject` with `key`, whose certificates are in `bundle` in any order.
/// `nonce` is random, for the timestamp. Refuses keys and certificates that no reader would accept,
/// and metadata that may not be signed.
pub fn prepare(
    subject: &Descriptor,
    options: &EnvelopeOptions,
    key: &PublicKey,
    bundle: &[Certificate],
    nonce: [u8; 16],
    now: Timestamp,
) -> Result<Draft, DraftError> {
    let algorithm =
        Algorithm::of(key.kind()).ok_or(DraftError::KeyUnsuitable { kind: key.kind() })?;
    let chain = chain_of(key, bundle, now)?;
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
    Ok(Draft {
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
        state: State::Unsigned,
    })
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

impl Draft {
    /// The chain that the envelope will hold, leaf first.
    pub fn chain(&self) -> &[Certificate] {
        &self.chain
    }

    /// When the signature will end.
    pub fn expires(&self) -> Option<Timestamp> {
        self.expiry
    }

    /// Takes the answer to the last step, and says what is wanted next. Rejects an answer that does
    /// not verify, a timestamp that its readers would not accept, and a finished envelope that they
    /// would reject.
    pub fn step(mut self, answer: Option<Answer>) -> Result<(Self, Step), DraftError> {
        if let Some(answer) = answer {
            self.state = self.accept(answer)?;
        }
        let step = match &self.state {
            State::Unsigned => Step::Sign(SigningRequest {
                key: self.key()?.clone(),
                scheme: self.algorithm.scheme(),
                message: self.input.message.clone().into(),
            }),
            State::Unstamped { request, .. } => {
                let request = request
                    .to_der()
                    .map_err(|cause| DraftError::TimestampRequest(Box::new(cause)))?;
                Step::Timestamp(request.into())
            }
            State::Unchecked { revocation, .. } => Step::Revocation(revocation.requests()),
            State::Complete { signature, token } => {
                Step::Done(Box::new(self.publication(signature, token.as_ref())?))
            }
        };
        Ok((self, step))
    }

    fn key(&self) -> Result<&PublicKey, DraftError> {
        self.chain
            .first()
            .map(Certificate::public_key)
            .ok_or(DraftError::Unasked)
    }

    fn accept(&mut self, answer: Answer) -> Result<State, DraftError> {
        match (std::mem::replace(&mut self.state, State::Unsigned), answer) {
            (State::Unsigned, Answer::Signature(Signature(signature))) => {
                let verified =
                    self.key()?
                        .verify(self.algorithm.scheme(), &self.input.message, &signature);
                verified.map_err(DraftError::SignatureInvalid)?;
                Ok(match self.timestamp_root {
                    Some(_) => {
                        let request =
                            TimestampRequest::new(self.algorithm.hash(), &signature, self.nonce);
                        State::Unstamped { signature, request }
                    }
                    None => State::Complete {
                        signature,
                        token: None,
                    },
                })
            }
            (State::Unstamped { signature, request }, Answer::Timestamp(reply)) => {
                let token = request.token(&reply).map_err(DraftError::TimestampReply)?;
                let roots: Vec<Certificate> = self.timestamp_root.iter().cloned().collect();
                let proven = authentic_time::prove(&token, &signature, &self.chain, &roots)
                    .map_err(|rejection| DraftError::Timestamp(Box::new(rejection)))?;
                let revocation = ChainRevocation::new(&proven.chain, None, self.now);
                checked(signature, Box::new(token), proven.time, revocation)
            }
            (
                State::Unchecked {
                    signature,
                    token,
                    time,
                    mut revocation,
                },
                Answer::Revocation(answers),
            ) => {
                revocation.answer(&mut answers.into_iter());
                checked(signature, token, time, revocation)
            }
            _ => Err(DraftError::Unasked),
        }
    }

    fn publication(
        &self,
        signature: &[u8],
        token: Option<&(Vec<u8>, Timestamp)>,
    ) -> Result<Publication, DraftError> {
        let (encode, media_type): (fn(&_, &_, &_, &_, _) -> _, _) = match self.kind {
            EnvelopeKind::Jws => (jws::encode, EnvelopeKind::Jws.media_type()),
            EnvelopeKind::Cose => (cose::encode, EnvelopeKind::Cose.media_type()),
        };
        let bytes = token.map(|(bytes, _)| bytes.as_slice());
        let envelope: Vec<u8> = encode(&self.input, signature, &self.chain, &self.agent, bytes);
        let unpublishable = |rejection| DraftError::Unpublishable(Box::new(rejection));
        let read = Envelope::read(&media_type, &envelope).map_err(unpublishable)?;
        if read.payload().target != self.subject {
            let (expected, found) = (self.subject.clone(), read.payload().target.clone());
            return Err(unpublishable(Rejection::OtherTarget { expected, found }));
        }
        let annotations = manifest::annotations(&self.chain, self.signing_time);
        Ok(Publication {
            manifest: manifest::write(self.kind, &envelope, &self.subject, &annotations).into(),
            manifest_type: MediaType::new(OCI_MANIFEST),
            envelope: envelope.into(),
            envelope_type: media_type,
            config: Bytes::from_static(EMPTY),
            config_type: MediaType::new(EMPTY_TYPE),
            artifact_type: MediaType::new(ARTIFACT_TYPE),
            annotations,
            signed_at: self.signing_time,
            expires: self.expiry,
            timestamp: token.map(|(_, time)| *time),
        })
    }
}

/// The next state of a stamped signature: more to ask, or complete once the authority is known not
/// to be revoked (N06).
fn checked(
    signature: Vec<u8>,
    token: Box<TimestampToken>,
    time: Timestamp,
    revocation: ChainRevocation,
) -> Result<State, DraftError> {
    if !revocation.requests().is_empty() {
        return Ok(State::Unchecked {
            signature,
            token,
            time,
            revocation,
        });
    }
    let rejection = match revocation.status() {
        ChainStatus::Good => {
            return Ok(State::Complete {
                signature,
                token: Some((token.der().to_vec(), time)),
            });
        }
        ChainStatus::Revoked { subject, at } => Rejection::TimestampRevoked { subject, at },
        ChainStatus::Unknown { subject, why } => {
            Rejection::TimestampRevocationUnknown { subject, why }
        }
    };
    Err(DraftError::Timestamp(Box::new(rejection)))
}
