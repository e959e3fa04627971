//! Trust data as `trust status` shows it: roles with their keys and expiry dates, and tags with who signed them.

use std::{fmt::Write as _, time::Duration};

use serde_json::{Value, json};

use super::plain;
use crate::{
    format::dct::{ImageHashes, RoleName, Threshold, TrustedSet, hint, lookup::pull},
    oci::Repository,
    timestamp::Timestamp,
};

/// How long before its expiry a role is worth a warning: three months, which a holder on leave and a change window fit
/// into. It is less than the last tenth of a role's life, in which signing renews it.
const NEAR: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// A repository's trust data, ready to be shown.
#[derive(Debug)]
pub struct TrustView {
    /// The repository.
    pub repository: Repository,
    /// Its trust data.
    pub set: TrustedSet,
    /// Whether a pin says that its root is the right one.
    pub pinned: bool,
}

/// One role as it is shown.
struct RoleRow {
    name: RoleName,
    version: Option<u64>,
    expires: Option<Timestamp>,
    threshold: u32,
    key_ids: Vec<String>,
    paths: Vec<String>,
}

/// One tag as it is shown: in one role, with the other roles that hold the same digest.
struct TagRow {
    tag: String,
    digest: String,
    length: u64,
    role: RoleName,
    signers: Vec<RoleName>,
    pullable: bool,
}

impl TrustView {
    /// For programs; stable under `schemaVersion`.
    pub fn json(&self) -> Value {
        let root = self.set.root();
        let roles: Vec<Value> = self.roles().iter().map(RoleRow::json).collect();
        let tags: Vec<Value> = self.tags().iter().map(TagRow::json).collect();
        json!({
            "schemaVersion": 1,
            "gun": self.repository.to_string(),
            "pinned": self.pinned,
            "root": {
                "version": root.version.get(),
                "expires": root.expires.to_string(),
                "keyIds": texts(root.key_ids(&RoleName::ROOT)),
            },
            "roles": roles,
            "tags": tags,
            "warnings": self.warnings(),
        })
    }

    /// For people.
    pub fn text(&self) -> String {
        let root = self.set.root();
        let mut text = String::new();
        let _ = writeln!(text, "{}", self.repository);
        for key_id in texts(root.key_ids(&RoleName::ROOT)) {
            let pinned = if self.pinned {
                ""
            } else {
                "   (not pinned: compare it, then give it with --root)"
            };
            let _ = writeln!(text, "root key  {key_id}{pinned}");
        }
        let _ = writeln!(
            text,
            "\n{:<28} {:>7}  {:<20}  keys",
            "role", "version", "expires"
        );
        for row in self.roles() {
            let version = row
                .version
                .map_or_else(|| "-".to_owned(), |version| version.to_string());
            let expires = row
                .expires
                .map_or_else(|| "-".to_owned(), |at| at.whole_seconds().to_string());
            let keys: Vec<_> = row
                .key_ids
                .iter()
                .map(|id| id.get(..12).unwrap_or(id))
                .collect();
            let _ = writeln!(
                text,
                "{:<28} {version:>7}  {expires:<20}  {}",
                plain(row.name.as_str()),
                keys.join(" ")
            );
        }
        let _ = writeln!(
            text,
            "\n{:<20} {:<19}  {:<20} {:<20} pullable",
            "tag", "digest", "role", "signers"
        );
        for row in self.tags() {
            let signers: Vec<_> = row
                .signers
                .iter()
                .map(|role| signer_name(role).unwrap_or_else(|| role.to_string()))
                .collect();
            let digest = row.digest.get(..19).unwrap_or(&row.digest);
            let pullable = if row.pullable { "yes" } else { "no" };
            let (tag, role) = (plain(&row.tag), plain(row.role.as_str()));
            let _ = writeln!(
                text,
                "{tag:<20} {digest:<19}  {role:<20} {:<20} {pullable}",
                signers.join(" ")
            );
        }
        text
    }

