//! The policy file: how it is read, and what it decides.

mod allows;
mod check;
mod crowd;
mod d_rows;
mod decision;
mod file;
mod g_rows;
mod gate;
mod hostile;
mod init;
mod mistakes;
mod names;
mod notation;
mod pinned;
mod schema;
mod sign;
mod signer;
mod statements;
mod timestamps;

use acr_sign::policy::{Config, PolicyError};

const ROOT: &str = "6f1c0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f";

fn parse(text: &str) -> Result<Config, PolicyError> {
    Config::parse(&text.replace("ROOT", ROOT), "acr-sign.yaml")
}

/// A `verify` part whose only rule requires this, indented as the text of a list.
fn requiring(members: &str) -> String {
    format!("version: 1\nverify:\n  - images: [\"**\"]\n    require:\n{members}")
}
