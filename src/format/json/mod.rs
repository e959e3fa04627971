//! The one strict reader of JSON that came from elsewhere: trust data, envelopes, manifests and
//! policies.
//!
//! Go programs read the same bytes with `encoding/json`, which takes the last of two equal names,
//! ignores case and passes numbers through a float. Whatever two readers could understand
//! differently is refused here.

mod reader;
mod value;

pub use reader::{parse, parse_exact, parse_object};
pub use value::{InvalidJson, Object, Value};

#[cfg(test)]
pub(super) use value::LARGEST;
