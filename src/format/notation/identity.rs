//! Trusted identities: `*`, or distinguished names of which the leaf's subject must hold every
//! attribute (Notary Project, "Trusted Identities"). Names are parsed, never compared as text
//! (N12).

use std::{collections::BTreeMap, fmt, str::FromStr};

use spki::ObjectIdentifier;

use crate::crypto::Certificate;

/// The attribute types that a name may be matched by, with their identifiers.
const TYPES: [(&str, ObjectIdentifier); 9] = [
    ("C", ObjectIdentifier::new_unwrap("2.5.4.6")),
    ("ST", ObjectIdentifier::new_unwrap("2.5.4.8")),
    ("L", ObjectIdentifier::new_unwrap("2.5.4.7")),
    ("O", ObjectIdentifier::new_unwrap("2.5.4.10")),
    ("OU", ObjectIdentifier::new_unwrap("2.5.4.11")),
    ("CN", ObjectIdentifier::new_unwrap("2.5.4.3")),
    ("STREET", ObjectIdentifier::new_unwrap("2.5.4.9")),
    ("POSTALCODE", ObjectIdentifier::new_unwrap("2.5.4.17")),
    ("SERIALNUMBER", ObjectIdentifier::new_unwrap("2.5.4.5")),
];
/// Attributes without which a name is too wide to be trusted.
const MANDATORY: [&str; 3] = ["C", "ST", "O"];
const SUBJECT: &str = "x509.subject";
/// How many identities one trust may name: each is compared with every other one for overlaps.
const IDENTITIES: usize = 100;

/// Whom the certificates of a CA are trusted for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum TrustedIdentities {
    /// Everyone to whom the trusted CAs give a certificate.
    Any,
    /// Whoever one of these matches.
    Listed(Vec<TrustedIdentity>),
}

/// One trusted identity.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum TrustedIdentity {
    /// `x509.subject:`: attributes of the leaf's subject.
    Subject(DistinguishedName),
    /// An identity of another kind, for a plug-in; here it matches nothing.
    Other(String),
}

/// Attributes by type, each once.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DistinguishedName(BTreeMap<String, String>);

/// Why text is no trusted identity.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum InvalidIdentity {
    /// Neither `*` nor `prefix:value`.
    #[error("`{0}` must be `*` or `x509.subject: C=…, ST=…, O=…`")]
    Form(String),
    /// The name cannot be parsed.
    #[error("`{name}`: {why}")]
    Name {
        /// The name.
        name: String,
        /// What is wrong.
        why: &'static str,
    },
    /// C, ST or O is absent.
    #[error("`{name}` lacks `{missing}` (C, ST and O are required)")]
    TooWide {
        /// The name.
        name: String,
        /// The first that is absent.
        missing: &'static str,
    },
    /// None, or more than are read.
    #[error("{0} identities instead of 1 to {IDENTITIES}")]
    Count(usize),
    /// `*` beside others.
    #[error("`*` must be the only identity")]
    NotAlone,
    /// One identity is part of another, so one of them says nothing.
    #[error("`{0}` and `{1}` overlap")]
    Overlap(String, String),
}

/// Why no trusted identity matches a certificate.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum IdentityFault {
    /// Nothing in the list can match a certificate.
    #[error("no `x509.subject` identity is trusted")]
    NothingNative,
    /// The subject holds what identities cannot name.
    #[error("the subject `{subject}` {why}, so only `*` could match it")]
    Unmatchable {
        /// The subject of the leaf.
        subject: String,
        /// What it holds.
        why: &'static str,
    },
    /// None matches.
    #[error("the subject `{subject}` matches none of the trusted identities")]
    NoMatch {
        /// The subject of the leaf.
        subject: String,
    },
}

impl TrustedIdentities {
    /// From their texts, with the rules for a list: `*` alone, at least one, none part of another.
    pub fn parse(texts: &[String]) -> Result<Self, InvalidIdentity> {
        if texts.is_empty() || texts.len() > IDENTITIES {
            return Err(InvalidIdentity::Count(texts.len()));
        }
        if texts.iter().any(|text| text == "*") {
            return if texts.len() == 1 {
                Ok(Self::Any)
            } else {
                Err(InvalidIdentity::NotAlone)
            };
        }
        let listed = texts
            .iter()
            .map(|text| text.parse())
            .collect::<Result<Vec<TrustedIdentity>, _>>()?;
        for (index, one) in listed.iter().enumerate() {
            for other in listed.iter().skip(index + 1) {
                if let (TrustedIdentity::Subject(one), TrustedIdentity::Subject(other)) =
                    (one, other)
                    && (one.is_part_of(other) || other.is_part_of(one))
                {
                    return Err(InvalidIdentity::Overlap(one.to_string(), other.to_string()));
                }
            }
        }
        Ok(Self::Listed(listed))
    }

    /// Rejects a leaf whose subject none of the identities matches.
    pub(super) fn require(&self, leaf: &Certificate) -> Result<(), IdentityFault> {
        let Self::Listed(listed) = self else {
            return Ok(());
        };
        let mut native = listed.iter().filter_map(|identity| match identity {
            TrustedIdentity::Subject(name) => Some(name),
            TrustedIdentity::Other(_) => None,
        });
        if native.clone().next().is_none() {
            return Err(IdentityFault::NothingNative);
        }
        let subject = leaf.subject();
        let found =
            DistinguishedName::of_subject(leaf).map_err(|why| IdentityFault::Unmatchable {
                subject: subject.clone(),
                why,
            })?;
        if native.any(|wanted| wanted.is_part_of(&found)) {
            Ok(())
        } else {
            Err(IdentityFault::NoMatch { subject })
        }
    }
}

