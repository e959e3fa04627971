//! Whether an image is signed as required. Takes nothing but verified files, and makes the only
//! proof there is.
//!
//! Without required signers an image must be what a trusting pull takes. With them, each named role
//! must hold tag and digest, one of the keys must have signed a role that does, and what a pull
//! takes must not contradict it.

use std::collections::BTreeMap;

use super::{
    authority::SignedBy,
    delegation_state::DelegationState,
    key::Key,
    lookup::{self, ImageHashes},
    name::{KeyId, RoleName, Version},
    rejection::Rejection,
    trusted_set::TrustedSet,
};
use crate::{
    crypto::PublicKey,
    format::{Format, Identity, Signed, Verified},
    oci::Tag,
};

/// What must hold besides valid trust data.
#[derive(Clone, Debug, Default)]
pub struct Requirement {
    /// The signers: every role that is named, and any one of the keys. None: what a trusting pull
    /// takes.
    pub signers: Vec<RequiredSigner>,
    /// The lowest version that the file of each of these roles may have.
    pub minimum_versions: BTreeMap<RoleName, Version>,
}

/// A signer that must have signed the image.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum RequiredSigner {
    /// The role of that name must hold the image.
    Name(RoleName),
    /// A role that lists this key, and is validly signed with it, must hold the image.
    Key(PublicKey),
}

/// What is judged: a manifest, and the tag it was named by.
struct Image<'a> {
    tag: Option<&'a Tag>,
    hashes: &'a ImageHashes,
}

impl Requirement {
    fn roles(&self) -> impl Iterator<Item = &RoleName> {
        self.signers.iter().filter_map(|signer| match signer {
            RequiredSigner::Name(role) => Some(role),
            RequiredSigner::Key(_) => None,
        })
    }

    fn keys(&self) -> impl Iterator<Item = &PublicKey> {
        self.signers.iter().filter_map(|signer| match signer {
            RequiredSigner::Key(key) => Some(key),
            RequiredSigner::Name(_) => None,
        })
    }
}

/// The delegation files that are still needed to judge `tag`; empty when nothing more must be
/// fetched.
pub fn needed_roles(
    tag: Option<&Tag>,
    requirement: &Requirement,
    set: &TrustedSet,
) -> Vec<RoleName> {
    let releases = RoleName::RELEASES;
    let released = tag.is_some_and(|tag| set.entry(&releases, tag.as_str()).is_some());
    let lists = |role: &RoleName| requirement.keys().any(|key| lists(set, role, key));
    let key_wanted = requirement.keys().next().is_some();
    // Where no role known so far lists the key, one further down may.
    let search_all = key_wanted
        && !set
            .delegated()
            .iter()
            .chain([&RoleName::TARGETS])
            .any(lists);
    let needed = |role: &RoleName| {
        *role == releases
            || (tag.is_some() && !released && role.is_below(&releases))
            || requirement
                .roles()
                .any(|wanted| wanted == role || wanted.is_below(role))
            || requirement
                .minimum_versions
                .keys()
                .any(|wanted| wanted == role || wanted.is_below(role))
            || search_all
            || lists(role)
    };
    set.pending_delegations()
        .into_iter()
        .filter(needed)
        .collect()
}

/// Judges an image. Rejects it when no role that counts holds it, when another digest or length was
/// signed, and when a required signer did not sign it.
pub fn verify(
    tag: Option<&Tag>,
    hashes: &ImageHashes,
    set: &TrustedSet,
    requirement: &Requirement,
) -> Result<Verified, Rejection> {
    // A set that was loaded to sign `targets` again proves nothing.
    if let Some(expires) = set.targets_expired() {
        let role = RoleName::TARGETS;
        return Err(Rejection::Expired { role, expires });
    }
    refuse_old(set, &requirement.minimum_versions)?;
    let image = Image { tag, hashes };
    let mut roles = Vec::new();
    if requirement.signers.is_empty() {
        roles.push(image.released(set)?);
    } else {
        image.refuse_contradiction(set)?;
    }
    let mut signed = Vec::new();
    for role in requirement.roles() {
        image.require_role(set, role)?;
        roles.push(role.clone());
    }
    for role in &roles {
        signed.extend(set.signers(role).iter().map(|by| signed_by(set, role, by)));
    }
    let keys: Vec<&PublicKey> = requirement.keys().collect();
    if !keys.is_empty() {
        let (role, by) = image.require_key(set, &keys)?;
        signed.push(signed_by(set, &role, &by));
        roles.push(role);
    }
    Ok(Verified::new(hashes.digest.clone(), Format::Dct, signed))
}

