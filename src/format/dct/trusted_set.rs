//! The verified files of one collection, loaded in their order: root, timestamp, snapshot, targets,
//! delegations. The steps of the TUF specification (§5.3 to §5.6) are named beside the checks.
//!
//! - A file is used only when the file above it is loaded and valid; there is no other order.
//! - Length and hash are compared first, then signatures, then what an earlier run saw, and expiry
//!   last. So an expired file is known to be authentic, and a delegation that expired can be signed
//!   again.
//! - One function loads every role, so that no role misses a check that another one has (T12).
//! - A delegation that is expired or below its threshold is kept as such and leads nowhere; any
//!   other fault rejects everything.
//! - Versions are not compared between files (TUF 5.4.3.2, 5.5.4, 5.5.5, 5.6.4): Notary v1 lists no
//!   versions, only length and hash, and the hash fixes every byte, so also the version.

use std::collections::BTreeMap;

use super::{
    authority::{Authority, SignedBy},
    delegation_state::{DelegationState, Withheld},
    file_meta::FileMeta,
    file_request::FileRequest,
    name::{Gun, RoleName, Version},
    rejection::Rejection,
    root::Root,
    seen::{Seen, SeenFile},
    signed::{RoleBody, SignedFile},
    snapshot::{Snapshot, TimestampFile},
    targets::{DELEGATION_LIMIT, Delegation, Targets},
};
use crate::{oci::Digest, timestamp::Timestamp};

/// A root that the walk ended at.
#[derive(Clone, Debug)]
pub(super) struct TrustedRoot {
    pub(super) body: Root,
    pub(super) bytes: Vec<u8>,
    pub(super) signers: Vec<SignedBy>,
}

/// The verified files of one collection.
#[derive(Clone, Debug)]
pub struct TrustedSet {
    gun: Gun,
    now: Timestamp,
    seen: Seen,
    checks: u64,
    root: TrustedRoot,
    timestamp: Option<Loaded<TimestampFile>>,
    snapshot: Option<Loaded<Snapshot>>,
    targets: Option<Loaded<Targets>>,
    delegations: BTreeMap<RoleName, Visited>,
}

/// A file that was verified.
#[derive(Clone, Debug)]
struct Loaded<T> {
    body: T,
    digest: Digest,
    signers: Vec<SignedBy>,
}

impl<T: RoleBody> Loaded<T> {
    /// What is remembered of the file of `role`.
    fn seen(&self, role: RoleName) -> (RoleName, SeenFile) {
        let file = SeenFile {
            version: self.body.header().version,
            sha256: self.digest.clone(),
        };
        (role, file)
    }
}

/// A delegation whose file was offered.
#[derive(Clone, Debug)]
enum Visited {
    Loaded {
        file: Loaded<Targets>,
        paths: Vec<String>,
    },
    /// Signed as it must be, and expired: used for nothing but being signed again.
    Expired(Loaded<Targets>),
    BelowThreshold,
}

impl TrustedSet {
    pub(super) fn new(
        gun: Gun,
        root: TrustedRoot,
        seen: Seen,
        now: Timestamp,
        checks: u64,
    ) -> Self {
        let delegations = BTreeMap::new();
        Self {
            gun,
            now,
            seen,
            checks,
            root,
            timestamp: None,
            snapshot: None,
            targets: None,
            delegations,
        }
    }

    /// The same root with nothing else loaded, and all that was loaded as memory: for reading back
    /// what was just published, where an older answer is a rollback.
    #[must_use]
    pub fn reread(&self) -> Self {
        Self::new(
            self.gun.clone(),
            self.root.clone(),
            self.seen(),
            self.now,
            self.checks,
        )
    }

    /// Takes `timestamp.json` (TUF 5.4). What an earlier one vouched for is forgotten.
    pub fn update_timestamp(&mut self, bytes: &[u8]) -> Result<(), Rejection> {
        // No hash is known of it: it is the file that says what is current. Its freshness is its
        // expiry.
        let authority = self.root.body.authority(&RoleName::TIMESTAMP);
        (self.timestamp, self.snapshot, self.targets) = (None, None, None);
        self.delegations.clear();
        self.timestamp = Some(self.load(&RoleName::TIMESTAMP, &authority, bytes)?);
        Ok(())
    }

