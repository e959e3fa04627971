//! The tests that stand on more than one module, in one program.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    clippy::as_conversions,
    unreachable_pub,
    reason = "a test fails by panicking"
)]

mod dct;
