//! `acr-sign.yaml` as values: what the file says, with every name, pattern, day and key ID in its own type.

mod dct;
mod notation;
mod rules;
mod sign;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
    time::Duration,
};

use serde_saphyr::Spanned;

use super::{
    document::Document,
    error::{Located, Place, PolicyError},
    leaf::Leaf,
    rule::Policy,
    yaml,
};
use crate::format::{Format, dct::KeyId, notation::Metadata};

/// The version of the form that this program reads.
const VERSION: u64 = 1;

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
    /// Metadata to sign, where a format takes it.
    pub annotations: Metadata,
    /// How long a signature holds, where its format says so.
    pub expiry: Option<Duration>,
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
    /// Whether text can be the name of a key; no key reference and no path with a dot or a slash can.
    pub fn is_name(text: &str) -> bool {
        let word = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        (1..=64).contains(&text.len()) && text.bytes().all(word)
    }

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
            let message = format!(
                "this program reads version {VERSION} of the form, not {}",
                document.version.value.0
            );
            return Err(self.wrong(&document.version, message));
        }
        let mut keys = BTreeMap::new();
        for (name, key) in document.keys {
            if !KeyNames::is_name(&name) {
                return Err(self.wrong(
                    &key,
                    format!("`{name}` is not a valid name for a key: letters, digits, `-` and `_`"),
                ));
            }
            keys.insert(name, located(key));
        }
        let sign = self.sign(document.sign)?;
        let verify = document.verify.map(|rules| self.rules(rules)).transpose()?;
        Ok(Config {
            file: self.file.to_owned(),
            keys: KeyNames(keys),
            sign,
            verify,
        })
    }

    fn each_if_given<T>(
        &self,
        list: Option<Spanned<Vec<Spanned<String>>>>,
        what: &str,
    ) -> Result<Vec<T>, PolicyError>
    where
        T: FromStr<Err: fmt::Display>,
    {
        list.map_or_else(|| Ok(Vec::new()), |list| self.each(list, what))
    }

    /// Every entry in its type.
    fn each<T>(
        &self,
        list: Spanned<Vec<Spanned<String>>>,
        what: &str,
    ) -> Result<Vec<T>, PolicyError>
    where
        T: FromStr<Err: fmt::Display>,
    {
        let entries = self.distinct(list, what)?.into_iter();
        entries
            .map(|entry| {
                entry
                    .value
                    .parse()
                    .map_err(|error: T::Err| self.wrong(&entry, error.to_string()))
            })
            .collect()
    }

    /// The entries; an empty list and an entry that stands there twice are mistakes.
    fn distinct(
        &self,
        list: Spanned<Vec<Spanned<String>>>,
        what: &str,
    ) -> Result<Vec<Spanned<String>>, PolicyError> {
        if list.value.is_empty() {
            return Err(self.wrong(&list, format!("`{what}` is empty")));
        }
        let mut seen = BTreeSet::new();
        match list
            .value
            .iter()
            .find(|entry| !seen.insert(entry.value.as_str()))
        {
            Some(twice) => Err(self.wrong(
                twice,
                format!("`{}` is listed in `{what}` twice", twice.value),
            )),
            None => Ok(list.value),
        }
    }

    fn wrong<T>(&self, value: &Spanned<T>, message: impl Into<String>) -> PolicyError {
        self.at(place(value.referenced), message)
    }

    fn at(&self, place: Place, message: impl Into<String>) -> PolicyError {
        PolicyError {
            file: self.file.to_owned(),
            place: Some(place),
            message: message.into(),
        }
    }
}

fn place(location: serde_saphyr::Location) -> Place {
    Place {
        line: location.line(),
        column: location.column(),
    }
}

fn located(text: Spanned<String>) -> Located {
    Located {
        place: place(text.referenced),
        text: text.value,
    }
}
