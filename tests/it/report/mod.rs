//! What people and code scanning are shown.

mod samples;
mod summary;