impl TrustedIdentity {
    /// The identity that names the whole subject of a leaf, as a policy writes it; `None` where
    /// none can.
    pub fn naming(leaf: &Certificate) -> Option<String> {
        let name = DistinguishedName::of_subject(leaf).ok()?;
        let attributes: Vec<String> = name
            .0
            .iter()
            .map(|(name, value)| format!("{name}={}", escaped(value)))
            .collect();
        let text = format!("{SUBJECT}: {}", attributes.join(", "));
        // An empty value, for one, cannot be written.
        (text.parse() == Ok(Self::Subject(name))).then_some(text)
    }
}

impl FromStr for TrustedIdentity {
    type Err = InvalidIdentity;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let form = || InvalidIdentity::Form(text.chars().take(300).collect());
        let (prefix, value) = text.split_once(':').ok_or_else(form)?;
        if prefix != SUBJECT {
            return if prefix.is_empty() {
                Err(form())
            } else {
                Ok(Self::Other(text.to_owned()))
            };
        }
        let name = DistinguishedName::parse(value).map_err(|why| InvalidIdentity::Name {
            name: value.trim().chars().take(300).collect(),
            why,
        })?;
        match name.missing() {
            Some(missing) => Err(InvalidIdentity::TooWide {
                name: name.to_string(),
                missing,
            }),
            None => Ok(Self::Subject(name)),
        }
    }
}

impl DistinguishedName {
    fn missing(&self) -> Option<&'static str> {
        MANDATORY
            .into_iter()
            .find(|name| !self.0.contains_key(*name))
    }

    fn is_part_of(&self, other: &Self) -> bool {
        self.0
            .iter()
            .all(|(name, value)| other.0.get(name) == Some(value))
    }

    /// RFC 4514, as far as notation reads it: no quotes, no `#` values, no `+`, each type once; `;`
    /// separates as `,` does, and `S` is `ST`. Empty values are refused, since nothing could match.
    fn parse(text: &str) -> Result<Self, &'static str> {
        let mut found = BTreeMap::new();
        let mut rest = Some(text);
        while let Some(left) = rest {
            let (name, after) = left.split_once('=').ok_or("an attribute without `=`")?;
            let name = name.trim_matches(' ');
            if name.is_empty()
                || !name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte))
            {
                return Err("an attribute without a type, or with one that no type can be");
            }
            let (value, after) = value(after)?;
            let name = if name == "S" { "ST" } else { name };
            if found.insert(name.to_owned(), value).is_some() {
                return Err("an attribute type twice");
            }
            rest = after;
        }
        Ok(Self(found))
    }

    /// The name that a certificate's subject is matched by.
    fn of_subject(certificate: &Certificate) -> Result<Self, &'static str> {
        let mut found = BTreeMap::new();
        for name in certificate.subject_attributes() {
            let [(id, value)] = name.as_slice() else {
                return Err("has several attributes in one part");
            };
            let known = TYPES.iter().find(|(_, known)| known == id);
            let (name, _) = known.ok_or("has an attribute that identities cannot name")?;
            let value = value.clone().ok_or("has an attribute that is no text")?;
            if found.insert((*name).to_owned(), value).is_some() {
                return Err("has an attribute type twice");
            }
        }
        let name = Self(found);
        match name.missing() {
            Some(_) => Err("lacks one of C, ST and O"),
            None => Ok(name),
        }
    }
}

/// A value up to its separator, unescaped, and what follows the separator.
fn value(text: &str) -> Result<(String, Option<&str>), &'static str> {
    let text = text.trim_start_matches(' ');
    if text.starts_with('#') {
        return Err("a value in `#` form, which is not supported");
    }
    let mut bytes = Vec::new();
    // Spaces at the end count only when they are escaped.
    let mut kept = 0;
    let mut rest = None;
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            ',' | ';' => {
                rest = text.get(at + 1..);
                break;
            }
            '"' => return Err("a quoted value, which is not supported"),
            '+' => return Err("several attributes in one part, which is not supported"),
            '\\' => {
                let (_, escaped) = characters.next().ok_or("a backslash at the end")?;
                if r#",+"\<>;=# "#.contains(escaped) {
                    bytes.extend(escaped.to_string().into_bytes());
                } else {
                    let low = characters.next().and_then(|(_, low)| low.to_digit(16));
                    let pair = escaped
                        .to_digit(16)
                        .zip(low)
                        .and_then(|(high, low)| u8::try_from(high << 4 | low).ok());
                    bytes.push(pair.ok_or("a backslash before something that needs none")?);
                }
                kept = bytes.len();
            }
            ' ' => bytes.push(b' '),
            _ => {
                bytes.extend(character.to_string().into_bytes());
                kept = bytes.len();
            }
        }
    }
    bytes.truncate(kept);
    if bytes.is_empty() {
        return Err("an empty value");
    }
    Ok((
        String::from_utf8(bytes).map_err(|_| "a value that is not UTF-8")?,
        rest,
    ))
}

/// A value as RFC 4514 writes it, in one line.
fn escaped(value: &str) -> String {
    let mut out = String::new();
    for (at, c) in value.char_indices() {
        let at_end = at == 0 || at + c.len_utf8() == value.len();
        match c {
            ',' | '+' | '"' | '\\' | '<' | '>' | ';' | '=' | '#' => out.extend(['\\', c]),
            ' ' if at_end => out.push_str("\\ "),
            c if c.is_control() => c
                .to_string()
                .bytes()
                .for_each(|byte| out.push_str(&format!("\\{byte:02x}"))),
            c => out.push(c),
        }
    }
    out
}

impl fmt::Display for DistinguishedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (name, value)) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(
                f,
                "{separator}{name}={}",
                value.replace('\\', r"\\").replace(',', r"\,")
            )?;
        }
        Ok(())
    }
}
