//! notation's trust policy documents for OCI artifacts: `trustpolicy.oci.json` and
//! `trustpolicy.json`. Any breach of a rule makes the whole document invalid. Stricter than
//! notation: names are exact, each once, nothing after the document, no `..` as a store, no empty
//! values in names.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    identity::{InvalidIdentity, TrustedIdentities},
    level::Level,
    trust::{Anchors, Trust, VerifyTimestamp},
    trust_store::{InvalidStoreName, StoreFault, StoreKind, StoreName},
};
use crate::{
    crypto::Certificate,
    format::json::{InvalidJson, Object, Value, parse_object},
    oci::Repository,
    reason::{Explain, Reason},
};

/// The largest document that is read: a thousand statements of a KiB each.
pub const TRUST_POLICY_LIMIT: usize = 1024 * 1024;
/// Statements that a document may hold. People write them by hand; scopes and names are compared in
/// sets.
const STATEMENTS: usize = 1000;

/// A trust policy document.
#[derive(Clone, Debug)]
pub struct TrustPolicy {
    statements: Vec<Statement>,
}

/// What is required of the signatures in some repositories.
#[derive(Clone, Debug)]
pub struct Statement {
    name: String,
    scopes: Vec<String>,
    /// `None`: the level is `skip`.
    level: Option<Level>,
    verify_timestamp: VerifyTimestamp,
    stores: Vec<StoreName>,
    /// `None`: the level is `skip`.
    identities: Option<TrustedIdentities>,
}

/// The document is not valid.
#[derive(Debug, thiserror::Error)]
pub enum InvalidTrustPolicy {
    /// Longer than is read.
    #[error("the trust policy has {0} bytes, more than {TRUST_POLICY_LIMIT}")]
    TooLong(usize),
    /// Not JSON of the strict kind.
    #[error("the trust policy is not valid JSON")]
    Json(#[from] InvalidJson),
    /// A member is of another type, absent or empty.
    #[error("`{0}` of the trust policy is missing, empty or has the wrong type")]
    Member(String),
    /// Another version of the format.
    #[error("the trust policy has the version `{0}`, not `1.0`")]
    Version(String),
    /// A policy for blobs, which are not container images.
    #[error(
        "this is a trust policy for blobs (`globalPolicy`); images need `trustpolicy.oci.json`"
    )]
    Blob,
    /// No statement, or more than are read.
    #[error("the trust policy has {0} statements instead of 1 to {STATEMENTS}")]
    Statements(usize),
    /// Two statements of one name.
    #[error("the name `{0}` is used by several statements")]
    NameTwice(String),
    /// One scope twice in the document.
    #[error("the registry scope `{0}` appears twice")]
    ScopeTwice(String),
    /// A statement breaks a rule.
    #[error("the statement `{statement}` is not valid")]
    Statement {
        /// Its name.
        statement: String,
        /// The rule.
        #[source]
        fault: StatementFault,
    },
}

