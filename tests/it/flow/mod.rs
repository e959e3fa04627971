//! Whole commands against the sandbox.

mod counts;
mod crowds;
mod faults;
mod gate;
mod identity;
mod kill;
mod lies;
mod notation;
mod notation_gate;
mod pins;
mod publishing;
mod refusals;
mod state;
mod state_file;
mod texts;

pub use notation_gate::notation_files;
