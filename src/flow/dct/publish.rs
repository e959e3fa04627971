//! Signing a draft and putting it on the trust server: one loop for every command that re-signs a role.
//!
//! Every signature is checked before it is published, and the server's lists are read back after.

use std::{sync::Arc, time::Duration};

use futures::future::try_join;

use super::{Collection, load::root_was_replaced};
use crate::{
    crypto::Signer,
    flow::FlowError,
    format::dct::{
        Draft, Gun, Publication, Rejection, RoleName, RootStep, RootTrust, RootWalk, Step,
        TrustedSet,
    },
    net::jitter,
    oci::Digest,
    reason::{Explain as _, Reason},
    registry,
    report::Failure,
    timestamp::Timestamp,
};

/// How often the lists are asked for again while a replica shows an older publication. The waits double from 100 ms, so
/// three seconds in all: replicas of one registry catch up in less, and a person waits for this.
const READ_BACK_ATTEMPTS: u32 = 5;

/// How a publication ended.
#[derive(Debug)]
pub enum Published {
    /// The server lists what was sent.
    Stored,
    /// The server took it, and another writer has published on top: load again and see that it is still there.
    Overtaken,
    /// Another writer was first: load again and rebuild.
    Conflict,
}

/// Lets the signers sign what the draft asks for, until it is a publication.
pub async fn sign_draft(draft: Draft, signers: &[Arc<dyn Signer>]) -> Result<Publication, Failure> {
    let mut answer = None;
    let mut draft = draft;
    loop {
        let step;
        (draft, step) = draft.step(answer)?;
        match step {
            Step::Done(publication) => return Ok(publication),
            Step::Sign(request) => {
                let signer = signers
                    .iter()
                    .find(|signer| *signer.public_key() == request.key)
                    .ok_or_else(|| FlowError::NoSigner {
                        role: request.role.to_string(),
                    })?;
                answer = Some(signer.sign(request.scheme, &request.message).await?);
            }
        }
    }
}

impl Collection {
    /// Stores a publication, then reads timestamp and snapshot back and holds them against what was sent.
    pub async fn publish(
        &self,
        publication: &Publication,
        base: Option<&TrustedSet>,
        now: Timestamp,
    ) -> Result<Published, Failure> {
        match self
            .server
            .publish(&self.repository, &parts(publication))
            .await
        {
            Ok(()) => {}
            Err(registry::Error::VersionConflict { .. }) => return Ok(Published::Conflict),
            Err(error) => return Err(self.refused(error, base)),
        }
        let mut wait = Duration::from_millis(100);
        for _ in 0..READ_BACK_ATTEMPTS {
            match self.read_back(publication, base, now).await? {
                ReadBack::Listed => return Ok(Published::Stored),
                ReadBack::Newer => return Ok(Published::Overtaken),
                ReadBack::Older => {}
            }
            tokio::time::sleep(wait).await;
            wait *= 2;
        }
        let role = publication
            .files
            .first()
            .map(|(role, _)| role.to_string())
            .unwrap_or_default();
        Err(FlowError::NotReadBack {
            repository: self.repository.to_string(),
            role,
        }
        .into())
    }

    /// A server that lacks the snapshot key names it in its refusal.
    fn refused(&self, error: registry::Error, base: Option<&TrustedSet>) -> Failure {
        let keys = base.map_or(&[][..], |set| set.root().key_ids(&RoleName::SNAPSHOT));
        let missing = match &error {
            registry::Error::Refused { message, .. } => {
                keys.iter().find(|id| message.has(&id.to_string()))
            }
            _ => None,
        };
        match missing.copied() {
            None => error.into(),
            Some(key_id) => FlowError::SnapshotKeyNotHeld {
                repository: self.repository.to_string(),
                server: self.server_name(),
                key_id,
                cause: Box::new(error),
            }
            .into(),
        }
    }

    async fn read_back(
        &self,
        publication: &Publication,
        base: Option<&TrustedSet>,
        now: Timestamp,
    ) -> Result<ReadBack, Failure> {
        let (timestamp, snapshot) = try_join(
            self.get("timestamp.json", 1 << 20),
            self.get("snapshot.json", 64 << 20),
        )
        .await?;
        let (Some(timestamp), Some(snapshot)) = (timestamp, snapshot) else {
            return Ok(ReadBack::Older);
        };
        let mut read = match publication
            .files
            .iter()
            .find(|(role, _)| *role == RoleName::ROOT)
        {
            Some((_, root)) => self.founded(root, now)?,
            None => match base {
                Some(base) => base.reread(),
                None => return Ok(ReadBack::Older),
            },
        };
        if let Err(rejection) = read.update_timestamp(&timestamp) {
            return other_publication(rejection);
        }
        if read
            .snapshot_request()
            .is_none_or(|wanted| !wanted.digest.matches(&snapshot))
        {
            // Read in the middle of a publication, ours or another.
            return Ok(ReadBack::Older);
        }
        if let Err(rejection) = read.update_snapshot(&snapshot) {
            return other_publication(rejection);
        }
        let version =
            |set: &TrustedSet| set.snapshot().map_or(0, |snapshot| snapshot.version.get());
        for (role, bytes) in publication
            .files
            .iter()
            .filter(|(role, _)| *role != RoleName::SNAPSHOT)
        {
            if read
                .file_request(role)
                .is_none_or(|wanted| wanted.digest != Digest::sha256(bytes))
            {
                let newer = version(&read) > base.map_or(0, version) + 1;
                return Ok(if newer {
                    ReadBack::Newer
                } else {
                    ReadBack::Older
                });
            }
        }
        Ok(ReadBack::Listed)
    }

    /// A set that trusts the root that was just published, and nothing else yet.
    pub(super) fn founded(&self, root: &[u8], now: Timestamp) -> Result<TrustedSet, Failure> {
        let mut walk = RootWalk::new(Gun::from(&self.repository), RootTrust::FirstUse, None, now);
        match walk.offer(root)? {
            RootStep::Trusted(set) => Ok(*set),
            RootStep::Fetch(_) => Err(FlowError::NotReadBack {
                repository: self.repository.to_string(),
                role: "root".into(),
            }
            .into()),
        }
    }
}

/// An answer that is older than what was loaded before publishing is asked for again. One under another root
/// is a later publication, to be loaded under the pin. Anything else is wrong.
fn other_publication(rejection: Rejection) -> Result<ReadBack, Failure> {
    if root_was_replaced(&rejection) {
        return Ok(ReadBack::Newer);
    }
    if rejection.reason() == Reason::Rollback {
        Ok(ReadBack::Older)
    } else {
        Err(rejection.into())
    }
}

fn parts(publication: &Publication) -> Vec<(String, Vec<u8>)> {
    publication
        .files
        .iter()
        .map(|(role, bytes)| (role.to_string(), bytes.clone()))
        .collect()
}

/// A random pause, so that two writers do not meet again.
pub(super) async fn pause_before_retry() {
    tokio::time::sleep(Duration::from_millis(50) + jitter(Duration::from_millis(400))).await;
}

/// What the server lists after a publication.
enum ReadBack {
    /// The very bytes that were sent.
    Listed,
    /// A later publication than ours.
    Newer,
    /// Not ours yet.
    Older,
}
