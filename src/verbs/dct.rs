//! What the verbs share that sign or trust Docker Content Trust data.

use std::sync::Arc;

use crate::{
    crypto::Signer,
    flow::Services,
    format::dct::{Key as DctKey, RootTrust},
    keys::KeyReference,
    report::{Failure, Report},
    settings::RunConfig,
};

/// A signer whose key can make the signatures of trust data.
pub(super) async fn open_for_dct(
    services: &Services,
    reference: &KeyReference,
) -> Result<Arc<dyn Signer>, Failure> {
    let signer = services.keys.open(reference).await?;
    let listed = DctKey::from_public_key(signer.public_key());
    if let Some(scheme) = listed.method().and_then(|method| listed.scheme(method)) {
        signer.check(scheme)?;
    }
    Ok(signer)
}

/// The key of the snapshot, where one is given because the trust server does not hold it.
pub(super) async fn open_snapshot_key(
    services: &Services,
    config: &RunConfig<'_>,
    given: Option<&str>,
) -> Result<Option<Arc<dyn Signer>>, Failure> {
    match given {
        None => Ok(None),
        Some(key) => {
            let reference = config.key("--snapshot-key", key)?;
            Ok(Some(open_for_dct(services, &reference).await?))
        }
    }
}

/// Trust on first use is said in words in every report (T23).
pub(super) fn warn_of_trust(report: &mut Report, trust: &RootTrust) {
    if matches!(trust, RootTrust::FirstUse) && report.weakened.is_empty() {
        report.weakened.push("--trust-on-first-use".to_owned());
        report.warnings.push(
            "trust on first use: the root that the trust server showed was trusted, because nothing was pinned".to_owned(),
        );
    }
}
