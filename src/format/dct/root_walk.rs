//! The way from the root that is served to one that is trusted: the pin, and what an earlier run
//! saw.
//!
//! TUF (§5.3) starts at a trusted root and fetches newer versions until there are none. Here a pin
//! names a key and no version, and the trust server of a registry cannot say which version comes
//! last. So the walk starts at the served root, version N, and asks for older versions until it has
//! met pin and memory; it makes the same checks between each two neighbours. The number in the
//! served root is not believed further than the limit, checked before the first fetch (T31).

use super::{
    authority::{Authority, SignedBy, distinct},
    certificate_rules,
    fault::CertificateFault,
    key::Key,
    name::{Gun, KeyId, RoleName, Version},
    rejection::Rejection,
    root::Root,
    seen::Seen,
    signed::SignedFile,
    trust::RootTrust,
    trusted_set::{TrustedRoot, TrustedSet},
};
use crate::timestamp::Timestamp;

/// The most root versions that are fetched besides the served one. A root is written when keys
/// change, a few times a year at most; without a limit a forged version number would order billions
/// of requests (T31).
pub const WALK_LIMIT: u64 = 256;

/// A root in the course of being trusted. Offer it `root.json`, then what each step asks for.
#[derive(Debug)]
pub struct RootWalk {
    gun: Gun,
    trust: RootTrust,
    seen: Option<Seen>,
    now: Timestamp,
    checks: u64,
    fetched: u64,
    walking: Option<Walking>,
}

/// What the walk needs next, or its result.
#[derive(Debug)]
pub enum RootStep {
    /// Fetch `<n>.root.json` and offer it.
    Fetch(u64),
    /// The served root is trusted.
    Trusted(Box<TrustedSet>),
}

#[derive(Debug)]
struct Walking {
    newest: TrustedRoot,
    oldest: SignedFile<Root>,
    seen_root: Option<(Version, Root)>,
    pinned: bool,
    linked: bool,
}

impl RootWalk {
    /// A walk for one collection, at one fixed time.
    pub fn new(gun: Gun, trust: RootTrust, seen: Option<Seen>, now: Timestamp) -> Self {
        Self {
            gun,
            trust,
            seen,
            now,
            checks: 0,
            fetched: 0,
            walking: None,
        }
    }

    /// How many signatures were checked.
    pub fn signature_checks(&self) -> u64 {
        self.checks
    }

    /// Takes `root.json` first, then each version that was asked for. Rejects a root that is not
    /// valid by itself, a broken link between two versions, and a way that ends before the pin.
    pub fn offer(&mut self, bytes: &[u8]) -> Result<RootStep, Rejection> {
        let walking = match self.walking.take() {
            None => self.begin(bytes)?,
            Some(walking) => self.go_down(walking, bytes)?,
        };
        self.next(walking)
    }

    fn begin(&mut self, bytes: &[u8]) -> Result<Walking, Rejection> {
        let served = SignedFile::<Root>::parse(&RoleName::ROOT, bytes)?;
        let version = served.body.version;
        let seen_root = match &self.seen {
            None => None,
            Some(seen) => {
                // TUF 5.3.5, seen from above: not below the root that was trusted before.
                let root = seen.read_root()?;
                if version < root.version {
                    return Err(Rejection::Rollback {
                        role: RoleName::ROOT,
                        seen: root.version,
                        found: version,
                    });
                }
                if version == root.version && bytes != seen.root {
                    return Err(Rejection::SameVersionOtherContent {
                        role: RoleName::ROOT,
                        version,
                    });
                }
                Some((root.version, root))
            }
        };
        let signers = self.signed_by_itself(&served, Some(self.now))?;
        let pinned = self.meets_pin(&served.body, &signers, true);
        let linked = seen_root.as_ref().is_none_or(|(seen, _)| *seen == version);
        let newest = TrustedRoot {
            body: served.body.clone(),
            bytes: bytes.to_vec(),
            signers,
        };
        let walking = Walking {
            newest,
            oldest: served,
            seen_root,
            pinned,
            linked,
        };
        self.refuse_long_walk(&walking)?;
        Ok(walking)
    }

