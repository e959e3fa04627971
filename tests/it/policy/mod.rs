//! The policy file: how it is read, and what it decides.

mod file;
mod gate;
mod sign;
