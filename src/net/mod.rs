//! The network edge: every byte that leaves the machine passes here.
//!
//! One client that reads with bounds, follows redirects by hand and without credentials, retries under the
//! run's one deadline, and connects only as it was told. [`Hosts`] decides who may receive a credential,
//! before a byte is sent.

mod address;
mod client;
mod cloud;
mod concurrency;
mod connections;
mod error;
mod failure;
mod hosts;
mod request;
mod resolve;
mod retry;
mod tls;
mod untrusted;
mod url;

pub use address::{ConnectTo, HostPort, InvalidAddress};
pub use client::{Client, Counts, Options};
pub use cloud::Cloud;
pub use concurrency::{Concurrency, InvalidConcurrency};
pub use error::Error;
pub use hosts::{HostNotAllowed, Hosts};
pub use request::{Authorization, Purpose, Redirects, Request, Response, Retry};
pub use retry::jitter;
pub use untrusted::Untrusted;
pub use url::SafeUrl;
