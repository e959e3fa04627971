//! Whole commands against the sandbox.

mod counts;
mod faults;
mod gate;
mod identity;
mod lies;
mod publishing;
mod refusals;
