//! Sign container images in Azure Container Registry with keys that stay in Azure Key Vault, and block
//! unsigned ones.
//!
//! [`run()`] is what `main`, the demo and the tests call. The crate's public API is not promised; the
//! command line is.
//!
//! The map, from those that use others to those that are used. A room is a file or a folder of `src`; it
//! may use the rooms named here and no others, and no two files use each other in a circle. Pure means: bytes
//! and a time in, values out; no `async`, no clock, no file, no network. A test holds all of it.
//!
//! - `run`: one run: arguments, settings, one command, its report and exit code.
//!   Uses `ci`, `cli`, `log`, `output_file`, `process`, `reason`, `report`, `verbs`.
//! - `ci`: what the Action and the task run: inputs to arguments, then outputs, summary and result.
//!   Uses `cli`, `log`, `output_file`, `pipeline`, `process`, `reason`, `report`, `verbs`.
//! - `verbs`: one file per command: its arguments to options of a flow, findings to an outcome.
//!   Uses `cli`, `crypto`, `flow`, `format`, `keys`, `oci`, `output_file`, `pipeline`, `policy`,
//!   `process`, `progress`, `reason`, `report`, `settings`, `timestamp`.
//! - `cli`: the command line, definitions only.
//!   Uses `azure`, `format`, `net`, `process`, `reason`, `registry`.
//! - `settings`: flags, environment and files to typed values, each parsed once.
//!   Uses `azure`, `cli`, `crypto`, `duration`, `format`, `keys`, `manifests`, `net`, `oci`,
//!   `output_file`, `policy`, `process`, `reason`, `registry`, `report`, `timestamp`.
//! - `flow`: sign, verify and the other verbs: the only place where pure meets IO.
//!   Uses `azure`, `crypto`, `format`, `keys`, `net`, `oci`, `policy`, `process`, `progress`,
//!   `reason`, `registry`, `report`, `settings`, `timestamp`.
//! - `pipeline`: the pipeline hosts: how inputs come in, how masks, messages and outputs go out.
//!   Uses `crypto`, `net`, `oci`, `policy`, `process`, `reason`, `report`, `timestamp`.
//! - `policy`: what must be signed, by whom, in which format, and the decision about an image; pure.
//!   Uses `crypto`, `duration`, `format`, `oci`, `reason`, `timestamp`.
//! - `report`: what a run found, as one value; text, JSON and the summary are functions of it; pure.
//!   Uses `crypto`, `format`, `oci`, `policy`, `reason`, `timestamp`.
//! - `manifests`: which images deployment manifests name, and the same text with digests; pure.
//!   Uses `oci`, `reason`.
//! - `format`: the signature formats, one folder each, and the proof that an image is signed; pure.
//!   Uses `crypto`, `oci`, `reason`, `timestamp`.
//! - `keys`: key references and what they open: a signer or a public key.
//!   Uses `azure`, `crypto`, `process`, `reason`, `timestamp`.
//! - `registry`: OCI registries and trust servers: logins, tokens, content, referrers, trust data.
//!   Uses `azure`, `crypto`, `net`, `oci`, `reason`, `timestamp`.
//! - `azure`: which identity, its tokens, and Key Vault.
//!   Uses `crypto`, `net`, `process`, `reason`, `report`, `timestamp`.
//! - `net`: the network edge: every byte that leaves the machine passes here.
//!   Uses `crypto`, `reason`, `timestamp`.
//! - `crypto`: keys, signatures, certificates, timestamps, secrets, and the trait `Signer`; pure.
//!   Uses `oci`, `reason`, `timestamp`.
//! - `oci`: the nouns of the OCI specifications: digest, reference, descriptor, manifest; pure.
//! - `log`: the log of this program, without what the libraries log.
//! - `output_file`: files that a run leaves behind, each written whole or not at all.
//!   Uses `reason`.
//! - `progress`: how far a run is, for whoever waits at a terminal.
//! - `process`: what a run takes from its process: environment, streams, clock.
//!   Uses `crypto`, `timestamp`.
//! - `reason`: the stable reason codes and the exit code of each.
//! - `duration`: durations as people write them.
//! - `timestamp`: a point in time.

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
mod progress;
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
