//! `trust signer add`: lets a key sign tags under a name, in each repository named.

use std::sync::Arc;

use super::{
    LoadScope,
    revise::{Revision, public_keys},
};
use crate::{
    crypto::{PublicKey, Signer},
    flow::Services,
    format::dct::{RootTrust, SignerName, admin::add_signer},
    oci::Repository,
    report::Failure,
};

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
    /// The snapshot key, where the server does not hold it.
    pub snapshot: Option<Arc<dyn Signer>>,
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
    let mut signers = vec![options.targets.clone()];
    signers.extend(options.snapshot.clone());
    let revision = Revision {
        trust: &options.trust,
        scope: &LoadScope::Roles(Vec::new()),
        signers: &signers,
        now: services.now,
    };
    let held = public_keys(&signers);
    let collection = services.collection(&options.repository).to_renew();
    let revised = collection.revise(&revision, |set| {
        let draft = add_signer(set, &options.name, &options.keys, &held, services.now)?;
        let is_new = !draft.planned().is_empty();
        Ok((is_new, (is_new && !options.dry_run).then_some(draft)))
    });
    let revised = revised.await?;
    Ok(revised.plan || !revised.overtaken.is_empty())
}
