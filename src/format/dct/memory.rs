//! What earlier runs saw of every collection, and the file that keeps it between runs (`--state
//! FILE`).
//!
//! Read as strictly as it is written: an unknown or missing member, a name given twice, a wrong
//! type, a root that is none, or too much of anything is an error that names the place. Nothing of
//! a damaged file is used.

use std::{collections::BTreeMap, fmt};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};

use super::{
    name::{Gun, RoleName, Version},
    rejection::Rejection,
    root::Root,
    seen::{Seen, SeenFile},
    signed::SignedFile,
};
use crate::{
    format::json::{InvalidJson, Object, Value, parse_exact},
    oci::{Digest, Repository},
    reason::{Explain, Reason},
};

/// The version of the form.
const SCHEMA: i64 = 1;
/// Bytes that a file may have; 10,000 repositories of one root key and ten roles each fit.
pub const MEMORY_LIMIT: usize = 64 << 20;
/// Repositories in one file.
const REPOSITORIES: usize = 10_000;
/// Roles of one repository.
const ROLES: usize = 1_000;

/// What earlier runs saw, per collection.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Memory(BTreeMap<Gun, Seen>);

/// Why bytes are not a memory of ours, or a memory is none that can be kept.
#[derive(Debug, thiserror::Error)]
pub enum InvalidMemory {
    /// Too many bytes.
    #[error("more than {MEMORY_LIMIT} bytes")]
    TooLong,
    /// No strict JSON.
    #[error("it is not valid JSON")]
    Json(#[from] InvalidJson),
    /// Another version of the form.
    #[error("`schemaVersion` is {0}, and this program reads {SCHEMA}")]
    Schema(i64),
    /// A member that the form does not have.
    #[error("`{0}` is not a known member")]
    Unknown(String),
    /// A member that the form has.
    #[error("`{0}` is missing")]
    Missing(String),
    /// A member of another type or form.
    #[error("`{at}` is not {wanted}")]
    Form {
        /// The member.
        at: String,
        /// What it must be.
        wanted: &'static str,
    },
    /// The bytes of a root that are none.
    #[error("`{at}` is not a root file")]
    Root {
        /// The member.
        at: String,
        /// Why.
        #[source]
        cause: Box<Rejection>,
    },
    /// Too many of something.
    #[error("`{at}` has more than {limit} members")]
    TooMany {
        /// The member.
        at: String,
        /// The limit.
        limit: usize,
    },
}

/// Two runs saw files that cannot both be of one collection.
#[derive(Debug, thiserror::Error)]
#[error("what was seen of `{gun}` before contradicts what is seen now")]
pub struct Contradiction {
    /// The collection.
    pub gun: Gun,
    /// The file.
    #[source]
    pub cause: Box<Rejection>,
}

impl Memory {
    /// Reads a file.
    pub fn parse(bytes: &[u8]) -> Result<Self, InvalidMemory> {
        if bytes.len() > MEMORY_LIMIT {
            return Err(InvalidMemory::TooLong);
        }
        let document = StateMember::document(parse_exact(bytes)?);
        let [schema, repositories] = document.members(["schemaVersion", "repositories"])?;
        let schema = schema.integer()?;
        if schema != SCHEMA {
            return Err(InvalidMemory::Schema(schema));
        }
        let repositories = repositories.entries(REPOSITORIES)?;
        repositories
            .into_iter()
            .map(|(name, entry)| Ok((gun(&name, &entry)?, seen(entry)?)))
            .collect()
    }

    /// The file, with sorted names. Refuses what [`Memory::parse`] would not read.
    pub fn to_json(&self) -> Result<String, InvalidMemory> {
        if self.0.len() > REPOSITORIES {
            let at = "repositories".to_owned();
            return Err(InvalidMemory::TooMany {
                at,
                limit: REPOSITORIES,
            });
        }
        let mut repositories = serde_json::Map::new();
        for (gun, seen) in &self.0 {
            if seen.roles.len() > ROLES {
                let at = format!("repositories.{gun}.roles");
                return Err(InvalidMemory::TooMany { at, limit: ROLES });
            }
            let roles: serde_json::Map<_, _> = seen
                .roles
                .iter()
                .map(|(role, seen)| (role.to_string(), seen.json()))
                .collect();
            repositories.insert(
                gun.to_string(),
                serde_json::json!({"root": BASE64.encode(&seen.root), "roles": roles}),
            );
        }
        let text = format!(
            "{:#}\n",
            serde_json::json!({"schemaVersion": SCHEMA, "repositories": repositories})
        );
        if text.len() > MEMORY_LIMIT {
            Err(InvalidMemory::TooLong)
        } else {
            Ok(text)
        }
    }

    /// What was seen of a collection.
    pub fn seen(&self, gun: &Gun) -> Option<&Seen> {
        self.0.get(gun)
    }

    /// How many collections were seen.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether none was seen.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The collections with what was seen of each.
    pub fn iter(&self) -> impl Iterator<Item = (&Gun, &Seen)> {
        self.0.iter()
    }

