//! What people and code scanning are shown.

mod files;
mod samples;
mod summary;
