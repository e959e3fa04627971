//! The sandbox's services as a client sees them: what the interop tests do not hold it to.

#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod blobs;
mod caller;
mod faults;
mod log;
mod metadata;
mod program;
mod vault;
