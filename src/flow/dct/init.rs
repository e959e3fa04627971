//! `trust init`: creates a repository's trust data; the server holds the timestamp key.

use std::sync::Arc;

use futures::future::try_join;

use super::{Collection, Published, sign_draft};
use crate::{
    crypto::{PublicKey, Signer},
    flow::{FlowError, Services},
    format::dct::{
        Key, KeyId, RoleName, SignerName,
        init::{NewCollection, SnapshotKey, prepare, server_key},
    },
    oci::Repository,
    report::Failure,
};

/// What `trust init` was asked for.
#[derive(Clone, Debug)]
pub struct InitOptions {
    /// The repository.
    pub repository: Repository,
    /// The root key.
    pub root: Arc<dyn Signer>,
    /// The targets key.
    pub targets: Arc<dyn Signer>,
    /// Signers by name.
    pub signers: Vec<(SignerName, Vec<PublicKey>)>,
    /// The snapshot key, when it is not the server's.
    pub snapshot: Option<Arc<dyn Signer>>,
    /// Plan only.
    pub dry_run: bool,
}

/// A new collection.
#[derive(Debug)]
pub struct Initialised {
    /// The root key ID to pin; none in a dry run, as it is that of a certificate still to be made.
    pub root_key_id: Option<KeyId>,
    /// The canonical ID of the same key: a pin that serves every repository with this root key.
    pub canonical_id: KeyId,
    /// The roles that were published.
    pub roles: Vec<RoleName>,
}

/// Creates the trust data; refuses where there is some.
pub async fn trust_init(
    services: &Services,
    options: &InitOptions,
) -> Result<Initialised, Failure> {
    let collection = services.collection(&options.repository);
    if collection.get("root.json", 1 << 20).await?.is_some() {
        return Err(FlowError::AlreadyInitialised {
            repository: options.repository.to_string(),
        }
        .into());
    }
    let (timestamp, snapshot) = server_keys(&collection, options).await?;
    let mut serial = [0; 16];
    getrandom::fill(&mut serial).map_err(|_| FlowError::NoRandomness)?;
    let new = NewCollection {
        gun: (&options.repository).into(),
        root_key: options.root.public_key().clone(),
        targets_key: options.targets.public_key().clone(),
        signers: options.signers.clone(),
        snapshot,
        timestamp,
        serial,
    };
    let draft = prepare(new, services.now)?;
    let canonical_id = Key::from_public_key(options.root.public_key()).key_id();
    if options.dry_run {
        return Ok(Initialised {
            root_key_id: None,
            canonical_id,
            roles: vec![RoleName::ROOT, RoleName::TARGETS],
        });
    }
    let mut signers = vec![options.root.clone(), options.targets.clone()];
    signers.extend(options.snapshot.clone());
    let publication = sign_draft(draft, &signers).await?;
    match collection.publish(&publication, None, services.now).await? {
        Published::Stored | Published::Overtaken => {}
        Published::Conflict => {
            return Err(FlowError::AlreadyInitialised {
                repository: options.repository.to_string(),
            }
            .into());
        }
    }
    let root = publication
        .files
        .iter()
        .find(|(role, _)| *role == RoleName::ROOT);
    let root = root
        .map(|(_, bytes)| collection.founded(bytes, services.now))
        .transpose()?;
    let root_key_id = root.and_then(|set| set.root().key_ids(&RoleName::ROOT).first().copied());
    Ok(Initialised {
        root_key_id,
        canonical_id,
        roles: publication
            .files
            .into_iter()
            .map(|(role, _)| role)
            .collect(),
    })
}

/// The keys of the timestamp and the snapshot: the server's, unless the owner holds that of the snapshot.
async fn server_keys(
    collection: &Collection,
    options: &InitOptions,
) -> Result<(Key, SnapshotKey), Failure> {
    let timestamp = key_of_server(collection, RoleName::TIMESTAMP);
    if let Some(signer) = &options.snapshot {
        let held = SnapshotKey::Held(signer.public_key().clone());
        return Ok((timestamp.await?, held));
    }
    let snapshot = key_of_server(collection, RoleName::SNAPSHOT);
    let (timestamp, snapshot) = try_join(timestamp, snapshot).await?;
    Ok((timestamp, SnapshotKey::Server(snapshot)))
}

async fn key_of_server(collection: &Collection, role: RoleName) -> Result<Key, Failure> {
    let answer = collection.server.key(&collection.repository, role.as_str());
    Ok(server_key(&role, &answer.await?)?)
}
