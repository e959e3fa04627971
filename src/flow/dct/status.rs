//! `trust status`: what the trust server has for a repository, verified. Reads nothing but trust data.

use super::LoadScope;
use crate::{
    flow::Services,
    format::dct::RootTrust,
    oci::Repository,
    report::{Failure, TrustView},
};

/// Loads the trust data. Without a pin nothing says that its root is the right one.
pub async fn trust_status(
    services: &Services,
    repository: &Repository,
    pin: Option<RootTrust>,
) -> Result<TrustView, Failure> {
    let collection = services.collection(repository);
    let pinned = matches!(pin, Some(RootTrust::Keys(_) | RootTrust::Ca(_)));
    let trust = pin.unwrap_or(RootTrust::FirstUse);
    let set = collection
        .require(&trust, &LoadScope::All, services.now)
        .await?;
    Ok(TrustView {
        repository: repository.clone(),
        set,
        pinned,
    })
}
