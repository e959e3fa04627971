//! What must be signed, by whom, in which format.

mod glob;

pub use glob::{Glob, InvalidGlob};
