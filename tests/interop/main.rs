//! The built binary against real peers: notary and its server, docker's registry, docker's CLI 20.10,
//! crane, oras, notation, olareg, Microsoft's Azure SDK for Python and azure-cli.
//!
//! `tests/interop/install DIR` brings the peers; `ACR_SIGN_PEERS=DIR cargo test --features interop
//! --test interop` runs the cases. A missing peer is a failure, never a skip. Everything listens on
//! loopback, on free ports, below a temporary folder that goes away with the case.

#![allow(
    clippy::disallowed_methods,
    reason = "the harness starts programs and writes what they read"
)]

#[cfg(test)]
mod az_commands;
#[cfg(test)]
mod azure;
#[cfg(test)]
mod command;
#[cfg(test)]
mod docker;
#[cfg(test)]
mod docker_keys;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod notary;
#[cfg(test)]
mod notation;
#[cfg(test)]
mod notation_upstream;
#[cfg(test)]
mod ours;
#[cfg(test)]
mod peers;
#[cfg(test)]
mod port;
#[cfg(test)]
mod race;
#[cfg(test)]
mod rotation;
#[cfg(test)]
mod sandbox;
#[cfg(test)]
mod stack;
#[cfg(test)]
mod they_initialise;
#[cfg(test)]
mod we_initialise;