fn signed_by(set: &TrustedSet, role: &RoleName, by: &SignedBy) -> Signed {
    let expires = set.expires(std::slice::from_ref(role));
    Signed {
        by: Identity::Role {
            role: role.clone(),
            key_id: by.key_id,
        },
        key: by.key.clone(),
        signed_at: None,
        expires: Some(expires),
    }
}

impl Image<'_> {
    /// The role from which a trusting pull takes the image.
    fn released(&self, set: &TrustedSet) -> Result<RoleName, Rejection> {
        if let Some(tag) = self.tag {
            let found = lookup::pull(set, tag.as_str())?;
            self.compare(&found.role, tag.as_str(), &found.entry)?;
            return Ok(found.role);
        }
        let releases = RoleName::RELEASES;
        refuse_unread_releases(set)?;
        if self.is_held_by(set, &releases)? {
            return Ok(releases);
        }
        if let Some(withheld) = set.withheld() {
            return Err(Rejection::RoleWithheld {
                role: withheld.role,
                state: withheld.state,
            });
        }
        if self.is_held_by(set, &RoleName::TARGETS)? {
            return Ok(RoleName::TARGETS);
        }
        Err(Rejection::UnsignedDigest {
            digest: self.hashes.digest.clone(),
        })
    }

    /// With required signers a tag need not be released; but where it is, it must be this image.
    fn refuse_contradiction(&self, set: &TrustedSet) -> Result<(), Rejection> {
        let Some(tag) = self.tag else { return Ok(()) };
        match lookup::pull(set, tag.as_str()) {
            Ok(found) => self.compare(&found.role, tag.as_str(), &found.entry),
            Err(error @ Rejection::OutOfOrder { .. }) => Err(error),
            Err(_) => Ok(()),
        }
    }

    /// The role of a required signer must hold the image.
    fn require_role(&self, set: &TrustedSet, role: &RoleName) -> Result<(), Rejection> {
        if set.targets(role).is_none() {
            return Err(unusable(set, role));
        }
        if self.is_held_by(set, role)? {
            return Ok(());
        }
        Err(Rejection::NotSignedBy {
            role: role.clone(),
            subject: self.subject(),
        })
    }

    /// A role that lists one of the keys, and is signed with it, must hold the image.
    fn require_key(
        &self,
        set: &TrustedSet,
        keys: &[&PublicKey],
    ) -> Result<(RoleName, SignedBy), Rejection> {
        let mut differs = None;
        refuse_unread_releases(set)?;
        for role in set.loaded() {
            if role == RoleName::TARGETS && set.withheld().is_some() {
                continue;
            }
            let mut signers = set.signers(&role).iter();
            let Some(by) =
                signers.find(|by| keys.contains(&&by.key) && speaks_for(set, &role, &by.key))
            else {
                continue;
            };
            match self.is_held_by(set, &role) {
                Ok(true) => return Ok((role, by.clone())),
                Ok(false) => {}
                Err(rejection) => differs = differs.or(Some(rejection)),
            }
        }
        let key_id = keys
            .first()
            .map_or_else(|| KeyId::of(&[]), |key| Key::from_public_key(key).key_id());
        Err(differs.unwrap_or_else(|| self.not_signed_with(set, keys, key_id)))
    }

    fn not_signed_with(&self, set: &TrustedSet, keys: &[&PublicKey], key_id: KeyId) -> Rejection {
        let listing: Vec<RoleName> = set
            .delegated()
            .into_iter()
            .chain([RoleName::TARGETS])
            .filter(|role| keys.iter().any(|key| lists(set, role, key)))
            .collect();
        if listing.is_empty() {
            return Rejection::KeyNotDelegated { key_id };
        }
        match set.withheld() {
            Some(withheld) if listing == [RoleName::TARGETS] => Rejection::RoleWithheld {
                role: withheld.role,
                state: withheld.state,
            },
            Some(_) | None => Rejection::NotSignedWith {
                key_id,
                subject: self.subject(),
            },
        }
    }

    /// Whether `role` holds the image. Rejects a tag that it holds with another digest or length.
    fn is_held_by(&self, set: &TrustedSet, role: &RoleName) -> Result<bool, Rejection> {
        if let Some(tag) = self.tag {
            let Some(entry) = lookup::entry(set, role, tag.as_str())? else {
                return Ok(false);
            };
            return self.compare(role, tag.as_str(), &entry).map(|()| true);
        }
        let mut other_length = None;
        for (tag, meta) in set.entries(role) {
            match ImageHashes::of(meta) {
                Some(entry) if entry.digest == self.hashes.digest => {
                    match self.compare(role, tag, &entry) {
                        Ok(()) => return Ok(true),
                        Err(rejection) => other_length = Some(rejection),
                    }
                }
                Some(_) | None => {}
            }
        }
        other_length.map_or(Ok(false), Err)
    }

    fn compare(&self, role: &RoleName, tag: &str, entry: &ImageHashes) -> Result<(), Rejection> {
        let (role, tag) = (role.clone(), tag.to_owned());
        if entry.digest != self.hashes.digest {
            let (expected, found) = (entry.digest.clone(), self.hashes.digest.clone());
            return Err(Rejection::DigestMismatch {
                role,
                tag,
                expected,
                found,
            });
        }
        if entry.length != self.hashes.length {
            return Err(Rejection::LengthMismatch {
                role,
                tag,
                expected: entry.length,
                found: self.hashes.length,
            });
        }
        // TUF 5.7.2: every hash that is stated, not only the one that the image is found by (T12).
        match (&entry.sha512, &self.hashes.sha512) {
            (Some(expected), Some(found)) if expected != found => Err(Rejection::DigestMismatch {
                role,
                tag,
                expected: expected.clone(),
                found: found.clone(),
            }),
            (Some(expected), None) => Err(Rejection::DigestMismatch {
                role,
                tag,
                expected: expected.clone(),
                found: self.hashes.digest.clone(),
            }),
            _ => Ok(()),
        }
    }

    fn subject(&self) -> String {
        self.tag
            .map_or_else(|| self.hashes.digest.to_string(), ToString::to_string)
    }
}