    /// The snapshot that the timestamp vouches for.
    pub fn snapshot_request(&self) -> Option<FileRequest> {
        FileRequest::new(&RoleName::SNAPSHOT, &self.timestamp.as_ref()?.body.snapshot)
    }

    /// Takes the snapshot file (TUF 5.5). It must also vouch for the root in use.
    pub fn update_snapshot(&mut self, bytes: &[u8]) -> Result<(), Rejection> {
        let role = RoleName::SNAPSHOT;
        // TUF 5.5.2: the timestamp's length and hashes, before anything of the file is read.
        self.timestamp
            .as_ref()
            .ok_or_else(|| Rejection::out_of_order(&role, &RoleName::TIMESTAMP))?
            .body
            .snapshot
            .check(&role, bytes)?;
        let authority = self.root.body.authority(&role);
        let snapshot = self.load::<Snapshot>(&role, &authority, bytes)?;
        // Not in TUF, whose snapshot does not list the root: files of two publications must not mix
        // (T24).
        if let Some(meta) = snapshot.body.meta(&RoleName::ROOT) {
            meta.check(&RoleName::ROOT, &self.root.bytes)?;
        }
        self.snapshot = Some(snapshot);
        Ok(())
    }

    /// The file of targets or of a delegation, as the snapshot lists it; `None` when it does not.
    pub fn file_request(&self, role: &RoleName) -> Option<FileRequest> {
        FileRequest::new(role, self.snapshot.as_ref()?.body.meta(role)?)
    }

    /// Takes the file of the base role `targets` (TUF 5.6).
    pub fn update_targets(&mut self, bytes: &[u8]) -> Result<(), Rejection> {
        let role = RoleName::TARGETS;
        // TUF 5.6.2: the snapshot's length and hashes.
        self.listed(&role)?.check(&role, bytes)?;
        // TUF 5.6.3: the keys and the threshold are the root's.
        let authority = self.root.body.authority(&role);
        let targets = self.load::<Targets>(&role, &authority, bytes)?;
        self.refuse_dropped(&targets.body)?;
        self.targets = Some(targets);
        Ok(())
    }

    /// Takes the file of the base role `targets` to sign it again: also an expired one, since a
    /// timestamp and a snapshot that have not expired name its hash. Such a set proves nothing
    /// about an image.
    pub fn update_targets_to_renew(&mut self, bytes: &[u8]) -> Result<(), Rejection> {
        let role = RoleName::TARGETS;
        self.listed(&role)?.check(&role, bytes)?;
        let authority = self.root.body.authority(&role);
        let targets = self.load_at_any_time::<Targets>(&role, &authority, bytes)?;
        self.refuse_dropped(&targets.body)?;
        self.targets = Some(targets);
        Ok(())
    }

    /// When the base role `targets` expired, in a set that was loaded to sign it again.
    pub fn targets_expired(&self) -> Option<Timestamp> {
        let expires = self.targets(&RoleName::TARGETS)?.expires;
        (self.now >= expires).then_some(expires)
    }

    /// Takes the file of a delegation (TUF 5.6.7), whose parent must be loaded. Expired or below
    /// its threshold it is kept as such and nothing below it is visited.
    pub fn update_delegation(&mut self, role: &RoleName, bytes: &[u8]) -> Result<(), Rejection> {
        let parent = role.parent().ok_or_else(|| Rejection::not_listed(role))?;
        let delegator = self
            .targets(&parent)
            .ok_or_else(|| Rejection::out_of_order(role, &parent))?;
        let delegation = delegator
            .delegation(role)
            .ok_or_else(|| Rejection::not_listed(role))?;
        // TUF 5.6.3 for a delegation: keys and threshold are those of this delegator; nothing that
        // was verified for another one is reused (T18).
        let authority = delegator.authority(delegation);
        // A role cannot hand on more than it has: prefixes narrow from parent to child.
        let paths = allowed(&delegation.paths, self.paths(&parent));
        // TUF 5.6.7.1 bounds the number of visited roles. A loop cannot be made: a role's name says
        // its parent.
        self.refuse_too_many(std::slice::from_ref(role))?;
        self.listed(role)?.check(role, bytes)?;
        let visited = match self.load_at_any_time::<Targets>(role, &authority, bytes) {
            Ok(file) if self.now >= file.body.expires => Visited::Expired(file),
            Ok(file) => {
                self.refuse_dropped(&file.body)?;
                Visited::Loaded { file, paths }
            }
            Err(Rejection::BelowThreshold { .. }) => Visited::BelowThreshold,
            Err(other) => return Err(other),
        };
        self.delegations.insert(role.clone(), visited);
        Ok(())
    }