/// Which rule a statement breaks.
#[derive(Debug, thiserror::Error)]
pub enum StatementFault {
    /// A member is of another type, or absent.
    #[error("`{0}` is missing, empty or has the wrong type")]
    Member(&'static str),
    /// A level that there is not.
    #[error("`{0}` is not a level (strict, permissive, audit, skip)")]
    Level(String),
    /// An override that is not allowed.
    #[error("`{check}` cannot be overridden with `{action}`")]
    Override {
        /// The check.
        check: String,
        /// The action.
        action: String,
    },
    /// Something that has no meaning with `skip`.
    #[error("`{0}` must be empty where the level is `skip`")]
    WithSkip(&'static str),
    /// Another value than the two.
    #[error("`verifyTimestamp` must be `always` or `afterCertExpiry`, not `{0}`")]
    VerifyTimestamp(String),
    /// A store that there cannot be.
    #[error(transparent)]
    Store(#[from] InvalidStoreName),
    /// An identity that cannot be matched.
    #[error(transparent)]
    Identity(#[from] InvalidIdentity),
    /// A scope that names no repository.
    #[error("`{0}` is not a registry scope (`host/repository`, or `*` alone)")]
    Scope(String),
    /// A scope that would be passed over, since images are never named so.
    #[error(
        "the registry scope `{scope}` would match no image: write `{name}`, as images are compared"
    )]
    Spelling {
        /// The scope.
        scope: String,
        /// The repository as images name it.
        name: String,
    },
}

impl Explain for InvalidTrustPolicy {
    fn reason(&self) -> Reason {
        Reason::PolicyInvalid
    }
}

impl TrustPolicy {
    /// From the bytes of a document.
    pub fn parse(bytes: &[u8]) -> Result<Self, InvalidTrustPolicy> {
        if bytes.len() > TRUST_POLICY_LIMIT {
            return Err(InvalidTrustPolicy::TooLong(bytes.len()));
        }
        let document = parse_object(bytes)?;
        match document.get("version") {
            Some(Value::String(version)) if version == "1.0" => {}
            Some(Value::String(version)) => {
                return Err(InvalidTrustPolicy::Version(version.clone()));
            }
            _ => return Err(InvalidTrustPolicy::Member("version".to_owned())),
        }
        let Some(Value::Array(items)) = document.get("trustPolicies") else {
            return Err(InvalidTrustPolicy::Member("trustPolicies".to_owned()));
        };
        if items.is_empty() || items.len() > STATEMENTS {
            return Err(InvalidTrustPolicy::Statements(items.len()));
        }
        let mut statements = Vec::<Statement>::new();
        let (mut names, mut scopes) = (BTreeSet::new(), BTreeSet::new());
        for item in items {
            let Value::Object(members) = item else {
                return Err(InvalidTrustPolicy::Member("trustPolicies".to_owned()));
            };
            if members.contains("globalPolicy") && !members.contains("registryScopes") {
                return Err(InvalidTrustPolicy::Blob);
            }
            let name = text(members, "name").filter(|name| !name.is_empty());
            let name = name.ok_or_else(|| InvalidTrustPolicy::Member("name".to_owned()))?;
            let statement =
                Statement::read(name, members).map_err(|fault| InvalidTrustPolicy::Statement {
                    statement: name.to_owned(),
                    fault,
                })?;
            if !names.insert(name.to_owned()) {
                return Err(InvalidTrustPolicy::NameTwice(name.to_owned()));
            }
            if let Some(twice) = statement
                .scopes
                .iter()
                .find(|scope| !scopes.insert((*scope).clone()))
            {
                return Err(InvalidTrustPolicy::ScopeTwice(twice.clone()));
            }
            statements.push(statement);
        }
        Ok(Self { statements })
    }

    /// The statements, in the order of the document.
    pub fn statements(&self) -> &[Statement] {
        &self.statements
    }

    /// Refuses a document, valid in itself, with a scope that no image is compared with: notation
    /// compares the spelling that it was given, and here names are normalised first.
    pub fn check_spelling(&self) -> Result<(), InvalidTrustPolicy> {
        for statement in &self.statements {
            if let Some((scope, name)) = statement
                .scopes
                .iter()
                .find_map(|scope| Some((scope, respelt(scope)?)))
            {
                let fault = StatementFault::Spelling {
                    scope: scope.clone(),
                    name,
                };
                return Err(InvalidTrustPolicy::Statement {
                    statement: statement.name.clone(),
                    fault,
                });
            }
        }
        Ok(())
    }

    /// The statement for a repository: the one that names it, else the one for everything, else
    /// none, and then nothing is allowed.
    pub fn statement(&self, repository: &Repository) -> Option<&Statement> {
        let scope = repository.to_string();
        self.of_scope(&scope).or_else(|| self.of_scope("*"))
    }

    fn of_scope(&self, scope: &str) -> Option<&Statement> {
        self.statements
            .iter()
            .find(|statement| statement.scopes.iter().any(|other| other == scope))
    }
}

impl Statement {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The repositories it is for: `host/repository`, or `*` alone.
    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }

    /// The stores whose files must be read for [`Statement::trust`].
    pub fn stores(&self) -> &[StoreName] {
        &self.stores
    }

    /// The level; `None` for `skip`, with which nothing is checked.
    pub fn level(&self) -> Option<Level> {
        self.level
    }

    /// What signatures are held against; `None` where the level is `skip`, which ends as exempt and
    /// never as verified. `stores` holds each of [`Statement::stores`]; one that is absent there
    /// counts as unusable.
    pub fn trust(
        &self,
        stores: &BTreeMap<StoreName, Result<Vec<Certificate>, StoreFault>>,
    ) -> Option<Trust> {
        let (level, identities) = (self.level?, self.identities.clone()?);
        let has_timestamps = self
            .stores
            .iter()
            .any(|store| store.kind() == StoreKind::Tsa);
        Some(Trust {
            statement: Some(self.name.clone()),
            level,
            signers: self.anchors(StoreKind::Ca, stores),
            authorities: self.anchors(StoreKind::SigningAuthority, stores),
            timestamp_roots: has_timestamps.then(|| self.anchors(StoreKind::Tsa, stores)),
            verify_timestamp: self.verify_timestamp,
            identities,
            metadata: Vec::new(),
        })
    }

    /// The certificates of all stores of a kind; the first store that cannot be used makes them so.
    fn anchors(
        &self,
        kind: StoreKind,
        stores: &BTreeMap<StoreName, Result<Vec<Certificate>, StoreFault>>,
    ) -> Anchors {
        let mut found = Vec::new();
        let mut listed = self
            .stores
            .iter()
            .filter(|store| store.kind() == kind)
            .peekable();
        if listed.peek().is_none() {
            return Err(StoreFault::NoneOfKind(kind));
        }
        for store in listed {
            match stores.get(store) {
                Some(Ok(certificates)) => found.extend(certificates.iter().cloned()),
                Some(Err(fault)) => return Err(fault.clone()),
                None => {
                    return Err(StoreFault::Unusable {
                        store: store.clone(),
                        why: "it was not read".to_owned(),
                    });
                }
            }
        }
        Ok(found)
    }

    fn read(name: &str, members: &Object) -> Result<Self, StatementFault> {
        let Some(Value::Object(verification)) = members.get("signatureVerification") else {
            return Err(StatementFault::Member("signatureVerification"));
        };
        let level = text(verification, "level").filter(|level| !level.is_empty());
        let level = level.ok_or(StatementFault::Member("level"))?;
        let overrides = match verification.get("override") {
            None | Some(Value::Null) => BTreeMap::new(),
            Some(map) => map.string_map().ok_or(StatementFault::Member("override"))?,
        };
        let stores = strings(members, "trustStores")?;
        let identities = strings(members, "trustedIdentities")?;
        let is_skip = level == "skip";
        if is_skip {
            for (is_given, member) in [
                (!stores.is_empty(), "trustStores"),
                (!identities.is_empty(), "trustedIdentities"),
                (!overrides.is_empty(), "override"),
            ] {
                if is_given {
                    return Err(StatementFault::WithSkip(member));
                }
            }
        } else if stores.is_empty() {
            return Err(StatementFault::Member("trustStores"));
        }
        Ok(Self {
            name: name.to_owned(),
            scopes: scopes(members)?,
            level: if is_skip {
                None
            } else {
                Some(leveled(level, &overrides)?)
            },
            verify_timestamp: verify_timestamp(verification)?,
            stores: stores
                .iter()
                .map(|store| store.parse())
                .collect::<Result<_, InvalidStoreName>>()?,
            identities: if is_skip {
                None
            } else {
                Some(TrustedIdentities::parse(&identities)?)
            },
        })
    }
}

fn text<'a>(members: &'a Object, name: &str) -> Option<&'a str> {
    members.get(name).and_then(Value::as_str)
}

