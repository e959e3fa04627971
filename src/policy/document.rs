//! The file as it is written: member for member, with the place of each value.
//!
//! An empty value is not "absent": each member that is named must have its type.

use std::{collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};
use serde_saphyr::Spanned;

type Text = Spanned<String>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    pub(super) version: Spanned<Number>,
    #[serde(default)]
    pub(super) keys: BTreeMap<String, Text>,
    #[serde(default)]
    pub(super) sign: Sign,
    #[serde(default, deserialize_with = "present")]
    pub(super) verify: Option<Spanned<Vec<Spanned<Rule>>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sign {
    #[serde(default, deserialize_with = "present")]
    pub(super) formats: Option<Spanned<Vec<Text>>>,
    #[serde(default, deserialize_with = "present")]
    pub(super) key: Option<Spanned<SignKey>>,
    #[serde(default, deserialize_with = "present")]
    pub(super) root: Option<Spanned<Vec<Text>>>,
    #[serde(default, deserialize_with = "present")]
    pub(super) annotations: Option<Spanned<BTreeMap<String, Text>>>,
    #[serde(default, deserialize_with = "present")]
    pub(super) expiry: Option<Text>,
}

/// One key for every format, or one per format.
#[derive(Debug)]
pub(super) enum SignKey {
    One(String),
    PerFormat(BTreeMap<String, Text>),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    pub(super) images: Spanned<Vec<Text>>,
    #[serde(default, deserialize_with = "present")]
    pub(super) require: Option<Spanned<Vec<Spanned<Node>>>>,
    #[serde(default, deserialize_with = "present")]
    pub(super) exempt: Option<Spanned<Exempt>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Exempt {
    pub(super) reason: Text,
    pub(super) until: Text,
}

/// A member of a requirement: a list, which means all of it, or a map with one requirement.
#[derive(Debug)]
pub(super) enum Node {
    List(Vec<Spanned<Self>>),
    Member(Box<Member>),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Member {
    #[serde(default, deserialize_with = "present")]
    pub(super) dct: Option<Spanned<Dct>>,
    #[serde(default, deserialize_with = "present")]
    pub(super) notation: Option<Spanned<Notation>>,
    #[serde(default, deserialize_with = "present")]
    pub(super) cosign: Option<Spanned<Cosign>>,
    #[serde(default, deserialize_with = "present")]
    pub(super) any: Option<Spanned<Vec<Spanned<Node>>>>,
    #[serde(default, deserialize_with = "present")]
    pub(super) at_least: Option<Spanned<Number>>,
    #[serde(default, deserialize_with = "present")]
    pub(super) of: Option<Spanned<Vec<Spanned<Node>>>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Dct {
    #[serde(default, deserialize_with = "present")]
    pub(super) roots: Option<Spanned<Vec<Text>>>,
    #[serde(default, deserialize_with = "present")]
    pub(super) root_ca: Option<Text>,
    #[serde(default, deserialize_with = "present")]
    pub(super) trust_on_first_use: Option<Spanned<Switch>>,
    #[serde(default, deserialize_with = "present")]
    pub(super) signers: Option<Spanned<Vec<Text>>>,
    #[serde(default)]
    pub(super) minimum_versions: BTreeMap<String, Spanned<Number>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Notation {
    #[serde(default, deserialize_with = "present")]
    pub(super) certificates: Option<Spanned<Vec<Text>>>,
    #[serde(default, deserialize_with = "present")]
    pub(super) identities: Option<Spanned<Vec<Text>>>,
    #[serde(default, deserialize_with = "present")]
    pub(super) level: Option<Text>,
    #[serde(default)]
    pub(super) metadata: BTreeMap<String, Text>,
    #[serde(default, deserialize_with = "present")]
    pub(super) timestamp_roots: Option<Spanned<Vec<Text>>>,
    #[serde(default, deserialize_with = "present")]
    pub(super) revocation: Option<Text>,
    #[serde(default, deserialize_with = "present")]
    pub(super) trust_policy: Option<Text>,
    #[serde(default, deserialize_with = "present")]
    pub(super) trust_store: Option<Text>,
}

/// Read as strictly as everything else, although nothing can check it yet.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "what is read here makes the policy an error, whatever it says"
)]
pub(super) struct Cosign {
    keys: Vec<String>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
    #[serde(default, deserialize_with = "present")]
    storage: Option<Vec<Storage>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Storage {
    Bundle,
    Legacy,
}

/// A whole number, written as one: text that looks like a number is none.
#[derive(Clone, Copy, Debug)]
pub(super) struct Number(pub(super) u64);

/// `true` or `false`, written as such.
#[derive(Clone, Copy, Debug)]
pub(super) struct Switch(pub(super) bool);

/// A member that is named has a value of its type; `null` is not "not given".
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = Node;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "a requirement: a list, or a map with `dct`, `notation`, `any` or `at-least`",
                )
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut members: A) -> Result<Node, A::Error> {
                let mut list = Vec::new();
                while let Some(member) = members.next_element()? {
                    list.push(member);
                }
                Ok(Node::List(list))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Node, A::Error> {
                Member::deserialize(MapAccessDeserializer::new(map))
                    .map(|member| Node::Member(Box::new(member)))
            }
        }

        deserializer.deserialize_any(Either)
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Whole;

        impl Visitor<'_> for Whole {
            type Value = Number;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number")
            }

            fn visit_u64<E>(self, number: u64) -> Result<Number, E> {
                Ok(Number(number))
            }

            fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Number, E> {
                u64::try_from(number)
                    .map(Number)
                    .map_err(|_| E::custom(format!("{number} is below zero")))
            }
        }

        deserializer.deserialize_any(Whole)
    }
}

impl<'de> Deserialize<'de> for Switch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct YesOrNo;

        impl Visitor<'_> for YesOrNo {
            type Value = Switch;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("true or false")
            }

            fn visit_bool<E>(self, on: bool) -> Result<Switch, E> {
                Ok(Switch(on))
            }
        }

        deserializer.deserialize_any(YesOrNo)
    }
}

impl<'de> Deserialize<'de> for SignKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = SignKey;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key, or a map from formats to keys")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<SignKey, E> {
                Ok(SignKey::One(text.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<SignKey, A::Error> {
                BTreeMap::deserialize(MapAccessDeserializer::new(map)).map(SignKey::PerFormat)
            }
        }

        deserializer.deserialize_any(Either)
    }
}