    /// The delegations whose files are in the snapshot and were not offered yet, depth first in
    /// list order.
    pub fn pending_delegations(&self) -> Vec<RoleName> {
        let mut roles = self.delegated();
        roles.retain(|role| self.delegation(role) == Some(DelegationState::NotLoaded));
        roles
    }

    /// Refuses to load `roles` where they make too many, to be asked before they are fetched.
    pub fn refuse_too_many(&self, roles: &[RoleName]) -> Result<(), Rejection> {
        let left = DELEGATION_LIMIT.saturating_sub(self.delegations.len());
        match roles
            .iter()
            .filter(|role| !self.delegations.contains_key(role))
            .nth(left)
        {
            None => Ok(()),
            Some(role) => Err(Rejection::TooManyDelegations {
                role: role.clone(),
                limit: DELEGATION_LIMIT,
            }),
        }
    }

    /// All roles that are delegated to by what is loaded, depth first in list order.
    pub fn delegated(&self) -> Vec<RoleName> {
        let mut roles = Vec::new();
        let mut next = self.children(&RoleName::TARGETS);
        while let Some(role) = next.pop() {
            next.extend(self.children(&role));
            roles.push(role);
        }
        roles
    }

    /// The roles that `role` delegates to, last first.
    fn children(&self, role: &RoleName) -> Vec<RoleName> {
        let listed = self.targets(role).map(Targets::delegations);
        listed
            .unwrap_or_default()
            .iter()
            .rev()
            .map(|delegation| delegation.name.clone())
            .collect()
    }

    /// What is known of `role`; `None` when nothing that is loaded delegates to it.
    pub fn delegation(&self, role: &RoleName) -> Option<DelegationState> {
        self.delegated_by(role)?;
        Some(match self.delegations.get(role) {
            Some(Visited::Loaded { .. }) => DelegationState::Loaded,
            Some(Visited::Expired(_)) => DelegationState::Expired,
            Some(Visited::BelowThreshold) => DelegationState::BelowThreshold,
            None if self.is_in_snapshot(role) => DelegationState::NotLoaded,
            None => DelegationState::Absent,
        })
    }

    /// How the parent of `role` delegates to it.
    pub fn delegated_by(&self, role: &RoleName) -> Option<&Delegation> {
        self.targets(&role.parent()?)?.delegation(role)
    }

    /// `targets/releases`, when it is delegated and expired, below its threshold or absent (T29,
    /// T30).
    pub fn withheld(&self) -> Option<Withheld> {
        let role = RoleName::RELEASES;
        if self.is_new() {
            return None;
        }
        match self.delegation(&role)? {
            DelegationState::Loaded | DelegationState::NotLoaded => None,
            state @ (DelegationState::Expired
            | DelegationState::BelowThreshold
            | DelegationState::Absent) => Some(Withheld { role, state }),
        }
    }

    /// Whether nothing was signed yet: no tag in `targets`, and no delegation was ever published.
    /// Then there is nothing that a role which is not there could hide.
    fn is_new(&self) -> bool {
        let holds_tags = self
            .targets(&RoleName::TARGETS)
            .is_none_or(|file| file.all().next().is_some());
        let is_published = |role: &RoleName| self.delegation(role) != Some(DelegationState::Absent);
        !holds_tags && !self.delegated().iter().any(is_published)
    }

    /// The collection.
    pub fn gun(&self) -> &Gun {
        &self.gun
    }

    /// The time that everything is judged at.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// The root.
    pub fn root(&self) -> &Root {
        &self.root.body
    }

    /// The bytes of the root file.
    pub fn root_bytes(&self) -> &[u8] {
        &self.root.bytes
    }

    /// The timestamp file, once it is loaded.
    pub fn timestamp(&self) -> Option<&TimestampFile> {
        self.timestamp.as_ref().map(|file| &file.body)
    }