/// A list of strings that may be absent.
fn strings(members: &Object, name: &'static str) -> Result<Vec<String>, StatementFault> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(list) => list.strings().ok_or(StatementFault::Member(name)),
    }
}

fn leveled(name: &str, overrides: &BTreeMap<String, String>) -> Result<Level, StatementFault> {
    let level = Level::from_name(name).ok_or_else(|| StatementFault::Level(name.to_owned()))?;
    overrides.iter().try_fold(level, |level, (check, action)| {
        level
            .overridden(check, action)
            .ok_or_else(|| StatementFault::Override {
                check: check.clone(),
                action: action.clone(),
            })
    })
}

fn verify_timestamp(verification: &Object) -> Result<VerifyTimestamp, StatementFault> {
    match verification.get("verifyTimestamp") {
        None | Some(Value::Null) => Ok(VerifyTimestamp::Always),
        Some(Value::String(text)) => match text.as_str() {
            "" | "always" => Ok(VerifyTimestamp::Always),
            "afterCertExpiry" => Ok(VerifyTimestamp::AfterCertExpiry),
            other => Err(StatementFault::VerifyTimestamp(other.to_owned())),
        },
        Some(_) => Err(StatementFault::Member("verifyTimestamp")),
    }
}

fn scopes(members: &Object) -> Result<Vec<String>, StatementFault> {
    let scopes = strings(members, "registryScopes")?;
    if scopes.is_empty() {
        return Err(StatementFault::Member("registryScopes"));
    }
    let everything = scopes.len() == 1 && scopes.iter().any(|scope| scope == "*");
    if let Some(wrong) = scopes.iter().find(|scope| !everything && !is_scope(scope)) {
        return Err(StatementFault::Scope(wrong.clone()));
    }
    Ok(scopes)
}

/// How images name the repository that a scope spells otherwise. Such a statement would be passed
/// over, and `*` decide, which may ask for less.
fn respelt(scope: &str) -> Option<String> {
    // No image names the port that https has anyway.
    let (host, path) = scope.split_once('/')?;
    let plain = format!("{}/{path}", host.strip_suffix(":443").unwrap_or(host));
    Repository::familiar(&plain)
        .ok()
        .map(|repository| repository.to_string())
        .filter(|name| name != scope)
}

/// `domain[:port]/repository`.
fn is_scope(scope: &str) -> bool {
    let Some((host, path)) = scope.split_once('/') else {
        return false;
    };
    let (domain, port) = host
        .split_once(':')
        .map_or((host, None), |(domain, port)| (domain, Some(port)));
    domain.split('.').all(is_label)
        && port
            .is_none_or(|port| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()))
        && path.split('/').all(is_component)
}

fn is_label(label: &str) -> bool {
    !label.is_empty()
        && label
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

/// Lower-case letters and digits, joined by `.`, `_`, `__` or dashes.
fn is_component(component: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let mut separators =
        component.split(|character: char| u8::try_from(character).is_ok_and(is_word));
    let edges = component.bytes().next().is_some_and(is_word)
        && component.bytes().next_back().is_some_and(is_word);
    edges
        && separators.all(|separator| {
            matches!(separator, "" | "." | "_" | "__") || separator.bytes().all(|byte| byte == b'-')
        })
}