/// What `targets` says is not judged before it is known whether `targets/releases` is withheld.
fn refuse_unread_releases(set: &TrustedSet) -> Result<(), Rejection> {
    match set.delegation(&RoleName::RELEASES) {
        Some(DelegationState::NotLoaded) => Err(Rejection::OutOfOrder {
            role: RoleName::TARGETS,
            needs: RoleName::RELEASES,
        }),
        Some(_) | None => Ok(()),
    }
}

/// A role whose lowest version is required must be there, and not be older.
fn refuse_old(set: &TrustedSet, minimum: &BTreeMap<RoleName, Version>) -> Result<(), Rejection> {
    for (role, minimum) in minimum {
        let found = set.version(role).ok_or_else(|| unusable(set, role))?;
        if found < *minimum {
            return Err(Rejection::BelowMinimum {
                role: role.clone(),
                minimum: *minimum,
                found,
            });
        }
    }
    Ok(())
}

/// Whether `role` lists the public key `key`, in whatever form.
fn lists(set: &TrustedSet, role: &RoleName, key: &PublicKey) -> bool {
    let keys = match set.delegated_by(role) {
        Some(delegation) => role
            .parent()
            .and_then(|parent| Some(set.targets(&parent)?.keys_of(delegation))),
        None => Some(set.root().keys_of(role)),
    };
    keys.into_iter()
        .flatten()
        .any(|listed| listed.public_key().is_ok_and(|listed| listed == *key))
}

/// Whether `role` may say what the owner of `key` signed. Where `targets` or a role right below it
/// lists the key, none further down does: there other signers delegate, and could show an older
/// file of this one, or that of another repository.
fn speaks_for(set: &TrustedSet, role: &RoleName, key: &PublicKey) -> bool {
    let mut near = set
        .delegated()
        .into_iter()
        .chain([RoleName::TARGETS])
        .filter(is_near);
    is_near(role) || !near.any(|role| lists(set, &role, key))
}

/// Whether the owner of `targets` is or delegates to the role.
fn is_near(role: &RoleName) -> bool {
    *role == RoleName::TARGETS || role.parent() == Some(RoleName::TARGETS)
}

/// Why the role of a required signer is not there.
fn unusable(set: &TrustedSet, role: &RoleName) -> Rejection {
    match set.delegation(role) {
        Some(DelegationState::NotLoaded) => Rejection::OutOfOrder {
            role: RoleName::TARGETS,
            needs: role.clone(),
        },
        Some(state) => Rejection::SignerUnusable {
            role: role.clone(),
            state,
        },
        // A parent that is not usable hides what it delegates to.
        None => match role.parent().filter(RoleName::is_delegation) {
            Some(parent) if set.targets(&parent).is_none() => unusable(set, &parent),
            Some(_) | None => Rejection::SignerUnknown { role: role.clone() },
        },
    }
}