    /// The snapshot, once it is loaded.
    pub fn snapshot(&self) -> Option<&Snapshot> {
        self.snapshot.as_ref().map(|file| &file.body)
    }

    /// The version of a role's file, once it is loaded.
    pub fn version(&self, role: &RoleName) -> Option<Version> {
        match role {
            role if *role == RoleName::ROOT => Some(self.root().version),
            role if *role == RoleName::TIMESTAMP => self.timestamp().map(|file| file.version),
            role if *role == RoleName::SNAPSHOT => self.snapshot().map(|file| file.version),
            role => self.targets(role).map(|file| file.version),
        }
    }

    /// The file of `targets` or of a delegation, once it is loaded.
    pub fn targets(&self, role: &RoleName) -> Option<&Targets> {
        self.targets_file(role).map(|file| &file.body)
    }

    /// The file of a delegation that expired and is signed as it must be: for signing it again
    /// only.
    pub fn expired(&self, role: &RoleName) -> Option<&Targets> {
        match self.delegations.get(role)? {
            Visited::Expired(file) => Some(&file.body),
            Visited::Loaded { .. } | Visited::BelowThreshold => None,
        }
    }

    /// Whether the paths of `role`, as far as its parents', hold `tag`; also for a role without a
    /// file.
    pub fn may_sign(&self, role: &RoleName, tag: &str) -> bool {
        let Some(parent) = role.parent() else {
            return *role == RoleName::TARGETS;
        };
        self.delegated_by(role).is_some_and(|delegation| {
            allowed(&delegation.paths, self.paths(&parent))
                .iter()
                .any(|path| tag.starts_with(path.as_str()))
        })
    }

    /// Who may sign the file of `role`; `None` when nothing that is loaded delegates to it.
    pub(super) fn authority(&self, role: &RoleName) -> Option<Authority> {
        if role.is_delegation() {
            let delegator = self.targets(&role.parent()?)?;
            return Some(delegator.authority(delegator.delegation(role)?));
        }
        Some(self.root().authority(role))
    }

    /// The roles of `targets` and all delegations that are loaded, `targets` first.
    pub fn loaded(&self) -> Vec<RoleName> {
        let base = self.targets.iter().map(|_| RoleName::TARGETS);
        let below = self
            .delegated()
            .into_iter()
            .filter(|role| self.targets(role).is_some());
        base.chain(below).collect()
    }

    /// The keys that validly signed the file of `role`.
    pub fn signers(&self, role: &RoleName) -> &[SignedBy] {
        if *role == RoleName::ROOT {
            return &self.root.signers;
        }
        self.targets_file(role)
            .map(|file| file.signers.as_slice())
            .unwrap_or_default()
    }

    /// What `role` says `tag` is. What lies outside the paths of the role does not exist.
    pub fn entry(&self, role: &RoleName, tag: &str) -> Option<&FileMeta> {
        self.may_hold(role, tag)
            .then(|| self.targets(role)?.target(tag))
            .flatten()
    }

    /// All tags of `role` that lie within its paths.
    pub fn entries(&self, role: &RoleName) -> impl Iterator<Item = (&str, &FileMeta)> {
        let paths = self.paths(role);
        self.targets(role)
            .into_iter()
            .flat_map(Targets::all)
            .filter(move |(tag, _)| paths.iter().any(|path| tag.starts_with(path.as_str())))
    }

    /// How many signatures were checked, with those of the root walk.
    pub fn signature_checks(&self) -> u64 {
        self.checks
    }

    /// The earliest expiry of root, timestamp, snapshot and the given roles.
    pub fn expires(&self, roles: &[RoleName]) -> Timestamp {
        let base = [
            self.timestamp().map(|file| file.expires),
            self.snapshot().map(|file| file.expires),
        ];
        let roles = roles
            .iter()
            .map(|role| self.targets(role).map(|file| file.expires));
        base.into_iter()
            .chain(roles)
            .flatten()
            .fold(self.root.body.expires, Timestamp::min)
    }

