//! Sign container images in Azure Container Registry with keys that stay in Azure Key Vault, and block
//! unsigned ones.
//!
//! `oci`, `crypto`, `format` and `report` are pure: bytes and a time in, values out. `net` guards what
//! leaves the machine, `registry`, `azure` and `keys` speak the protocols above it, and `flow` is the only
//! place where pure meets IO. The crate's public API is not promised; the command line is.

pub mod azure;
pub mod crypto;
pub mod flow;
pub mod format;
pub mod keys;
pub mod net;
pub mod oci;
mod process;
pub mod reason;
pub mod registry;
pub mod report;
pub mod timestamp;

pub use process::{Environment, Process};
