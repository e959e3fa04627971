//! Loading a repository's trust data: fetches what the pure trusted set asks for, in as few round trips as
//! its chain of hashes allows, and hands every byte to it. Decides nothing about trust itself.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use futures::future::{try_join, try_join_all};

use crate::{
    crypto::PublicKey,
    flow::FlowError,
    format::dct::{
        FileRequest, Gun, Rejection, RequiredSigner, Requirement, RoleName, RootStep, RootTrust,
        RootWalk, Seen, TrustedSet, needed_roles,
    },
    oci::{Repository, Tag},
    registry::TrustServer,
    report::Failure,
    timestamp::Timestamp,
};

/// Bytes that a root or timestamp file may have. No hash is known of them before they are read, so the bound is ours: a
/// hundred times what a root with ten certificates takes.
const ROOT_LIMIT: u64 = 1 << 20;

/// A repository's trust data on its trust server.
#[derive(Clone, Debug)]
pub struct Collection {
    /// The trust server.
    pub server: TrustServer,
    /// The repository; its full name is the GUN.
    pub repository: Repository,
    /// Files that were fetched, where they serve more than one load.
    kept: Option<Kept>,
    /// What earlier runs saw of it.
    seen: Option<Seen>,
    /// Whether it is loaded to be signed again, so that an expired `targets` is no obstacle.
    to_renew: bool,
}

/// Files by name; `None` where the server has none.
type Kept = Arc<Mutex<HashMap<String, Option<Vec<u8>>>>>;

/// Which delegation files a command looks at.
#[derive(Clone, Debug)]
pub enum LoadScope {
    /// Those that decide about these tags (`None`: about a digest) under these requirements.
    ToJudge {
        /// The tags.
        tags: Vec<Option<Tag>>,
        /// What must have signed.
        requirements: Vec<Requirement>,
    },
    /// `targets/releases`, and every first-level delegation that lists the key.
    ToSignWith(PublicKey),
    /// Those that are named.
    Roles(Vec<RoleName>),
    /// All.
    All,
}

impl Collection {
    /// The trust data of a repository on this server.
    pub fn new(server: TrustServer, repository: Repository) -> Self {
        Self {
            server,
            repository,
            kept: None,
            seen: None,
            to_renew: false,
        }
    }

    /// The same, for several loads of one run: each file is fetched once.
    #[must_use]
    pub fn keeping(self) -> Self {
        Self {
            kept: Some(Kept::default()),
            ..self
        }
    }

    /// The same, held against what earlier runs saw.
    #[must_use]
    pub fn after(self, seen: Option<Seen>) -> Self {
        Self { seen, ..self }
    }

    /// The same, loaded to be published: what has expired can be signed again.
    #[must_use]
    pub fn to_renew(self) -> Self {
        Self {
            to_renew: true,
            ..self
        }
    }

    /// Loads and verifies the trust data; `None` if there is none.
    pub async fn load(
        &self,
        trust: &RootTrust,
        needed: &LoadScope,
        now: Timestamp,
    ) -> Result<Option<TrustedSet>, Failure> {
        match self.load_once(trust, needed, now).await {
            Err(failure) if failure.is().is_some_and(root_was_replaced) => {
                self.forget();
                self.load_once(trust, needed, now).await
            }
            loaded => loaded,
        }
    }

    async fn load_once(
        &self,
        trust: &RootTrust,
        needed: &LoadScope,
        now: Timestamp,
    ) -> Result<Option<TrustedSet>, Failure> {
        let (root, timestamp) = try_join(
            self.get("root.json", ROOT_LIMIT),
            self.get("timestamp.json", ROOT_LIMIT),
        )
        .await?;
        let Some(root) = root else { return Ok(None) };
        let mut set = self.walk(root, trust, now).await?;
        let timestamp = timestamp.ok_or_else(|| self.missing("timestamp.json"))?;
        set.update_timestamp(&timestamp)?;
        let snapshot = self
            .fetch(
                set.snapshot_request()
                    .ok_or_else(|| self.missing("snapshot.json"))?,
            )
            .await?;
        set.update_snapshot(&snapshot)?;
        self.load_targets(&mut set, needed).await?;
        Ok(Some(set))
    }

    /// The chain of roots, from what the server shows to what the trust accepts.
    async fn walk(
        &self,
        root: Vec<u8>,
        trust: &RootTrust,
        now: Timestamp,
    ) -> Result<TrustedSet, Failure> {
        let mut walk = RootWalk::new(
            Gun::from(&self.repository),
            trust.clone(),
            self.seen.clone(),
            now,
        );
        let mut step = walk.offer(&root)?;
        loop {
            match step {
                RootStep::Trusted(set) => return Ok(*set),
                RootStep::Fetch(version) => {
                    let name = format!("{version}.root.json");
                    let bytes = self
                        .get(&name, ROOT_LIMIT)
                        .await?
                        .ok_or_else(|| self.missing(&name))?;
                    step = walk.offer(&bytes)?;
                }
            }
        }
    }

