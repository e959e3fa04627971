//! Identities in every form that pipelines and machines offer, and what a person is told when one fails.

mod answers;
mod cli;
mod connection;
mod follow;
mod half;
mod machine;
mod renewal;
mod secrets;
mod setups;
mod texts;
mod vault;
