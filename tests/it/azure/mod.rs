//! Identities in every form that pipelines and machines offer, and what a person is told when one fails.

mod answers;
mod cli;
mod connection;
mod machine;
mod renewal;
mod texts;
