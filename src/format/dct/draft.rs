//! Files on their way to being signed: which signature is wanted next, and in the end what to publish.
//!
//! Pure: the caller asks its signers and hands the answers back. Every answer is checked with the public key,
//! and every finished file is read and verified as a reader would, before anything can be published.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;

use super::{
    authority::Authority,
    canonical::canonical,
    draft_error::DraftError,
    file_meta::FileMeta,
    init::Founding,
    json::Value,
    key::Key,
    name::{KeyId, RoleName, Version},
    root::Root,
    signed::{RoleBody, RoleSignature, Signed, file_bytes},
    snapshot::Snapshot,
    targets::Targets,
};
use crate::{
    crypto::{KeyKind, PublicKey, Scheme, Signature},
    timestamp::Timestamp,
};

/// A publication in the making. Call [`Draft::step`] without an answer first, then with each answer.
#[derive(Debug)]
pub struct Draft {
    founding: Option<Box<Founding>>,
    unsigned: VecDeque<Unsigned>,
    snapshot: Option<SnapshotPlan>,
    signed: Publication,
    root_key_id: Option<KeyId>,
}

/// What a draft needs next, or its end.
#[derive(Debug)]
pub enum Step {
    /// Have this signed, and hand the signature to the next step.
    Sign(SigningRequest),
    /// Nothing more; publish this.
    Done(Publication),
}

/// One signature that is wanted.
#[derive(Clone, Debug)]
pub struct SigningRequest {
    /// The role whose file is signed; for the certificate of a root key, `root`.
    pub role: RoleName,
    /// The ID under which the role lists the key.
    pub key_id: KeyId,
    /// The key.
    pub key: PublicKey,
    /// How to sign.
    pub scheme: Scheme,
    /// What to sign.
    pub message: Bytes,
}

/// The files to publish together; none when there is nothing to change.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Publication {
    /// Each role with the bytes of its file.
    pub files: Vec<(RoleName, Vec<u8>)>,
    /// Until when each of the files holds.
    pub ends: BTreeMap<RoleName, Timestamp>,
}

/// A file that lacks signatures.
#[derive(Debug)]
pub(super) struct Unsigned {
    role: RoleName,
    version: Version,
    message: Bytes,
    authority: Authority,
    wanted: VecDeque<(Key, PublicKey)>,
    signatures: Vec<RoleSignature>,
}

/// A snapshot to write over the files, once their bytes are known.
#[derive(Debug)]
pub(super) struct SnapshotPlan {
    body: Snapshot,
    authority: Authority,
    held: Vec<PublicKey>,
}

impl Unsigned {
    /// A file that every held key of its role signs.
    pub(super) fn new(
        role: &RoleName,
        version: Version,
        body: &Value,
        authority: Authority,
        held: &[PublicKey],
    ) -> Result<Self, DraftError> {
        let wanted = signing_keys(role, &authority, held)?.into();
        let message = canonical(body).into();
        Ok(Self {
            role: role.clone(),
            version,
            message,
            authority,
            wanted,
            signatures: Vec::new(),
        })
    }

    /// The role whose file it is.
    pub(super) fn role(&self) -> &RoleName {
        &self.role
    }

    fn request(&self) -> Result<Option<SigningRequest>, DraftError> {
        let Some((key, public)) = self.wanted.front() else {
            return Ok(None);
        };
        Ok(Some(SigningRequest {
            role: self.role.clone(),
            key_id: key.key_id(),
            key: public.clone(),
            scheme: scheme(key)?.0,
            message: self.message.clone(),
        }))
    }

    fn accept(&mut self, signature: &Signature) -> Result<(), DraftError> {
        let (key, public) = self.wanted.pop_front().ok_or(DraftError::Unasked)?;
        let (scheme, method) = scheme(&key)?;
        let invalid = |cause| DraftError::SignatureInvalid {
            role: self.role.clone(),
            key_id: key.key_id(),
            cause,
        };
        public
            .verify(scheme, &self.message, &signature.0)
            .map_err(invalid)?;
        self.signatures.push(RoleSignature {
            key_id: key.key_id().to_string(),
            method: method.to_owned(),
            signature: signature.0.clone(),
        });
        Ok(())
    }

    /// The finished file, held against the rules that its readers apply.
    fn finish(self) -> Result<(RoleName, Vec<u8>, Timestamp), DraftError> {
        let bytes = file_bytes(&self.message, &self.signatures);
        let verified = match &self.role {
            role if *role == RoleName::ROOT => self.verify::<Root>(&bytes),
            role if *role == RoleName::SNAPSHOT => self.verify::<Snapshot>(&bytes),
            _ => self.verify::<Targets>(&bytes),
        };
        match verified {
            Ok(end) => Ok((self.role, bytes, end)),
            Err(cause) => Err(DraftError::Unpublishable {
                role: self.role,
                cause: Box::new(cause),
            }),
        }
    }

    fn verify<T: RoleBody>(&self, bytes: &[u8]) -> Result<Timestamp, super::Rejection> {
        let file = Signed::<T>::parse(&self.role, bytes)?;
        self.authority.require(&file, &mut 0)?;
        Ok(file.body.header().expires)
    }
}

