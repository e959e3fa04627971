//! Sign container images in Azure Container Registry with keys that stay in Azure Key Vault, and block
//! unsigned ones.
//!
//! `oci`, `crypto`, `format`, `manifests`, `policy` and `report` are pure: bytes and a time in, values out. `net` guards
//! what leaves the machine, `registry`, `azure` and `keys` speak the protocols above it, and `flow` is the only place
//! where pure meets IO. [`run`] is what `main`, the demo and the tests call. The crate's public API is not promised;
//! the command line is.

pub mod azure;
mod ci;
mod cli;
pub mod crypto;
mod duration;
pub mod flow;
pub mod format;
pub mod keys;
mod log;
pub mod manifests;
pub mod net;
pub mod oci;
mod output_file;
pub mod pipeline;
pub mod policy;
mod process;
pub mod reason;
pub mod registry;
pub mod report;
mod run;
mod settings;
pub mod timestamp;
mod verbs;

pub use process::{Environment, Process};
pub use reason::Exit;
pub use run::run;