    /// `targets`, together with the delegations known to be needed; then, level by level, the rest.
    async fn load_targets(&self, set: &mut TrustedSet, needed: &LoadScope) -> Result<(), Failure> {
        let early = needed.before_targets();
        let early: Vec<FileRequest> = early
            .iter()
            .filter_map(|role| set.file_request(role))
            .collect();
        let targets = set
            .file_request(&RoleName::TARGETS)
            .ok_or_else(|| self.missing("targets.json"))?;
        let early = early.into_iter().map(|wanted| self.fetch_role(wanted));
        let (targets, mut fetched) = try_join(self.fetch(targets), try_join_all(early)).await?;
        if self.to_renew {
            set.update_targets_to_renew(&targets)?;
        } else {
            set.update_targets(&targets)?;
        }
        loop {
            let pending = needed.next(set);
            if pending.is_empty() {
                return Ok(());
            }
            set.refuse_too_many(&pending)?;
            let absent = pending
                .iter()
                .filter(|role| fetched.iter().all(|(name, _)| name != *role));
            let absent: Vec<FileRequest> =
                absent.filter_map(|role| set.file_request(role)).collect();
            fetched.extend(
                try_join_all(absent.into_iter().map(|wanted| self.fetch_role(wanted))).await?,
            );
            for role in &pending {
                let (_, bytes) = fetched
                    .iter()
                    .position(|(name, _)| name == role)
                    .map(|at| fetched.swap_remove(at))
                    .ok_or_else(|| self.missing(role.as_str()))?;
                set.update_delegation(role, &bytes)?;
            }
        }
    }

    async fn fetch_role(&self, wanted: FileRequest) -> Result<(RoleName, Vec<u8>), Failure> {
        let role = wanted.role.clone();
        Ok((role, self.fetch(wanted).await?))
    }

    async fn fetch(&self, wanted: FileRequest) -> Result<Vec<u8>, Failure> {
        let name = wanted.file_name();
        Ok(self
            .get(&name, wanted.length)
            .await?
            .ok_or_else(|| self.missing(&name))?)
    }

    /// The host that is asked.
    pub fn server_name(&self) -> String {
        self.server.name(&self.repository)
    }

    /// One file, or `None` where the server has none; at most `limit` bytes.
    pub async fn get(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, Failure> {
        if let Some(kept) = &self.kept
            && let Some(file) = kept
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .get(name)
            && file
                .as_ref()
                .is_none_or(|bytes| u64::try_from(bytes.len()).is_ok_and(|length| length <= limit))
        {
            return Ok(file.clone());
        }
        let file = self.server.get(&self.repository, name, limit).await?;
        if let Some(kept) = &self.kept {
            kept.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(name.to_owned(), file.clone());
        }
        Ok(file)
    }

    fn forget(&self) {
        if let Some(kept) = &self.kept {
            kept.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
    }

    fn missing(&self, file: &str) -> FlowError {
        FlowError::FileMissing {
            repository: self.repository.to_string(),
            file: file.to_owned(),
        }
    }
}

impl LoadScope {
    /// Delegations asked for together with `targets`, before it says who may sign them.
    fn before_targets(&self) -> Vec<RoleName> {
        match self {
            Self::Roles(roles) => roles
                .iter()
                .filter(|role| role.is_delegation())
                .cloned()
                .collect(),
            Self::ToSignWith(_) | Self::All => vec![RoleName::RELEASES],
            Self::ToJudge { requirements, .. } => {
                let signers = requirements
                    .iter()
                    .flat_map(|requirement| &requirement.signers);
                let named = signers.filter_map(|signer| match signer {
                    RequiredSigner::Name(role) => Some(role),
                    RequiredSigner::Key(_) => None,
                });
                let versions = requirements
                    .iter()
                    .flat_map(|requirement| requirement.minimum_versions.keys());
                let mut roles = vec![RoleName::RELEASES];
                for role in named.chain(versions).filter(|role| role.is_delegation()) {
                    if !roles.contains(role) {
                        roles.push(role.clone());
                    }
                }
                roles
            }
        }
    }

    /// Those that are wanted next, given what is loaded.
    fn next(&self, set: &TrustedSet) -> Vec<RoleName> {
        let pending = set.pending_delegations();
        match self {
            Self::All => pending,
            Self::Roles(roles) => pending
                .into_iter()
                .filter(|role| roles.iter().any(|one| one == role || one.is_below(role)))
                .collect(),
            Self::ToSignWith(key) => {
                let first_level = |role: &RoleName| role.parent() == Some(RoleName::TARGETS);
                let wanted = |role: &RoleName| {
                    *role == RoleName::RELEASES || (first_level(role) && lists(set, role, key))
                };
                pending.into_iter().filter(wanted).collect()
            }
            Self::ToJudge { tags, requirements } => {
                let mut wanted: Vec<RoleName> = Vec::new();
                let of_tag = |tag: &Option<Tag>| {
                    let tag = tag.clone();
                    requirements
                        .iter()
                        .flat_map(move |requirement| needed_roles(tag.as_ref(), requirement, set))
                };
                for role in tags.iter().flat_map(of_tag) {
                    if !wanted.contains(&role) {
                        wanted.push(role);
                    }
                }
                wanted
            }
        }
    }
}

/// Root and timestamp are asked for together, so a root published in between shows as another root than the
/// snapshot vouches for, or as files of keys that are not in it: once, everything is read again,
/// as a client starts anew under a new root (TUF 5.3.11).
pub(super) fn root_was_replaced(rejection: &Rejection) -> bool {
    match rejection {
        Rejection::HashMismatch { role, .. } => *role == RoleName::ROOT,
        Rejection::BelowThreshold { role, .. } => *role != RoleName::ROOT && !role.is_delegation(),
        _ => false,
    }
}

/// Whether a delegation lists the key, in whatever form.
pub(super) fn lists(set: &TrustedSet, role: &RoleName, key: &PublicKey) -> bool {
    let parent = role.parent().and_then(|parent| set.targets(&parent));
    let delegation = set.delegated_by(role);
    parent.zip(delegation).is_some_and(|(parent, delegation)| {
        parent
            .keys_of(delegation)
            .iter()
            .any(|listed| listed.public_key().is_ok_and(|public| public == *key))
    })
}