/// The listed keys that we hold, each public key once. Refuses a threshold that they do not reach: signatures
/// of others are over other content, so none can be kept.
pub(super) fn signing_keys(
    role: &RoleName,
    authority: &Authority,
    held: &[PublicKey],
) -> Result<Vec<(Key, PublicKey)>, DraftError> {
    let mut keys = Vec::<(Key, PublicKey)>::new();
    for key in authority.keys() {
        if let Some(public) = held_as(key, held)
            && !keys.iter().any(|(_, other)| *other == public)
        {
            keys.push((key.clone(), public));
        }
    }
    if keys.is_empty() {
        return Err(DraftError::key_not_delegated(Some(role), held));
    }
    if authority.threshold().is_met_by(keys.len()) {
        return Ok(keys);
    }
    Err(DraftError::ThresholdNotHeld {
        role: role.clone(),
        required: authority.threshold(),
        held: keys.len(),
    })
}

/// How a listed key signs: the scheme, and the method that the file states.
fn scheme(key: &Key) -> Result<(Scheme, &'static str), DraftError> {
    let unknown = || DraftError::UnknownKeyType {
        key_type: key.key_type().to_owned(),
    };
    let method = key.method().ok_or_else(unknown)?;
    Ok((key.scheme(method).ok_or_else(unknown)?, method))
}

/// The public key of a listed key that we hold, whatever form it is listed in.
pub(super) fn held_as(key: &Key, held: &[PublicKey]) -> Option<PublicKey> {
    // A listed key that cannot be read is not ours.
    key.public_key().ok().filter(|public| held.contains(public))
}

/// Refuses what a vault cannot sign trust data with: notary hashes with SHA-256 on every curve, a vault does
/// not; and docker takes no Ed25519 signer.
pub(super) fn require_suitable(key: &PublicKey) -> Result<(), DraftError> {
    match key.kind() {
        KeyKind::EcP256 | KeyKind::Rsa { .. } => Ok(()),
        kind @ (KeyKind::EcP384 | KeyKind::EcP521 | KeyKind::Ed25519) => {
            Err(DraftError::KeyUnsuitable { kind })
        }
    }
}

/// The end of a file that is signed `now` and lives `days`.
pub(super) fn end(now: Timestamp, days: u64) -> Timestamp {
    now.plus(std::time::Duration::from_secs(days * 24 * 60 * 60))
        .whole_seconds()
}

impl Draft {
    /// A draft of role files, and of the snapshot over them where its key is ours.
    pub(super) fn of(files: Vec<Unsigned>, snapshot: Option<SnapshotPlan>) -> Self {
        Self {
            founding: None,
            unsigned: files.into(),
            snapshot,
            signed: Publication::default(),
            root_key_id: None,
        }
    }

    /// A draft of a new collection, which begins with the certificate of its root key.
    pub(super) fn founding(founding: Founding) -> Self {
        Self {
            founding: Some(Box::new(founding)),
            ..Self::of(Vec::new(), None)
        }
    }

    /// The roles whose files will be written, with their new versions, as far as they are known yet.
    pub fn planned(&self) -> Vec<(RoleName, Version)> {
        let snapshot = self
            .snapshot
            .iter()
            .map(|plan| (RoleName::SNAPSHOT, plan.body.version));
        self.unsigned
            .iter()
            .map(|file| (file.role.clone(), file.version))
            .chain(snapshot)
            .collect()
    }

    /// The ID of the root key of a new collection, to be pinned; known once its certificate is signed.
    pub fn root_key_id(&self) -> Option<KeyId> {
        self.root_key_id
    }

    /// Takes the answer to the last request, and says what is wanted next. Rejects an answer that does not
    /// verify, and a finished file that its readers would reject.
    pub fn step(mut self, answer: Option<Signature>) -> Result<(Self, Step), DraftError> {
        if let Some(signature) = answer {
            self.accept(&signature)?;
        }
        if let Some(founding) = &self.founding {
            let request = founding.request();
            return Ok((self, Step::Sign(request)));
        }
        loop {
            while let Some(file) = self.unsigned.front() {
                if let Some(request) = file.request()? {
                    return Ok((self, Step::Sign(request)));
                }
                if let Some(file) = self.unsigned.pop_front() {
                    let (role, bytes, end) = file.finish()?;
                    self.signed.ends.insert(role.clone(), end);
                    self.signed.files.push((role, bytes));
                }
            }
            match self.snapshot.take() {
                Some(plan) if !self.signed.files.is_empty() => {
                    self.unsigned.push_back(plan.over(&self.signed.files)?);
                }
                Some(_) | None => {
                    let publication = std::mem::take(&mut self.signed);
                    return Ok((self, Step::Done(publication)));
                }
            }
        }
    }

    fn accept(&mut self, signature: &Signature) -> Result<(), DraftError> {
        if let Some(founding) = self.founding.take() {
            let founded = founding.found(signature)?;
            self.unsigned = founded.files.into();
            self.snapshot = founded.snapshot;
            self.root_key_id = Some(founded.root_key_id);
            return Ok(());
        }
        self.unsigned
            .front_mut()
            .ok_or(DraftError::Unasked)?
            .accept(signature)
    }
}

impl SnapshotPlan {
    /// A snapshot with this body, where the keys at hand can sign it.
    pub(super) fn new(
        body: Snapshot,
        authority: Authority,
        held: &[PublicKey],
    ) -> Result<Self, DraftError> {
        signing_keys(&RoleName::SNAPSHOT, &authority, held)?;
        Ok(Self {
            body,
            authority,
            held: held.to_vec(),
        })
    }

    /// The snapshot over the files that were signed; what it says of others stays.
    fn over(mut self, files: &[(RoleName, Vec<u8>)]) -> Result<Unsigned, DraftError> {
        for (role, bytes) in files {
            self.body
                .meta
                .insert(role.to_string(), FileMeta::describing(bytes));
        }
        Unsigned::new(
            &RoleName::SNAPSHOT,
            self.body.version,
            &self.body.value(),
            self.authority,
            &self.held,
        )
    }
}
