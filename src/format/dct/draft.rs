//! Files on their way to being signed: which signature is wanted next, and in the end what to
//! publish.
//!
//! Pure: the caller asks its signers and hands the answers back. Every answer is checked with the
//! public key, and every finished file is read and verified as a reader would, before anything can
//! be published.

use std::collections::{BTreeMap, VecDeque};

use super::{
    draft_error::DraftError,
    founding::Founding,
    name::{KeyId, RoleName, Version},
    unsigned::{SigningRequest, SnapshotPlan, Unsigned},
};
use crate::{crypto::Signature, timestamp::Timestamp};

/// A publication in the making. Call [`Draft::step`] without an answer first, then with each
/// answer.
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

/// The files to publish together; none when there is nothing to change.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Publication {
    /// Each role with the bytes of its file.
    pub files: Vec<(RoleName, Vec<u8>)>,
    /// Until when each of the files holds.
    pub ends: BTreeMap<RoleName, Timestamp>,
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

    /// The roles whose files will be written, with their new versions, as far as they are known
    /// yet.
    pub fn planned(&self) -> Vec<(RoleName, Version)> {
        let snapshot = self.snapshot.iter().map(SnapshotPlan::planned);
        let files = self.unsigned.iter().map(Unsigned::planned);
        files.chain(snapshot).collect()
    }

    /// The ID of the root key of a new collection, to be pinned; known once its certificate is
    /// signed.
    pub fn root_key_id(&self) -> Option<KeyId> {
        self.root_key_id
    }

    /// Takes the answer to the last request, and says what is wanted next. Rejects an answer that
    /// does not verify, and a finished file that its readers would reject.
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
