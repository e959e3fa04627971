//! Azure: which identity, its tokens, and Key Vault through Microsoft's crates over our own network edge.

mod assertion;
mod azure_cli;
mod claims;
mod credential;
mod endpoint;
mod environment_probe;
mod error;
mod identity;
mod identity_source;
mod managed_identity;
mod token;
mod transport;
mod vault;
mod vault_error;
mod vault_key;
mod vault_signer;

pub use error::IdentityError;
pub use identity::{Auth, Identities, IdentityKind, IdentityOptions};
pub use identity_source::{Application, IdentitySource};
pub use vault::Vault;
pub use vault_error::VaultError;
pub use vault_key::{VaultCertificate, VaultKey};
pub use vault_signer::VaultSigner;
