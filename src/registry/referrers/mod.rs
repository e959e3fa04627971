//! What refers to a manifest: the Referrers API where the registry has it, the tag schema where it does not.
//!
//! Lists with bounds, filters again what the registry says it has filtered (G16), and keeps two writers of one
//! tag from losing an entry (G15). Judges nothing: whatever is listed is a claim.

mod add;
mod list;
mod support;

use std::str::FromStr;

pub(super) use self::support::ReferrersSupport;
use crate::oci::Referrer;

/// Candidates that are listed for one subject: enough for years of daily signatures, and a bound on what a registry can
/// make a run hold in memory.
const LISTED: usize = 1_000;

/// Where lists of referrers are read and kept.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum ReferrersMode {
    /// The API where the registry has it, else the tag.
    #[default]
    Auto,
    /// The API only.
    Api,
    /// The tag only.
    Tag,
}

/// The text is not a mode.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not one of auto, api and tag")]
pub struct InvalidReferrersMode;

impl FromStr for ReferrersMode {
    type Err = InvalidReferrersMode;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "auto" => Ok(Self::Auto),
            "api" => Ok(Self::Api),
            "tag" => Ok(Self::Tag),
            _ => Err(InvalidReferrersMode),
        }
    }
}

/// Where a list came from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ReferrersSource {
    /// The Referrers API.
    Api,
    /// The tag schema.
    Tag,
}

/// What refers to a subject.
#[derive(Clone, Debug)]
pub struct Referrers {
    /// Of the wanted type, in the registry's order, each once.
    pub entries: Vec<Referrer>,
    /// Whether more was there than is listed.
    pub left: bool,
    /// Where the list came from.
    pub source: ReferrersSource,
}
