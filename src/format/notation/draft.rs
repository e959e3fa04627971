//! A signature in the making: which answer is wanted next, and in the end what to publish.
//!
//! Pure: the caller asks the signer, the timestamp authority and the revocation services. Each
//! answer is checked before it is used, and the finished envelope is read and verified as a reader
//! would.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::{
    Rejection,
    algorithm::Algorithm,
    authentic_time, cose,
    draft_error::DraftError,
    encoding::{EnvelopeKind, SigningInput},
    envelope::Envelope,
    jws,
    manifest::{self, ARTIFACT_TYPE, EMPTY, EMPTY_TYPE},
    revocation::{ChainRevocation, ChainStatus},
    revocation_request::{RevocationAnswer, RevocationRequest},
};
use crate::{
    crypto::{Certificate, PublicKey, Scheme, Signature, TimestampRequest, TimestampToken},
    oci::{Descriptor, MediaType, manifest::OCI_MANIFEST},
    timestamp::Timestamp,
};

/// A signature in the making. Call [`Draft::step`] without an answer first, then with each answer.
#[derive(Debug)]
pub struct Draft {
    content: Prepared,
    state: State,
}

/// What is known of a signature before it is made.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) kind: EnvelopeKind,
    pub(super) subject: Descriptor,
    pub(super) algorithm: Algorithm,
    pub(super) signing_time: Timestamp,
    pub(super) expiry: Option<Timestamp>,
    pub(super) chain: Vec<Certificate>,
    pub(super) input: SigningInput,
    pub(super) agent: String,
    pub(super) timestamp_root: Option<Certificate>,
    pub(super) nonce: [u8; 16],
    pub(super) now: Timestamp,
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
    /// When the signature expires.
    pub expires: Option<Timestamp>,
    /// The time that a timestamp proves.
    pub timestamp: Option<Timestamp>,
}

impl Draft {
    pub(super) fn new(content: Prepared) -> Self {
        Self {
            content,
            state: State::Unsigned,
        }
    }

    /// The chain that the envelope will hold, leaf first.
    pub fn chain(&self) -> &[Certificate] {
        &self.content.chain
    }

    /// When the signature will end.
    pub fn expires(&self) -> Option<Timestamp> {
        self.content.expiry
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
                scheme: self.content.algorithm.scheme(),
                message: self.content.input.message.clone().into(),
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
        self.content
            .chain
            .first()
            .map(Certificate::public_key)
            .ok_or(DraftError::Unasked)
    }

    fn accept(&mut self, answer: Answer) -> Result<State, DraftError> {
        match (std::mem::replace(&mut self.state, State::Unsigned), answer) {
            (State::Unsigned, Answer::Signature(Signature(signature))) => {
                let verified = self.key()?.verify(
                    self.content.algorithm.scheme(),
                    &self.content.input.message,
                    &signature,
                );
                verified.map_err(DraftError::SignatureInvalid)?;
                Ok(match self.content.timestamp_root {
                    Some(_) => {
                        let request = TimestampRequest::new(
                            self.content.algorithm.hash(),
                            &signature,
                            self.content.nonce,
                        );
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
                let roots: Vec<Certificate> = self.content.timestamp_root.iter().cloned().collect();
                let proven = authentic_time::prove(&token, &signature, &self.content.chain, &roots)
                    .map_err(|rejection| DraftError::Timestamp(Box::new(rejection)))?;
                let revocation = ChainRevocation::new(&proven.chain, None, self.content.now);
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
        let (encode, media_type): (fn(&_, &_, &_, &_, _) -> _, _) = match self.content.kind {
            EnvelopeKind::Jws => (jws::encode, EnvelopeKind::Jws.media_type()),
            EnvelopeKind::Cose => (cose::encode, EnvelopeKind::Cose.media_type()),
        };
        let bytes = token.map(|(bytes, _)| bytes.as_slice());
        let envelope: Vec<u8> = encode(
            &self.content.input,
            signature,
            &self.content.chain,
            &self.content.agent,
            bytes,
        );
        let read = Envelope::read(&media_type, &envelope).map_err(DraftError::unpublishable)?;
        if read.payload().target != self.content.subject {
            let (expected, found) = (self.content.subject.clone(), read.payload().target.clone());
            return Err(DraftError::unpublishable(Rejection::OtherTarget {
                expected,
                found,
            }));
        }
        let annotations = manifest::annotations(&self.content.chain, self.content.signing_time);
        Ok(Publication {
            manifest: manifest::write(
                self.content.kind,
                &envelope,
                &self.content.subject,
                &annotations,
            )
            .into(),
            manifest_type: MediaType::new(OCI_MANIFEST),
            envelope: envelope.into(),
            envelope_type: media_type,
            config: Bytes::from_static(EMPTY),
            config_type: MediaType::new(EMPTY_TYPE),
            artifact_type: MediaType::new(ARTIFACT_TYPE),
            annotations,
            signed_at: self.content.signing_time,
            expires: self.content.expiry,
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
