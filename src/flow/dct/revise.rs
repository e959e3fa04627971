//! Changing trust data: built on what is published, signed, published, and built anew where another writer was first.

use std::{collections::BTreeMap, sync::Arc};

use super::{Collection, LoadScope, Published, publish::pause_before_retry, sign_draft};
use crate::{
    crypto::{PublicKey, Signer},
    flow::FlowError,
    format::dct::{Draft, RoleName, RootTrust, TrustedSet},
    report::Failure,
    timestamp::Timestamp,
};

/// How often a change is rebuilt on another writer's publication before the run gives up. Two writers who publish in
/// turns meet once or twice; ten lost races in a row mean that somebody publishes without a pause.
const ATTEMPTS: u32 = 10;

/// What a change of trust data stands on.
#[derive(Debug)]
pub(super) struct Revision<'a> {
    /// Trust in the root.
    pub(super) trust: &'a RootTrust,
    /// The delegations that the change needs to see.
    pub(super) scope: &'a LoadScope,
    /// Whoever signs what the change writes.
    pub(super) signers: &'a [Arc<dyn Signer>],
    /// The time.
    pub(super) now: Timestamp,
}

/// How a change ended.
#[derive(Debug)]
pub(super) struct Revised<P> {
    /// The plan that nothing is left of: published, or without anything to publish.
    pub(super) plan: P,
    /// Plans that were published before, with another writer's publication on top.
    pub(super) overtaken: Vec<P>,
    /// Until when each published file holds.
    pub(super) ends: BTreeMap<RoleName, Timestamp>,
}

impl Collection {
    /// The trust data, loaded and verified; a repository without any is an error.
    pub async fn require(
        &self,
        trust: &RootTrust,
        scope: &LoadScope,
        now: Timestamp,
    ) -> Result<TrustedSet, Failure> {
        let loaded = self.load(trust, scope, now).await?;
        Ok(loaded.ok_or_else(|| self.no_trust_data(false))?)
    }

    /// That there is none; to a gate that means that nothing is signed.
    pub(in crate::flow) fn no_trust_data(&self, gate: bool) -> FlowError {
        FlowError::NoTrustData {
            repository: self.repository.to_string(),
            server: self.server_name(),
            gate,
        }
    }

    /// Loads, plans, signs and publishes; again from the start when another writer was first. The plan gives no draft
    /// where there is nothing to publish.
    pub(super) async fn revise<P>(
        &self,
        revision: &Revision<'_>,
        plan: impl FnMut(&TrustedSet) -> Result<(P, Option<Draft>), Failure>,
    ) -> Result<Revised<P>, Failure> {
        let set = self.require_for(revision).await?;
        self.revise_from(set, revision, plan).await
    }

    /// The same, on trust data that is loaded already.
    pub(super) async fn revise_from<P>(
        &self,
        mut set: TrustedSet,
        revision: &Revision<'_>,
        mut plan: impl FnMut(&TrustedSet) -> Result<(P, Option<Draft>), Failure>,
    ) -> Result<Revised<P>, Failure> {
        let mut overtaken = Vec::new();
        for _ in 0..ATTEMPTS {
            let (plan, draft) = plan(&set)?;
            let (published, ends) = match draft {
                None => (Published::Stored, BTreeMap::new()),
                Some(draft) => self.sign_and_publish(draft, &set, revision).await?,
            };
            match published {
                Published::Stored => {
                    return Ok(Revised {
                        plan,
                        overtaken,
                        ends,
                    });
                }
                Published::Overtaken => overtaken.push(plan),
                Published::Conflict => pause_before_retry().await,
            }
            set = self.require_for(revision).await?;
        }
        Err(FlowError::RaceLost {
            repository: self.repository.to_string(),
            attempts: ATTEMPTS,
        }
        .into())
    }

    /// How the publication ended, and until when each of its files holds.
    async fn sign_and_publish(
        &self,
        draft: Draft,
        base: &TrustedSet,
        revision: &Revision<'_>,
    ) -> Result<(Published, BTreeMap<RoleName, Timestamp>), Failure> {
        let publication = sign_draft(draft, revision.signers).await?;
        let published = if publication.files.is_empty() {
            Published::Stored
        } else {
            self.publish(&publication, Some(base), revision.now).await?
        };
        Ok((published, publication.ends))
    }

    async fn require_for(&self, revision: &Revision<'_>) -> Result<TrustedSet, Failure> {
        self.require(revision.trust, revision.scope, revision.now)
            .await
    }
}

/// The public keys of these signers.
pub(super) fn public_keys(signers: &[Arc<dyn Signer>]) -> Vec<PublicKey> {
    let public = signers.iter().map(|signer| signer.public_key().clone());
    public.collect()
}
