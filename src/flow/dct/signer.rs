//! `trust signer add`: lets a key sign tags under a name, in each repository named.

use std::sync::Arc;

use super::{Needed, Published, publish::pause_before_retry, sign_draft};
use crate::{
    crypto::{PublicKey, Signer},
    flow::{FlowError, Services},
    format::dct::{RootTrust, SignerName, admin::add_signer},
    oci::Repository,
    report::Failure,
};

/// How often the change is rebuilt on another writer's before the run gives up.
const ATTEMPTS: u32 = 10;

/// What `trust signer add` was asked for.
#[derive(Clone, Debug)]
pub struct SignerAddOptions {
    /// The repository.
    pub repository: Repository,
    /// The signer's name.
    pub name: SignerName,
    /// The signer's keys.
    pub keys: Vec<PublicKey>,
    /// The targets key.
    pub targets: Arc<dyn Signer>,
    /// Trust in the root.
    pub trust: RootTrust,
    /// Plan only.
    pub dry_run: bool,
}

/// Adds the signer; `false` if it was there already.
pub async fn trust_signer_add(
    services: &Services,
    options: &SignerAddOptions,
) -> Result<bool, Failure> {
    let collection = services.collection(&options.repository);
    let repository = options.repository.to_string();
    let mut added = false;
    for _ in 0..ATTEMPTS {
        let loaded = collection
            .load(&options.trust, &Needed::Roles(Vec::new()), services.now)
            .await?;
        let set = loaded.ok_or_else(|| FlowError::NoTrustData {
            repository: repository.clone(),
            server: collection.server_name(),
            gate: false,
        })?;
        let held = [options.targets.public_key().clone()];
        let draft = add_signer(&set, &options.name, &options.keys, &held, services.now)?;
        if draft.planned().is_empty() || options.dry_run {
            return Ok(added || !draft.planned().is_empty());
        }
        let publication = sign_draft(draft, std::slice::from_ref(&options.targets)).await?;
        match collection
            .publish(&publication, Some(&set), services.now)
            .await?
        {
            Published::Stored => return Ok(true),
            Published::Overtaken => added = true,
            Published::Conflict => pause_before_retry().await,
        }
    }
    Err(FlowError::RaceLost {
        repository,
        attempts: ATTEMPTS,
    }
    .into())
}
