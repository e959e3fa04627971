//! OCI registries and trust servers: logins, tokens, manifests, blobs, referrers, trust data.
//!
//! Our own client, because a signer must know which host gets which token (docs/decisions).

mod advice;
mod challenge;
mod client;
mod content;
mod docker_config;
mod error;
mod link;
mod listing;
mod login;
mod peer;
mod referrers;
mod refusal;
mod server_message;
mod session;
mod trust;

pub use challenge::{Challenge, InvalidChallenge};
pub use client::{Registry, Resolved};
pub use content::{Taken, Upload, describe};
pub use docker_config::{DockerConfig, DockerConfigError, StoredLogin};
pub use error::{Error, Missing};
pub use listing::PushedTag;
pub use login::{Logins, RegistryAuth};
pub use peer::{Peer, Principal};
pub use referrers::{InvalidReferrersMode, Referrers, ReferrersMode, ReferrersSource};
pub use server_message::ServerMessage;
pub use trust::TrustServer;
