//! `acr-sign.yaml` as values: what the file says, with every name, pattern, day and key ID in its own type.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
};

use serde_saphyr::Spanned;

use super::{
    document::{self, Document, Member, Node, Switch},
    error::{Located, Place, PolicyError},
    exemption::Exemption,
    leaf::{DctLeaf, Leaf, RootPin},
    requirement::Requirement,
    rule::{Demand, Policy, Rule},
    yaml,
};
use crate::format::{
    Format,
    dct::{KeyId, RoleName, Version},
};

/// The version of the form that this program reads.
const VERSION: u64 = 1;
/// Leaves of one rule.
const LEAVES: usize = 100;

/// Everything that one file says.
#[derive(Clone, Debug)]
pub struct Config {
    /// The file as named.
    pub file: String,
    /// Names for keys.
    pub keys: KeyNames,
    /// Defaults for `sign`.
    pub sign: SignDefaults,
    /// What must hold, where the file says so.
    pub verify: Option<Policy<Leaf>>,
}

/// Names for key references.
#[derive(Clone, Debug, Default)]
pub struct KeyNames(BTreeMap<String, Located>);

/// What `sign` does where neither flag nor input says otherwise.
#[derive(Clone, Debug, Default)]
pub struct SignDefaults {
    /// The formats.
    pub formats: Vec<Format>,
    /// The keys.
    pub key: Option<SignKey>,
    /// Root pins, any of.
    pub root: Vec<KeyId>,
}

/// The signing keys, as written.
#[derive(Clone, Debug)]
pub enum SignKey {
    /// One for every format.
    One(Located),
    /// One per format.
    PerFormat(Vec<(Format, Located)>),
}

impl KeyNames {
    /// The key reference that `text` stands for: the one of that name.
    pub fn get(&self, text: &str) -> Option<&Located> {
        self.0.get(text)
    }

    /// Every name and what it stands for.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Located)> {
        self.0.iter().map(|(name, key)| (name.as_str(), key))
    }
}

impl Config {
    /// Reads a file's text; `file` is its name, for messages.
    pub fn parse(text: &str, file: &str) -> Result<Self, PolicyError> {
        let document: Document = yaml::read(text, file)?;
        Reader { file }.config(document)
    }
}

struct Reader<'a> {
    file: &'a str,
}