    /// The version number of the served root is not trusted yet: whoever wrote it must not choose
    /// how much is fetched.
    fn refuse_long_walk(&self, walking: &Walking) -> Result<(), Rejection> {
        let version = walking.newest.body.version;
        let floor = match &walking.seen_root {
            _ if walking.linked && walking.pinned => return Ok(()),
            Some((seen, _)) if !walking.linked => seen.get(),
            Some(_) | None => 0,
        };
        if version.get() - floor > WALK_LIMIT + 1 {
            return Err(Rejection::RootWalkTooLong {
                version,
                limit: WALK_LIMIT,
            });
        }
        Ok(())
    }

    /// Takes the version just below the oldest so far.
    fn go_down(&mut self, walking: Walking, bytes: &[u8]) -> Result<Walking, Rejection> {
        let above = walking.oldest.body.version;
        let older = SignedFile::<Root>::parse(&RoleName::ROOT, bytes)?;
        let found = older.body.version;
        if found.next() != Some(above) {
            // TUF 5.3.5: exactly the version that was requested, not merely a lower one (T08).
            return Err(Rejection::RootVersion {
                expected: above.previous().unwrap_or(Version::FIRST),
                found,
            });
        }
        // TUF 5.3.4: the newer root needs the threshold of the older one's keys and of its own
        // (T03).
        let signers = self.signed_by_itself(&older, None)?;
        self.vouches(&older.body, &walking.oldest)?;
        // TUF 5.3.6: no expiry is checked here. A root that led to a newer one may have expired
        // since.
        let pinned = walking.pinned || self.meets_pin(&older.body, &signers, false);
        let linked = walking.linked
            || walking
                .seen_root
                .as_ref()
                .is_some_and(|(seen, _)| *seen == found);
        Ok(Walking {
            oldest: older,
            pinned,
            linked,
            ..walking
        })
    }

    fn next(&mut self, mut walking: Walking) -> Result<RootStep, Rejection> {
        loop {
            if walking.pinned && walking.linked {
                return self
                    .finish(walking)
                    .map(|set| RootStep::Trusted(Box::new(set)));
            }
            let only_newest_counts = walking.linked && matches!(self.trust, RootTrust::Ca(_));
            let version = match walking.oldest.body.version.previous() {
                Some(version) if !only_newest_counts => version,
                Some(_) | None => return Err(pin_not_met(&self.trust, &walking)),
            };
            let seen = walking
                .seen_root
                .as_ref()
                .filter(|(seen, _)| *seen == version);
            if let Some(bytes) = seen.and(self.seen.as_ref()).map(|seen| seen.root.clone()) {
                walking = self.go_down(walking, &bytes)?;
                continue;
            }
            if self.fetched == WALK_LIMIT {
                let version = walking.newest.body.version;
                return Err(Rejection::RootWalkTooLong {
                    version,
                    limit: WALK_LIMIT,
                });
            }
            self.fetched += 1;
            self.walking = Some(walking);
            return Ok(RootStep::Fetch(version.get()));
        }
    }

    fn finish(&mut self, walking: Walking) -> Result<TrustedSet, Rejection> {
        let root = walking.newest;
        // TUF 5.3.10: only the root that is used must not have expired (T01).
        if self.now >= root.body.expires {
            return Err(Rejection::Expired {
                role: RoleName::ROOT,
                expires: root.body.expires,
            });
        }
        let mut seen = self.seen.take().unwrap_or_default();
        // TUF 5.3.11: new keys of timestamp and snapshot make their remembered versions void (T25).
        if let Some((_, before)) = &walking.seen_root {
            seen.forget_rekeyed(before, &root.body);
        }
        Ok(TrustedSet::new(
            self.gun.clone(),
            root,
            seen,
            self.now,
            self.checks,
        ))
    }

