//! OCI registries and trust servers: logins, tokens, manifests, trust data.
//!
//! Our own client, because a signer must know which host gets which token (docs/decisions).

mod challenge;
mod client;
mod docker_config;
mod error;
mod login;
mod session;
mod trust;

pub use challenge::{Challenge, InvalidChallenge};
pub use client::{Registry, Resolved};
pub use docker_config::{DockerConfig, DockerConfigError, StoredLogin};
pub use error::Error;
pub use login::{Logins, RegistryAuth};
pub use trust::TrustServer;
