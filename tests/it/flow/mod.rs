//! Whole commands against the sandbox.

mod counts;
mod crowds;
mod expired;
mod faults;
mod gate;
mod identity;
mod kill;
mod lies;
mod notation;
mod notation_files;
mod notation_gate;
mod notation_keys;
mod notation_many;
mod notation_shown;
mod pins;
mod publishing;
mod refusals;
mod snapshot_key;
mod state;
mod state_file;
mod texts;
mod untyped;

pub use notation_files::notation_files;
