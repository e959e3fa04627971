//! Where something is in a file.

/// A place in a file: line and column in characters, both from 1.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct At {
    pub(super) line: u64,
    pub(super) column: u64,
}