    /// Takes in what a run saw of a collection beside what is known of it; changes nothing where
    /// they contradict.
    pub fn add(&mut self, gun: Gun, seen: Seen) -> Result<(), Contradiction> {
        let merged = match self.0.get(&gun) {
            None => seen,
            Some(known) => match known.merged(&seen) {
                Ok(merged) => merged,
                Err(cause) => {
                    return Err(Contradiction {
                        gun,
                        cause: Box::new(cause),
                    });
                }
            },
        };
        self.0.insert(gun, merged);
        Ok(())
    }
}

impl FromIterator<(Gun, Seen)> for Memory {
    fn from_iter<I: IntoIterator<Item = (Gun, Seen)>>(seen: I) -> Self {
        Self(seen.into_iter().collect())
    }
}

impl Explain for Contradiction {
    fn reason(&self) -> Reason {
        self.cause.reason()
    }

    fn hint(&self) -> Option<String> {
        self.cause.hint()
    }
}

impl SeenFile {
    fn json(&self) -> serde_json::Value {
        serde_json::json!({"version": self.version.get(), "sha256": self.sha256.hex()})
    }
}

/// A value and its place in the file.
struct StateMember {
    at: String,
    value: Value,
}

impl StateMember {
    fn document(value: Value) -> Self {
        Self {
            at: String::new(),
            value,
        }
    }

    fn below(&self, name: &str) -> String {
        let name: String = name.chars().take(300).collect();
        if self.at.is_empty() {
            name
        } else {
            format!("{}.{name}", self.at)
        }
    }

    fn wrong(&self, wanted: &'static str) -> InvalidMemory {
        let at = if self.at.is_empty() {
            "the document".to_owned()
        } else {
            self.at.clone()
        };
        InvalidMemory::Form { at, wanted }
    }

    fn object(&mut self) -> Result<Object, InvalidMemory> {
        match std::mem::replace(&mut self.value, Value::Null) {
            Value::Object(object) => Ok(object),
            _ => Err(self.wrong("an object")),
        }
    }

    /// Exactly these members.
    fn members<const N: usize>(mut self, names: [&str; N]) -> Result<[Self; N], InvalidMemory> {
        let mut object = self.object()?;
        if let Some(name) = object.names().find(|name| !names.contains(name)) {
            return Err(InvalidMemory::Unknown(self.below(name)));
        }
        if let Some(name) = names.iter().find(|name| object.get(name).is_none()) {
            return Err(InvalidMemory::Missing(self.below(name)));
        }
        Ok(names.map(|name| Self {
            at: self.below(name),
            value: object.remove(name).unwrap_or(Value::Null),
        }))
    }

    /// Members of any name, at most so many.
    fn entries(mut self, limit: usize) -> Result<Vec<(String, Self)>, InvalidMemory> {
        let object = self.object()?;
        if object.names().count() > limit {
            return Err(InvalidMemory::TooMany { at: self.at, limit });
        }
        Ok(object
            .into_iter()
            .map(|(name, value)| {
                let at = self.below(&name);
                (name, Self { at, value })
            })
            .collect())
    }

    fn integer(&self) -> Result<i64, InvalidMemory> {
        match self.value {
            Value::Integer(number) => Ok(number),
            _ => Err(self.wrong("an integer")),
        }
    }

    fn text(&self) -> Result<&str, InvalidMemory> {
        match &self.value {
            Value::String(text) => Ok(text),
            _ => Err(self.wrong("a string")),
        }
    }
}

/// A name that a repository could have, in the one spelling that it is looked up by.
fn gun(name: &str, entry: &StateMember) -> Result<Gun, InvalidMemory> {
    let repository = Repository::named(name)
        .ok()
        .filter(|repository| repository.to_string() == name);
    repository
        .as_ref()
        .map(Gun::from)
        .ok_or_else(|| entry.wrong("filed under the full name of a repository"))
}

fn seen(entry: StateMember) -> Result<Seen, InvalidMemory> {
    let [root, roles] = entry.members(["root", "roles"])?;
    let bytes = BASE64
        .decode(root.text()?)
        .map_err(|_| root.wrong("base64"))?;
    if let Err(cause) = SignedFile::<Root>::parse(&RoleName::ROOT, &bytes) {
        return Err(InvalidMemory::Root {
            at: root.at,
            cause: Box::new(cause),
        });
    }
    let roles = roles.entries(ROLES)?.into_iter().map(|(name, entry)| {
        let role: Option<RoleName> = name.parse().ok().filter(|role| *role != RoleName::ROOT);
        let role = role.ok_or_else(|| entry.wrong("filed under a role other than `root`"))?;
        Ok((role, file(entry)?))
    });
    Ok(Seen {
        root: bytes,
        roles: roles.collect::<Result<_, InvalidMemory>>()?,
    })
}

fn file(entry: StateMember) -> Result<SeenFile, InvalidMemory> {
    let [version, sha256] = entry.members(["version", "sha256"])?;
    let number = u64::try_from(version.integer()?)
        .ok()
        .and_then(Version::new);
    let digest = format!("sha256:{}", sha256.text()?).parse::<Digest>();
    Ok(SeenFile {
        version: number.ok_or_else(|| version.wrong("a version, 1 or more"))?,
        sha256: digest.map_err(|_| sha256.wrong("64 lower-case hex digits"))?,
    })
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            1 => f.write_str("1 repository"),
            count => write!(f, "{count} repositories"),
        }
    }
}