    /// The keys that signed a root validly, when they meet its own threshold.
    fn signed_by_itself(
        &mut self,
        root: &SignedFile<Root>,
        now: Option<Timestamp>,
    ) -> Result<Vec<SignedBy>, Rejection> {
        let (authority, fault) = self.authority(&root.body, now);
        match (authority.require(root, &mut self.checks), fault) {
            // The certificate is why too few keys count.
            (Err(Rejection::BelowThreshold { .. }), Some((key_id, fault))) => {
                Err(Rejection::RootCertificate { key_id, fault })
            }
            (result, _) => result,
        }
    }

    /// Whether the keys of `older` signed the root of the next version.
    fn vouches(&mut self, older: &Root, next: &SignedFile<Root>) -> Result<(), Rejection> {
        let (authority, _) = self.authority(older, None);
        let required = authority.threshold();
        let valid = distinct(&authority.signers(next, &mut self.checks)?);
        if required.is_met_by(valid) {
            return Ok(());
        }
        Err(Rejection::RootNotVouched {
            version: next.body.version,
            required,
            valid,
        })
    }

    /// The root keys that are valid, and why the first of the others is not.
    fn authority(
        &self,
        root: &Root,
        now: Option<Timestamp>,
    ) -> (Authority, Option<(KeyId, CertificateFault)>) {
        let mut counting = Vec::new();
        let mut first_fault = None;
        for key in root.keys_of(&RoleName::ROOT) {
            match certificate_rules::check(key, &self.gun, now) {
                Ok(()) => counting.push(key.clone()),
                Err(fault) => first_fault = first_fault.or(Some((key.key_id(), fault))),
            }
        }
        let threshold = root.authority(&RoleName::ROOT).threshold();
        (
            Authority::new(&RoleName::ROOT, threshold, counting),
            first_fault,
        )
    }

    /// Whether the trusted keys alone meet the threshold of this root (T33).
    fn meets_pin(&self, root: &Root, signers: &[SignedBy], newest: bool) -> bool {
        let trusted = signers.iter().filter(|signer| {
            root.keys
                .get(&signer.key_id)
                .is_some_and(|key| self.trusts(key, newest))
        });
        let threshold = root.authority(&RoleName::ROOT).threshold();
        self.trust == RootTrust::FirstUse || threshold.is_met_by(distinct(trusted))
    }

    fn trusts(&self, key: &Key, newest: bool) -> bool {
        match &self.trust {
            RootTrust::Keys(pins) => RootTrust::names(pins, key),
            // A certificate that followed another one chains to the CA as well, so older roots add
            // nothing.
            RootTrust::Ca(anchors) => {
                newest && certificate_rules::chains_to(key, anchors, self.now)
            }
            RootTrust::FirstUse => true,
        }
    }
}

fn pin_not_met(trust: &RootTrust, walking: &Walking) -> Rejection {
    let newest = &walking.newest.body;
    let pin = match trust {
        RootTrust::Keys(pins) if pins.len() == 1 => {
            format!("the pinned key {} did not sign", key_list(pins))
        }
        RootTrust::Keys(pins) => format!("too few of the pinned keys {} signed", key_list(pins)),
        RootTrust::Ca(_) => "no key with a certificate of the pinned CA signed".to_owned(),
        RootTrust::FirstUse => "no key signed".to_owned(),
    };
    Rejection::PinNotMet {
        pin,
        oldest: walking.oldest.body.version,
        newest: newest.version,
        listed: key_list(newest.key_ids(&RoleName::ROOT)),
    }
}

/// The first ten IDs: a forged root may list any number.
fn key_list(ids: &[KeyId]) -> String {
    let ids = ids.iter().take(10).map(|id| format!("`{id}`"));
    ids.collect::<Vec<_>>().join(", ")
}
