//! The policy file: how it is read, and what it decides.

mod check;
mod file;
mod gate;
mod sign;
