//! The verbs: each turns its arguments into options for a flow, and the flow's findings into an outcome.

mod dct;
mod inspect;
mod key;
mod outcome;
mod policy;
mod run;
mod sign;
mod sources;
mod trust;
mod verify;

pub(crate) use self::{
    outcome::Outcome,
    run::{check_policy, execute},
};
