//! Whole commands against the sandbox.

mod counts;
mod faults;
mod gate;
mod identity;
mod kill;
mod lies;
mod publishing;
mod refusals;