impl Reader<'_> {
    fn config(&self, document: Document) -> Result<Config, PolicyError> {
        if document.version.value.0 != VERSION {
            let message = format!("this program reads version {VERSION} of the form, not {}", document.version.value.0);
            return Err(self.wrong(&document.version, message));
        }
        let mut keys = BTreeMap::new();
        for (name, key) in document.keys {
            let word = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
            if name.is_empty() || name.len() > 64 || !name.bytes().all(word) {
                return Err(self.wrong(&key, format!("`{name}` is no name for a key: letters, digits, `-` and `_`")));
            }
            keys.insert(name, located(key));
        }
        let sign = self.sign(document.sign)?;
        let verify = document.verify.map(|rules| self.rules(rules)).transpose()?;
        Ok(Config { file: self.file.to_owned(), keys: KeyNames(keys), sign, verify })
    }

    fn sign(&self, sign: document::Sign) -> Result<SignDefaults, PolicyError> {
        let key = match sign.key {
            None => None,
            Some(Spanned { value: document::SignKey::One(text), referenced, .. }) => {
                Some(SignKey::One(Located { text, place: place(referenced) }))
            }
            Some(keys) => {
                let at = place(keys.referenced);
                let document::SignKey::PerFormat(keys) = keys.value else { unreachable!("the other form was taken") };
                let of_format = |(name, key): (String, Spanned<String>)| {
                    let format = name
                        .parse()
                        .map_err(|error: crate::format::InvalidFormat| self.wrong(&key, error.to_string()))?;
                    Ok((format, located(key)))
                };
                let keys = keys.into_iter().map(of_format).collect::<Result<Vec<_>, PolicyError>>()?;
                if keys.is_empty() {
                    return Err(self.at(at, "`key` names no format"));
                }
                Some(SignKey::PerFormat(keys))
            }
        };
        Ok(SignDefaults {
            formats: self.each_if_given(sign.formats, "formats")?,
            key,
            root: self.each_if_given(sign.root, "root")?,
        })
    }

    fn rules(&self, rules: Spanned<Vec<Spanned<document::Rule>>>) -> Result<Policy<Leaf>, PolicyError> {
        if rules.value.is_empty() {
            return Err(self.wrong(&rules, "no rule: leave `verify` out, or say what must hold"));
        }
        let rules = rules.value.into_iter().map(|rule| self.rule(rule)).collect::<Result<_, _>>()?;
        Ok(Policy { rules })
    }

    fn rule(&self, rule: Spanned<document::Rule>) -> Result<Rule<Leaf>, PolicyError> {
        let at = place(rule.referenced);
        let document::Rule { images, require, exempt } = rule.value;
        let demand = match (require, exempt) {
            (Some(members), None) => {
                let requirement = self.all(members)?;
                let leaves = requirement.leaves().len();
                if leaves > LEAVES {
                    return Err(self.at(at, format!("the rule has {leaves} demands, and at most {LEAVES} are judged")));
                }
                Demand::Require(requirement)
            }
            (None, Some(exempt)) => {
                let document::Exempt { reason, until } = &exempt.value;
                let exemption = Exemption::new(&reason.value, &until.value);
                Demand::Exempt(exemption.map_err(|message| self.wrong(&exempt, message))?)
            }
            (Some(_), Some(_)) => return Err(self.at(at, "a rule has `require` or `exempt`, not both")),
            (None, None) => return Err(self.at(at, "a rule needs `require` or `exempt`")),
        };
        Ok(Rule { place: Some(at), images: self.each(images, "images")?, demand })
    }

    /// A list means all of it.
    fn all(&self, members: Spanned<Vec<Spanned<Node>>>) -> Result<Requirement<Leaf>, PolicyError> {
        let at = place(members.referenced);
        let all = self.nodes(members.value)?;
        Requirement::all(all).ok_or_else(|| self.at(at, "an empty list demands nothing"))
    }

    fn nodes(&self, nodes: Vec<Spanned<Node>>) -> Result<Vec<Requirement<Leaf>>, PolicyError> {
        nodes.into_iter().map(|node| self.node(node)).collect()
    }

    fn node(&self, node: Spanned<Node>) -> Result<Requirement<Leaf>, PolicyError> {
        let at = place(node.referenced);
        let member = match node.value {
            Node::List(members) => {
                return Requirement::all(self.nodes(members)?)
                    .ok_or_else(|| self.at(at, "an empty list demands nothing"));
            }
            Node::Member(member) => *member,
        };
        match member {
            Member { dct: Some(dct), cosign: None, any: None, at_least: None, of: None } => {
                Ok(Requirement::leaf(Leaf::Dct(self.dct(dct)?)))
            }
            Member { dct: None, cosign: Some(cosign), any: None, at_least: None, of: None } => {
                Err(self.wrong(&cosign, "this version does not check `cosign` signatures, so this policy cannot hold"))
            }
            Member { dct: None, cosign: None, any: Some(members), at_least: None, of: None } => {
                let at = place(members.referenced);
                let any = self.nodes(members.value)?;
                Requirement::any(any).ok_or_else(|| self.at(at, "an empty list can never hold"))
            }
            Member { dct: None, cosign: None, any: None, at_least: Some(count), of: Some(members) } => {
                let (wanted, of) = (count.value.0, self.nodes(members.value)?);
                let there = of.len();
                let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
                Requirement::at_least(wanted, of).ok_or_else(|| {
                    self.wrong(
                        &count,
                        format!("`at-least: {}` of {there} members can never hold, or demands nothing", count.value.0),
                    )
                })
            }
            _ => Err(self.at(at, "a member has exactly one of `dct`, `cosign`, `any`, and `at-least` with `of`")),
        }
    }

    fn dct(&self, dct: Spanned<document::Dct>) -> Result<DctLeaf, PolicyError> {
        let at = place(dct.referenced);
        let document::Dct { roots, root_ca, trust_on_first_use, signers, minimum_versions } = dct.value;
        let root = match (roots, root_ca, trust_on_first_use) {
            (Some(roots), None, None) => RootPin::Keys(self.each(roots, "roots")?),
            (None, Some(file), None) => RootPin::Ca(located(file)),
            (None, None, Some(Spanned { value: Switch(true), .. })) => RootPin::FirstUse,
            (None, None, Some(no)) => return Err(self.wrong(&no, "leave it out, and name `roots` or `root-ca`")),
            (None, None, None) => {
                return Err(self.at(at, "`dct` needs one of `roots`, `root-ca`, `trust-on-first-use: true`"));
            }
            _ => {
                return Err(
                    self.at(at, "`roots`, `root-ca` and `trust-on-first-use` are three ways to trust: give one")
                );
            }
        };
        let signers = match signers {
            None => Vec::new(),
            Some(names) => self.each::<Signer>(names, "signers")?.into_iter().map(|signer| signer.0).collect(),
        };
        let mut minimum = BTreeMap::new();
        for (name, version) in minimum_versions {
            let role: RoleName = name
                .parse()
                .map_err(|error: crate::format::dct::InvalidRoleName| self.wrong(&version, error.to_string()))?;
            let least = Version::new(version.value.0);
            minimum.insert(role, least.ok_or_else(|| self.wrong(&version, "versions begin at 1"))?);
        }
        Ok(DctLeaf { root, signers, minimum_versions: minimum })
    }

    fn each_if_given<T>(&self, list: Option<Spanned<Vec<Spanned<String>>>>, what: &str) -> Result<Vec<T>, PolicyError>
    where
        T: FromStr<Err: fmt::Display>,
    {
        list.map_or_else(|| Ok(Vec::new()), |list| self.each(list, what))
    }

    /// Every entry in its type; an empty list and an entry that stands there twice are mistakes.
    fn each<T>(&self, list: Spanned<Vec<Spanned<String>>>, what: &str) -> Result<Vec<T>, PolicyError>
    where
        T: FromStr<Err: fmt::Display>,
    {
        if list.value.is_empty() {
            return Err(self.wrong(&list, format!("`{what}` is empty")));
        }
        let mut seen = BTreeSet::new();
        let one = |entry: Spanned<String>| {
            if !seen.insert(entry.value.clone()) {
                return Err(self.wrong(&entry, format!("`{}` stands in `{what}` twice", entry.value)));
            }
            entry.value.parse().map_err(|error: T::Err| self.wrong(&entry, error.to_string()))
        };
        list.value.into_iter().map(one).collect()
    }

    fn wrong<T>(&self, value: &Spanned<T>, message: impl Into<String>) -> PolicyError {
        self.at(place(value.referenced), message)
    }

    fn at(&self, place: Place, message: impl Into<String>) -> PolicyError {
        PolicyError { file: self.file.to_owned(), place: Some(place), message: message.into() }
    }
}

/// A signer as people name it.
struct Signer(RoleName);

impl FromStr for Signer {
    type Err = crate::format::dct::InvalidRoleName;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        RoleName::signer(name).map(Self)
    }
}

fn place(location: serde_saphyr::Location) -> Place {
    Place { line: location.line(), column: location.column() }
}

fn located(text: Spanned<String>) -> Located {
    Located { place: place(text.referenced), text: text.value }
}
