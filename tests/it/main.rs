//! The tests that stand on more than one module, in one program.

#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::as_conversions,
    clippy::disallowed_methods,
    clippy::panic,
    clippy::too_many_lines,
    unreachable_pub,
    reason = "a test fails by panicking, and holds its table"
)]

mod architecture;
mod attacks;
mod azure;
mod binary;
mod command_line;
mod dct;
mod docs;
mod edge;
mod flow;
mod fuzz;
mod help;
mod keys;
mod manifests;
#[allow(
    clippy::pedantic,
    clippy::type_complexity,
    reason = "tables of damage, and bytes written by hand"
)]
mod notation;
mod pipeline;
mod policy;
mod registry;
mod report;
mod signatures;
mod snapshot;
mod world;
mod wycheproof;