    /// What a person should know: no pin, roles about to end, a withheld role.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if !self.pinned {
            warnings.push(
                "no root is pinned: anyone who controls the trust server could show any root here"
                    .to_owned(),
            );
        }
        warnings.extend(self.set.warnings().iter().map(ToString::to_string));
        warnings.extend(self.expiring());
        warnings
    }

    /// The roles that somebody must sign again within the next months, with the command. The server renews its own.
    fn expiring(&self) -> Vec<String> {
        let root = std::iter::once((RoleName::ROOT, self.set.root().expires));
        let signed = self.set.loaded().into_iter().filter_map(|role| {
            let expires = self.set.targets(&role)?.expires;
            Some((role, expires))
        });
        let repository = self.repository.to_string();
        let mut warnings = Vec::new();
        for (role, expires) in root.chain(signed) {
            if expires > self.set.now().plus(NEAR) {
                continue;
            }
            let day = expires.date_time().date();
            warnings.push(if role == RoleName::ROOT {
                format!("`root` expires on {day}: its holder must sign it again before then")
            } else {
                format!(
                    "`{role}` expires on {day}: {}",
                    hint::renew(&repository, &role)
                )
            });
        }
        warnings
    }

    fn roles(&self) -> Vec<RoleRow> {
        let root = self.set.root();
        let base = RoleName::BASE.into_iter().map(|name| {
            let (version, expires) = self.version_and_end(&name).unzip();
            let threshold = root.threshold(&name).map_or(0, Threshold::get);
            RoleRow {
                version,
                expires,
                threshold,
                key_ids: texts(root.key_ids(&name)),
                paths: Vec::new(),
                name,
            }
        });
        let delegations = self.set.delegated().into_iter().filter_map(|name| {
            let delegation = self.set.delegated_by(&name)?;
            let (version, expires) = self.version_and_end(&name).unzip();
            let key_ids = texts(delegation.key_ids.as_deref().unwrap_or_default());
            Some(RoleRow {
                version,
                expires,
                threshold: delegation.threshold.get(),
                key_ids,
                paths: delegation.paths.clone(),
                name,
            })
        });
        base.chain(delegations).collect()
    }

    /// Version and end of a role's file, if it is loaded.
    fn version_and_end(&self, role: &RoleName) -> Option<(u64, Timestamp)> {
        let set = &self.set;
        let (version, expires) = match role.as_str() {
            "root" => (set.root().version, set.root().expires),
            "snapshot" => (set.snapshot()?.version, set.snapshot()?.expires),
            "timestamp" => (set.timestamp()?.version, set.timestamp()?.expires),
            _ => (set.targets(role)?.version, set.targets(role)?.expires),
        };
        Some((version.get(), expires))
    }

    /// Entries of every role, one row per tag, digest and role that docker shows a row for.
    fn tags(&self) -> Vec<TagRow> {
        let all = all_entries(&self.set);
        let mut rows: Vec<TagRow> = all
            .iter()
            .map(|(role, tag, entry)| {
                let same = all
                    .iter()
                    .filter(|(_, name, other)| name == tag && other.digest == entry.digest);
                let signers = same.map(|(role, _, _)| role.clone()).collect();
                let pulled = pull(&self.set, tag).ok();
                let pullable = pulled
                    .is_some_and(|found| found.role == *role && found.entry.digest == entry.digest);
                TagRow {
                    tag: tag.clone(),
                    digest: entry.digest.to_string(),
                    length: entry.length,
                    role: role.clone(),
                    signers,
                    pullable,
                }
            })
            .collect();
        rows.sort_by(|a, b| (&a.tag, !a.pullable, &a.role).cmp(&(&b.tag, !b.pullable, &b.role)));
        rows
    }
}

impl RoleRow {
    fn json(&self) -> Value {
        json!({
            "name": self.name.to_string(),
            "version": self.version,
            "expires": self.expires.map(|at| at.to_string()),
            "threshold": self.threshold,
            "keyIds": self.key_ids,
            "paths": self.paths,
        })
    }
}

impl TagRow {
    fn json(&self) -> Value {
        json!({
            "tag": self.tag,
            "digest": self.digest,
            "length": self.length,
            "role": self.role.to_string(),
            "signers": texts(&self.signers),
            "pullable": self.pullable,
        })
    }
}

fn texts<T: ToString>(values: &[T]) -> Vec<String> {
    values.iter().map(ToString::to_string).collect()
}

/// Every entry of every role that is loaded: role, tag, image.
pub(crate) fn all_entries(set: &TrustedSet) -> Vec<(RoleName, String, ImageHashes)> {
    let of_role = |role: RoleName| {
        let entries = set
            .entries(&role)
            .filter_map(|(tag, meta)| Some((role.clone(), tag.to_owned(), ImageHashes::of(meta)?)));
        entries.collect::<Vec<_>>()
    };
    set.loaded().into_iter().flat_map(of_role).collect()
}

/// The signer that a role is named after, for roles that docker calls signers.
pub(crate) fn signer_name(role: &RoleName) -> Option<String> {
    let name = role
        .as_str()
        .strip_prefix("targets/")
        .filter(|_| *role != RoleName::RELEASES)?;
    Some(name.to_owned())
}
