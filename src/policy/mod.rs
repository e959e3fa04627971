//! What must be signed, by whom, in which format: `acr-sign.yaml`, and the decision about one image.
//!
//! Pure: text, findings and a time in, values out. A file is read strictly (unknown and duplicate keys, wrong types and
//! empty lists are errors with line and column), the first rule that matches an image decides, and what no rule matches
//! is denied. [`Allowed`] is the only yes: [`evaluate`] makes it from proofs, [`Allowed::exempt`] from what somebody
//! wrote down with an expiry date.

mod config;
mod document;
mod error;
mod evaluate;
mod exemption;
mod format_requirement;
mod glob;
mod leaf;
mod matching;
mod notation_trust;
mod refusal;
mod requirement;
mod rule;
mod specificity;
mod warning;
mod yaml;

pub use config::{Config, KeyNames, SignDefaults, SignKey};
pub use error::{Located, Place, PolicyError};
pub use evaluate::{Allowed, Denied, evaluate};
pub use exemption::Exemption;
pub use format_requirement::{FormatRequirement, FormatTrust};
pub use glob::{Glob, InvalidGlob};
pub use leaf::{DctLeaf, Leaf, NotationLeaf, NotationPins, RootPin};
pub use notation_trust::{NotationTrust, RepositoryTrust};
pub use refusal::Refusal;
pub use requirement::Requirement;
pub use rule::{Demand, Policy, Rule};
pub use warning::Warning;