    /// What the next run should remember: this run's files, and what was remembered of files not
    /// loaded now.
    pub fn seen(&self) -> Seen {
        let mut roles = self.seen.roles.clone();
        roles.extend(
            self.timestamp
                .iter()
                .map(|file| file.seen(RoleName::TIMESTAMP)),
        );
        roles.extend(
            self.snapshot
                .iter()
                .map(|file| file.seen(RoleName::SNAPSHOT)),
        );
        for role in self.loaded() {
            if let Some(file) = self.targets_file(&role) {
                roles.extend([file.seen(role)]);
            }
        }
        Seen {
            root: self.root.bytes.clone(),
            roles,
        }
    }

    /// Verifies the file of any role: structure, signatures, memory, expiry.
    fn load<T: RoleBody>(
        &mut self,
        role: &RoleName,
        authority: &Authority,
        bytes: &[u8],
    ) -> Result<Loaded<T>, Rejection> {
        let file = self.load_at_any_time::<T>(role, authority, bytes)?;
        // TUF 5.4.4, 5.5.6, 5.6.5: at the very second of its expiry a file is no longer valid
        // (T01).
        let expires = file.body.header().expires;
        if self.now >= expires {
            return Err(Rejection::Expired {
                role: role.clone(),
                expires,
            });
        }
        Ok(file)
    }

    /// The same without the expiry, which is checked last.
    fn load_at_any_time<T: RoleBody>(
        &mut self,
        role: &RoleName,
        authority: &Authority,
        bytes: &[u8],
    ) -> Result<Loaded<T>, Rejection> {
        let file = SignedFile::<T>::parse(role, bytes)?;
        // TUF 5.4.2, 5.5.3, 5.6.3: a threshold of distinct keys.
        let signers = authority.require(&file, &mut self.checks)?;
        let digest = Digest::sha256(bytes);
        // TUF 5.4.3.1, 5.5.5: no version below the one that an earlier run saw, and no other file
        // of the same version. Only what `--state` keeps is known here; without it there is no
        // earlier run (T21).
        self.seen.check(role, file.body.header().version, &digest)?;
        Ok(Loaded {
            body: file.body,
            digest,
            signers,
        })
    }

    fn is_in_snapshot(&self, role: &RoleName) -> bool {
        self.snapshot()
            .is_some_and(|snapshot| snapshot.meta(role).is_some())
    }

    fn listed(&self, role: &RoleName) -> Result<&FileMeta, Rejection> {
        let snapshot = self
            .snapshot()
            .ok_or_else(|| Rejection::out_of_order(role, &RoleName::SNAPSHOT))?;
        snapshot
            .meta(role)
            .ok_or_else(|| Rejection::not_listed(role))
    }

    /// TUF 5.5.5: a role that was seen and is still delegated to must still be in the snapshot
    /// (T10). A role that nobody delegates to any more may leave it.
    fn refuse_dropped(&self, delegator: &Targets) -> Result<(), Rejection> {
        let dropped = delegator.delegations().iter().find(|delegation| {
            self.seen.roles.contains_key(&delegation.name) && !self.is_in_snapshot(&delegation.name)
        });
        match dropped {
            None => Ok(()),
            Some(delegation) => Err(Rejection::DroppedFromSnapshot {
                role: delegation.name.clone(),
            }),
        }
    }

    fn targets_file(&self, role: &RoleName) -> Option<&Loaded<Targets>> {
        if *role == RoleName::TARGETS {
            return self.targets.as_ref();
        }
        match self.delegations.get(role)? {
            Visited::Loaded { file, .. } => Some(file),
            Visited::Expired(_) | Visited::BelowThreshold => None,
        }
    }

    /// The prefixes that `role` may sign, as far as its parents may.
    fn paths(&self, role: &RoleName) -> &[String] {
        const EVERYTHING: &[String] = &[String::new()];
        if *role == RoleName::TARGETS {
            return EVERYTHING;
        }
        match self.delegations.get(role) {
            Some(Visited::Loaded { paths, .. }) => paths,
            Some(Visited::Expired(_) | Visited::BelowThreshold) | None => &[],
        }
    }

    fn may_hold(&self, role: &RoleName, tag: &str) -> bool {
        self.paths(role)
            .iter()
            .any(|path| tag.starts_with(path.as_str()))
    }
}

/// A role's own paths, as far as they lie within its parent's.
fn allowed(own: &[String], parent: &[String]) -> Vec<String> {
    own.iter()
        .filter(|path| parent.iter().any(|outer| path.starts_with(outer.as_str())))
        .cloned()
        .collect()
}
